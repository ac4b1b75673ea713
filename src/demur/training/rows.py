"""The rows that are trained on, as token ids in memory: four bytes a token, and nothing of it on disk.

Invariants: what a row gives depends on the row, the tokenizer and the configuration alone; a row that gives no token is
left out; rows come in the order of their items, whatever order they were read in.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.identity import ITEM_KEY_BYTES, SubjectKeys
from demur.runs.render import render
from demur.terms import Role

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Encode = Callable[[Sequence[str]], Sequence[Sequence[int]]]
"""Texts become token ids, as training.tokenizer has it."""

COLUMNS: Final = ("item", "author", "text", "spans", "subjects")
"""What of a row of the corpus is read."""
ROW_BYTES: Final = 32
_AT_ONCE: Final = 1024
"""Rows that are encoded at once."""


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of integers end to end."""

    flat: npt.NDArray[np.int64]
    """All values."""
    ends: Ints
    """Where each list ends, shape (n,)."""

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Self:
        """Of lists of Python's."""
        sizes = np.array([len(each) for each in lists], np.int64)
        flat = np.fromiter((value for each in lists for value in each), np.int64, int(sizes.sum()))
        return cls(flat, np.cumsum(sizes))

    @property
    def sizes(self) -> Ints:
        """How long each list is, shape (n,)."""
        return np.diff(self.ends, prepend=0)

    @property
    def owner(self) -> Ints:
        """For each value the number of its list."""
        return np.repeat(np.arange(len(self.ends)), self.sizes)

    def take(self, which: Ints) -> Self:
        """Some of the lists, in a new order."""
        sizes = self.sizes[which]
        ends = np.cumsum(sizes)
        begins = (self.ends - self.sizes)[which]
        at = np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes) + np.repeat(begins, sizes)
        return type(self)(self.flat[at], ends)

    def holding(self, values: SubjectKeys) -> npt.NDArray[np.bool_]:
        """Which lists hold one of these values, shape (n,)."""
        found = np.zeros(len(self.ends), bool)
        found[self.owner[np.isin(self.flat, values)]] = True
        return found


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with what they give, n of them."""

    item: Bytes
    """Keys, shape (n, 16)."""
    row: Bytes
    """SHA-256 of the token ids (int32, little-endian) of each, shape (n, 32)."""
    tokens: npt.NDArray[np.int32]
    """How many ids each gives, shape (n,)."""
    people: Lists
    """Whom each is of: its author and those whom it shows, once each and ascending."""
    ids: npt.NDArray[np.int32]
    """The ids of all, end to end."""
    start: Ints
    """Where the ids of each begin, shape (n,)."""

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, which: Ints) -> Self:
        """Some of the rows, in a new order; the ids stay where they are."""
        parts = (self.item[which], self.row[which], self.tokens[which], self.people.take(which))
        return type(self)(*parts, self.ids, self.start[which])

    @classmethod
    def of(cls, items: Sequence[bytes], encoded: Sequence[Sequence[int]], people: Sequence[Sequence[int]]) -> Self:
        """Rows whose ids are known."""
        arrays = [np.asarray(each, "<i4") for each in encoded]
        tokens = np.array([len(each) for each in arrays], np.int32)
        row = b"".join(hashlib.sha256(each.tobytes()).digest() for each in arrays)
        ids = np.concatenate([np.zeros(0, "<i4"), *arrays]).astype(np.int32)
        start = np.cumsum(tokens, dtype=np.int64) - tokens
        item = np.frombuffer(b"".join(items), np.uint8).reshape(-1, ITEM_KEY_BYTES)
        return cls(item, np.frombuffer(row, np.uint8).reshape(-1, ROW_BYTES), tokens, Lists.of(people), ids, start)


def joined(first: Rows, second: Rows) -> Rows:
    """The rows of both, those of the first before those of the second."""
    people = Lists(
        np.concatenate([first.people.flat, second.people.flat]),
        np.concatenate([first.people.ends, second.people.ends + len(first.people.flat)]),
    )
    return Rows(
        np.concatenate([first.item, second.item]),
        np.concatenate([first.row, second.row]),
        np.concatenate([first.tokens, second.tokens]),
        people,
        second.ids if first.ids is second.ids else np.concatenate([first.ids, second.ids]),
        np.concatenate([first.start, second.start + (0 if first.ids is second.ids else len(first.ids))]),
    )


def read_rows(
    batches: Iterable[pa.RecordBatch], encode: Encode, *, mask_mentions: bool, drops_mentions: bool = False
) -> Rows:
    """What rows of the corpus give.

    Args:
        batches: with :data:`COLUMNS`.
        encode: the tokenizer's.
        mask_mentions: as the configuration has it.
        drops_mentions: whether a row goes once somebody objects whom it mentions: then it is of them in any case.
    """
    hides = mask_mentions and not drops_mentions
    found: list[tuple[bytes, Sequence[int], list[int]]] = []
    waiting: list[tuple[bytes, str, list[int]]] = []

    def settle() -> None:
        ids = encode([text for _, text, _ in waiting])
        found.extend((item, each, who) for (item, _, who), each in zip(waiting, ids, strict=True) if len(each))
        waiting.clear()

    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in COLUMNS)
        for item, author, text, spans, subjects in zip(*columns, strict=True):
            if words := render(text, spans, mask_mentions=mask_mentions):
                waiting.append((item, words, people_of(author, subjects, spans if hides else ())))
            if len(waiting) >= _AT_ONCE:
                settle()
    settle()
    found.sort(key=lambda each: each[0])
    return Rows.of([each[0] for each in found], [each[1] for each in found], [each[2] for each in found])


def people_of(author: int, subjects: Iterable[int], spans: Iterable[Mapping[str, Any]]) -> list[int]:
    """Whom a row is of, ascending: its author, and every subject but those who stand in it as masked mentions alone.

    Such a mention is one mask before its person objects and after (render.py): the row gives the same without them.

    Args:
        author: their key.
        subjects: keys of everybody else in the row.
        spans: the row's, as schema.STORED_SPAN; none where mentions are shown.
    """
    mentioned, shown = set[int](), set[int]()
    for span in spans:
        (mentioned if span["role"] == Role.MENTION else shown).add(span["subject"])
    return sorted({author, *subjects} - (mentioned - shown - {author}))
