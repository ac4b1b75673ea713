"""The names of withheld people and the fingerprints of what they wrote, as the kernel reads them, kept as files.

Invariants: a file is a cache: it can be thrown away at any time, and is believed only while it names the entry, or the
dataset's content, that it was built from; names that came since are joined to it, and built into it once they are many.
An entry of somebody who is not withheld any more is harmless: the kernel asks who is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from demur.corpus.evidence import Fingerprints
from demur.files import partial, replacing
from demur.identity import SubjectKeys
from demur.kernel.rules import Worded
from demur.people.index import PeopleIndex
from demur.register import Register
from demur.suppression.copies import Copies

_MANY: Final = 2_000
"""Entries that are joined to a file, before a new one is written."""


def worded(register: Register, minors: SubjectKeys, fingerprints: Fingerprints, folder: Path) -> Worded:
    """What is known of withheld people's words now.

    Args:
        register: knows their names, and what officers decided.
        minors: who is a known minor.
        fingerprints: what they wrote.
        folder: where the files are kept; where there is none, nothing is.
    """
    return Worded(_people(register, minors, folder), _copies(fingerprints, folder), register.names.cleared())


def names_of_now(register: Register, minors: SubjectKeys, folder: Path) -> PeopleIndex | None:
    """The names of just those who are withheld now, not joined of several: what a version is published under."""
    return _people(register, minors, folder, exact=True)


def _people(register: Register, minors: SubjectKeys, folder: Path, *, exact: bool = False) -> PeopleIndex | None:
    upto = register.names.head(minors)
    if not upto:
        return None
    begin, kept = _newest(folder, "people")
    if kept is not None and (begin == upto if exact else begin <= upto):
        known = PeopleIndex.load(kept)
        since = list(register.names.entries(begin, minors=minors))
        if len(since) <= _MANY:
            return known.joined(PeopleIndex.build(since)) if since else known
    built = PeopleIndex.build(register.names.entries(minors=minors))
    return PeopleIndex.load(path) if (path := _keep(built, folder, "people", upto)) else built


def _copies(fingerprints: Fingerprints, folder: Path) -> Copies | None:
    if not fingerprints.count():
        return None
    content = fingerprints.content
    if (kept := _named(folder, "copies", content)).is_file():
        return Copies.load(kept)
    built = Copies.build(pa.Table.from_batches(_lines(fingerprints)))
    return Copies.load(path) if (path := _keep(built, folder, "copies", content)) else built


def _lines(fingerprints: Fingerprints) -> Iterator[pa.RecordBatch]:
    yield from (batch.select(fingerprints.SCHEMA.names) for batch in fingerprints.batches())


def _newest(folder: Path, name: str) -> tuple[int, Path | None]:
    found = [(int(path.stem.partition("-")[2]), path) for path in folder.glob(f"{name}-*.index")]
    return max(found) if found else (0, None)


def _named(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}-{number:012d}.index"


def _keep(built: PeopleIndex | Copies, folder: Path, name: str, number: int) -> Path | None:
    """Writes a file and removes the older ones; None where there is no folder."""
    if not folder.is_dir():
        return None
    path = _named(folder, name, number)
    with replacing(path, partial(path), durably=False) as file:
        built.save(file)
    for older in folder.glob(f"{name}-*.index"):
        if older != path:
            older.unlink(missing_ok=True)
    return path
