"""An item of the synthetic community as its generator knows it: text in pieces, each with what it stands for.

Invariants: an item's text is its pieces one after the other; a piece that names somebody, or copies them, says whom,
so that the ground truth reads off what must go without looking at the text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa

from demur.demo.people import handle
from demur.terms import ITEM, MEDIA, SPAN, Audience, Kind, Role

ROWS: Final = 4096
"""Rows of a batch, at most."""


class Wave(StrEnum):
    """The imports of the demo's story, in their order."""

    FIRST = "first"  # three fifths of the items
    MORE = "more"  # the others, some of them twice
    AGAIN = "again"  # everything once more
    CHANGES = "changes"  # what was edited, deleted or turned private at the source


class Fate(StrEnum):
    """What becomes of an item at its source before the last import."""

    STAYS = "stays"
    EDITED = "edited"
    DELETED = "deleted"
    PRIVATE = "private"


class Form(StrEnum):
    """What a piece is that no markup tells of."""

    FULL = "full name"
    INFLECTED = "full name, inflected"
    INITIAL = "initial and surname"
    CALLED = "given name, called in an answer"
    SURNAME = "surname"
    NICK = "what they sign with, called in an answer"
    HANDLE = "name of an account, without a sign"
    SIGNED = "signature"
    COPY = "copy"
    TRAP = "nobody's name"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text."""

    text: str
    role: Role | None = None
    """What the markup says of it, if anything."""
    account: str | None = None
    """Whom it names or copies; of a trap, whom it does not mean."""
    direct: bool = False
    """Whether it identifies someone by itself: a handle, a profile URL, a mail address, a number."""
    form: Form | None = None
    """What it is where no markup says whom it names or copies."""
    name: str = ""
    """Of a name: the full one, as the profile has it; of a signature and a nickname, that."""
    source: tuple[int, int] | None = None
    """Of a copy: the person and the slot of the item that it copies."""
    changed: str = ""
    """Of a copy: the word in it that is not in the other item."""

    @property
    def secret(self) -> str:
        """What must not be read any more once this piece has to go."""
        return handle(self.account) if self.direct and self.account else self.text


def around(template: str, piece: Piece) -> tuple[Piece, ...]:
    """A sentence with a piece where {x} stands in it."""
    before, _, after = template.partition("{x}")
    return tuple(each for each in (Piece(before), piece, Piece(after)) if each.text)


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a film."""

    uri: str
    type: str
    alt: tuple[Piece, ...]
    tagged: tuple[str, ...]
    """Accounts shown in it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One reading of one item."""

    person: int
    slot: int
    """Which of the person's items it is, from 0."""
    item: str
    author: str | None
    kind: Kind | None
    audience: Audience | None
    region: str | None
    created: datetime | None
    language: str
    pieces: tuple[Piece, ...]
    parent: str | None
    thread: str
    group: str | None
    rating: float | None
    media: Media | None
    origin: str
    fate: Fate
    edit: str
    """What an edit will add."""
    deleted: bool = False

    @property
    def text(self) -> str:
        """The text as the source has it."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def namespace(self) -> str:
        """The source it comes from."""
        return self.item.partition(":")[0]

    def accounts(self, role: Role) -> Iterator[str]:
        """Whom its spans of one role concern."""
        return (piece.account for piece in self.pieces if piece.role is role and piece.account)

    def as_of(self, wave: Wave) -> "Item":
        """What the source says of it at an import."""
        if wave is not Wave.CHANGES or self.fate is Fate.STAYS:
            return self
        if self.fate is Fate.DELETED:
            return replace(self, pieces=(), media=None, deleted=True)
        if self.fate is Fate.PRIVATE:
            return replace(self, audience=Audience.FOLLOWERS)
        return replace(self, pieces=(*self.pieces, Piece(f"\n{self.edit}")))


def batches(items: Iterator[Item]) -> Iterator[pa.RecordBatch]:
    """Items as batches of terms.ITEM; memory holds one batch at a time."""
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == ROWS:
            yield _batch(chunk)
            chunk = []
    if chunk:
        yield _batch(chunk)


_PLAIN: Final = ("item", "author", "kind", "audience", "region", "created", "language")
_LINKS: Final = ("parent", "thread", "group", "rating")


def _batch(items: Sequence[Item]) -> pa.RecordBatch:
    columns = {name: [getattr(item, name) for item in items] for name in (*_PLAIN, *_LINKS, "origin", "deleted")}
    arrays = {name: pa.array(values, ITEM.field(name).type) for name, values in columns.items()}
    arrays["text"] = pa.array([None if item.deleted else item.text for item in items], pa.large_string())
    arrays["spans"] = _spans(items)
    arrays["media"] = _media(items)
    return pa.RecordBatch.from_arrays([arrays[name] for name in ITEM.names], schema=ITEM)


def _spans(items: Sequence[Item]) -> pa.Array:
    found = [list(_marked(item)) for item in items]
    flat = [span for spans in found for span in spans]
    columns = [pa.array([span[at] for span in flat], field.type) for at, field in enumerate(SPAN)]
    return _lists([len(spans) for spans in found], pa.StructArray.from_arrays(columns, fields=list(SPAN)))


def _marked(item: Item) -> Iterator[tuple[int, int, str, str | None]]:
    """The spans of an item: offsets in code points."""
    start = 0
    for piece in item.pieces:
        end = start + len(piece.text)
        if piece.role is not None:
            yield start, end, piece.role.value, piece.account
        start = end


def _media(items: Sequence[Item]) -> pa.Array:
    flat = [item.media for item in items if item.media is not None]
    tagged = [account for media in flat for account in media.tagged]
    columns = [
        pa.array([media.uri for media in flat], pa.string()),
        pa.array([media.type for media in flat], pa.string()),
        pa.array(["".join(piece.text for piece in media.alt) or None for media in flat], pa.string()),
        _lists([len(media.tagged) for media in flat], pa.array(tagged, pa.string())),
    ]
    whole = pa.StructArray.from_arrays(columns, fields=list(MEDIA))
    return _lists([int(item.media is not None) for item in items], whole)


def _lists(lengths: Sequence[int], values: pa.Array) -> pa.Array:
    """Lists of the given lengths over ``values``."""
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
