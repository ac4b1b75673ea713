"""What the kernel knows besides the batch: the policy, what members say of themselves, and who is suppressed.

Invariants: a ``Rules`` is a value, as of one register checkpoint and one day; it is picklable, and the same value in
any process gives the same answer for the same item.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.identity import Pairs, Pepper, SubjectKeys, grown
from demur.kernel.facts import Facts, Known
from demur.policy import Policy
from demur.suppression.keyset import KeySet

Bools = npt.NDArray[np.bool_]

EPOCH: Final = date(1970, 1, 1)
_NOBODY: Final = KeySet(np.empty(0, np.int64))


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
    spelt_otherwise: "tuple[KeySet, KeySet]" = field(default=(_NOBODY, _NOBODY), repr=False)
    """Keys of a batch that another spelling shows to be of an objector, and of a minor; see :meth:`covering`."""

    def is_objector(self, subjects: SubjectKeys) -> Bools:
        """For each subject key, shape (n,): whether an objection covers it, by any spelling."""
        return np.asarray(self.objected.contains(subjects) | self.spelt_otherwise[0].contains(subjects))

    def is_minor(self, subjects: SubjectKeys) -> Bools:
        """For each subject key, shape (n,): whether it is of a known minor, by any spelling."""
        return np.asarray(self.minors.contains(subjects) | self.spelt_otherwise[1].contains(subjects))

    def is_withheld(self, subjects: SubjectKeys) -> Bools:
        """For each subject key, shape (n,): whether that account's traces are removed from others' items."""
        return np.asarray(self.is_objector(subjects) | self.is_minor(subjects))

    def covering(self, pairs: Pairs) -> "Rules":
        """The rules for a batch in which keys have other spellings: an exact key is covered by any of its others.

        What the register knows of these pairs is in the rules already; this is what it is yet to be told.
        """
        if not len(pairs):
            return self
        exact, other = pairs.T
        both = KeySet(exact[self.objected.contains(other)]), KeySet(exact[self.minors.contains(other)])
        return replace(self, spelt_otherwise=both)


def compile_rules(policy: Policy, pepper: Pepper, known: Known, now: datetime | None = None) -> Rules:
    """The rules of what is known at one moment."""
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    young = known.facts.keys[under_age(known.facts.birth_year, policy.door.minimum_age, today)]
    return Rules(
        policy=policy,
        pepper=pepper,
        facts=known.facts,
        objected=KeySet(known.suppressed),
        minors=KeySet(grown(known.alike, young)),
        today=today,
    )


def under_age(birth_years: npt.NDArray[np.int16], minimum_age: int, today: date) -> Bools:
    """Who may still be under ``minimum_age``: with only a year known, the last day of that year is assumed."""
    known = birth_years > 0
    return np.asarray(known & (today.year - birth_years.astype(np.int32) <= minimum_age))


def start_of(day: date) -> datetime:
    """Midnight UTC of a day."""
    return datetime.combine(day, time.min, tzinfo=UTC)
