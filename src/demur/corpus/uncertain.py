"""What is masked or left out and uncertain, for whoever decides about it: the finds below the policy's scores, by item.

Invariants: listing shows no text and no name; a find of somebody who is not withheld any more, or of whom it was
decided, is not listed, though its row may still wait for its item's next reading; one entry stands for all finds of
one person in one item, as a decision is about both, and has the lowest score among them; nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.corpus.session import Session, reading
from demur.kernel import schema
from demur.people.context import holds
from demur.people.finds import Tier
from demur.words.page import Ints
from demur.workspace import Workspace

_COLUMNS: Final = ["item", "key", "subject", "tier", "score", "reasons"]
_TRACES: Final = {schema.WITHHELD_NAME, schema.WITHHELD_COPY}
_AROUND: Final = 200
"""Characters of a row that are shown before and after a mask."""
_MOST: Final = 10
"""Masks of one row that are shown."""


class Place(NamedTuple):
    """Where an entry stands in the list; the next page begins behind it."""

    score: int
    item: int
    """words.page.short_keys of the item's key."""
    subject: int
    """A subject key of whoever is named."""


class Why(NamedTuple):
    """Why a find has its score."""

    score: int
    reasons: int
    """Bits of people.finding.tiers.Reason; 0 for a copy, and where an older demur kept none."""


@dataclass(frozen=True)
class UncertainItem:
    """What was found of one person in one item."""

    place: Place
    key: str
    """The item's, 32 hexadecimal digits."""
    tiers: tuple[Tier, ...]
    """The kinds of finds, each once, those of the lowest score first."""
    why: tuple[Why, ...]
    """Each score with its reasons, once, the lowest first."""
    finds: int


@dataclass(frozen=True)
class Listing:
    """A page of the list."""

    rows: Sequence[UncertainItem]
    total: int
    before: int
    """How many stand before this page."""


class Part(NamedTuple):
    """A part of a text as it is stored; ``mask`` says whether it is a mask of a name or a copy."""

    text: str
    mask: bool


@dataclass(frozen=True)
class Shown:
    """The row of an item as it is stored now."""

    kind: str
    created: datetime | None
    author: int
    """A subject key."""
    passages: tuple[tuple[Part, ...], ...] = field(repr=False)
    """What stands around its masks of names and copies; its beginning, where it has none."""


def uncertain(workspace: Workspace, *, after: Place | None = None, limit: int, now: datetime | None = None) -> Listing:
    """What waits for somebody to look at it, the lowest score first.

    Args:
        workspace: where.
        after: only what stands behind this place.
        limit: entries of the page.
        now: this moment.
    """
    with reading(workspace, now, rows=False) as session:
        found = _waiting(session)
        first = 0 if after is None else int(np.searchsorted(found, np.array(tuple(after), _PLACE), side="right"))
        places = [Place(*map(int, each)) for each in found[first : first + limit]]
        return Listing(_told(session, places), len(found), first)


def count_uncertain(workspace: Workspace, now: datetime | None = None) -> int:
    """How many entries :func:`uncertain` would list."""
    with reading(workspace, now, rows=False) as session:
        return len(_waiting(session))


def entry_of(workspace: Workspace, item: int, subject: int) -> UncertainItem | None:
    """The entry of an item and a person; None where there is none, or none any more."""
    with reading(workspace, rows=False) as session:
        found = _waiting(session)
        here = found[(found["item"] == item) & (found["subject"] == subject)]
        places = [Place(*map(int, each)) for each in here]
        return next(iter(_told(session, places)), None)


def shown(workspace: Workspace, key: str) -> Shown | None:
    """The row of an item key as it is stored now; None where it is not stored. That it is read, its caller records."""
    with reading(workspace) as session:
        found = session.corpus.item(bytes.fromhex(key)).select(["kind", "created", "author", "text", "spans"])
        for row in found.to_pylist():
            masks = [(each["start"], each["end"]) for each in row["spans"] if each["role"] in _TRACES]
            passages = tuple(_passages(row["text"], sorted(masks)[:_MOST]))
            return Shown(row["kind"], row["created"], row["author"], passages)
    return None


_PLACE: Final = np.dtype([("score", "i8"), ("item", "i8"), ("subject", "i8")])


def _waiting(session: Session) -> npt.NDArray[np.void]:
    """The places of all entries, sorted, shape (n,)."""
    columns = ["item", "subject", "score"]
    batches = [batch.select(columns) for batch in session.beside.uncertain.batches(columns)]
    item, subject, score = (_whole(batches, name) for name in columns)
    if not len(item):
        return np.zeros(0, _PLACE)
    wanted = session.wordless()[0].is_withheld(subject) & ~holds(session.register.names.cleared(), item, subject)
    item, subject, score = item[wanted], subject[wanted], score[wanted]
    order = np.lexsort((score, subject, item))
    item, subject, score = item[order], subject[order], score[order]
    lowest = np.ones(len(item), bool)
    lowest[1:] = (item[1:] != item[:-1]) | (subject[1:] != subject[:-1])
    found = np.zeros(int(lowest.sum()), _PLACE)
    found["score"], found["item"], found["subject"] = score[lowest], item[lowest], subject[lowest]
    return np.sort(found)


def _whole(batches: Sequence[pa.RecordBatch], name: str) -> Ints:
    parts = [batch.column(name).to_numpy(zero_copy_only=False) for batch in batches]
    return np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)


def _told(session: Session, places: Sequence[Place]) -> list[UncertainItem]:
    """The entries at some places."""
    items = np.array([place.item for place in places], np.int64)
    rows = session.beside.uncertain.where("item", items, _COLUMNS).select(_COLUMNS).to_pylist()
    finds: dict[tuple[int, int], list[tuple[Why, int, bytes]]] = {}
    for row in rows:
        find = (Why(row["score"], row["reasons"] or 0), row["tier"], row["key"])
        finds.setdefault((row["item"], row["subject"]), []).append(find)
    found = []
    for place in places:
        of = sorted(finds[place.item, place.subject])
        tiers = tuple(dict.fromkeys(Tier(tier) for _, tier, _ in of))
        why = tuple(dict.fromkeys(each for each, _, _ in of))
        found.append(UncertainItem(place, of[0][2].hex(), tiers, why, len(of)))
    return found


def _passages(text: str, masks: Sequence[tuple[int, int]]) -> "list[tuple[Part, ...]]":
    """What stands around masks, those near each other together."""
    if not masks:
        return [tuple(_parts(text, 0, min(len(text), 2 * _AROUND), ()))]
    groups: list[list[tuple[int, int]]] = []
    for each in masks:
        if groups and each[0] - groups[-1][-1][1] <= 2 * _AROUND:
            groups[-1].append(each)
        else:
            groups.append([each])
    return [tuple(_parts(text, some[0][0] - _AROUND, some[-1][1] + _AROUND, some)) for some in groups]


def _parts(text: str, start: int, end: int, masks: Sequence[tuple[int, int]]) -> "list[Part]":
    """A passage of a text, cut at its masks, with an ellipsis where there is more."""
    at, end = max(0, start), min(end, len(text))
    parts = [Part("…", mask=False)] if at else []
    for first, last in masks:
        parts += [Part(text[at:first], mask=False), Part(text[first:last], mask=True)]
        at = last
    parts.append(Part(text[at:end] + ("…" if end < len(text) else ""), mask=False))
    return [part for part in parts if part.text]
