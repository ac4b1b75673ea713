"""Where a version's rows are read: in its workspace, from Lance; or in the folder of an export, from Parquet.

Invariants: both give the same rows at the same places, schema EXPORTED, of which only the wanted columns are read; a
shard of an export is compared with the signed list before its first row is handed out; no file is written.
"""

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from demur.corpus.datasets.base import ADDRESS, BATCH_ROWS, Addresses
from demur.corpus.datasets.corpus import Corpus
from demur.errors import CorpusError
from demur.loading.overlay import Places
from demur.loading.parts import Part
from demur.store import Place
from demur.versions.export import DATA
from demur.versions.export_form import EXPORTED, of_columns, to_hex
from demur.versions.filelist import FileFacts, differences

_BROKEN: Final = (pa.ArrowException, OSError, ValueError, KeyError, RuntimeError)
"""What readers raise for files that are damaged, or gone."""

_ITEM: Final = np.dtype("S16")
"""An item key; all have this length, so that zeros at its end make no two alike."""


class Rows(Protocol):
    """The rows of one version."""

    count: int
    """How many it has, whether they may be used or not."""

    def read(self, columns: Sequence[str], start: int, part: Part) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """The rows of a part from a place on, as they were published, and their places.

        Raises:
            CorpusError: when they can't be read.
        """

    def at(self, columns: Sequence[str], places: Places) -> pa.RecordBatch:
        """The rows at some places, in the order of these.

        Raises:
            CorpusError: when they can't be read.
        """

    def places_of(self, items: pa.Array, addresses: Addresses) -> Places:
        """Where some rows stand, in their order: told by item keys (16 bytes each), or by Lance's addresses.

        A row that is not here has the place -1.
        """


class VersionRows:
    """The rows of a version in its workspace."""

    def __init__(self, path: Place, name: str) -> None:
        """Open the version ``name`` of the corpus at ``path``.

        Raises:
            CorpusError: when it is not there, or damaged.
        """
        self._name = name
        self._corpus = Corpus.open(path, name)
        self.count = self._corpus.count()

    def read(self, columns: Sequence[str], start: int, part: Part) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """See :class:`Rows`; what is for other readers is not read."""
        try:
            if part.whole:
                yield from self._scanned(columns, start)
                return
            step = BATCH_ROWS * part.count
            for begin in range(start, self.count, step):
                places = part.within(begin, min(begin + step, self.count))
                if len(places):
                    yield self.at(columns, places), places
        except _BROKEN as error:
            raise self._broken(error) from None

    def at(self, columns: Sequence[str], places: Places) -> pa.RecordBatch:
        """See :class:`Rows`."""
        try:
            found = [each.select(list(columns)) for each in self._corpus.rows(self._addresses[places], columns)]
            table = pa.Table.from_batches(found).combine_chunks()
        except _BROKEN as error:
            raise self._broken(error) from None
        return _public(table.to_batches()[0], columns)

    def places_of(self, items: pa.Array, addresses: Addresses) -> Places:  # noqa: ARG002  # as the protocol says
        """See :class:`Rows`; addresses tell."""
        ordered = self._ordered
        at = np.searchsorted(ordered, addresses)
        found = np.minimum(at, max(len(ordered) - 1, 0))
        here = ordered[found] == addresses if len(ordered) else np.zeros(len(addresses), bool)
        return np.where(here, self._order[found] if len(ordered) else found, -1).astype(np.int64)

    def _scanned(self, columns: Sequence[str], start: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        if start >= self.count:
            return
        scanner = self._corpus.dataset.scanner(
            columns=list(columns), offset=start or None, batch_size=BATCH_ROWS, scan_in_order=True
        )
        for batch in scanner.to_batches():
            yield _public(batch, columns), np.arange(start, start + len(batch), dtype=np.int64)
            start += len(batch)

    @cached_property
    def _addresses(self) -> Addresses:
        """The address of each row, by place: 8 bytes a row."""
        found = [np.zeros(0, np.uint64)]
        for fragment in self._corpus.dataset.get_fragments():
            if fragment.deletion_file() is None:  # as in every version that this demur publishes
                begin = np.uint64(fragment.fragment_id) << np.uint64(32)
                found.append(begin + np.arange(fragment.physical_rows, dtype=np.uint64))
                continue
            scanner = fragment.scanner(columns=[], with_row_address=True)
            found.extend(batch.column(ADDRESS).to_numpy().astype(np.uint64) for batch in scanner.to_batches())
        return np.concatenate(found)

    @cached_property
    def _order(self) -> Places:
        """The places in the order of their addresses."""
        return np.argsort(self._addresses, kind="stable").astype(np.int64)

    @cached_property
    def _ordered(self) -> Addresses:
        return self._addresses[self._order]

    def _broken(self, error: Exception) -> CorpusError:
        return _broken(f"Version {self._name}", error, "run demur verify on it.")


class ExportRows:
    """The rows of an export."""

    def __init__(self, folder: Place, files: Sequence[FileFacts]) -> None:
        """Read from the shards among the files that the export's signed list names.

        Raises:
            CorpusError: when one is missing, or no Parquet file.
        """
        self._folder = folder
        self._facts = sorted((each for each in files if each.path.startswith(f"{DATA}/")), key=lambda each: each.path)
        self._checked: set[str] = set()
        try:
            metadata = [pq.read_metadata(_source(folder / each.path)) for each in self._facts]
        except _BROKEN as error:
            raise self._broken(error) from None
        self._begins = np.concatenate([[0], np.cumsum([each.num_rows for each in metadata])]).astype(np.int64)
        self._groups = [[each.row_group(at).num_rows for at in range(each.num_row_groups)] for each in metadata]
        self.count = int(self._begins[-1])

    def read(self, columns: Sequence[str], start: int, part: Part) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """See :class:`Rows`; a part is taken out of all rows that are read."""
        try:
            for batch, begin in self._batches(columns, start):
                places = part.within(begin, begin + len(batch))
                if part.whole:
                    yield batch, places
                elif len(places):
                    yield batch.take(pa.array(places - begin)), places
        except _BROKEN as error:
            raise self._broken(error) from None

    def at(self, columns: Sequence[str], places: Places) -> pa.RecordBatch:
        """See :class:`Rows`; the first call reads all rows of these columns into memory."""
        return self._table(tuple(columns)).take(pa.array(places)).combine_chunks().to_batches()[0]

    def places_of(self, items: pa.Array, addresses: Addresses) -> Places:  # noqa: ARG002  # as the protocol says
        """See :class:`Rows`; item keys tell."""
        ordered, places = self._items
        wanted = np.array(items.to_pylist(), _ITEM)
        if not len(ordered) or not len(wanted):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        return np.where(ordered[at] == wanted, places[at], -1)

    @cached_property
    def _items(self) -> tuple[np.ndarray, Places]:
        """The item keys in ascending order, and where each stands: 24 bytes a row."""
        found = [np.zeros(0, _ITEM)]
        for batch, _ in self._batches(["item"], 0):
            digits = "".join(batch.column("item").to_pylist())
            found.append(np.frombuffer(bytes.fromhex(digits), _ITEM))
        items = np.concatenate(found)
        order = np.argsort(items, kind="stable").astype(np.int64)
        return items[order], order

    def _batches(self, columns: Sequence[str], start: int) -> Iterator[tuple[pa.RecordBatch, int]]:
        """The rows from a place on, and the place of the first of each batch."""
        schema = of_columns(EXPORTED, columns)
        for facts, (begin, end), sizes in zip(self._facts, pairwise(self._begins.tolist()), self._groups, strict=True):
            if end <= start:
                continue
            self._check(facts)
            begins = np.concatenate([[begin], begin + np.cumsum(sizes)]).astype(np.int64)
            wanted = [at for at in range(len(sizes)) if begins[at + 1] > start]
            at = int(begins[wanted[0]]) if wanted else end
            with pq.ParquetFile(_source(self._folder / facts.path)) as file:
                several = len(columns) > 1  # one column is not read faster by several threads, at more cost
                for batch in file.iter_batches(BATCH_ROWS, wanted, list(columns), use_threads=several):
                    skipped = min(max(start - at, 0), len(batch))
                    at += len(batch)
                    if skipped < len(batch):
                        shown = batch.slice(skipped).select(list(columns))
                        yield shown if shown.schema.equals(schema) else shown.cast(schema), at - len(shown)

    def _check(self, facts: FileFacts) -> None:
        """Whether a shard is what was signed: once, before its first row is read."""
        if facts.path in self._checked:
            return
        for each, wrong in differences(self._folder, [facts]):
            raise CorpusError(f"{self._folder / each.path} {wrong}: export the version again.")
        self._checked.add(facts.path)

    def _table(self, columns: tuple[str, ...]) -> pa.Table:
        held = self.__dict__.setdefault("_held", {})
        if columns not in held:
            read = [batch for batch, _ in self._batches(columns, 0)]
            held[columns] = pa.Table.from_batches(read, of_columns(EXPORTED, columns)).combine_chunks()
        table: pa.Table = held[columns]
        return table

    def _broken(self, error: Exception) -> CorpusError:
        return _broken(f"The export {self._folder}", error, "export the version again.")


def _source(path: Place) -> Path | io.BufferedReader:
    """What Arrow reads a file from."""
    return path if isinstance(path, Path) else path.open()


def _public(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """Columns of rows as schema EXPORTED has them, with a null nowhere where it allows none."""
    return to_hex(batch, columns).cast(of_columns(EXPORTED, columns))


def _broken(what: str, error: Exception, do: str) -> CorpusError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return CorpusError(f"{what} can't be read ({reason}): {do}")
