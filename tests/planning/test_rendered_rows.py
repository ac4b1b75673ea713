"""What a row gives: the same text whoever is withheld in its markup, and nobody else's words."""

from pathlib import Path
from typing import Any

import pytest
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.runs.render import MASK, render
from demur.training.rows import people_of
from demur.workspace import Workspace

BOB = "forum:bob"


def stored(start: int, end: int, role: str) -> dict[str, Any]:
    return {"start": start, "end": end, "role": role, "subject": 7}


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("rain again", [], "rain again"),
        ("@bob: rain", [stored(0, 4, "mention")], f"{MASK}: rain"),
        ("look @bob", [stored(5, 9, "tag")], f"look {MASK}"),
        ("he said so there", [stored(3, 10, "quote")], "he there"),
        ("a [quote] b", [stored(2, 9, "withheld-copy")], "a b"),
        ("a [quote] b", [], "a b"),
        (f"a {MASK} b", [stored(2, 10, "withheld-name")], f"a {MASK} b"),
        ("he said @bob here, really", [stored(3, 17, "quote"), stored(8, 12, "mention")], "he , really"),
        ("words", [stored(0, 0, "mention"), stored(0, 0, "withheld-mention")], "words"),
        ("another's words", [stored(0, 0, "reshare")], ""),
        ("  two \t words \n\n\n line  ", [], "two words\nline"),
        ("", [], ""),
    ],
)
def test_a_row_gives(text: str, spans: list[dict[str, Any]], expected: str) -> None:
    assert render(text, spans) == expected


def test_mentions_may_be_kept() -> None:
    spans = [stored(0, 4, "mention"), stored(9, 17, "withheld-name")]
    assert render(f"@bob and {MASK}", spans, mask_mentions=False) == f"@bob and {MASK}"


@pytest.mark.parametrize(
    ("subjects", "spans", "expected"),
    [
        ([7], [stored(0, 4, "mention")], [1]),
        ([7], [stored(0, 4, "mention"), stored(9, 12, "quote")], [1, 7]),
        ([7], [stored(0, 4, "tag")], [1, 7]),
        ([7, 8], [stored(0, 4, "mention")], [1, 8]),  # 8 is tagged in a picture
        ([1], [stored(0, 4, "mention") | {"subject": 1}], [1]),
        ([], [stored(0, 4, "withheld-mention") | {"subject": None}], [1]),
        ([7], [], [1, 7]),
    ],
)
def test_a_row_is_of_its_author_and_of_whom_it_shows(
    subjects: list[int], spans: list[dict[str, Any]], expected: list[int]
) -> None:
    assert people_of(1, subjects, spans) == expected


def mention(at: int) -> dict[str, Any]:
    return span(at, at + len("@bob"), "mention", BOB)


def given(workspace: Workspace) -> dict[bytes, str]:
    with reading(workspace, NOW) as session:
        rows = [row for each in session.corpus.batches(["item", "text", "spans"]) for row in each.to_pylist()]
    return {row["item"]: render(row["text"], row["spans"]) for row in rows}


def test_an_objection_changes_no_row_that_names_or_quotes_its_person_by_markup(tmp_path: Path) -> None:
    workspace = workspaces.create(tmp_path / "w", open_policy())
    name, words = "@bob", "the lamp by the door is broken"
    items = [
        item("1", "forum:ann", f"{name} look at the lamp", spans=[mention(0)]),
        item("2", "forum:ann", f"ask {name}, or {name}", spans=[mention(4), mention(13)]),
        item("3", "forum:ann", f"so he wrote: {words} yes", spans=[span(13, 13 + len(words), "quote", BOB)]),
        item(
            "4",
            "forum:ann",
            f"{name}{words}",
            spans=[mention(0), span(4, 4 + len(words), "quote", BOB)],
        ),
        item("5", "forum:ann", f"a {name} b", spans=[span(0, 8, "quote", "forum:cleo"), mention(2)]),
        item("6", "forum:ann", "in the markup alone", spans=[span(0, 0, "mention", BOB), span(3, 3, "tag", BOB)]),
        item("7", "forum:ann", "nobody is in it"),
        item("8", BOB, words),
    ]
    import_items(workspace, "table", iter([batch(items)]), now=NOW)
    before = given(workspace)
    with workspace.register() as register:
        register.objections.lodge([BOB], channel="letter", now=NOW)
    honour(workspace, now=NOW)
    after = given(workspace)
    assert len(after) == 7
    assert after == {key: text for key, text in before.items() if key in after}
    assert not any(word in text for text in after.values() for word in ("bob", "broken"))
