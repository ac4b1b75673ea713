"""After which steps there is a checkpoint: where objections are likely to land, they stand close.

Replay begins at the checkpoint before a person's first row. What that adds is, for each stretch between checkpoints,
the hazard of all who begin in it times the tokens that lie in it, at most; equal products make the least sum, so that
the distance follows the root of hazard per token.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demur.training.config import Hazard
from demur.training.filling import Plan
from demur.training.order import rates, tokens_of

_ROUNDS = 60
"""Halvings of the bound until it is as good as exact."""


def checkpoint_steps(plan: Plan, hazard: Sequence[Hazard], most: int) -> list[int]:
    """The steps before which there is a checkpoint, ascending, without 0 and the end; at most ``most``."""
    if plan.steps < 2 or most < 1:  # noqa: PLR2004  # one step has a base and an end, and nothing between
        return []
    mass, tokens = mass_of_steps(plan, hazard)
    low, high = 0.0, float(mass.sum()) * float(tokens.sum()) + 1.0
    found = _marks(mass, tokens, high)
    for _ in range(_ROUNDS):
        bound = (low + high) / 2
        marks = _marks(mass, tokens, bound)
        if len(marks) > most:
            low = bound
        else:
            high, found = bound, marks
    return found


def mass_of_steps(plan: Plan, hazard: Sequence[Hazard]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The hazard of all whose first row stands in each step, and the step's tokens; shape (steps,) both.

    Where nobody stands in any, as in a base, the tokens stand for the hazard: the distances are even.
    """
    rows = plan.rows
    persons, own = tokens_of(rows.people, rows.tokens)
    first = np.full(len(persons), plan.steps)
    np.minimum.at(first, np.searchsorted(persons, rows.people.flat), plan.step[rows.people.owner])
    mass = np.bincount(first, rates(own, hazard), plan.steps).astype(np.float64)
    tokens = np.bincount(plan.step, rows.tokens, plan.steps).astype(np.float64)
    return (mass if mass.any() else tokens), tokens


def _marks(mass: npt.NDArray[np.float64], tokens: npt.NDArray[np.float64], bound: float) -> list[int]:
    """The steps before which a product would pass the bound."""
    found, begun, passed = [], 0.0, 0.0
    for step, (more, length) in enumerate(zip(mass.tolist(), tokens.tolist(), strict=True)):
        if step and passed and (begun + more) * (passed + length) > bound:
            found.append(step)
            begun = passed = 0.0
        begun, passed = begun + more, passed + length
    return found
