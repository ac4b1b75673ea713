"""A person with traces all over a workspace, and a search for what is left of them. All names are invented."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import lance
import pyarrow as pa
import pyarrow.parquet as pq
from lance.file import LanceFileReader
from making import NOW, batch, item, span

from demur.corpus.importing import import_items
from demur.policy import Policy
from demur.register import MEMBER
from demur.versions.leave import export
from demur.versions.publish import publish
from demur.workspace import Workspace, create

LATER: Final = NOW + timedelta(days=1)
FLORA: Final = "forum:flora.quince"
ALIAS: Final = "forum:quincette"
MAIL: Final = "flora@post.example"
REASON: Final = "Because my marmalade is nobody's business"
SAID: Final = ("My marmalade needs bitter oranges", "The kettle sings at dawn", "Quincette writes under the stairs")
"""What Flora wrote."""
NEEDLES: Final = (
    *SAID,
    REASON,
    MAIL,
    FLORA,
    ALIAS,
    "flora.quince",
    "quincette",
    "Flora Quince",
    "needs bitter oranges",
)
"""Each names her, or is hers."""
OTHERS: Final = ("I come by train", "Bread at the corner", "is the best baker")


def items(*, with_her: bool = True) -> list[dict[str, Any]]:
    """A forum's items: three of hers, some that name, quote, pass on or show her, some that don't."""
    hers = [
        item("1", FLORA, SAID[0]),
        item("2", FLORA, SAID[1]),
        item("3", ALIAS, SAID[2]),
        item("6", "forum:ben", SAID[0], spans=[span(0, len(SAID[0]), "reshare", FLORA)]),
    ]
    named = f"@{FLORA[6:]} {OTHERS[2]}"
    quoting = f'Well. "{SAID[0]}" {OTHERS[1]}'
    place = quoting.index(SAID[0])
    about = [
        item("4", "forum:ben", named, spans=[span(0, len(FLORA) - 5, "mention", FLORA)]),
        item("5", "forum:cem", quoting, spans=[span(place, place + len(SAID[0]), "quote", FLORA)]),
        item("7", "forum:dia", "A photo", media=[{"uri": "p.jpg", "type": "image/jpeg", "alt": "", "tagged": [FLORA]}]),
    ]
    rest = [
        item("8", "forum:cem", OTHERS[0]),
        *(item(f"n{n}", f"forum:u{n % 7}", f"Item number {n}") for n in range(60)),
    ]
    return [*(hers if with_her else []), *about, *rest]


def members() -> pa.RecordBatch:
    """What the platform knows of her."""
    base = {"region": "DE", "birth_year": 1980, "told_on": date(2026, 1, 2), "consented": False, "locale": "en"}
    base["mail_verified"] = True
    rows = [
        {"account": FLORA, "names": ["Flora Quince"], "linked": [ALIAS], "mail": MAIL, **base},
        {"account": "forum:ben", "names": ["Ben Baker"], "linked": [], "mail": "ben@post.example", **base},
    ]
    return pa.RecordBatch.from_pylist(rows, schema=MEMBER)


def settle(workspace: Workspace, *, exports: Path | None = None) -> None:
    """Members, items, a version with an export, the items again, a second version."""
    with workspace.register() as register:
        register.members.import_all([members()], now=NOW)
    import_items(workspace, "table", iter([batch(items())]), now=NOW)
    publish(workspace, "v1", now=NOW)
    if exports is not None:
        export(workspace, "v1", exports, now=NOW)
    import_items(workspace, "table", iter([batch(items())]), now=NOW)
    publish(workspace, "v2", now=NOW)


@contextmanager
def settled_again(made: Path) -> Iterator[Workspace]:
    """A settled workspace for one test, from one that was made at this place and moved aside (``settled_aside``).

    It stands where it was made, because it remembers where its exports lie.
    """
    root = Path(shutil.copytree(_aside(made), made))
    yield Workspace(root)
    shutil.rmtree(root)


def settled_aside(made: Path, policy: Policy, *, exports: Path) -> Path:
    """Make a settled workspace, and keep it beside its place for ``settled_again``; the place."""
    settle(create(made, policy), exports=exports)
    made.rename(_aside(made))
    return made


def _aside(made: Path) -> Path:
    return made.with_name(f"{made.name} as it was made")


def sealed(workspace: Workspace, subjects: list[int]) -> list[bytes]:
    """Every sealed value and wrapped key of these accounts, as an SQLite register stores them."""
    tables = {"account": "key", "member": "key", "detail": "account"}
    found: list[bytes] = []
    with sqlite3.connect(workspace.root / "register.db") as connection:
        for table, column in tables.items():
            for subject in subjects:
                rows = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (subject,)).fetchall()
                found += [value for row in rows for value in row if isinstance(value, bytes) and len(value) > 16]
    connection.close()
    return found


def everything(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a workspace, as it is and decoded: Lance's data and index files, Parquet, tags included."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and "exports" not in path.relative_to(root).parts:
            name = str(path.relative_to(root))
            yield name, path.read_bytes()
            if path.suffix == ".lance":
                yield f"{name}, decoded", _rows(LanceFileReader(str(path)).read_all().to_table())
            if path.suffix == ".parquet":
                yield f"{name}, decoded", _rows(pq.read_table(path))
    if (root / "corpus.lance").exists():
        head = lance.dataset(str(root / "corpus.lance"))
        for version in [None, *head.tags.list()]:
            dataset = lance.dataset(head.uri, version=version)
            scan = dataset.scanner(with_row_id=True, include_deleted_rows=True)
            yield f"version {version}, deleted rows too", _rows(scan.to_table())


def _rows(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes()) + "\n".join(str(row) for row in table.to_pylist()).encode()


def traces(root: Path, needles: list[bytes]) -> list[tuple[str, bytes]]:
    """Where any of these bytes stands, whatever its case."""
    wanted = [(needle, needle.lower()) for needle in needles]
    return [
        (name, needle)
        for name, data in everything(root)
        for needle, folded in wanted
        if needle in data or folded in data.lower()
    ]
