"""What an import read, on disk: a key and an outcome for each reading, in order.

Invariants: memory does not grow with the import (keys are compared partition by partition); of several readings of
one item the last one counts and the others are *superseded*; nothing but keys and outcomes is written, never a text.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from demur.kernel import schema
from demur.kernel.door import KEPT, REASONS, Codes
from demur.kernel.govern import LEFT_OUT
from demur.kernel.rules import Bools
from demur.suppression.keyset import KeySet
from demur.terms import Reason

READING: Final = np.dtype([("high", ">u8"), ("low", ">u8"), ("code", "i1")])
_PARTITION_ROWS: Final = 2_000_000
_CHUNK_ROWS: Final = 500_000
_SUPERSEDED: Final = REASONS.index(Reason.SUPERSEDED)

Positions = npt.NDArray[np.int64]
Keys = npt.NDArray[np.void]


class Spool:
    """A file of readings; ``path`` must not exist, and is the caller's to remove."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("x+b")
        self.rows = 0

    def add(self, items: pa.Array, codes: Codes) -> None:
        """Readings of one batch: item keys (schema.KEY) and outcome codes (door.KEPT or a reason's)."""
        readings = np.zeros(len(codes), READING)
        halves = keys_of(items)
        readings["high"], readings["low"] = halves[:, 0], halves[:, 1]
        readings["code"] = codes
        self._file.write(readings.tobytes())
        self.rows += len(codes)

    def chunks(self) -> Iterator[tuple[int, Keys]]:
        """The readings from the first, with the position at which each chunk begins."""
        self._file.flush()
        for start in range(0, self.rows, _CHUNK_ROWS):
            self._file.seek(start * READING.itemsize)
            data = self._file.read(min(_CHUNK_ROWS, self.rows - start) * READING.itemsize)
            yield start, np.frombuffer(data, READING)

    def partitions(self) -> Iterator[tuple[Positions, Keys]]:
        """The readings by the top bits of their keys, with their positions; each partition fits in memory."""
        count = max(1, -(-self.rows // _PARTITION_ROWS))
        for number in range(count):
            found = [
                (start + np.flatnonzero(where), chunk[where])
                for start, chunk in self.chunks()
                for where in (_partition(chunk, count) == number,)
            ]
            if found:
                yield np.concatenate([at for at, _ in found]), np.concatenate([keys for _, keys in found])

    def superseded(self) -> Positions:
        """The positions of readings that a later reading of the same item replaces, ascending."""
        found = [positions[_earlier(keys)] for positions, keys in self.partitions()]
        return np.sort(np.concatenate([np.zeros(0, np.int64), *found]))

    def supersede(self, positions: Positions) -> Positions:
        """Gives these readings the reason *superseded*; returns the ranks, among kept readings, of those kept."""
        ranks, kept_before = [], 0
        for start, chunk in self.chunks():
            here = positions[(positions >= start) & (positions < start + len(chunk))] - start
            kept = chunk["code"] == KEPT
            rank = kept_before + np.cumsum(kept) - 1
            ranks.append(rank[here][kept[here]])
            kept_before += int(kept.sum())
            if len(here):
                changed = chunk.copy()
                changed["code"][here] = _SUPERSEDED
                self._write(start, changed)
        return np.concatenate([np.zeros(0, np.int64), *ranks]).astype(np.int64)

    def resolve(self, positions: Positions, codes: Codes) -> None:
        """Gives readings that waited (door.WAITS) their outcomes; positions ascending, shape (n,) both.

        What lies between the first and the last of them is read and written, and nothing else.
        """
        if not len(positions):
            return
        first, last = int(positions[0]), int(positions[-1])
        self._file.seek(first * READING.itemsize)
        changed = np.frombuffer(self._file.read((last + 1 - first) * READING.itemsize), READING).copy()
        changed["code"][positions - first] = codes
        self._write(first, changed)

    def codes(self, positions: Positions) -> Codes:
        """The outcomes of some readings, positions ascending; shape (n,). What lies between the two ends is read."""
        if not len(positions):
            return np.zeros(0, np.int8)
        first, last = int(positions[0]), int(positions[-1])
        self._file.seek(first * READING.itemsize)
        read = np.frombuffer(self._file.read((last + 1 - first) * READING.itemsize), READING)
        return np.asarray(read["code"][positions - first], np.int8)

    def outcomes(self) -> npt.NDArray[np.int64]:
        """How many readings have each code: shape (reasons + 1,), the kept ones last."""
        counts = np.zeros(len(REASONS) + 1, np.int64)
        for _, chunk in self.chunks():
            counts += np.bincount(chunk["code"] % (len(REASONS) + 1), minlength=len(counts))
        return counts

    def left_out(self) -> Iterator[pa.RecordBatch]:
        """Item key and reason of every left-out reading, in the order of reading; batches of govern.LEFT_OUT."""
        names = pa.array([str(reason) for reason in REASONS])
        for _, chunk in self.chunks():
            left = chunk[chunk["code"] != KEPT]
            reasons = names.take(pa.array(np.ascontiguousarray(left["code"])))
            yield pa.RecordBatch.from_arrays([_as_items(left), reasons], schema=LEFT_OUT)

    def _write(self, start: int, readings: Keys) -> None:
        self._file.seek(start * READING.itemsize)
        self._file.write(readings.tobytes())

    def write_ledger(self, path: Path) -> None:
        """Writes item key and reason of every left-out reading as Parquet."""
        with pq.ParquetWriter(path, LEFT_OUT, compression="zstd") as writer:
            for batch in self.left_out():
                writer.write_batch(batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class ReadItems:
    """The item keys of some readings, for exact look-up."""

    def __init__(self, readings: Keys) -> None:
        """Take readings, of whatever outcome."""
        order = np.argsort(readings["high"], kind="stable")
        self._high = readings["high"][order].astype(np.uint64)
        self._low = readings["low"][order].astype(np.uint64)
        self._likely = KeySet((self._high >> np.uint64(1)).astype(np.int64))

    def holds(self, short: npt.NDArray[np.int64]) -> Bools:
        """Which items were read, by the first 8 bytes of their keys (words.page.short_keys); shape (n,)."""
        return self._likely.contains(short)

    def contains(self, items: pa.Array) -> Bools:
        """Which items of a schema.KEY column were read; shape (n,)."""
        halves = keys_of(items).astype(np.uint64)
        found = np.zeros(len(items), bool)
        at = np.flatnonzero(self._likely.contains((halves[:, 0] >> np.uint64(1)).astype(np.int64)))
        place = np.searchsorted(self._high, halves[at, 0])
        while len(at):
            # Equal first halves stand side by side; a different item among them is met about never.
            same = np.flatnonzero((place < len(self._high)) & (self._high.take(place, mode="clip") == halves[at, 0]))
            at, place = at[same], place[same]
            exact = self._low[place] == halves[at, 1]
            found[at[exact]] = True
            at, place = at[~exact], place[~exact] + 1
        return found


def keys_of(items: pa.Array) -> npt.NDArray[np.uint64]:
    """The two halves of 16-byte keys, shape (n, 2), comparable as numbers."""
    data = np.frombuffer(items.buffers()[1], ">u8").reshape(-1, 2)
    return data[items.offset : items.offset + len(items)]


def _as_items(readings: Keys) -> pa.Array:
    halves = np.stack([readings["high"], readings["low"]], axis=1).astype(">u8")  # stacking made them native
    return pa.FixedSizeBinaryArray.from_buffers(schema.KEY, len(readings), [None, pa.py_buffer(halves.tobytes())])


def _partition(chunk: Keys, count: int) -> npt.NDArray[np.int64]:
    return ((chunk["high"] >> np.uint64(32)).astype(np.int64) * count) >> 32


def _earlier(keys: Keys) -> Bools:
    """Which keys, shape (n,), occur again at a higher index."""
    again = np.zeros(len(keys), bool)
    ordered = np.sort(keys["high"].astype(np.uint64))
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return again  # the common case: half a key tells items apart
    at = np.flatnonzero(np.isin(keys["high"], twice))
    likely = keys[at]
    order = np.lexsort((likely["low"], likely["high"]))  # stable: equal keys stay in the order of reading
    high, low = likely["high"][order], likely["low"][order]
    again[at[order[:-1][(high[1:] == high[:-1]) & (low[1:] == low[:-1])]]] = True
    return again
