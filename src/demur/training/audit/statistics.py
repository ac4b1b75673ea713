"""What scores of people come to: how well an attack tells members from those held out, with intervals over persons.

A score is one number a person, the higher the more it speaks for a member. Intervals are percentiles of a bootstrap:
members and those held out are drawn anew with replacement, each group by itself, so that the unit is the person.

Invariants: pure functions of scores and a seed; ties count half for an AUC, and against the attack for a rate; with few
persons there is no interval, and the figure says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.figure import Curve, Figure

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

RESAMPLES: Final = 1000
FEWEST: Final = 20
"""Persons of a group below which no interval is given."""
LOW_RATES: Final = ((0.01, 100), (0.001, 10_000))
"""False positive rates at which the true positive rate is given, and how many held out each needs."""
_FEW_AT_LOW_RATES: Final = 1000
"""Held out below which a rate at 1 % is said to hang on a few persons: ten are above the threshold."""
_SIDES: Final = (0.025, 0.975)
_AT_ONCE: Final = 4_000_000
"""Numbers of one array of resamples."""
_MOST_POINTS: Final = 200
"""Of a curve."""


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one attack."""

    members: Floats
    """Of people whose rows the model was trained on, shape (n,)."""
    held: Floats
    """Of people who were held out, shape (m,)."""

    def __post_init__(self) -> None:
        assert all(np.isfinite(each).all() and len(each) for each in (self.members, self.held))

    @property
    def persons(self) -> int:
        """How many people there are."""
        return len(self.members) + len(self.held)

    def of(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Scores":
        """The same with some of the members."""
        return replace(self, members=self.members[which])


@dataclass(frozen=True, eq=False)
class Resampled:
    """What the bootstrap gave, one number a resample."""

    auc: Floats
    """Shape (resamples,)."""
    rates: Floats
    """True positive rates, shape (resamples, rates asked for)."""


def wins(scores: Scores) -> Floats:
    """For each member the share of those held out who score lower, ties half; their mean is the AUC; shape (n,)."""
    held = np.sort(scores.held)
    below, upto = (np.searchsorted(held, scores.members, side) for side in ("left", "right"))
    return np.asarray((below + upto) / (2 * len(held)), np.float64)


def auc(scores: Scores) -> float:
    """The chance that a member drawn at random scores higher than somebody held out (Mann-Whitney), ties half."""
    return float(wins(scores).mean())


def true_rate(scores: Scores, false_rate: float) -> float:
    """The share of members above the lowest threshold that at most such a share of those held out is above."""
    held = np.sort(scores.held)
    return float((scores.members > held[len(held) - 1 - _allowed(false_rate, len(held))]).mean())


def false_rate(scores: Scores, true_rate: float) -> float:
    """The share of those held out who score at least as high as the lowest of so large a share of members."""
    members = np.sort(scores.members)
    lowest = members[len(members) - max(1, round(true_rate * len(members)))]
    return float((scores.held >= lowest).mean())


def roc(scores: Scores) -> Curve:
    """The rates at each threshold, from the highest score down, thinned out to what a picture shows."""
    thresholds = np.unique(np.concatenate([scores.members, scores.held]))[::-1]
    members, held = np.sort(scores.members), np.sort(scores.held)
    up = 1 - np.searchsorted(members, thresholds, "left") / len(members)
    across = 1 - np.searchsorted(held, thresholds, "left") / len(held)
    points = np.unique(np.stack([across, up], axis=1), axis=0)
    if len(points) > _MOST_POINTS:  # dense where the false positive rate is low
        at = np.unique(np.geomspace(1, len(points), _MOST_POINTS).astype(int) - 1)
        points = points[at]
    found = [(0.0, 0.0), *((float(x), float(y)) for x, y in points)]
    return Curve("roc", "false positive rate", "true positive rate", list(dict.fromkeys(found)))


def resampled(scores: Scores, seed: int, rates: Sequence[float] = (), resamples: int = RESAMPLES) -> Resampled:
    """AUC and true positive rates of resamples of the persons.

    Args:
        scores: of n members and m held out.
        seed: of the draws.
        rates: false positive rates at which the true positive rate is wanted.
        resamples: how many.
    """
    members, held = np.sort(scores.members), np.sort(scores.held)
    left, right = (np.searchsorted(members, held, side) for side in ("left", "right"))
    aucs, found = [], []
    for drawn, other in _drawn(len(members), len(held), np.random.default_rng(seed), resamples):
        below = np.concatenate([np.zeros((len(drawn), 1), np.int64), drawn.cumsum(axis=1)], axis=1)  # (b, n + 1)
        upto = below[:, right]
        won = len(members) - (upto + below[:, left]) / 2
        aucs.append((won * other).sum(axis=1) / (len(members) * len(held)))
        above = other[:, ::-1].cumsum(axis=1)
        lines = np.arange(len(drawn))
        each = []
        for rate in rates:
            at = len(held) - 1 - np.argmax(above > _allowed(rate, len(held)), axis=1)
            each.append(1 - below[lines, right[at]] / len(members))
        found.append(np.stack(each, axis=1) if each else np.zeros((len(drawn), 0)))
    return Resampled(np.concatenate(aucs), np.concatenate(found))


def interval(values: Floats) -> tuple[float, float]:
    """The middle 95 % of resamples."""
    low, high = np.quantile(values, _SIDES)
    return float(low), float(high)


def groups(scores: Scores) -> str:
    """How many of each there are, as a note says it."""
    return f"{len(scores.members):,} members, {len(scores.held):,} held out"


def auc_figure(scores: Scores, seed: int, name: str = "auc", note: str = "") -> Figure:
    """The AUC with its interval, or why it has none."""
    low_high, why = None, _too_few(scores)
    if not why:
        low_high = interval(resampled(scores, seed).auc)
    said = "; ".join(each for each in (groups(scores), note, why) if each)
    return Figure(name, auc(scores), "AUC", scores.persons, "persons", low_high, said)


def figures(scores: Scores, seed: int) -> list[Figure]:
    """What is told of every attack that scores people: AUC, rates where they are low, and who is most exposed."""
    rates = [rate for rate, needed in LOW_RATES if len(scores.held) >= needed]
    few = _too_few(scores)
    draws = None if few else resampled(scores, seed, rates)
    found = [
        Figure(
            "auc",
            auc(scores),
            "AUC",
            scores.persons,
            "persons",
            None if draws is None else interval(draws.auc),
            "; ".join(each for each in (groups(scores), few) if each),
        )
    ]
    for rate, needed in LOW_RATES:
        name = f"tpr_at_{rate:g}"
        if rate not in rates:
            why = f"asks for {needed:,} held out, and there are {len(scores.held):,}"
            found.append(Figure(name, None, "share of members", scores.persons, "persons", None, why))
            continue
        low_high = None if draws is None else interval(draws.rates[:, rates.index(rate)])
        hangs = len(scores.held) < _FEW_AT_LOW_RATES
        note = f"hangs on {_allowed(rate, len(scores.held)) + 1} of those held out" if hangs else ""
        said = "; ".join(each for each in (note, few) if each)
        value = true_rate(scores, rate)
        found.append(Figure(name, value, "share of members", scores.persons, "persons", low_high, said))
    return [*found, _most_exposed(scores, seed)]


def _most_exposed(scores: Scores, seed: int) -> Figure:
    """How many of those held out pass for one of the tenth of members that the attack is surest of."""
    name, unit, few = "fpr_at_worst_decile", "share of those held out", _too_few(scores)
    note = "of those held out, who score as high as the tenth of members that scores highest; a tenth by chance"
    value = false_rate(scores, 0.1)
    if few:
        return Figure(name, value, unit, scores.persons, "persons", None, f"{note}; {few}")
    random = np.random.default_rng(seed)
    draws = [
        false_rate(Scores(random.choice(scores.members, len(scores.members)), held), 0.1)
        for held in (random.choice(scores.held, len(scores.held)) for _ in range(RESAMPLES))
    ]
    return Figure(name, value, unit, scores.persons, "persons", interval(np.array(draws)), note)


def _too_few(scores: Scores) -> str:
    """Why there is no interval; "" where there is one."""
    if min(len(scores.members), len(scores.held)) >= FEWEST:
        return ""
    return f"too few persons for an interval, which asks for {FEWEST} of each"


def _allowed(rate: float, held: int) -> int:
    """How many of those held out may be above the threshold."""
    return min(int(rate * held + 1e-9), held - 1)


def _drawn(members: int, held: int, random: np.random.Generator, resamples: int) -> Iterator[tuple[Counts, Counts]]:
    """How often each person is drawn, shape (b, n) and (b, m), until there are enough resamples."""
    at_once = max(1, _AT_ONCE // (members + held))
    for begin in range(0, resamples, at_once):
        b = min(at_once, resamples - begin)
        yield _times(random, b, members), _times(random, b, held)


def _times(random: np.random.Generator, lines: int, people: int) -> Counts:
    drawn = random.integers(0, people, (lines, people)) + people * np.arange(lines)[:, None]
    return np.bincount(drawn.ravel(), minlength=lines * people).reshape(lines, people)
