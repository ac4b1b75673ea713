"""The loop on a forum's tables: 50 people object, and nothing that markup says is theirs is handed over.

One table holds Discourse's HTML, others what its members and those of XenForo typed; all go through the command line
and ``markup`` of demur.toml alone. What is quoted stands in no post, so that only its attribution leads to whom it is
of, and no copy of their own words. The checks read the exported Parquet, and what ``demur find`` still finds.
"""

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pyarrow.dataset as ds
import pytest
from calling import Demur
from making import open_policy

from demur import workspace as workspaces
from demur.policy import Others

PEOPLE = 120
OBJECTORS = 50
MARKUPS = ("html", "markdown", "bbcode")
SECTION = """
[sources.table]
source = "forum"
namespace = "forum"
columns.item = "id"
columns.thread = "topic"
columns.text = "body"
number = "nr"
markup = "{}"
"""


def name(person: int) -> str:
    """A name, as forums allow them; ``n7n`` stands in no other."""
    return ("person_{}", "Jörg {}", "O'Neil {}", "Łucja]{}")[person % 4].format(f"n{person}n")


def friend(person: int) -> str:
    """What links to them show."""
    return f"friend f{person}f"


def words(person: int) -> str:
    """What they are quoted with."""
    return f"word{person}x that was said number{person}x"


def ways(markup: str, person: int, other: int) -> Iterator[str]:
    """How a forum's markup cites a person; ``other`` is quoted around them."""
    called, said, around = name(person), words(person), words(other)
    plain, topic = escape(called), f'data-post="1" data-topic="{markup}{person}"'
    if markup == "html":
        aside = '<aside class="quote" data-username="{}"><blockquote><p>{}</p></blockquote></aside>'
        yield (
            f'<aside class="quote" data-username="{plain}" {topic}><div>'
            f"<img class='avatar'>{plain}:</div><blockquote><p>{said}</p></blockquote></aside>"
        )
        yield f'<aside class="quote-modified" {topic}><div class="title">T</div><blockquote>{said}</blockquote></aside>'
        yield aside.format(escape(name(other)), f"{around}</p>{aside.format(plain, said)}<p>")
        yield f"<blockquote><p>{said}</p><p>-- {plain}</p></blockquote>"
        yield f"<p>{plain} wrote:</p><blockquote><p>{said}</p></blockquote>"
        yield f'<p><a class="mention" href="/u/{plain}">{friend(person)}</a> yes</p>'
        yield f'<p>ask <a href="https://forum.example/u/{quote(called)}/activity">{friend(person)}</a></p>'
    elif markup == "markdown":
        yield f'[quote="{called}, post:1, topic:{person}"]\n{said}\n[/quote]\n'
        yield f'[quote="{name(other)}, post:1"]\n{around}\n[quote="{called}, post:1"]\n{said}\n[/quote]\n[/quote]\n'
        yield f"> {called} wrote:\n> {said}\n"
        yield f"> {said}\n> -- {called}\n"
        yield f'<aside class="quote" data-username="{plain}"><blockquote>{said}</blockquote></aside>\n'
        yield f'<a class="mention" href="/u/{plain}">{friend(person)}</a>'
    else:
        yield f'[QUOTE="{called}, post: 1, member: {person}"]{said}[/QUOTE]'
        yield f"[quote='{called}' pid='1' dateline='1700000000']{said}[/quote]"
        yield f'[QUOTE="{name(other)}, post: 2"]{around}[QUOTE="{called}, post: 1"]{said}[/QUOTE][/QUOTE]'
        yield f"[b]{called} wrote:[/b]\n[quote]{said}[/quote]"
        yield f"[USER=7]{called}[/USER]"


def posts(markup: str) -> Iterator[tuple[dict[str, Any], set[int]]]:
    """A post by each that quotes nobody, and one for each way to cite the next but some; with whom a row is about."""
    for person in range(PEOPLE):
        cited = (person * 7 + 3) % PEOPLE
        other = (cited + OBJECTORS) % PEOPLE
        bodies = [f"post {markup} {person} alone", *ways(markup, cited, other)]
        for nr, body in enumerate(bodies, start=1):
            row = {"id": f"{markup}-{person}-{nr}", "topic": f"{markup}{person}", "nr": nr, "author": name(person)}
            about = {person} | ({cited} if nr > 1 else set()) | ({other} if words(other) in body else set())
            text = body if nr == 1 else f"{body}\n\nanswer {markup} {person} {nr} by the author"
            yield row | {"body": text, "kind": "post", "audience": "public", "created": "2026-03-01T10:00:00Z"}, about


def object_all(demur: Demur, root: Path, people: range) -> None:
    listed = root / "objections.csv"
    listed.write_text('account\n"' + '"\n"'.join(f"forum:{name(person)}" for person in people) + '"\n')
    assert demur("object", "--from", listed, "-w", root / "w").code == 0


def exported(demur: Demur, root: Path, others: Literal["mask", "drop"]) -> list[dict[str, Any]]:
    """What leaves once the first 50 people have objected, half of them before the import."""
    workspaces.create(root / "w", open_policy(others=Others(quotes=others, mentions=others)))
    policy = root / "w" / "demur.toml"
    plain = policy.read_text()
    object_all(demur, root, range(0, OBJECTORS, 2))
    for markup in MARKUPS:
        policy.write_text(plain + SECTION.format(markup))
        rows = [row for row, _ in posts(markup)]
        (root / f"{markup}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        said = demur("import", "table", root / f"{markup}.jsonl", "--json", "-w", root / "w").json
        assert said["read"] == len(rows) == said["kept"] + sum(said["left_out"].values())
    object_all(demur, root, range(1, OBJECTORS, 2))
    assert demur("publish", "v1", "-w", root / "w").code == 0
    assert demur("export", "v1", "--to", root / "out", "-w", root / "w").code == 0
    return [dict(row) for row in ds.dataset(root / "out" / "data", format="parquet").to_table().to_pylist()]


@pytest.mark.parametrize("others", ["mask", "drop"])
def test_no_quote_mention_or_name_of_theirs_is_exported(
    tmp_path: Path, demur: Demur, others: Literal["mask", "drop"]
) -> None:
    rows = exported(demur, tmp_path, others)

    said = "\n".join(row["text"] for row in rows)
    for person in range(OBJECTORS):
        for theirs in (f"word{person}x", f"number{person}x", f"n{person}n", f"f{person}f"):
            assert theirs not in said
    assert not any(mark in said for mark in ("data-username", "[quote=", "[QUOTE", "href", "</"))
    for cited in {(person * 7 + 3) % PEOPLE for person in range(OBJECTORS, PEOPLE)} - set(range(OBJECTORS)):
        assert words(cited) in said
        assert friend(cited) in said or name(cited) in said
    objectors = set(range(OBJECTORS))
    kept = {
        row["body"].rpartition("\n")[2]
        for markup in MARKUPS
        for row, about in posts(markup)
        if (int(row["id"].split("-")[1]) >= OBJECTORS if others == "mask" else not about & objectors)
    }
    assert sorted(row["text"].rpartition("\n")[2] for row in rows) == sorted(kept)
    found = [
        demur("find", "--account", f"forum:{name(who)}", "--json", "-w", tmp_path / "w").json for who in (8, 9, 90)
    ]
    assert [one["about"] > 0 for one in found] == [False, False, True]
