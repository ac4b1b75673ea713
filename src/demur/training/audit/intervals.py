"""Intervals of 95 % for what is found over persons, canaries or names: each of these counts once.

Shares have Wilson's interval (1927), which stays wide where all or none of a few are hit, as a bootstrap does not;
means and ranks are drawn again (Efron 1979), under a fixed seed.

Invariants: equal numbers give equal intervals; what is drawn again has none where it is of fewer than
:data:`demur.training.audit.statistics.FEWEST`.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.training.audit import statistics
from demur.training.audit.statistics import FEWEST, RESAMPLES, Scores, interval, resampled

Numbers = npt.NDArray[np.float64]
Interval = tuple[float, float]

TOO_FEW: Final = f"too few for an interval, which asks for {FEWEST}"
_SEED: Final = 14
_Z: Final = 1.959963984540054
"""Of 95 %, two-sided."""


def share(hit: npt.NDArray[np.bool_]) -> tuple[float | None, Interval | None]:
    """The share of units that were hit, and its interval by Wilson.

    Args:
        hit: of each unit, shape (n,).
    """
    n = len(hit)
    if not n:
        return None, None
    found = float(hit.mean())
    scale, middle = 1 + _Z**2 / n, found + _Z**2 / (2 * n)
    wide = _Z * math.sqrt(found * (1 - found) / n + _Z**2 / (4 * n**2))
    return found, (max(0.0, min(found, (middle - wide) / scale)), min(1.0, max(found, (middle + wide) / scale)))


def mean(values: Numbers) -> tuple[float | None, Interval | None]:
    """The mean over units, and its interval.

    Args:
        values: of each unit, shape (n,).
    """
    if not len(values):
        return None, None
    return float(values.mean()), _drawn(lambda source: float(source.choice(values, len(values)).mean()), len(values))


def auc(high: Numbers, low: Numbers) -> tuple[float | None, Interval | None]:
    """How likely one of the first stands above one of the second, ties counting half, and its interval over both.

    Args:
        high: of each unit that should score high, shape (n,).
        low: of each other one, shape (m,).
    """
    if not (len(high) and len(low)):
        return None, None
    scores = Scores(high, low)
    many = min(len(high), len(low)) >= FEWEST
    return statistics.auc(scores), interval(resampled(scores, _SEED).auc) if many else None


def share_of_rows(hit: npt.NDArray[np.bool_], person: npt.NDArray[np.int64]) -> tuple[float | None, Interval | None]:
    """The share of rows that were hit, and its interval over persons: a person is drawn again with all their rows.

    Args:
        hit: of each row, shape (n,).
        person: whose it is, as numbers from 0 without a gap, shape (n,).
    """
    if not len(hit):
        return None, None
    rows, hits = np.bincount(person).astype(np.float64), np.bincount(person, hit)

    def again(source: np.random.Generator) -> float:
        drawn = source.integers(0, len(rows), len(rows))
        return float(hits[drawn].sum() / rows[drawn].sum())

    return float(hit.mean()), _drawn(again, len(rows))


def _drawn(again: Callable[[np.random.Generator], float], units: int) -> Interval | None:
    if units < FEWEST:
        return None
    source = np.random.default_rng(_SEED)
    return interval(np.array([again(source) for _ in range(RESAMPLES)]))
