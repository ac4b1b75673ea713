"""What an import tells of threads and of withheld people's words is done to rows that were there before it.

Invariants: rows that the import itself brought were decided with all that it tells of threads; what it tells of copies
is done to these, too. It happens within the import's journal: a kill undoes both.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demur.corpus.affected import Affected, standing_in
from demur.corpus.regoverning import change_rows, note_copies
from demur.corpus.scratch.lines import Lines
from demur.corpus.scratch.spool import Positions
from demur.corpus.session import Session
from demur.identity import SubjectKeys
from demur.kernel.rules import Rules
from demur.words.page import Ints


@dataclass(frozen=True)
class Told:
    """What an import tells."""

    threads: Ints
    """Threads in which somebody withheld writes, is named in full or may be called by a name; ascending."""
    wrote: SubjectKeys
    """Withheld people of whose words there are fingerprints."""


def told(evidence: Lines, fingerprints: Lines, superseded: Positions, rules: Rules) -> Told:
    """What the lines of an import tell that count."""
    threads, wrote = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for lines in evidence.counting(superseded):
        author, thread = (lines.column(name).to_numpy(zero_copy_only=False) for name in ("author", "thread"))
        concerns = rules.is_withheld(author) | (_lengths(lines, "named") > 0) | (_lengths(lines, "calls") > 0)
        threads.append(thread[concerns])
    wrote += [_authors(lines) for lines in fingerprints.counting(superseded)]
    return Told(np.unique(np.concatenate(threads)), np.unique(np.concatenate(wrote)))


def reopen(session: Session, threads: Ints, rules: Rules, upto: int) -> None:
    """Governs rows again that stand in some threads, in the fragments up to a number."""
    if rules.people is not None and len(threads):
        standing = standing_in(session.corpus.batches(["item", "thread"]), threads)
        before = standing[(standing >> np.uint64(32)).astype(np.int64) <= upto]
        change_rows(session, session.corpus.rows(before), rules)


def sweep(session: Session, wrote: SubjectKeys) -> None:
    """Governs rows again that may copy what some people wrote."""
    if len(wrote):
        rules, _ = session.rules()  # with the fingerprints that came just now
        copied = Affected(session.corpus, rules, session.threads(rules)).copied(wrote)
        if note_copies(session, session.corpus.rows(copied), rules):
            rules, _ = session.rules()  # with what is stock
        change_rows(session, session.corpus.rows(copied), rules)


def _authors(lines: pa.RecordBatch) -> Ints:
    """Whose own words lines have fingerprints of."""
    return np.asarray(lines.column("author").to_numpy(zero_copy_only=False)[_lengths(lines, "wrote") > 0])


def _lengths(lines: pa.RecordBatch, name: str) -> Ints:
    return np.asarray(lines.column(name).value_lengths().to_numpy(zero_copy_only=False), np.int64)
