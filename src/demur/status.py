"""Where a workspace stands: one reading of everything that a person in charge of it asks first.

Invariants: nothing is changed; counts only, nobody is named.
"""

from dataclasses import dataclass
from datetime import datetime

from demur import glance
from demur.corpus import journal
from demur.corpus.compaction import MOST_SMALL, small_fragments
from demur.corpus.imports import LastImport, last_imports
from demur.corpus.session import reading
from demur.register import Head
from demur.register.continuity.loss import undecided
from demur.terms import EntryKind
from demur.versions.states import VersionState, states
from demur.workspace import Workspace


@dataclass(frozen=True)
class Status:
    """A workspace at one moment."""

    rows: int
    """In the corpus."""
    head: Head
    """The end of the register."""
    honoured: int
    """The last binding entry that the corpus honours."""
    policy_noted: bool
    """Whether the register knows the policy that demur.toml holds now: the next command that writes tells it."""
    objections: int
    """In force."""
    suppressed: int
    """Accounts that they cover."""
    basis: str
    """The legal basis in use."""
    signed: bool
    """Whether its assessment is signed; nothing is published before."""
    imports: list[LastImport]
    """The last from each source."""
    import_under_way: bool
    """Or cut off, until the next command that writes undoes it."""
    versions: list[VersionState]
    small_fragments: int
    """Each costs every look-up a little."""
    maintenance_due: bool
    loss: str
    """What a restore lost and publishing waits for, in one sentence; "" where nothing is."""
    clock_days: int | None
    """Days between the register's last entry and now, where that is too far for anything to lapse; else None."""

    @property
    def behind(self) -> bool:
        """Whether something binding was recorded, or written into demur.toml, that the corpus has not followed."""
        return self.honoured < self.head.binding or not self.policy_noted


def status(workspace: Workspace, *, now: datetime | None = None) -> Status:
    """Where ``workspace`` stands."""
    with reading(workspace, now, rows=False) as session:
        seen = glance.take(workspace.root, workspace.corpus_path)
        small = small_fragments(session.corpus) if seen is None else seen.small_fragments
        noted = session.register.log.last(EntryKind.POLICY_CHANGED)
        return Status(
            rows=session.corpus.count() if seen is None else seen.rows,
            head=session.register.log.head(),
            honoured=session.honoured,
            policy_noted=noted is None or noted["rules"] == session.policy.rules_hash(),
            objections=session.register.objections.in_force(),
            suppressed=session.register.standing.count_suppressed(),
            basis=session.policy.basis.use.value,
            signed=session.policy.basis.signed,
            imports=last_imports(session),
            import_under_way=journal.read(workspace.root) is not None,
            versions=states(session),
            small_fragments=small,
            maintenance_due=small > MOST_SMALL,
            loss=lost.sentence if (lost := undecided(session.register.log)) else "",
            clock_days=session.register.objections.clock_days(session.now),
        )
