"""The story of the demo: what happens between the imports, in its order.

Invariants: the same community has the same story; whoever withdraws objected in an earlier chapter; an account that
is linked late belongs to somebody who objected with another; nobody objects who copied others' words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from demur.demo.community import Community
from demur.demo.copying import copies
from demur.demo.items import Wave
from demur.demo.people import SOURCES, Person

MOST_OBJECTIONS: Final = 80
CHANNELS: Final = ("portal", "mail", "letter", "ticket")


@dataclass(frozen=True)
class Members:
    """The platform sends its member table, or what it corrects in it."""

    corrections: bool


@dataclass(frozen=True)
class Import:
    """One source is read."""

    source: str
    wave: Wave


@dataclass(frozen=True)
class Object:
    """A person objects, with one or more of their accounts (Art. 21 GDPR)."""

    accounts: tuple[str, ...]
    channel: str


@dataclass(frozen=True)
class Withdraw:
    """A person takes their objection back."""

    objection: int
    """Which one, counted from 0 in the order of the story."""


@dataclass(frozen=True)
class Link:
    """Two accounts turn out to be one person's."""

    first: str
    second: str


@dataclass(frozen=True)
class Publish:
    """A version is published."""

    name: str


_SAY_ALL: Final = 0.3
"""How many objectors give all their accounts themselves."""

Step = Members | Import | Object | Withdraw | Link | Publish


@dataclass(frozen=True)
class _Chapter:
    wave: Wave | None
    objections: int
    """Of MOST_OBJECTIONS, as are the next two."""
    links: int = 0
    withdrawals: int = 0
    publish: str | None = None
    corrections: bool = False


_CHAPTERS: Final = (
    _Chapter(None, objections=4),
    _Chapter(Wave.FIRST, objections=24, publish="v1"),
    _Chapter(Wave.MORE, objections=26, links=4, withdrawals=6, publish="v2", corrections=True),
    _Chapter(Wave.AGAIN, objections=18, links=2, withdrawals=4),
    _Chapter(Wave.CHANGES, objections=8, publish="v3"),
)


def story(community: Community) -> Iterator[Step]:
    """Everything that happens, step by step; it begins with the member table and ends with a version."""
    yield Members(corrections=False)
    teller = _Teller(community)
    for chapter in _CHAPTERS:
        if chapter.wave is not None:
            yield from (Import(source, chapter.wave) for source in SOURCES)
        yield from teller.between(chapter)
        if chapter.publish is not None:
            yield Publish(chapter.publish)
        if chapter.corrections:
            yield Members(corrections=True)


class _Teller:
    """Remembers who objected, who may still withdraw, and whose other account is not known yet."""

    def __init__(self, community: Community) -> None:
        self._rng = Random(f"{community.seed}/story")  # noqa: S311  # a repeatable invention, no secret
        self._share = min(1.0, len(community.people) / (12 * MOST_OBJECTIONS))
        self._open: list[int] = []
        self._unlinked: list[Person] = []
        self._count = 0
        self._next = iter(self._objectors(community))

    def between(self, chapter: _Chapter) -> list[Step]:
        """What people do after an import, in random order."""
        steps: list[Step] = [self._withdrawal() for _ in range(self._scaled(chapter.withdrawals))]
        links = [self._unlinked.pop() for _ in range(min(chapter.links, len(self._unlinked)))]
        steps += [Link(*person.accounts[:2]) for person in links]
        self._rng.shuffle(steps)
        objectors = [next(self._next) for _ in range(self._scaled(chapter.objections))]
        for person in objectors:
            steps.insert(self._rng.randint(0, len(steps)), self._objection(person))
        self._unlinked += [person for person in objectors if _hidden(person)]
        objections = [step for step in steps if isinstance(step, Object)]
        self._open += range(self._count, self._count + len(objections))
        self._count += len(objections)
        return steps

    def _scaled(self, number: int) -> int:
        return round(number * self._share) or min(number, 1)

    def _withdrawal(self) -> Withdraw:
        return Withdraw(self._open.pop(self._rng.randrange(len(self._open))))

    def _objection(self, person: Person) -> Object:
        accounts = person.accounts if person.linked and self._rng.random() < _SAY_ALL else person.accounts[:1]
        return Object(accounts, self._rng.choice(CHANNELS))

    def _objectors(self, community: Community) -> Iterator[Person]:
        """Half at random, half among those most talked about; some with accounts nobody linked yet, two strangers."""
        rng = self._rng
        people = [person for person in community.people if not copies(person, community.today)]
        hidden = [person for person in people if _hidden(person)]
        anybody = rng.sample(people, len(people))
        known = people[: len(people) // 5]
        rng.shuffle(known)
        turns = [anybody, known, anybody, known, hidden, anybody, known, anybody]
        seen: set[int] = set()
        for turn in range(len(people)):
            queue = turns[turn % len(turns)]
            if turn in {10, 40}:
                yield community.strangers[turn % len(community.strangers)]
            while queue:
                person = queue.pop()
                if person.index not in seen:
                    seen.add(person.index)
                    yield person
                    break


def _hidden(person: Person) -> bool:
    """Whether they have accounts that the member table does not link."""
    return len(person.accounts) > 1 and not (person.linked and person.member)
