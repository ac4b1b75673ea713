"""What a batch says that must outlive its rows: who takes part, who is called what, and what withheld people wrote.

Invariants: keys alone; what it says of an item depends on that item's own reading, the names and the fingerprints that
are known, and on no other row. Items and threads are words.page.short_keys, people subject keys.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel import schema
from demur.kernel.keying import in_lists
from demur.people.evidence import evidence_of
from demur.words.keys import WordKeys
from demur.words.page import Bools, Ints, Writing, short_keys

_KEY: Final = pa.int64()
_KEYS: Final = pa.list_(pa.int64())

EVIDENCE: Final = pa.schema(
    [
        pa.field("item", _KEY, nullable=False),
        pa.field("thread", _KEY, nullable=False),
        pa.field("author", _KEY, nullable=False),
        pa.field("parent", _KEY, nullable=False),  # -1 where there is none
        pa.field("signs", _KEYS, nullable=False),  # the keys of words that the author signs with
        pa.field("calls", _KEYS, nullable=False),  # of words by which it calls the author of its parent
        pa.field("named", _KEYS, nullable=False),  # withheld people whose full name stands in it
    ]
)

FINGERPRINTS: Final = pa.schema(
    [
        pa.field("item", _KEY, nullable=False),
        pa.field("author", _KEY, nullable=False),
        pa.field("created", _KEY, nullable=False),  # microseconds since 1970-01-01, UTC; UNDATED where unknown
        pa.field("wrote", _KEYS, nullable=False),  # of the author's own words: withheld, or masked as copies
        pa.field("seen", _KEYS, nullable=False),  # fingerprints of withheld people's words that stand in it
    ]
)

UNCERTAIN: Final = pa.schema(
    [
        pa.field("item", pa.int64(), nullable=False),  # words.page.short_keys
        pa.field("key", schema.KEY, nullable=False),
        pa.field("start", pa.int32(), nullable=False),  # code points of the text before its names were masked
        pa.field("end", pa.int32(), nullable=False),
        pa.field("subject", pa.int64(), nullable=False),
        pa.field("tier", pa.int8(), nullable=False),  # a people.finds.Tier
        pa.field("score", pa.int8(), nullable=False),
        pa.field("reasons", pa.int64()),  # bits of people.finding.tiers.Reason; null where an older demur kept none
    ]
)
"""Finds that are masked and that somebody may look at: place, score and why, no text."""

UNDATED: Final = 2**63 - 1

ROW: Final = pa.field("row", pa.int64(), nullable=False)
"""Before the others, in what the kernel answers: the row of the batch that a line belongs to."""

Beside = tuple[Ints, Ints]
"""The row of each value, and the values; shape (n,) both."""


def evidence(rows: pa.RecordBatch, told: Bools, named: Beside, keys: WordKeys) -> pa.RecordBatch:
    """What rows say of who takes part, each in a line of ROW and :data:`EVIDENCE`.

    Args:
        rows: of keying.KEYED, as a source gave them, or of schema.ROW.
        told: which of them have a line whatever they say; shape (rows,).
        named: the withheld people whose full names stand in them.
        keys: of words.
    """
    at = np.union1d(np.flatnonzero(told), named[0]).astype(np.int64)
    texts, writing = rows.column("text").take(pa.array(at)), writing_of(rows).take(at)
    signs, calls = evidence_of(texts, writing, keys)
    lists = [gathered(len(at), *signs), gathered(len(at), *calls), gathered(len(at), *_within(at, named))]
    facts = [pa.array(each) for each in (at, writing.item, writing.thread, writing.author, writing.parent)]
    return pa.RecordBatch.from_arrays([*facts, *lists], schema=pa.schema([ROW, *EVIDENCE]))


def fingerprints(rows: pa.RecordBatch, wrote: Beside, seen: Beside) -> pa.RecordBatch:
    """Lines of ROW and :data:`FINGERPRINTS`, of rows that have any.

    Args:
        rows: of keying.KEYED or schema.ROW.
        wrote: what withheld people wrote, and whoever copied them; row and key.
        seen: where others wrote the same; row and key.
    """
    at = np.union1d(wrote[0], seen[0]).astype(np.int64)
    writing = writing_of(rows).take(at)
    created = rows.column("created").take(pa.array(at)).cast(pa.int64()).fill_null(UNDATED)
    lists = [gathered(len(at), *_within(at, wrote)), gathered(len(at), *_within(at, seen))]
    facts = [pa.array(at), pa.array(writing.item), pa.array(writing.author), created]
    return pa.RecordBatch.from_arrays([*facts, *lists], schema=pa.schema([ROW, *FINGERPRINTS]))


def writing_of(rows: pa.RecordBatch) -> Writing:
    """Whose rows are, of keying.KEYED or schema.ROW."""
    author = pc.fill_null(rows.column("author"), -1).to_numpy(zero_copy_only=False)
    return Writing(author, short_keys(rows.column("item")), threads_of(rows), short_keys(rows.column("parent")))


def threads_of(rows: pa.RecordBatch) -> Ints:
    """The thread in which each row stands: the one of its item, where its source names none."""
    thread = short_keys(rows.column("thread"))
    return np.where(thread < 0, short_keys(rows.column("item")), thread)


def _within(at: Ints, beside: Beside) -> Beside:
    """The same values beside the places of their rows among some."""
    return np.searchsorted(at, beside[0]).astype(np.int64), beside[1]


def gathered(rows: int, row: Ints, values: Ints) -> pa.ListArray:
    """Per row its values, ascending and once each.

    Args:
        rows: how many there are.
        row: of each value, shape (n,).
        values: int64, shape (n,).
    """
    order = np.lexsort((values, row))
    row, values = row[order], values[order]
    fresh = (np.diff(row, prepend=-1) != 0) | (np.diff(values, prepend=0) != 0)
    return in_lists(np.bincount(row[fresh], minlength=rows), pa.array(values[fresh]))
