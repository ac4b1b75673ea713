"""Sorting more fixed-size records than memory should hold: partitions on disk, one sorted at a time.

Invariants: memory does not grow with the records, as long as their first bytes are spread evenly (hashes are);
the order is that of the bytes; the files live in a folder that is its owner's to remove.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from demur.errors import CorpusError

Records = npt.NDArray[np.uint8]
"""Records of w bytes, shape (n, w)."""

PARTITIONS: Final = 64
_SHIFT: Final = 2  # from the first byte to its partition
_BUFFER: Final = 1 << 16  # bytes of a partition kept before they are written


class Sorter:
    """A bag of records of one size that can be read back in order."""

    def __init__(self, folder: Path, name: str, width: int) -> None:
        """Records of ``width`` bytes, kept in files ``name-*`` in ``folder``."""
        self._paths = [folder / f"{name}-{number:02d}" for number in range(PARTITIONS)]
        self._files: list[BinaryIO] = [path.open("wb", buffering=_BUFFER) for path in self._paths]
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
            for file, part in zip(self._files, np.split(records, ends[:-1]), strict=True):
                if len(part):
                    file.write(part.tobytes())

    def close(self) -> None:
        """Write out what is buffered; nothing can be added afterwards.

        Raises:
            CorpusError: when the disk is full.
        """
        with self._room(), ExitStack() as stack:  # which closes them all, whatever becomes of one
            for file in self._files:
                stack.callback(file.close)

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CorpusError(
                f"Rows can't be sorted in {self._paths[0].parent} ({error.strerror}): make room, or set TMPDIR."
            ) from None

    def sorted(self) -> Iterator[Records]:
        """The records in ascending order, a partition at a time; closes the bag."""
        self.close()
        for path in self._paths:
            records = np.fromfile(path, dtype=np.uint8).reshape(-1, self._width)
            yield records[np.argsort(as_strings(records))]


def as_strings(records: Records) -> npt.NDArray[np.bytes_]:
    """Each record as a byte string of its width, shape (n,).

    Strings of one width compare as their bytes do: the NULs that NumPy pads with are those of the record.
    """
    width = records.shape[1]
    return np.ascontiguousarray(records).view(f"S{width}").reshape(len(records))
