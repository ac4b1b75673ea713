"""What a model that remembers is asked for when it answers: its store, read beside the base.

Invariants: what was drawn while the store forgot somebody is told apart (:meth:`Remembered.is_current`), and does not
leave; nothing is written.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from demur.runs.folder import ModelFolder
from demur.runs.forgetting import opened, remembers
from demur.runs.ngrams import Ints
from demur.runs.store import Store, Vectors
from demur.training.config import Config
from demur.training.mixing import Floats, Recollection, Shares, distribution, mixed


class Remembered:
    """The store of a model as it was at one moment; safe to use from several threads."""

    def __init__(self, model: ModelFolder, config: Config, size: int) -> None:
        """Open it.

        Args:
            model: which has one.
            config: of its run.
            size: how many token ids there are.

        Raises:
            CorpusError: when it is damaged.
        """
        self._store: Store = opened(model)
        self._changes = self._store.changes
        self._known: dict[int, tuple[Ints, Ints]] = {}
        self._shares = Shares(config.ngram_share, config.nearest_share, config.nearest_scale, config.neighbours)
        places, vectors = self._store.places(), self._store.vectors()
        self._recalled = Recollection.of(self, vectors, places.start, places.ids, size)

    @classmethod
    def of(cls, model: ModelFolder, config: Config, size: int) -> Self | None:
        """Of a model; None where it has no store."""
        return cls(model, config, size) if remembers(model) else None

    def is_current(self) -> bool:
        """Whether nothing was forgotten since."""
        return self._store.changes == self._changes

    def continuations(self, context: int) -> tuple[Ints, Ints]:
        """The tokens that follow a context, ascending, and how often each does; that of no tokens is kept at hand."""
        if context:
            return self._store.continuations(context)
        if context not in self._known:
            self._known[context] = self._store.continuations(context)
        return self._known[context]

    def scores(
        self, logits: npt.NDArray[np.float32], states: Vectors, before: Sequence[Sequence[int]]
    ) -> npt.NDArray[np.float32]:
        """What a base's scores become, as logarithms of probabilities, shape (m, size).

        Args:
            logits: the base's, shape (m, size).
            states: its last hidden states, shape (m, width).
            before: the token ids that were read at each.
        """
        base: Floats = distribution(logits)
        found = mixed(self._recalled, self._shares, base, states, before)
        return np.log(np.maximum(found, np.finfo(np.float32).tiny)).astype(np.float32)
