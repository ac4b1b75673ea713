"""A version as files that trainers read: sharded Parquet, a data card, Croissant metadata and the manifest.

A signed list (:mod:`demur.versions.filelist`) names every one of these files and the columns of the shards.

Invariants: an export appears whole or not at all (it is written aside and renamed); nothing that stands at its
place is overwritten; memory does not grow with the rows; keys are lowercase hexadecimal text.
"""

import hashlib
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from demur.errors import CheckFailed, CorpusError, UsageError
from demur.files import make_folder, sync, tighten
from demur.identity import Keys
from demur.store import Place
from demur.suppression.keyset import KeySet
from demur.suppression.signed import file_digest
from demur.versions.card import card
from demur.versions.croissant import Shard, croissant
from demur.versions.export_form import EXPORTED, to_hex
from demur.versions.filelist import LIST, FileFacts, FileList
from demur.versions.manifest import Manifest
from demur.versions.traces import count_traced

DATA: Final = "data"
MANIFEST: Final = "manifest.json"
CARD: Final = "README.md"
CROISSANT: Final = "croissant.json"

SHARD_ROWS: Final = 1_000_000
SHARD_BYTES: Final = 256 << 20  # of Arrow data, so that a shard takes about 100 MB on disk
_GROUP_BYTES: Final = 32 << 20  # of Arrow data in a row group


@dataclass(frozen=True)
class ExportReport:
    """What was written, and where."""

    path: Place
    shards: tuple[Shard, ...]
    files: str = ""
    """SHA-256 of the signed list of its files."""

    @property
    def rows(self) -> int:
        """Rows in all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def size(self) -> int:
        """Bytes of all shards."""
        return sum(shard.size for shard in self.shards)


def export_rows(  # noqa: PLR0913  # what is written, where, signed by whom, and in which sizes
    batches: Iterable[pa.RecordBatch],
    manifest: Manifest,
    manifest_bytes: bytes,
    to: Path,
    keys: Keys,
    *,
    withheld: KeySet | None = None,
    shard_rows: int = SHARD_ROWS,
    shard_bytes: int = SHARD_BYTES,
) -> ExportReport:
    """Write a version's rows, schema ROW, and what describes them to the new folder ``to``.

    Args:
        batches: the rows, read once.
        manifest: the version's manifest, for the card and the metadata.
        manifest_bytes: its file, copied as it is.
        to: a folder that does not exist, or is empty.
        keys: sign the list of its files.
        withheld: people whom no row may be by or about.
        shard_rows: rows after which a shard is closed.
        shard_bytes: bytes of Arrow data after which a shard is closed.

    Raises:
        UsageError: when ``to`` is taken.
        CheckFailed: when rows are by or about people in ``withheld``.
        CorpusError: when the disk is full or the folder can't be written, or the rows are not those of the manifest.
    """
    to = to.resolve()
    with _aside(to) as folder:
        make_folder(folder / DATA)
        rows = _exported(_watched(batches, manifest.name, withheld), manifest.name)
        shards = tuple(_write_shards(rows, folder, shard_rows, shard_bytes))
        report = ExportReport(to, shards)
        if report.rows != manifest.content.rows:
            raise CorpusError(
                f"Version {manifest.name} gave {report.rows} rows, its manifest says {manifest.content.rows}:"
                " run demur verify on it."
            )
        metadata = orjson.dumps(croissant(manifest, shards), option=orjson.OPT_INDENT_2)
        for name, data in {MANIFEST: manifest_bytes, CARD: card(manifest).encode(), CROISSANT: metadata}.items():
            (folder / name).write_bytes(data)
        files = [FileFacts.of(folder, path) for path in (MANIFEST, CARD, CROISSANT)]
        files += [FileFacts(shard.path, shard.size, shard.sha256) for shard in shards]
        listed = FileList.of(manifest.name, hashlib.sha256(manifest_bytes).hexdigest(), files).sign(keys)
        (folder / LIST).write_bytes(listed)
        _sync(folder)
    return replace(report, files=hashlib.sha256(listed).hexdigest())


def _watched(batches: Iterable[pa.RecordBatch], name: str, withheld: KeySet | None) -> Iterator[pa.RecordBatch]:
    """Pass batches on; after the last one, an error if rows were by or about people in ``withheld``."""
    found = 0
    for batch in batches:
        found += count_traced(batch, withheld) if withheld is not None else 0
        yield batch
    if found:
        raise CheckFailed(
            f"Version {name} was not exported: {found} of its rows are by or about people who may not be in it; "
            "run demur verify on it, publish a new version and export that."
        )


@contextmanager
def _aside(to: Path) -> Iterator[Path]:
    """A new folder beside ``to`` that takes its name at the end, or vanishes with what went wrong."""
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise UsageError(f"{to} is not empty: name a new folder for the export, or empty this one.")
    folder = to.with_name(f"{to.name}.partial-{secrets.token_hex(4)}")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(to)
        make_folder(folder)
        yield folder
        tighten(folder.rglob("*"))
        folder.replace(to)
        sync(to.parent)
    except OSError as error:
        raise CorpusError(
            f"The export {to} can't be written ({error.strerror or error}): make room or choose another folder."
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(to: Path) -> None:
    """What a killed export to the same place left behind."""
    for folder in to.parent.glob(f"{to.name}.partial-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _write_shards(
    batches: Iterable[pa.RecordBatch], folder: Path, shard_rows: int, shard_bytes: int
) -> Iterator[Shard]:
    """Write the shards; they take their names when it is known how many there are."""
    written: list[_OpenShard] = []
    with ExitStack() as stack:
        for group in _groups(batches, min(_GROUP_BYTES, shard_bytes), shard_rows):
            if not written or not written[-1].takes(group, shard_rows, shard_bytes):
                stack.close()
                written.append(stack.enter_context(_OpenShard(folder / DATA / f"{len(written):05d}")))
            written[-1].write(group)
    for number, shard in enumerate(written):
        name = f"train-{number:05d}-of-{len(written):05d}.parquet"
        path = shard.path.rename(shard.path.with_name(name))
        yield Shard(f"{DATA}/{name}", shard.rows, path.stat().st_size, file_digest(path))


class _OpenShard(AbstractContextManager["_OpenShard"]):
    """A Parquet file that is being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = self._bytes = 0
        self._writer = pq.ParquetWriter(path, EXPORTED, compression="zstd")

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def takes(self, group: pa.Table, rows: int, size: int) -> bool:
        """Whether ``group`` still belongs into this shard."""
        return self.rows + len(group) <= rows and self._bytes < size

    def write(self, group: pa.Table) -> None:
        """Append ``group`` as one row group."""
        self._writer.write_table(group, row_group_size=max(len(group), 1))
        self.rows += len(group)
        self._bytes += group.nbytes


def _groups(batches: Iterable[pa.RecordBatch], size: int, rows: int) -> Iterator[pa.Table]:
    """The rows in tables of about ``size`` bytes and at most ``rows`` rows; at least one table.

    An empty version has one empty table, so that readers find its columns.
    """
    waiting: list[pa.RecordBatch] = []
    waiting_rows = waiting_bytes = 0
    for batch in (part for whole in batches for part in _parts(whole, rows)):
        if waiting and (waiting_bytes >= size or waiting_rows + batch.num_rows > rows):
            yield pa.Table.from_batches(waiting)
            waiting, waiting_rows, waiting_bytes = [], 0, 0
        waiting.append(batch)
        waiting_rows += batch.num_rows
        waiting_bytes += batch.nbytes
    yield pa.Table.from_batches(waiting, EXPORTED)


def _parts(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    return (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def _exported(batches: Iterable[pa.RecordBatch], name: str) -> Iterator[pa.RecordBatch]:
    """The rows of the version ``name`` in schema EXPORTED, with a null nowhere where it allows none."""
    try:
        for batch in batches:
            yield to_hex(batch).cast(EXPORTED)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CorpusError(f"Version {name} can't be read ({reason}): run demur verify on it.") from None


def _sync(folder: Path) -> None:
    """Bring every file and name in ``folder`` to disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)
