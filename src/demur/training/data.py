"""A version as PyTorch's data sets: a stream that ranks and worker processes share, and a table for samplers.

Invariants: what is handed out went through the head as it is followed in the process that reads, and what lay in a
queue while the head moved is read again (loading.watching); rows are dealt out by their places alone, so that every
row comes exactly once over ranks and workers, the order does not depend on how many workers there are, and where a
rank is is one integer. Nothing is forked: Lance would not survive it.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from demur.errors import GoneError, UsageError
from demur.extras import lacking
from demur.loading import Loader, Part, Seen
from demur.loading.loader import Row
from demur.loading.overlay import Places

try:
    import torch.distributed
    from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info
except ImportError:
    raise lacking("A data set of PyTorch", "train") from None

Transform = Callable[[Row], Any]
"""Makes of a row what a training takes; a pure function, importable by name where worker processes call it."""
Collate = Callable[[list[Any]], Any]
"""Makes a batch of what :data:`Transform` gave, in the worker process."""


def ranked() -> tuple[int, int]:
    """This process's rank and how many there are: of torch.distributed, else of RANK and WORLD_SIZE, else 0 of 1."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return int(torch.distributed.get_rank()), int(torch.distributed.get_world_size())
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


class Stream(IterableDataset):
    """The rows of a version one by one; :meth:`feed` gives them in batches."""

    def __init__(
        self,
        loader: Loader,
        batch: int = 32,
        *,
        transform: Transform | None = None,
        collate: Collate | None = None,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        """Share a loader's rows.

        Args:
            loader: of the version; it stays open.
            batch: rows of a block, and at most so many of a batch.
            transform: made of each row; by default a row stays the dict it is.
            collate: made of each batch of :meth:`feed`; by default it stays a list.
            rank: of this process, and
            world: how many there are, if not as :func:`ranked` says.

        Raises:
            UsageError: when rank and world do not fit.
        """
        super().__init__()
        found = ranked()
        self.rank, self.world = found[0] if rank is None else rank, found[1] if world is None else world
        self.batch = batch
        self._transform, self._collate = transform, collate
        self._loader = loader
        self._mine = loader.share(self.rank, self.world, block=batch)
        self._reader: Loader | None = None

    def __iter__(self) -> Iterator[Any]:
        """The rows of this rank and, in a worker process of a DataLoader, of this worker."""
        reader = self._reading()
        for row in reader:
            yield row if self._transform is None else self._transform(row)

    def state_dict(self) -> dict[str, Any]:
        """Where the last iteration in this process is; its `position` is the place of the next row."""
        return self._reading().state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a state says, in a process of the same rank and worker.

        Raises:
            UsageError, RegisterError: as :meth:`demur.loading.Loader.load_state_dict`.
        """
        self._reading().load_state_dict(state)

    def feed(self, workers: int = 0, **options: Any) -> "Feed":  # noqa: ANN401  # of a DataLoader
        """The batches of this rank, read by so many worker processes; ``options`` are a DataLoader's."""
        return Feed(self, workers, options)

    def _reading(self) -> Loader:
        """What is read in this process: once it is known which worker this is, always the same."""
        if self._reader is None:
            worker = get_worker_info()
            self._reader = self._mine if worker is None else self._mine.share(worker.id, worker.num_workers)
        return self._reader

    def blocks(self, first: int, index: int, count: int) -> "Iterator[Block]":
        """Blocks of this rank from number ``first`` on, every ``count``-th, beginning with the ``index``-th of them."""
        number = first + index
        part = Part(number % count, count, self.batch).of(Part(self.rank, self.world, self.batch))
        reader = self._loader.share(part.index, part.count, block=part.block)
        start = (self.rank + self.world * number) * self.batch
        for published, rows, left in reader.blocks(start):
            yield Block(number, published, left, reader.seen.seq, self.made(rows.to_pylist()))
            number += count

    def made(self, rows: Sequence[Row]) -> Any:  # noqa: ANN401  # what the user's functions give
        """A batch of some rows; None of none."""
        if not rows:
            return None
        each = [row if self._transform is None else self._transform(row) for row in rows]
        return each if self._collate is None else self._collate(each)

    def again(self, block: "Block") -> Any:  # noqa: ANN401  # the same
        """What a block is by the head of now, where another process read it before."""
        overlay = self._loader.overlay()
        if self._loader.seen.seq == block.seen or not overlay.touches(block.published):
            return block.made
        rows, _ = self._loader.at(block.published)
        return self.made(rows.to_pylist())

    def facts(self) -> dict[str, Any]:
        """What a state has to fit."""
        about = self._loader.manifest
        digest = about.content.rows_digest
        return {"version": about.name, "manifest": digest, "batch": self.batch, "rank": self.rank, "world": self.world}

    @property
    def count(self) -> int:
        """How many blocks this rank has."""
        blocks = -(-self._loader.published // self.batch)
        return len(range(self.rank, blocks, self.world))

    @property
    def seen(self) -> Seen:
        """The head, as this process saw it last."""
        return self._loader.seen

    def go_on_from(self, seen: Seen) -> None:
        """Make sure that the head goes on from one that was seen before."""
        state = self._loader.state_dict()
        self._loader.load_state_dict(state | {"head": asdict(seen)})


@dataclass(frozen=True)
class Block:
    """A batch on its way from the process that read it."""

    number: int
    """Of this rank's blocks, from 0."""
    published: Places
    """Where its rows were published."""
    left: Places
    """Where those stand that were handed out."""
    seen: int
    """The register's last entry, as the reading process saw it."""
    made: Any
    """None where nothing is left."""


class _Blocks(IterableDataset):
    """The blocks of a stream, for the worker processes of a DataLoader."""

    def __init__(self, stream: Stream, first: int) -> None:
        super().__init__()
        self._stream, self._first = stream, first

    def __iter__(self) -> Iterator[Block]:
        worker = get_worker_info()
        index, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        yield from self._stream.blocks(self._first, index, count)


class Feed:
    """The batches of one rank, in one order whatever the number of workers, and where it is: one integer."""

    FORMAT: Final = 1

    def __init__(self, stream: Stream, workers: int, options: Mapping[str, Any]) -> None:
        """Take what :meth:`Stream.feed` takes.

        Raises:
            UsageError: for an option that is settled here.
        """
        if taken := {"batch_size", "sampler", "batch_sampler", "shuffle", "drop_last", "collate_fn", "in_order"} & {
            *options
        }:
            raise UsageError(f"A feed settles {', '.join(sorted(taken))} itself: give `batch` and `collate` to Stream.")
        self._stream, self._workers, self._options = stream, workers, dict(options)
        self._begin = self._done = 0

    def __len__(self) -> int:
        """How many batches there are at most, on this rank."""
        return self._stream.count

    def __iter__(self) -> Iterator[Any]:
        """The batches; from where :meth:`load_state_dict` said, once."""
        begin, self._begin = self._begin, 0
        self._done = begin
        context = {"multiprocessing_context": "spawn"} if self._workers else {}
        blocks = DataLoader(
            _Blocks(self._stream, begin),
            batch_size=None,
            num_workers=self._workers,
            collate_fn=_as_it_is,
            **{**context, **self._options},
        )
        for block in blocks:
            made = self._stream.again(block)
            self._done = block.number + 1
            if made is not None:
                yield made

    def state_dict(self) -> dict[str, Any]:
        """Where it is, as JSON holds it: `position` counts the batches of this rank that were handed out, or empty."""
        head = asdict(self._stream.seen)
        return {"format": self.FORMAT, "position": self._done, **self._stream.facts(), "head": head}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a state says: what follows is what an uninterrupted run would have given.

        Raises:
            UsageError: when the state is of something else.
            RegisterError: when the register is older than it was then.
        """
        try:
            position, head = int(state["position"]), Seen(**state["head"])
            about = {name: state[name] for name in ("format", *self._stream.facts())}
        except (KeyError, TypeError, ValueError):
            raise UsageError("This is no state of a feed: pass what its state_dict() gave.") from None
        wrong = [
            name for name, value in {"format": self.FORMAT, **self._stream.facts()}.items() if about[name] != value
        ]
        if wrong:
            raise UsageError(f"The state is of another {' and '.join(wrong)}: share the rows as before, or begin anew.")
        self._stream.go_on_from(head)
        self._begin = self._done = position


class Table(Dataset):
    """The rows of a version by index, for samplers: those that may be used when it is made.

    Its length and its indices never change after that. A row that has gone since is never handed out: asked for alone
    it is a :class:`GoneError`, and in a batch it is left out. Worker processes are started with `spawn`.
    """

    def __init__(self, loader: Loader, *, transform: Transform | None = None) -> None:
        """Count a loader's rows."""
        self._loader, self._transform = loader, transform
        self._places = loader.places()

    def __len__(self) -> int:
        """How many rows there were when it was made."""
        return len(self._places)

    def __getitem__(self, index: int) -> Any:  # noqa: ANN401  # what `transform` gives
        """One row.

        Raises:
            IndexError: when there never was one.
            GoneError: when it may not be used any more.
        """
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Some rows, in the order in which they are asked for, without those that may not be used any more.

        Raises:
            IndexError: when there never was one.
            GoneError: when none of them may be used any more.
        """
        wanted = self._places[np.asarray(indices, np.int64)]
        batch, left = self._loader.at(np.unique(wanted))
        found = dict(zip(left.tolist(), batch.to_pylist(), strict=True))
        rows = [found[place] for place in wanted.tolist() if place in found]
        if not rows:
            which = f"The row with the index {indices[0]}" if len(indices) == 1 else f"All {len(indices)} rows"
            raise GoneError(
                f"{which} may not be used any more: somebody objected since; leave it out, or make the table anew."
            )
        return [row if self._transform is None else self._transform(row) for row in rows]


def _as_it_is(value: Block) -> Block:
    """What came, as it came: a DataLoader would make tensors of it."""
    return value
