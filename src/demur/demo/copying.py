"""Who copies whose words without a quote: whole, cut short, with a word changed, or with nothing of their own.

Invariants: nobody copies themselves; an item is copied once at most, so that nothing becomes a common phrase, and
later than it was written; those who copy are adults who never object (:mod:`story`), so that no copy is taken for the
original; what is copied is a longer post of the public, which nothing happens to at its source.
"""

from datetime import date, datetime, timedelta
from typing import Final

from demur.demo.items import Fate, Form, Item, Piece
from demur.demo.people import Person
from demur.terms import Audience

SLOTS: Final = (5, 6, 7)
"""Of whoever copies: these items are copies, of the slots 0, 1 and 2 of the people behind them."""
WITHOUT_OWN_WORDS: Final = 7
_CUT: Final = 6
_LATER: Final = timedelta(days=5)
_EVERY: Final = 8
"""One in so many people copies."""
_ADULT: Final = 19
_ENDS: Final = ".。?;؟!"


def copies(person: Person, today: date) -> bool:
    """Whether somebody copies: one who is certainly an adult."""
    return person.index % _EVERY == 0 and person.birth_year is not None and today.year - person.birth_year > _ADULT


def source_of(person: Person, slot: int, people: int, today: date) -> tuple[int, int] | None:
    """The person and the slot of the item that an item copies, None where it copies none."""
    which = SLOTS.index(slot)
    source = person.index + 1 + which
    return (source, which) if source < people and copies(person, today) else None


def may_be_copied(theirs: Item, body: str, copy: Item, today: date) -> bool:
    """Whether an item is one that others copy: its own words, public, of a known author and date, never changed."""
    known = theirs.author is not None and theirs.kind is not None and theirs.created is not None
    stays = theirs.fate is Fate.STAYS and theirs.audience is Audience.PUBLIC
    own = any(piece.role is None and body in piece.text for piece in theirs.pieces)
    return known and stays and own and copy.created is not None and after(theirs).date() < today


def after(theirs: Item) -> datetime:
    """When a copy of an item appears."""
    assert theirs.created is not None
    return theirs.created + _LATER


def copied(slot: int, source: tuple[int, int], account: str, theirs: str, own: str) -> tuple[Piece, ...]:
    """The words of somebody else's item, and the copier's own."""
    bare, changed = theirs.rstrip(_ENDS), ""
    words, behind = bare.split(" "), theirs[len(bare) :]
    if slot == _CUT and source[0] % 2:
        bare, behind = " ".join(words[: 4 * len(words) // 5]), " …"
    elif slot == _CUT:
        at = next(at for at in range(len(words) // 2, len(words)) if words[at].isalpha())
        changed = f"{words[at]}s"
        bare = " ".join((*words[:at], changed, *words[at + 1 :]))
    copy = Piece(bare, None, account, form=Form.COPY, source=source, changed=changed)
    return (copy, Piece(behind)) if slot == WITHOUT_OWN_WORDS else (copy, Piece(f"{behind}\n{own}"))
