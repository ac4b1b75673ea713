"""Who is on the synthetic forum, and how each of their names is spelled in a shape and a case.

Invariant: no two characters of a forum bear the same full name, not even in other letters or without diacritics; given
names and surnames recur.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, TypeAlias

from people import disguise
from people.cases import Person
from people.tables import Forms, Given, Words

Couple: TypeAlias = tuple[Given, dict[str, Forms]]
"""A given name, and a surname by sex."""
DISTINCTIVE: Final = ("{g}_{i}{n}", "{g}{i}{n}", "{s}.{g1}{n}", "{s}{n}", "{g1}{s}_{n}", "the_{s}{n}", "x{g}{n}x")
MADE_UP: Final = ("nordlicht{n}", "qzar{n}", "byteworm_{n}", "plonk-{n}", "kwyjibo{n}", "zymurgist{n}", "bitrot{n}x")
SHAPES: Final = ("full", "reversed", "given", "surname", "initial", "nick", "nick full", "signed", "former")


@dataclass(frozen=True)
class Character:
    """Someone on the forum."""

    words: Words
    given: Given
    surname: Forms
    person: Person
    former: Forms | None = None
    """The surname they bore before."""
    word_handle: bool = False

    @property
    def account(self) -> str:
        """Their account."""
        return self.person.account

    @property
    def handle(self) -> str:
        """Their handle."""
        return self.person.handles[0]

    @property
    def keys(self) -> set[str]:
        """The full names that they bear and bore, as ``key`` has them."""
        return {key(name) for name in (self.spelled("full"), self.spelled("former")) if name}

    def spelled(self, shape: str, case: str = "nom") -> str | None:
        """Their name in a shape of ``SHAPES`` and a case, or None where nobody writes it so."""
        if shape in {"given", "surname"}:
            return (self.given.forms if shape == "given" else self.surname).get(case)
        if shape == "nick":
            return self.given.nick.get(case) if self.given.nick else None
        return _composed(self, shape, case)


def key(name: str) -> str:
    """A full name as it is compared with others: in Latin letters, without diacritics and case, in one order."""
    return " ".join(sorted(_latin(name).split()))


def kin(one: Forms, other: Forms) -> bool:
    """Whether two surnames are one, in either sex: Kowalski and Kowalska."""
    return one["nom"][:4] == other["nom"][:4]


def _composed(who: Character, shape: str, case: str) -> str | None:
    """A spelling of two parts."""
    match shape:
        case "full":
            return _together(who.words, who.given.forms, who.surname, case)
        case "nick full":
            return _together(who.words, who.given.nick, who.surname, case) if who.given.nick else None
        case "former":
            return _together(who.words, who.given.forms, who.former, case) if who.former else None
        case "initial":
            return _initial(who, case)
        case _:
            return _nominative(who, shape) if case in {"nom", "voc"} else None


def _together(words: Words, given: Forms, surname: Forms, case: str) -> str | None:
    """Given name and surname in the language's order, each declined as the language does."""
    if case not in given or case not in surname:
        return None
    if words.declines == "both":
        return f"{given[case]} {surname[case]}"
    if words.order == "surname":
        return f"{surname['nom']} {given[case]}"
    return f"{given['nom']} {surname[case]}"


def _initial(who: Character, case: str) -> str | None:
    """The given name's initial with the surname."""
    initial = who.given.forms["nom"][0] + "."
    if who.words.order == "surname":
        return f"{who.surname['nom']} {initial}" if case == "nom" else None
    return f"{initial} {who.surname[case]}" if case in who.surname else None


def _nominative(who: Character, shape: str) -> str | None:
    """Spellings that stand alone: the other order, and how one signs."""
    given, surname = who.given.forms["nom"], who.surname["nom"]
    if shape == "signed":
        return f"{given} {surname.split()[-1][0]}."
    return f"{given} {surname}" if who.words.order == "surname" else f"{surname} {given}"


def _couples(words: Words, rng: random.Random) -> Iterator[Couple]:
    """Every given name with every surname, shuffled."""
    couples = list(product(words.given, words.surnames))
    rng.shuffle(couples)
    return iter(couples)


def _latin(name: str) -> str:
    """A name in Latin letters, without diacritics and capitals."""
    return disguise.stripped(disguise.transliterated(name)).lower()


def _handle(given: str, surname: str, rng: random.Random) -> str:
    """A handle that is no word."""
    given, surname = (
        "".join(letter for letter in _latin(part) if letter.isascii() and letter.isalnum()) for part in (given, surname)
    )
    pattern = rng.choice(DISTINCTIVE if rng.random() < 0.7 else MADE_UP)
    return pattern.format(g=given, s=surname, g1=given[:1], i=surname[:1], n=rng.randrange(11, 100))


def declared(who: Character, spellings: int) -> tuple[str, ...]:
    """The spellings that a person declares: 0 none, 1 the full name, 5 up to four more that they have.

    Raises:
        ValueError: Another number of spellings is asked for.
    """
    if spellings not in {0, 1, 5}:
        raise ValueError(f"{spellings} spellings can't be declared: ask for 0, 1 or 5")
    full = who.spelled("full") or ""
    latin = disguise.transliterated(full, who.words.language)
    latin = latin if latin != full else disguise.stripped(full)
    shapes = ("nick full", "initial", "nick", "reversed", "signed")
    more = (latin, *(who.spelled(shape) for shape in shapes))
    return tuple(dict.fromkeys(filter(None, (full, *more))))[:spellings]


def _distinct(handle: str, taken: set[str], rng: random.Random) -> str:
    """The handle, with more digits where it is taken."""
    while handle in taken:
        handle = f"{handle}{rng.randrange(10)}"
    return handle


def _with_former(who: Character, taken: set[str], rng: random.Random) -> Character:
    """One woman of five bore another surname, unless somebody bears that full name."""
    if who.given.sex == "m" or rng.random() > 0.2:
        return who
    other = rng.choice(who.words.surnames)["f"]
    changed = replace(who, former=other)
    return who if key(changed.spelled("former") or "") in taken else changed


def _enter(
    words: Words, couples: Iterator[Couple], account: str, taken: set[str], rng: random.Random
) -> Character | None:
    """The next character of a language, or None where its names are used up; their names and handle become taken."""
    for given, surnames in couples:
        surname = surnames[given.sex]
        handle = _distinct(_handle(given.forms["nom"], surname["nom"], rng), taken, rng)
        who = Character(words, given, surname, Person(account, (), (handle,)))
        if not who.keys & taken:
            who = _with_former(who, taken | who.keys, rng)
            taken |= {handle, *who.keys}
            return who
    return None


def characters(tables: Mapping[str, Words], count: int, rng: random.Random) -> list[Character]:
    """As many characters as asked for, the languages in turn, accounts counted from 1.

    Raises:
        ValueError: The tables don't hold as many full names.
    """
    couples = {language: _couples(words, rng) for language, words in tables.items()}
    found: list[Character] = []
    taken: set[str] = set()
    while len(found) < count and couples:
        for language in list(couples)[: count - len(found)]:
            who = _enter(tables[language], couples[language], f"forum:u{len(found) + 1}", taken, rng)
            if who is None:
                del couples[language]
            else:
                found.append(who)
    if len(found) < count:
        raise ValueError(f"the tables hold {len(found)} full names, not {count}: ask for fewer people")
    return found
