"""The names of withheld people and the fingerprints of what they wrote, as the kernel reads them, kept as files.

Invariants: a file is a cache: it can be thrown away at any time, and is believed only while it names the entry, or the
dataset's content, that it was built from; names that came since are joined to it, and built into it once they are many.
An entry of somebody who is not withheld any more is harmless: the kernel asks who is.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from demur.corpus.evidence import Fingerprints
from demur.files import partial, replacing
from demur.identity import SubjectKeys
from demur.kernel.rules import Worded
from demur.people.compiled import Compiled
from demur.people.index import PeopleIndex
from demur.policy import Others
from demur.register import Register
from demur.suppression.copies import Copies

_MANY: Final = 1_000
"""Entries that are joined to a file, before a new one is written."""

_FEW: Final = 1_000
"""People whose fingerprints are read by themselves, where theirs alone are asked for."""


class WordsKnown:
    """Of one register and the datasets beside a corpus; remembers within a session what it read."""

    def __init__(self, register: Register, folder: Path) -> None:
        """Take the register, which knows the names and what officers decided, and where the files are kept.

        Where there is no such folder, nothing is kept.
        """
        self._register = register
        self._folder = folder
        self._built: tuple[int, PeopleIndex] | None = None
        """What a file, or memory, holds of people up to an entry."""
        self._since: list[tuple[int, Compiled]] = []
        """What came since."""
        self._upto = 0
        self._copies: tuple[int, Copies] | None = None

    def now(
        self,
        minors: SubjectKeys,
        fingerprints: Callable[[], Fingerprints],
        others: Others,
        copied: SubjectKeys | None = None,
    ) -> Worded:
        """What is known of withheld people's words now, as far as somebody looks for it.

        Args:
            minors: who is a known minor.
            fingerprints: gives what withheld people wrote.
            others: what the policy says of names and copies.
            copied: whose words alone are looked for as copies; everybody's, if nobody is named.
        """
        return Worded(
            None if others.names == "keep" else self._people(minors),
            None if others.copies == "keep" else self._written(fingerprints(), copied),
            self._register.names.cleared(),
        )

    def _people(self, minors: SubjectKeys) -> PeopleIndex | None:
        names = self._register.names
        upto = names.head(minors)
        if not upto:
            return None
        if self._built is None:
            begin, kept = _newest(self._folder, "people")
            if kept is not None and begin <= upto:
                self._built, self._upto = (begin, PeopleIndex.load(kept)), begin
        if self._upto < upto and self._built is not None:
            self._since += names.entries(self._upto, minors=minors)
        if self._built is None or len(self._since) > _MANY:
            built = PeopleIndex.build(names.entries(minors=minors))
            path = _keep(built, self._folder, "people", upto)
            self._built, self._since = (upto, PeopleIndex.load(path) if path else built), []
        self._upto = upto
        known = self._built[1]
        return known.joined(PeopleIndex.build(self._since)) if self._since else known

    def _written(self, fingerprints: Fingerprints, copied: SubjectKeys | None) -> Copies | None:
        if not fingerprints.count():
            return None
        if copied is not None and len(copied) <= _FEW:
            return Copies.build(fingerprints.about(copied))
        if self._copies is None or self._copies[0] != fingerprints.content:
            self._copies = fingerprints.content, _copies(fingerprints, self._folder)
        return self._copies[1]


def names_of_now(register: Register, minors: SubjectKeys, folder: Path) -> PeopleIndex | None:
    """The names of just those who are withheld now, not joined of several: what a version is published under."""
    upto = register.names.head(minors)
    if not upto:
        return None
    begin, kept = _newest(folder, "people")
    if kept is not None and begin == upto:
        return PeopleIndex.load(kept)
    built = PeopleIndex.build(register.names.entries(minors=minors))
    return PeopleIndex.load(path) if (path := _keep(built, folder, "people", upto)) else built


def _copies(fingerprints: Fingerprints, folder: Path) -> Copies:
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
