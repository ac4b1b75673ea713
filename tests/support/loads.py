"""A small forum with a published version, and somebody who is about to object."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from making import NOW, batch, item, open_policy, span
from places import create

import demur
from demur.corpus.importing import import_items
from demur.loading import Loader
from demur.register.members.rows import MEMBER
from demur.versions.publish import publish
from demur.workspace import Workspace

ALWAYS = timedelta(0)
TEXTS = [
    "hello",
    "see @ann there",
    "I met Annabella Archerly today",
    "nothing to see",
    "the bakery has rye again, and it is as good as it was in spring",
]


def found(folder: Path, **changes: Any) -> Workspace:  # noqa: ANN401  # tables of a policy
    """Ann wrote a row; others mention and name her; and one has nothing to do with her."""
    workspace = create(folder, open_policy(**changes))
    ann = {"account": "forum:ann", "names": ["Annabella Archerly"]}
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([ann], schema=MEMBER)], now=NOW)
    items = [
        item("1", "forum:ann", TEXTS[0]),
        item("2", "forum:bob", TEXTS[1], spans=[span(4, 8, "mention", "forum:ann")]),
        item("3", "forum:cyd", TEXTS[2]),
        item("4", "forum:dag", TEXTS[3]),
        item("5", "forum:eve", TEXTS[4]),
    ]
    import_items(workspace, "table", [batch(items)], now=NOW)
    publish(workspace, "v1")
    return workspace


def objects(workspace: Workspace, *accounts: str) -> str:
    """An objection is acknowledged; its reference."""
    with workspace.register() as register:
        return register.objections.lodge(list(accounts), channel="letter").reference


def text_of(row: dict[str, Any]) -> str:
    """What is made of a row; at home where worker processes find it."""
    return str(row["text"])


def texts(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [text_of(row) for row in rows]


def loaded(workspace: Workspace, **changes: Any) -> Loader:  # noqa: ANN401  # arguments of load
    """The version, with a head that is looked at before each row."""
    return demur.load(workspace.root, "v1", **({"check_every": ALWAYS} | changes))
