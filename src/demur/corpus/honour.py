"""Honouring: what the register says now is done to the rows it concerns, and to no others.

Invariants: the cost follows the affected rows; the bytes of pictures that go with them are in no file when it is done;
rows go through the same kernel as at import; the mark *honoured* moves only after all commits, so that a kill in
between repeats the work and never skips it. Nothing is ever added back here: what is allowed again returns with the
next import of its source (law 2).

There are two passes: by and about a person and by name, which also finds the threads that name them in full and gives
the fingerprints of what they wrote; and then what only these can find, in threads and as copies.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import numpy as np

from demur.corpus.affected import Affected, once
from demur.corpus.datasets.compaction import maintain_if_due, remove_old_files, rewrite_deleted
from demur.corpus.regoverning import Change, change_rows, note_copies
from demur.corpus.session import Session, writing
from demur.identity import SubjectKeys
from demur.kernel.rules import Rules
from demur.terms import EntryKind
from demur.workspace import Workspace


@dataclass(frozen=True)
class HonourReport:
    """What honouring did."""

    binding: int
    """The last binding entry that the corpus honours now."""
    deleted: int
    """Rows that may not be used any more."""
    rewritten: int
    """Rows of others that named, quoted or copied someone."""
    seconds: float


def honour(workspace: Workspace, *, now: datetime | None = None) -> HonourReport:
    """Brings the corpus up to the register's head."""
    with writing(workspace, "honour", now) as session:
        return honour_in(session)


def honour_in(session: Session, *, every_row: bool = False) -> HonourReport:
    """Brings the corpus up to the register's head, in a session that is open for writing already.

    With ``every_row`` no index is trusted: all rows go through the kernel again.
    """
    began = time.perf_counter()
    honoured = session.honoured
    _keep_names(session, honoured)
    rules, binding = session.rules()
    changes = session.register.standing.changes(honoured)  # read second: it may know more than the rules, never less
    deleted = rewritten = 0
    if every_row or changes.policy or len(changes.subjects):
        whole = every_row or changes.policy
        for change in _passes(session, rules, None if whole else changes.subjects):
            deleted, rewritten = deleted + change.deleted, rewritten + change.rewritten
    if session.beside.pictures.there:
        _take_pictures(session, whole=every_row or changes.policy)
    if binding > honoured:
        session.note_honoured(binding, changed=bool(deleted or rewritten))
        session.register.figures.took_effect(honoured, binding)
    if session.holds_erased:
        rewrite_deleted(session.corpus)
        session.corpus.index()
        remove_old_files(session.corpus)
    if deleted or rewritten:
        counts = {"binding": binding, "deleted": deleted, "rewritten": rewritten}
        session.register.log.append(EntryKind.CORPUS_HONOURED, counts, now=session.now)
    session.beside.pictures.tidy()
    seconds = time.perf_counter() - began
    maintain_if_due(session.corpus)
    return HonourReport(binding, deleted, rewritten, seconds)


def _keep_names(session: Session, honoured: int) -> None:
    """Compile the names of whoever is withheld since, once, so that whoever reads all names finds them compiled."""
    if session.policy.others.looks_for_names and session.register.log.head().binding > honoured:
        changes = session.register.standing.changes(honoured)
        session.register.names.keep_compiled(None if changes.policy else changes.subjects)


def _take_pictures(session: Session, *, whole: bool) -> None:
    """Take away the pictures that the policy does not let in any more: all, or those that are larger now than it says.

    Args:
        session: open for writing.
        whole: whether the policy may be another one since.
    """
    wanted = session.policy.pictures
    if not wanted.come_in:
        session.beside.pictures.clear()
    elif whole:
        session.beside.pictures.clear(wanted.longest_side)


def _passes(session: Session, rules: Rules, subjects: SubjectKeys | None) -> Iterator[Change]:
    """Changes rows by what is known of some people, or of everybody; see the module's docstring."""
    corpus, affected = session.corpus, Affected(session.corpus, rules, session.threads(rules))
    if subjects is None:
        rules = _with_stock(session, affected)
        rows = corpus.batches()
    else:
        named = corpus.rows(affected.named_anywhere(subjects))
        rows = once(chain(corpus.concerning(subjects), named))
    first = change_rows(session, rows, rules)
    yield first
    told = np.union1d(first.named, first.wrote)
    if len(more := told if subjects is None else np.union1d(told, subjects)):
        yield _second(session, more)


def _with_stock(session: Session, affected: Affected) -> Rules:
    """The rules, once all is noted that others wrote, too: nobody noted it while the policy kept copies."""
    copies = affected.rules.copies
    if copies is not None:
        rows = session.corpus.rows(affected.copied(copies.subjects))
        if note_copies(session, rows, affected.rules):
            return session.rules()[0]
    return affected.rules


def _second(session: Session, subjects: SubjectKeys) -> Change:
    """Changes the rows that only threads and fingerprints tell of."""
    rules, _ = session.rules()  # with the fingerprints that came since
    affected = Affected(session.corpus, rules, session.threads(rules))
    copied = affected.copied(subjects)
    if note_copies(session, session.corpus.rows(copied), rules):
        rules, _ = session.rules()  # with what is stock
    found = np.union1d(affected.named_in_threads(subjects), copied)
    return change_rows(session, session.corpus.rows(found), rules)
