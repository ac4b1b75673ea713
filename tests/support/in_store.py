"""A small town whose workspace is put onto a disk and into object stores, and what the corpus then holds."""

import shutil
from pathlib import Path
from typing import Any, Final

from making import NOW, batch, item, span

from demur.corpus.datasets.base import ADDRESS
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.policy import load_policy, write_policy
from demur.policy.model import Policy, StorePlace
from demur.store import Stored
from demur.versions.publish import publish
from demur.workspace import Workspace

Rows = list[dict[str, Any]]

PEOPLE: Final = [f"forum:p{number}" for number in range(12)]
PHRASE: Final = "quinces ripen late on the northern wall"


def town() -> list[dict[str, Any]]:
    """Posts of some people, who mention each other."""
    made = []
    for number in range(120):
        author, other = PEOPLE[number % 12], PEOPLE[(number * 5 + 1) % 12]
        handle = f"@{other.partition(':')[2]}"
        text = f"{handle} {PHRASE if author == PEOPLE[3] else 'the weather holds'}, said {number} times"
        made.append(item(f"n{number}", author, text, spans=[span(0, len(handle), "mention", other)]))
    return made


def put(template: Workspace, to: Path, url: str = "", endpoint: str = "") -> Workspace:
    """The same workspace in another folder, its corpus at another place: the keys are the same, and so the rows."""
    shutil.copytree(template.root, to)
    policy = load_policy(to / "demur.toml")
    write_policy(
        Policy.model_validate({**dict(policy), "store": StorePlace(url=url, endpoint=endpoint)}), to / "demur.toml"
    )
    return Workspace(to)


def run_through(workspace: Workspace) -> None:
    """An import, an objection, its honouring, a later reading of some items, and a version."""
    import_items(workspace, "forum", [batch(town())], workers=1, now=NOW)
    with workspace.register() as register:
        register.objections.lodge([PEOPLE[5]], channel="form", now=NOW)
    honour(workspace, now=NOW)
    import_items(
        workspace, "forum", [batch([item("n0", PEOPLE[0], "an edit"), item("new", PEOPLE[1])])], workers=1, now=NOW
    )
    publish(workspace, "v1", now=NOW)


def stored(workspace: Workspace) -> Rows:
    """What the corpus holds, as a reader sees it."""
    with reading(workspace, NOW) as session:
        rows = [row for each in session.corpus.batches() for row in each.to_pylist()]
    return sorted(({**row, ADDRESS: 0} for row in rows), key=lambda row: bytes(row["item"]))


def held(place: Stored) -> bytes:
    """Every byte below a place."""
    return b"".join((place / name).read_bytes() for name, _ in place.objects())
