"""Sorting more fixed-size records than memory should hold: partitions on disk, one sorted at a time.

Invariants: memory does not grow with the records, as long as their first bytes are spread evenly (hashes are);
the order is that of the bytes; the files live in a folder that is its owner's to remove.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.errors import CorpusError

Records = npt.NDArray[np.uint8]
"""Records of w bytes, shape (n, w)."""

PARTITIONS: Final = 64
_SHIFT: Final = 2  # from the first byte to its partition
_KEPT: Final = 1 << 16  # bytes of a partition kept before they are written


class Sorter:
    """A bag of records of one size that can be read back in order; what is little never leaves memory."""

    def __init__(self, folder: Path, name: str, width: int) -> None:
        """Records of ``width`` bytes, kept in files ``name-*`` in ``folder`` once they are many."""
        self._paths = [folder / f"{name}-{number:02d}" for number in range(PARTITIONS)]
        self._kept = [bytearray() for _ in range(PARTITIONS)]
        self._width = width

    def add(self, records: Records) -> None:
        """Put ``records``, shape (n, width), into the bag.

        Raises:
            CorpusError: when the disk is full.
        """
        numbers = records[:, 0] >> _SHIFT
        records = records[np.argsort(numbers, kind="stable")]
        ends = np.cumsum(np.bincount(numbers, minlength=PARTITIONS))
        with self._room():
            for path, kept, part in zip(self._paths, self._kept, np.split(records, ends[:-1]), strict=True):
                kept.extend(part.tobytes())
                if len(kept) > _KEPT:
                    _append(path, kept)

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CorpusError(
                f"Rows can't be sorted in {self._paths[0].parent} ({error.strerror}): make room, or set TMPDIR."
            ) from None

    def sorted(self) -> Iterator[Records]:
        """The records in ascending order, a partition at a time.

        Raises:
            CorpusError: when the disk is full.
        """
        for path, kept in zip(self._paths, self._kept, strict=True):
            if path.exists():
                with self._room():
                    _append(path, kept)
                data = np.fromfile(path, dtype=np.uint8)
            else:
                data = np.frombuffer(bytes(kept), dtype=np.uint8)
            records = data.reshape(-1, self._width)
            yield records[np.argsort(as_strings(records))]


def _append(path: Path, kept: bytearray) -> None:
    """Move what is kept in memory to the end of a file."""
    with path.open("ab") as file:
        file.write(kept)
    kept.clear()


def as_strings(records: Records) -> npt.NDArray[np.bytes_]:
    """Each record as a byte string of its width, shape (n,).

    Strings of one width compare as their bytes do: the NULs that NumPy pads with are those of the record.
    """
    width = records.shape[1]
    return np.ascontiguousarray(records).view(f"S{width}").reshape(len(records))
