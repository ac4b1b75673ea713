"""What binds a version's rows to its manifest: a hash of each row, and digests over all of them.

Invariants: a row's hash depends on its content alone, not on its place, its batch or its shard, so that a version
and its export have the same; all digests are over sorted hashes; memory does not grow with the rows.

A row is hashed as it is exported: SHA-256 over canonical JSON (RFC 8785) of its fields, with keys as lowercase
hexadecimal text, `created` as RFC 3339 in UTC with microseconds, and `rating` as the shortest decimal text that
reads back as the same double (Python's `repr`).
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.hexform import EXPORTED, to_hex
from demur.corpus.sorting import Records, Sorter, as_strings
from demur.identity import SubjectKeys
from demur.suppression.signed import aside

HASH_BYTES: Final = 32
PREFIX_BYTES: Final = 8
RECORD_BYTES: Final = 2 * PREFIX_BYTES
"""A row takes 16 bytes of the sidecar: 8 of its item key, 8 of its hash."""

UNKNOWN: Final = "unknown"
"""What a null is counted as."""

_COLUMNS: Final = sorted(EXPORTED.names)  # ASCII, so that this is the order of RFC 8785


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


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The Merkle tree hash of ``leaves`` in their order (RFC 9162, section 2.1.1), in O(log n) memory."""
    peaks: list[tuple[int, bytes]] = []  # the perfect subtrees so far, larger first: (leaves, hash)
    for leaf in leaves:
        size, node = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while peaks and peaks[-1][0] == size:
            size, node = 2 * size, _parent(peaks.pop()[1], node)
        peaks.append((size, node))
    if not peaks:
        return hashlib.sha256().digest()
    root = peaks.pop()[1]
    while peaks:
        root = _parent(peaks.pop()[1], root)
    return root


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Digests:
    """What a manifest says of a version's rows. Digests are lowercase hexadecimal."""

    rows: int
    text_bytes: int
    """UTF-8 bytes of `text`."""
    kinds: dict[str, int]
    languages: dict[str, int]
    regions: dict[str, int]
    rows_digest: str
    """SHA-256 over the rows' hashes in ascending order, end to end."""
    sidecar_digest: str
    """SHA-256 of the sidecar."""
    subjects: int
    """People that the rows are by or about, counted by subject key."""
    subjects_root: str
    """Merkle root (RFC 9162) over the sorted SHA-256 of each subject key's 8 bytes, big-endian."""


class Digester:
    """Takes a version's rows once, in any order, and gives their digests; use as a context manager."""

    def __init__(self, folder: Path | None = None) -> None:
        """Spools to a temporary folder within ``folder``, or where the system keeps such; 56 bytes a row and more."""
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=".digest.")))
        self._records = self._sorter("records", RECORD_BYTES)
        self._hashes = self._sorter("hashes", HASH_BYTES)
        self._subjects = self._sorter("subjects", PREFIX_BYTES)
        self._rows = self._text_bytes = 0
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("kind", "language", "region")}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, batch: pa.RecordBatch) -> Records:
        """Count in the rows of ``batch``, schema ROW; their sidecar records, shape (n, 16), in their order."""
        hashes = row_hashes(batch)
        records = np.hstack([item_prefixes(batch), hashes[:, :PREFIX_BYTES]])
        self._records.add(records)
        self._hashes.add(hashes)
        self._subjects.add(_big_endian(concerned(batch)))
        self._rows += batch.num_rows
        self._text_bytes += pc.sum(pc.binary_length(batch.column("text"))).as_py() or 0
        for name, counter in self._counts.items():
            for group in batch.column(name).value_counts().to_pylist():
                counter[group["values"] or UNKNOWN] += group["counts"]
        return records

    def finish(self, sidecar: Path) -> Digests:
        """The digests; the sidecar's records, sorted, are written to ``sidecar``.

        Raises:
            CorpusError: when it can't be written.
        """
        with aside(sidecar) as path, path.open("wb") as file:
            sidecar_digest = _digest(self._records.sorted(), file.write)
        subjects, root = self._subjects_tree()
        return Digests(
            rows=self._rows,
            text_bytes=self._text_bytes,
            kinds=dict(sorted(self._counts["kind"].items())),
            languages=dict(sorted(self._counts["language"].items())),
            regions=dict(sorted(self._counts["region"].items())),
            rows_digest=_digest(self._hashes.sorted()),
            sidecar_digest=sidecar_digest,
            subjects=subjects,
            subjects_root=root,
        )

    def _sorter(self, name: str, width: int) -> Sorter:
        bag = Sorter(self._folder, name, width)
        self._stack.callback(bag.close)
        return bag

    def _subjects_tree(self) -> tuple[int, str]:
        """How many subject keys there are, and the Merkle root over their sorted hashes."""
        leaves, count = self._sorter("leaves", HASH_BYTES), 0
        for keys in self._subjects.sorted():
            once = np.unique(as_strings(keys))
            digests = b"".join(
                hashlib.sha256(key.tobytes()).digest() for key in once.view(np.uint8).reshape(-1, PREFIX_BYTES)
            )
            leaves.add(np.frombuffer(digests, dtype=np.uint8).reshape(-1, HASH_BYTES))
            count += len(once)
        return count, merkle_root(leaf.tobytes() for part in leaves.sorted() for leaf in part).hex()


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


def _big_endian(keys: SubjectKeys) -> Records:
    return keys.astype(">i8").view(np.uint8).reshape(-1, PREFIX_BYTES)
