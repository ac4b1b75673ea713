"""The ground truth of words: which names without markup, and which copies, must go, may go, and have to stay.

It is written from the rules that docs/withheld.md states, over what the generator knows, and asks neither the kernel
nor the finder. Invariants: what it says must go stands in a form that demur promises to find; where
the finder is unsure by design (a given name that two people in the thread bear, a surname without its bearer), it says
that it may; a trap has to stay. A name goes if at some moment since its item was last read its bearer was withheld, and
what tells that they are meant had been read by then (law 2).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from functools import cached_property
from typing import Final

from demur.demo.community import Community
from demur.demo.items import Fate, Form, Item, Piece
from demur.demo.naming import WORDS
from demur.demo.people import Person

NEVER: Final = -1

Place = tuple[int, int]
"""A person, and one of their slots."""


_WITHOUT_SPACES: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Of scripts in which demur finds no names yet."""


class Verdict(IntEnum):
    """What becomes of a piece of text."""

    STAYS = 0
    MAY_GO = 1
    GOES = 2


_NAMES: Final[dict[Form, Callable[[str], str]]] = {
    Form.FULL: lambda name: name,
    Form.INFLECTED: lambda name: name,
    Form.INITIAL: lambda name: f"{name[0]}. {name.partition(' ')[2]}",
    Form.SURNAME: lambda name: name.partition(" ")[2],
    Form.CALLED: lambda name: name.partition(" ")[0],
}
"""What people share who are named alike in a form; of a display name."""


class Words:
    """Says what becomes of pieces that no markup tells of.

    Args:
        community: who wrote what.
        withheld: the last moment at which an account was withheld, NEVER for none.
        read: the last moment, up to a given one, at which an item was read; NEVER for none.
        stored: whether an item that was read at a moment came in then, but for objections and minors.
    """

    def __init__(
        self,
        community: Community,
        withheld: Callable[[str], int],
        read: Callable[[Item, int], int],
        stored: Callable[[Item, int], bool],
    ) -> None:
        self._community, self._withheld, self._read, self._stored = community, withheld, read, stored

    def verdict(self, piece: Piece, item: Item, at: int, before: int | None = None) -> Verdict:
        """What becomes of a piece of an item that was last read at a moment.

        Args:
            piece: with a form.
            item: whose piece it is.
            at: when it was read.
            before: of a copy: only what was read before this moment counts.
        """
        match piece.form:
            case Form.TRAP | Form.SIGNED | None:
                return Verdict.STAYS
            case Form.COPY:
                return self._copy(piece, at, before)
            case Form.HANDLE:
                return self._handle(piece, at)
            case _ if _WITHOUT_SPACES.search(piece.text):
                return Verdict.MAY_GO
            case Form.FULL | Form.INFLECTED | Form.INITIAL:
                return self._in_full(piece.form, piece.name, at)
            case _:
                return self._by_thread(piece.form, piece, item, at)

    def _handle(self, piece: Piece, at: int) -> Verdict:
        """Of an account's name; that of a stranger may spell the full name of somebody who is called alike."""
        if self._withheld(piece.account or "") >= at:
            return Verdict.GOES
        return Verdict.MAY_GO if any(self._since(Form.FULL, piece.name, at)) else Verdict.STAYS

    def _in_full(self, form: Form, name: str, at: int) -> Verdict:
        """Of a full name, or an initial and a surname, wherever it stands; unsure behind a word."""
        if any(self._since(form, name, at)):
            return Verdict.GOES
        unsure = name.partition(" ")[0] in WORDS and any(self._since(Form.SURNAME, name, at))
        return Verdict.MAY_GO if unsure else Verdict.STAYS

    def _by_thread(self, form: Form, piece: Piece, item: Item, at: int) -> Verdict:
        """Of what means somebody only because they are there."""
        last, account = self._withheld(piece.account or ""), piece.account or ""
        told = last >= at and self._takes_part(item, last) and self._is_called(form, account, last)
        if told and (form is not Form.SURNAME or not self._shared(form, piece, item)):
            return Verdict.GOES
        return Verdict.MAY_GO if last >= at or self._another(form, piece, item, at) else Verdict.STAYS

    def _takes_part(self, item: Item, upto: int) -> bool:
        """Whether what an item answers had been read, so that its author is known to take part."""
        answered = self._community.item(*_place(item.parent))
        return answered.author is not None and answered.fate is not Fate.DELETED and self._read(answered, upto) != NEVER

    def _is_called(self, form: Form, account: str, upto: int) -> bool:
        """Whether it was known by then that somebody is called so: by the member table, or as they sign."""
        person = self._people[account]
        if form is not Form.NICK:
            return person.member
        signed = self._community.item(person.index, 0)
        return any(piece.form is Form.SIGNED for piece in signed.pieces) and self._read(signed, upto) != NEVER

    def _shared(self, form: Form, piece: Piece, item: Item) -> bool:
        """Whether somebody else in the thread is called alike."""
        alike = set(self._bearers(form, piece.name)) - {piece.account}
        return any(author in alike for author in self._authors[item.thread])

    def _another(self, form: Form, piece: Piece, item: Item, at: int) -> bool:
        """Whether somebody else who is called alike may be taken to be meant."""
        if form is Form.NICK:
            return any(self._withheld(author) >= at for author in self._authors[item.thread])
        since = set(self._since(form, piece.name, at))
        return bool(since) and (form is Form.SURNAME or bool(since & self._there(item.thread)))

    def _there(self, thread: str) -> set[str]:
        """Accounts that write in a thread, or of whose full names one stands in it."""
        named = (name for name in self._named[thread])
        return self._authors[thread] | {each for name in named for each in self._bearers(Form.FULL, name)}

    def _since(self, form: Form, name: str, at: int) -> Iterator[str]:
        """The accounts of people named alike that were withheld at some moment from one on."""
        return (account for account in self._bearers(form, name) if self._withheld(account) >= at)

    def _bearers(self, form: Form, name: str) -> list[str]:
        """The accounts of members who are named alike, each of whom the register knows by name."""
        return self._alike[form].get(_NAMES[form](name), [])

    def _copy(self, piece: Piece, at: int, before: int | None) -> Verdict:
        """A copy goes where its original was read while, or before, its author was withheld, and fingerprinted then."""
        assert piece.source is not None
        original = self._community.item(*piece.source)
        last = self._withheld(piece.account or "")
        read = self._read(original, last if before is None else min(last, before - 1))
        return _either(last >= at and read != NEVER and self._stored(original, read))

    @cached_property
    def _people(self) -> Mapping[str, Person]:
        return {account: person for person in self._community.people for account in person.accounts}

    @cached_property
    def _alike(self) -> Mapping[Form, Mapping[str, list[str]]]:
        found: dict[Form, dict[str, list[str]]] = {form: defaultdict(list) for form in _NAMES}
        for person in (each for each in self._community.people if each.member):
            for form, shared in _NAMES.items():
                found[form][shared(person.name)] += person.accounts
        return found

    @cached_property
    def _authors(self) -> Mapping[str, set[str]]:
        """The accounts that write in each thread."""
        found: dict[str, set[str]] = defaultdict(set)
        for item in self._community.everything():
            found[item.thread] |= {item.author} if item.author else set()
        return found

    @cached_property
    def _named(self) -> Mapping[str, set[str]]:
        """The full names that stand in each thread."""
        found: dict[str, set[str]] = defaultdict(set)
        for item in self._community.everything():
            found[item.thread] |= {piece.name for piece in item.pieces if piece.form in {Form.FULL, Form.INFLECTED}}
        return found


def _place(name: str | None) -> Place:
    """The person and the slot of an item's id."""
    assert name is not None
    person, _, slot = name.partition(":")[2].partition("-")
    return int(person), int(slot)


def _either(goes: bool) -> Verdict:  # noqa: FBT001  # what it depends on, not a flag
    return Verdict.GOES if goes else Verdict.STAYS
