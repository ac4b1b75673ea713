"""Who may be used: the suppressed accounts and the members' facts, read in bulk and in one transaction.

Invariants: the answer follows from the binding entries, and from erasures, which take away what members said; so one
that was read at either of these holds until the next, and a later one is made from it by reading again only the keys
that these may have changed. The last answer is kept as a file (kept.py), from which a new process goes on: it is
written anew once much has changed since, and at once after an erasure. Arrays are shared and read-only.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from demur.identity import Pairs, SubjectKeys, ascending, grown, inside
from demur.kernel.rules import Facts, Known
from demur.people.indexed.stored import Arrays
from demur.register.database import bulk, entries
from demur.register.database.kept import Kept
from demur.register.database.records import Changes, Head
from demur.register.database.store import Store
from demur.register.database.tables import account, member, objected, objection
from demur.register.members import alike
from demur.register.members.people import together


@dataclass(frozen=True, eq=False)
class Snapshot(Known):
    """The register's answer to "who may be used?", read in one consistent transaction."""

    head: Head = field(kw_only=True)


UNKNOWN_REGION: Final = "--"
"""As the table says it: two characters, as every region has."""
_FACTS: Final = np.dtype(
    [("keys", "i8"), ("region", "S2"), ("birth_year", "i2"), ("told_on", "i4"), ("consented", "?")]
)
_NAMED: Final = np.dtype([("objection", "i8"), ("account", "i8")])
_PERSONS: Final = np.dtype([("key", "i8"), ("person", "i8")])
_Scalar = TypeVar("_Scalar", bound=np.generic)
_PATCH_AT_MOST: Final = 100_000
"""Changed keys up to which patching the last answer beats reading everything."""

FILE: Final = ".standing"
"""Its name in a workspace."""
FORM: Final = "demur-standing 1"


def suppressed(connection: sa.Connection, only: SubjectKeys | None = None, pairs: Pairs | None = None) -> SubjectKeys:
    """The keys of every account of every person with a binding objection, and of every spelling that one of these has.

    Args:
        connection: a transaction that sees one consistent state.
        only: the keys that are asked about; all, if they are not given.
        pairs: what alike.edges() says in this transaction, where the caller has read it already.

    Returns:
        Sorted keys.
    """
    pairs = alike.edges(connection) if pairs is None else pairs
    if not len(pairs):
        return _objecting(connection, only)
    if only is None:
        return _frozen(_reach(connection, pairs, _objecting(connection, None)))
    near = together(connection, only) if alike.respelt(connection) else only
    if not inside(pairs.ravel(), np.union1d(near, only)).any():
        return _objecting(connection, only)
    return _frozen(np.intersect1d(suppressed(connection, None, pairs), only))


def changes(connection: sa.Connection, after: int, pairs: Pairs | None = None) -> Changes:
    """What the binding entries after a number may have changed, by whichever spelling; pairs as in suppressed()."""
    found = entries.changes(connection, after)
    pairs = alike.edges(connection) if pairs is None else pairs
    return replace(found, subjects=_reach(connection, pairs, found.subjects) if len(pairs) else found.subjects)


def _reach(connection: sa.Connection, pairs: Pairs, keys: SubjectKeys) -> SubjectKeys:
    """Likeness reaches accounts, and what is linked with them where a key may be of two accounts that were one."""
    whole = alike.respelt(connection)
    while True:
        found = grown(pairs, keys)
        if not whole or len(found) == len(keys):
            return found
        new = np.setdiff1d(found, keys, assume_unique=True)
        keys = np.union1d(found, together(connection, new))


def _objecting(connection: sa.Connection, only: SubjectKeys | None) -> SubjectKeys:
    if only is None:
        return _everybody_objecting(connection)
    theirs = account.alias("theirs")
    persons = (
        sa.select(theirs.c.person)
        .join(objected, objected.c.account == theirs.c.key)
        .join(objection, objection.c.seq == objected.c.objection)
        .where(objection.c.active.is_(True), theirs.c.person == account.c.person)
    )
    few = bulk.among(connection, account.c.key, only)
    exists = persons.correlate(account).exists()
    return _frozen(bulk.read_keys(connection, sa.select(account.c.key).where(few, exists)))


def _everybody_objecting(connection: sa.Connection) -> SubjectKeys:
    """The same of all: three tables, each read in its order, as a database that joins them looks up each row."""
    active = bulk.read_keys(connection, sa.select(objection.c.seq).where(objection.c.active.is_(True)))
    named = bulk.read(connection, sa.select(objected.c.objection, objected.c.account), _NAMED)
    objecting = ascending(named["account"][inside(named["objection"], active)])
    accounts = bulk.read(connection, sa.select(account.c.key, account.c.person), _PERSONS)
    persons = ascending(accounts["person"][inside(accounts["key"], objecting)])
    return _frozen(ascending(accounts["key"][inside(accounts["person"], persons)]))


def facts(connection: sa.Connection, only: SubjectKeys | None = None) -> Facts:
    """What members say of themselves, sorted by key; of some keys, if they are given."""
    columns = (member.c.key, member.c.region, member.c.birth_year, effective_told_on(), effective_consent())
    statement = sa.select(*columns).order_by(member.c.key)
    if only is not None:
        statement = statement.where(bulk.among(connection, member.c.key, only))
    rows = bulk.read(connection, statement, _FACTS)
    columns_read = {name: rows[name].copy() for name in _FACTS.names or ()}
    columns_read["region"][columns_read["region"] == UNKNOWN_REGION.encode()] = b""
    return Facts(**{name: _frozen(column) for name, column in columns_read.items()})


def effective_consent() -> sa.ColumnElement[bool]:
    """A recorded consent goes before an imported one; no word is a no."""
    return sa.func.coalesce(member.c.recorded_consent, member.c.imported_consent, sa.false())


def effective_told_on() -> sa.ColumnElement[int]:
    """The earlier of what an import said and the day of demur's own notice."""
    return sa.case((member.c.noticed_on < member.c.told_on, member.c.noticed_on), else_=member.c.told_on)


class Standing:
    """Who may be used, by one register."""

    def __init__(self, store: Store, kept: Kept | None = None) -> None:
        self._store = store
        self._reader = Reader(kept)

    def suppressed(self) -> SubjectKeys:
        """The keys of every account of every person with a binding objection, sorted, shape (n,)."""
        return self.snapshot().suppressed

    def count_suppressed(self) -> int:
        """How many accounts objections in force cover."""
        return len(self.suppressed())

    def changes(self, after: int) -> Changes:
        """What the binding entries with a number greater than ``after`` may have changed."""
        with self._store.reading() as connection:
            return changes(connection, after)

    def facts(self) -> Facts:
        """What members say of themselves, sorted by key."""
        return self.snapshot().facts

    def of(self, keys: SubjectKeys) -> Snapshot:
        """Head, suppressed keys and facts, of one moment, as far as a few keys, shape (n,), are concerned."""
        with self._store.reading() as connection:
            pairs = alike.edges(connection)
            near = grown(pairs, np.unique(keys))
            return Snapshot(
                suppressed(connection, near, pairs), facts(connection, near), pairs, head=entries.head(connection)
            )

    def snapshot(self) -> Snapshot:
        """Head, suppressed keys and facts, of one moment."""
        with self._store.reading() as connection:
            return self._reader.snapshot(connection, keep=not self._store.inside)


class Reader:
    """Reads snapshots, and remembers the last one, also beyond the process where there is a file for it."""

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = kept
        self._last: Snapshot | None = None

    def snapshot(self, connection: sa.Connection, *, keep: bool) -> Snapshot:
        """The register's answer now.

        Args:
            connection: a transaction that sees one consistent state.
            keep: whether to remember it: not in a transaction that may still be rolled back.
        """
        last = self._last = self._last or self._found(connection)
        head = entries.head(connection)
        if last is None or last.head.seq > head.seq:
            return self._remembered(connection, self._read(connection, head), None, keep=keep)
        if last.head.seq == head.seq:
            return last
        erased = entries.erased(connection, last.head.seq)
        if last.head.binding == head.binding and not len(erased):
            return replace(last, head=head)
        pairs = _frozen(alike.edges(connection))
        changed = np.union1d(changes(connection, last.head.seq, pairs).subjects, erased)
        if len(changed) > _PATCH_AT_MOST:
            return self._remembered(connection, self._read(connection, head), None, keep=keep)
        number = None if len(erased) else len(changed)
        return self._remembered(connection, _patched(connection, last, head, changed, pairs), number, keep=keep)

    def _read(self, connection: sa.Connection, head: Head) -> Snapshot:
        """Everything, read anew."""
        pairs = _frozen(alike.edges(connection))
        return Snapshot(suppressed(connection, None, pairs), facts(connection), pairs, head=head)

    def _remembered(self, connection: sa.Connection, fresh: Snapshot, changed: int | None, *, keep: bool) -> Snapshot:
        """An answer that differs in some keys from the last one."""
        if not keep:
            return fresh
        self._last = fresh
        if self._kept is not None:
            size = len(fresh.suppressed) + len(fresh.facts.keys)
            self._kept.note(connection, fresh.head, changed, size, lambda: _arrays(fresh))
        return fresh

    def _found(self, connection: sa.Connection) -> Snapshot | None:
        """The answer in the file."""
        found = None if self._kept is None else self._kept.read(connection)
        if found is None:
            return None
        head, arrays = found
        told = Facts(**{each.name: arrays[each.name] for each in fields(Facts)})
        return Snapshot(arrays["suppressed"], told, arrays["alike"].reshape(-1, 2), head=head)


def _arrays(answer: Snapshot) -> Arrays:
    columns = {each.name: getattr(answer.facts, each.name) for each in fields(Facts)}
    return {"suppressed": answer.suppressed, "alike": answer.alike.ravel(), **columns}


def _patched(connection: sa.Connection, last: Snapshot, head: Head, changed: SubjectKeys, pairs: Pairs) -> Snapshot:
    """An answer in which some keys are read again."""
    rest = last.suppressed[~_inside(last.suppressed, changed)]
    theirs = suppressed(connection, changed, pairs)
    now = np.insert(rest, np.searchsorted(rest, theirs), theirs)
    told = _updated(last.facts, changed, facts(connection, changed))
    return Snapshot(_frozen(now), told, pairs, head=head)


def _updated(old: Facts, changed: SubjectKeys, new: Facts) -> Facts:
    """Facts in which the rows of some keys are replaced."""
    rest = ~_inside(old.keys, changed)
    places = np.searchsorted(old.keys[rest], new.keys)
    columns = (
        (each.name, np.insert(getattr(old, each.name)[rest], places, getattr(new, each.name))) for each in fields(Facts)
    )
    return Facts(**{name: _frozen(column) for name, column in columns})


def _inside(keys: SubjectKeys, few: SubjectKeys) -> npt.NDArray[np.bool_]:
    """Which of the sorted keys are among a few sorted ones: looks up the few."""
    inside = np.zeros(len(keys), dtype=bool)
    places = np.searchsorted(keys, few)
    found = places < len(keys)
    found[found] = keys[places[found]] == few[found]
    inside[places[found]] = True
    return inside


def _frozen(array: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    array.flags.writeable = False
    return array
