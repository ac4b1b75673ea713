"""An older register is brought to the rules in force when it is opened: how accounts are spelt, and who counts as told.

Invariants: nothing that was covered is uncovered: each account that is known keeps its old key, and its new one is
noted beside it (alike.py); nothing is proven that was not; a link to a mail address that rests on rule 1, which took
several addresses for one, proves from now on only where the member's own row spells that very address. What can't be
told, of accounts of which nothing but a key is left, proves nothing.

Nobody is told by it who was not; who no longer counts as told, because links prove less than they were taken to, is
named in one binding entry, so that their rows leave the corpus with the next honouring, and a next campaign reaches
them. A register from when a link that only covers told people, too, is brought to telling by proof.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.identity import Keys, Pairs, SubjectKeys
from demur.kernel.rules import NEVER
from demur.register.database import bulk, entries, state
from demur.register.database.clock import micros
from demur.register.database.effects import Effect
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.tables import account, entry, link, member
from demur.register.database.vault import Vault
from demur.register.members import alike
from demur.register.members.people import People, add_link, held_together, hold, mail_account
from demur.register.members.profiles import retell
from demur.spelling import MAIL, Names, first_rule
from demur.terms import EntryKind

_BY_COVERAGE: Final = "told-by-coverage"
"""The mark that migration 0006 leaves in a register in which notices have gone out."""
_TOLD: Final = member.c.noticed_on < NEVER
_DAY: Final = np.dtype([("key", "i8"), ("day", "i8")])

_AT_ONCE: Final = 10_000


def tell_by_proof(store: Store) -> None:
    """Set anew who is told, where that has not been done."""
    with store.reading() as connection:
        if state.read(connection, _BY_COVERAGE) is None:
            return
    with store.writing() as connection:
        if state.read(connection, _BY_COVERAGE) is not None:  # no other process was faster
            tell_anew(connection, bulk.read_keys(connection, sa.select(member.c.key).where(_TOLD)), micros(None))
            state.remove(connection, _BY_COVERAGE)


def tell_anew(connection: sa.Connection, keys: SubjectKeys, time: int) -> None:
    """Set the day of some accounts anew, after links prove less; an entry names those for whom it is another one."""
    columns = sa.select(member.c.key, sa.cast(member.c.noticed_on, sa.BigInteger)).order_by(member.c.key)
    told = columns.where(bulk.among(connection, member.c.key, keys))
    before = bulk.read(connection, told, _DAY)
    retell(connection, keys)
    subjects = before["key"][before["day"] != bulk.read(connection, told, _DAY)["day"]].copy()
    if len(subjects):
        payload = {"accounts": len(subjects)}
        entries.append(connection, EntryKind.NOTICES_REGROUPED, payload, time, subjects=subjects)


def respell(store: Store, keys: Keys) -> Keys:
    """Make the register know the names' rule in force; the keys, with what was in force before."""
    now = alike.written(keys.pepper.names)
    with store.reading() as connection:
        known = alike.rules(connection)
    if not known or known[-1] != now:
        with store.writing() as connection:
            known = _changed(connection, keys, now)
    earlier = tuple(dict.fromkeys(alike.read(rule) for rule in known[:-1]))
    names = replace(keys.pepper.names, earlier=tuple(each for each in earlier if each != keys.pepper.names))
    return replace(keys, pepper=replace(keys.pepper, names=names))


def _changed(connection: sa.Connection, keys: Keys, now: dict[str, Any]) -> list[dict[str, Any]]:
    known = alike.rules(connection)  # read again: another process may have been faster
    if known and known[-1] == now:
        return known
    used = connection.scalar(sa.select(sa.exists().where(entry.c.seq > 0)))
    if not known and used:
        known = [alike.FIRST]
    if known:
        _Respelling(connection, keys, _narrowed(known[-1], keys.pepper.names)).run()
    alike.put(connection, [*known, now])
    return [*known, now]


def _narrowed(before: dict[str, Any], now: Names) -> frozenset[str]:
    """The namespaces of which a rule took names for one that are several accounts now."""
    names = alike.read(before)
    mail = before == alike.FIRST or (now.mail_case and not names.mail_case)
    return names.ignore_case - now.ignore_case | (frozenset({MAIL}) if mail else frozenset())


class _Respelling:
    """The work on one register, in one transaction."""

    def __init__(self, connection: sa.Connection, keys: Keys, narrowed: frozenset[str]) -> None:
        """Take the namespaces of which the rule until now took names for one that are several now."""
        self._connection = connection
        self._pepper = keys.pepper
        self._narrowed = narrowed
        self._vault = Vault(keys.sealing)
        self._people = People(keys.pepper, self._vault)
        self._time = micros(None)

    def run(self) -> None:
        pairs = [np.empty((0, 2), np.int64), *(self._alike(keys, spelt) for keys, spelt in self._accounts())]
        if self._narrowed:
            mails = self._mails() if MAIL in self._narrowed else {}
            pairs.append(self._pepper.alike(mails.values()))
            self._unprove(mails)
            self._carry(mails)
        alike.note(self._connection, np.vstack(pairs), self._time)

    def _accounts(self) -> Iterator[tuple[list[int], list[str]]]:
        """The accounts that are known, with their keys and identifiers, in pieces."""
        columns = sa.select(account.c.key, account.c.wrapped, account.c.sealed).where(account.c.wrapped.is_not(None))
        for part in self._in_pieces(columns):
            spelt = [self._vault.open(row.wrapped, row.sealed, "account", row.key).decode() for row in part]
            yield [row.key for row in part], spelt

    def _in_pieces(self, rows: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
        """Rows, so many at once; said of the connection, it would have PostgreSQL refuse what is written later."""
        return self._connection.execute(rows, execution_options={"yield_per": _AT_ONCE}).partitions()

    def _alike(self, keys: list[int], spelt: list[str]) -> Pairs:
        """The accounts' other spellings, and the keys they have until now."""
        exact = self._pepper.subject_keys(spelt)
        until_now = np.column_stack([exact, np.array(keys, np.int64)])
        return np.vstack([until_now[exact != until_now[:, 1]], self._pepper.alike(spelt)])

    def _mails(self) -> dict[int, str]:
        """The accounts that the members' mail addresses are, by the members' keys."""
        columns = sa.select(member.c.key, member.c.wrapped, member.c.sealed).where(member.c.sealed.is_not(None))
        found: dict[int, str] = {}
        for part in self._in_pieces(columns):
            for row in part:
                mail = orjson.loads(self._vault.open(row.wrapped, row.sealed, "member", row.key))[2]
                spelt = mail_account(mail, self._pepper.names) if mail else None
                if spelt is not None:
                    found[row.key] = spelt
        return found

    def _unprove(self, mails: Mapping[int, str]) -> None:
        """Let links no longer prove of which nobody can tell any more that they name this very account."""
        stand = sa.select(link.c.low, link.c.high).where(link.c.active, link.c.proven)
        pairs = [(int(low), int(high)) for low, high in self._connection.execute(stand)]
        ends = np.unique(np.array(pairs, np.int64).reshape(-1))
        names = dict(zip(ends.tolist(), self._people.identifiers(self._connection, ends), strict=True))
        doubtful = [pair for pair in pairs if self._is_doubtful(pair, names, mails)]
        if not doubtful:
            return
        here = sa.update(link).where(link.c.low == sa.bindparam("one"), link.c.high == sa.bindparam("other"))
        self._connection.execute(here.values(proven=False), [{"one": low, "other": high} for low, high in doubtful])
        standing = np.array(doubtful, np.int64)
        told = held_together(self._connection, np.unique(standing))
        hold(self._connection, told)
        self._append(EntryKind.LINKS_UNPROVEN, {"links": len(doubtful)}, standing)
        tell_anew(self._connection, told, self._time)

    def _is_doubtful(self, pair: tuple[int, int], names: Mapping[int, str | None], mails: Mapping[int, str]) -> bool:
        for end, other in (pair, pair[::-1]):
            name = names[end]
            if name is None:  # erased: nobody knows what it was
                return True
            if name.partition(":")[0] in self._narrowed and mails.get(other) != self._pepper.names.canonical(name):
                return True
        return False

    def _carry(self, mails: Mapping[int, str]) -> None:
        """Link members with the key of now of their mail address, where it is another one: it covers."""
        spelt = list(mails.values())
        before = self._pepper.spelt_keys(map(first_rule, spelt)).tolist()
        now = self._pepper.spelt_keys(spelt).tolist()
        carried = []
        for holder, name, old, new in zip(mails, spelt, before, now, strict=True):
            ends = link.c.low == min(holder, old), link.c.high == max(holder, old)
            if old != new and self._connection.scalar(sa.select(sa.exists().where(*ends, link.c.active))):
                self._people.ensure(self._connection, [name], self._time)
                add_link(self._connection, holder, new, proven=False)
                carried.append((holder, new))
        if carried:
            pairs = np.sort(np.array(carried, np.int64), axis=1)
            self._append(EntryKind.ACCOUNT_LINKED, {"accounts": len(np.unique(pairs))}, pairs)

    def _append(self, kind: EntryKind, payload: dict[str, JSON], pairs: Pairs) -> None:
        """Put on record that links stand, and cover without proving."""
        subjects, effect = np.unique(pairs), Effect(covering=pairs)
        entries.append(self._connection, kind, payload, self._time, subjects=subjects, effect=effect)
