"""What members of the synthetic community write: sentences put together from the parts in ``languages.toml``.

Invariants: everything here is a pure function of a 64-bit number, so that any sentence can be written again without
being kept; no sentence holds a digit, an ``@`` or an address, so that identifiers stand only where they were put.
"""

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

_WORD: Final = (1 << 64) - 1
_SYLLABLES: Final = tuple(first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou")
_LETTERS: Final = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe"})

Parts = tuple[tuple[str, ...], tuple[str, ...]]
T = TypeVar("T")


def mix(*numbers: int) -> int:
    """A well-spread 64-bit number made from others (the finaliser of SplitMix64); the same everywhere."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state ^ number) * 0xBF58476D1CE4E5B9 & _WORD
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _WORD
        state ^= state >> 31
    return state


def coined(number: int) -> str:
    """A word of nobody's, one of 24 million: the name of a thing or a place."""
    parts = (_SYLLABLES[(number >> 16 * which) % len(_SYLLABLES)] for which in range(4))
    return "".join(parts).capitalize()


class Draw(Generic[T]):
    """Things to draw from, each with its share; the sums are made once, because a community draws often."""

    def __init__(self, shares: Mapping[T, int]) -> None:
        self._values = tuple(shares)
        self._sums = tuple(accumulate(shares.values()))

    def one(self, rng: Random) -> T:
        """One of them."""
        return rng.choices(self._values, cum_weights=self._sums)[0]


@dataclass(frozen=True)
class Naming:
    """How people are named without markup; each sentence takes the name at {x}, but for two traps."""

    hello: str
    """Addresses whom an item answers."""
    told: str
    """Takes a full name as it is."""
    whose: str
    """Takes a full name in another case."""
    wrote: str
    """Takes a surname."""
    ask: str
    """Takes the name of an account."""
    other: str
    """A trap: {given} of somebody here is another person's, whose surname stands behind it."""
    place: str
    """A trap: {surname} of somebody here in the name of a street or a firm."""
    nicks: tuple[str, ...]
    """What people sign with who have another name in their profile."""
    cases: tuple[tuple[str, str, str], ...]
    """Ending, and the ones that a given name and a surname have instead; the first that fits counts."""

    def inflected(self, name: str) -> str:
        """A full name as `whose` takes it."""
        given, _, family = name.partition(" ")
        return f"{self._case(given, 1)} {self._case(family, 2)}"

    def _case(self, word: str, which: int) -> str:
        found = next((case for case in self.cases if word.endswith(case[0])), ("", "", ""))
        return word.removesuffix(found[0]) + found[which]


@dataclass(frozen=True)
class Language:
    """One language of the community: its share, its regions, its sentence parts and its name parts."""

    tag: str
    """BCP 47."""
    weight: int
    """Members who write it, relative to the other languages."""
    regions: tuple[str, ...]
    """Where its members live (ISO 3166-1 alpha-2), one entry per share."""
    sentence: tuple[str, ...]
    a: tuple[str, ...]
    p: tuple[str, ...]
    t: tuple[str, ...]
    tail: tuple[str, ...]
    to: str
    """Addresses someone, {x}."""
    said: str
    """Introduces a quote."""
    contact: str
    """Gives an address, {x}."""
    edit: str
    """What an edit adds."""
    given: Parts
    family: Parts
    given_latin: Parts
    family_latin: Parts
    near: str
    """A place {p} near a coined one, {x}."""
    thing: str = "{a} {x}"
    """A thing {a} with its coined name, {x}."""
    naming: Naming | None = None
    """None where people are named by markup alone."""

    def body(self, number: int) -> str:
        """Two sentences, the same for the same ``number``, and no eight words in a row that another number gives."""
        here, there, third = (coined(mix(number, which)) for which in range(3))
        number, sentence = divmod(number, len(self.sentence))
        number, a = divmod(number, len(self.a))
        number, p = divmod(number, len(self.p))
        number, t = divmod(number, len(self.t))
        thing, place = self.thing.format(a=self.a[a], x=here), self.near.format(p=self.p[p], x=there)
        main = self.sentence[sentence].format(a=thing, p=place, t=self.t[t])
        return self.join(main[0].upper() + main[1:], f"{third}?", self.tail[number % len(self.tail)])

    def essay(self, number: int) -> str:
        """Four sentences, as :meth:`body`."""
        return self.join(self.body(mix(number, 3)), f"{coined(mix(number, 4))}!", self.body(mix(number, 5)))

    def join(self, *sentences: str) -> str:
        """Sentences one after the other."""
        return " ".join(sentences)

    def name(self, number: int) -> tuple[str, str]:
        """A display name, and the same name in the small Latin letters of a handle: ``given_family``."""
        picks = [number >> shift for shift in (0, 16, 32, 48)]
        given, family = _pick(self.given, picks[:2]), _pick(self.family, picks[2:])
        plain = _pick(self.given_latin, picks[:2]), _pick(self.family_latin, picks[2:])
        return f"{given} {family}", "_".join(map(_latin, plain))


def _pick(parts: Parts, numbers: Sequence[int]) -> str:
    return "".join(part[number % len(part)] for part, number in zip(parts, numbers, strict=True))


def _latin(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha()).lower()


@cache
def languages() -> tuple[Language, ...]:
    """The dozen languages, in the order of the file."""
    table = tomllib.loads(files(__package__).joinpath("languages.toml").read_text("utf-8"))
    return tuple(_language(tag, parts) for tag, parts in table.items())


@cache
def by_tag() -> dict[str, Language]:
    """The dozen languages, by their tags."""
    return {language.tag: language for language in languages()}


def _language(tag: str, parts: dict[str, object]) -> Language:
    whole = {"given_latin": parts["given"], "family_latin": parts["family"], **parts}
    found = {name: _frozen(value) for name, value in whole.items()}
    if isinstance(naming := found.pop("naming", None), dict):
        found["naming"] = Naming(**{name: _frozen(value) for name, value in naming.items()})  # type: ignore[arg-type]  # the same
    return Language(tag=tag, **found)  # type: ignore[arg-type]  # our own file; a test reads every part


def _frozen(value: object) -> object:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
