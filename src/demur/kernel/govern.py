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
from demur.kernel.keying import Keyer, keyed
from demur.kernel.marks import CODE, held
from demur.kernel.masking import masked, rows_with, some_of
from demur.kernel.media import described
from demur.kernel.rounds import Reworded, reworded
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import Ints, Spans
from demur.kernel.wording import Pages, page_of, uncertain, with_lists
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
    answer, said = _governed(batch, rules, context)
    kept, waiting = with_lists(answer.kept, said.lists(KEPT)), with_lists(answer.waiting, said.lists(WAITS))
    return replace(answer, kept=kept, waiting=waiting)


def _governed(batch: pa.RecordBatch, rules: Rules, context: Context | None) -> tuple[Answer, Reworded]:
    """The answer, and what became of the rows whose words were read."""
    incoming = batch.schema.field("item").type != schema.KEY
    keyer = Keyer(rules.pepper)
    rows = keyed(batch, keyer) if incoming else batch
    rules = rules.covering(keyer.alike)
    codes = door(rows, rules)
    authors = batch.column("author") if incoming else None
    wrote = _own_words(rows, np.flatnonzero(np.isin(codes, _WITHHELD)), authors, rules, keyer)
    at = np.flatnonzero(codes == KEPT)
    codes[at], kept = _traces(some_of(rows, at), _some(authors, at), rules, keyer)
    at = at[codes[at] == KEPT]
    said = reworded(Pages(kept, rules), context)
    codes[at] = said.codes
    waits = said.codes == WAITS
    named, seen = (at[said.named[0]], said.named[1]), (at[said.seen[0]], said.seen[1])
    copied = _copiers_words(kept, said.finds, rules)
    wrote = np.concatenate([wrote[0], at[copied[0]]]), np.concatenate([wrote[1], copied[1]])
    answer = Answer(
        kept=said.kept,
        items=rows.column("item"),
        codes=codes,
        waiting=kept.filter(pa.array(waits)),
        hinted=said.hint[waits],
        evidence=evidence(rows, _takes_part(rows, incoming=incoming), named, rules.word_keys),
        fingerprints=fingerprints(rows, wrote, seen),
        uncertain=_renumbered(uncertain(kept, said.finds, rules), at),
        cells=cells(rows, rules) if incoming else None,
        alike=keyer.alike,
    )
    return answer, said


def _renumbered(lines: pa.RecordBatch, at: Ints) -> pa.RecordBatch:
    """Lines whose rows are numbered by a selection, numbered by the batch that it was made of."""
    row = pa.array(at[lines.column("row").to_numpy(zero_copy_only=False)])
    return lines.set_column(0, lines.schema.field(0), row)


def _own_words(rows: pa.RecordBatch, at: Ints, authors: pa.Array | None, rules: Rules, keyer: Keyer) -> Beside:
    """The fingerprints of rows that withheld people wrote, read as masked as everybody's rows are.

    What they passed on as a reshare is not theirs: its author's own item would be taken for a copy of it.
    """
    codes, masked = _traces(some_of(rows, at), _some(authors, at), rules, keyer)
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
    some = some_of(rows, at)
    spans = Spans.of(some.column("spans"), incoming=False)
    own = np.flatnonzero(~rows_with(spans.row[spans.role == CODE[Role.RESHARE]], len(some)))
    row, grams = fingerprints_of(page_of(some_of(some, own), rules))
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
    mark(codes, Reason.RESHARE, rows_with(spans.row[reshared], len(rows)))
    spans, media = found_in(rows, authors, spans, rules, keyer), described(rows, authors, rules, keyer)
    return masked(rows, codes, spans, media, rules.covering(keyer.alike))  # whom the text names besides


def _some(values: pa.Array | None, at: np.ndarray) -> pa.Array | None:
    return values if values is None or len(at) == len(values) else values.take(pa.array(at))
