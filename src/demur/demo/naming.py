"""How the items name people without markup: in full, inflected, called, by what they sign with, and traps beside.

Invariants: a piece says whom it names, and a trap that it names nobody here; a sentence stands on a line of its own,
or opens the item.
"""

from random import Random
from typing import Final

from demur.demo.items import Form, Piece, around
from demur.demo.people import Person, handle
from demur.demo.texts import Draw, Naming

_SIGNING: Final = 2
"""One in so many signs with another name."""
_CALLS: Final = Draw({Form.CALLED: 25, Form.SURNAME: 20, Form.NICK: 35, Form.TRAP: 20})
"""How an item names whom it answers, in per cent."""
_NAMES: Final = Draw({Form.FULL: 30, Form.INFLECTED: 40, Form.INITIAL: 15, Form.HANDLE: 15})
"""How an item names somebody else, in per cent."""
WORDS: Final = frozenset({"Core", "Else", "Mare", "Rose", "Tale", "Wene"})
"""Given names that are words, too, or may be taken for one."""
_THINGS: Final = frozenset({"Core", "Mare", "Rose", "Tale"})
"""Those that stand behind an article in English."""


def nick(person: Person, said: Naming | None) -> str | None:
    """What somebody signs with, if they sign: no name of their profile."""
    return said.nicks[person.index % len(said.nicks)] if said and person.index % _SIGNING == 0 else None


def answering(rng: Random, said: Naming, body: str, to: Person, account: str, signs: str | None) -> tuple[Piece, ...]:
    """An answer to somebody that names them; ``signs``: what they sign with, if anything."""
    given, _, surname = to.name.partition(" ")
    match _CALLS.one(rng):
        case Form.NICK if signs is not None:
            return (*around(said.hello, Piece(signs, None, account, form=Form.NICK, name=signs)), Piece(body))
        case Form.SURNAME:
            named = Piece(surname, None, account, form=Form.SURNAME, name=to.name)
            return (Piece(f"{body}\n"), *around(said.wrote, named))
        case Form.TRAP:
            trap = Piece(_trap(rng, said, given, surname), None, account, form=Form.TRAP, name=to.name)
            return Piece(f"{body}\n"), trap
        case _:
            called = Piece(given, None, account, form=Form.CALLED, name=to.name)
            return (*around(said.hello, called), Piece(body))


def about(rng: Random, said: Naming, body: str, target: Person, account: str, *, inflects: bool) -> tuple[Piece, ...]:
    """An item that names somebody who need not be there; ``inflects``: their name is of the item's language."""
    form, name = _NAMES.one(rng), target.name
    match form:
        case Form.INFLECTED if inflects:
            template, words = said.whose, said.inflected(name)
        case Form.INITIAL:
            template, words = said.told, f"{name[0]}. {name.partition(' ')[2]}"
        case Form.HANDLE:
            template, words = said.ask, _by_ear(account, target.index)
        case _:
            template, form, words = said.told, Form.FULL, name
    return (Piece(f"{body}\n"), *around(template, Piece(words, None, account, form=form, name=name)))


def _by_ear(account: str, number: int) -> str:
    """An account's name with a hyphen before its number, as people write it from memory."""
    return f"{handle(account).removesuffix(str(number))}-{number}"


def _trap(rng: Random, said: Naming, given: str, surname: str) -> str:
    """A sentence with a name of somebody here, which is not theirs."""
    if given in _THINGS and said.nicks[0] == "Zubby":
        return f"It smelt like a {given.lower()} to me."
    template = rng.choice((said.other, said.place))
    return template.format(given=given, surname=surname)
