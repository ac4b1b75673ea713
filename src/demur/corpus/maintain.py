"""Maintenance: the corpus follows the register, small fragments are merged, and what retention ended is removed.

Invariants: besides honouring, maintenance changes no row; a kill in the middle leaves a corpus that the next step
finishes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from demur.corpus.compaction import write_deletions
from demur.corpus.honour import HonourReport, honour_in
from demur.corpus.publish import retire_in
from demur.corpus.session import Session, writing
from demur.corpus.versions import outdated
from demur.workspace import Workspace


@dataclass(frozen=True)
class MaintainReport:
    """What maintenance did."""

    fragments_before: int
    fragments_after: int
    bytes_removed: int
    """Of old data and index files."""
    lapsed: int
    """Objections that nobody confirmed in time."""
    retired: tuple[str, ...]
    """Versions that were stale for longer than the policy keeps them."""
    honoured: HonourReport
    """What the register held and the corpus had not followed yet."""


def maintain(workspace: Workspace, *, now: datetime | None = None) -> MaintainReport:
    """All that is due: overdue objections lapse, the corpus follows the register, old files and deletions go."""
    with writing(workspace, "maintain", now) as session:
        lapsed = session.register.lapse_overdue(session.now)
        honoured = honour_in(session)
        before = len(session.corpus.dataset.get_fragments())
        write_deletions(session.corpus)
        session.corpus.index()
        retired = outdated(session)
        for name in retired:
            retire_in(session, name)
        removed = _clean(session)
        after = len(session.corpus.dataset.get_fragments())
        return MaintainReport(before, after, removed, len(lapsed), tuple(retired), honoured)


def _clean(session: Session) -> int:
    """Removes the files of versions that are neither published nor the head; returns bytes.

    The workspace's lock is held, so that files of no version are a crash's leavings and nobody's work.
    """
    stats = session.corpus.dataset.cleanup_old_versions(
        older_than=timedelta(0), error_if_tagged_old_versions=False, delete_unverified=True
    )
    return int(stats.bytes_removed)
