"""The corpus: one Lance dataset that holds only what may be used now.

Invariants: every change is one atomic commit (deletions and new rows together), so that a kill at any moment leaves
exactly the old or the new version; nobody but the holder of the workspace's lock writes; columns and rows have the
schema :data:`demur.kernel.schema.ROW`. Row addresses are Lance's: fragment id * 2**32 + position. Lance is imported by
what opens a dataset, because that takes longer than a command that needs none takes as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.corpus.indexes import Indexes
from demur.errors import CorpusError
from demur.files import tighten
from demur.glance import Said
from demur.identity import SubjectKeys
from demur.kernel import schema
from demur.kernel.rules import Bools
from demur.suppression.keyset import KeySet

if TYPE_CHECKING:
    import lance
    from lance.fragment import FragmentMetadata

Addresses = npt.NDArray[np.uint64]

ADDRESS: Final = "_rowaddr"
_FORMAT_KEY: Final = b"demur.format"
_SAID: Final = "demur."
"""Before each name that the dataset's configuration holds for :class:`Said`."""
_BATCH_ROWS: Final = 8192
_LOOKUP: Final = 2_000
"""Keys in one index look-up; more than :data:`_SCAN_FROM` of them are cheaper to find by reading the two columns."""
_SCAN_FROM: Final = 50_000
_INDICES: Final[dict[str, Literal["BTREE", "LABEL_LIST"]]] = {"author": "BTREE", "subjects": "LABEL_LIST"}


class Corpus:
    """A workspace's Lance dataset, at its head or at one of its versions."""

    def __init__(self, dataset: "lance.LanceDataset | None", indexes: Indexes | None = None) -> None:
        """Hold a dataset; None stands for an empty one, in memory, made when something asks for it."""
        self._opened = dataset
        self._indexes = indexes
        self._sound: tuple[int, bool] | None = None

    @classmethod
    def create(cls, path: Path | str) -> Self:
        """An empty corpus at ``path``, or at a URI that Lance knows."""
        import lance  # noqa: PLC0415  # see the module's docstring

        empty = schema.ROW.with_metadata({_FORMAT_KEY: str(schema.FORMAT).encode()}).empty_table()
        indexes = Indexes.of(path) if isinstance(path, Path) else None
        made = cls(lance.write_dataset(empty, str(path)), indexes)
        if isinstance(path, Path):
            tighten([path])
        return made

    @classmethod
    def open(cls, path: Path, version: int | str | None = None) -> Self:
        """The corpus at ``path``, at its head or at a version number or tag.

        Raises:
            CorpusError: when it is missing, damaged, written by a newer demur, or has no such version.
        """
        import lance  # noqa: PLC0415  # see the module's docstring

        try:
            dataset = lance.dataset(str(path), version=version)
        except (ValueError, OSError) as error:
            at = "" if version is None else f" at version {version}"
            raise CorpusError(f"The corpus {path} can't be opened{at} ({_first_line(error)}): restore it.") from None
        found = (dataset.schema.metadata or {}).get(_FORMAT_KEY, b"0")
        if int(found) > schema.FORMAT:
            raise CorpusError(f"The corpus {path} has format {int(found)}, newer than this demur: upgrade demur.")
        return cls(dataset, Indexes.of(path))

    @classmethod
    def ensure(cls, path: Path) -> Self:
        """The corpus at ``path``, made empty if there is none yet."""
        return cls.open(path) if _exists(path) else cls.create(path)

    @classmethod
    def view(cls, path: Path, version: int | None = None) -> Self:
        """The corpus at ``path`` for reading; an empty one in memory while nothing was ever written there."""
        return cls.open(path, version) if _exists(path) else cls(None)

    @property
    def _dataset(self) -> "lance.LanceDataset":
        if self._opened is None:
            self._opened = Corpus.create("memory://nothing").dataset
        return self._opened

    @_dataset.setter
    def _dataset(self, dataset: "lance.LanceDataset") -> None:
        self._opened = dataset

    @property
    def dataset(self) -> "lance.LanceDataset":
        """The Lance dataset, for what this class does not offer."""
        return self._dataset

    @property
    def version(self) -> int:
        """Lance's number of the version that is open."""
        return int(self._dataset.version)

    def count(self) -> int:
        """How many rows there are."""
        return 0 if self._opened is None else int(self._dataset.count_rows())

    def fragment_rows(self) -> list[int]:
        """How many rows each fragment holds."""
        return [] if self._opened is None else [each.metadata.num_rows for each in self._dataset.get_fragments()]

    def files(self) -> list[str]:
        """The files that hold the version's rows and columns, relative to the dataset, sorted.

        Neither indexes nor transactions are among them: no row is read from these.
        """
        paths = {_manifest_file(Path(self._dataset.uri), self.version)}
        for fragment in self._dataset.get_fragments():
            paths.update(f"data/{file.path}" for file in fragment.data_files())
            paths.update([deleted] if (deleted := fragment.deletion_file()) else [])
        return sorted(paths)

    # reading

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows, with their addresses in the column :data:`ADDRESS`."""
        scanner = self._dataset.scanner(columns=columns, with_row_address=True, batch_size=_BATCH_ROWS)
        yield from scanner.to_batches()

    def concerning(self, subjects: SubjectKeys) -> Iterator[pa.RecordBatch]:
        """All rows by or about these subject keys, each once, with addresses."""
        if len(subjects) > _SCAN_FROM or not self.indexed:
            yield from self._scanned(KeySet(subjects))
            return
        found = np.unique(np.concatenate([np.zeros(0, np.uint64), *self._looked_up(subjects)]))
        for start in range(0, len(found), _BATCH_ROWS):
            yield from self.at(found[start : start + _BATCH_ROWS])

    def at(self, addresses: Addresses) -> Iterator[pa.RecordBatch]:
        """The rows at these addresses."""
        taken = self._dataset._take_rows(pa.array(addresses), schema.ROW.names)  # noqa: SLF001  # the only take by address
        for batch in taken.combine_chunks().to_batches():
            yield batch.append_column(ADDRESS, pa.array(addresses))

    @property
    def indexed(self) -> bool:
        """Whether look-ups may use the indexes: whether they are there and are what was written."""
        if self._sound is None or self._sound[0] != self.version:
            self._sound = (self.version, self._indexes is not None and self._indexes.sound(self._dataset))
        return self._sound[1]

    @property
    def indexes(self) -> Indexes | None:
        """What is known of its index files; None for a corpus that is in no folder."""
        return self._indexes

    def item(self, key: bytes) -> pa.Table:
        """The row of one item key: a table of one row or none."""
        return self._dataset.to_table(filter=f"item = X'{key.hex()}'")

    def _looked_up(self, subjects: SubjectKeys) -> Iterator[Addresses]:
        for start in range(0, len(subjects), _LOOKUP):
            keys = ",".join(map(str, subjects[start : start + _LOOKUP].tolist()))
            for where in (f"author IN ({keys})", f"array_has_any(subjects, [{keys}])"):
                found = self._dataset.to_table(columns=[], filter=where, with_row_address=True)
                yield found.column(ADDRESS).to_numpy().astype(np.uint64)

    def _scanned(self, subjects: KeySet) -> Iterator[pa.RecordBatch]:
        for batch in self.batches(["author", "subjects"]):
            if (where := _concerns(batch, subjects)).any():
                yield from self.at(batch.column(ADDRESS).to_numpy()[where].astype(np.uint64))

    # what it says of itself

    def said(self) -> Said:
        """To which register it belongs, and how far it follows it."""
        said: Mapping[str, str] = {} if self._opened is None else self._dataset.config()
        return Said(
            instance=said.get(f"{_SAID}instance", ""),
            incarnation=int(said.get(f"{_SAID}incarnation", 0)),
            honoured=int(said.get(f"{_SAID}honoured", 0)),
            commitment=bytes.fromhex(said.get(f"{_SAID}commitment", "")),
            imports=int(said.get(f"{_SAID}imports", 0)),
        )

    def say(self, said: Said) -> None:
        """Puts that on record, in a commit of its own: Lance takes it with no other change."""
        values = asdict(said) | {"commitment": said.commitment.hex()}
        self._dataset.update_config({f"{_SAID}{name}": str(value) for name, value in values.items()})

    # writing

    def write(self, batches: Iterable[pa.RecordBatch]) -> "list[FragmentMetadata]":
        """New fragments of rows, on disk but in no version yet; what ``batches`` raises is raised as it is."""
        from lance.fragment import write_fragments  # noqa: PLC0415  # see the module's docstring

        failed: list[BaseException] = []
        reader = pa.RecordBatchReader.from_batches(schema.ROW, _overheard(batches, failed))
        try:
            return list(write_fragments(reader, self._dataset))
        except BaseException:
            if failed:
                raise failed[0] from None  # Lance passes on its words alone
            raise

    def commit(
        self, gone: Addresses, new: "list[FragmentMetadata]", properties: Mapping[str, str] | None = None
    ) -> None:
        """One version in which the rows at ``gone`` are deleted and the fragments ``new`` are there."""
        import lance  # noqa: PLC0415  # see the module's docstring

        removed, updated = self._deleted(gone)
        if not (removed or updated or new):
            return
        change = lance.LanceOperation.Update(removed_fragment_ids=removed, updated_fragments=updated, new_fragments=new)
        message = ", ".join(f"{key}={value}" for key, value in (properties or {}).items())
        self._dataset = lance.LanceDataset.commit(
            self._dataset, change, read_version=self.version, commit_message=message or None
        )

    def last_rows(self, ranks: npt.NDArray[np.int64], count: int) -> Addresses:
        """The addresses of some of the ``count`` rows that were written last, by their rank among these."""
        fragments = sorted(self._dataset.get_fragments(), key=lambda fragment: fragment.fragment_id)
        sizes: list[int] = []
        numbers: list[int] = []
        while sum(sizes) < count:
            newest = fragments.pop()
            sizes.insert(0, newest.physical_rows)
            numbers.insert(0, newest.fragment_id)
        begins = np.concatenate([[0], np.cumsum(sizes)])
        at = np.searchsorted(begins, ranks, side="right") - 1
        fragment = np.array(numbers, np.uint64)[at]
        return np.asarray((fragment << np.uint64(32)) + (ranks - begins[at]).astype(np.uint64))

    def restore(self, version: int) -> None:
        """Makes the head what ``version`` was."""
        import lance  # noqa: PLC0415  # see the module's docstring

        if self.version != version:
            old = lance.dataset(self._dataset.uri, version=version)
            old.restore()  # type: ignore[no-untyped-call]  # pylance does not annotate it
            self._dataset = lance.dataset(self._dataset.uri)

    def index(self) -> None:
        """Builds the scalar indexes anew, over all rows, whatever has become of the ones there were."""
        for column, kind in _INDICES.items():
            self._dataset.create_scalar_index(column, kind, replace=True)
        self.refresh()

    def index_parts(self) -> int | None:
        """The most parts that one of the scalar indexes consists of, or None while one is missing."""
        parts = {index.name: len(index.segments) for index in self._dataset.describe_indices()}
        wanted = [f"{column}_idx" for column in _INDICES]
        return max(parts[name] for name in wanted) if all(name in parts for name in wanted) else None

    def refresh(self) -> None:
        """Moves to the head, and takes note of the index files that came with it; for whoever writes."""
        import lance  # noqa: PLC0415  # see the module's docstring

        self._dataset = lance.dataset(self._dataset.uri)
        self._sound = None
        if self._indexes is not None:
            self._indexes.learn()

    def _deleted(self, gone: Addresses) -> "tuple[list[int], list[FragmentMetadata]]":
        """Fragments that are gone as a whole, and those with new deletion vectors."""
        removed, updated = [], []
        fragments = (gone >> np.uint64(32)).astype(np.int64)
        for number in np.unique(fragments).tolist():
            addresses = gone[fragments == number]
            fragment = self._dataset.get_fragment(number)
            assert fragment is not None  # its rows were read from this version
            left = fragment.delete(f"{ADDRESS} IN ({','.join(map(str, addresses.tolist()))})")
            if left is None:
                removed.append(number)
            else:
                updated.append(left)
        return removed, updated


def _overheard(batches: Iterable[pa.RecordBatch], failed: list[BaseException]) -> Iterator[pa.RecordBatch]:
    """Pass batches on; what goes wrong on the way is noted in ``failed``."""
    try:
        yield from batches
    except (Exception, KeyboardInterrupt) as error:
        failed.append(error)
        raise


def _manifest_file(root: Path, version: int) -> str:
    """Lance's own file of a version; it counts versions down, so that the newest comes first."""
    names = (f"_versions/{2**64 - 1 - version:020d}.manifest", f"_versions/{version}.manifest")
    return next((name for name in names if (root / name).exists()), names[0])


def _exists(path: Path) -> bool:
    return any((path / "_versions").glob("*"))


def _concerns(batch: pa.RecordBatch, subjects: KeySet) -> Bools:
    """Which rows are by or about one of ``subjects``; shape (rows,)."""
    where = subjects.contains(batch.column("author").to_numpy(zero_copy_only=False))
    lists = batch.column("subjects")
    named = subjects.contains(lists.flatten().to_numpy(zero_copy_only=False))
    row = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy(zero_copy_only=False))
    where[row[named]] = True
    return where


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
