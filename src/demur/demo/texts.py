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


class Draw(Generic[T]):
    """Things to draw from, each with its share; the sums are made once, because a community draws often."""

    def __init__(self, shares: Mapping[T, int]) -> None:
        self._values = tuple(shares)
        self._sums = tuple(accumulate(shares.values()))

    def one(self, rng: Random) -> T:
        """One of them."""
        return rng.choices(self._values, cum_weights=self._sums)[0]


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

    def body(self, number: int) -> str:
        """Two sentences, the same for the same ``number``."""
        number, sentence = divmod(number, len(self.sentence))
        number, a = divmod(number, len(self.a))
        number, p = divmod(number, len(self.p))
        number, t = divmod(number, len(self.t))
        main = self.sentence[sentence].format(a=self.a[a], p=self.p[p], t=self.t[t])
        return self.join(main[0].upper() + main[1:], self.tail[number % len(self.tail)])

    def join(self, *sentences: str) -> str:
        """Sentences one after the other; Japanese puts no space between them."""
        return ("" if self.tag == "ja" else " ").join(sentences)

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
    return Language(tag=tag, **{name: _frozen(value) for name, value in whole.items()})  # type: ignore[arg-type]  # our own file; a test reads every part


def _frozen(value: object) -> object:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
