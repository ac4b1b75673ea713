"""A loader as a streaming data set of the library `datasets`, which is imported here and nowhere else.

Invariants: nothing is copied to a cache of that library, because what is cached can't forget; rows are handed out by
the loader itself, so that the head is followed wherever the data set is read; several processes share the rows as
`datasets` shares what it streams, by shards.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import pyarrow as pa

from demur.extras import lacking

if TYPE_CHECKING:
    import datasets

SHARDS: Final = 64
"""Into how many shards the rows are dealt out: as many processes can share them."""


class Shared(Protocol):
    """What is made a data set of: a loader."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of its rows."""

    def walk(self, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows, with their places."""

    def share(self, index: int, count: int) -> Self:
        """The same for one of several readers."""


def streaming(loader: Shared) -> "datasets.IterableDataset":
    """The loader's rows as an IterableDataset.

    Raises:
        UsageError: when `datasets` is not installed.
    """
    try:
        from datasets import Features, IterableDataset  # noqa: PLC0415  # of the extra `train`
    except ImportError:
        raise lacking("A data set of Hugging Face", "train") from None
    features = Features.from_arrow_schema(loader.schema)
    shards = {"loader": loader, "shards": list(range(SHARDS))}
    made: datasets.IterableDataset = IterableDataset.from_generator(_rows, features=features, gen_kwargs=shards)
    return made


def _rows(loader: Shared, shards: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The rows of some shards."""
    if len(shards) == SHARDS:
        yield from (row for _, row in loader.walk())  # nobody shares: in the order in which they were published
        return
    for shard in shards:
        yield from (row for _, row in loader.share(shard, SHARDS).walk())
