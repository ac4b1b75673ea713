"""Rows as their spans say: everything masked that may not stand, the spans moved, and which rows go for it.

Invariants: the same for spans of the markup and for what was found in the words; a row without a region keeps its text.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel import schema
from demur.kernel.door import KEPT, Codes, mark
from demur.kernel.keying import in_lists
from demur.kernel.marks import (
    MASKS,
    dropped_by,
    dropped_by_words,
    held,
    nothing_else,
    regions_of,
    settled,
    with_masks,
)
from demur.kernel.media import governed_media
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import NOBODY, Ints, Spans
from demur.kernel.splice import code_points, splice
from demur.terms import Reason


def masked(
    rows: pa.RecordBatch, codes: Codes, spans: Spans, media: pa.Array, rules: Rules
) -> tuple[Codes, pa.RecordBatch]:
    """Rows with everything masked that their spans say, with the codes of those that go for it; and those that stay."""
    texts = rows.column("text")
    points, blank = code_points(texts), _blank(texts)
    lengths = np.where(blank, 0, np.diff(points.first))  # a mask over blanks would pass for a word
    spans = with_masks(texts, points, spans.clipped(lengths).nested())
    withheld = held(spans, rules)
    for reason, dropped in dropped_by(spans, withheld, rules.policy.others):
        mark(codes, reason, rows_with(dropped, len(rows)))
    regions, spans, within = regions_of(texts, spans, withheld, rules)
    for reason, dropped in dropped_by_words(spans, rules.policy.others):
        mark(codes, reason, rows_with(dropped, len(rows)))
    texts, spans = splice(texts, points, regions, MASKS), settled(spans, within, regions)
    mark(codes, Reason.COPY, nothing_else(texts, spans))
    media = governed_media(media, rules)
    mark(codes, Reason.EMPTY, blank & _no_picture(media))
    return codes, _kept(rows, codes, texts, spans, media)


def _kept(rows: pa.RecordBatch, codes: Codes, texts: pa.Array, spans: Spans, media: pa.Array) -> pa.RecordBatch:
    """The rows without a reason, as schema.ROW."""
    columns = {name: rows.column(name) for name in schema.ROW.names}
    columns |= {"text": texts, "spans": spans.column(len(rows)), "media": media}
    columns["subjects"] = _subjects(spans, media, len(rows))
    at = np.flatnonzero(codes == KEPT)
    return some_of(pa.RecordBatch.from_arrays(list(columns.values()), schema=schema.ROW), at)


def _subjects(spans: Spans, media: pa.Array, rows: int) -> pa.Array:
    """Per row every key in its spans and pictures, sorted, once each."""
    pictures = media.flatten()
    tagged = pictures.field("tagged")
    row_of_picture = pc.list_parent_indices(media).to_numpy(zero_copy_only=False).astype(np.int64)
    row_of_tag = row_of_picture[pc.list_parent_indices(tagged).to_numpy(zero_copy_only=False)]
    row = np.concatenate([spans.row, row_of_tag])
    shown = pc.fill_null(tagged.flatten(), NOBODY)  # nulls would turn every key of the batch into a float
    subject = np.concatenate([spans.subject, shown.to_numpy(zero_copy_only=False)])
    row, subject = row[subject != NOBODY], subject[subject != NOBODY]
    order = np.lexsort((subject, row))
    row, subject = row[order], subject[order]
    fresh = np.ones(len(row), bool)
    fresh[1:] = (row[1:] != row[:-1]) | (subject[1:] != subject[:-1])
    return in_lists(np.bincount(row[fresh], minlength=rows), pa.array(subject[fresh]))


def rows_with(row: Ints, rows: int) -> Bools:
    """Which of ``rows`` rows occur in ``row``."""
    found = np.zeros(rows, bool)
    found[row] = True
    return found


def _blank(texts: pa.Array) -> Bools:
    """Which texts hold no word."""
    return np.asarray(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0).to_numpy(zero_copy_only=False), bool)


def _no_picture(media: pa.Array) -> Bools:
    return np.asarray(pc.equal(pc.list_value_length(media), 0).to_numpy(zero_copy_only=False), bool)


def some_of(batch: pa.RecordBatch, at: np.ndarray) -> pa.RecordBatch:
    """The rows at some positions."""
    return batch if len(at) == len(batch) else batch.take(pa.array(at))
