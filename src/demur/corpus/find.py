"""Finding: every row that is by or about a person, all accounts together that are proven to be theirs; or by its words.

Invariants: a row is told once, as the person's own if they wrote it; of a person nothing but the indexes is asked, so
that the cost follows the rows found, and words are looked for in every row once; nothing is changed. What other
people's rows said of a person who objected has been masked, so that it is not found any more: it is not there.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.depicted import depicted
from demur.corpus.session import Session, reading
from demur.errors import UsageError
from demur.identity import SubjectKeys, inside
from demur.terms import Audience, Role
from demur.workspace import Workspace

OPEN_TO_ALL: Final = frozenset({Audience.PUBLIC.value, Audience.UNLISTED.value})
"""Audiences of rows that whoever is named in them may read as a whole (Art. 15(4) GDPR)."""
_SEARCHED: Final = ["item", "author", "kind", "created", "text"]
_NO_WORD: Final = r"[^\pL\pM\pN_]"
"""A character that belongs to no word, as RE2 has it."""
_BLANK: Final = r"[\s\pZ]+"
_BLANKS: Final = r"\s+"
"""Blanks between words, as Python's own patterns have them."""
_AROUND: Final = 60
"""Characters of an excerpt before and after the words."""


@dataclass(frozen=True)
class Row:
    """A row of the corpus, and what the person has to do with it."""

    item: str
    """Its key, 32 hexadecimal digits, as in exports."""
    kind: str
    created: datetime | None
    how: tuple[str, ...]
    """``author``, or the roles in which the row names them."""
    audience: str
    text: str = field(repr=False)
    passages: tuple[str, ...] = field(default=(), repr=False)
    """What of somebody else's row names or quotes the person."""
    account: str | None = field(default=None, repr=False)
    """The account of theirs that they wrote it with; None where others wrote it."""

    @property
    def shown(self) -> str:
        """What the person themselves may see: of others' rows that not everybody could read, what is about them."""
        return self.text if self.own or self.audience in OPEN_TO_ALL else " … ".join(self.passages)

    @property
    def own(self) -> bool:
        """Whether the person wrote it."""
        return self.how == ("author",)


@dataclass(frozen=True)
class Found:
    """What the corpus holds of and about a person."""

    accounts: int
    """How many accounts are proven to be theirs, the one that was asked for included."""
    objected: bool
    """Whether an objection that covers any of these is in force, whoever's it is."""
    own: int
    """Rows that they wrote."""
    about: int
    """Rows of others that name, quote, pass on or show them."""
    pictures: int
    """Pictures at rest of rows that they wrote."""
    tagged: int
    """Pictures at rest of others that tag them."""
    rows: tuple[Row, ...]
    """Their own rows, then those about them, each by date; at most the limit of either."""


@dataclass(frozen=True)
class Hit:
    """A row that holds some words."""

    item: str
    """Its key, 32 hexadecimal digits, as in exports."""
    kind: str
    created: datetime | None
    author: str
    """The account of who wrote it, else their subject key in 16 hexadecimal digits, where nobody knows it any more."""
    excerpt: str = field(repr=False)
    """The words, with what stands around them."""


@dataclass(frozen=True)
class Searched:
    """Which rows hold some words."""

    rows: int
    hits: tuple[Hit, ...]
    """The newest first; at most the limit."""
    authors: SubjectKeys = field(repr=False)
    """Who wrote those."""


def find(workspace: Workspace, account: str, *, limit: int | None = None, now: datetime | None = None) -> Found:
    """Everything the corpus holds of and about the person who has ``account``.

    Args:
        workspace: where.
        account: one account of theirs, ``namespace:value``.
        limit: rows that are kept of their own, and of others; all are counted.
        now: this moment.

    Raises:
        IdentityError: when the account is malformed.
    """
    with reading(workspace, now) as session:
        keys = session.register.persons.own(account)
        shown = session.register.persons.shown(keys)
        own, about, rows = 0, 0, list[Row]()
        names = session.register.persons.names(account)
        for row in _rows(session.corpus.concerning(shown), shown, names):
            before = own if row.own else about
            own, about = own + row.own, about + (not row.own)
            if limit is None or before < limit:
                rows.append(row)
        seen = depicted(session, shown)
        objected = bool(inside(keys, session.register.standing.of(keys).suppressed).any())
    rows.sort(key=lambda row: (not row.own, row.created is None, row.created, row.item))
    return Found(len(keys), objected, own, about, len(seen.own), len(seen.about), tuple(rows))


def _rows(batches: Iterator[Any], keys: SubjectKeys, names: Mapping[int, str]) -> Iterator[Row]:
    theirs = frozenset(keys.tolist())
    for batch in batches:
        wanted = batch.select(["item", "author", "kind", "audience", "created", "text", "spans", "media"])
        for row in wanted.to_pylist():
            how, text = how_of(row, theirs), row["text"]
            passages = () if how == ("author",) else tuple(passages_of(row, theirs))
            account = names.get(row["author"])
            yield Row(row["item"].hex(), row["kind"], row["created"], how, row["audience"], text, passages, account)


def passages_of(row: Mapping[str, Any], theirs: frozenset[int]) -> Iterator[str]:
    """The parts of a row's text whose spans name these accounts."""
    return (row["text"][span["start"] : span["end"]] for span in row["spans"] if span["subject"] in theirs)


def how_of(row: Mapping[str, Any], theirs: frozenset[int]) -> tuple[str, ...]:
    """What a row has to do with the accounts ``theirs``; of several roles each once, in the order of terms.Role."""
    if row["author"] in theirs:
        return ("author",)
    roles = {span["role"] for span in row["spans"] if span["subject"] in theirs}
    roles |= {Role.TAG.value for media in row["media"] if theirs.intersection(media["tagged"] or ())}
    return tuple(role.value for role in Role if role.value in roles)


def search(
    workspace: Workspace,
    words: str,
    *,
    account: str | None = None,
    limit: int | None = None,
    now: datetime | None = None,
) -> Searched:
    """The rows whose text holds some words: whole ones, in this order and side by side, in any case.

    Args:
        workspace: where.
        words: as somebody typed them.
        account: only rows by or about the person who has this account.
        limit: rows that are kept; all are counted.
        now: this moment.

    Raises:
        IdentityError: when the account is malformed.
        UsageError: where there is no word to look for.
    """
    phrase = _phrase(words)
    pattern = f"(?:^|{_NO_WORD}){_BLANK.join(phrase)}(?:$|{_NO_WORD})"
    number, held = 0, list[dict[str, Any]]()
    with reading(workspace, now) as session:
        for batch in _all_or_theirs(session, account):
            found = batch.filter(pc.match_substring_regex(batch.column("text"), pattern, ignore_case=True))
            number += len(found)
            held = _newest(held + found.select(_SEARCHED).to_pylist(), limit)
        authors = np.array([row["author"] for row in held], np.int64)
        known = session.register.members.identifiers(authors)
    spot = re.compile(f"(?<!\\w){_BLANKS.join(phrase)}(?!\\w)", re.IGNORECASE)
    hits = (_hit(row, who, spot) for row, who in zip(held, known, strict=True))
    return Searched(number, tuple(hits), np.unique(authors))


def _phrase(words: str) -> list[str]:
    """The words, each as a pattern of its own.

    Raises:
        UsageError: where there is none.
    """
    if not any(map(str.isalnum, words)):
        raise UsageError("There is no word to look for: give a few, in quotes, like --text 'library card'.")
    return [re.escape(word) for word in unicodedata.normalize("NFC", words).split()]


def _all_or_theirs(session: Session, account: str | None) -> Iterator[pa.RecordBatch]:
    if account is None:
        return session.corpus.batches(_SEARCHED)
    persons = session.register.persons
    return session.corpus.concerning(persons.shown(persons.own(account)))


def _newest(rows: list[dict[str, Any]], limit: int | None) -> list[dict[str, Any]]:
    """Rows by their date, the newest first and the undated last, as many as are kept."""
    return sorted(rows, key=lambda row: (row["created"] is not None, row["created"], row["item"]), reverse=True)[:limit]


def _hit(row: Mapping[str, Any], account: str | None, spot: re.Pattern[str]) -> Hit:
    who = account or f"{row['author'] & (2**64 - 1):016x}"
    return Hit(row["item"].hex(), row["kind"], row["created"], who, _excerpt(row["text"], spot))


def _excerpt(text: str, spot: re.Pattern[str]) -> str:
    """The first place of the words, on one line, with what stands around it."""
    found = spot.search(text)
    start, end = found.span() if found else (0, 0)
    first, last = max(0, start - _AROUND), end + _AROUND
    cut = " ".join(text[first:last].split())
    return f"{'…' if first else ''}{cut}{'…' if last < len(text) else ''}"
