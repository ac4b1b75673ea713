"""The objections of one register: lodged, doubted, confirmed, lapsed, withdrawn, and read again (Art. 21 GDPR).

Invariants: every change appends its entry in the same transaction; nothing here refuses an objection.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Concatenate, Final, ParamSpec

import numpy as np
import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import SubjectKeys
from demur.register.database.clock import micros
from demur.register.database.kept import Kept
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.vault import Vault
from demur.register.members.people import People
from demur.register.objections import clocks, doubts, lodging, naming, phases, queue, states
from demur.register.objections.lodging import Lodging, Receipt
from demur.register.objections.queue import Listed, Listing, Place, Wanted
from demur.register.objections.states import ObjectionPhase, ObjectionState
from demur.register.objections.tally import Tallies, Tally

P = ParamSpec("P")

_AT_ONCE: Final = 50
"""Objections that lapse in one transaction."""


@dataclass(frozen=True)
class Lapsing:
    """What became of objections whose time has come."""

    references: list[str]
    """Of those that lapsed, oldest first."""
    doubted_days: int | None
    """Days between the last entry and now, where that is too far for anything to lapse; else None."""


def _with_fields(
    value: Callable[P, Lodging],
) -> Callable[[Callable[["Objections", Lodging], Receipt]], Callable[Concatenate["Objections", P], Receipt]]:
    """Let a method that takes a lodging be called with its fields, which so stand in one place."""

    def spelt_out(
        method: Callable[["Objections", Lodging], Receipt],
    ) -> Callable[Concatenate["Objections", P], Receipt]:
        @wraps(method)
        def call(self: "Objections", /, *args: P.args, **kwargs: P.kwargs) -> Receipt:
            return method(self, value(*args, **kwargs))

        return call

    return spelt_out


class Objections:
    """The objections of one register."""

    def __init__(self, store: Store, people: People, vault: Vault, kept: Kept | None = None) -> None:
        self._store = store
        self._people = people
        self._vault = vault
        self._tallies = Tallies(kept)
        self._homes = queue.Homes(vault)

    @_with_fields(Lodging)
    def lodge(self, said: Lodging) -> Receipt:
        """Record an objection, given as the fields of a :class:`Lodging`; it binds once this returns.

        Raises:
            IdentityError: for a malformed account; nothing else is ever refused.
        """
        with self._store.writing() as connection:
            return lodging.lodge(connection, self._people, self._vault, said)

    def lodge_all(self, lodgings: Sequence[Lodging]) -> list[Receipt | IdentityError]:
        """Record many objections in one transaction; for each its receipt, or why it is none."""
        with self._store.writing() as connection:
            return lodging.lodge_all(connection, self._people, self._vault, lodgings)

    def lodge_for_key(self, subject: int, *, channel: str, now: datetime | None = None) -> Receipt:
        """Record an objection by the subject key that a link holds, where the identifier behind it was erased."""
        said = Lodging((), channel=channel, now=now)
        with self._store.writing() as connection:
            return lodging.lodge_for_key(connection, self._vault, said, subject)

    def confirm(self, reference: str, *, now: datetime | None = None) -> ObjectionState:
        """Confirm an objection, which then can't lapse any more.

        Raises:
            RegisterError: for an unknown reference, or one that has lapsed or was withdrawn.
        """
        with self._store.writing() as connection:
            return phases.move(connection, reference, ObjectionPhase.CONFIRMED, micros(now))

    def add_names(
        self,
        reference: str,
        names: Sequence[str],
        *,
        former: Sequence[str] = (),
        elsewhere: Sequence[str] = (),
        beside: int | None = None,
        now: datetime | None = None,
    ) -> ObjectionState:
        """Record what else whoever has shown that an objection is theirs is called; spellings count at once.

        What somebody says who has not shown that goes with an objection of its own, which waits for a confirmation.

        Args:
            reference: the objection's.
            names: spellings of their name; sealed.
            former: names that they had; sealed.
            elsewhere: accounts and links that they named; sealed, for their copy. This binds none of them.
            beside: the number of the objection of nobody's account that holds these, and goes with an erasure.
            now: the time of its entry.

        Raises:
            RegisterError: for an unknown reference, one that has ended, or whose details were erased.
        """
        with self._store.writing() as connection:
            said = {"names": names, "former": former, "elsewhere": elsewhere}
            naming.add(connection, self._people, self._vault, reference, said, micros(now), beside=beside)
            return states.read_state(connection, reference)

    def doubt(self, reference: str, reason: str, *, days: int, now: datetime | None = None) -> ObjectionState:
        """Put on record that there is reasonable doubt whose an objection is (doubts.py); again, it changes nothing.

        Args:
            reference: the objection's.
            reason: why; sealed.
            days: that its holder has to answer, ``doubts.LEAST_DAYS`` at least.
            now: the time of its entry.

        Raises:
            RegisterError: for an unknown reference, one that is not just lodged, or whose details were erased.
        """
        with self._store.writing() as connection:
            state = states.read_state(connection, reference)
            if state.phase is not ObjectionPhase.LODGED:
                raise RegisterError(
                    f"The objection {state.reference} is {state.phase}: only one that waits is doubted."
                )
            if state.doubted is None:
                doubts.record(connection, self._vault, state.seq, reason, days, micros(now))
            return states.read_state(connection, reference)

    def doubts(self, reference: str) -> list[tuple[datetime, str | None]]:
        """Every doubt about an objection, oldest first: when, and why; None where that was erased or lost.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return doubts.reasons(connection, self._vault, states.read_state(connection, reference).seq)

    def to_remind(self, now: datetime | None = None, reference: str | None = None) -> list[tuple[str, int]]:
        """References of the objections, or the one, whose holder is to be reminded, and which reminder it is."""
        with self._store.reading() as connection:
            found = doubts.to_remind(connection, micros(now))
        return [each for each in found if reference in {None, each[0]}]

    def reminded(self, reference: str, number: int, *, now: datetime | None = None) -> None:
        """Record that a reminder was put into the outgoing mail; in the transaction that puts it there.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.writing() as connection:
            doubts.remind(connection, states.read_state(connection, reference).seq, number, micros(now), {})

    def unask(self, reference: str, *, now: datetime | None = None) -> None:
        """Record that nobody can be asked about an objection: it stands, without a doubt.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.writing() as connection:
            doubts.stands(connection, states.read_state(connection, reference).seq, micros(now), {})

    def revive(self, reference: str, *, now: datetime | None = None) -> ObjectionState:
        """Bring back an objection that has ended, as it was lodged; again, it changes nothing.

        Raises:
            RegisterError: for an unknown reference, or one that is confirmed.
        """
        with self._store.writing() as connection:
            return phases.move(connection, reference, ObjectionPhase.LODGED, micros(now))

    def confirm_all(self, seqs: Collection[int], *, now: datetime | None = None) -> list[int]:
        """Confirm those of some objections, by their numbers, that still wait; the numbers of these, oldest first."""
        with self._store.writing() as connection:
            return phases.confirm_all(connection, seqs, micros(now))

    def lapse(self, reference: str, *, cause: phases.LapseCause, now: datetime | None = None) -> ObjectionState:
        """End an objection that the account's holder denies or that nobody confirmed.

        Raises:
            RegisterError: for an unknown reference, or one that was confirmed or withdrawn.
        """
        with self._store.writing() as connection:
            return phases.move(connection, reference, ObjectionPhase.LAPSED, micros(now), cause)

    def withdraw(self, reference: str, *, now: datetime | None = None) -> ObjectionState:
        """End an objection at its person's wish; `others` of the answer says how many stay in force.

        Raises:
            RegisterError: for an unknown reference, or one that has lapsed.
        """
        with self._store.writing() as connection:
            return phases.move(connection, reference, ObjectionPhase.WITHDRAWN, micros(now))

    def lapse_overdue(self, now: datetime | None = None) -> list[str]:
        """Lapse every doubted objection that should have been confirmed by now; their references, oldest first.

        A few in a transaction, with a pause after it: whoever objects meanwhile does not wait for all of them.
        """
        time, lapsed = micros(now), list[str]()
        while True:
            with self._store.writing_briefly() as connection:
                some = phases.lapse_overdue(connection, time, _AT_ONCE)
            lapsed += some
            if len(some) < _AT_ONCE:
                return lapsed

    def overdue(self, reference: str, now: datetime | None = None) -> bool:
        """Whether an objection is doubted, and its holder, asked and reminded, let the last day to answer pass.

        Raises:
            RegisterError: for what is no reference.
        """
        with self._store.reading() as connection:
            return phases.overdue(connection, micros(now), reference)

    def lapse_due(self, now: datetime | None = None) -> Lapsing:
        """Lapse what is overdue, unless the time is too far from the last entry's to end anything, or to remind."""
        time = micros(now)
        with self._store.reading() as connection:
            waiting = phases.overdue(connection, time) or doubts.to_remind(connection, time)
            answered = clocks.answered(connection, time)
        if not (waiting or answered):
            return Lapsing([], self.clock_days(now))
        with self._store.writing() as connection:
            distance = clocks.doubt(connection, time)
        return Lapsing(self.lapse_overdue(now), None) if distance is None else Lapsing([], distance.days)

    def clock_days(self, now: datetime | None = None) -> int | None:
        """Days between the last entry and this moment, where that is too far for anything to lapse; else None."""
        with self._store.reading() as connection:
            distance = clocks.away(connection, micros(now))
        return None if distance is None else distance.days

    def get(self, reference: str) -> ObjectionState:
        """An objection as it stands.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return states.read_state(connection, reference)

    def in_force(self) -> int:
        """How many objections bind now."""
        with self._store.reading() as connection:
            return self._tally(connection).number(states.BINDING)

    def reason(self, reference: str) -> str | None:
        """The reason given with an objection, unsealed; None if there is none, or it was erased.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return states.read_detail(connection, self._vault, reference)[0]

    def statement(self, reference: str) -> Mapping[str, JSON] | None:
        """What was said with an objection about who objects, unsealed; None if nothing was, or it was erased.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return states.read_detail(connection, self._vault, reference)[1]

    def reference_of(self, seq: int) -> str | None:
        """The reference of the objection that the entry of a number lodged; None if it lodged none."""
        with self._store.reading() as connection:
            return states.reference_of(connection, seq)

    def reference_in(self, incarnation: int, seq: int) -> str | None:
        """The reference of what an entry lodged, by the number that it had in an incarnation; None for none."""
        with self._store.reading() as connection:
            number = states.number_now(connection, incarnation, seq)
            return None if number is None else states.reference_of(connection, number)

    def of(self, account: str) -> list[ObjectionState]:
        """Every objection for any account that is proven to be of an account's person, oldest first.

        Raises:
            IdentityError: for a malformed account.
        """
        keys = self._people.keys([account])
        with self._store.reading() as connection:
            return states.of_people(connection, keys)

    def of_key(self, subject: int) -> list[ObjectionState]:
        """Every objection for any account that is proven to be of the person of a subject key, oldest first."""
        with self._store.reading() as connection:
            return states.of_people(connection, np.array([subject], np.int64))

    def standing(self, subject: int, channel: str | None = None, *, confirmed: bool = False) -> int | None:
        """The number of the last binding objection that was lodged for this very account, if any was.

        One that holds for the account only because it is linked with another's is left out: a link can be taken back.

        Args:
            subject: the account's subject key.
            channel: only of those that came by it.
            confirmed: only of those that were confirmed.
        """
        with self._store.reading() as connection:
            return states.standing(connection, subject, channel, confirmed=confirmed)

    def lodged_for(self, reference: str) -> SubjectKeys:
        """The keys of the accounts that an objection was lodged for, sorted; without those linked with them.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return states.accounts_of(connection, states.read_state(connection, reference).seq)

    def waiting(self, limit: int = 200, *, proven: Collection[str] = ()) -> list[ObjectionState]:
        """The objections that nobody has confirmed yet, oldest first; they bind.

        Args:
            limit: at most so many.
            proven: channels that show by themselves whose an objection is, so that nobody needs to look at it.
        """
        with self._store.reading() as connection:
            return states.waiting(connection, limit, proven)

    def listing(
        self,
        wanted: Wanted,
        *,
        limit: int = 50,
        proven: Collection[str] = (),
        after: Place | None = None,
        until: Place | None = None,
    ) -> Listing:
        """A page of the objections that officers look through; see :func:`queue.listing`."""
        with self._store.reading() as connection:
            return queue.listing(connection, self._homes, wanted, proven, limit, after=after, until=until)

    def listed(self, seqs: Collection[int]) -> list[Listed]:
        """Objections by their numbers, as they stand in a list, last one first; unknown numbers are left out."""
        with self._store.reading() as connection:
            return queue.listed(connection, self._homes, seqs)

    def search(self, *accounts: str) -> list[int]:
        """The numbers of the objections that cover some accounts, by whatever link, or gave one as their address.

        Raises:
            IdentityError: for a malformed account.
        """
        with self._store.reading() as connection:
            return queue.found(connection, self._people, accounts)

    def covered_by(self, reference: str) -> SubjectKeys:
        """The keys of every account that an objection covers now, sorted.

        Raises:
            RegisterError: for an unknown reference.
        """
        with self._store.reading() as connection:
            return states.covered(connection, reference)

    def by_day(self) -> list[tuple[date, int]]:
        """How many objections were lodged on which day (UTC), for the days on which any were."""
        with self._store.reading() as connection:
            return self._tally(connection).lodged_by_day()

    def pending(self, *, proven: Collection[str] = ()) -> states.Pending:
        """How many objections :meth:`waiting` would list without a limit, by the day on which they came."""
        with self._store.reading() as connection:
            days = self._tally(connection).came_by_day(ObjectionPhase.LODGED, proven)
            return states.Pending(days, *states.lapsing(connection, proven))

    def _tally(self, connection: sa.Connection) -> Tally:
        return self._tallies.now(connection, keep=not self._store.inside)
