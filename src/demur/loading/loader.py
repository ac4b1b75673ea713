"""Hands out the rows of a version, and none that may not be used any more (law 4 of the design).

Invariants: what is handed out went through what the head said at most an interval before (watching.Watch); a row has
its place whatever is left out, so that a position is one integer, and going on from it gives what an uninterrupted
run would have given; readers that share the rows take each of them exactly once. A loader that is pickled is opened
anew where it is unpickled, and follows the head there by itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pyarrow as pa

from demur.errors import UsageError, suggestion
from demur.loading.overlay import Overlay, Places
from demur.loading.parts import Part
from demur.loading.rows import Rows
from demur.loading.watching import CHECK_EVERY, MAX_STALENESS, Seen, Watch
from demur.versions.export_form import EXPORTED, of_columns
from demur.versions.manifest import Manifest

if TYPE_CHECKING:
    import datasets

FORMAT: Final = 1
"""Of a loader's state."""

_TURNED: Final = 1024
"""Rows that are turned into dicts at a time."""

Row = dict[str, Any]
"""One row: the columns of EXPORTED that are wanted, keys as hexadecimal text."""


@dataclass(frozen=True)
class Asked:
    """What a loader was asked for; all there is to opening it again in another process."""

    place: str
    """The folder of a workspace or of an export."""
    version: str | None
    """None: the one that an export holds."""
    columns: tuple[str, ...]
    head: str | None
    """Where the head is read: a portal's URL, or the folder of a workspace; None: where the version is."""
    key: str | None = field(default=None, repr=False)
    """Of the portal's API, with the scope `load`."""
    public_key: str | None = None
    """What manifest, list and head must be signed with, hexadecimal; None: the key that the manifest names."""
    stale: str = "refuse"
    """What to do when an export is opened that holds rows which may not be used any more: refuse, or leave-out."""
    check_every: timedelta = CHECK_EVERY
    max_staleness: timedelta = MAX_STALENESS


@dataclass(frozen=True)
class Opened:
    """What is open of a version."""

    manifest: Manifest
    rows: Rows
    watch: Watch


Opening = Callable[[Asked], Opened]


class Loader:
    """The rows of a version, as they may be used at the moment at which each is handed out."""

    def __init__(self, asked: Asked, opening: Opening, part: Part | None = None, opened: Opened | None = None) -> None:
        """Open what is asked for; :func:`demur.load` is the way to one.

        Args:
            asked: what.
            opening: opens it.
            part: which of its rows; all by default.
            opened: what another loader of this process has open already, and shares.
        """
        self._asked, self._opening, self.part = asked, opening, part or Part()
        self._opened = opened or opening(asked)
        self._begin = self._next = 0  # where the next iteration begins, and where the last one is
        self.schema: Final[pa.Schema] = of_columns(EXPORTED, asked.columns)
        """The columns that are handed out."""

    @property
    def manifest(self) -> Manifest:
        """What the version is, as it was signed."""
        return self._opened.manifest

    @property
    def name(self) -> str:
        """The version's name."""
        return self.manifest.name

    @property
    def published(self) -> int:
        """How many rows the version has, those that are left out included."""
        return self._opened.rows.count

    @property
    def left_out(self) -> int:
        """How many of these are left out now."""
        return len(self.overlay().gone)

    @property
    def rewritten(self) -> int:
        """How many are handed out otherwise than they were published, now."""
        return len(self.overlay().changed)

    @property
    def seen(self) -> Seen:
        """The register's head as it was seen last."""
        return self._opened.watch.head.seen()

    def overlay(self) -> Overlay:
        """What may not be handed out as it stands; the head is looked at if that is due.

        Raises:
            UnavailableError: when it has been out of reach for longer than the allowed staleness.
            DemurError: when it may not be followed.
        """
        return self._opened.watch.overlay()

    def look(self) -> Overlay:
        """What may not be handed out as it stands; the head is looked at now, however lately it was.

        Raises:
            UnavailableError: when it has been out of reach for longer than the allowed staleness.
            DemurError: when it may not be followed.
        """
        return self._opened.watch.look()

    def __repr__(self) -> str:
        return f"<Loader of {self.name}: {self.published:,} rows, {self.left_out:,} left out>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is open, for those too that share it; nothing can be handed out any more."""
        self._opened.watch.close()

    def __reduce__(self) -> tuple[Callable[..., "Loader"], tuple[object, ...]]:
        return _again, (self._asked, self._opening, self.part, self.state_dict())

    def __deepcopy__(self, memo: object) -> "Loader":
        return Loader(self._asked, self._opening, self.part, self._opened)  # what is open is not copied

    # handing out

    def __iter__(self) -> Iterator[Row]:
        """The rows, each checked before it is handed out; from where :meth:`load_state_dict` said, once."""
        start = self._starting()
        for place, row in self.walk(start):
            self._next = place + 1
            yield row
        self._next = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in Arrow record batches of some thousand, each checked before it is handed out."""
        start = self._starting()
        for batch, places in self._read(start):
            shown, _ = self.overlay().applied(batch, places)
            self._next = int(places[-1]) + 1
            if len(shown):
                yield shown
        self._next = 0

    def _starting(self) -> int:
        """Where an iteration that begins now begins."""
        start, self._begin = self._begin, 0
        self._next = start
        return start

    def walk(self, start: int = 0) -> Iterator[tuple[int, Row]]:
        """The rows from a place on, each with its place and checked before it is handed out."""
        watch = self._opened.watch
        clock = watch.clock
        for batch, places in self._read(start):
            at = 0
            while at < len(places):
                overlay = watch.overlay()
                shown, left = overlay.applied(batch.slice(at, _TURNED), places[at : at + _TURNED])
                at += _TURNED
                for number, (place, row) in enumerate(zip(left.tolist(), shown.to_pylist(), strict=True)):
                    # The first one was just checked: so there is progress however fast the head moves.
                    if number and clock() >= watch.due:
                        watch.overlay()
                    if number and watch.latest is not overlay:  # looked at here, or by another reader that shares it
                        at = int(np.searchsorted(places, place))  # the rest once more, as it may be used now
                        break
                    yield place, row

    def blocks(self, start: int = 0) -> Iterator[tuple[Places, pa.RecordBatch, Places]]:
        """The blocks of this loader's part from a place on, those too of which nothing is left.

        Gives where its rows were published, those that may be used, and where these stand; checked block by block.
        """
        waiting: list[tuple[pa.RecordBatch, Places]] = []
        for batch, places in self._read(start):
            numbers = places // self.part.block
            begins = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
            if waiting and waiting[-1][1][-1] // self.part.block != numbers[0]:
                yield self._whole(waiting)
                waiting = []
            for begin, end in pairwise([*begins.tolist(), len(places)]):
                waiting.append((batch.slice(begin, end - begin), places[begin:end]))
                if end < len(places):
                    yield self._whole(waiting)
                    waiting = []
        if waiting:
            yield self._whole(waiting)

    def _whole(self, parts: list[tuple[pa.RecordBatch, Places]]) -> tuple[Places, pa.RecordBatch, Places]:
        """A block of the parts in which it was read."""
        places = np.concatenate([each for _, each in parts])
        batch = pa.Table.from_batches([each for each, _ in parts]).combine_chunks().to_batches()[0]
        shown, left = self.overlay().applied(batch, places)
        return places, shown, left

    def _read(self, start: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """The rows of this part as they were published.

        Raises:
            UsageError: in a process that was forked off after the version was opened.
        """
        self._opened.watch.require_own_process()
        return self._opened.rows.read(self._asked.columns, start, self.part)

    def places(self) -> Places:
        """Where the rows stand that may be used now, of this loader's part."""
        mine = self.part.within(0, self.published)
        return mine[~np.isin(mine, self.overlay().gone)]

    def at(self, places: Places) -> tuple[pa.RecordBatch, Places]:
        """The rows at some places, ascending, that may be used now; and which of the places these are."""
        if not len(places):
            return self.schema.empty_table().to_batches()[0], places
        self._opened.watch.require_own_process()
        batch = self._opened.rows.at(self._asked.columns, places)
        return self.overlay().applied(batch, places)

    # sharing, and going on

    def share(self, index: int, count: int, *, block: int | None = None) -> "Loader":
        """The loader for one of several readers, which together get each row exactly once; it shares what is open.

        Args:
            index: the reader's number, from 0.
            count: how many readers there are.
            block: consecutive rows that one reader takes.

        Raises:
            UsageError: for a number that is none of these.
        """
        part = Part(index, count, block or self.part.block).of(self.part)
        return Loader(self._asked, self._opening, part, self._opened)

    def state_dict(self) -> dict[str, Any]:
        """Where the last iteration is, as JSON holds it: `position` is the place of the next row."""
        part = [self.part.index, self.part.count, self.part.block]
        facts = {"format": FORMAT, "version": self.name, "manifest": self.manifest.content.rows_digest}
        return facts | {"position": self._next, "part": part, "head": asdict(self.seen)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a state says: the next iteration gives what an uninterrupted one would have given.

        Raises:
            UsageError: when the state is of another version, or of another part of it.
            RegisterError: when the register is older than it was then.
        """
        try:
            about = (state["format"], state["version"], state["manifest"])
            part, position, head = list(state["part"]), int(state["position"]), Seen(**state["head"])
        except (KeyError, TypeError, ValueError):
            raise UsageError("This is no state of a loader: pass what state_dict() gave.") from None
        if about != (FORMAT, self.name, self.manifest.content.rows_digest):
            raise UsageError(f"The state is of the version {about[1]}, not of this {self.name}: load that version.")
        if part != [self.part.index, self.part.count, self.part.block]:
            raise UsageError(
                f"The state is of part {part[0]} of {part[1]} in blocks of {part[2]} rows, not of {self.part.index} of "
                f"{self.part.count} in blocks of {self.part.block}: share the rows as before, or begin anew."
            )
        self._opened.watch.go_on_from(head)
        self._begin = self._next = position

    # for other libraries

    def reader(self) -> pa.RecordBatchReader:
        """A stream of :meth:`batches`, for what reads Arrow; it can be read once."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface: DuckDB, Polars, pandas and others read a loader as it is, from the start."""
        return self.reader().__arrow_c_stream__(requested_schema)

    def duckdb(self, connection: Any) -> Any:  # noqa: ANN401  # of a library that demur does not bring
        """A relation over the rows, of a connection of yours; each time it is run, they are read and checked anew."""
        return connection.from_arrow(self)

    def dataset(self) -> "datasets.IterableDataset":
        """A streaming data set of the library `datasets`; see adapters.py.

        Raises:
            UsageError: when that library is not installed.
        """
        from demur.loading.adapters import streaming  # noqa: PLC0415  # of the extra `train`

        return streaming(self)


def wanted(columns: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that are asked for; all, if none are.

    Raises:
        UsageError: for one that rows do not have, or for none at all.
    """
    if columns is None:
        return tuple(EXPORTED.names)
    if isinstance(columns, str) or not columns or len(set(columns)) < len(columns):
        raise UsageError("Name each column that is wanted once, in a list: columns=['text'].")
    for name in columns:
        if name not in EXPORTED.names:
            raise UsageError(f"Rows have no column {name!r}: {suggestion(str(name), EXPORTED.names)}")
    return tuple(columns)


def _again(asked: Asked, opening: Opening, part: Part, state: Mapping[str, Any]) -> Loader:
    """A loader that was pickled, opened anew; an export that is stale by now was not when it was first opened."""
    loader = Loader(replace(asked, stale="leave-out"), opening, part)
    loader.load_state_dict(state)
    return loader
