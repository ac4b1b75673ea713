"""The sidecar of a version (`versions/NAME.rows`): 16 bytes a row, so that a check can name what was changed.

Invariants: records are sorted by their bytes, a row's item key first; two sidecars are compared in pieces, so that
memory does not grow with the rows. A record is 8 bytes of the item key and 8 of the row's hash; the manifest holds
the whole file's SHA-256 and the full hashes' digest, so that the short ones need only tell rows apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.versions.digests import PREFIX_BYTES, RECORD_BYTES
from demur.versions.sorting import Records, as_strings

_PIECES: Final = 256  # by first byte

Prefixes = npt.NDArray[np.uint64]
"""The first 8 bytes of item keys, as big-endian numbers; shape (n,)."""


@dataclass(frozen=True)
class Difference:
    """How rows differ from those that were published, as item key prefixes, ascending."""

    changed: Prefixes
    added: Prefixes
    missing: Prefixes


def differences(actual: Path, published: Path) -> Iterator[Difference]:
    """How the rows of one sidecar differ from those of another, in pieces with rows of their own."""
    for ours, theirs in zip(_pieces(actual), _pieces(published), strict=True):
        records, numbers = np.unique(np.concatenate([as_strings(ours), as_strings(theirs)]), return_inverse=True)
        surplus = np.bincount(numbers[: len(ours)], minlength=len(records)) - np.bincount(
            numbers[len(ours) :], minlength=len(records)
        )
        extra, lost = _prefixes(records[surplus > 0]), _prefixes(records[surplus < 0])
        if len(extra) or len(lost):
            yield Difference(
                changed=np.intersect1d(extra, lost),
                added=np.setdiff1d(extra, lost),
                missing=np.setdiff1d(lost, extra),
            )


def prefixes(records: Records) -> Prefixes:
    """The item key prefixes of records, shape (n, 8 or more)."""
    heads = np.ascontiguousarray(records[:, :PREFIX_BYTES])
    return heads.view(">u8").reshape(len(records)).astype(np.uint64)


def _prefixes(records: npt.NDArray[np.bytes_]) -> Prefixes:
    return prefixes(records.view(np.uint8).reshape(-1, RECORD_BYTES))


def _pieces(path: Path) -> Iterator[Records]:
    """The records by their first byte."""
    if path.stat().st_size == 0:
        records: Records = np.zeros((0, RECORD_BYTES), dtype=np.uint8)
    else:
        records = np.memmap(path, dtype=np.uint8, mode="r").reshape(-1, RECORD_BYTES)
    ends = np.searchsorted(records[:, 0], np.arange(_PIECES + 1))
    for begin, end in pairwise(ends.tolist()):
        yield np.asarray(records[begin:end])
