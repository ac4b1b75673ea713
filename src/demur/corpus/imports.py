"""What imports read, kept and left out, as the register tells it.

Invariants: the entries of finished imports are all that is asked, so that neither the corpus nor what governs it is
loaded; an item that several imports read is counted in each of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from demur.corpus.session import Session
from demur.register import JSON
from demur.terms import EntryKind, PictureReason, Reason

CELLS: Final = "cells"
"""What the payload of `import.finished` calls the counts by kind, language, region and year; older ones have none."""

PICTURES: Final = "pictures"
"""What the payload of `import.finished` calls the counts of pictures; an import that brings none has no such key."""

T = TypeVar("T", bound=str)


@dataclass(frozen=True)
class Counts:
    """What one import, or all of them, did; read = kept + left out."""

    read: int
    kept: int
    replaced: int
    """Rows of earlier imports."""
    kinds: dict[str, int]
    """Items read by kind, "" where the source did not say."""
    left_out: dict[Reason, int]
    """In the order of terms.Reason."""


@dataclass(frozen=True)
class OfPictures:
    """What one import did with pictures; named = kept + left out. They are no items, and are counted apart."""

    named: int
    kept: int
    left_out: dict[PictureReason, int]
    """In the order of terms.PictureReason."""


@dataclass(frozen=True)
class LastImport:
    """The last import from a source."""

    number: int
    source: str
    finished: datetime
    counts: Counts
    pictures: OfPictures | None
    """None where the policy let none in."""


def last_imports(session: Session) -> list[LastImport]:
    """The last import from each source, oldest first."""
    found: dict[str, LastImport] = {}
    for entry in session.register.log.entries(EntryKind.IMPORT_FINISHED):
        source, number = str(entry.payload["source"]), int(str(entry.payload["number"]))
        found.pop(source, None)
        found[source] = LastImport(number, source, entry.time, _counts(entry.payload), _pictures(entry.payload))
    return list(found.values())


def totals(session: Session) -> Counts:
    """All imports together."""
    every = [_counts(entry.payload) for entry in session.register.log.entries(EntryKind.IMPORT_FINISHED)]
    return Counts(
        read=sum(each.read for each in every),
        kept=sum(each.kept for each in every),
        replaced=sum(each.replaced for each in every),
        kinds=dict(sorted(_sum(each.kinds for each in every).items())),
        left_out=in_order(_sum(each.left_out for each in every)),
    )


@dataclass(frozen=True)
class Cells:
    """What imports read and kept, by one cell at a time."""

    imports: int
    """How many they are of."""
    lacking: int
    """Imports of an older demur, which counted none; they are not among these."""
    read: Mapping[str, Mapping[str, int]]
    """By cell and value: items that were there to be read, "" for what is unknown."""
    kept: Mapping[str, Mapping[str, int]]


def cells(session: Session, seq: int) -> Cells:
    """All imports up to an entry of the register together."""
    found = [entry for entry in session.register.log.entries(EntryKind.IMPORT_FINISHED) if entry.seq <= seq]
    told = [counts for entry in found if isinstance(counts := entry.payload.get(CELLS), Mapping)]
    read: dict[str, Counter[str]] = {}
    kept: dict[str, Counter[str]] = {}
    for cell, value, there, stayed in (each for counts in told for each in _cells(counts)):
        read.setdefault(cell, Counter())[value] += there
        kept.setdefault(cell, Counter())[value] += stayed
    return Cells(len(told), len(found) - len(told), read, kept)


def _cells(counts: Mapping[str, JSON]) -> Iterator[tuple[str, str, int, int]]:
    for cell, by_value in counts.items():
        assert isinstance(by_value, Mapping)
        for value, both in by_value.items():
            assert isinstance(both, list)
            yield cell, value, int(str(both[0])), int(str(both[1]))


def _counts(payload: Mapping[str, JSON]) -> Counts:
    left_out = {Reason(reason): count for reason, count in _numbers(payload["left_out"])}
    numbers = {name: int(str(payload[name])) for name in ("read", "kept", "replaced")}
    return Counts(**numbers, kinds=dict(_numbers(payload["kinds"])), left_out=in_order(left_out))


def _pictures(payload: Mapping[str, JSON]) -> OfPictures | None:
    told = payload.get(PICTURES)
    if told is None:
        return None
    assert isinstance(told, Mapping)
    left_out = dict(_numbers(told["left_out"]))
    in_turn = {reason: left_out[reason] for reason in PictureReason if left_out.get(reason)}
    return OfPictures(int(str(told["named"])), int(str(told["kept"])), in_turn)


def _numbers(value: JSON) -> Iterator[tuple[str, int]]:
    assert isinstance(value, Mapping)
    return ((name, int(str(count))) for name, count in value.items())


def _sum(counts: Iterable[Mapping[T, int]]) -> Counter[T]:
    total: Counter[T] = Counter()
    for each in counts:
        total.update(each)
    return total


def in_order(counts: Mapping[Reason, int]) -> dict[Reason, int]:
    """Counts by reason in the order of terms.Reason, without those that are 0."""
    return {reason: counts[reason] for reason in Reason if counts.get(reason)}
