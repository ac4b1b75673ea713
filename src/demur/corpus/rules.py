"""What the kernel knows besides the batch: the policy, what members say of themselves, and who is suppressed.

Invariants: a ``Rules`` is a value, as of one register checkpoint and one day; it is picklable, and the same value in
any process gives the same answer for the same item.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.identity import Pepper, SubjectKeys
from demur.policy import Policy
from demur.register import Facts, Snapshot
from demur.suppression.keyset import KeySet

Bools = npt.NDArray[np.bool_]

EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Rules:
    """Everything that decides about an item."""

    policy: Policy
    """The controller's declared choices, as read from demur.toml."""
    pepper: Pepper = field(repr=False)
    """Keys the identifiers of incoming items."""
    facts: Facts = field(repr=False)
    """Region, birth year, told-on day and consent by subject key."""
    objected: KeySet
    """Every account of every person with an objection in force."""
    minors: KeySet
    """Every account that is known to be under age; their traces are withheld like an objector's."""
    today: date
    """The day (UTC) on which ages and notice periods are counted."""

    def is_withheld(self, subjects: SubjectKeys) -> Bools:
        """For each subject key, shape (n,): whether that account's traces are removed from others' items."""
        return np.asarray(self.objected.contains(subjects) | self.minors.contains(subjects))


def compile_rules(policy: Policy, pepper: Pepper, snapshot: Snapshot, now: datetime | None = None) -> Rules:
    """The rules as of one consistent reading of the register."""
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    return Rules(
        policy=policy,
        pepper=pepper,
        facts=snapshot.facts,
        objected=KeySet(snapshot.suppressed),
        minors=KeySet(snapshot.facts.keys[under_age(snapshot.facts.birth_year, policy.door.minimum_age, today)]),
        today=today,
    )


def under_age(birth_years: npt.NDArray[np.int16], minimum_age: int, today: date) -> Bools:
    """Who may still be under ``minimum_age``: with only a year known, the last day of that year is assumed."""
    known = birth_years > 0
    return np.asarray(known & (today.year - birth_years.astype(np.int32) <= minimum_age))


def start_of(day: date) -> datetime:
    """Midnight UTC of a day."""
    return datetime.combine(day, time.min, tzinfo=UTC)
