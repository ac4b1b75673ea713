"""Entries of the mark's journal, done again on a register that a backup brought back.

Invariants: entries are repeated in their order and with their own times, as new entries whose payload names the number
that they had (`replayed`); whoever has a receipt or a mailed link can go on using it, as an objection keeps its
reference; what is done again follows from the journal alone, so that doing it all again on the same backup gives the
same. An account that the backup does not know becomes a bare row: a subject key, without an identifier.

What was asked about a doubted objection stays: its deadline holds where every mail about it is known to have left, and
else, and wherever some of what came after the backup is unknown, the doubt ends, so that no restore lets an objection
lapse. Words and attachments are in no journal, and neither is
the reason of a doubt.
"""

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register.database import entries
from demur.register.database.clock import micros, moment
from demur.register.database.effects import Effect
from demur.register.database.records import JSON
from demur.register.database.tables import api_key, doubt, entry, objection, passkey, staff
from demur.register.members import profiles
from demur.register.members.people import add_bare, add_link, held_together, keep_apart, pair, together
from demur.register.members.profiles import retell
from demur.register.members.spellings import end, restore_names
from demur.register.objections import doubts
from demur.register.objections.lodging import Lodged, Lodging, Receipt, insert
from demur.register.objections.names import record_cleared
from demur.register.objections.phases import ENTRIES, enter
from demur.register.objections.references import new_reference
from demur.register.objections.states import ObjectionPhase, covered_by
from demur.terms import EntryKind

_PHASES: Final = {kind: phase for phase, kind in ENTRIES.items()}


@dataclass(frozen=True)
class Noted:
    """One entry of a journal."""

    seq: int
    """The number that it had."""
    kind: EntryKind
    time: int
    """Microseconds since 1970-01-01, UTC."""
    payload: Mapping[str, JSON]
    subjects: SubjectKeys
    effect: Effect
    """What it changed; empty where the journal does not say."""
    names: Sequence[Mapping[str, Any]] = ()
    """The keyed names that were typed with it, as journal.py notes them."""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Noted":
        """From what journal.py noted."""
        subjects = np.frombuffer(_bytes(said.get("subjects")) or b"", "<i8").astype(np.int64)
        effect = Effect.read(_bytes(said.get("effect")))
        names = said.get("names") or ()
        return cls(said["seq"], EntryKind(said["kind"]), said["time"], said["payload"], subjects, effect, names)


@dataclass(frozen=True, eq=False)
class ErasedKeys:
    """An erasure that has to be done again, beyond the register."""

    seq: int
    """The number that its entry had; 0 for one that was asked for, and is not known to have been finished."""
    keys: SubjectKeys
    """Of the accounts that it erased; of one that is not finished, the account it was asked for."""


@dataclass
class Replayed:
    """What was done again."""

    counts: Counter[str] = field(default_factory=Counter)
    """Entries, by kind."""
    erasures: list[ErasedKeys] = field(default_factory=list)
    """To be finished by whoever has the corpus, too: nothing is erased yet."""
    lost: Counter[str] = field(default_factory=Counter)
    """Entries that could not be done again, because what they are about is in no journal; by kind."""


def replay(
    connection: sa.Connection,
    noted: Iterable[Noted],
    incarnation: int,
    erasing: str,
    *,
    held: int,
    unknown: bool = False,
) -> Replayed:
    """Do entries again, in their order, in one transaction.

    Args:
        connection: a write transaction on a register as a backup holds it.
        noted: what came after.
        incarnation: in which entries had their numbers.
        erasing: the channel of objections that erasures lodge: one without its erasure is still to be erased.
        held: up to which number entries are those of that incarnation: the backup's last one.
        unknown: whether more may have come: then the answer to each doubt may be lost, and none ends anything.
    """
    replay_ = _Replay(connection, incarnation, erasing, held)
    for each in noted:
        replay_.take(each)
    if unknown:
        replay_.forget_doubts()
    replay_.finish()
    return replay_.done


class _Replay:
    """Where a replay stands."""

    def __init__(self, connection: sa.Connection, incarnation: int, erasing: str, held: int) -> None:
        self.done = Replayed()
        self._incarnation = incarnation
        self._connection = connection
        self._erasing = erasing
        self._backed_up = held
        self._numbers: dict[int, int] = {}
        """The new number of each objection that is lodged again."""
        self._unsent: set[int] = set()
        """Doubted objections about which a mail is not known to have left."""
        self._waiting: dict[int, int] = {}
        """Accounts of which an erasure was asked for, each with the time."""
        last = sa.select(entry.c.time).where(entry.c.seq == self._backed_up)
        self._last = connection.scalar(last) or 0

    def take(self, noted: Noted) -> None:
        """Do one entry again."""
        doing = self._DOINGS.get(noted.kind)
        if doing is None:
            return
        self._last = noted.time
        kind = noted.kind.value
        self.done.counts[kind] += 1
        if not doing(self, noted):
            self.done.counts[kind] -= 1
            self.done.lost[kind] += 1

    def forget_doubts(self) -> None:
        """Take every doubt that stands for one about which nobody knows what was said since."""
        self._unsent.update(self._connection.scalars(sa.select(doubt.c.objection).where(doubt.c.stands.is_(True))))

    def finish(self) -> None:
        """Leave no deadline of which nobody was told, and no erasure that is not begun again."""
        for number in sorted(self._unsent):
            lodged = sa.select(objection.c.phase == ObjectionPhase.LODGED.value).where(objection.c.seq == number)
            if self._connection.scalar(lodged) and doubts.of(self._connection, number) is not None:
                doubts.stands(self._connection, number, self._last, {})
        self.done.erasures += [ErasedKeys(0, np.array([key], np.int64)) for key in self._waiting]
        self.done.counts = +self.done.counts

    def _lodged(self, noted: Noted) -> bool:
        keys, said = noted.effect.keys, noted.payload
        if not len(keys):
            return False
        add_bare(self._connection, keys.tolist())
        by, received = said.get("confirm_by"), said.get("received")
        day = None if received is None else date.fromisoformat(str(received))
        number = entries.head(self._connection).seq + 1
        reference = noted.effect.reference or new_reference()
        receipt = Receipt(reference, number, together(self._connection, keys), moment(noted.time))
        until = None if by is None else datetime.fromisoformat(str(by))
        lodging = Lodging((), channel=str(said["channel"]), received=day, confirm_by=until)
        were = {**_numbers(said.get("were")), str(self._incarnation): noted.seq}
        spelt = int(str(said.get("names", 0)))
        also: dict[str, JSON] = {"replayed": noted.seq, "were": were}
        own = held_together(self._connection, keys[:1])
        insert(self._connection, [Lodged(lodging, receipt, keys, own, names=spelt if noted.names else 0, also=also)])
        self._numbers[noted.seq] = number
        restore_names(self._connection, noted.names, number, number)
        if said["channel"] == self._erasing:
            self._waiting |= dict.fromkeys(keys.tolist(), noted.time)
        return True

    def _number(self, noted: Noted) -> int | None:
        """The objection that an entry is about, by its number now."""
        return self._now(int(str(noted.payload["objection"])))

    def _now(self, before: int) -> int | None:
        """The number now of the objection that had one."""
        number = before if before <= self._backed_up else self._numbers.get(before)
        known = sa.select(objection.c.seq).where(objection.c.seq == number)
        return None if number is None else self._connection.scalar(known)

    def _moved(self, noted: Noted) -> bool:
        if (number := self._number(noted)) is None:
            return False
        enter(self._connection, number, _PHASES[noted.kind], noted.time, _again(noted))
        return True

    def _doubted(self, noted: Noted) -> bool:
        by, number = _time(noted.payload["confirm_by"]), self._number(noted)
        if number is None or by is None:
            return False
        self._unsent.add(number)
        doubts.begin(self._connection, number, by, int(str(noted.payload["days"])), noted.time, _again(noted))
        return True

    def _reminded(self, noted: Noted) -> bool:
        if (number := self._number(noted)) is None:
            return False
        self._unsent.add(number)
        doubts.remind(self._connection, number, int(str(noted.payload["number"])), noted.time, _again(noted))
        return True

    def _questioned(self, noted: Noted) -> bool:
        by, number = _time(noted.payload["confirm_by"]), self._number(noted)
        if number is None or by is None:
            return False
        self._unsent.discard(number)
        doubts.answer_by(self._connection, number, by, noted.time, _again(noted))
        return True

    def _unasked(self, noted: Noted) -> bool:
        if (number := self._number(noted)) is None:
            return False
        doubts.stands(self._connection, number, noted.time, _again(noted))
        return True

    def _named(self, noted: Noted) -> bool:
        if (number := self._number(noted)) is None or not noted.names:
            return False
        subjects = covered_by(self._connection, number)
        said = _again(noted) | {"objection": number}
        if (beside := said.pop("beside", None)) and (other := self._now(int(str(beside)))) is not None:
            said["beside"] = other
        entry_ = entries.append(self._connection, noted.kind, said, noted.time, subjects=subjects)
        restore_names(self._connection, noted.names, entry_, number)
        return True

    def _cleared(self, noted: Noted) -> bool:
        for item, subject in noted.effect.cleared.tolist():
            record_cleared(self._connection, item, subject, _again(noted), noted.time)
        return len(noted.effect.cleared) > 0

    def _linked(self, noted: Noted) -> bool:
        proven, covering = noted.effect.proven, noted.effect.covering
        for first, second in proven.tolist():
            add_bare(self._connection, (first, second))
            add_link(self._connection, first, second)
            self._joined(noted, first, Effect(proven=pair(first, second)))
        for first, second in covering.tolist():
            add_bare(self._connection, (first, second))
            if add_link(self._connection, first, second, proven=False) is not None:
                self._joined(noted, first, Effect(covering=pair(first, second)))
        return len(proven) + len(covering) > 0

    def _alike(self, noted: Noted) -> bool:
        self._append(noted, _again(noted), noted.subjects)
        return len(noted.subjects) > 0

    def _unlinked(self, noted: Noted) -> bool:
        for first, second in noted.effect.unlinked.tolist():
            add_bare(self._connection, (first, second))
            both = keep_apart(self._connection, first, second)
            effect = replace(end(self._connection, both) or Effect(), unlinked=pair(first, second))
            self._joined(noted, first, effect, both)
        return len(noted.effect.unlinked) > 0

    def _joined(self, noted: Noted, first: int, effect: Effect, both: SubjectKeys | None = None) -> None:
        subjects = together(self._connection, [first]) if both is None else both
        retell(self._connection, subjects)
        self._append(noted, _again(noted) | {"accounts": len(subjects)}, subjects, effect)

    def _consented(self, noted: Noted) -> bool:
        keys = noted.effect.keys
        if not len(keys):
            return False
        given = noted.kind is EntryKind.CONSENT_GIVEN
        add_bare(self._connection, keys.tolist())
        profiles.record(self._connection, keys, given=given)
        self._append(noted, _again(noted), keys, Effect(keys=keys, consent=given))
        return True

    def _erased(self, noted: Noted) -> bool:
        keys = noted.subjects
        if not len(keys):
            return False
        add_bare(self._connection, keys.tolist())
        self._waiting = {key: time for key, time in self._waiting.items() if key not in keys}
        self.done.erasures.append(ErasedKeys(noted.seq, keys))
        return True

    def _revoked(self, noted: Noted) -> bool:
        time, name = noted.time, str(noted.payload["name"])
        here = (api_key.c.name == name, api_key.c.revoked.is_(None), api_key.c.created <= time)
        ended = self._connection.execute(sa.update(api_key).where(*here).values(revoked=time))
        return self._said(noted) if ended.rowcount else True  # one that was made since is gone

    def _removed(self, noted: Noted) -> bool:
        number = int(str(noted.payload["staff"]))
        here = (staff.c.id == number, staff.c.removed.is_(None), staff.c.invited <= noted.time)
        gone = self._connection.execute(sa.update(staff).where(*here).values(removed=noted.time, invite=None))
        if not gone.rowcount:
            return True  # somebody who was invited since is gone
        self._connection.execute(sa.delete(passkey).where(passkey.c.staff == number))
        return self._said(noted)

    def _said(self, noted: Noted) -> bool:
        self._append(noted, _again(noted))
        return True

    def _ran(self, noted: Noted) -> bool:
        self._append(noted, _again(noted), noted.subjects if len(noted.subjects) else None)
        return True

    def _append(
        self,
        noted: Noted,
        payload: Mapping[str, JSON],
        subjects: SubjectKeys | None = None,
        effect: Effect | None = None,
    ) -> None:
        entries.append(self._connection, noted.kind, payload, noted.time, subjects=subjects, effect=effect)

    _DOINGS: Final[Mapping[EntryKind, Callable[["_Replay", Noted], bool]]] = {
        EntryKind.OBJECTION_LODGED: _lodged,
        EntryKind.OBJECTION_CONFIRMED: _moved,
        EntryKind.OBJECTION_LAPSED: _moved,
        EntryKind.OBJECTION_WITHDRAWN: _moved,
        EntryKind.OBJECTION_REVIVED: _moved,
        EntryKind.OBJECTION_DOUBTED: _doubted,
        EntryKind.OBJECTION_REMINDED: _reminded,
        EntryKind.OBJECTION_ASKED: _questioned,
        EntryKind.OBJECTION_UNASKED: _unasked,
        EntryKind.OBJECTION_NAMED: _named,
        EntryKind.NAME_CLEARED: _cleared,
        EntryKind.ACCOUNT_LINKED: _linked,
        EntryKind.ACCOUNT_UNLINKED: _unlinked,
        EntryKind.ACCOUNTS_ALIKE: _alike,
        EntryKind.CONSENT_GIVEN: _consented,
        EntryKind.CONSENT_WITHDRAWN: _consented,
        EntryKind.PERSON_ERASED: _erased,
        EntryKind.KEY_REVOKED: _revoked,
        EntryKind.STAFF_REMOVED: _removed,
        EntryKind.VERSION_RETIRED: _said,
        EntryKind.VERSION_EXPORTED: _said,
        EntryKind.RUN_TRAINED: _ran,
        EntryKind.RUN_ROLLED_BACK: _ran,
        EntryKind.RUN_REPLAYED: _ran,
        EntryKind.RUN_DESTROYED: _ran,
        EntryKind.RUN_EXPORTED: _ran,
        EntryKind.MODEL_AUDITED: _ran,
    }


def _again(noted: Noted) -> dict[str, JSON]:
    """What the entry said, and which one it repeats."""
    return {**noted.payload, "replayed": noted.seq}


def _numbers(were: JSON) -> dict[str, JSON]:
    return dict(were) if isinstance(were, Mapping) else {}


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _time(text: JSON) -> int | None:
    return None if text is None else micros(datetime.fromisoformat(str(text)))
