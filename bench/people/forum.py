"""A synthetic forum in two dozen languages: threads in which people address, sign and speak of each other.

Everything is drawn from the word tables by a seeded generator: the same arguments give the same forum. Names are common
ones combined at random. Objectors stand in ``Forum.people`` with what they declared, and not among its members, whose
display names a platform knows. Posts that an objector wrote are there too, as the witnesses of who takes part: the
scoring leaves them out, since they go whole.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from people.cases import Forum, Person, Post
from people.naming import Character, characters, declared
from people.tables import languages
from people.threads import Thread

LENGTH: Final = (4, 14)
"""Posts of a thread, at least and at most."""
COMMON: Final = ("en", "de", "pl", "cs", "fi", "hu", "el", "lt", "ru")
"""Languages whose threads are twice as frequent, and the first to come in where people are few."""
LEAST: Final = 6
"""People of a language, so that they have someone to talk to."""


@dataclass(frozen=True)
class Cast:
    """Who is on the forum."""

    objectors: list[Character]
    others: list[Character]

    @property
    def taken(self) -> set[str]:
        """The full names that somebody bears or bore, as ``naming.key`` has them."""
        return {name for who in (*self.objectors, *self.others) for name in who.keys}

    def by_language(self) -> dict[str, list[Character]]:
        """Everyone of each language, objectors first."""
        found: dict[str, list[Character]] = {}
        for who in (*self.objectors, *self.others):
            found.setdefault(who.words.language, []).append(who)
        return found


def _with_word_handles(everyone: list[Character], rng: random.Random) -> list[Character]:
    """Give each handle that is a word to one person of a language that has the word."""
    free = {language: sorted(words.word_handles) for language, words in languages().items()}
    taken: set[str] = set()
    found = []
    for who in everyone:
        left = [handle for handle in free[who.words.language] if handle not in taken]
        if not left or rng.random() > 0.5:
            found.append(who)
            continue
        handle = rng.choice(left)
        taken.add(handle)
        found.append(replace(who, word_handle=True, person=replace(who.person, handles=(handle,))))
    return found


def _declaring(who: Character, spellings: int) -> Character:
    """A character as an objector, with the spellings that they declare."""
    former = who.spelled("former") if spellings > 1 else None
    names = declared(who, spellings)
    return replace(who, person=replace(who.person, names=names, former=(former,) if former else ()))


def cast_of(people: int, spellings: int, rng: random.Random) -> Cast:
    """Objectors, and twice as many others, in as many languages as they can fill."""
    count = max(people * 3, people + LEAST)
    order = (*COMMON, *(language for language in languages() if language not in COMMON))
    spoken = order[: max(1, count // LEAST)]
    everyone = _with_word_handles(characters({one: languages()[one] for one in spoken}, count, rng), rng)
    rng.shuffle(everyone)
    return Cast([_declaring(who, spellings) for who in everyone[:people]], everyone[people:])


def _members(others: Sequence[Character], rng: random.Random) -> tuple[Person, ...]:
    """The others whose display name is known: seven of ten, with the full name or the given name alone."""
    known = [who for who in others if rng.random() < 0.7]
    shapes = [rng.choices(("full", "given"), (3, 1))[0] for _ in known]
    return tuple(
        replace(who.person, names=(who.spelled(shape) or "",)) for who, shape in zip(known, shapes, strict=True)
    )


def _lead(cast: Cast, rng: random.Random) -> Character:
    """The person whom a thread is drawn around."""
    group = cast.objectors if cast.objectors and rng.random() < 0.75 else cast.others
    weights = [2 if who.words.language in COMMON else 1 for who in group]
    return rng.choices(group, weights)[0]


def generate(seed: int, posts: int, people: int, spellings: int) -> Forum:
    """Make a forum of as many posts, on which as many people object, each with 0, 1 or up to 5 declared spellings.

    Raises:
        ValueError: Nobody is to object, the tables don't hold as many names, or so many spellings can't be declared.
    """
    if people < 1:
        raise ValueError(f"{people} people can't object: ask for at least 1")
    rng = random.Random(f"{seed}/{posts}/{people}")
    cast = cast_of(people, spellings, rng)
    taken, around = cast.taken, cast.by_language()
    written: list[Post] = []
    number = 0
    while len(written) < posts:
        number += 1
        lead = _lead(cast, rng)
        thread = Thread(number, lead, around[lead.words.language], taken, rng)
        written += thread.posts(min(rng.randint(*LENGTH), posts - len(written)))
    members = _members(cast.others, rng)
    return Forum(tuple(who.person for who in cast.objectors), members, tuple(written))
