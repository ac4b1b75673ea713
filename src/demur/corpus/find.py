"""Finding: every row that is by or about a person, all accounts together that are proven to be theirs.

Invariants: a row is told once, as the person's own if they wrote it; nothing but the indexes is asked, so that the
cost follows the rows found; nothing is changed. What other people's rows said of a person who objected has been
masked, so that it is not found any more: it is not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from demur.corpus.session import reading
from demur.identity import SubjectKeys
from demur.terms import Audience, Role
from demur.workspace import Workspace

OPEN_TO_ALL: Final = frozenset({Audience.PUBLIC.value, Audience.UNLISTED.value})
"""Audiences of rows that whoever is named in them may read as a whole (Art. 15(4) GDPR)."""


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
    rows: tuple[Row, ...]
    """Their own rows, then those about them, each by date; at most the limit of either."""


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
        rules, _ = session.rules()
        objected = bool(rules.objected.contains(keys).any())
    rows.sort(key=lambda row: (not row.own, row.created is None, row.created, row.item))
    return Found(len(keys), objected, own, about, tuple(rows))


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
