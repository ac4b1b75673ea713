"""The names by which withheld people are looked for, of one register; and what officers decided about finds of them.

Invariants: a name counts for each account that an objection in force covers, by link and by spelling, or that is a
known minor's; what somebody typed counts from the moment its objection binds where whoever typed it has shown that it
is theirs, and else once that is confirmed (ADR 0035); whatever adds or ends a name is a binding entry that names the
accounts, so that :meth:`Names.entries` after an entry gives all that later ones may have changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from demur.identity import Pairs as PairsOfKeys
from demur.identity import SubjectKeys, grown
from demur.people.compiled import Compiled
from demur.people.context import Pairs, no_pairs, pairs
from demur.register.database import bulk, entries
from demur.register.database.clock import micros
from demur.register.database.effects import NO_KEYS, Effect
from demur.register.database.store import Store
from demur.register.database.tables import account, cleared, kept_name, objected, objection
from demur.register.database.vault import Vault
from demur.register.members import alike
from demur.register.members.people import People, components
from demur.register.members.spellings import Spellings, everybody_of, pieces
from demur.register.members.standing import changes, suppressed
from demur.register.objections.states import ObjectionPhase
from demur.terms import EntryKind

_MEMBERSHIP: Final = np.dtype([("key", "i8"), ("person", "i8")])
_AT_ONCE: Final = 500
"""Accounts whose names are kept in one transaction."""


@dataclass(frozen=True)
class Kept:
    """How many spellings are kept of somebody, for their copy (Art. 15 GDPR)."""

    searched: int
    """Spellings that are looked for now."""
    waiting: int
    """Spellings that wait until the objection with which they were typed is confirmed."""


class Names:
    """See the module's docstring."""

    def __init__(self, store: Store, people: People, vault: Vault) -> None:
        self._store = store
        self._people = people
        self._spellings = Spellings(people, vault)

    def head(self, minors: SubjectKeys = NO_KEYS) -> int:
        """The last binding entry; 0 where nobody is withheld whose name could be looked for."""
        with self._store.reading() as connection:
            objecting = connection.scalar(sa.select(sa.exists().where(objection.c.active.is_(True))))
            return entries.head(connection).binding if objecting or len(minors) else 0

    def entries(self, after: int = 0, *, minors: SubjectKeys = NO_KEYS) -> Iterator[tuple[int, Compiled]]:
        """The names of withheld people: each of a person's spellings with each of their withheld accounts.

        Args:
            after: a binding entry: only of people of whom later ones may have changed something, whole; 0 for all.
            minors: subject keys of known minors, sorted: who that is, the policy says.
        """
        with self._store.reading() as connection:
            told = self._told(connection, after, minors)
        for keys, names in told:
            compiled = [Compiled.from_bytes(each) for each in names]
            yield from ((key, each) for key in keys for each in compiled)

    def changed(self, after: int, *, minors: SubjectKeys = NO_KEYS) -> SubjectKeys:
        """Everybody of whom binding entries after one may have changed a name, sorted: whom :meth:`entries` tells."""
        with self._store.reading() as connection:
            edges = alike.edges(connection)
            return _near(connection, after, grown(edges, minors), edges)

    def keep_compiled(self, keys: SubjectKeys | None = None) -> int:
        """Keep the keyed forms of what is looked for and was not compiled yet; how many accounts that were.

        Whoever honours calls it, before it reads the names, and maintenance for all: it is only the faster way to the
        same answers. In pieces, between which others write.

        Args:
            keys: only of these accounts; of all, without them.
        """
        with self._store.reading() as connection:
            missing = self._spellings.unkept(connection, suppressed(connection, keys))
            dormant = self._spellings.dormant(connection, keys)
        kept = 0
        for start in range(0, len(missing), _AT_ONCE):
            with self._store.writing_briefly() as connection:
                still = suppressed(connection, missing[start : start + _AT_ONCE])
                kept += self._spellings.keep(connection, still)
        if dormant:
            with self._store.writing() as connection:
                self._spellings.wake(connection, keys)
        return kept

    def kept(self, keys: SubjectKeys) -> Kept:
        """How many spellings are looked for, of whoever has some accounts and is covered by an objection."""
        with self._store.reading() as connection:
            covered = suppressed(connection, keys)
            told = self._of(connection, covered, NO_KEYS, only=covered) if len(covered) else []
            waiting = {each for rows in self._typed(connection, keys, binding=False).values() for each in rows}
        names = {each for _, some in told for each in some}
        return Kept(len(names), len(waiting - names))

    # What officers decided

    def cleared(self) -> Pairs:
        """Item (words.page.short_keys) and subject: of whom an officer said that the item does not mean them."""
        with self._store.reading() as connection:
            rows = connection.execute(sa.select(cleared.c.item, cleared.c.subject)).all()
        found = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
        return pairs(found[:, 0], found[:, 1]) if len(found) else no_pairs()

    def clear(self, item: int, subject: int, *, by: str, now: datetime | None = None) -> int | None:
        """Record that an item does not mean somebody whose name is found in it; it counts when the item is read next.

        Args:
            item: words.page.short_keys of the item's key.
            subject: whose name is found in it.
            by: who says so, in a word that names nobody outside: a number of staff, a command.
            now: the time of the entry.

        Returns:
            The entry's number; None where that was on record already.
        """
        with self._store.writing() as connection:
            return record_cleared(connection, item, subject, {"by": by}, micros(now))

    # Whose names

    def _told(self, connection: sa.Connection, after: int, minors: SubjectKeys) -> list[tuple[list[int], list[bytes]]]:
        edges = alike.edges(connection)
        young = grown(edges, minors)
        if not after:
            return self._of(connection, suppressed(connection, None, edges), young)
        near = _near(connection, after, young, edges)
        return self._of(connection, suppressed(connection, near, edges), np.intersect1d(young, near), only=near)

    def _of(
        self, connection: sa.Connection, covered: SubjectKeys, young: SubjectKeys, only: SubjectKeys | None = None
    ) -> list[tuple[list[int], list[bytes]]]:
        """For each person their withheld accounts, and the spellings of their names."""
        keys = np.union1d(covered, young)
        person = self._persons(connection, keys)
        names: dict[int, dict[bytes, None]] = {}
        for key, value in self._own(connection, keys, only):
            names.setdefault(person[key], {}).update(dict.fromkeys(pieces(value)))
        for key, some in self._typed(connection, only, binding=True).items():
            if key in person:
                names.setdefault(person[key], {}).update(dict.fromkeys(some))
        accounts: dict[int, list[int]] = {}
        for key, root in person.items():
            accounts.setdefault(root, []).append(key)
        return [(accounts[root], list(some)) for root, some in names.items() if some]

    def _persons(self, connection: sa.Connection, keys: SubjectKeys) -> dict[int, int]:
        """Who has each of some withheld accounts, by link and by likeness: one key of theirs."""
        columns = sa.select(account.c.key, account.c.person)
        rows = bulk.read(connection, columns.where(bulk.among(connection, account.c.key, keys)), _MEMBERSHIP)
        linked = np.column_stack([rows["key"], rows["person"]])
        edges = alike.edges(connection)
        edges = edges[np.isin(edges, keys).all(axis=1)] if len(edges) else edges
        nodes, roots = components(np.vstack([linked, edges, np.column_stack([keys, keys])]))
        here = np.isin(nodes, keys)
        return dict(zip(nodes[here].tolist(), roots[here].tolist(), strict=True))

    def _own(
        self, connection: sa.Connection, keys: SubjectKeys, only: SubjectKeys | None
    ) -> Iterator[tuple[int, bytes]]:
        """The own names of some accounts: those that are kept, those that an erasure left, and the others made now."""
        some = None if only is None else keys
        withheld = set(keys.tolist())
        fresh = self._spellings.fresh(connection, some)
        for kept in (fresh, self._spellings.left(connection, some)):
            yield from ((key, value) for key, value in kept.items() if key in withheld)
        missing = np.array(sorted(withheld - fresh.keys()), np.int64)
        yield from ((key, value) for key, _, value in self._spellings.made(connection, missing))

    def _typed(self, connection: sa.Connection, keys: SubjectKeys | None, *, binding: bool) -> dict[int, list[bytes]]:
        """What was typed with objections in force, by the accounts that these name: what counts, or what waits."""
        sure = sa.or_(kept_name.c.binds, objection.c.phase == ObjectionPhase.CONFIRMED.value)
        joined = sa.join(objected, objection, objection.c.seq == objected.c.objection)
        joined = joined.join(kept_name, kept_name.c.objection == objection.c.seq)
        columns = (objected.c.account.label("named"), kept_name.c.account, kept_name.c.entry, kept_name.c.compiled)
        rows = sa.select(*columns).select_from(joined).where(objection.c.active.is_(True), sure if binding else ~sure)
        if keys is not None:
            rows = rows.where(bulk.among(connection, objected.c.account, keys))
        return self._sorted(connection, connection.execute(rows).all())

    def _sorted(self, connection: sa.Connection, rows: Iterable[Any]) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = {}
        for row in rows:
            value = self._spellings.awoken(connection, row) if row.compiled is None else bytes(row.compiled)
            found.setdefault(row.named, []).extend(pieces(value))
        return found


def _near(connection: sa.Connection, after: int, young: SubjectKeys, edges: PairsOfKeys) -> SubjectKeys:
    """Everybody of whom binding entries after one may have changed a name."""
    found = changes(connection, after, edges)
    asked = np.union1d(found.subjects, young) if found.policy else found.subjects
    near = grown(edges, everybody_of(connection, asked))
    return everybody_of(connection, near)


def record_cleared(
    connection: sa.Connection, item: int, subject: int, said: Mapping[str, Any], time: int
) -> int | None:
    """Record a decision, unless it is on record; the entry's number. The caller holds the write lock."""
    here = (cleared.c.item == item, cleared.c.subject == subject)
    if connection.scalar(sa.select(sa.exists().where(*here))):
        return None
    connection.execute(sa.insert(cleared).values(item=item, subject=subject))
    effect, subjects = Effect(cleared=np.array([[item, subject]], np.int64)), np.array([subject], np.int64)
    return entries.append(connection, EntryKind.NAME_CLEARED, said, time, subjects=subjects, effect=effect)
