"""The fingerprints of what withheld people wrote, compiled: kept as files, and gone on from by the difference.

Invariants: what is made from a file and the difference answers exactly as what is built of all lines. A file is a
cache: it can be thrown away at any time, one that can't be read counts as none, and it names what it was built from,
which are the dataset's fragments and files of deletions, by their random names: so it stands for no lines but these. A
process that is killed while it writes leaves the old one. A line that compaction moved is known again by its digest.

Two files: all lines of one moment (suppression.level), and, once there is too much to find out again and again, what
differs since. That is written anew when it grew by as much again as is found out in memory; and all lines are, when it
is so large that this would cost more than they do: so the cost of a difference rises with the root of all lines.
"""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.corpus import caches
from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.evidence import Fingerprints, digests
from demur.errors import RegisterError
from demur.identity import inside
from demur.people.indexed.stored import Arrays
from demur.suppression.copies import Copies
from demur.suppression.level import Level
from demur.suppression.levels import Levels
from demur.words.page import Bools, Ints

_FEW: Final = 50_000
"""Entries that are found out anew by each process, before a file of them is written."""
_FEW_LINES: Final = 2_000
"""Lines, likewise; those that only moved, too."""
_MANY: Final = 5
"""A difference of more than one line in so many is not worth going on from."""
_ALL: Final = re.compile(r"copies-(\d{12})\.index")
_SINCE: Final = re.compile(r"copied-(\d{12})-\d{12}\.index")
_BOTH: Final = "cop*-*.index"

_Pieces = dict[tuple[int, str], str]


def compiled(fingerprints: Fingerprints, folder: Path) -> Copies | None:
    """What withheld people wrote, as of now; None where nothing is known of it.

    Args:
        fingerprints: the lines.
        folder: where the files are kept; where there is none, nothing is.
    """
    return None if (known := _gone_on(fingerprints, folder)) is None else known.copies


def compiled_anew(fingerprints: Fingerprints, folder: Path) -> Copies | None:
    """The same as of one moment, and no file that holds what went since; built of all lines where it has to be."""
    if (known := _gone_on(fingerprints, folder)) is None:
        forget(folder)
        return None
    if not known.is_of_now:
        known = _remember(fingerprints, _built(fingerprints, folder))
    return known.copies


def forget(folder: Path) -> None:
    """Removes the files, as far as that can be: nobody looks for copies any more, or there is nothing left."""
    with suppress(OSError):
        caches.remove(folder, _BOTH)


class _Where(NamedTuple):
    """Where lines are; arrays of shape (lines,)."""

    address: Ints
    """Lance's; see datasets.base."""
    item: Ints
    digest: Ints
    """See evidence.digests."""

    def of(self, which: Bools | Ints) -> "_Where":
        """A selection."""
        return _Where(*(column[which] for column in self))


@dataclass(frozen=True)
class _State:
    """Which lines are known, and where they are."""

    pieces: _Pieces
    """The dataset as it was."""
    kept: _Where
    """Those of a file, by address."""
    by_item: Ints
    """Their places by item."""
    lost: Ints
    """The places of those that are gone, or moved, ascending."""
    fresh: _Where
    """Those that came since, or moved, by address."""

    @classmethod
    def of(cls, pieces: _Pieces, where: _Where) -> "_State":
        """Of lines in any order."""
        where = where.of(np.argsort(where.address))
        none = np.zeros(0, np.int64)
        return cls(pieces, where, np.argsort(where.item), none, where.of(none))

    def within(self, fragment: int) -> _Where:
        """The lines that are known in a fragment."""
        at = self._span(self.kept.address, fragment)
        at = at[~inside(at, self.lost)]
        return _together([self.kept.of(at), self.fresh.of(self._span(self.fresh.address, fragment))])

    def holds(self, items: Ints) -> Bools:
        """Which items have a line."""
        at = np.searchsorted(self.kept.item, items, sorter=self.by_item)
        place = self.by_item.take(at, mode="clip") if len(self.by_item) else np.zeros(len(items), np.int64)
        found = inside(items, np.sort(self.fresh.item))
        if len(self.by_item):
            found |= (self.kept.item[place] == items) & ~inside(place, self.lost)
        return found

    def gone_on(self, pieces: _Pieces, gone: Ints, came: _Where) -> "_State":
        """That once lines went, by their addresses, and others came."""
        gone = np.sort(gone)
        lost = np.searchsorted(self.kept.address, gone[inside(gone, self.kept.address)])
        fresh = _together([self.fresh.of(~inside(self.fresh.address, gone)), came])
        fresh = fresh.of(np.argsort(fresh.address))
        return replace(self, pieces=pieces, lost=np.union1d(self.lost, lost), fresh=fresh)

    def whole(self) -> "_State":
        """The same, all of it kept."""
        left = np.ones(len(self.kept.item), bool)
        left[self.lost] = False
        return _State.of(self.pieces, _together([self.kept.of(left), self.fresh]))

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As a file has it."""
        pieces = json.dumps([[*piece, deleted] for piece, deleted in self.pieces.items()]).encode()
        kept: dict[str, npt.NDArray[Any]] = {f".{name}": column for name, column in self.kept._asdict().items()}
        return kept | {".by_item": self.by_item, ".pieces": np.frombuffer(pieces, np.uint8)}

    @classmethod
    def read(cls, found: Arrays) -> "_State":
        """What :attr:`arrays` gave."""
        pieces = json.loads(found[".pieces"].tobytes())
        kept = _Where(*(found[f".{name}"] for name in _Where._fields))
        none = np.zeros(0, np.int64)
        told = {(number, files): deleted for number, files, deleted in pieces}
        return cls(told, kept, found[".by_item"], none, kept.of(none))

    @staticmethod
    def _span(addresses: Ints, fragment: int) -> Ints:
        ends = np.array([fragment << 32, (fragment + 1) << 32])
        return np.arange(*np.searchsorted(addresses, ends))


class _Change(NamedTuple):
    """What became of lines since."""

    gone: Ints
    """The items whose lines went, or are others now."""
    told: pa.Table
    """The lines that came."""
    state: _State


@dataclass(frozen=True)
class _Known:
    """What is known of the lines of one moment."""

    folder: Path
    name: str
    """By which the files are told that go together."""
    state: _State
    bottom: Level
    """Of all lines of an earlier moment."""
    since: Level | None = None
    """What differs, as a file has it."""
    top: Level | None = None
    """What differs from that."""

    @property
    def copies(self) -> Copies:
        """As the kernel reads it."""
        above = (level for level in (self.top, self.since) if level is not None and len(level.changed))
        return Copies(Levels((*above, self.bottom)))

    @property
    def is_of_now(self) -> bool:
        """Whether the bottom tells all, and no file has a line that went; where lines lie may be known since."""
        filed = np.concatenate([self.bottom.item, self.state.kept.item])
        return len(self.copies.levels.all) == 1 and bool(self.state.holds(filed).all())


_of_datasets: Final[WeakKeyDictionary[Fingerprints, _Known]] = WeakKeyDictionary()


def _remember(fingerprints: Fingerprints, known: _Known) -> _Known:
    """What the next look at the same dataset goes on from."""
    _of_datasets[fingerprints] = known
    return known


def _gone_on(fingerprints: Fingerprints, folder: Path) -> _Known | None:
    """What is known now; None where there are no lines."""
    if not fingerprints.count():
        return None
    known = _of_datasets.get(fingerprints)
    if known is None or known.folder != folder:
        known = _read(folder)
    if known is None or (change := _difference(fingerprints, known)) is None:
        return _remember(fingerprints, _built(fingerprints, folder))
    later = _with(known, change, fingerprints.content)
    return _remember(fingerprints, later or _built(fingerprints, folder))


def _difference(fingerprints: Fingerprints, known: _Known) -> _Change | None:
    """What became of the lines since; None where that is so much, or so unclear, that all are better read anew."""
    state, pieces = known.state, fingerprints.pieces()
    lost, unread = [state.kept.of(np.zeros(0, np.int64))], dict[int, Ints | None]()
    lost.extend(state.within(number) for number, _ in state.pieces.keys() - pieces.keys())
    for piece, deleted in pieces.items():
        if piece not in state.pieces:
            unread[piece[0]] = None
        elif state.pieces[piece] != deleted:
            here, there = state.within(piece[0]), fingerprints.addresses_in(piece[0]).astype(np.int64)
            lost.append(here.of(~inside(here.address, there)))
            if len(back := there[~inside(there, np.sort(here.address))]):  # as after a restore
                unread[piece[0]] = back
    gone = _together(lost)
    gone = gone.of(np.argsort(gone.item))
    most = max(_FEW_LINES, len(known.bottom.item) // _MANY)
    came, told = [gone.of(np.zeros(0, np.int64))], list[pa.RecordBatch]()
    moved = np.zeros(len(gone.item), bool)
    for batch, where in _read_in(fingerprints, unread):
        place = np.minimum(np.searchsorted(gone.item, where.item), max(len(gone.item) - 1, 0))
        same = np.zeros(len(where.item), bool)
        if len(gone.item):
            same = (gone.item[place] == where.item) & (gone.digest[place] == where.digest)
        moved[place[same]] = True
        came.append(where)
        told.append(batch.filter(pa.array(~same)))
        if sum(map(len, told)) > most:
            return None
    fresh = _together(came)
    items = np.sort(fresh.item)
    if (items[1:] == items[:-1]).any() or (state.holds(items) & ~inside(items, gone.item)).any():
        return None  # an item with two lines
    state = state.gone_on(pieces, gone.address, fresh)
    return _Change(gone.item[~moved], pa.Table.from_batches(told, fingerprints.SCHEMA), state)


def _read_in(
    fingerprints: Fingerprints, fragments: Mapping[int, Ints | None]
) -> Iterator[tuple[pa.RecordBatch, _Where]]:
    """The lines of some fragments, all of them or those at some addresses, and where they are."""
    partly = {number: wanted for number, wanted in fragments.items() if wanted is not None}
    some = np.sort(np.concatenate([np.zeros(0, np.int64), *partly.values()]))
    for batch in fingerprints.lines_in(list(fragments)):
        address = batch.column(ADDRESS).to_numpy().astype(np.int64)
        lines = batch.select(fingerprints.SCHEMA.names)
        if partly:
            here = ~np.isin(address >> 32, list(partly)) | inside(address, some)
            lines, address = lines.filter(pa.array(here)), address[here]
        yield lines, _Where(address, lines.column("item").to_numpy(), digests(lines))


def _with(known: _Known, change: _Change, content: int) -> _Known | None:
    """What is known with a change; None where so much has gathered that all lines are better read anew."""
    top = known.top
    if len(change.gone) or len(change.told):
        fresh = known.copies.levels.changed(change.gone, change.told)
        top = fresh if top is None else fresh.merged(top)
    known = replace(known, state=change.state, top=top)
    lines = len(change.state.lost) + len(change.state.fresh.item)
    if lines <= _FEW_LINES and (top is None or len(top.gram) <= _FEW):
        return known
    if top is None:
        top = known.copies.levels.changed(np.zeros(0, np.int64), change.told)
    since = top if known.since is None else top.merged(known.since)
    if len(since.gram) > max(_FEW, math.isqrt(_FEW * len(known.bottom.gram))):
        return None
    return _kept(replace(known, state=change.state.whole(), since=since, top=None), content)


def _built(fingerprints: Fingerprints, folder: Path) -> _Known:
    """What is known of all lines, read anew."""
    parts = [pa.Table.from_batches([], fingerprints.SCHEMA)]
    where = [_Where(*(np.zeros(0, np.int64),) * 3)]
    for lines, here in _read_in(fingerprints, dict.fromkeys(number for number, _ in fingerprints.pieces())):
        parts.append(pa.Table.from_batches([lines]))
        where.append(here)
    every = _together(where)
    once = len(np.unique(every.item)) == len(every.item)  # else nobody can say which of two lines of an item went
    state = _State.of(fingerprints.pieces() if once else {}, every)
    known = _Known(folder, f"{fingerprints.content:012d}", state, Level.bottom(pa.concat_tables(parts)))
    path = folder / f"copies-{known.name}.index"
    if not caches.keep(path, lambda file: known.bottom.save(file, state.arrays), _BOTH):
        return known
    return _opened(path) or known


def _kept(known: _Known, content: int) -> _Known:
    """The same, once what differs is in a file, as far as that can be."""
    since, path = known.since, known.folder / f"copied-{known.name}-{content:012d}.index"
    assert since is not None  # it is what is to be kept
    if caches.keep(path, lambda file: since.save(file, known.state.arrays), "copied-*.index"):
        return _joined(known, path) or known
    return known


def _read(folder: Path) -> _Known | None:
    """What the newest files tell."""
    for path in _newest(folder, _ALL):
        if (known := _opened(path)) is not None:
            since = (each for each in _newest(folder, _SINCE) if each.name.startswith(f"copied-{known.name}-"))
            return next(filter(None, (_joined(known, each) for each in since)), known)
    return None


def _newest(folder: Path, form: re.Pattern[str]) -> list[Path]:
    """The files whose names are of a form, the newest first."""
    found = [each for each in os.scandir(folder) if form.fullmatch(each.name)] if folder.is_dir() else []
    return [Path(each.path) for each in sorted(found, key=_written, reverse=True)]


def _written(file: "os.DirEntry[str]") -> int:
    """When a file was written; one that is not there any more counts as old."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _opened(path: Path) -> _Known | None:
    """What a file tells of all lines; None where it is not there, not any more, or not what it should be."""
    with suppress(RegisterError, OSError, LookupError, ValueError, TypeError):
        bottom, beside = _loaded(path)
        return _Known(path.parent, path.name[len("copies-") : -len(".index")], _State.read(beside), bottom)
    return None


def _joined(known: _Known, path: Path) -> _Known | None:
    """The same with what a file tells that differs, likewise."""
    with suppress(RegisterError, OSError, LookupError, ValueError, TypeError):
        since, beside = _loaded(path)
        return replace(known, state=_State.read(beside), since=since)
    return None


def _loaded(path: Path) -> tuple[Level, Arrays]:
    """What a file holds.

    Raises:
        RegisterError: when it is not what was written.
    """
    if not caches.is_sound(path):
        raise RegisterError(f"{path} is not what was written: remove it, it is made anew.")
    return Level.load(path)


def _together(parts: Sequence[_Where]) -> _Where:
    return _Where(*(np.concatenate(column) for column in zip(*parts, strict=True)))
