"""Postings: which rows of a large fragment hold a word or a gram, so that a look-up reads what it finds, and no column.

Invariants: postings are a function of one fragment's data files, which never change, so that they stay true whatever is
deleted of it; rows that are deleted are among those they tell. A key that stands in many rows has none, and is named:
whoever looks for it reads the column. They are a cache: they can be thrown away at any time, and those of files that
are gone are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from demur.people.indexed.stored import read_arrays, write_arrays
from demur.words.columns import BITS, in_rows

if TYPE_CHECKING:
    from lance.fragment import LanceFragment

COLUMNS: Final = ("words", "grams")
"""The columns of lists that have postings."""
LEAST_ROWS: Final = 16_384
"""Rows of a fragment, deleted ones included, from which on it has postings; a smaller one is read as fast."""
ENDING: Final = ".postings"

_FORM: Final = "demur-postings 1"
_COMMON: Final = 1_024
"""A key that stands in more than one in so many rows is common: reading these takes as long as reading the column."""
_IN_A_BUCKET: Final = 4
"""Bits of how many values share an entry of the directory."""
_DIRECTORY_BITS: Final = (8, 20)
_READ_AHEAD: Final = 8 << 20
"""Bytes; Lance by itself reads ahead far more, and whoever imports has no room for it."""
_MANY: Final = 16
"""For more than one key in so many rows, to read the column takes less than to look them up one by one."""

Values = tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]
"""Keys, as words.columns.shortened, and the row of each by its place in the fragment; shape (n,) both."""

_Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Postings:
    """Of one column of one fragment: every key that is not common, with its rows."""

    directory: npt.NDArray[np.uint32]
    """Where the values whose keys begin with given bits begin, shape (2^bits + 1,)."""
    low: _Integers
    """The other bits of each value's key, shape (n,); ascending by key, and by row."""
    row: npt.NDArray[np.uint32]
    """The row of each value, by its place in the fragment, shape (n,)."""
    common: npt.NDArray[np.uint32]
    """The keys that have no postings, ascending."""

    @classmethod
    def build(cls, values: Callable[[], Iterable[Values]], rows: int) -> Self:
        """Those of a column's values.

        Args:
            values: gives them, some at a time, each pair of key and row once; asked three times, so that never all of
                them are in memory.
            rows: how many the fragment has.
        """
        common, others = _common(values, max(rows // _COMMON, 1))
        both = _joined(values(), common, others)
        both.sort()
        row = both.astype(np.uint32)
        both >>= np.uint64(32)
        key = both.astype(np.uint32)
        del both
        least, most = _DIRECTORY_BITS
        bits = min(max(len(key).bit_length() - _IN_A_BUCKET, least), most)
        left = BITS - bits
        begins = np.searchsorted(key, np.arange(2**bits, dtype=np.uint32) << np.uint32(left))
        directory = np.append(begins, len(key)).astype(np.uint32)
        low = key & np.uint32(2**left - 1)
        small = low.astype(np.uint8) if left <= np.iinfo(np.uint8).bits else low
        return cls(directory, small, row, common)

    def rows(self, keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32] | None:
        """The rows that hold one of some keys, ascending and each once; None where that takes to read the column.

        Args:
            keys: shortened (words.columns.shortened), ascending, shape (n,).
        """
        if len(keys) * _MANY > len(self.row) or np.isin(keys, self.common, assume_unique=True).any():
            return None
        left = np.uint32(BITS - (len(self.directory) - 1).bit_length() + 1)
        bucket = keys >> left
        begin, end = self.directory[bucket].astype(np.int64), self.directory[bucket + 1].astype(np.int64)
        which = np.repeat(np.arange(len(keys)), end - begin)
        at = np.arange(len(which)) + np.repeat(begin - np.concatenate([[0], np.cumsum(end - begin)[:-1]]), end - begin)
        wanted = keys & np.uint32((1 << int(left)) - 1)
        found: npt.NDArray[np.uint32] = np.unique(self.row[at[self.low[at] == wanted[which]]])
        return found


def _common(values: Callable[[], Iterable[Values]], most: int) -> tuple[npt.NDArray[np.uint32], int]:
    """The keys that stand there more than ``most`` times, ascending, and how many values are of other keys.

    Only those are counted one by one whose lower bits stand there as often.
    """
    often = np.zeros(2**16, np.int64)
    for key, _ in values():
        often += np.bincount(key.astype(np.uint16), minlength=2**16)
    numbers = np.flatnonzero(often > most).astype(np.uint32)
    rank, upper = np.zeros(2**16, np.uint32), np.uint32(BITS - 16)
    rank[numbers] = np.arange(len(numbers), dtype=np.uint32) << upper
    counts = np.zeros(len(numbers) << int(upper), np.int32)
    for key, _ in values():
        among = key[often[key.astype(np.uint16)] > most]
        code, times = np.unique(rank[among.astype(np.uint16)] | among >> np.uint32(16), return_counts=True)
        counts[code] += times.astype(np.int32)
    codes = np.flatnonzero(counts > most).astype(np.uint32)
    found = np.sort((codes & np.uint32(2**upper - 1)) << np.uint32(16) | numbers[codes >> upper])
    return found, int(often.sum() - counts[codes].sum())


def _joined(values: Iterable[Values], common: npt.NDArray[np.uint32], others: int) -> npt.NDArray[np.uint64]:
    """Each value that is not common as one number, the key above the row; there are so many others."""
    gate = np.zeros(2**16, bool)
    gate[common.astype(np.uint16)] = True
    found, at = np.empty(others, np.uint64), 0
    for key, row in values:
        kept = ~gate[key.astype(np.uint16)]
        doubtful = np.flatnonzero(~kept)
        place = np.searchsorted(common, key[doubtful])
        kept[doubtful] = common.take(place, mode="clip") != key[doubtful] if len(common) else True
        some = key[kept].astype(np.uint64) << np.uint64(32) | row[kept]
        found[at : at + len(some)] = some
        at += len(some)
    return found


_NAMES: Final = tuple(each.name for each in fields(Postings))


def name_of(fragment: "LanceFragment") -> str:
    """The name of the file of a fragment's postings: that of its data files, which is random."""
    return "+".join(Path(file.path).stem for file in fragment.data_files()) + ENDING


def data_files_of(name: str) -> list[str]:
    """The stems of the data files of such a name."""
    return name.removesuffix(ENDING).split("+")


def write(fragment: "LanceFragment", path: Path) -> None:
    """Writes the postings of a fragment."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for column in COLUMNS:
        built = Postings.build(partial(_values, fragment, column), fragment.physical_rows)
        arrays |= {f"{column}.{name}": getattr(built, name) for name in _NAMES}
    write_arrays(path, _FORM, arrays)


def read(path: Path) -> Mapping[str, Postings]:
    """The postings that a file holds, by column, mapped into memory.

    Raises:
        OSError, RegisterError: when it is not there, or damaged.
        KeyError: when it is of other columns.
    """
    arrays = read_arrays(path, _FORM)
    return {column: Postings(*(arrays[f"{column}.{name}"] for name in _NAMES)) for column in COLUMNS}


def _values(fragment: "LanceFragment", column: str) -> Iterator[Values]:
    """The key and the row of each value of a column of lists."""
    scanner = fragment.scanner(columns=[column], with_row_address=True, io_buffer_size=_READ_AHEAD)
    for batch in scanner.to_batches():
        row, key = in_rows(batch.column(column))
        yield key.astype(np.uint32), batch.column("_rowaddr").to_numpy().astype(np.uint32)[row]
