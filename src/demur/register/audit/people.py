"""Links and persons, replayed: which accounts the entries connect, against `link` and what `account` says of each.

Entries of the first format don't say which pairs they link. Their subjects hold both ends of each, so that a pair
outside of them was never linked; whoever they made one person must be one still, unless an entry unlinked some of them.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa

from demur.identity import Pairs, SubjectKeys
from demur.register.audit.latest import Latest, Rows, matched
from demur.register.database import bulk
from demur.register.database.effects import NO_KEYS, NO_PAIRS, Effect
from demur.register.database.entries import Stored
from demur.register.database.tables import account, link
from demur.register.members.people import components
from demur.terms import EntryKind

KINDS: Final = frozenset(
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


class Links:
    """The links of the entries that were read so far."""

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
        """Take an entry of one of KINDS.

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
