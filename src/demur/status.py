"""Where a workspace stands: one reading of everything that a person in charge of it asks first.

Invariants: nothing is changed; counts only, nobody is named.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from demur import glance
from demur.corpus import journal
from demur.corpus.datasets.compaction import MOST_SMALL, small_fragments
from demur.corpus.imports import LastImport, last_imports
from demur.corpus.session import Session, reading
from demur.errors import CorpusError
from demur.objecting.channels import PROVEN
from demur.register import ClaimPhase, Head
from demur.register.continuity.loss import undecided
from demur.register.objections.states import Pending
from demur.runs.folder import runs_in
from demur.runs.listing import waits
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind
from demur.versions.states import VersionState, ends, states
from demur.workspace import Workspace


@dataclass(frozen=True)
class Deadline:
    """Something that is due."""

    on: date
    what: str
    """What is to be done by then, or happens then, in a clause that names nobody."""
    overdue: bool


@dataclass(frozen=True)
class Status:
    """A workspace at one moment."""

    rows: int
    """In the corpus."""
    pictures: int | None
    """At rest beside the rows; None where the policy lets none in, or nothing was imported since it does."""
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
    queue: int
    """Objections that wait for an officer; they bind."""
    queue_by_day: list[tuple[date, int]]
    """Objections that wait for an officer, by the day on which they came."""
    mails: int
    """Mails and notices that wait to be delivered."""
    lodged_by_day: list[tuple[date, int]]
    """Objections by the day on which they were recorded, for the days on which any were."""
    deadlines: list[Deadline]
    """What is due when, the first one first."""
    clock_days: int | None
    """Days between the register's last entry and now, where that is too far for anything to lapse; else None."""

    @property
    def behind(self) -> bool:
        """Whether something binding was recorded, or written into demur.toml, that the corpus has not followed."""
        return self.honoured < self.head.binding or not self.policy_noted


def status(workspace: Workspace, *, now: datetime | None = None) -> Status:
    """Where ``workspace`` stands."""
    with reading(workspace, now, rows=False) as session:
        seen = glance.take(workspace.root, workspace.corpus_place)
        small = small_fragments(session.corpus) if seen is None else seen.small_fragments
        noted = session.register.log.last(EntryKind.POLICY_CHANGED)
        pending, versions = session.register.objections.pending(proven=PROVEN), states(session)
        return Status(
            rows=session.corpus.count() if seen is None else seen.rows,
            pictures=_pictures(session),
            head=session.register.log.head(),
            honoured=session.honoured,
            policy_noted=noted is None or noted["rules"] == session.policy.rules_hash(),
            objections=session.register.objections.in_force(),
            suppressed=session.register.standing.count_suppressed(),
            basis=session.policy.basis.use.value,
            signed=session.policy.basis.signed,
            imports=last_imports(session),
            import_under_way=journal.read(workspace.root) is not None,
            versions=versions,
            small_fragments=small,
            maintenance_due=small > MOST_SMALL,
            loss=lost.sentence if (lost := undecided(session.register.log)) else "",
            queue=sum(number for _, number in pending.days),
            queue_by_day=pending.days,
            mails=session.register.mails.waiting() + session.register.notices.waiting(),
            lodged_by_day=session.register.objections.by_day(),
            deadlines=sorted(_deadlines(session, pending, versions), key=lambda each: each.on),
            clock_days=session.register.objections.clock_days(session.now),
        )


def _pictures(session: Session) -> int | None:
    """How many rest; nothing beside the corpus is opened where none may."""
    if not session.policy.pictures.come_in or not session.beside.pictures.there:
        return None
    return session.beside.pictures.count()


def answer_due(came: date) -> date:
    """The last day for the answer to what somebody asks, a month after it came (Art. 12(3) GDPR).

    A month ends on the day of the same number, or on the last one of a shorter month (Regulation 1182/71, Art. 3(2)).
    """
    year, month = divmod(came.year * 12 + came.month, 12)
    return date(year, month + 1, min(came.day, monthrange(year, month + 1)[1]))


def _deadlines(session: Session, pending: Pending, versions: Sequence[VersionState]) -> Iterator[Deadline]:
    today = session.now.date()
    yield from _answers(pending, today)
    yield from _claims(session, today)
    if pending.first_lapse is not None:
        lapsing = pending.first_lapse.date()
        yield Deadline(
            lapsing, f"the first of {pending.lapsing:,} objections to lapse unless confirmed", lapsing < today
        )
    for state in versions:
        if state.stale:
            end = ends(session, state.name).date()
            what = f"version {state.name}, which is stale, is retired by `demur maintain` (`retention.versions_days`)"
            yield Deadline(end, what, end < today)
    yield from _replays(session, today)
    if session.policy.effective_date > today:
        yield Deadline(session.policy.effective_date, "the policy takes effect: publish from then on", overdue=False)


def _replays(session: Session, today: date) -> Iterator[Deadline]:
    """The runs that wait for a replay: a month after the first who objected is left out of what serves."""
    for run in runs_in(session.workspace.models_path):
        try:
            pointer = read_pointer(run)
            waiting = waits(run)
        except CorpusError:
            continue  # `demur runs` and `demur verify` say so
        if waiting:
            due = answer_due((session.now if pointer is None else pointer.since).date())
            yield Deadline(
                due, f"replay {run.name}, in which somebody objected (`demur replay {run.name}`)", due < today
            )


def _answers(pending: Pending, today: date) -> Iterator[Deadline]:
    """The answers that are overdue, and the first of the others."""
    due = [(answer_due(day), number) for day, number in pending.days]
    late = [each for each in due if each[0] < today]
    if late:
        number = sum(number for _, number in late)
        yield Deadline(
            late[0][0], f"answer {_objections(number)} (Art. 12(3) GDPR), the first by this day", overdue=True
        )
    if len(late) < len(due):
        day, number = due[len(late)]
        yield Deadline(day, f"answer {_objections(number)} (Art. 12(3) GDPR)", overdue=False)


def _claims(session: Session, today: date) -> Iterator[Deadline]:
    """The answer to the claim that came first, of those that wait for one."""
    waiting = session.register.claims.listed(ClaimPhase.LODGED, ClaimPhase.TESTED)
    if waiting:
        due, number = answer_due(waiting[0].received), len(waiting)
        claims = "1 claim" if number == 1 else f"{number:,} claims"
        what = f"answer {claims} that a model repeats data (Art. 12(3) GDPR), the first by this day"
        yield Deadline(due, what, due < today)


def _objections(number: int) -> str:
    return "1 objection" if number == 1 else f"{number:,} objections"
