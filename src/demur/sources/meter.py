"""How far sources have read what they were given, and what they passed over, for whoever watches an import.

Invariants: nothing depends on it; what is told names files, columns and labels, never what stands in them; it costs
an addition for a block of a file, never one for a row of a table; a source that does not say how much there is to
read, as a database or a plugin, leaves the total unknown.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

_MOST_TOLD: Final = 20


@dataclass
class Meter:
    """What is to be read, and what was read of it, in bytes; and sentences about it."""

    total: int | None = 0
    """None where nobody knows it."""
    read: float = 0.0
    scale: float = 1.0
    """What a byte that is read counts: see :func:`weigh`."""
    pictures: bool = False
    """Whether the pictures of what is read are read afterwards."""
    told: list[str] = field(default_factory=list)
    """What whoever imports should know of how it was read, once each: see :func:`tell`."""

    @property
    def share(self) -> float | None:
        """How much of it was read, from 0 to 1; None where nobody knows."""
        return min(1.0, self.read / self.total) if self.total else None


_watched: list[Meter] = []
"""The meter of the import that is watched, if one is: an import has its process to itself."""


@contextmanager
def watching(*, pictures: bool = False) -> Iterator[Meter]:
    """A meter that counts what sources read while the block runs; ``pictures`` says whether these are read, too."""
    meter = Meter(pictures=pictures)
    _watched[:] = [meter]
    try:
        yield meter
    finally:
        _watched.clear()


def expect(sizes: Iterable[int | None]) -> None:
    """Say what is to be read, before it is: the bytes of each file, None for what nobody knows.

    The sizes are asked for only where somebody watches.
    """
    for meter in _watched:
        for size in sizes:
            meter.total = None if size is None or meter.total is None else meter.total + size


def tell(sentence: str) -> None:
    """Say how something was taken, or that it was passed over; a sentence counts once, and so many are kept."""
    for meter in _watched:
        if sentence not in meter.told and len(meter.told) < _MOST_TOLD:
            meter.told.append(sentence)


def pictures_follow() -> bool:
    """Whether the import that is watched reads pictures after the items."""
    return any(meter.pictures for meter in _watched)


def weigh(expected: int, size: int) -> None:
    """Say that what was expected as so many bytes, and comes now, has another size."""
    for meter in _watched:
        meter.scale = expected / size if size else 1.0


def count(size: float) -> None:
    """Say that so many bytes were read."""
    for meter in _watched:
        meter.read += size * meter.scale


class Passage:
    """Bytes of a table's file, counted as the rows that were in them are passed on."""

    def __init__(self, tell: Callable[[], int]) -> None:
        """Count what ``tell`` says of how far the file was read."""
        self._tell = tell
        self._at = 0
        self._each = 0.0

    def blocks(self, blocks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass on what was read at a time."""
        for block in blocks:
            now = self._tell()
            self._each, self._at = (now - self._at) / max(1, block.num_rows), now
            yield block

    def rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass on the parts of those blocks, and count their bytes."""
        for batch in batches:
            yield batch
            count(self._each * batch.num_rows)
