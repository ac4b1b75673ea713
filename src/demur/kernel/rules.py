"""What the kernel knows besides the batch: the policy, what members say of themselves, and who is suppressed.

Invariants: a ``Rules`` is a value, as of one register checkpoint and one day; it is picklable, and the same value in
any process gives the same answer for the same item. What is said of people are plain records, filled by whoever keeps
the register; every array of subject keys is int64, shape (n,), sorted and without duplicates.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from demur.identity import Pairs, Pepper, SubjectKeys, grown
from demur.people.context import Pairs as Cleared
from demur.people.context import holds, no_pairs
from demur.policy import Policy
from demur.suppression.keyset import KeySet
from demur.words.keys import WordKeys

if TYPE_CHECKING:  # who knows of neither loads neither
    from demur.people.index import PeopleIndex
    from demur.suppression.copies import Copies

NEVER: Final = 2**31 - 1
"""The `told_on` of a member whom no notice reached: a day that never comes."""

Bools = npt.NDArray[np.bool_]
EPOCH: Final = date(1970, 1, 1)
_NOBODY: Final = KeySet(np.empty(0, np.int64))


@dataclass(frozen=True, eq=False)
class Facts:
    """What members say of themselves, as far as the door asks for it: five columns of n rows, sorted by key."""

    keys: SubjectKeys
    region: npt.NDArray[np.bytes_]
    """S2, ISO 3166-1 alpha-2; b'' if unknown."""
    birth_year: npt.NDArray[np.int16]
    """0 if unknown."""
    told_on: npt.NDArray[np.int32]
    """Days since 1970-01-01 of the first notice; NEVER if none is known."""
    consented: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Known:
    """Who may not be used, and what is known of everybody else, at one moment."""

    suppressed: SubjectKeys
    """Every account of every person with a binding objection, by every spelling."""
    facts: Facts
    alike: Pairs = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """Keys that are spellings of one account."""


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

    people: "PeopleIndex | None" = field(default=None, repr=False)
    """The names of withheld people; None where none are looked for."""
    copies: "Copies | None" = field(default=None, repr=False)
    """What withheld people wrote, as fingerprints; None where no copies are looked for."""
    cleared: Cleared = field(default_factory=no_pairs, repr=False)
    """Items (the first 8 bytes of their keys) and people of whom an officer said that the item does not mean them."""

    @property
    def reads_words(self) -> bool:
        """Whether anything is looked for in the words of texts."""
        return self.people is not None or self.copies is not None

    @property
    def word_keys(self) -> WordKeys:
        """Keys the words of texts."""
        return WordKeys(self.pepper.secret)

    def is_cleared(self, items: SubjectKeys, subjects: SubjectKeys) -> Bools:
        """For each item and subject key, shape (n,): whether an officer said that the one does not mean the other."""
        return holds(self.cleared, items, subjects)

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
    """The rules of what is known at one moment, but for withheld people's words."""
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
