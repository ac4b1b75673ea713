"""The blind baseline: can members be told from those held out without any model?

Where they can, the two groups differ in what they wrote or when, and an attack on the model may find that and nothing
else (Das, Zhang and Tramèr, arXiv 2406.16201). Members and held out are parted by a hash here, so that they should not.

Invariant: a person is scored by what is counted on others alone, and compared within their own fold, where both groups
lack as much: then the AUC is a half on average when the groups are alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.figure import Figure
from demur.training.audit.statistics import FEWEST, Scores, auc, groups, interval, resampled

FOLDS: Final = 5
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
    """The AUC of a bag of words: naive Bayes over token ids, crossed over five folds of people."""
    folds = list(_folds(words, seed))
    weights = np.array([len(each.members) * len(each.held) for each in folds], np.float64)
    found, note = float(np.average([auc(each) for each in folds], weights=weights)), groups(_whole(folds))
    whole, low_high = _whole(folds), None
    if min(len(whole.members), len(whole.held)) >= FEWEST:
        draws = np.stack([resampled(each, seed + at).auc for at, each in enumerate(folds)])
        low_high = interval(np.average(draws, axis=0, weights=weights))
    else:
        note += f"; too few persons for an interval, which asks for {FEWEST} of each"
    return Figure("auc_words", found, "AUC", whole.persons, "persons", low_high, note)


def _folds(words: Words, seed: int) -> Iterator[Scores]:
    """The scores of the people of each fold that has some of both groups."""
    people, size = len(words.held), int(words.ids.max(initial=0)) + 1
    random = np.random.default_rng(seed)
    fold = np.zeros(people, np.int64)
    for group in (True, False):
        theirs = random.permutation(np.flatnonzero(words.held == group))
        fold[theirs] = np.arange(len(theirs)) % FOLDS
    for each in range(FOLDS):
        others = fold[words.owner] != each
        counts = [np.bincount(words.ids[others & (words.held[words.owner] == kind)], minlength=size) for kind in (0, 1)]
        member, held = (np.log((count + _SMOOTH) / (count.sum() + _SMOOTH * size)) for count in counts)
        total = np.bincount(words.owner, (member - held)[words.ids], people)
        mean = total / np.maximum(np.bincount(words.owner, minlength=people), 1)
        here = fold == each
        if (here & words.held).any() and (here & ~words.held).any():
            yield Scores(mean[here & ~words.held], mean[here & words.held])


def _whole(folds: list[Scores]) -> Scores:
    return Scores(*(np.concatenate([getattr(each, kind) for each in folds]) for kind in ("members", "held")))
