"""Counts that others may see: none by which few people can be told.

Invariants: a count from 1 to 9 is not shown; nor can it be had as a difference: what is not shown of one table amounts
to ten or more together, and what is compared with a count that is shown exactly is rounded to tens.
"""

from collections.abc import Mapping
from typing import Final

FEWEST: Final = 10
HIDDEN: Final = f"fewer than {FEWEST}"


def shown(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Counts whose total is known; None for each that is not shown, by number and then by name.

    Where what is hidden would follow from the total, the smallest that could be shown is hidden, too.
    """
    order = sorted(counts, key=lambda name: (counts[name], name))
    hidden = [name for name in order if 0 < counts[name] < FEWEST]
    for name in order:
        if not hidden or sum(counts[each] for each in hidden) >= FEWEST:
            break
        if counts[name] >= FEWEST:
            hidden.append(name)
    by_number = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: None if name in hidden else counts[name] for name in by_number}


def rounded(count: int) -> int | None:
    """A count to the nearest ten; None from 1 to 9."""
    if 0 < count < FEWEST:
        return None
    return (count + FEWEST // 2) // FEWEST * FEWEST


def told(count: int | None) -> str:
    """A count that may be hidden, for people."""
    return HIDDEN if count is None else f"{count:,}"


def alone(count: int) -> str:
    """A count that stands for itself, for people."""
    return told(None if 0 < count < FEWEST else count)
