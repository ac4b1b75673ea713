"""Reads exported rows against the ground truth: everything that should not be there, what is missing, and examples.

It sees only what a trainer would see (keys as hexadecimal text), and the pepper, without which nobody can say whose
row a key stands for. Invariants: a finding names the item and says what is wrong; it repeats no text and no
identifier. The examples of *before* and *after* are invented people and real output; which ones depends on the
community and its story alone, never on the order of the exported rows.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

import numpy as np
import pyarrow as pa

from demur.demo.items import Form, Item, Piece
from demur.demo.meant import Verdict
from demur.demo.people import Person
from demur.demo.report import Example
from demur.demo.truth import Truth, shown
from demur.demo.writing import SLOTS
from demur.identity import Pepper
from demur.terms import Role

Row = Mapping[str, object]

_CHUNK: Final = 8192
_MASK: Final = re.compile(r"\[[a-z]+\]")


class Residual:
    """What one export still shows; feed it every row, then ask for the rest."""

    def __init__(self, truth: Truth, pepper: Pepper) -> None:
        self._truth = truth
        self._pepper = pepper
        self._heads = self._item_heads()
        self._order = np.argsort(self._heads)
        self._seen = np.zeros(len(self._heads), bool)
        self._keys: dict[str, str] = {}
        self._gone: dict[int, set[str]] = {}

    def of(self, rows: Iterable[Row]) -> Iterator[str]:
        """Every finding: in the rows, in their order, then what is missing among them."""
        remaining = iter(rows)
        while chunk := list(islice(remaining, _CHUNK)):
            for row, place in zip(chunk, self._places(chunk), strict=True):
                yield from self._row(row, place)
        yield from self._missing()

    def item(self, row: Row) -> Item | None:
        """The item that a row stands for, as it was read last; None for a stranger."""
        place = self._places([row])[0]
        return None if place < 0 else self._truth.verdict(self._first(place))[0]

    def _item_heads(self) -> np.ndarray:
        """The first eight bytes of every item's key, shape (items,), person by person."""
        community, heads = self._truth.community, []
        names = (item.item for item in community.everything())
        while chunk := list(islice(names, _CHUNK)):
            keys = b"".join(key[:8] for key in self._pepper.item_keys(pa.array(chunk)).to_pylist())
            heads.append(np.frombuffer(keys, ">u8").astype(np.uint64))
        return np.concatenate(heads)

    def _places(self, rows: Sequence[Row]) -> list[int]:
        """The position of each row's item among all items, -1 for a stranger."""
        heads = np.array([int(str(row["item"])[:16], 16) for row in rows], np.uint64)
        at = np.minimum(np.searchsorted(self._heads, heads, sorter=self._order), len(self._heads) - 1)
        found = self._order[at]
        return [int(place) for place in np.where(self._heads[found] == heads, found, -1)]

    def _first(self, place: int) -> Item:
        return self._truth.community.item(*divmod(place, len(SLOTS)))

    def _row(self, row: Row, place: int) -> Iterator[str]:
        if place < 0:
            yield "a row stands for no item of the community"
            return
        item, at, reason = self._truth.verdict(self._first(place))
        if self._seen[place]:
            yield f"{item.item} stands there twice"
        self._seen[place] = True
        if reason is not None:
            yield f"{item.item} should have been left out ({reason})"
            return
        yield from (f"{item.item} {what}" for what in chain(self._fields(row, item), self._text(row, item, at)))
        if self._subjects(row) & self._suppressed(at):
            yield f"{item.item} still holds the key of somebody who is suppressed"

    def _fields(self, row: Row, item: Item) -> Iterator[str]:
        if item.author is None or row["author"] != self._key(item.author):
            yield "has another author"
        for name in ("kind", "audience", "language", "rating"):
            if row[name] != getattr(item, name):
                yield f"has another {name}"

    def _text(self, row: Row, item: Item, at: int) -> Iterator[str]:
        media = shown(item, self._truth.gone_since(at))
        if media is None and _dicts(row, "media"):
            yield "shows a picture of somebody who is suppressed"
        parts = {"text": (str(row["text"]), item.pieces), "alternative text": (_alt(row), media.alt if media else ())}
        for name, (text, pieces) in parts.items():
            verdicts = [self._truth.becomes(piece, item, at) for piece in pieces]
            fates = list(zip(pieces, verdicts, strict=True))
            shows = [_what(piece) for piece, verdict in fates if verdict is Verdict.GOES and piece.secret in text]
            yield from (f"shows {what} in its {name}" for what in shows)
            if not shows and not _fits(text, fates):
                yield f"reads otherwise than it should in its {name}"

    def _missing(self) -> Iterator[str]:
        for place in np.flatnonzero(~self._seen).tolist():
            item, _, reason = self._truth.verdict(self._first(place))
            if reason is None:
                yield f"{item.item} is missing"

    def _subjects(self, row: Row) -> set[object]:
        spans = [span["subject"] for span in _dicts(row, "spans")]
        tagged = [key for media in _dicts(row, "media") for key in media["tagged"] or ()]  # type: ignore[attr-defined]  # rows come from Parquet
        return {*spans, *tagged, *row["subjects"]}  # type: ignore[misc]  # the same

    def _suppressed(self, at: int) -> set[str]:
        if at not in self._gone:
            self._gone[at] = {self._key(account) for account in self._truth.has_to_go(at)}
        return self._gone[at]

    def _key(self, account: str) -> str:
        """The subject key of an account in the form of an export: sixteen hexadecimal digits."""
        if account not in self._keys:
            self._keys[account] = f"{self._pepper.subject_key(account):016x}"
        return self._keys[account]


def _dicts(row: Row, name: str) -> Sequence[Mapping[str, object]]:
    return row[name] or ()  # type: ignore[return-value]  # rows come from Parquet, their schema is the corpus's own


def _alt(row: Row) -> str:
    return "\n".join(str(media["alt"] or "") for media in _dicts(row, "media"))


def _fits(text: str, fates: Sequence[tuple[Piece, Verdict]]) -> bool:
    """Whether a text is its pieces, one mask for each that had to go, and nothing else."""
    reached = {0}
    for piece, verdict in fates:
        masks = {end for at in reached for end in _masked(text, at, piece)}
        if piece.form is Form.HANDLE and verdict is Verdict.MAY_GO:  # then the name in it goes, and not its number
            number = piece.text[piece.text.rindex("-") :]
            masks = {end + len(number) for end in masks if text.startswith(number, end)}
        stands = {at + len(piece.text) for at in reached if text.startswith(piece.text, at)}
        reached = {Verdict.STAYS: stands, Verdict.MAY_GO: stands | masks, Verdict.GOES: masks}[verdict]
    return len(text) in reached


def _masked(text: str, at: int, piece: Piece) -> Iterator[int]:
    """Where a piece ends that begins at a place of a text and is masked: whole, or but for the word that differs."""
    if mask := _MASK.match(text, at):
        yield mask.end()
        if piece.changed and (rest := _MASK.match(text, mask.end() + len(piece.changed) + 2)):
            between = text[mask.end() : rest.start()]
            yield from [rest.end()] if between == f" {piece.changed} " else []


def _what(piece: Piece) -> str:
    if piece.form is not None:
        return f"of somebody who is suppressed: {piece.form}"
    match piece.role:
        case Role.QUOTE:
            return "a quote of somebody who is suppressed"
        case Role.MENTION | Role.TAG if not piece.direct:
            return "the name of somebody who is suppressed"
        case _:
            return "a handle" if piece.account else "a direct identifier"


_SHOWN: Final = "en"
"""The language of the reader whose mail is the example, and of the examples that are about no name."""

_NAMED: Final = (Form.INFLECTED, Form.CALLED, Form.SURNAME, Form.FULL, Form.INITIAL)
"""Forms of a name, those first that say most."""


@dataclass(frozen=True)
class _Wanted:
    """An example: an item in a language, one of whose pieces passes a test."""

    what: str
    language: str
    forms: tuple[Form | None, ...]
    """The forms of such a piece, the best one first."""
    test: Callable[[Piece, Verdict, bool], bool] = lambda _, verdict, __: verdict is Verdict.GOES
    """Told of a piece what becomes of it, and whether the account beside it is withheld."""


_WANTED: Final = (
    _Wanted(
        "A quote of somebody who objected",
        _SHOWN,
        (None,),
        lambda piece, verdict, _: piece.role is Role.QUOTE and verdict is Verdict.GOES,
    ),
    _Wanted(
        "The name of somebody who objected, where the markup mentions them",
        _SHOWN,
        (None,),
        lambda piece, verdict, _: piece.role is Role.MENTION and not piece.direct and verdict is Verdict.GOES,
    ),
    _Wanted(
        "A way to reach somebody, whoever it is",
        _SHOWN,
        (None,),
        lambda piece, *_: piece.direct and piece.account is None,
    ),
    _Wanted("Called in an answer, without markup (English)", "en", (Form.NICK, Form.CALLED)),
    _Wanted("Their name without markup (German)", "de", _NAMED),
    _Wanted("Their name without markup (Polish)", "pl", _NAMED),
    _Wanted("Their name without markup (Greek)", "el", _NAMED),
    _Wanted("Their words, copied without a quote", _SHOWN, (Form.COPY,)),
    _Wanted(
        "Somebody else of that name, a street, a word: these stay",
        _SHOWN,
        (Form.TRAP,),
        lambda _, verdict, withheld: verdict is Verdict.STAYS and withheld,
    ),
)


class Finder:
    """Knows which items make good examples, and waits for their rows."""

    def __init__(self, truth: Truth, pepper: Pepper) -> None:
        self.items = dict(_candidates(truth))
        """What each example is of, and its item."""
        self._waiting = {pepper.item_key(item.item).hex(): what for what, item in self.items.items()}
        self._found: dict[str, str] = {}
        self.account = _bystander(truth)
        """An account of somebody who did not object, and to whom a mail can be sent; "" if there is nobody."""

    def see(self, row: Row) -> None:
        """Takes the row's text if its item is one of the examples."""
        if (what := self._waiting.get(str(row["item"]))) is not None:
            self._found[what] = str(row["text"])

    @property
    def examples(self) -> list[Example]:
        """The examples whose rows were seen, in a fixed order."""
        return [Example(what, item.text, self._found[what]) for what, item in self.items.items() if what in self._found]


def _candidates(truth: Truth) -> Iterator[tuple[str, Item]]:
    """For each example that is wanted the best item that must be in, and the first of these."""
    best: dict[str, tuple[int, Item]] = {}
    taken: set[str] = set()
    for first in truth.community.everything():
        waiting = [each for each in _WANTED if best.get(each.what, (1, first))[0] and _may_be(each, first)]
        if not waiting or len(first.pieces) == 1 or first.item in taken:
            continue
        item, at, reason = truth.verdict(first)
        ranked = () if reason else ((_rank(each, item, truth, at), each.what) for each in waiting)
        rank, what = min(ranked, default=(None, ""), key=lambda each: (each[0] is None, each[0]))
        if rank is not None and rank < best.get(what, (rank + 1, item))[0]:
            best[what] = rank, item
            taken.add(item.item)
    yield from ((each.what, best[each.what][1]) for each in _WANTED if each.what in best)


def _may_be(wanted: _Wanted, item: Item) -> bool:
    return item.language == wanted.language and any(piece.form in wanted.forms for piece in item.pieces)


def _rank(wanted: _Wanted, item: Item, truth: Truth, at: int) -> int | None:
    """How good an example an item is, 0 for the best; None for none."""
    gone = truth.gone_since(at)
    pieces = (piece for piece in item.pieces if piece.form in wanted.forms)
    passing = (p.form for p in pieces if wanted.test(p, truth.becomes(p, item, at), gone(p.account or "")))
    return min(map(wanted.forms.index, passing), default=None)


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
