"""A Lance dataset of keyed rows: atomic commits, deletions by address, indexes, and versions to go back to.

Invariants: every change is one atomic commit (deletions and new rows together), so that a kill at any moment leaves
exactly the old or the new version; nobody but the holder of the workspace's lock writes. Row addresses are Lance's:
fragment id * 2**32 + position. Lance is imported by what opens a dataset, because that takes longer than a command that
needs none takes as a whole.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.corpus.datasets.whole import require_whole
from demur.errors import CorpusError, UnavailableError
from demur.files import tighten
from demur.glance import Said
from demur.store import Place, Stored, options_of, sentence

if TYPE_CHECKING:
    import lance
    from lance.fragment import FragmentMetadata

Addresses = npt.NDArray[np.uint64]

ADDRESS: Final = "_rowaddr"
BATCH_ROWS: Final = 8192
_LOOKUP: Final = 2_000
"""Keys in one index look-up."""
SCAN_FROM: Final = 50_000
"""More keys than this are cheaper to find by reading their columns than in an index."""
_FORMAT_KEY: Final = b"demur.format"
_SAID: Final = "demur."
"""Before each name that the dataset's configuration holds for :class:`Said`."""

Indices = Mapping[str, Literal["BTREE", "LABEL_LIST"]]


class Dataset:
    """One dataset, at its head or at one of its versions."""

    CALLED: ClassVar[str]
    """What errors call it."""
    SCHEMA: ClassVar[pa.Schema]
    FORMAT: ClassVar[int]
    """The version of the schema; one with a higher version is not opened."""
    FRAGMENT_ROWS: ClassVar[int] = 1_048_576
    """The most rows of a fragment."""
    INDICES: ClassVar[Indices]
    """The columns that have an index, and its kind."""

    def __init__(self, dataset: "lance.LanceDataset | None") -> None:
        """Hold a dataset; None stands for an empty one, in memory, made when something asks for it."""
        self._opened = dataset
        self.storage: dict[str, str] | None = None
        """Lance's storage options of where it lies; None on a disk. No credential is among them."""

    @classmethod
    def create(cls, path: Place | str) -> Self:
        """An empty one at ``path``, or at a URI that Lance knows."""
        import lance  # noqa: PLC0415  # see the module's docstring

        empty = cls.SCHEMA.with_metadata({_FORMAT_KEY: str(cls.FORMAT).encode()}).empty_table()
        made = cls(lance.write_dataset(empty, str(path), storage_options=options_of(path)))
        made.storage = options_of(path)
        if isinstance(path, Path):
            tighten([path])
        return made

    @classmethod
    def open(cls, path: Place, version: int | str | None = None) -> Self:
        """The one at ``path``, at its head or at a version number or tag.

        Raises:
            CorpusError: when it is missing, damaged, written by a newer demur, or has no such version.
        """
        import lance  # noqa: PLC0415  # see the module's docstring

        try:
            dataset = lance.dataset(str(path), version=version, storage_options=options_of(path))
        except (ValueError, OSError) as error:
            if isinstance(path, Stored) and not _is_missing(error):
                raise UnavailableError(sentence(path, error)) from None
            at = "" if version is None else f" at version {version}"
            raise CorpusError(
                f"The {cls.CALLED} {path} can't be opened{at} ({_first_line(error)}): restore it."
            ) from None
        found = (dataset.schema.metadata or {}).get(_FORMAT_KEY, b"0")
        if int(found) > cls.FORMAT:
            raise CorpusError(f"The {cls.CALLED} {path} has format {int(found)}, newer than this demur: upgrade demur.")
        opened = cls(dataset)
        opened.storage = options_of(path)
        return opened

    @classmethod
    def known_at(cls, uri: str, storage: dict[str, str] | None) -> Self:
        """The one that another process has open, by its URI and storage options; for workers that write there."""
        import lance  # noqa: PLC0415  # see the module's docstring

        opened = cls(lance.dataset(uri, storage_options=storage))
        opened.storage = storage
        return opened

    @classmethod
    def ensure(cls, path: Place) -> Self:
        """The one at ``path``, made empty if there is none yet."""
        return cls.open(path) if _exists(path) else cls.create(path)

    @classmethod
    def view(cls, path: Place, version: int | None = None) -> Self:
        """The one at ``path`` for reading; an empty one in memory while nothing was ever written there."""
        return cls.open(path, version) if _exists(path) else cls(None)

    @property
    def _dataset(self) -> "lance.LanceDataset":
        if self._opened is None:
            self._opened = type(self).create("memory://nothing").dataset
        return self._opened

    @_dataset.setter
    def _dataset(self, dataset: "lance.LanceDataset") -> None:
        self._opened = dataset

    @property
    def dataset(self) -> "lance.LanceDataset":
        """The Lance dataset, for what this class does not offer."""
        return self._dataset

    @property
    def uri(self) -> str:
        """Where it lies, as Lance is told: for engines whose workers write fragments there, with :attr:`storage`."""
        return str(self._dataset.uri)

    @property
    def version(self) -> int:
        """Lance's number of the version that is open."""
        return int(self._dataset.version)

    @property
    def content(self) -> int:
        """A number below 10**12 for the rows as they are: of fragments and deletions, not of what it says of itself.

        The names of data files are random: fragments of one number and size may be others after a restore.
        """
        fragments = [] if self._opened is None else self._dataset.get_fragments()
        told = sorted(
            (each.fragment_id, [file.path for file in each.data_files()], each.deletion_file() or "")
            for each in fragments
        )
        return int.from_bytes(hashlib.sha256(repr(told).encode()).digest()[:5], "big") >> 1

    def count(self) -> int:
        """How many rows there are."""
        return 0 if self._opened is None else int(self._dataset.count_rows())

    def fragment_rows(self) -> list[int]:
        """How many rows each fragment holds."""
        return [] if self._opened is None else [each.metadata.num_rows for each in self._dataset.get_fragments()]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows, with their addresses in the column :data:`ADDRESS`."""
        scanner = self._dataset.scanner(
            columns=None if columns is None else list(columns), with_row_address=True, batch_size=BATCH_ROWS
        )
        yield from scanner.to_batches()

    def found(self, where: str, columns: list[str] | None = None) -> pa.Table:
        """The rows for which a condition of Lance's SQL holds, with their addresses; a broken index is passed over."""
        asked: dict[str, Any] = {"columns": columns, "filter": where, "with_row_address": True}
        try:
            return self._dataset.to_table(**asked)
        except (OSError, ValueError, RuntimeError):  # Lance says of a file it can't read one or the other
            return self._dataset.to_table(**asked, use_scalar_index=False)

    def holding_keys(self, condition: str, keys: np.ndarray, columns: list[str]) -> Iterator[pa.Table]:
        """The rows for which a condition holds on some keys, as its index finds them, with their addresses.

        Args:
            condition: of Lance's SQL, with ``{}`` where a list of keys goes.
            keys: integers in any order, shape (n,); so many are asked for at once that a look-up stays short.
            columns: those that are wanted.
        """
        for start in range(0, len(keys), _LOOKUP):
            yield self.found(condition.format(",".join(map(str, keys[start : start + _LOOKUP].tolist()))), columns)

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
        """New fragments of rows, on disk but in no version yet; what ``batches`` raises is raised as it is.

        Raises:
            UnavailableError: when the disk did not keep all of it.
        """
        from lance.fragment import write_fragments  # noqa: PLC0415  # see the module's docstring

        failed: list[BaseException] = []
        waiting = iter(batches)
        if (first := next(waiting, None)) is None:
            return []
        reader = pa.RecordBatchReader.from_batches(self.SCHEMA, _overheard(chain([first], waiting), failed))
        try:
            written = list(write_fragments(reader, self._dataset, max_rows_per_file=self.FRAGMENT_ROWS))
        except BaseException:
            if failed:
                raise failed[0] from None  # Lance passes on its words alone
            raise
        self._require_whole(written)
        return written

    def overwrite(self, batches: Iterable[pa.RecordBatch]) -> None:
        """One version in which these rows, of the schema of now, are all there is; older versions stay as they are."""
        import lance  # noqa: PLC0415  # see the module's docstring

        schema = self.SCHEMA.with_metadata({_FORMAT_KEY: str(self.FORMAT).encode()})
        reader = pa.RecordBatchReader.from_batches(schema, (each.cast(schema) for each in batches))
        before = self.version
        self._dataset = lance.write_dataset(reader, self.uri, mode="overwrite", storage_options=self.storage)
        self.require_kept(before)

    def commit(
        self, gone: Addresses, new: "list[FragmentMetadata]", properties: Mapping[str, str] | None = None
    ) -> None:
        """One version in which the rows at ``gone`` are deleted and the fragments ``new`` are there.

        Raises:
            CorpusError: when somebody else has written to it, in a store, since it was opened.
            UnavailableError: when the disk did not keep what is deleted.
        """
        import lance  # noqa: PLC0415  # see the module's docstring

        if self.storage is not None and self._dataset.latest_version != self.version:  # Lance would merge the two
            raise CorpusError(_overtaken(self.uri))
        removed, updated = self._deleted(gone)
        self._require_whole(updated)
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
            old = lance.dataset(self.uri, version=version, storage_options=self.storage)
            old.restore()  # type: ignore[no-untyped-call]  # pylance does not annotate it
            self._dataset = lance.dataset(self.uri, storage_options=self.storage)

    def refresh(self) -> None:
        """Moves to the head; for whoever writes."""
        import lance  # noqa: PLC0415  # see the module's docstring

        self._dataset = lance.dataset(self.uri, storage_options=self.storage)

    def index(self) -> None:
        """Builds the scalar indexes anew, over all rows, whatever has become of the ones there were."""
        for column, kind in self.INDICES.items():
            self._dataset.create_scalar_index(column, kind, replace=True)
        self.refresh()

    def keep_postings(self) -> None:
        """Keeps what finds rows beside Lance's indexes, as a kind of dataset may have."""

    def index_parts(self) -> int | None:
        """The most parts that one of the scalar indexes consists of, or None while one is missing."""
        parts = {index.name: len(index.segments) for index in self._dataset.describe_indices()}
        wanted = [f"{column}_idx" for column in self.INDICES]
        return max(parts[name] for name in wanted) if all(name in parts for name in wanted) else None

    def require_kept(self, before: int) -> None:
        """Go back to a version where the disk did not keep what Lance has written and committed since.

        Args:
            before: the number of the version from which Lance went on.

        Raises:
            UnavailableError: when that was so.
        """
        import lance  # noqa: PLC0415  # see the module's docstring

        if self.storage is not None or self.version == before:
            return
        old = lance.dataset(self.uri, version=before)
        known = {file.path for each in old.get_fragments() for file in each.data_files()}
        fragments = [each.metadata for each in self._dataset.get_fragments()]
        try:
            self._require_whole([each for each in fragments if any(file.path not in known for file in each.files)])
        except UnavailableError:
            self.restore(before)
            raise

    def _require_whole(self, fragments: "list[FragmentMetadata]") -> None:
        if self.storage is None and not self.uri.startswith("memory:"):
            for each in fragments:
                require_whole(Path(self.uri), each)

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


def _exists(path: Place) -> bool:
    versions = path / "_versions"
    return versions.exists() if isinstance(versions, Stored) else any(versions.glob("*"))


def _is_missing(error: Exception) -> bool:
    """Whether Lance says that there is no such dataset or version, and not that it could not look."""
    return "not found" in str(error).lower() and "status code: 40" not in str(error).replace("status code: 404", "")


def _overtaken(uri: str) -> str:
    return (
        f"Somebody else has written to {uri} meanwhile, from another workspace: nothing of this was put there; see "
        "that one workspace at a time writes, then run the same command again."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
