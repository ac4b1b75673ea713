"""The versions of a workspace: which exist, which are stale, and how their rows are read.

Invariants: the register says which versions exist; a retired version is not read; a version is stale when the kernel,
under today's rules, would leave out or change one of its rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from demur.corpus.dataset import ADDRESS
from demur.corpus.journal import retired
from demur.corpus.session import Session
from demur.corpus.store import Corpus
from demur.errors import UsageError
from demur.register import Entry, Register
from demur.terms import BINDING, EntryKind
from demur.versions.manifest import Manifest, read
from demur.workspace import Workspace


@dataclass(frozen=True)
class VersionState:
    """One published version."""

    name: str
    published: datetime
    rows: int
    retired: bool
    stale: int | None
    """Rows that today's rules leave out or change; None for a retired version, which is not read."""


def entry_of(register: Register, name: str) -> Entry | None:
    """The entry that published ``name``, also when it was retired later."""
    entries = register.log.entries(EntryKind.VERSION_PUBLISHED)
    return next((entry for entry in entries if entry.payload["name"] == name), None)


def published(register: Register, name: str) -> Entry:
    """The entry that published ``name``.

    Raises:
        UsageError: when there is no such version, or it was retired.
    """
    entry = entry_of(register, name)
    if entry is None:
        raise UsageError(f"There is no version {name}: `demur versions` lists those there are.")
    if name in retired(register):
        raise UsageError(f"Version {name} was retired: publish a new one.")
    return entry


def manifest_of(session: Session, name: str) -> Manifest:
    """The manifest of a version, its signature checked.

    Raises:
        CorpusError: when it was changed or is missing.
    """
    return read(session.workspace.versions_path / f"{name}.json", session.keys.signing.public_key())


def rows_of(workspace: Workspace, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of a version, schema.ROW."""
    for batch in Corpus.open(workspace.corpus_path, name).batches():
        yield batch.drop_columns([ADDRESS])


def stale_rows(session: Session, name: str) -> Iterator[tuple[pa.RecordBatch, list[str]]]:
    """Batches of a version's rows that today's rules leave out or change, with what is the matter with each.

    The cost follows what changed since the version was published: only rows of people whose standing changed are
    looked at, unless the policy did.
    """
    manifest = manifest_of(session, name)
    changes = session.register.standing.changes(manifest.checkpoint.binding)
    # A policy that was edited since the last command that writes is not in the register yet.
    edited = changes.policy or session.policy.rules_hash() != manifest.policy
    if not edited and not len(changes.subjects):
        return
    from demur.corpus.affected import Affected  # noqa: PLC0415  # as the next
    from demur.corpus.regoverning import regoverned  # noqa: PLC0415  # the kernel; a version that is current needs none

    version = Corpus.open(session.workspace.corpus_path, name)
    rules, _ = session.rules()
    changes = session.register.standing.changes(manifest.checkpoint.binding)  # read again: it may know more, never less
    whole = edited or changes.policy
    threads = session.threads(rules)
    rows = version.batches() if whole else Affected(version, rules, threads).concerning(changes.subjects)
    for part in regoverned(rows, rules, threads):
        where = part.left_out | part.differs
        if where.any():
            yield part.stored.filter(pa.array(where)), [reason for reason in part.reasons if reason]


def states(session: Session) -> list[VersionState]:
    """Every version, in the order of publishing."""
    gone = retired(session.register)
    found = []
    for entry in session.register.log.entries(EntryKind.VERSION_PUBLISHED):
        name = str(entry.payload["name"])
        stale = None if name in gone else sum(len(rows) for rows, _ in stale_rows(session, name))
        found.append(VersionState(name, entry.time, int(str(entry.payload["rows"])), name in gone, stale))
    return found


def outdated(session: Session) -> list[str]:
    """The versions that have been stale for longer than the policy's retention."""
    return [state.name for state in states(session) if state.stale and ends(session, state.name) <= session.now]


def ends(session: Session, name: str) -> datetime:
    """When a version that is stale now has been so for as long as the policy's retention says."""
    return _stale_since(session, name) + timedelta(days=session.policy.retention.versions_days)


def _stale_since(session: Session, name: str) -> datetime:
    """When the first binding entry came after a version's checkpoint; now, if only demur.toml has changed."""
    entries = session.register.log.entries(after=manifest_of(session, name).checkpoint.binding)
    return next((entry.time for entry in entries if entry.kind in BINDING), session.now)
