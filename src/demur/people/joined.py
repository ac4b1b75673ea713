"""The one-word forms of a name of several parts: stevemiller, millersteve, smiller, stevem, obrien."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from demur.people.names import Name, NameRole

_SHORTEST: Final = 5
"""Letters of a joined form: a shorter one is a word by chance."""
_SPELLINGS: Final = 2
"""Of a name that are joined: stevemuller, stevemueller."""
_LAST: Final = frozenset({NameRole.PARTICLE, NameRole.SURNAME})


class Joined(NamedTuple):
    """Forms of several parts in one word, each list sorted; none stands in two of them."""

    whole: list[str]
    """A given name and a surname: stevemiller."""
    short: list[str]
    """One of them but its initial: smiller."""
    given: list[str]
    """Two given names: annemarie."""
    surname: list[str]
    """A surname with its particles, or two: obrien, garciamarquez."""


def joined_forms(name: Name, bases: Sequence[Sequence[str]]) -> Joined:
    """The one-word forms of a name.

    Args:
        name: as it was read.
        bases: for each part its spellings, folded, the first as it is written.
    """
    whole: set[str] = set()
    short: set[str] = set()
    given: set[str] = set()
    surname: set[str] = set()
    for spelling in range(_SPELLINGS):
        words = [base[min(spelling, len(base) - 1)] for base in bases]
        firsts, lasts = _firsts(name, words), _lasts(name, words)
        pairs = [(first, last) for first in firsts for last in lasts]
        both = [pair for pair in pairs if min(map(len, pair)) > 1]
        whole |= {joined for first, last in both for joined in (first + last, last + first)}
        given |= {*firsts}
        surname |= {*lasts}
        short |= {joined for first, last in both for joined in (first[0] + last, first + last[0])}
    alone = {form for base in bases for form in base}
    given, surname = given - alone, surname - given - alone
    whole -= given | surname | alone
    return Joined(*map(_long, (whole, short - whole - given - surname - alone, given, surname)))


def _firsts(name: Name, words: Sequence[str]) -> list[str]:
    """The given name, and what it is with the one after it: anne, annemarie."""
    at = next((at for at, part in enumerate(name.parts) if part.role is NameRole.GIVEN), None)
    if at is None:
        return []
    double = at + 1 < len(words) and name.parts[at + 1].role is NameRole.MIDDLE
    return [words[at], *([words[at] + words[at + 1]] if double else [])]


def _lasts(name: Name, words: Sequence[str]) -> list[str]:
    """Each surname, with the particles right before it, and all of it: miller, obrien, garciamarquez."""
    found: list[str] = []
    before = ""
    for part, word in zip(name.parts, words, strict=True):
        if part.role is NameRole.SURNAME:
            found += [word, before + word]
        before = before + word if part.role is NameRole.PARTICLE else ""
    whole = "".join(word for part, word in zip(name.parts, words, strict=True) if part.role in _LAST)
    return list(dict.fromkeys([*found, whole])) if found else []


def _long(forms: Iterable[str]) -> list[str]:
    return sorted(form for form in forms if len(form) >= _SHORTEST)
