"""Honouring: what the register says now is done to the rows it concerns, and to no others.

Invariants: the cost follows the affected rows; rows go through the same kernel as at import; one commit deletes what
may not be used any more and replaces what others wrote; the mark *honoured* moves only after the commit, so that a
kill in between repeats the work and never skips it. Nothing is ever added back here: what is allowed again returns
with the next import of its source (law 2).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa

from demur.corpus.compaction import maintain_if_due, remove_old_files, rewrite_deleted
from demur.corpus.session import Session, writing
from demur.corpus.dataset import ADDRESS, Addresses
from demur.kernel import schema
from demur.kernel.door import KEPT, REASONS
from demur.kernel.govern import Answer, govern
from demur.kernel.rules import Bools, Rules
from demur.terms import EntryKind
from demur.workspace import Workspace

REWRITTEN: Final = "rewritten"
"""What is the matter with a row that may stay, though not as it is."""


@dataclass(frozen=True)
class HonourReport:
    """What honouring did."""

    binding: int
    """The last binding entry that the corpus honours now."""
    deleted: int
    """Rows that may not be used any more."""
    rewritten: int
    """Rows of others that named or quoted someone."""
    seconds: float


@dataclass
class _Change:
    """What is to be committed; filled while the rewritten rows are streamed to disk."""

    gone: list[Addresses] = field(default_factory=list)
    deleted: int = 0
    rewritten: int = 0


def honour(workspace: Workspace, *, now: datetime | None = None) -> HonourReport:
    """Brings the corpus up to the register's head."""
    with writing(workspace, "honour", now) as session:
        return honour_in(session)


def honour_in(session: Session, *, every_row: bool = False) -> HonourReport:
    """Brings the corpus up to the register's head, in a session that is open for writing already.

    With ``every_row`` no index is trusted: all rows go through the kernel again.
    """
    began = time.perf_counter()
    rules, binding = session.rules()
    honoured = session.honoured
    changes = session.register.standing.changes(honoured)  # read second: it may know more than the rules, never less
    change = _Change()
    if every_row or changes.policy or len(changes.subjects):
        whole = every_row or changes.policy
        rows = session.corpus.batches() if whole else session.corpus.concerning(changes.subjects)
        _apply(session, rows, rules, change)
    if binding > honoured:
        session.note_honoured(binding, changed=bool(change.deleted or change.rewritten))
    if session.holds_erased:
        rewrite_deleted(session.corpus)
        session.corpus.index()
        remove_old_files(session.corpus)
    if change.deleted or change.rewritten:
        counts = {"binding": binding, "deleted": change.deleted, "rewritten": change.rewritten}
        session.register.log.append(EntryKind.CORPUS_HONOURED, counts, now=session.now)
    seconds = time.perf_counter() - began
    maintain_if_due(session.corpus)
    return HonourReport(binding, change.deleted, change.rewritten, seconds)


def _apply(session: Session, rows: Iterator[pa.RecordBatch], rules: Rules, change: _Change) -> None:
    fragments = session.corpus.write(_rewritten(rows, rules, change))
    gone = np.concatenate([np.zeros(0, np.uint64), *change.gone])
    session.corpus.commit(gone, fragments, {"demur": "honour"})


def _rewritten(rows: Iterator[pa.RecordBatch], rules: Rules, change: _Change) -> Iterator[pa.RecordBatch]:
    """The rows whose text changes; notes the addresses of these and of the deleted ones in ``change``."""
    for part in regoverned(rows, rules):
        change.gone.append(part.addresses[part.left_out | part.differs])
        change.deleted += int(part.left_out.sum())
        change.rewritten += int(part.differs.sum())
        if part.differs.any():
            yield part.answer.kept.filter(pa.array(part.differs[~part.left_out]))


@dataclass(frozen=True)
class Part:
    """Rows at rest that went through the kernel again; arrays have shape (rows,)."""

    stored: pa.RecordBatch
    """The rows as they were, schema.ROW."""
    addresses: Addresses
    answer: Answer
    left_out: Bools
    differs: Bools
    """Kept, but not as they were."""

    @property
    def reasons(self) -> list[str | None]:
        """Why each row may not stay as it is: its terms.Reason, or :data:`REWRITTEN`; None where it may."""
        changed = [REWRITTEN if differs else None for differs in self.differs]
        return [
            change if code == KEPT else str(REASONS[code])
            for code, change in zip(self.answer.codes.tolist(), changed, strict=True)
        ]


def regoverned(rows: Iterator[pa.RecordBatch], rules: Rules) -> Iterator[Part]:
    """Stored rows, with addresses, through the kernel again."""
    for batch in rows:
        stored = pa.RecordBatch.from_arrays([batch.column(name) for name in schema.ROW.names], schema=schema.ROW)
        answer = govern(stored, rules)
        left_out = answer.codes != KEPT
        differs = np.zeros(len(stored), bool)
        differs[~left_out] = _differ(stored.filter(pa.array(~left_out)), answer.kept)
        addresses = batch.column(ADDRESS).to_numpy(zero_copy_only=False).astype(np.uint64)
        yield Part(stored, addresses, answer, left_out, differs)


def _differ(before: pa.RecordBatch, after: pa.RecordBatch) -> Bools:
    """Which rows, shape (rows,), the kernel changed."""
    different = np.zeros(len(before), bool)
    for name in ("text", "spans", "subjects", "media"):
        old, new = before.column(name), after.column(name)
        if not old.equals(new):
            different |= np.array([a != b for a, b in zip(old.to_pylist(), new.to_pylist(), strict=True)], bool)
    return different
