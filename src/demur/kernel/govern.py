"""``govern``: which items of a batch may be used now, and what their text may say.

Invariants: pure and picklable, no I/O; the answer for an item depends on that item, the rules and what is known of its
thread, never on which other rows share the batch; read = kept + left out, each item counted once, by the first reason
of ``terms.Reason`` that holds; what comes out goes in again unchanged under the same rules, so that an objection and an
import take the same path. It takes items as they come from a source (terms.ITEM) and rows as they rest in the corpus
(schema.ROW).
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.identity import Pairs
from demur.kernel import schema
from demur.kernel.cells import cells
from demur.kernel.door import KEPT, REASONS, WAITS, Codes, door, mark
from demur.kernel.evidence import Beside, evidence, fingerprints
from demur.kernel.finding import found_in
from demur.kernel.keying import Keyer, in_lists, keyed
from demur.kernel.marks import (
    CODE,
    MASKS,
    dropped_by,
    dropped_by_words,
    held,
    nothing_else,
    regions_of,
    settled,
    with_masks,
)
from demur.kernel.media import described, governed_media
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import NOBODY, Ints, Spans
from demur.kernel.splice import code_points, splice
from demur.kernel.wording import Pages, Wording, page_of, read, uncertain, with_lists
from demur.people.context import Context
from demur.people.finds import Finds, Tier
from demur.suppression.copies import fingerprints_of
from demur.terms import Reason, Role

LEFT_OUT: Final = pa.schema(
    [pa.field("item", schema.KEY, nullable=False), pa.field("reason", pa.string(), nullable=False)]
)
"""A left-out item: its key and the reason, never its text."""

_NOTHING: Final = Context()
_WITHHELD: Final = tuple(REASONS.index(reason) for reason in (Reason.OBJECTED, Reason.MINOR))


@dataclass(frozen=True)
class Answer:
    """What the kernel says of a batch."""

    kept: pa.RecordBatch
    """Rows of schema.ROW that may be used, in the order of the batch."""
    items: pa.Array
    """The item key of every row of the batch, schema.KEY."""
    codes: Codes
    """Per row of the batch: door.KEPT, door.WAITS, or the position of its reason in door.REASONS."""
    waiting: pa.RecordBatch
    """Rows whose code is WAITS, as the kept ones: to be governed again, as rows at rest, once their threads are known.

    They may be kept as they are where nothing is hinted and :func:`demur.people.find.adds` tells of nobody in their
    threads.
    """
    hinted: Bools
    """In which of the waiting rows something is found though nothing is known of their threads."""
    evidence: pa.RecordBatch
    """Who takes part, is called what, and is named in full (of rows at rest, only this): evidence.ROW and EVIDENCE."""
    fingerprints: pa.RecordBatch
    """What withheld people and their copiers wrote, and where others wrote the same: evidence.ROW and FINGERPRINTS."""
    uncertain: pa.RecordBatch
    """What is masked and somebody may look at: evidence.ROW and wording.UNCERTAIN."""
    cells: pa.RecordBatch | None = None
    """Of a batch from a source: by what each of its rows is counted, columns of kernel.cells.CELLS."""
    alike: Pairs = field(default_factory=lambda: np.empty((0, 2), np.int64))
    """Of a batch from a source: the keys that are other spellings of its accounts, each beside the account's own."""

    @property
    def left_out(self) -> pa.RecordBatch:
        """Batch of :data:`LEFT_OUT`, in the order of the batch."""
        left = np.flatnonzero(self.codes >= 0)
        reasons = pa.array([str(reason) for reason in REASONS]).take(pa.array(self.codes[left]))
        return pa.RecordBatch.from_arrays([self.items.take(pa.array(left)), reasons], schema=LEFT_OUT)


def govern(batch: pa.RecordBatch, rules: Rules, context: Context | None = _NOTHING) -> Answer:
    """The kernel.

    Args:
        batch: of the schema terms.ITEM or schema.ROW.
        rules: everything that decides.
        context: what is known of the rows' threads; None while it is not known, and rows that hang on it wait.
    """
    return _governed(batch, rules, context)[0]


def govern_to_store(batch: pa.RecordBatch, rules: Rules, context: Context | None = _NOTHING) -> Answer:
    """The same, with rows that are kept or wait as schema.STORED, as by :func:`wording.stored`; words are read once."""
    answer, pages, codes, changed = _governed(batch, rules, context)
    at, waits = (np.flatnonzero(codes == code) for code in (KEPT, WAITS))
    again = np.flatnonzero(np.isin(at, changed))
    fresh = Pages(_take(answer.kept, again), pages.rules).lists if len(again) else [None, None]
    lists = [_with(_at(old, at), again, new) for old, new in zip(pages.lists, fresh, strict=True)]
    waiting = with_lists(answer.waiting, [_at(old, waits) for old in pages.lists])
    return replace(answer, kept=with_lists(answer.kept, lists), waiting=waiting)


def _governed(batch: pa.RecordBatch, rules: Rules, context: Context | None) -> tuple[Answer, Pages, Codes, Ints]:
    """The answer; the words of the rows that were kept before these were looked at, their codes, and which changed."""
    incoming = batch.schema.field("item").type != schema.KEY
    keyer = Keyer(rules.pepper)
    rows = keyed(batch, keyer) if incoming else batch
    rules = rules.covering(keyer.alike)
    codes = door(rows, rules)
    authors = batch.column("author") if incoming else None
    wrote = _own_words(rows, np.flatnonzero(np.isin(codes, _WITHHELD)), authors, rules, keyer)
    at = np.flatnonzero(codes == KEPT)
    codes[at], kept = _traces(_take(rows, at), _some(authors, at), rules, keyer)
    at = at[codes[at] == KEPT]
    pages = Pages(kept, rules)
    wording = read(pages, context)
    codes[at], governed = _worded(kept, wording, rules)
    named, seen = (at[wording.named[0]], wording.named[1]), (at[wording.seen[0]], wording.seen[1])
    copied = _copiers_words(kept, wording.finds, rules)
    wrote = np.concatenate([wrote[0], at[copied[0]]]), np.concatenate([wrote[1], copied[1]])
    answer = Answer(
        kept=governed,
        items=rows.column("item"),
        codes=codes,
        waiting=kept.filter(pa.array(wording.waits)),
        hinted=wording.hint[wording.waits],
        evidence=evidence(rows, _takes_part(rows, incoming=incoming), named, rules.word_keys),
        fingerprints=fingerprints(rows, wrote, seen),
        uncertain=_renumbered(uncertain(kept, wording.finds, rules), at),
        cells=cells(rows, rules) if incoming else None,
        alike=keyer.alike,
    )
    return answer, pages, codes[at], wording.rows


def _with(lists: pa.ListArray, at: Ints, others: pa.ListArray | None) -> pa.ListArray:
    """The lists, with ``others`` in the places ``at``."""
    if others is None:
        return lists
    return pa.concat_arrays([lists, others]).take(_exchanging(len(lists), at))


def _renumbered(lines: pa.RecordBatch, at: Ints) -> pa.RecordBatch:
    """Lines whose rows are numbered by a selection, numbered by the batch that it was made of."""
    row = pa.array(at[lines.column("row").to_numpy(zero_copy_only=False)])
    return lines.set_column(0, lines.schema.field(0), row)


def _own_words(rows: pa.RecordBatch, at: Ints, authors: pa.Array | None, rules: Rules, keyer: Keyer) -> Beside:
    """The fingerprints of rows that withheld people wrote, read as masked as everybody's rows are.

    What they passed on as a reshare is not theirs: its author's own item would be taken for a copy of it.
    """
    codes, masked = _traces(_take(rows, at), _some(authors, at), rules, keyer)
    row, grams = _fingerprinted(masked, np.arange(len(masked)), rules)
    return at[codes == KEPT][row], grams


def _copiers_words(rows: pa.RecordBatch, finds: Finds, rules: Rules) -> Beside:
    """The fingerprints of rows that lose words as copies, by authors who may object later.

    Where two wrote the same at one time, nobody knows whose it is: nothing else tells of the second once it is masked.
    """
    return _fingerprinted(rows, np.unique(finds.row[finds.tier == Tier.COPY]), rules)


def _fingerprinted(rows: pa.RecordBatch, at: Ints, rules: Rules) -> Beside:
    """The fingerprints of some rows; what is passed on in them as a reshare is not their authors' own."""
    if not len(at):
        return at, at
    some = _take(rows, at)
    spans = Spans.of(some.column("spans"), incoming=False)
    own = np.flatnonzero(~_rows_with(spans.row[spans.role == CODE[Role.RESHARE]], len(some)))
    row, grams = fingerprints_of(page_of(_take(some, own), rules))
    return at[own][row], grams


def _takes_part(rows: pa.RecordBatch, *, incoming: bool) -> Bools:
    """Which rows tell that their author takes part in their thread: those of a source, as long as they are there."""
    if not incoming:
        return np.zeros(len(rows), bool)
    gone = pc.fill_null(rows.column("deleted"), fill_value=False)
    return np.asarray(pc.and_not(pc.is_valid(rows.column("author")), gone).to_numpy(zero_copy_only=False), bool)


def _traces(rows: pa.RecordBatch, authors: pa.Array | None, rules: Rules, keyer: Keyer) -> tuple[Codes, pa.RecordBatch]:
    """What rows hold of other people, by markup and identifiers: their codes, and the rows that are kept."""
    spans = Spans.of(rows.column("spans"), incoming=authors is not None)
    reshared = held(spans, rules) & (spans.role == CODE[Role.RESHARE])
    codes = np.full(len(rows), KEPT, np.int8)
    mark(codes, Reason.RESHARE, _rows_with(spans.row[reshared], len(rows)))
    spans, media = found_in(rows, authors, spans, rules, keyer), described(rows, authors, rules, keyer)
    return _masked(rows, codes, spans, media, rules.covering(keyer.alike))  # whom the text names besides


def _worded(rows: pa.RecordBatch, wording: Wording, rules: Rules) -> tuple[Codes, pa.RecordBatch]:
    """What rows hold of other people in their words: their codes, and the rows that are kept."""
    codes = np.where(wording.waits, WAITS, KEPT).astype(np.int8)
    at = wording.rows
    if len(at):
        place = np.zeros(len(rows), np.int64)
        place[at] = np.arange(len(at))
        found, some = wording.spans, _take(rows, at)
        found = Spans(place[found.row], found.start, found.end, found.role, found.subject)
        spans = Spans.of(some.column("spans"), incoming=False).joined(found)
        fresh = np.full(len(at), KEPT, np.int8)
        codes[at], masked = _masked(some, fresh, spans, wording.media.take(pa.array(at)), rules)
        rows = _replaced(rows, at[codes[at] == KEPT], masked)
    return codes, _take(rows, np.flatnonzero(codes == KEPT))


def _replaced(rows: pa.RecordBatch, at: np.ndarray, others: pa.RecordBatch) -> pa.RecordBatch:
    """The rows, with ``others`` in the places ``at``."""
    both = pa.Table.from_batches([rows, others]).take(_exchanging(len(rows), at)).combine_chunks()
    return both.to_batches()[0] if len(both) else rows


def _exchanging(rows: int, at: np.ndarray) -> pa.Array:
    """The order in which rows, and behind them others, are taken to have the others in the places ``at``."""
    order = np.arange(rows)
    order[at] = rows + np.arange(len(at))
    return pa.array(order)


def _masked(
    rows: pa.RecordBatch, codes: Codes, spans: Spans, media: pa.Array, rules: Rules
) -> tuple[Codes, pa.RecordBatch]:
    """Rows with everything masked that their spans say, with the codes of those that go for it; and those that stay."""
    texts = rows.column("text")
    points, blank = code_points(texts), _blank(texts)
    lengths = np.where(blank, 0, np.diff(points.first))  # a mask over blanks would pass for a word
    spans = with_masks(texts, points, spans.clipped(lengths).nested())
    withheld = held(spans, rules)
    for reason, dropped in dropped_by(spans, withheld, rules.policy.others):
        mark(codes, reason, _rows_with(dropped, len(rows)))
    regions, spans, within = regions_of(texts, spans, withheld, rules)
    for reason, dropped in dropped_by_words(spans, rules.policy.others):
        mark(codes, reason, _rows_with(dropped, len(rows)))
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


def _some(values: pa.Array | None, at: np.ndarray) -> pa.Array | None:
    return None if values is None else _at(values, at)


def _at(values: pa.Array, at: np.ndarray) -> pa.Array:
    return values if len(at) == len(values) else values.take(pa.array(at))


def _take(batch: pa.RecordBatch, at: np.ndarray) -> pa.RecordBatch:
    return batch if len(at) == len(batch) else batch.take(pa.array(at))
