"""Cohorts: people are dealt into several, and each cohort's rows train adapters of its own over one base.

A family of S cohorts is S runs, ``NAME.c1`` to ``NAME.cS``, of one base, key and configuration. Whoever objects is in
one of them, so that a replay trains one of S again. It answers by one name: by one model whose adapters are the mean of
theirs, or by the mean of their probabilities (training.together).

Invariants: a person's cohort depends on the person and the key alone; a row whose people are not all of one cohort is
in none, as each of them could ask that two be trained again; it is counted.
"""

from typing import Final

import numpy as np

from demur.identity import SubjectKeys
from demur.training.config import Config
from demur.training.order import keyed, packed
from demur.training.rows import Ints, Lists

MERGED: Final = "merged"
"""One model answers, with the mean of what the cohorts' adapters add to each weight."""
ENSEMBLE: Final = "ensemble"
"""The mean of the cohorts' probabilities answers."""
_COHORT: Final = b"cohort\0"


def way(config: Config) -> str:
    """How the cohorts of a family answer as one: :data:`MERGED` or :data:`ENSEMBLE`."""
    return ENSEMBLE if config.ensemble else MERGED


def cohorts_of(persons: SubjectKeys, config: Config, key: bytes) -> Ints:
    """The cohort of each person, from 1, shape (n,).

    Args:
        persons: the smallest key of each.
        config: with the number of cohorts.
        key: the family's.
    """
    return (keyed(key, _COHORT, packed(persons))[:, 0] % np.uint64(config.cohorts)).astype(np.int64) + 1


def dealt(people: Lists, config: Config, key: bytes) -> tuple[Ints, int]:
    """Which rows are of the configuration's cohort, by their numbers, ascending; and how many are of several.

    Args:
        people: the persons of each row, at least one.
        config: with the number of cohorts, and which of them is asked for.
        key: the family's.
    """
    persons, index = np.unique(people.flat, return_inverse=True)
    cohort = cohorts_of(persons, config, key)[index.reshape(-1)]
    first = np.full(len(people.ends), config.cohorts + 1)
    last = np.zeros(len(people.ends), np.int64)
    np.minimum.at(first, people.owner, cohort)
    np.maximum.at(last, people.owner, cohort)
    return np.flatnonzero((first == config.cohort) & (last == config.cohort)), int((first != last).sum())
