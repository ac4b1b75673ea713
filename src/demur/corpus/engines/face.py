"""What every engine does for an import: it governs batches, and puts the rows that may be used on disk.

Invariants: answers are heard in the order of the batches, and fragments are in that order, too, whichever worker was
faster, so that an item's last reading wins (law 2) and each is counted once (law 5); no fragment is in any version.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.pool import Asked
from demur.kernel.govern import Answer
from demur.kernel.rules import Rules

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

Heard = Callable[[Answer], object]
"""Is told what the kernel says of each batch."""


class Engine(Protocol):
    """The kernel under one value of rules, wherever it runs."""

    @property
    def rules(self) -> Rules:
        """Everything that decides."""

    def answers(self, asked: Iterable[Asked]) -> Iterator[Answer]:
        """What the kernel says of each batch, in order; kept rows as schema.STORED."""

    def store(self, asked: Iterable[Asked], corpus: Corpus, heard: Heard) -> "list[FragmentMetadata]":
        """The same, with the kept rows in new fragments of the corpus, and no longer in what ``heard`` is told."""
