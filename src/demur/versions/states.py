"""The versions of a workspace: which exist, which are stale, and how their rows are read.

Invariants: the register says which versions exist; a retired version is not read; a version is stale when the kernel,
under today's rules, would leave out or change one of its rows for what binding entries or the policy changed since it
was published: what an import tells later of withheld people's threads and words is such an entry (ADR 0037).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.journal import retired
from demur.corpus.session import Session
from demur.errors import UsageError
from demur.kernel.rules import Rules
from demur.kernel.schema import WITHHELD_COPY, WITHHELD_NAME
from demur.register import Entry, Register
from demur.terms import BINDING, EntryKind
from demur.versions.manifest import Manifest, read, scores_of
from demur.versions.traces import Trace, first_traces
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.regoverning import Part


@dataclass(frozen=True)
class VersionState:
    """One published version."""

    name: str
    published: datetime
    rows: int
    retired: bool
    stale: int | None
    """Rows that today's rules leave out or change; None for a retired version, which is not read."""


_OF_WORDS: Final = {WITHHELD_COPY: Trace.COPY, WITHHELD_NAME: Trace.NAME}


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
    for batch in Corpus.open(workspace.corpus_place, name).batches():
        yield batch.drop_columns([ADDRESS])


def stale_rows(session: Session, name: str) -> Iterator[tuple[pa.RecordBatch, list[str]]]:
    """Batches of a version's rows that today's rules leave out or change, with what is the matter with each.

    That is the reason for which a row is left out; of one that is only changed the first trace that it has of somebody
    who is withheld, by markup or by words, or `rewritten`.
    """
    for part, rules in stale_parts(session, name):
        yield part.stored.filter(pa.array(part.left_out | part.differs)), _reasons(part, rules)


def stale_parts(session: Session, name: str) -> Iterator[tuple["Part", Rules]]:
    """Parts of a version in which today's rules leave out or change a row, and these rules.

    The cost follows what changed since the version was published: only rows of people whose standing changed are
    looked at, unless the policy did. Nobody looked for names in a version of an older demur, which has nothing that
    finds its rows by their words: all of its texts are read, each time.
    """
    manifest = manifest_of(session, name)
    changes = session.register.standing.changes(manifest.checkpoint.binding)
    # A policy that was edited since the last command that writes is not in the register yet.
    edited = changes.policy or session.policy.rules_hash() != manifest.policy
    unread = manifest.words is None and bool(scores_of(session.policy))
    if not (edited or unread or changes.of_rows):
        return
    from demur.corpus.affected import Affected  # noqa: PLC0415  # as the next
    from demur.corpus.regoverning import regoverned  # noqa: PLC0415  # the kernel; a version that is current needs none
    from demur.versions.known import known_now  # noqa: PLC0415  # as the next

    version = Corpus.open(session.workspace.corpus_place, name)
    rules, threads = known_now(session)
    changes = session.register.standing.changes(manifest.checkpoint.binding)  # read again: it may know more, never less
    whole = edited or changes.policy or (unread and rules.reads_words)
    rows = version.batches() if whole else Affected(version, rules, threads).changed(changes)
    for part in regoverned(rows, rules, threads):
        if (part.left_out | part.differs).any():
            yield part, rules


def _reasons(part: "Part", rules: Rules) -> list[str]:
    """What is the matter with each row of a part that may not stay as it is."""
    marked = first_traces(part.stored, rules.objected.union(rules.minors))
    worded = _in_words(part)
    told = [
        (trace or word or reason) if reason == "rewritten" else reason
        for reason, trace, word in zip(part.reasons, marked, worded, strict=True)
    ]
    return [str(reason) for reason in told if reason]


def _in_words(part: "Part") -> list[Trace | None]:
    """For each row of a part, what of it is masked now that was not: words that were copied, or a name."""
    after = iter(part.answer.kept.column("spans").to_pylist())
    found: list[Trace | None] = []
    for spans, gone in zip(part.stored.column("spans").to_pylist(), part.left_out.tolist(), strict=True):
        before, now = _masks(spans), Counter() if gone else _masks(next(after))
        fresh = [trace for role, trace in _OF_WORDS.items() if now[role] > before[role]]
        found.append(fresh[0] if fresh else None)
    return found


def _masks(spans: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(span["role"] for span in spans)


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
