"""The corpus: one Lance dataset that holds only what may be used now.

Invariants: those of :mod:`demur.corpus.datasets.base`; rows are schema.STORED, of which everybody but those who write
and those who look for words sees schema.ROW. A look-up uses an index only while its files are what was written.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

import numpy as np
import pyarrow as pa

from demur.corpus.datasets import postings
from demur.corpus.datasets.base import ADDRESS, BATCH_ROWS, SCAN_FROM, Addresses, Dataset, Indices
from demur.corpus.datasets.indexes import Indexes
from demur.corpus.datasets.postings import Postings
from demur.errors import RegisterError
from demur.files import make_folder
from demur.identity import SubjectKeys
from demur.kernel import schema
from demur.kernel.rules import Bools
from demur.store import Place
from demur.suppression.keyset import KeySet
from demur.words.columns import Wanted, in_rows

if TYPE_CHECKING:
    import lance
    from lance.fragment import LanceFragment


_SHOWN: Final = tuple(schema.ROW.names)

_Any = TypeVar("_Any", bound="Corpus")


class Corpus(Dataset):
    """A workspace's corpus, at its head or at one of its versions."""

    CALLED = "corpus"
    SCHEMA = schema.STORED
    FORMAT = schema.FORMAT
    INDICES: ClassVar[Indices] = {"author": "BTREE", "subjects": "LABEL_LIST"}
    """Words and grams have postings instead: an index of Lance's takes several times their columns' room."""

    def __init__(self, dataset: "lance.LanceDataset | None", indexes: Indexes | None = None) -> None:
        """Hold a dataset; None stands for an empty one, in memory, made when something asks for it."""
        super().__init__(dataset)
        self._indexes = indexes
        self._sound: tuple[int, bool] | None = None
        self._postings: dict[str, Mapping[str, Postings] | None] = {}

    @classmethod
    def create(cls, path: Place | str) -> Self:
        """An empty corpus at ``path``, or at a URI that Lance knows."""
        return _indexed(super().create(path), path)

    @classmethod
    def open(cls, path: Place, version: int | str | None = None) -> Self:
        """The corpus at ``path``, at its head or at a version number or tag.

        Raises:
            CorpusError: when it is missing, damaged, written by a newer demur, or has no such version.
        """
        return _indexed(super().open(path, version), path)

    def watch(self, indexes: Indexes) -> None:
        """Trust indexes only as far as is known of their files."""
        self._indexes = indexes

    def files(self) -> list[str]:
        """The files that hold the version's rows and columns, relative to the dataset, sorted.

        Neither indexes nor transactions are among them: no row is read from these.
        """
        paths = {_manifest_file(None if self.storage is not None else Path(self.uri), self.version)}
        for fragment in self.dataset.get_fragments():
            paths.update(f"data/{file.path}" for file in fragment.data_files())
            paths.update([deleted] if (deleted := fragment.deletion_file()) else [])
        return sorted(paths)

    # reading

    def batches(self, columns: Sequence[str] | None = _SHOWN) -> Iterator[pa.RecordBatch]:
        """All rows, with their addresses in the column :data:`demur.corpus.datasets.base.ADDRESS`."""
        yield from super().batches(columns)

    def concerning(self, subjects: SubjectKeys) -> Iterator[pa.RecordBatch]:
        """All rows by or about these subject keys, each once, with addresses."""
        if len(subjects) > SCAN_FROM or not self.indexed:
            yield from self._scanned(KeySet(subjects))
            return
        conditions = ("author IN ({})", "array_has_any(subjects, [{}])")
        yield from self.rows(np.unique(np.concatenate([self._looked_up(subjects, each) for each in conditions])))

    def holding(self, column: str, keys: np.ndarray) -> Addresses:
        """The addresses of the rows whose list column ``words`` or ``grams`` holds one of these, ascending.

        Args:
            column: which.
            keys: as the column has them (words.columns.shortened), shape (n,).
        """
        looked_up, read = [np.zeros(0, np.uint64)], []
        wanted = np.unique(keys.astype(np.uint32))
        for fragment in self.dataset.get_fragments() if len(wanted) else ():
            known = self._postings_of(fragment)
            if known is None or (rows := known[column].rows(wanted)) is None:
                read.append(fragment)
            else:
                looked_up.append(np.uint64(fragment.fragment_id << 32) | rows)
        return np.sort(np.concatenate([self._live(np.concatenate(looked_up)), *self._read(read, column, keys)]))

    def _postings_of(self, fragment: "LanceFragment") -> Mapping[str, Postings] | None:
        """The postings of a fragment; None where there are none that can be trusted."""
        if self._indexes is None or fragment.physical_rows < postings.LEAST_ROWS:
            return None
        name = postings.name_of(fragment)
        if name not in self._postings:
            path = self._indexes.sound_postings(name)
            try:
                self._postings[name] = None if path is None else postings.read(path)
            except (RegisterError, OSError, LookupError):
                self._postings[name] = None
        return self._postings[name]

    def _live(self, addresses: Addresses) -> Addresses:
        """Those of some addresses, ascending, whose rows are not deleted."""
        found = [np.zeros(0, np.uint64)]
        for start in range(0, len(addresses), BATCH_ROWS):
            some = pa.array(addresses[start : start + BATCH_ROWS])
            taken = self.dataset._take_rows(some, [ADDRESS])  # noqa: SLF001  # the only take by address
            found.append(taken.column(ADDRESS).to_numpy().astype(np.uint64))
        return np.concatenate(found)

    def _read(self, fragments: "list[LanceFragment]", column: str, keys: np.ndarray) -> Iterator[Addresses]:
        """The addresses of the rows of some fragments that hold one of some keys, batch by batch."""
        wanted = Wanted(keys)
        asked: dict[str, Any] = {"columns": [column], "with_row_address": True, "batch_size": BATCH_ROWS}
        for batch in self.dataset.scanner(**asked, fragments=fragments).to_batches() if fragments else ():
            held = wanted.rows(batch.column(column))
            yield batch.column(ADDRESS).to_numpy(zero_copy_only=False)[held].astype(np.uint64)

    @property
    def has_words(self) -> bool:
        """Whether its rows are found by their words: a version of a demur that looked for none has no such columns."""
        return "words" in self.dataset.schema.names

    @property
    def last_fragment(self) -> int:
        """The number of the newest fragment, -1 where there is none."""
        return max((each.fragment_id for each in self.dataset.get_fragments()), default=-1)

    def rows(self, addresses: Addresses, columns: Sequence[str] = _SHOWN) -> Iterator[pa.RecordBatch]:
        """The rows at many addresses, some at a time."""
        for start in range(0, len(addresses), BATCH_ROWS):
            yield from self.at(addresses[start : start + BATCH_ROWS], columns)

    def at(self, addresses: Addresses, columns: Sequence[str] = _SHOWN) -> Iterator[pa.RecordBatch]:
        """The rows at these addresses."""
        taken = self.dataset._take_rows(pa.array(addresses), list(columns))  # noqa: SLF001  # the only take by address
        for batch in taken.combine_chunks().to_batches():
            yield batch.append_column(ADDRESS, pa.array(addresses))

    @property
    def indexed(self) -> bool:
        """Whether look-ups may use the indexes: whether they are there and are what was written."""
        if self._sound is None or self._sound[0] != self.version:
            self._sound = (self.version, self._indexes is not None and self._indexes.sound(self.dataset))
        return self._sound[1]

    @property
    def indexes(self) -> Indexes | None:
        """What is known of its index files; None for a corpus that is in no folder."""
        return self._indexes

    def item(self, key: bytes) -> pa.Table:
        """The row of one item key: a table of one row or none."""
        return self.dataset.to_table(filter=f"item = X'{key.hex()}'")

    def _looked_up(self, keys: np.ndarray, condition: str) -> Addresses:
        """The addresses of rows for which a condition on some keys holds, as its index finds them."""
        found = (each.column(ADDRESS).to_numpy() for each in self.holding_keys(condition, keys, []))
        return np.concatenate([np.zeros(0, np.uint64), *found]).astype(np.uint64)

    def _scanned(self, subjects: KeySet) -> Iterator[pa.RecordBatch]:
        for batch in self.batches(["author", "subjects"]):
            if (where := _concerns(batch, subjects)).any():
                yield from self.at(batch.column(ADDRESS).to_numpy()[where].astype(np.uint64))

    # writing

    def index(self) -> None:
        """Builds the scalar indexes anew, and the postings that are missing."""
        super().index()
        self.keep_postings()

    def keep_postings(self) -> None:
        """Writes the postings of large fragments that have none, and removes those of files that are gone."""
        if self._indexes is None or self._indexes.postings is None or not self.has_words:
            return
        large = [each for each in self.dataset.get_fragments() if each.physical_rows >= postings.LEAST_ROWS]
        wanted = {postings.name_of(each): each for each in large}
        self._indexes.forget_postings(wanted)
        missing = [name for name in wanted if self._indexes.sound_postings(name) is None]
        for name in missing:
            make_folder(self._indexes.postings)
            postings.write(wanted[name], self._indexes.postings / name)
        self._postings.clear()
        self._indexes.learn(missing)

    def refresh(self) -> None:
        """Moves to the head, and takes note of the index files that came with it; for whoever writes."""
        super().refresh()
        self._sound = None
        if self._indexes is not None:
            self._indexes.learn()


def _indexed(corpus: _Any, path: Place | str) -> _Any:
    if not isinstance(path, str):
        corpus.watch(Indexes.of(path))
    return corpus


def _manifest_file(root: Path | None, version: int) -> str:
    """Lance's own file of a version; it counts versions down, so that the newest comes first.

    What an older Lance wrote counts them up; it never wrote for us to a store, which has no root here.
    """
    names = (f"_versions/{2**64 - 1 - version:020d}.manifest", f"_versions/{version}.manifest")
    return next((name for name in names if root is not None and (root / name).exists()), names[0])


def _concerns(batch: pa.RecordBatch, subjects: KeySet) -> Bools:
    """Which rows are by or about one of ``subjects``; shape (rows,)."""
    where = subjects.contains(batch.column("author").to_numpy(zero_copy_only=False))
    row, named = in_rows(batch.column("subjects"))
    where[row[subjects.contains(named)]] = True
    return where
