"""The blind baseline: can members be told from those held out without any model?

Where they can, the two groups differ in what they wrote or when, and an attack on the model may find that and nothing
else (Das, Zhang and Tramèr, arXiv 2406.16201). Members and held out are parted by a hash here, so that they should not.

Invariant: what is counted on one half of the people is tried on the other, so that the scores of those tried depend on
nobody else who is tried, and the interval holds. (Crossing five folds instead lets each fold lean against the others:
one trial with two groups alike gave an AUC of .20 [.09, .33].)
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.figure import Figure
from demur.training.audit.statistics import Scores, auc_figure

_SMOOTH: Final = 1.0
"""What is added to each count (Laplace)."""


@dataclass(frozen=True, eq=False)
class Words:
    """Token ids of p people, t of them."""

    ids: npt.NDArray[np.int32]
    """Shape (t,)."""
    owner: npt.NDArray[np.int64]
    """Number of the person who wrote each, shape (t,)."""
    held: npt.NDArray[np.bool_]
    """Who is held out, shape (p,)."""


def words_figure(words: Words, seed: int) -> Figure:
    """The AUC of a bag of words: naive Bayes over token ids, counted on half of each group, tried on the other."""
    people, size = len(words.held), int(words.ids.max(initial=0)) + 1
    tried = _half(words.held, np.random.default_rng(seed))
    counted = ~tried[words.owner]
    held = words.held[words.owner]
    counts = (np.bincount(words.ids[counted & kind], minlength=size) for kind in (~held, held))
    member, other = (np.log((count + _SMOOTH) / (count.sum() + _SMOOTH * size)) for count in counts)
    total = np.bincount(words.owner, (member - other)[words.ids], people)
    mean = total / np.maximum(np.bincount(words.owner, minlength=people), 1)
    found = Scores(mean[tried & ~words.held], mean[tried & words.held])
    return auc_figure(found, seed, "auc_words", "by a bag of words that was counted on as many others")


def _half(held: npt.NDArray[np.bool_], random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Half of each group, the larger one of an odd number, shape (p,)."""
    found = np.zeros(len(held), bool)
    for group in (True, False):
        theirs = random.permutation(np.flatnonzero(held == group))
        found[theirs[: (len(theirs) + 1) // 2]] = True
    return found
