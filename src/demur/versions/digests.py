"""What binds a version's rows to its manifest: a hash of each row, digests over all of them, and the sidecar.

Invariants: a row's hash depends on its content alone, not on its place, its batch or its shard, so that a version and
its export have the same; all digests are over sorted hashes; memory does not grow with the rows.

A row is hashed as it is exported: SHA-256 over canonical JSON (RFC 8785) of its fields, with keys as lowercase
hexadecimal text, `created` as RFC 3339 in UTC with microseconds, and `rating` as the shortest decimal text that reads
back as the same double (Python's `repr`).

The sidecar (`versions/NAME.rows`) has 16 bytes a row, sorted by their bytes, so that a check can name what was
changed: 8 bytes of the item key and 8 of the row's hash. Two sidecars are compared in pieces. The manifest holds the
whole file's SHA-256 and the full hashes' digest, so that the short ones need only tell rows apart.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from demur.identity import SubjectKeys
from demur.suppression.signed import aside
from demur.transparency.tree import root_of
from demur.versions.export_form import EXPORTED, to_hex
from demur.versions.placing import Subjects
from demur.versions.sorting import Records, Sorter, as_strings

HASH_BYTES: Final = 32
PREFIX_BYTES: Final = 8
RECORD_BYTES: Final = 2 * PREFIX_BYTES
"""A row takes 16 bytes of the sidecar: 8 of its item key, 8 of its hash."""

UNKNOWN: Final = "unknown"
"""What a null is counted as."""

_COLUMNS: Final = sorted(EXPORTED.names)  # ASCII, so that this is the order of RFC 8785

_PIECES: Final = 256  # by first byte
Prefixes = npt.NDArray[np.uint64]
"""The first 8 bytes of item keys, as big-endian numbers; shape (n,)."""


def canonical_rows(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Canonical JSON (RFC 8785) of each row of ``batch``, schema ROW, nulls allowed anywhere."""
    exported = to_hex(batch)
    columns = [_values(exported.column(name)) for name in _COLUMNS]
    for row in zip(*columns, strict=True):
        yield orjson.dumps(dict(zip(_COLUMNS, row, strict=True)))


def row_hashes(batch: pa.RecordBatch) -> Records:
    """SHA-256 of each row of ``batch``, schema ROW; shape (n, 32)."""
    digests = b"".join(hashlib.sha256(row).digest() for row in canonical_rows(batch))
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, HASH_BYTES)


def _values(array: pa.Array) -> list[Any]:
    """The elements as JSON holds them; objects have their members in canonical order."""
    kind = array.type
    if pa.types.is_list(kind):
        return _lists(array)
    if pa.types.is_struct(kind):
        names = sorted(field.name for field in kind)
        parts = dict(zip((field.name for field in kind), map(_values, array.flatten()), strict=True))
        rows = zip(*(parts[name] for name in names), strict=True)
        valid = array.is_valid().to_pylist()
        return [dict(zip(names, row, strict=True)) if ok else None for row, ok in zip(rows, valid, strict=True)]
    if pa.types.is_timestamp(kind):
        times = np.datetime_as_string(array.to_numpy(zero_copy_only=False), unit="us", timezone="UTC")
        return _with_nulls(times.tolist(), array)
    if pa.types.is_floating(kind):
        return [None if value is None else repr(value) for value in array.to_pylist()]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts: list[Any] = array.to_numpy(zero_copy_only=False).tolist()
        return texts
    numbers: list[Any] = array.to_pylist()
    return numbers


def _lists(array: pa.Array) -> list[Any]:
    elements = _values(array.flatten())
    ends = np.cumsum(pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)).tolist()
    nothing: list[Any] = []  # most lists of a corpus are empty: one object for all saves a third of the time
    lists = [elements[begin:end] if begin < end else nothing for begin, end in pairwise([0, *ends])]
    return _with_nulls(lists, array)


def _with_nulls(values: list[Any], array: pa.Array) -> list[Any]:
    if array.null_count == 0:
        return values
    return [value if ok else None for value, ok in zip(values, array.is_valid().to_pylist(), strict=True)]


def concerned(batch: pa.RecordBatch) -> SubjectKeys:
    """Every subject key that a row's `author` or `subjects` names, sorted and once each."""
    keys = [batch.column("author").drop_null(), batch.column("subjects").flatten().drop_null()]
    return np.unique(np.concatenate([part.to_numpy(zero_copy_only=False) for part in keys]).astype(np.int64))


@dataclass(frozen=True)
class Digests:
    """What a manifest says of a version's rows. Digests are lowercase hexadecimal."""

    rows: int
    text_bytes: int
    """UTF-8 bytes of `text`."""
    kinds: dict[str, int]
    languages: dict[str, int]
    regions: dict[str, int]
    """By the row, else (from format 2 of the manifest on) by what the author's member profile said at publishing."""
    rows_digest: str
    """SHA-256 over the rows' hashes in ascending order, end to end."""
    sidecar_digest: str
    """SHA-256 of the sidecar."""
    subjects: int
    """People that the rows are by or about, counted by subject key."""
    subjects_root: str
    """Root of the tree of the subject keys (:mod:`demur.versions.subjects`).

    Without a salt (format 1): the Merkle root (RFC 9162) over the sorted SHA-256 of each key's 8 bytes, big-endian.
    """
    subjects_bits: int | None = None
    """Bits that number the tree's buckets."""
    subjects_salt: str | None = None
    """The version's own salt, 32 random bytes in hexadecimal; None for a manifest of format 1."""


class Digester:
    """Takes a version's rows once, in any order, and gives their digests; use as a context manager."""

    def __init__(self, folder: Path | None = None, *, salt: bytes | None = None) -> None:
        """Spools to a temporary folder within ``folder``, or where the system keeps such; 56 bytes a row and more.

        ``salt`` is the version's, for the tree of its subjects; None digests as a manifest of format 1 does.
        """
        self._salt = salt
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=".digest.")))
        self._records = self._sorter("records", RECORD_BYTES)
        self._hashes = self._sorter("hashes", HASH_BYTES)
        self._subjects = Subjects(self._folder)
        self._rows = self._text_bytes = 0
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("kind", "language", "region")}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, batch: pa.RecordBatch, regions: pa.Array | None = None) -> Records:
        """Count in the rows of ``batch``, schema ROW; their sidecar records, shape (n, 16), in their order.

        ``regions`` are counted instead of the rows' own, one a row, where more is known than the rows say.
        """
        hashes = row_hashes(batch)
        records = np.hstack([item_prefixes(batch), hashes[:, :PREFIX_BYTES]])
        self._records.add(records)
        self._hashes.add(hashes)
        self._subjects.add(concerned(batch))
        self._rows += batch.num_rows
        self._text_bytes += pc.sum(pc.binary_length(batch.column("text"))).as_py() or 0
        for name, counter in self._counts.items():
            column = regions if name == "region" and regions is not None else batch.column(name)
            for group in column.value_counts().to_pylist():
                counter[group["values"] or UNKNOWN] += group["counts"]
        return records

    def finish(self, sidecar: Path) -> Digests:
        """The digests; the sidecar's records, sorted, are written to ``sidecar``.

        Raises:
            CorpusError: when it can't be written.
        """
        with aside(sidecar) as path, path.open("wb") as file:
            sidecar_digest = _digest(self._records.sorted(), file.write)
        tree = self._sorted_root() if self._salt is None else self._tree(self._salt)
        return Digests(
            rows=self._rows,
            text_bytes=self._text_bytes,
            kinds=dict(sorted(self._counts["kind"].items())),
            languages=dict(sorted(self._counts["language"].items())),
            regions=dict(sorted(self._counts["region"].items())),
            rows_digest=_digest(self._hashes.sorted()),
            sidecar_digest=sidecar_digest,
            **tree,
        )

    def _sorter(self, name: str, width: int) -> Sorter:
        return Sorter(self._folder, name, width)

    def _tree(self, salt: bytes) -> dict[str, Any]:
        """The tree of the subjects."""
        tree = self._subjects.tree(salt)
        root, bits = tree.root.hex(), tree.bits
        return {"subjects": tree.subjects, "subjects_root": root, "subjects_bits": bits, "subjects_salt": salt.hex()}

    def _sorted_root(self) -> dict[str, Any]:
        """The root over sorted leaves, as in manifests of format 1: these are checked, and none is written any more."""
        leaves, count = self._sorter("leaves", HASH_BYTES), 0
        for keys in self._subjects.ascending():
            digests = b"".join(hashlib.sha256(key.tobytes()).digest() for key in keys)
            leaves.add(np.frombuffer(digests, dtype=np.uint8).reshape(-1, HASH_BYTES))
            count += len(keys)
        root = root_of(leaf.tobytes() for part in leaves.sorted() for leaf in part).hex()
        return {"subjects": count, "subjects_root": root}


def _digest(parts: Iterator[Records], also: Callable[[bytes], object] = lambda _: None) -> str:
    """SHA-256 of ``parts`` end to end; ``also`` gets them too."""
    digest = hashlib.sha256()
    for part in parts:
        packed = part.tobytes()
        digest.update(packed)
        also(packed)
    return digest.hexdigest()


def item_prefixes(batch: pa.RecordBatch) -> Records:
    """The first 8 bytes of each item key, shape (n, 8)."""
    heads = b"".join((item or b"")[:PREFIX_BYTES].ljust(PREFIX_BYTES, b"\0") for item in batch["item"].to_pylist())
    return np.frombuffer(heads, dtype=np.uint8).reshape(-1, PREFIX_BYTES)


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
