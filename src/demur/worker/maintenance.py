"""Maintenance: the corpus follows the register, erasures are finished, small fragments merged, retention applied.

Invariants: besides honouring, maintenance changes no row; a kill in the middle leaves a corpus that the next step
finishes.
"""

from dataclasses import dataclass
from datetime import datetime

from demur.corpus.compiled import compiled_anew, forget
from demur.corpus.datasets.compaction import remove_old_files, write_deletions
from demur.corpus.honour import HonourReport, honour_in
from demur.corpus.session import Session, writing
from demur.rights.erasing import finish_in
from demur.versions.publish import retire_in
from demur.versions.states import outdated
from demur.workspace import Workspace


@dataclass(frozen=True)
class MaintainReport:
    """What maintenance did."""

    fragments_before: int
    fragments_after: int
    bytes_removed: int
    """Of old data and index files."""
    lapsed: int
    """Doubted objections that nobody confirmed in time."""
    retired: tuple[str, ...]
    """Versions that were stale for longer than the policy keeps them."""
    honoured: HonourReport
    """What the register held and the corpus had not followed yet."""
    erased: int
    """Erasures that were asked for, or cut off, and are finished now."""
    clock_days: int | None
    """Days between the register's last entry and now, where that is too far for anything to lapse; else None."""


def maintain(workspace: Workspace, *, now: datetime | None = None) -> MaintainReport:
    """All that is due: overdue objections lapse, the corpus follows the register, old files and deletions go.

    Names that nobody compiled yet are, for whoever reads all names next.
    """
    with writing(workspace, "maintain", now) as session:
        lapsing = session.register.objections.lapse_due(session.now)
        if session.policy.others.looks_for_names:
            session.register.names.keep_compiled()
        honoured = honour_in(session)
        erased = finish_in(session)
        before = len(session.corpus.dataset.get_fragments())
        write_deletions(session.corpus)
        session.corpus.index()
        retired = outdated(session)
        for name in retired:
            retire_in(session, name)
        removed = remove_old_files(session.corpus) + _tidied(session)
        after = len(session.corpus.dataset.get_fragments())
        return MaintainReport(
            before, after, removed, len(lapsing.references), tuple(retired), honoured, len(erased), lapsing.doubted_days
        )


def _tidied(session: Session) -> int:
    """What lies beside the corpus, and is compiled of it, loses its deleted lines and old files, too; bytes removed."""
    removed = 0
    for dataset in session.beside.datasets:
        if dataset.count():
            write_deletions(dataset)
            dataset.index()
        removed += remove_old_files(dataset)
    if session.policy.others.looks_for_copies:
        compiled_anew(session.beside.fingerprints, session.workspace.beside_path)
    else:
        forget(session.workspace.beside_path)
    return removed
