"""Whatever a community wrote, erasing one of them leaves what would be there without them, and no byte of theirs."""

import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from dossier import traces
from hypothesis import given, settings
from hypothesis import strategies as st
from keysharing import with_keys_of
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.rights.erasing import erase
from demur.versions.publish import publish
from demur.workspace import Workspace

RAM = Path("/dev/shm")
PEOPLE = [f"forum:zyx{number}zyx" for number in range(4)]
LATER = NOW + timedelta(days=1)
POSTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["plain", "mention", "quote", "reshare", "tag"]), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)
STEPS = st.lists(st.sampled_from(["import", "publish", "object", "honour"]), max_size=5)


def post(number: int, author: int, form: str, whom: int) -> dict[str, Any]:
    said, name = f"wvu{whom} said this", PEOPLE[whom].removeprefix("forum:")
    text = {"quote": f"Well: {said}", "reshare": said, "mention": f"@{name} knows"}.get(
        form, f"wvu{author} says {number}"
    )
    start, end = {"quote": (6, 6 + len(said)), "mention": (0, len(name) + 1)}.get(form, (0, len(text)))
    marked = [] if form in {"plain", "tag"} else [span(start, end, form, PEOPLE[whom])]
    media = [{"uri": "p.jpg", "type": "image/jpeg", "alt": "", "tagged": [PEOPLE[whom]]}] if form == "tag" else []
    return item(str(number), PEOPLE[author], text, spans=marked, media=media)


def stored(workspace: Workspace) -> list[tuple[Any, ...]]:
    with reading(workspace, LATER) as session:
        rows = [row for part in session.corpus.batches() for row in part.to_pylist()]
    return sorted((row["author"], row["text"], repr(row["spans"]), repr(row["media"])) for row in rows)


EXAMPLES: Final = settings().max_examples // 10 if "DEMUR_EXAMPLES" in os.environ else 6


@pytest.mark.law
@settings(max_examples=EXAMPLES, deadline=None)
@given(posts=POSTS, steps=STEPS)
def test_erasing_leaves_what_would_be_there_without_the_person(
    posts: list[tuple[int, str, int]], steps: list[str]
) -> None:
    items = [post(number, *each) for number, each in enumerate(posts)]
    with TemporaryDirectory(prefix="demur-", dir=RAM if RAM.is_dir() else None) as folder:
        used = workspaces.create(Path(folder) / "used", open_policy())
        bare = with_keys_of(used, Path(folder) / "bare")
        for number, step in enumerate(["import", *steps]):
            act(used, step, items, f"v{number}")
        erased = erase(used, PEOPLE[0], now=LATER)
        assert erased.overwritten
        assert traces(used.root, [b"wvu0 said", b"wvu0 says", b"zyx0zyx"]) == []
        with bare.register() as register:
            register.objections.lodge([PEOPLE[0]], channel="form", now=NOW)
            if "object" in steps:
                register.objections.lodge([PEOPLE[1]], channel="form", now=NOW)
        import_items(bare, "table", iter([batch(items)]), now=LATER)
        assert stored(used) == stored(bare)


def act(workspace: Workspace, step: str, items: list[dict[str, Any]], name: str) -> None:
    if step == "import":
        import_items(workspace, "table", iter([batch(items)]), now=NOW)
    elif step == "publish":
        publish(workspace, name, now=NOW)
    elif step == "honour":
        honour(workspace, now=NOW)
    else:
        with workspace.register() as register:
            register.objections.lodge([PEOPLE[1]], channel="form", now=NOW)
