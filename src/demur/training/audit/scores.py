"""Scores of people, computed from what models say of the tokens they wrote; no model and no token stands in here.

Each audited model reads every row once (``reading.py``), and all scores follow from the arrays that this gives. The
score of a person is a mean, or a ratio of sums, over all of their tokens, so that a long row counts by its length.

Invariants: pure functions of arrays; every score is a number, and higher means that it speaks for a member.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.statistics import Floats

Owners = npt.NDArray[np.int32]
"""For each predicted token the number of the person who wrote it, from 0, shape (T,)."""

_NOTHING: Final = 1e-9
"""Nats that a sum of shifts is at least, so that a ratio is a number."""


@dataclass(frozen=True, eq=False)
class Read:
    """What one model says of T predicted tokens: those of all rows, end to end, without the first of each row."""

    logs: npt.NDArray[np.float32]
    """Log-probability of each, natural, shape (T,)."""
    likeliest: npt.NDArray[np.bool_]
    """Whether it was the likeliest of all, shape (T,)."""


def means(values: npt.NDArray[np.float32], owners: Owners, people: int) -> Floats:
    """The mean of each person's values, shape (people,); everybody has one at least."""
    total = np.bincount(owners, values.astype(np.float64), minlength=people)
    return np.asarray(total / np.bincount(owners, minlength=people), np.float64)


def loss(model: Read, owners: Owners, people: int) -> Floats:
    """The mean log-probability of a person's tokens: minus the loss (Yeom 2018)."""
    return means(model.logs, owners, people)


def against(model: Read, other: Read, owners: Owners, people: int) -> Floats:
    """By how many nats a token a model does better than another one on what a person wrote.

    Against the base, which never saw anybody, this is the reference attack (Carlini 2021); against the model that was
    trained without a person it is what somebody can tell who holds both versions.
    """
    return means(model.logs - other.logs, owners, people)


def error_zone(model: Read, base: Read, owners: Owners, people: int) -> Floats:
    """EZ-MIA (Ilic et al., arXiv 2601.12104): the sum of shifts up over the sum of shifts down, at error tokens.

    A shift is the log-probability of a token under the model minus that under the base. An error token is one that is
    not the model's likeliest. The paper scores a sequence; here the sums go over all tokens of a person. Its logarithm
    is given, which orders people alike; a sum without a shift counts as 1e-9 nats.
    """
    shift = np.where(model.likeliest, 0.0, (model.logs - base.logs).astype(np.float64))
    up = np.bincount(owners, np.maximum(shift, 0), minlength=people)
    down = np.bincount(owners, np.maximum(-shift, 0), minlength=people)
    return np.asarray(np.log(np.maximum(up, _NOTHING)) - np.log(np.maximum(down, _NOTHING)), np.float64)


def robust(model: Floats, references: Sequence[Floats], held: npt.NDArray[np.bool_]) -> Floats:
    """RMIA (Zarifzadeh, Liu and Shokri, arXiv 2312.03262), offline, with those held out as its population.

    ``p(x)`` is the geometric mean of a person's token probabilities. The score is the share of those held out, without
    the person, whose ``p(z | model) / p(z)`` is at most the person's, where ``p(.)`` is the mean over references that
    never saw them (a = 1, gamma = 1). With one population for everybody this orders people as the ratio does; what it
    adds to the reference attack are the references.

    Args:
        model: mean log-probabilities under the model, shape (people,).
        references: the same under each reference, NaN where one has seen the person; everybody has one at least.
        held: who was held out, shape (people,).
    """
    chances = np.exp(np.stack(references))  # (references, people)
    ratio = model - np.log(np.nanmean(chances, axis=0))
    population = np.sort(ratio[held])
    others = len(population) - held  # nobody is held against themselves
    upto = np.searchsorted(population, ratio, "right") - held
    return np.asarray(upto / np.maximum(others, 1), np.float64) + _within(ratio)


def _within(ratio: Floats) -> Floats:
    """So little that it orders only those who stand between the same two of the population; ties stay ties."""
    _, order = np.unique(ratio, return_inverse=True)
    return np.asarray(order.reshape(-1) * 1e-12, np.float64)
