"""Picks what the page shows as *before* and *after*: invented people, real output.

Invariant: the choice depends on the community and its story alone, never on the order of the exported rows.
"""

from collections.abc import Callable, Iterator
from typing import Final

from demur.demo.items import Item, Piece
from demur.demo.people import Person
from demur.demo.report import Example
from demur.demo.residual import Row
from demur.demo.truth import Gone, Truth
from demur.identity import Pepper
from demur.terms import Role

_SHOWN: Final = "en"
"""The language of the examples, so that one page is read in one language."""

Test = Callable[[Piece, Gone], bool]

_TESTS: Final[dict[str, Test]] = {
    "A quote of somebody who objected": lambda piece, gone: piece.role is Role.QUOTE and gone(piece.account or ""),
    "The name of somebody who objected": lambda piece, gone: (
        piece.role is Role.MENTION and not piece.direct and gone(piece.account or "")
    ),
    "A way to reach somebody, whoever it is": lambda piece, _: piece.direct and piece.account is None,
}


class Finder:
    """Knows which items make good examples, and waits for their rows."""

    def __init__(self, truth: Truth, pepper: Pepper) -> None:
        self._waiting = {pepper.item_key(item.item).hex(): (what, item) for what, item in _candidates(truth)}
        self._found: dict[str, Example] = {}
        self.account = _bystander(truth)
        """An account of somebody who did not object, and to whom a mail can be sent; "" if there is nobody."""

    def see(self, row: Row) -> None:
        """Takes the row's text if its item is one of the examples."""
        wanted = self._waiting.get(str(row["item"]))
        if wanted is not None:
            what, item = wanted
            self._found[what] = Example(what, item.text, str(row["text"]))

    @property
    def examples(self) -> list[Example]:
        """The examples whose rows were seen, in a fixed order."""
        return [self._found[what] for what in _TESTS if what in self._found]


def _candidates(truth: Truth) -> Iterator[tuple[str, Item]]:
    """For each test the first item that must be in and passes it."""
    waiting = dict(_TESTS)
    for first in truth.community.everything():
        if not waiting:
            return
        if first.language != _SHOWN or len(first.pieces) == 1:
            continue
        item, at, reason = truth.verdict(first)
        if reason is not None:
            continue
        gone = truth.gone_since(at)
        passed = [what for what, test in waiting.items() if any(test(piece, gone) for piece in item.pieces)]
        for what in passed[:1]:
            del waiting[what]
            yield what, item


def _bystander(truth: Truth) -> str:
    """The first account, in the order of the people, that still has a row and whose holder can be written to.

    Of somebody who reads the language of the examples, if there is one.
    """
    people = truth.community.people
    for languages in ({_SHOWN}, {person.language for person in people}):
        for item in truth.community.everything():
            person, author = people[item.person], item.author
            if person.language in languages and author and _reached(person, author) and truth.verdict(item)[2] is None:
                return author
    return ""


def _reached(person: Person, account: str) -> bool:
    """Whether the member table has a mail address for whoever is known to have an account."""
    return person.linked or account == person.accounts[0]
