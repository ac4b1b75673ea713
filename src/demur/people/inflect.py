"""The forms in which a part of a name may stand in a text.

Invariants: forms are folded and never empty; no form stands in two sets; a part has at most :data:`MOST` forms, and
where there would be more, the less likely are left out. Words of two letters do not change: what their endings make is
a word by chance. A given name changes as in every language whose people bear it: texts inflect it in theirs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from demur.people.lexicon import bearers_of, folded, nicks, small
from demur.people.names import NameRole, Part
from demur.people.paradigms import CYRILLIC, GREEK, LANGUAGES, Use, inflected
from demur.people.scripts import script_of, spellings

MOST: Final = 160
_MOST_NICKS: Final = 12
_MOST_INFLECTED: Final = 64
_MOST_INFLECTED_GIVEN: Final = 110
_MOST_LANGUAGES: Final = 12
"""By whose rules a given name changes; many share theirs."""
_SHORTEST: Final = 2
_LONGEST: Final = 40
"""Letters of a word that changes: a longer one is no name."""
_GIVEN: Final = frozenset({NameRole.GIVEN, NameRole.MIDDLE, NameRole.SINGLE})
_USES: Final = {
    NameRole.GIVEN: (Use.GIVEN,),
    NameRole.MIDDLE: (Use.GIVEN,),
    NameRole.NICK: (Use.GIVEN,),
    NameRole.SURNAME: (Use.SURNAME,),
    NameRole.SINGLE: (Use.GIVEN, Use.SURNAME),
}


@dataclass(frozen=True)
class Forms:
    """Folded forms of a part; no form stands in two of them."""

    base: tuple[str, ...]
    """As it is spelt, first; then other spellings of the same: Müller, Mueller; in other scripts."""
    inflected: tuple[str, ...] = ()
    """Other cases of them, and the vocative."""
    nicks: tuple[str, ...] = ()
    """Other names that go with it: Steve for Stephen."""
    nicks_inflected: tuple[str, ...] = ()


def forms(part: Part, languages: Sequence[str]) -> Forms:
    """The forms of a part by the rules of some languages, the likeliest language first."""
    if part.role not in _USES:
        plain = folded(part.text)
        return Forms((plain,) if plain else ())
    given = part.role in _GIVEN
    languages = _with_bearers(part, languages) if given else languages
    spelt = [small(part.text), *spellings(small(part.text), languages)]
    others = _nicks(spelt, languages) if given else []
    seen: set[str] = set()
    base = _new(spelt, seen)
    if not base:
        return Forms(())
    named = _new(others, seen, _MOST_NICKS)
    most = _MOST_INFLECTED_GIVEN if given else _MOST_INFLECTED
    cases = _new(_cases(spelt, _USES[part.role], languages), seen, most, _SHORTEST)
    left = MOST - len(base) - len(named) - len(cases)
    return Forms(base, cases, named, _new(_cases(others[:_MOST_NICKS], (Use.GIVEN,), languages), seen, left, _SHORTEST))


def _new(words: Iterable[str], seen: set[str], most: int = MOST, shortest: int = 0) -> tuple[str, ...]:
    """The first folded words that are not seen yet, now seen."""
    fresh = (word for word in map(folded, words) if len(word) > shortest and word not in seen and not seen.add(word))  # type: ignore[func-returns-value]
    return tuple(islice(fresh, most))


def _cases(spelt: Sequence[str], uses: Sequence[Use], languages: Sequence[str]) -> Iterator[str]:
    """The inflected forms of some spellings, a language at a time."""
    for language in languages:
        for word in spelt:
            rules = _rules(language, word)
            if rules is not None and _changes(word):
                for use in uses:
                    yield from inflected(word, use, rules)


def _with_bearers(part: Part, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages, and those whose people bear a given name."""
    bearers = (language for language in bearers_of(part.text) if language in LANGUAGES)
    return tuple(islice(dict.fromkeys((*languages, *bearers)), _MOST_LANGUAGES))


def _changes(word: str) -> bool:
    """Whether a word is long enough, and all letters."""
    return _SHORTEST < len(word) <= _LONGEST and word.isalpha()


def _rules(language: str, word: str) -> str | None:
    """The language by whose rules texts in another change a word in that script; None where they don't write it.

    Greek is written in Latin letters, too, and so is Serbian, which then changes as Croatian does.
    """
    script = script_of(word)
    if language == "sr" and script == "latin":
        return "hr"
    if language not in LANGUAGES or (script == "greek" and language not in GREEK):
        return None
    if language in GREEK:
        return language if script in {"greek", "latin"} else None
    return language if (script == "cyrillic") == (language in CYRILLIC) else None


def _nicks(spelt: Sequence[str], languages: Sequence[str]) -> list[str]:
    """The names that go with a given name in its languages, and how they are spelt in other scripts."""
    found = [nick for language in languages for word in spelt for nick in nicks().get((language, folded(word)), ())]
    in_latin = [spellings(nick, languages)[0] for nick in found if script_of(nick) in {"cyrillic", "greek"}]
    return [*found, *in_latin]
