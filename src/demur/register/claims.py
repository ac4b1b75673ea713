"""Claims that a model repeats somebody's data: what was said, how each was tested, and what was answered.

Invariants: nothing here refuses a claim, and none asks for a proof or a reason (EDPB Opinion 28/2024); what was said is
sealed under the key of the account that it names, else of a random one, and goes with it; each step is an entry, whose
payload holds counts and our own words alone; a claim is tested as often as somebody likes until it is answered, once.
After a restore, claims that came after the backup are lost, words and all, as what was said is in no journal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import orjson
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.identity import SubjectKeys
from demur.register.database import bulk, entries, instance
from demur.register.database.clock import day, days, micros, moment
from demur.register.database.effects import Effect
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.tables import account, claim, detail, entry
from demur.register.database.vault import Vault, plain
from demur.register.members.people import People
from demur.register.objections.references import new_reference, read_reference
from demur.terms import EntryKind

_DETAIL: Final = "detail"


class ClaimPhase(StrEnum):
    """Where a claim stands."""

    LODGED = "lodged"
    TESTED = "tested"
    ANSWERED = "answered"


class Outcome(StrEnum):
    """What a test found, the strongest first."""

    REPRODUCED = "reproduced"  # the model said it again
    HELD = "held"  # it stands in rows that the model was trained on
    NOT_FOUND = "not-found"  # neither; which proves nothing


@dataclass(frozen=True)
class Said:
    """What somebody says that a model said."""

    output: str
    """What it said."""
    prompt: str = ""
    """What it was asked; "" where they don't say."""
    account: str = ""
    """An account that they say is theirs, in its canonical spelling; "" for none."""
    contact: str = ""
    """The mail address that the answer goes to; "" for none."""
    language: str = ""
    """In which they are answered, one of LANGUAGES; "" for that of the notices."""


@dataclass(frozen=True)
class ClaimState:
    """How a claim stands."""

    seq: int
    """The number of its entry."""
    reference: str
    phase: ClaimPhase
    channel: str
    """How it came."""
    received: date
    """The day on which it came: the answer is due within a month (Art. 12(3) GDPR)."""
    lodged: datetime
    changed: datetime
    run: str | None
    """That is said to have answered."""
    account: int
    """The subject key of the account whose key seals it."""
    result: Mapping[str, JSON] | None
    """What the entry of the last test says; None before there is one."""

    @property
    def outcome(self) -> Outcome | None:
        """What the last test found; None before there is one."""
        return None if self.result is None else Outcome(str(self.result["outcome"]))


class Claims:
    """The claims of one register."""

    def __init__(self, store: Store, people: People, vault: Vault) -> None:
        self._store = store
        self._people = people
        self._vault = vault

    def lodge(  # what a claim has
        self,
        said: Said,
        sealed_for: str,
        *,
        channel: str,
        run: str | None = None,
        received: date | None = None,
        now: datetime | None = None,
    ) -> ClaimState:
        """Record a claim; it is durable once this returns.

        Args:
            said: what the person says; sealed.
            sealed_for: the account whose key seals it.
            channel: how it came.
            run: the run that is said to have answered.
            received: the day it came, where that was earlier.
            now: the time of its entry.

        Raises:
            IdentityError: for a malformed account.
        """
        time = micros(now)
        came = received or moment(time).date()
        with self._store.writing() as connection:
            keys = self._people.ensure(connection, [sealed_for], time)
            number, owner, reference = entries.head(connection).seq + 1, int(keys[0]), new_reference()
            sealed = self._seal(connection, owner, asdict(said))
            payload: dict[str, JSON] = {"channel": channel, "received": came.isoformat(), "run": run}
            effect = Effect(keys=keys, reference=reference)
            kind = EntryKind.CLAIM_LODGED
            made = entries.made(number, kind, payload, time, subjects=keys, effect=effect, sealed=sealed)
            entries.insert(connection, [made])
            row: dict[str, Any] = {"seq": number, "reference": reference, "incarnation": _incarnation(connection)}
            row |= {"phase": ClaimPhase.LODGED.value, "channel": channel, "received": days(came), "lodged": time}
            connection.execute(sa.insert(claim).values(**row, changed=time, account=owner, run=run))
            self._keep(connection, number, owner, sealed)
            return _state(connection, sa.select(claim).where(claim.c.seq == number))

    def tested(
        self,
        reference: str,
        outcome: Outcome,
        facts: Mapping[str, JSON],
        whose: SubjectKeys,
        *,
        now: datetime | None = None,
    ) -> ClaimState:
        """Record what a test found.

        Args:
            reference: the claim's.
            outcome: what was found.
            facts: numbers and words of ours, which name nobody.
            whose: the keys of whose rows hold the words, shape (n,); the entry commits to them under a salt.
            now: the time of its entry.

        Raises:
            RegisterError: for an unknown reference, or one that was answered, which says what was found then.
        """
        with self._store.writing() as connection:
            state, time = _found(connection, reference), micros(now)
            if state.phase is ClaimPhase.ANSWERED:
                raise RegisterError(f"The claim {state.reference} is answered already: record a new one to test again.")
            payload = {**facts, "claim": state.seq, "outcome": outcome.value}
            number = entries.append(connection, EntryKind.CLAIM_TESTED, payload, time, subjects=whose)
            return _moved(connection, state, ClaimPhase.TESTED, time, tested=number)

    def answered(
        self, reference: str, *, note: str = "", mailed: bool = False, now: datetime | None = None
    ) -> ClaimState:
        """Record that a claim was answered, by what its last test found.

        Args:
            reference: the claim's.
            note: what an officer adds to that; sealed.
            mailed: whether a mail says so, too.
            now: the time of its entry.

        Raises:
            RegisterError: for an unknown reference, or one that was not tested yet, or is answered already.
        """
        with self._store.writing() as connection:
            state = _found(connection, reference)
            if state.phase is not ClaimPhase.TESTED or state.outcome is None:
                problem = "is answered already" if state.phase is ClaimPhase.ANSWERED else "is not tested yet"
                raise RegisterError(
                    f"The claim {state.reference} {problem}: test it first (`demur claim test`), answer it once."
                )
            time, number = micros(now), entries.head(connection).seq + 1
            sealed = self._seal(connection, state.account, {"note": note}) if note else None
            payload = {"claim": state.seq, "mailed": mailed, "outcome": state.outcome.value}
            entries.insert(connection, [entries.made(number, EntryKind.CLAIM_ANSWERED, payload, time, sealed=sealed)])
            if sealed is not None:
                self._keep(connection, number, state.account, sealed)
            return _moved(connection, state, ClaimPhase.ANSWERED, time, answered=number)

    def get(self, reference: str) -> ClaimState:
        """How a claim stands; case, spaces and hyphens of the reference don't matter.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return _found(connection, reference)

    def at(self, seq: int, incarnation: int | None = None) -> ClaimState | None:
        """The claim that an entry lodged, by the number that it had in an incarnation (now); None for none."""
        which = sa.select(claim).where(claim.c.seq == seq)
        if incarnation is not None:
            which = which.where(claim.c.incarnation <= incarnation)
        with self._store.reading() as connection:
            return next(iter(_states(connection, which)), None)

    def said(self, reference: str) -> Said | None:
        """What was said; None once it was erased.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            opened = self._opened(connection, _found(connection, reference).seq)
            return None if opened is None else Said(**opened)

    def note(self, reference: str) -> str:
        """What an officer added to the answer; "" where nothing was, or it was erased.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            number = connection.scalar(
                sa.select(claim.c.answered).where(claim.c.seq == _found(connection, reference).seq)
            )
            opened = None if number is None else self._opened(connection, number)
            return "" if opened is None else str(opened["note"])

    def listed(self, *phases: ClaimPhase) -> list[ClaimState]:
        """The claims that stand somewhere, in all phases where none is given, those that came first before others."""
        which = sa.select(claim).order_by(claim.c.received, claim.c.seq)
        if phases:
            which = which.where(claim.c.phase.in_([each.value for each in phases]))
        with self._store.reading() as connection:
            return _states(connection, which)

    def of(self, keys: SubjectKeys) -> list[ClaimState]:
        """The claims that are sealed under the key of one of these accounts, oldest first."""
        with self._store.reading() as connection:
            theirs = bulk.among(connection, claim.c.account, keys)
            return _states(connection, sa.select(claim).where(theirs).order_by(claim.c.seq))

    def _seal(self, connection: sa.Connection, owner: int, said: Mapping[str, JSON]) -> bytes:
        wrapped = connection.scalar(sa.select(account.c.wrapped).where(account.c.key == owner))
        if wrapped is None:
            raise RegisterError("What was said with this claim was erased: nothing can be kept with it any more.")
        return self._vault.seal(wrapped, plain(said), _DETAIL, owner)

    @staticmethod
    def _keep(connection: sa.Connection, number: int, owner: int, sealed: bytes) -> None:
        connection.execute(sa.insert(detail).values(seq=number, account=owner, sealed=sealed))

    def _opened(self, connection: sa.Connection, number: int) -> dict[str, Any] | None:
        columns = sa.select(account.c.key, account.c.wrapped, detail.c.sealed)
        joined = columns.join(detail, detail.c.account == account.c.key).where(detail.c.seq == number)
        row = connection.execute(joined).one_or_none()
        if row is None or row.wrapped is None:
            return None
        opened: dict[str, Any] = orjson.loads(self._vault.open(row.wrapped, row.sealed, _DETAIL, row.key))
        return opened


def references_of(connection: sa.Connection, keys: SubjectKeys) -> set[str]:
    """The references of the claims that are sealed under the key of one of these accounts."""
    return set(connection.scalars(sa.select(claim.c.reference).where(bulk.among(connection, claim.c.account, keys))))


def with_words(connection: sa.Connection, keys: SubjectKeys) -> sa.ColumnElement[bool]:
    """Whether an entry is one whose words are sealed for some accounts: one that lodged a claim, or answered it."""
    theirs = bulk.among(connection, claim.c.account, keys)
    return sa.exists().where(theirs, (claim.c.seq == entry.c.seq) | (claim.c.answered == entry.c.seq)).correlate(entry)


def _incarnation(connection: sa.Connection) -> int:
    known = instance.read(connection)
    return 1 if known is None else known.incarnation


def _found(connection: sa.Connection, typed: str) -> ClaimState:
    reference = read_reference(typed)
    states = _states(connection, sa.select(claim).where(claim.c.reference == reference))
    if not states:
        raise RegisterError(f"No claim has the reference {reference}: compare it with the letter or the page.")
    return states[0]


def _moved(connection: sa.Connection, state: ClaimState, phase: ClaimPhase, time: int, **values: int) -> ClaimState:
    here = claim.c.seq == state.seq
    connection.execute(sa.update(claim).where(here).values(phase=phase.value, changed=time, **values))
    return _state(connection, sa.select(claim).where(here))


def _state(connection: sa.Connection, which: sa.Select[Any]) -> ClaimState:
    (state,) = _states(connection, which)
    return state


def _states(connection: sa.Connection, which: sa.Select[Any]) -> list[ClaimState]:
    rows = connection.execute(which).all()
    results = _results(connection, [row.tested for row in rows if row.tested is not None])
    return [
        ClaimState(
            row.seq,
            row.reference,
            ClaimPhase(row.phase),
            row.channel,
            day(row.received),
            moment(row.lodged),
            moment(row.changed),
            row.run,
            row.account,
            results.get(row.tested),
        )
        for row in rows
    ]


def _results(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, Mapping[str, JSON]]:
    rows = connection.execute(
        sa.select(entry.c.seq, entry.c.payload).where(bulk.among(connection, entry.c.seq, numbers))
    )
    return {seq: orjson.loads(payload) for seq, payload in rows}
