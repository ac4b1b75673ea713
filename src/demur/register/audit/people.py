"""Accounts, replayed: their links and persons, and what is known of members, against what the tables say of each.

Entries of the first format don't say which pairs they link. Their subjects hold both ends of each, so that a pair
outside of them was never linked; whoever they made one person must be one still, unless an entry unlinked some of
them.

What an import said of a member is in no entry: an erasure could not take it out again. Its entry has a keyed digest of
each row instead, so that a row that was changed is seen, and one that was erased says nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa

from demur.errors import IdentityError
from demur.identity import Pairs, SubjectKeys
from demur.kernel.rules import NEVER
from demur.register.database import bulk
from demur.register.database.effects import NO_KEYS, NO_PAIRS, Effect
from demur.register.database.entries import Stored
from demur.register.database.tables import account, link, member
from demur.register.database.vault import Vault
from demur.register.members.people import People, components
from demur.register.members.standing import UNKNOWN_REGION
from demur.terms import EntryKind

Rows = npt.NDArray[Any]
"""A structured array."""

_SLACK: Final = 200_000
"""Rows that may wait before they are put in order."""

_LINKING: Final = frozenset(
    {
        EntryKind.ACCOUNT_LINKED.value,
        EntryKind.ACCOUNT_UNLINKED.value,
        EntryKind.LINKS_UNPROVEN.value,
        EntryKind.MEMBERS_IMPORTED.value,
    }
)
"""The entries that change links."""
_PAIR: Final = ("low", "high")
_LINK: Final = np.dtype([("low", "i8"), ("high", "i8"), ("active", "i4"), ("proven", "i4")])
_MEMBERSHIP: Final = np.dtype([("key", "i8"), ("person", "i8"), ("holder", "i8")])
_CONSENT: Final = {EntryKind.CONSENT_GIVEN.value: 1, EntryKind.CONSENT_WITHDRAWN.value: 0}
_KNOWING: Final = frozenset({*_CONSENT, EntryKind.MEMBERS_IMPORTED.value, EntryKind.PERSON_ERASED.value})
"""The entries that change what is known of members."""
_NONE: Final = -1
_ERASED: Final = (UNKNOWN_REGION, 0, NEVER, None)
"""Region, birth year, told on and imported consent of a member of whom nothing is known."""
_RECORDED: Final = np.dtype([("key", "i8"), ("recorded", "i8")])
_MARKED: Final = np.dtype([("key", "i8"), ("marked", "i8"), ("mark", "i8")])
_PAGE: Final = 5_000


class Latest:
    """Rows of a structured type, of which a later one with the same key takes the place of an earlier one."""

    def __init__(self, dtype: np.dtype[Any], keys: Sequence[str]) -> None:
        self._dtype = dtype
        self._keys = tuple(keys)
        self._settled: Rows = np.empty(0, dtype)
        self._waiting: list[Rows] = []
        self._count = 0

    def put(self, **columns: npt.ArrayLike) -> None:
        """Add rows, given as columns; a single value stands for all of them."""
        shape = max(np.size(column) for column in columns.values())
        if any(np.size(column) == 0 for column in columns.values()):
            return
        rows = np.empty(shape, self._dtype)
        for name, column in columns.items():
            rows[name] = column
        self._waiting.append(rows)
        self._count += shape
        if self._count > len(self._settled) + _SLACK:
            self.rows()

    def rows(self) -> Rows:
        """The last row of each key, sorted by key."""
        if self._waiting:
            every = np.concatenate([self._settled, *self._waiting])
            order = np.lexsort([every[name] for name in reversed(self._keys)])  # stable: the last one stays last
            every = every[order]
            last = np.ones(len(every), np.bool_)
            last[:-1] = np.any([every[name][1:] != every[name][:-1] for name in self._keys], axis=0)
            self._settled, self._waiting, self._count = every[last], [], 0
        return self._settled


def matched(left: Rows, right: Rows, keys: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each row of ``left`` stands in ``right`` by some keys, -1 where it does not; and the other way round.

    Both have each key once.
    """
    both = np.concatenate([left[list(keys)].copy(), right[list(keys)].copy()])
    order = np.lexsort([both[name] for name in reversed(keys)])
    ahead = np.flatnonzero(np.all([both[name][order][1:] == both[name][order][:-1] for name in keys], axis=0))
    here, there = order[ahead], order[ahead + 1] - len(left)
    to_right, to_left = np.full(len(left), -1, np.int64), np.full(len(right), -1, np.int64)
    to_right[here], to_left[there] = there, here
    return to_right, to_left


class Links:
    """The links of the entries that were read so far."""

    kinds: Final = _LINKING

    def __init__(self, connection: sa.Connection, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._report = report
        self._latest = Latest(_LINK, _PAIR)
        self._ends: SubjectKeys = NO_KEYS
        """Whom entries of the first format may have linked."""
        self._parted: SubjectKeys = NO_KEYS
        """Whom they may have unlinked."""
        self._joined: Pairs = NO_PAIRS
        """Who must still be one person."""
        self._least = 0
        """Links that they made for certain."""

    def take(self, stored: Stored) -> None:
        """Take an entry of one of its kinds.

        Raises:
            KeyError, TypeError, ValueError: when it does not say what it must.
        """
        if stored.kind == EntryKind.ACCOUNT_UNLINKED:
            parted = np.frombuffer(stored.subjects or b"", "<i8")
            self._joined = self._joined[~np.isin(self._joined, parted).any(axis=1)]
        if stored.format is None:
            self._first(stored)
            return
        effect = Effect.read(stored.effect)
        for pairs, active, proven in ((effect.covering, 1, 0), (effect.proven, 1, 1), (effect.unlinked, 0, 0)):
            self._latest.put(low=pairs[:, 0], high=pairs[:, 1], active=active, proven=proven)

    def _first(self, stored: Stored) -> None:
        subjects = np.frombuffer(stored.subjects or b"", "<i8").astype(np.int64)
        if stored.kind == EntryKind.ACCOUNT_UNLINKED:
            self._parted = np.union1d(self._parted, subjects)
            return
        self._ends = np.union1d(self._ends, subjects)
        if stored.kind == EntryKind.ACCOUNT_LINKED:
            together = np.column_stack([np.full(len(subjects), subjects.min()), subjects])
            self._joined = np.vstack([self._joined, together])
        else:
            self._least += int(orjson.loads(stored.payload).get("linked", 0))

    def finish(self) -> None:
        """Compare with the tables."""
        columns = (link.c.low, link.c.high, _number(link.c.active), _number(link.c.proven))
        stands = bulk.read(self._connection, sa.select(*columns), _LINK)
        told = self._latest.rows()
        here, there = matched(stands, told, _PAIR)
        self._compare(stands[there[there >= 0]], told[there >= 0])
        for pair in told[there < 0]:
            self._report(f"The link of {pair['low']} with {pair['high']}, which the entries made, is missing.")
        older = stands[here < 0]
        self._older(older, len(stands))
        self._persons(np.concatenate([told, older]))

    def _compare(self, stands: Rows, told: Rows) -> None:
        for name, words in (("active", "stands or is taken back"), ("proven", "proves or only covers")):
            for place in np.flatnonzero(stands[name] != told[name]).tolist():
                pair = told[place]
                self._report(f"The link of {pair['low']} with {pair['high']} {words} against what the entries say.")

    def _older(self, older: Rows, rows: int) -> None:
        """Links that no entry of this format names: entries of the first one must allow them."""
        within = np.isin(older["low"], self._ends) & np.isin(older["high"], self._ends)
        for pair in older[~within]:
            self._report(f"The link of {pair['low']} with {pair['high']} stands in the register, and no entry made it.")
        parted = np.isin(older["low"], self._parted) & np.isin(older["high"], self._parted)
        for pair in older[within & (older["active"] != 1) & ~parted]:
            self._report(f"The link of {pair['low']} with {pair['high']} is taken back, and no entry says so.")
        if rows < self._least:
            self._report(f"The entries made at least {self._least} links, and {rows} are on record.")

    def _persons(self, links: Rows) -> None:
        """Whether each account counts as the person that the links make of it."""
        columns = (account.c.key, account.c.person, account.c.holder)
        rows = bulk.read(self._connection, sa.select(*columns).order_by(account.c.key), _MEMBERSHIP)
        active = links[links["active"] == 1]
        ends = np.column_stack([active["low"], active["high"]])
        for key in np.setdiff1d(ends, rows["key"]).tolist():
            self._report(f"Account {key} is linked, and the register has no row of it.")
        expected = groups(rows["key"], ends)
        for place in np.flatnonzero(rows["person"] != expected).tolist():
            key, person, _ = rows[place]
            self._report(f"Account {key} counts as person {person}; by the links it is {expected[place]}.")
        held = groups(rows["key"], ends[active["proven"] == 1])
        for place in np.flatnonzero(rows["holder"] != held).tolist():
            key, _, holder = rows[place]
            self._report(f"Account {key} counts as held by {holder}; by the proven links it is {held[place]}.")
        known = self._joined[np.isin(self._joined, rows["key"]).all(axis=1)]
        one, other = (expected[np.searchsorted(rows["key"], known[:, side])] for side in (0, 1))
        for first, second in known[one != other].tolist():
            self._report(f"Accounts {first} and {second} were made one person, and are apart without an entry for it.")


def groups(keys: SubjectKeys, links: Pairs) -> npt.NDArray[np.int64]:
    """For each of some accounts, sorted, the smallest key of those that links connect it with, shape (n,)."""
    nodes, roots = components(links)
    places = np.searchsorted(nodes, keys)
    known = places < len(nodes)
    known[known] = nodes[places[known]] == keys[known]
    found = keys.copy()
    found[known] = roots[places[known]]
    return found


def _number(column: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.cast(column, sa.Integer)


class Members:
    """What the entries that were read so far say of members."""

    kinds: Final = _KNOWING

    def __init__(self, connection: sa.Connection, people: People, vault: Vault, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._people = people
        self._vault = vault
        self._report = report
        self._recorded = Latest(_RECORDED, ["key"])
        self._marks = Latest(_MARKED, ["key"])
        self._older = False
        """Whether an import of the first format may have said something of anybody."""

    def take(self, stored: Stored) -> None:
        """Take an entry of one of its kinds.

        Raises:
            ValueError: when it does not say what it must.
        """
        effect = Effect.read(stored.effect)
        subjects = np.frombuffer(stored.subjects or b"", "<i8") if stored.format is None else effect.keys
        if (word := _CONSENT.get(stored.kind)) is not None:
            self._recorded.put(key=subjects, recorded=word)
        elif stored.kind == EntryKind.PERSON_ERASED:
            self._recorded.put(key=subjects, recorded=_NONE)
            self._marks.put(key=subjects, marked=0, mark=0)
        else:
            if stored.format is None:
                self._older = True
                self._marks = Latest(_MARKED, ["key"])  # whoever was erased may be a member again
            self._recorded.put(key=effect.unrecorded, recorded=_NONE)
            self._marks.put(key=effect.members[:, 0], marked=1, mark=effect.members[:, 1])

    def finish(self) -> None:
        """Compare with the tables."""
        self._consents()
        marks = self._marks.rows()
        seen = np.zeros(len(marks), np.bool_)
        for row in self._rows(member):
            place = int(np.searchsorted(marks["key"], row.key))
            known = place < len(marks) and marks["key"][place] == row.key
            if known:
                seen[place] = True
            self._member(row, marks[place] if known else None)
        for key in marks["key"][~seen & (marks["marked"] == 1)].tolist():
            self._report(f"Member {key} was imported, and is missing.")
        for row in self._rows(account):
            self._identifier(row)

    def _consents(self) -> None:
        column = sa.func.coalesce(sa.cast(member.c.recorded_consent, sa.Integer), _NONE)
        stands = bulk.read(self._connection, sa.select(member.c.key, sa.cast(column, sa.BigInteger)), _RECORDED)
        told = self._recorded.rows()
        here, there = matched(stands, told, ["key"])
        expected = np.where(here >= 0, told["recorded"][here] if len(told) else _NONE, _NONE)
        wrong = stands["recorded"] != expected
        if self._older:  # an import may have taken a word back, and its entry does not say so
            wrong &= stands["recorded"] != _NONE
        for key in stands["key"][wrong].tolist():
            self._report(f"Member {key}: the recorded consent is not what the entries say.")
        for key in told["key"][(there < 0) & (told["recorded"] != _NONE)].tolist():
            self._report(f"Member {key}: a consent was recorded, and the member is missing.")

    def _member(self, row: Any, marked: Any) -> None:  # noqa: ANN401  # a row, and a row of _MARKED
        facts = (row.region, row.birth_year, row.told_on, row.imported_consent)
        try:
            profile = self._vault.open(row.wrapped, row.sealed, "member", row.key) if row.wrapped else b""
        except (IdentityError, TypeError, ValueError):
            self._report(f"Member {row.key}: the sealed profile can't be opened.")
            return
        if marked is None:
            wrong = not self._older and facts != _ERASED
        elif marked["marked"]:
            wrong = self._vault.mark(row.key, facts, profile) != marked["mark"]
        else:
            wrong = bool(profile) or facts != _ERASED
        if wrong:
            self._report(f"Member {row.key}: what stands is not what was imported last, or erased since.")

    def _identifier(self, row: Any) -> None:  # noqa: ANN401  # a row of `account`
        if row.wrapped is None and row.sealed is None:
            return
        try:
            spelt = self._vault.open(row.wrapped, row.sealed, "account", row.key).decode()
        except (IdentityError, TypeError, ValueError):
            self._report(f"Account {row.key}: the sealed identifier can't be opened.")
            return
        if int(self._people.spelt_keys([spelt])[0]) != row.key:
            self._report(f"Account {row.key}: the sealed identifier is another account's.")

    def _rows(self, table: sa.Table) -> Iterator[Any]:
        """All rows, a page at a time."""
        after = -(2**63)
        while True:
            columns = [
                sa.type_coerce(each, sa.Integer) if isinstance(each.type, sa.Boolean) else each for each in table.c
            ]
            page = sa.select(*columns).where(table.c.key > after).order_by(table.c.key).limit(_PAGE)
            rows = self._connection.execute(page).all()
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1].key
