"""What a run remembers beside its weights: rows as token ids, counts of their n-grams, and a vector for each place.

::

    store/rows.db        SQLite: rows, whom each is of, counts, and ranges of vectors that are yet to be zeroed
    store/vectors.f32    float32, little-endian, `width` a place: the state of the base behind which a token follows

A row of m tokens has m - 1 places: from its second token on, each is what followed. Forgetting a row subtracts its
counts, deletes it, and zeroes its vectors.

Invariants: the content is a function of the rows in it and of nothing else, whatever was added and forgotten before,
and in which order: :meth:`Store.digest` says so; a kill leaves the old content or the new, and what of a forgotten row
is left in the file of vectors is zeroed by whoever writes next, and read by nobody meanwhile.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from demur.errors import UnavailableError
from demur.files import disk_full, make_folder, sync
from demur.identity import SubjectKeys
from demur.runs.ngrams import Counts, Ids, Ints
from demur.runs.reading import broken

ROWS: Final = "rows.db"
VECTORS: Final = "vectors.f32"
Vectors = npt.NDArray[np.float32]
_BYTES: Final = 4
_AT_ONCE: Final = 500
"""Keys that one statement asks for."""
_COPIES: Final = 3
"""How often a copy is begun."""
_WAIT_S: Final = 60.0
_TABLES: Final = """
create table meta (name text primary key, value) without rowid;
create table rows (item blob primary key, row blob not null, people blob not null, ids blob not null,
                   start integer not null) without rowid;
create table people (subject integer, item blob, primary key (subject, item)) without rowid;
create table counts (context integer, following integer, count integer not null check (count > 0),
                     primary key (context, following)) without rowid;
create table zeroing (start integer primary key, places integer not null);
"""


@dataclass(frozen=True, eq=False)
class Kept:
    """A row as it is put in."""

    item: bytes
    """Its key."""
    row: bytes
    """SHA-256 of its token ids, as a plan has it."""
    people: Sequence[int]
    """Whom it is of, ascending."""
    ids: Ids
    """At least one."""
    vectors: Vectors
    """Of each place, shape (len(ids) - 1, width)."""


@dataclass(frozen=True, eq=False)
class Places:
    """All places of a store, as it was at one moment."""

    start: Ints
    """Where in the file those of each row begin, shape (rows,)."""
    ids: Sequence[Ids]
    """Of each row."""


class Store:
    """The store of one model; one process writes at a time, and any may read. Close it after use."""

    def __init__(self, folder: Path) -> None:
        """Open the store in a folder.

        Raises:
            CorpusError: when it is not there, or damaged.
        """
        self.folder = folder
        if not (folder / ROWS).is_file():
            raise broken(folder / ROWS)
        self._rows = sqlite3.connect(folder / ROWS, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            with self._asking():
                self._rows.executescript("pragma secure_delete = on; pragma synchronous = full; pragma temp_store = 2")
                self.width = int(self._meta("width"))
        except BaseException:
            self._rows.close()
            raise

    @classmethod
    def create(cls, folder: Path, width: int) -> Self:
        """An empty store in a new folder.

        Args:
            folder: where; it must not be there.
            width: of a vector.
        """
        make_folder(folder)
        for name in (ROWS, VECTORS):
            (folder / name).touch(0o600)
        rows = sqlite3.connect(folder / ROWS, isolation_level=None)
        try:
            rows.executescript(f"pragma secure_delete = on; begin; {_TABLES}")
            known = {"width": width, "end": 0, "changes": 0}
            rows.executemany("insert into meta values (?, ?)", known.items())
            rows.execute("commit")
        finally:
            rows.close()
        sync(folder)
        return cls(folder)

    def close(self) -> None:
        """Give its file back."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What it holds

    @property
    def changes(self) -> int:
        """How often something was forgotten since it was settled: 0 while it holds all that its model remembers."""
        with self._asking():
            return int(self._meta("changes"))

    def items(self) -> dict[bytes, tuple[bytes, tuple[int, ...]]]:
        """Of each row, by its key, its hash and whom it is of."""
        with self._asking():
            found = self._rows.execute("select item, row, people from rows")
            return {item: (row, tuple(_keys(people).tolist())) for item, row, people in found}

    def people(self) -> SubjectKeys:
        """Everybody in it, sorted."""
        with self._asking():
            found = self._rows.execute("select distinct subject from people order by subject")
            return np.fromiter((subject for (subject,) in found), np.int64)

    def holds(self, keys: SubjectKeys) -> bool:
        """Whether a row is of one of these people."""
        return bool(self._items_of(keys))

    def places(self) -> Places:
        """Where everything stands."""
        with self._asking():
            found = self._rows.execute("select start, ids from rows order by start").fetchall()
        return Places(np.array([start for start, _ in found], np.int64), [_ids(each) for _, each in found])

    def vectors(self) -> Vectors:
        """All vectors, shape (places, width), mapped: what is forgotten is zero in them."""
        path, end = self.folder / VECTORS, self._end()
        try:
            return np.memmap(path, np.float32, "r", shape=(end, self.width)) if end else np.zeros((0, self.width), "f4")
        except (OSError, ValueError):
            raise broken(path) from None

    def continuations(self, context: int) -> tuple[Ints, Ints]:
        """The tokens that follow a context, ascending, and how often each does; shape (k,) both."""
        asked = "select following, count from counts where context = ? order by following"
        with self._asking():
            found = np.array(self._rows.execute(asked, (context,)).fetchall(), np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def digest(self) -> str:
        """SHA-256 over rows, people, vectors and counts, lowercase hexadecimal; the same for the same rows."""
        digest, vectors = hashlib.sha256(b"%d\0" % self.width), self.vectors()
        with self._asking():
            for item, row, people, ids, start in self._rows.execute(
                "select item, row, people, ids, start from rows order by item"
            ):
                digest.update(item + row + b"%d\0%d\0" % (len(people), len(ids)) + people + ids)
                digest.update(vectors[start : start + _places(ids)].tobytes())
            asked = "select context, following, count from counts order by context, following"
            for each in self._rows.execute(asked):
                digest.update(b"%d %d %d\0" % each)
        return digest.hexdigest()

    def findings(self) -> Iterator[str]:
        """What does not hold together, a sentence each; reads all of it."""
        places, zeroed = self.places(), np.ones(self._end(), bool)
        counts = Counts.of(places.ids)
        said = np.stack([counts.context, counts.following, counts.count], axis=1)
        with self._asking():
            asked = "select context, following, count from counts order by context, following"
            found = np.array(self._rows.execute(asked).fetchall(), np.int64).reshape(-1, 3)
        if not np.array_equal(said, found):
            yield f"The counts in {self.folder / ROWS} are not those of its rows."
        for start, ids in zip(places.start.tolist(), places.ids, strict=True):
            zeroed[start : start + len(ids) - 1] = False
        for start, size in self._waiting():
            zeroed[start : start + size] = False
        if self.vectors()[zeroed].any():
            yield f"{self.folder / VECTORS} holds vectors of rows that are not there."

    # What changes it

    def add(self, rows: Sequence[Kept]) -> None:
        """Put rows in, none of which is there.

        Raises:
            CorpusError: when one is.
        """
        end = self._end()
        starts = end + np.cumsum([0, *(len(each.vectors) for each in rows)])
        with (self.folder / VECTORS).open("r+b") as file:
            file.truncate(end * self.width * _BYTES)
            file.seek(0, os.SEEK_END)
            for each in rows:
                file.write(np.ascontiguousarray(each.vectors, "<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
        counts = Counts.of([each.ids for each in rows])
        with self._writing():
            packed = [
                (each.item, each.row, np.asarray(each.people, "<i8").tobytes(), each.ids.astype("<i4").tobytes(), start)
                for each, start in zip(rows, starts.tolist()[:-1], strict=True)
            ]
            self._rows.executemany("insert into rows values (?, ?, ?, ?, ?)", packed)
            pairs = ((int(who), each.item) for each in rows for who in each.people)
            self._rows.executemany("insert into people values (?, ?)", pairs)
            self._rows.executemany(
                "insert into counts values (?, ?, ?) "
                "on conflict (context, following) do update set count = count + excluded.count",
                zip(*(each.tolist() for each in (counts.context, counts.following, counts.count)), strict=True),
            )
            self._put("end", int(starts[-1]))

    def forget_people(self, keys: SubjectKeys) -> int:
        """Take out every row that is of one of these people; how many there were."""
        return self.forget(self._items_of(keys))

    def forget(self, items: Iterable[bytes]) -> int:
        """Take out the rows with these keys, as far as they are there; how many there were.

        Raises:
            CorpusError: when their counts are not there: then nothing was changed.
        """
        wanted = sorted(set(items))
        if not wanted:
            return 0
        zeroed = self._zero(durably=True)
        with self._writing():
            self._rows.executemany("delete from zeroing where start = ?", zeroed)
            rows = self._found("select item, people, ids, start from rows where item in", wanted)
            if rows:
                self._subtract(rows)
                self._put("changes", int(self._meta("changes")) + 1)
        self._zero(durably=False)
        return len(rows)

    def settle(self) -> None:
        """Say that it holds all that its model remembers."""
        zeroed = self._zero(durably=True)
        with self._writing():
            self._rows.executemany("delete from zeroing where start = ?", zeroed)
            self._put("changes", 0)

    def copied(self, folder: Path) -> None:
        """Put a copy down in a new folder, without the room that forgotten rows have left; no kill leaves a part of it.

        Raises:
            UnavailableError: when rows are forgotten faster than it can be copied.
        """
        staging = folder.with_name(f".{folder.name}")
        for _ in range(_COPIES):
            before = self.changes
            self._copy(staging)
            if self.changes == before:  # else its vectors may be zero already of rows that it still has
                staging.rename(folder)
                sync(folder.parent)
                return
        raise UnavailableError(f"{self.folder / ROWS} changes faster than it can be copied: try again later.")

    def _copy(self, folder: Path) -> None:
        """The same, in the place of what a copy that was cut off has left."""
        for path in folder.iterdir() if folder.is_dir() else ():
            path.unlink()
        make_folder(folder)
        with self._asking():
            self._rows.execute("vacuum into ?", (str(folder / ROWS),))
        for name in (ROWS, VECTORS):
            (folder / name).touch(0o600)
            (folder / name).chmod(0o600)
        vectors, starts, end = self.vectors(), [], 0
        with Store(folder) as copy, (folder / VECTORS).open("wb") as file:
            with copy._asking():
                for item, ids, start in copy._rows.execute("select item, ids, start from rows order by start"):
                    file.write(vectors[start : start + _places(ids)].tobytes())
                    starts.append((end, item))
                    end += _places(ids)
            file.flush()
            os.fsync(file.fileno())
            with copy._writing():
                copy._rows.executemany("update rows set start = ? where item = ?", starts)
                copy._rows.execute("delete from zeroing")
                copy._put("end", end)
        sync(folder)

    def _subtract(self, rows: Sequence[tuple[bytes, bytes, bytes, int]]) -> None:
        """Take rows out, and put down which vectors are to be zeroed; inside a transaction."""
        counts = Counts.of([_ids(ids) for _, _, ids, _ in rows])
        pairs = list(zip(*(each.tolist() for each in (counts.count, counts.context, counts.following)), strict=True))
        gone = self._rows.executemany("delete from counts where count = ? and context = ? and following = ?", pairs)
        less = self._rows.executemany(
            "update counts set count = count - ? where context = ? and following = ?", pairs
        ).rowcount
        if max(gone.rowcount, 0) + max(less, 0) != len(pairs):
            raise broken(self.folder / ROWS)
        theirs = ((who, item) for item, people, _, _ in rows for who in _keys(people).tolist())
        self._rows.executemany("delete from people where subject = ? and item = ?", theirs)
        self._rows.executemany("delete from rows where item = ?", ((item,) for item, *_ in rows))
        ranges = ((start, _places(ids)) for _, _, ids, start in rows if _places(ids))
        self._rows.executemany("insert into zeroing values (?, ?)", ranges)

    def _zero(self, *, durably: bool) -> list[tuple[int]]:
        """Zero the vectors of what was forgotten, and say where; whoever did so durably need not do it again."""
        waiting, size = self._waiting(), self.width * _BYTES
        if waiting:
            with (self.folder / VECTORS).open("r+b") as file:
                for start, places in waiting:
                    file.seek(start * size)
                    file.write(bytes(places * size))
                file.flush()
                if durably:
                    os.fsync(file.fileno())
        return [(start,) for start, _ in waiting]

    # SQLite

    def _items_of(self, keys: SubjectKeys) -> list[bytes]:
        with self._asking():
            found = self._found("select distinct item from people where subject in", np.unique(keys).tolist())
        return [item for (item,) in found]

    def _found(self, asked: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement that ends in a list of values."""
        found: list[Any] = []
        for at in range(0, len(values), _AT_ONCE):
            some = values[at : at + _AT_ONCE]
            found += self._rows.execute(f"{asked} ({', '.join('?' * len(some))})", some).fetchall()
        return found

    def _waiting(self) -> list[tuple[int, int]]:
        with self._asking():
            return self._rows.execute("select start, places from zeroing order by start").fetchall()

    def _end(self) -> int:
        """Places in the file of vectors, with those that are zero."""
        with self._asking():
            return int(self._meta("end"))

    def _meta(self, name: str) -> Any:  # noqa: ANN401  # a number or a text, as it was put down
        return self._rows.execute("select value from meta where name = ?", (name,)).fetchone()[0]

    def _put(self, name: str, value: int | str) -> None:
        self._rows.execute("update meta set value = ? where name = ?", (value, name))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction: all of the block, on the disk, or nothing of it."""
        with self._asking():
            self._rows.execute("begin immediate")
            try:
                yield
                self._rows.execute("commit")
            except BaseException:
                self._rows.execute("rollback")
                raise

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Say in a sentence what SQLite finds wrong.

        Raises:
            UnavailableError: when somebody else holds the file for too long.
            CorpusError: when it is damaged.
        """
        try:
            yield
        except sqlite3.Error as error:
            if disk_full(error):
                raise
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise UnavailableError(f"{self.folder / ROWS} is in use: try again later.") from None
            raise broken(self.folder / ROWS) from None
        except TypeError:  # a member of `meta` is missing
            raise broken(self.folder / ROWS) from None


def state_of(folder: Path) -> str:
    """What changes with each change of a store, or once another file stands in its place; "" where there is none.

    The file is not opened: closing it would take SQLite's locks on it away from this process.
    """
    try:
        found = (folder / ROWS).stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size}"


def _ids(packed: bytes) -> Ids:
    return np.frombuffer(packed, "<i4").astype(np.int32)


def _keys(packed: bytes) -> SubjectKeys:
    return np.frombuffer(packed, "<i8").astype(np.int64)


def _places(packed: bytes) -> int:
    return max(len(packed) // _BYTES - 1, 0)
