"""Rows with everything masked that their words say of people: masked, and read again until nothing more is found.

Invariants: what comes out stays as it is when it is read again under the same rules. A mask is evidence against nobody,
so that it may let a name beside it count: that one is masked in the next round, as it would be by the next objection
(law 2, ADR 0042). A row that waits is as it came, and nothing is said of its finds. Each round masks words of every row
that it reads again, so there are no more rounds than words.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from demur.kernel.door import KEPT, WAITS, Codes
from demur.kernel.evidence import Beside
from demur.kernel.masking import masked, some_of
from demur.kernel.rules import Bools
from demur.kernel.spans import NAME, NOBODY, WITHHELD_NAME, Ints, Spans
from demur.kernel.wording import Pages, Wording, read
from demur.people.context import Context
from demur.people.finds import Finds, joined, no_finds
from demur.words.classes import HYPHENS

_BLANKS: Final = " \t\u00a0"


@dataclass(frozen=True)
class Reworded:
    """What became of rows once their words were read."""

    codes: Codes
    """Per row: door.KEPT, door.WAITS, or the position of its reason in door.REASONS."""
    finds: Finds
    """What counts, of rows that don't wait, at the places where the text stood when it was found."""
    named: Beside
    """Row and subject of each full name that stands there, of all rows."""
    seen: Beside
    """Row and gram of each fingerprint of a withheld person's words that stood there, of all rows."""
    hint: Bools
    """In which rows something is found as far as nothing is known of their threads, also where they wait."""
    parts: tuple[Pages, ...]
    """The rows as they were read, in each round those that the round before had changed."""
    place: Ints
    """Of each row its last place in these, counted through all of them."""

    @property
    def kept(self) -> pa.RecordBatch:
        """The rows that are kept."""
        if len(self.parts) == 1:
            return some_of(self.parts[0].rows, np.flatnonzero(self.codes == KEPT))
        rows = pa.Table.from_batches([part.rows for part in self.parts])
        found = rows.take(pa.array(self.place[self.codes == KEPT])).combine_chunks()
        return found.to_batches()[0] if len(found) else self.parts[0].rows.slice(0, 0)

    def lists(self, code: int) -> list[pa.ListArray]:
        """The lists (:attr:`Pages.lists`) of the rows of a code: those that wait have the ones that they came with."""
        at = pa.array(self.place[self.codes == code])
        return [pa.concat_arrays(each).take(at) for each in zip(*(part.lists for part in self.parts), strict=True)]


def reworded(pages: Pages, context: Context | None) -> Reworded:
    """Rows of schema.ROW after their words were read; ``context`` is None as long as it is not known."""
    wording = first = read(pages, context)
    at = place = np.arange(len(pages.rows))
    codes = np.where(wording.waits, WAITS, KEPT).astype(np.int8)
    parts, finds, named = [pages], [wording.finds], [wording.named]
    while len(at := at[wording.rows]):
        fresh, changed = _masked(parts[-1], wording)
        codes[at] = fresh
        at = at[fresh == KEPT]
        place = place.copy()
        place[at] = sum(len(part.rows) for part in parts) + np.arange(len(at))
        parts.append(Pages(changed, pages.rules))
        wording = read(parts[-1], context, _among(at, named))
        codes[at[wording.waits]] = WAITS
        finds.append(replace(wording.finds, row=at[wording.finds.row]))
        named.append((at[wording.named[0]], wording.named[1]))
    waits = codes == WAITS
    place = np.where(waits, np.arange(len(place)), place)
    found = no_finds()
    for each in finds:
        found = joined(found, each)
    found = found.take(~waits[found.row])
    return Reworded(codes, found, _together(named), first.seen, first.hint, tuple(parts), place)


def _together(parts: list[Beside]) -> Beside:
    row, subject = (np.concatenate(column) for column in zip(*parts, strict=True))
    return row, subject


def _among(at: Ints, parts: list[Beside]) -> Beside:
    """What stands beside some rows, ascending, with the rows numbered among these."""
    row, subject = _together(parts)
    place = np.minimum(np.searchsorted(at, row), max(len(at) - 1, 0))
    some = at[place] == row if len(at) else np.zeros(len(row), bool)
    return place[some], subject[some]


def _masked(pages: Pages, wording: Wording) -> tuple[Codes, pa.RecordBatch]:
    """The codes of the rows in which something was found, and those of them that stay, masked."""
    at = wording.rows
    place = np.zeros(len(pages.rows), np.int64)
    place[at] = np.arange(len(at))
    some, found = some_of(pages.rows, at), wording.spans
    found = Spans(place[found.row], found.start, found.end, found.role, found.subject)
    spans = Spans.of(some.column("spans"), incoming=False)
    names = found.role == NAME
    spans = spans.joined(found.take(~names)).joined(_united(some.column("text"), spans, found.take(names)))
    return masked(some, np.full(len(at), KEPT, np.int8), spans, wording.media.take(pa.array(at)), pages.rules)


def _united(texts: pa.LargeStringArray, spans: Spans, names: Spans) -> Spans:
    """Names as places that neither overlap nor touch, with the masks of names that stood there before among them.

    Whether one mask stands for one name or for two would hang on who objected first.

    Args:
        texts: shape (rows,).
        spans: of these texts, before anything was found in their words.
        names: what was found, with role NAME.
    """
    both = names.joined(spans.take(spans.role == WITHHELD_NAME))
    both = both.take(np.lexsort((both.end, both.start, both.row)))
    some = spans.take((spans.end > spans.start) & (spans.role != WITHHELD_NAME))
    edges = set(zip(np.tile(some.row, 2).tolist(), np.concatenate([some.start, some.end]).tolist(), strict=True))
    found: list[tuple[int, int, int]] = []
    text, of_row = "", -1
    for row, start, end in zip(both.row.tolist(), both.start.tolist(), both.end.tolist(), strict=True):
        if row != of_row:
            text, of_row = texts[row].as_py(), row
        elif _goes_on(text[found[-1][2] : start]) and edges.isdisjoint(
            (row, at) for at in range(found[-1][2], start + 1)
        ):
            found[-1] = row, found[-1][1], max(end, found[-1][2])
            continue
        found.append((row, start, end))
    row, start, end = np.array(found, np.int64).reshape(-1, 3).T
    return Spans(row, start, end, np.full(len(found), NAME), np.full(len(found), NOBODY))


def _goes_on(between: str) -> bool:
    """Whether a name goes on with another one: nothing but blanks, or one hyphen, between."""
    return between in HYPHENS or not between.strip(_BLANKS)
