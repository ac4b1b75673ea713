"""What is known of a version's rows at one moment, and from there at a later one: only what changed is judged again.

Invariants: what is known is what states.stale_parts would find anew; a row that is not judged again is one of which the
register, the corpus and what lies beside it say the same as before. The cost of going on follows the rows of the people
whose standing changed since and, where something may be allowed again, the rows that were stale; not the version.
Whatever else may have changed an answer (the policy, an import, an erasure, the day) has all of it judged anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import Addresses
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.session import Session
from demur.kernel.rules import Rules
from demur.register import Changes, Head
from demur.suppression.copies import Copies
from demur.terms import BINDING, EntryKind
from demur.versions.manifest import scores_of
from demur.versions.states import manifest_of, stale_parts
from demur.words.grams import paired
from demur.words.page import Ints

if TYPE_CHECKING:
    from demur.corpus.regoverning import Part
    from demur.corpus.threads import Threads

_ALL: Final = frozenset({EntryKind.POLICY_CHANGED, EntryKind.IMPORT_FINISHED, EntryKind.PERSON_ERASED})
"""Entries after which all is judged anew."""
_OWN: Final = frozenset(
    {
        EntryKind.OBJECTION_LODGED,
        EntryKind.OBJECTION_CONFIRMED,
        EntryKind.OBJECTION_REVIVED,
        EntryKind.CONSENT_GIVEN,
        EntryKind.CONSENT_WITHDRAWN,
        EntryKind.NOTICE_SENT,
        EntryKind.NOTICE_BOUNCED,
    }
)
"""Binding entries that allow nothing again but rows of the people whom they name."""
_MAY_ALLOW: Final = (BINDING | {EntryKind.NAME_CLEARED}) - _OWN
"""Entries after which rows of others may stay that were stale."""


@dataclass(frozen=True)
class _Moment:
    """What an answer hangs on, beside the register's binding entries."""

    day: date
    policy: str
    imports: int
    honoured: int
    beside: tuple[int, int]
    """The content of what lies beside the corpus."""
    copies: Copies | None
    """What withheld people wrote, with what honouring is yet to find out."""

    @classmethod
    def of(cls, session: Session, copies: Copies | None) -> "_Moment":
        said, beside = session.corpus.said(), session.beside
        content = (beside.evidence.content, beside.fingerprints.content)
        day = session.now.astimezone(UTC).date()
        return cls(day, session.policy.rules_hash(), said.imports, said.honoured, content, copies)

    def leads_to(self, later: "_Moment") -> bool:
        """Whether all that changed on the way are rows that honouring found, and what it noted of these."""
        if (self.day, self.policy, self.imports) != (later.day, later.policy, later.imports):
            return False
        return self.honoured < later.honoured or (self.honoured, self.beside) == (later.honoured, later.beside)


@dataclass(frozen=True)
class Judged:
    """Which rows of a version are stale at one moment."""

    head: Head
    """Of the register; an entry after it may be known already."""
    rows: "Part | None"
    """These rows, with what becomes of them; None where there are none."""
    moment: _Moment | None
    """None where nothing was stale: to judge anew costs as little as to go on."""
    again: int | None = None
    """How many rows were judged to go on from an earlier moment; None where all was judged anew."""


def judged(session: Session, name: str, before: Judged | None = None) -> Judged:
    """Which rows of a version are stale now.

    Args:
        session: as of now.
        name: the version's.
        before: what was known of the same version before, in the same workspace; without it all is judged.
    """
    head = session.register.log.head()  # first: what is known may be more, never less
    if before is not None and (later := _gone_on(session, name, before, head)) is not None:
        return later
    parts: list[Part] = []
    copies: Copies | None = None
    for part, rules in stale_parts(session, name):
        parts.append(_stale_of(part))
        copies = rules.copies
    return Judged(head, _joined(parts), _Moment.of(session, copies) if parts else None)


def _gone_on(session: Session, name: str, before: Judged, head: Head) -> Judged | None:
    """What is known now by what was known before; None where all has to be judged anew."""
    kinds = {entry.kind for entry in session.register.log.entries(after=before.head.seq)}
    if before.moment is None or before.rows is None or kinds & _ALL:
        return None
    if manifest_of(session, name).words is None and scores_of(session.policy):
        return None  # nothing finds its rows by their words
    from demur.versions.known import known_now  # noqa: PLC0415  # the kernel, as in states.py

    rules, threads = known_now(session)
    moment = _Moment.of(session, rules.copies)
    stock = _Stock.between(before.moment.copies, rules.copies)
    if stock.lost or not before.moment.leads_to(moment):
        return None
    since = before.head.binding
    if before.moment.honoured < moment.honoured:  # what was noted since is of people whom the corpus had yet to honour
        since = min(since, before.moment.honoured)
    changes = session.register.standing.changes(since)
    if changes.policy:
        return None
    allowed = stock.gained or bool(kinds & _MAY_ALLOW)
    again = before.rows.addresses if allowed else before.rows.addresses[:0]
    fresh = list(_again(session, name, rules, threads, changes, again))
    return Judged(head, _in_place_of(before.rows, fresh), moment, sum(len(part.addresses) for part in fresh))


def _again(  # what is judged, and by what
    session: Session, name: str, rules: Rules, threads: "Threads", changes: Changes, others: Addresses
) -> "Iterator[Part]":
    """The rows of a version that something changed for, and others, through the kernel again."""
    from demur.corpus.affected import Affected, once  # noqa: PLC0415  # the kernel, as in states.py
    from demur.corpus.regoverning import regoverned  # noqa: PLC0415  # the same

    version = Corpus.open(session.workspace.corpus_place, name)
    rows = once(chain(Affected(version, rules, threads).changed(changes), version.rows(others)))
    yield from regoverned(rows, rules, threads)


def _in_place_of(known: "Part", again: "Sequence[Part]") -> "Part | None":
    """The stale rows, once some rows were judged again."""
    rest = known.only(
        ~np.isin(known.addresses, np.concatenate([known.addresses[:0], *(each.addresses for each in again)]))
    )
    return _joined([rest, *map(_stale_of, again)])


def _stale_of(part: "Part") -> "Part":
    return part.only(part.left_out | part.differs)


def _joined(parts: "Sequence[Part]") -> "Part | None":
    """Parts as one; None without any row."""
    parts = [part for part in parts if len(part.addresses)]
    if not parts:
        return None
    answer = replace(
        parts[0].answer,
        kept=_rows([part.answer.kept for part in parts]),
        items=pa.concat_arrays([part.answer.items for part in parts]),
        codes=np.concatenate([part.answer.codes for part in parts]),
    )
    arrays = [np.concatenate([getattr(part, each) for part in parts]) for each in ("addresses", "left_out", "differs")]
    return replace(
        parts[0],
        stored=_rows([part.stored for part in parts]),
        answer=answer,
        **dict(zip(("addresses", "left_out", "differs"), arrays, strict=True)),
    )


def _rows(batches: "Sequence[pa.RecordBatch]") -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).combine_chunks()
    return table.to_batches()[0] if len(table) else batches[0]


@dataclass(frozen=True)
class _Stock:
    """What became of fingerprints, each of somebody's words, from one moment to another."""

    gained: bool
    """Whether there is one that counts for nothing now."""
    lost: bool
    """Whether there is one that counts again."""

    @classmethod
    def between(cls, before: Copies | None, now: Copies | None) -> "_Stock":
        if before is None or now is None or now.same_as(before):
            return cls(gained=False, lost=False)
        (usual, live), (usual_now, live_now) = _by_stock(before), _by_stock(now)
        return cls(gained=bool(np.isin(usual_now, live).any()), lost=bool(np.isin(live_now, usual).any()))


def _by_stock(copies: Copies) -> tuple[Ints, Ints]:
    """The fingerprints that count for nothing, and those that count; of each person."""
    gram, subject, stock = copies.levels.every()
    key = paired(gram, subject)
    return key[stock], key[~stock]
