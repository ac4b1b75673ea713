"""The spans of a batch as flat arrays, and the rule that they nest.

Invariants: spans are sorted by (row, start, widest first, role, subject), lie inside their row's text, and nest or
are disjoint, never overlap in part. They are cut so when their item is read, whoever is withheld then: the places of
its text are the same for ever after, and law 2 asks only what becomes of each place (:mod:`marks`).
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel import schema
from demur.kernel.keying import in_lists
from demur.kernel.rules import Bools
from demur.terms import Role

Ints = npt.NDArray[np.int64]
_Span = tuple[int, int, int, int, int]

NOBODY: Final = -1
"""Stands for a null subject; real keys are not negative."""

# In the order of nesting: of two spans over the same text the first contains the second.
ROLES: Final = (Role.QUOTE, Role.RESHARE, Role.TAG, Role.MENTION)

_TRACES: Final = (schema.WITHHELD_QUOTE, schema.WITHHELD_MENTION, schema.WITHHELD_NAME, schema.WITHHELD_COPY)
WITHHELD_QUOTE, WITHHELD_MENTION, WITHHELD_NAME, WITHHELD_COPY, MARK, NAME, COPY = range(len(ROLES), len(ROLES) + 7)
"""Role codes beyond :data:`ROLES`: the four traces of schema.STORED_SPAN, and what is no span at rest.

A MARK names no account: a phone number, or a mask that stands in the text already. A NAME and a COPY were found in the
words of the text: a name of somebody withheld, and what they wrote under no markup that says so.
"""

_ROLE_NAMES: Final = pa.array([*map(str, ROLES), *_TRACES], pa.string())


@dataclass(frozen=True)
class Spans:
    """Struct of arrays, each of shape (n,)."""

    row: Ints
    """Index of the span's row in the batch."""
    start: Ints
    """Code points of the row's text, from 0."""
    end: Ints
    """Exclusive."""
    role: Ints
    """Position in :data:`ROLES`, or one of the codes beyond."""
    subject: Ints
    """Subject key, or :data:`NOBODY`; of a MARK, its mask."""

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(cls, column: pa.Array, *, incoming: bool) -> Self:
        """The spans of a list column of schema.STORED_SPAN; a span of an unknown role is dropped.

        A reshare concerns its item whole: its span loses its extent, so that no mask can cover it. What withheld
        people left is for the kernel to say: ``incoming`` spans, from a source, can't have such a role.
        """
        rows = pc.list_parent_indices(column).to_numpy(zero_copy_only=False).astype(np.int64)
        flat = column.flatten()
        known = _ROLE_NAMES.slice(0, len(ROLES)) if incoming else _ROLE_NAMES
        role = pc.fill_null(pc.index_in(flat.field("role"), value_set=known), -1)
        spans = cls(
            rows,
            _ints(flat.field("start"), -1),
            _ints(flat.field("end"), -1),
            _ints(role, -1),
            _ints(flat.field("subject"), NOBODY),
        )
        spans = spans.take((spans.role >= 0) & (spans.start >= 0) & (spans.end >= spans.start))
        extent = np.where(spans.role == ROLES.index(Role.RESHARE), 0, 1)
        return cls(spans.row, spans.start * extent, spans.end * extent, spans.role, spans.subject)

    def take(self, where: Bools | Ints) -> Self:
        """A selection."""
        return type(self)(*(values[where] for values in self.arrays()))

    def arrays(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """The five arrays, in the order of the fields."""
        return self.row, self.start, self.end, self.role, self.subject

    def joined(self, other: Self) -> Self:
        """Both, not sorted."""
        return type(self)(*(np.concatenate(pair) for pair in zip(self.arrays(), other.arrays(), strict=True)))

    def at(self, places: Self) -> Self:
        """Empty ones where each of ``places`` begins, shape (n,)."""
        return type(self)(self.row, places.start, places.start, self.role, self.subject)

    def clipped(self, lengths: Ints) -> Self:
        """Inside texts of these lengths in code points, shape (rows,)."""
        limit = lengths[self.row]
        return type(self)(self.row, np.minimum(self.start, limit), np.minimum(self.end, limit), self.role, self.subject)

    def sorted(self) -> Self:
        """In the order that the invariants name, each span once."""
        order = np.lexsort((self.subject, self.role, -self.end, self.start, self.row))
        spans = self.take(order)
        same = np.ones(max(len(spans) - 1, 0), bool)
        for values in spans.arrays():
            same &= values[1:] == values[:-1]
        return spans.take(np.concatenate([[True], ~same])[: len(spans)])

    def nested(self) -> Self:
        """Sorted, and with every span that begins inside another and ends behind it cut where the other ends."""
        spans = self.sorted()
        crossing = np.unique(spans.row[_may_cross(spans)])
        if not len(crossing):
            return spans
        inside = np.isin(spans.row, crossing)
        cut = list(_cut(zip(*(values.tolist() for values in spans.take(inside).arrays()), strict=True)))
        columns = np.array(cut, np.int64).reshape(-1, len(spans.arrays())).T
        return spans.take(~inside).joined(type(self)(*columns)).sorted()

    def column(self, rows: int) -> pa.Array:
        """As a list column of schema.STORED_SPAN, ``rows`` long; spans must be sorted, without a MARK, NAME or COPY."""
        subject = pa.array(self.subject, mask=self.subject == NOBODY)
        children = [
            pa.array(self.start.astype(np.int32)),
            pa.array(self.end.astype(np.int32)),
            _ROLE_NAMES.take(pa.array(self.role)),
            subject,
        ]
        flat = pa.StructArray.from_arrays(children, fields=list(schema.STORED_SPAN))
        return in_lists(np.bincount(self.row, minlength=rows), flat)


def no_spans() -> Spans:
    """An empty value."""
    return Spans(*(np.zeros(0, np.int64) for _ in range(5)))


def running_end(row: Ints, end: Ints) -> Ints:
    """For spans sorted by row: the greatest end among the earlier spans of the same row, 0 for the first."""
    if not len(row):
        return end
    width = int(end.max()) + 1
    reached = np.maximum.accumulate(row * width + end)
    before = np.concatenate([[0], reached[:-1]])
    return np.where(before >= row * width, before - row * width, 0)


def _may_cross(spans: Spans) -> Bools:
    """Which spans might: they begin inside an earlier one and are not simply inside the one right before."""
    same_row = spans.row[1:] == spans.row[:-1]
    previous = np.concatenate([[0], np.where(same_row, spans.end[:-1], 0)])[: len(spans)]
    return np.asarray((spans.start < running_end(spans.row, spans.end)) & (spans.end > previous))


def _cut(found: Iterable[_Span]) -> Iterator[_Span]:
    """Cuts crossing spans; a stack holds the ends of the spans that are still open."""
    waiting = [_sort_key(span) for span in found]
    heapq.heapify(waiting)
    open_ends: list[tuple[int, int]] = []
    while waiting:
        row, start, minus_end, role, subject = heapq.heappop(waiting)
        end = -minus_end
        while open_ends and (open_ends[-1][0] != row or open_ends[-1][1] <= start):
            open_ends.pop()
        if open_ends and (limit := open_ends[-1][1]) < end:
            heapq.heappush(waiting, (row, limit, -end, role, subject))
            end = limit
        open_ends.append((row, end))
        yield row, start, end, role, subject


def _sort_key(span: _Span) -> _Span:
    row, start, end, role, subject = span
    return row, start, -end, role, subject


def _ints(values: pa.Array, unknown: int) -> Ints:
    return np.asarray(pc.fill_null(values, unknown).to_numpy(zero_copy_only=False).astype(np.int64))
