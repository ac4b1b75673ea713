"""The synthetic community: people in a dozen languages and thirty items of each, made from a seed.

Invariants: every item is a pure function of (seed, person, slot, day), so that nothing has to be kept: waves are
streamed, and the ground truth writes an item again when it wants to see it; a quote copies another item's words
exactly; nobody real is named.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from typing import Final, Self

import pyarrow as pa

from demur.demo import people
from demur.demo.items import Fate, Item, Wave, batches
from demur.demo.people import Person, member_batches
from demur.demo.texts import mix
from demur.demo.writing import SLOTS, Writer
from demur.terms import Kind

SEED: Final = 21
"""The default: Art. 21 GDPR."""
STRANGERS: Final = 12
"""People without an account whom members write about."""

_CACHED: Final = 1 << 16
_LATE, _TWICE = 11, 12
"""Which of a slot's numbers: each use has its own."""


@dataclass(frozen=True, eq=False)
class Community:
    """Everybody, and the way to write everything they wrote."""

    seed: int
    today: date
    people: tuple[Person, ...] = field(repr=False)
    strangers: tuple[Person, ...] = field(repr=False)

    @classmethod
    def generate(cls, people: int = 2000, seed: int = SEED, today: date | None = None) -> Self:
        """A community of ``people`` members, each with ``len(SLOTS)`` items, as of ``today`` (UTC)."""
        day = today or datetime.now(UTC).date()
        return cls(seed, day, tuple(_members(people, seed, day)), tuple(_strangers(seed)))

    def __len__(self) -> int:
        """How many items there are."""
        return len(self.people) * len(SLOTS)

    def item(self, person: int, slot: int) -> Item:
        """The first reading of an item."""
        return self._written(person, slot)

    def account(self, person: int, slot: int) -> str:
        """The account that wrote an item, also where the source does not say it."""
        return self._writer.account(person, slot)

    def body(self, person: int, slot: int) -> str:
        """An item's own words, which others may quote."""
        return self._writer.body(person, slot)

    def everything(self) -> Iterator[Item]:
        """The first reading of every item, person by person."""
        return (self.item(person, slot) for person in range(len(self.people)) for slot in range(len(SLOTS)))

    def readings(self, wave: Wave, source: str | None = None) -> Iterator[Item]:
        """What an import of one source (of all, if none is named) reads, in its order.

        The wave MORE begins with older readings of items that follow later: the last reading of an import counts.
        """
        if wave is Wave.MORE:
            yield from self.drafts(source)
        yield from self.last_readings(wave, source)

    def last_readings(self, wave: Wave, source: str | None = None) -> Iterator[Item]:
        """What an import reads, each item once, as it is read last."""
        for person, slot in self._slots(source):
            if included(item := self.item(person, slot), wave, self.seed):
                yield item.as_of(wave)

    def drafts(self, source: str | None = None) -> Iterator[Item]:
        """The older readings with which the wave MORE begins."""
        for person, slot in self._slots(source):
            if twice(self.seed, person, slot):
                yield replace(self.item(person, slot), pieces=self._writer.draft(person, slot))

    def batches(self, wave: Wave, source: str | None = None) -> Iterator[pa.RecordBatch]:
        """What an import of one source (of all, if none is named) reads, as batches of terms.ITEM."""
        return batches(self.readings(wave, source))

    def members(self, *, corrections: bool = False) -> Iterator[pa.RecordBatch]:
        """The member table, or only those of whom the platform later says something else."""
        return member_batches(iter(self.corrections() if corrections else self.people))

    def corrections(self) -> tuple[Person, ...]:
        """Those of whom the platform later says something else, as it then says it."""
        changed = ((person, people.corrected(person, self.today)) for person in self.people)
        return tuple(after for before, after in changed if after != before)

    def kinds(self) -> dict[Kind, int]:
        """How many items there are of each kind."""
        return {kind: SLOTS.count(kind) * len(self.people) for kind in Kind}

    def identifiers(self) -> Iterator[str]:
        """Every account, handle, mail address and profile URL: what no corpus, version or export may show."""
        for person in (*self.people, *self.strangers):
            yield person.mail
            for account in person.accounts:
                yield from (account, people.handle(account), people.profile_url(account))

    def _slots(self, source: str | None) -> Iterator[tuple[int, int]]:
        for person, who in enumerate(self.people):
            of_source = [source is None or account.startswith(f"{source}:") for account in who.accounts]
            yield from ((person, slot) for slot in range(len(SLOTS)) if of_source[slot % len(of_source)])

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.seed, self.today, self.people, self.strangers)

    @cached_property
    def _written(self) -> Callable[[int, int], Item]:
        return lru_cache(maxsize=_CACHED)(self._writer.item)


def late(seed: int, person: int, slot: int) -> bool:
    """Whether an item comes with the wave MORE; two fifths do."""
    return mix(seed, person, slot, _LATE) % 5 < 2  # noqa: PLR2004  # two fifths


def twice(seed: int, person: int, slot: int) -> bool:
    """Whether the wave MORE holds an item twice, an older reading first."""
    return late(seed, person, slot) and mix(seed, person, slot, _TWICE) % 20 == 0


def included(item: Item, wave: Wave, seed: int) -> bool:
    """Whether a wave reads an item."""
    match wave:
        case Wave.AGAIN:
            return True
        case Wave.CHANGES:
            return item.fate is not Fate.STAYS
        case _:
            return late(seed, item.person, item.slot) is (wave is Wave.MORE)


def _members(count: int, seed: int, today: date) -> Iterator[Person]:
    return (people.member(seed, index, today) for index in range(count))


def _strangers(seed: int) -> Iterator[Person]:
    return (people.stranger(seed, index) for index in range(STRANGERS))
