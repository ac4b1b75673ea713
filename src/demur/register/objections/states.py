"""Objections as they stand: read by reference, by person, or as a queue, each in a handful of statements.

Invariants: nothing here changes anything; reading many costs as few statements as reading one, so that nobody who has
objected a hundred times makes others wait. What was said with an objection is unsealed on request only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.identity import SubjectKeys
from demur.register.database import bulk, instance
from demur.register.database.clock import day, moment
from demur.register.database.records import JSON
from demur.register.database.tables import account, detail, doubt, entry, kept_name, objected, objection
from demur.register.database.vault import Vault
from demur.register.members.people import own_accounts, together
from demur.register.objections.references import read_reference
from demur.terms import EntryKind


class ObjectionPhase(StrEnum):
    """Where an objection stands; it binds while it is lodged or confirmed."""

    LODGED = "lodged"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


ADDED: Final = ("names", "former", "elsewhere")
"""What may be added to a statement: spellings, names that somebody had, and accounts and links that they named."""

BINDING: Final = frozenset({ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED})
"""Phases of objections that keep their person's content out."""

_BEGINS: Final = (EntryKind.REGISTER_RESTORED.value, EntryKind.MARK_RENEWED.value)
"""Entries of the beginning of an incarnation, which the payload of each names."""


@dataclass(frozen=True)
class ObjectionState:
    """One objection as it stands."""

    reference: str
    seq: int
    """The number of the entry that lodged it."""
    phase: ObjectionPhase
    channel: str
    """How it came: web, mail, letter, ..."""
    received: date | None
    """The day it reached the controller, where that was before it was recorded."""
    accounts: int
    """How many accounts it was lodged for."""
    covered: int
    """How many accounts it covers: those, and every account linked with them."""
    others: int
    """How many other binding objections cover any of the same accounts: these stay after a withdrawal."""
    lodged: datetime
    doubted: datetime | None
    """When somebody put on record that there is reasonable doubt whose it is; None while nobody did."""
    confirm_by: datetime | None
    """When it lapses unless it is confirmed; None where nobody doubts it (ADR 0026)."""
    changed: datetime
    """When it last changed its phase."""
    unsure: bool
    """Whether a deadline is on record, be it an earlier demur's: nobody knew whose it is. It ends nothing by itself."""

    @property
    def binding(self) -> bool:
        """Whether this objection itself keeps its person's content out."""
        return self.phase in BINDING


def read_state(connection: sa.Connection, typed: str) -> ObjectionState:
    """An objection as it stands.

    Raises:
        RegisterError: for an unknown reference.
    """
    reference = read_reference(typed)
    found = _states(connection, sa.select(objection).where(objection.c.reference == reference))
    if not found:
        raise RegisterError(f"No objection has the reference {reference}: compare it with the receipt.")
    return found[0]


def reference_of(connection: sa.Connection, seq: int) -> str | None:
    """The reference of the objection that an entry lodged."""
    return connection.scalar(sa.select(objection.c.reference).where(objection.c.seq == seq))


def known_reference(connection: sa.Connection, reference: str) -> int | None:
    """The number of the objection with a reference; None where there is none."""
    return connection.scalar(sa.select(objection.c.seq).where(objection.c.reference == reference))


def number_now(connection: sa.Connection, incarnation: int, seq: int) -> int | None:
    """The number now of an objection that had another one in an earlier incarnation; None where a restore lost it.

    An incarnation begins with a restore or with a mark that is begun anew because the old one is lost. Numbers up to
    where it begins stay; an objection that a restore repeated says which ones it had (`were`).
    """
    begins = (
        sa.select(entry.c.seq, entry.c.kind, entry.c.payload).where(entry.c.kind.in_(_BEGINS)).order_by(entry.c.seq)
    )
    ends = [
        said["backup"] if kind == EntryKind.REGISTER_RESTORED else number - 1
        for number, kind, payload in connection.execute(begins)
        if (said := orjson.loads(payload))["incarnation"] > incarnation
    ]
    known = instance.read(connection)
    if known is not None and known.incarnation < incarnation:  # one that another restore of the same backup had
        ends = [0]
    if not ends or seq <= min(ends):
        return seq
    were = f'"{incarnation}":{seq}'
    which = (entry.c.seq > min(ends), entry.c.kind == EntryKind.OBJECTION_LODGED.value, entry.c.payload.contains(were))
    for number, payload in connection.execute(sa.select(entry.c.seq, entry.c.payload).where(*which)):
        if orjson.loads(payload).get("were", {}).get(str(incarnation)) == seq:
            return int(number)
    return None


def of_people(connection: sa.Connection, keys: SubjectKeys) -> list[ObjectionState]:
    """Every objection for any account that is proven to be of some people, oldest first."""
    theirs = bulk.among(connection, objected.c.account, own_accounts(connection, keys))
    which = objection.c.seq.in_(sa.select(objected.c.objection).where(theirs))
    return _states(connection, sa.select(objection).where(which).order_by(objection.c.seq))


def waiting(connection: sa.Connection, limit: int, proven: Collection[str]) -> list[ObjectionState]:
    """The objections that nobody has confirmed yet, oldest first, but for those of channels that prove whose it is."""
    which = (objection.c.phase == ObjectionPhase.LODGED.value, objection.c.channel.not_in(proven))
    return _states(connection, sa.select(objection).where(*which).order_by(objection.c.seq).limit(limit))


def standing(connection: sa.Connection, subject: int, channel: str | None, *, confirmed: bool) -> int | None:
    """The number of the last binding objection for this very account; None without one."""
    joined = sa.select(sa.func.max(objection.c.seq)).join(objected, objected.c.objection == objection.c.seq)
    which = [objected.c.account == subject, objection.c.active.is_(True)]
    which += [] if channel is None else [objection.c.channel == channel]
    which += [objection.c.phase == ObjectionPhase.CONFIRMED.value] if confirmed else []
    number: int | None = connection.scalar(joined.where(*which))
    return number


def covered(connection: sa.Connection, typed: str) -> SubjectKeys:
    """Every account that an objection covers now, sorted."""
    return covered_by(connection, read_state(connection, typed).seq)


class Pending(NamedTuple):
    """What waits for an officer: it binds, and shows by nothing whose it is."""

    days: list[tuple[date, int]]
    """How many of these came on which day, in order."""
    lapsing: int
    """Of these, how many lapse unless somebody confirms them."""
    first_lapse: datetime | None
    """When the first of those does."""


def lapsing(connection: sa.Connection, proven: Collection[str]) -> tuple[int, datetime | None]:
    """How many of those that :func:`waiting` would list lapse unless confirmed, and when the first of them does."""
    doubts = set(connection.scalars(sa.select(doubt.c.objection).where(doubt.c.stands.is_(True))))
    if not doubts:
        return 0, None
    doubted = bulk.among(connection, objection.c.seq, doubts)  # few, each looked up by its number
    which = (objection.c.phase == ObjectionPhase.LODGED.value, objection.c.channel.not_in(proven), doubted)
    ending = sa.select(sa.func.count(objection.c.confirm_by), sa.func.min(objection.c.confirm_by)).where(*which)
    number, first = connection.execute(ending).one()
    return number, None if first is None else moment(first)


def _states(connection: sa.Connection, rows: sa.Select[Any]) -> list[ObjectionState]:
    """Rows of `objection` as states, in a handful of statements however many they are."""
    found = connection.execute(rows).all()
    accounts = bulk.among(connection, objected.c.objection, [row.seq for row in found])
    pairs = sa.select(objected.c.objection, account.c.person).join(account, account.c.key == objected.c.account)
    named: dict[int, list[int]] = {row.seq: [] for row in found}
    for seq, person in connection.execute(pairs.where(accounts)):
        named[seq].append(person)
    crowd = _crowd(connection, {person for persons in named.values() for person in persons})
    doubted = _doubted(connection, [row.seq for row in found])
    return [_state(row, named[row.seq], crowd, doubted.get(row.seq)) for row in found]


def _doubted(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, int]:
    """When each of those that are doubted was."""
    joined = sa.select(doubt.c.objection, entry.c.time).join(entry, entry.c.seq == doubt.c.entry)
    which = (bulk.among(connection, doubt.c.objection, numbers), doubt.c.stands.is_(True))
    return dict(iter(connection.execute(joined.where(*which))))


@dataclass(frozen=True)
class _Crowd:
    """Some people: how many accounts each has, and which objections bind for each."""

    accounts: Mapping[int, int]
    binding: Mapping[int, set[int]]


def _crowd(connection: sa.Connection, people: Collection[int]) -> _Crowd:
    theirs = bulk.among(connection, account.c.person, people)
    counted = sa.select(account.c.person, sa.func.count()).where(theirs).group_by(account.c.person)
    binding: dict[int, set[int]] = {person: set() for person in people}
    joined = sa.join(account, objected, objected.c.account == account.c.key)
    joined = joined.join(objection, objection.c.seq == objected.c.objection)
    active = (
        sa.select(account.c.person, objection.c.seq).select_from(joined).where(theirs, objection.c.active.is_(True))
    )
    for person, seq in connection.execute(active):
        binding[person].add(seq)
    sizes: dict[int, int] = dict(iter(connection.execute(counted)))
    return _Crowd(sizes, binding)


def _state(row: Any, named: Sequence[int], crowd: _Crowd, doubted: int | None) -> ObjectionState:  # noqa: ANN401  # a row of `objection`
    people = set(named)
    binding = set[int]().union(*(crowd.binding[person] for person in people))
    return ObjectionState(
        reference=row.reference,
        seq=row.seq,
        phase=ObjectionPhase(row.phase),
        channel=row.channel,
        received=None if row.received is None else day(row.received),
        accounts=len(named),
        covered=sum(crowd.accounts[person] for person in people),
        others=len(binding - {row.seq}),
        lodged=moment(row.lodged),
        doubted=None if doubted is None else moment(doubted),
        confirm_by=None if doubted is None or row.confirm_by is None else moment(row.confirm_by),
        changed=moment(row.changed),
        unsure=row.confirm_by is not None,
    )


def covered_by(connection: sa.Connection, seq: int) -> SubjectKeys:
    """Every account that the objection of a number covers now, sorted."""
    return together(connection, accounts_of(connection, seq))


def covered_by_each(connection: sa.Connection, seqs: Sequence[int]) -> dict[int, SubjectKeys]:
    """For each of some objections, by number, every account that it covers now, sorted."""
    mine, theirs = account.alias(), account.alias()
    joined = sa.join(objected, mine, mine.c.key == objected.c.account).join(theirs, theirs.c.person == mine.c.person)
    pairs = sa.select(objected.c.objection, theirs.c.key).select_from(joined)
    found: dict[int, list[int]] = {seq: [] for seq in seqs}
    for seq, key in connection.execute(pairs.where(bulk.among(connection, objected.c.objection, seqs))):
        found[seq].append(key)
    return {seq: np.unique(np.array(keys, np.int64)) for seq, keys in found.items()}


def accounts_of(connection: sa.Connection, seq: int) -> SubjectKeys:
    """The accounts that the objection of a number was lodged for, sorted."""
    return bulk.read_keys(connection, sa.select(objected.c.account).where(objected.c.objection == seq))


def sealer(connection: sa.Connection, seq: int) -> tuple[int, bytes] | None:
    """An account that an objection was lodged for and that has a key, with its wrapped key; None for none."""
    theirs = sa.select(account.c.key, account.c.wrapped).join(objected, objected.c.account == account.c.key)
    theirs = theirs.where(objected.c.objection == seq, account.c.wrapped.is_not(None))
    row = connection.execute(theirs.order_by(account.c.key).limit(1)).one_or_none()
    return None if row is None else (row.key, row.wrapped)


def read_detail(connection: sa.Connection, vault: Vault, typed: str) -> tuple[str | None, Mapping[str, JSON] | None]:
    """The reason and the statement given with an objection; None where none was given or it was erased.

    What was added since stands among the statement's lists of :data:`ADDED`.
    """
    number = read_state(connection, typed).seq
    reason, said = opened(connection, vault, number)
    added = sa.select(kept_name.c.entry).where(kept_name.c.objection == number, kept_name.c.entry != number)
    later = [opened(connection, vault, each)[1] for each in connection.scalars(added.order_by(kept_name.c.entry))]
    return reason, _with_added(said, [each for each in later if each])


def _with_added(said: Mapping[str, JSON] | None, later: Sequence[Mapping[str, JSON]]) -> Mapping[str, JSON] | None:
    if not later:
        return said
    more = {name: [each for one in later for each in _list(one.get(name))] for name in ADDED}
    return {**(said or {}), **{name: [*_list((said or {}).get(name)), *some] for name, some in more.items() if some}}


def _list(said: JSON) -> list[JSON]:
    return list(said) if isinstance(said, list) else []


def opened(connection: sa.Connection, vault: Vault, number: int) -> tuple[str | None, Mapping[str, JSON] | None]:
    """The reason and the statement that are sealed with an entry; None where none was given or it was erased."""
    statement = sa.select(account.c.key, account.c.wrapped, detail.c.sealed).join(
        detail, detail.c.account == account.c.key
    )
    row = connection.execute(statement.where(detail.c.seq == number)).one_or_none()
    if row is None or row.wrapped is None:
        return None, None
    said = orjson.loads(vault.open(row.wrapped, row.sealed, "detail", row.key))
    return said["reason"], said["statement"]
