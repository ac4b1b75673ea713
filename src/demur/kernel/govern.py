"""``govern``: which items of a batch may be used now, and what their text may say.

Invariants: pure and picklable, no I/O; the answer for an item depends on that item and the rules alone, never on
which other rows share the batch; read = kept + left out, each item counted once, by the first reason of
``terms.Reason`` that holds; what comes out goes in again unchanged under the same rules, so that an objection and an
import take the same path. It takes items as they come from a source (terms.ITEM) and rows as they rest in the corpus
(schema.ROW).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.identity import Pairs
from demur.kernel import schema
from demur.kernel.door import KEPT, REASONS, Codes, door, mark
from demur.kernel.finding import found_in
from demur.kernel.keying import Keyer, in_lists, keyed
from demur.kernel.marks import CODE, MASKS, dropped_by, held, regions_of, settled, with_masks
from demur.kernel.media import described, governed_media
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import NOBODY, Ints, Spans
from demur.kernel.splice import code_points, splice
from demur.terms import Reason, Role

FINGERPRINT: Final = pa.schema(
    [pa.field("subject", pa.int64(), nullable=False), pa.field("gram", pa.int64(), nullable=False)]
)
"""Keyed n-gram fingerprints of what a suppressed person wrote. Empty until copies are recognised (a later issue)."""

LEFT_OUT: Final = pa.schema(
    [pa.field("item", schema.KEY, nullable=False), pa.field("reason", pa.string(), nullable=False)]
)
"""A left-out item: its key and the reason, never its text."""


@dataclass(frozen=True)
class Answer:
    """What the kernel says of a batch."""

    kept: pa.RecordBatch
    """Rows of schema.ROW that may be used, in the order of the batch."""
    items: pa.Array
    """The item key of every row of the batch, schema.KEY."""
    codes: Codes
    """Per row of the batch: door.KEPT, or the position of its reason in door.REASONS."""
    fingerprints: pa.RecordBatch
    """Batch of :data:`FINGERPRINT`."""
    alike: Pairs = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """Of a batch from a source: the keys that are other spellings of its accounts, each beside the account's own."""

    @property
    def left_out(self) -> pa.RecordBatch:
        """Batch of :data:`LEFT_OUT`, in the order of the batch."""
        left = np.flatnonzero(self.codes != KEPT)
        reasons = pa.array([str(reason) for reason in REASONS]).take(pa.array(self.codes[left]))
        return pa.RecordBatch.from_arrays([self.items.take(pa.array(left)), reasons], schema=LEFT_OUT)


def govern(batch: pa.RecordBatch, rules: Rules) -> Answer:
    """The kernel: ``batch`` has the schema terms.ITEM or schema.ROW."""
    incoming = batch.schema.field("item").type != schema.KEY
    keyer = Keyer(rules.pepper)
    rows = keyed(batch, keyer) if incoming else batch
    rules = rules.covering(keyer.alike)
    codes = door(rows, rules)
    at = np.flatnonzero(codes == KEPT)
    authors = batch.column("author").take(pa.array(at)) if incoming else None
    inner, kept = _traces(_take(rows, at), authors, rules, keyer)
    codes[at] = inner
    none = pa.RecordBatch.from_pylist([], schema=FINGERPRINT)
    return Answer(kept, rows.column("item"), codes, none, keyer.alike)


def _traces(rows: pa.RecordBatch, authors: pa.Array | None, rules: Rules, keyer: Keyer) -> tuple[Codes, pa.RecordBatch]:
    """What the rows that passed the door hold of other people: their codes, and the rows that are kept."""
    spans = Spans.of(rows.column("spans"), incoming=authors is not None)
    codes = np.full(len(rows), KEPT, np.int8)
    reshared = held(spans, rules) & (spans.role == CODE[Role.RESHARE])
    mark(codes, Reason.RESHARE, _rows_with(spans.row[reshared], len(rows)))
    spans, media = found_in(rows, authors, spans, rules, keyer), described(rows, authors, rules, keyer)
    rules = rules.covering(keyer.alike)  # whom the text names besides
    texts = rows.column("text")
    points, blank = code_points(texts), _blank(texts)
    lengths = np.where(blank, 0, np.diff(points[1]))  # a mask over blanks would pass for a word
    spans = with_masks(texts, points, spans.clipped(lengths).nested())
    withheld = held(spans, rules)
    for reason, dropped in dropped_by(spans, withheld, rules.policy.others):
        mark(codes, reason, _rows_with(dropped, len(rows)))
    regions, spans, within = regions_of(texts, spans, withheld, rules)
    texts, spans = splice(texts, points, regions, MASKS), settled(spans, within, regions)
    media = governed_media(media, rules)
    mark(codes, Reason.EMPTY, blank & _no_picture(media))
    return codes, _kept(rows, codes, texts, spans, media)


def _kept(rows: pa.RecordBatch, codes: Codes, texts: pa.Array, spans: Spans, media: pa.Array) -> pa.RecordBatch:
    """The rows without a reason, as schema.ROW."""
    columns = {name: rows.column(name) for name in schema.ROW.names}
    columns |= {"text": texts, "spans": spans.column(len(rows)), "media": media}
    columns["subjects"] = _subjects(spans, media, len(rows))
    at = np.flatnonzero(codes == KEPT)
    return _take(pa.RecordBatch.from_arrays(list(columns.values()), schema=schema.ROW), at)


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


def _rows_with(row: Ints, rows: int) -> Bools:
    """Which of ``rows`` rows occur in ``row``."""
    found = np.zeros(rows, bool)
    found[row] = True
    return found


def _blank(texts: pa.Array) -> Bools:
    """Which texts hold no word."""
    return np.asarray(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0).to_numpy(zero_copy_only=False), bool)


def _no_picture(media: pa.Array) -> Bools:
    return np.asarray(pc.equal(pc.list_value_length(media), 0).to_numpy(zero_copy_only=False), bool)


def _take(batch: pa.RecordBatch, at: np.ndarray) -> pa.RecordBatch:
    return batch if len(at) == len(batch) else batch.take(pa.array(at))
