"""The links that an import of members brings: taken over from temporary tables, however many they are.

Invariants: a pair that was ever recorded stays as it is, so that no import undoes a decision (people.py), but for one:
a link that stands proves from now on, where it did not and the import says so. What happens to a person costs the rows
of that person, and no statement is sent once a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register.database import bulk
from demur.register.database.tables import BIG, account, link
from demur.register.members.people import Edges, components

TEMPORARY: Final = sa.MetaData()
"""The tables of an import, which its connection alone sees."""

staged_link: Final = sa.Table(
    "staged_link",
    TEMPORARY,
    sa.Column("low", BIG),
    sa.Column("high", BIG),
    sa.Column("proven", sa.Boolean),
    prefixes=["TEMPORARY"],
)

_staged_group: Final = sa.Table(
    "staged_group",
    TEMPORARY,
    sa.Column("was", BIG),  # what is part of a larger one now
    sa.Column("root", BIG),  # that one
    prefixes=["TEMPORARY"],
)

_STAGED: Final = np.dtype([("low", "i8"), ("high", "i8"), ("proven", "i4")])
_PAIR: Final = np.dtype([("low", "i8"), ("high", "i8")])
_MEMBERSHIP: Final = np.dtype([("key", "i8"), ("group", "i8")])

Group = Literal["person", "holder"]
"""The column of `account` that says with which others it is one person's, covered or proven."""


@dataclass(frozen=True)
class Taken:
    """What became of the links of an import."""

    merged: SubjectKeys
    """The accounts of the people, and of the holders, whom they made one, sorted."""
    new: int
    """Links that were never recorded before."""
    covering: Edges
    """Those of them that prove nothing."""
    proven: Edges
    """Links that prove from now on, new ones or not."""


def stage_links(connection: sa.Connection, ends: npt.NDArray[np.int64], proven: npt.NDArray[np.bool_]) -> None:
    """Stage links, shape (n, 2), each with its smaller key first, and whether it proves; none with itself."""
    pairs = np.sort(ends, axis=1)
    apart = pairs[:, 0] != pairs[:, 1]
    low, high = pairs[apart].T.tolist()
    bulk.write(connection, staged_link, zip(low, high, proven[apart].tolist(), strict=True))


def take_links(connection: sa.Connection) -> Taken:
    """Add the staged links that were never recorded, and let those prove that stand and did not."""
    low, high = staged_link.c.low, staged_link.c.high
    proven = sa.func.max(sa.cast(staged_link.c.proven, sa.Integer))  # one word of several is enough
    recorded = sa.exists().where(link.c.low == low, link.c.high == high)
    rows = sa.select(low, high, proven.label("proven")).where(~recorded).group_by(low, high)
    new = bulk.read(connection, rows, _STAGED)
    pairs, proves = np.column_stack([new["low"], new["high"]]), new["proven"] == 1
    covering, shown = pairs[~proves], np.vstack([_prove(connection), pairs[proves]])
    merged = [_merge(connection, shown, "holder"), _merge(connection, pairs, "person")]
    if not len(new):
        return Taken(merged[0], 0, covering, shown)
    said = sa.select(low, high, sa.true(), proven == 1).where(~recorded).group_by(low, high)
    connection.execute(bulk.insert(connection, link).from_select(["low", "high", "active", "proven"], said))
    return Taken(np.union1d(*merged), len(new), covering, shown)


def _prove(connection: sa.Connection) -> Edges:
    """Let the links prove that stand, did not, and are said to; which. What was unlinked stays so."""
    said = sa.select(staged_link.c.low, staged_link.c.high).where(staged_link.c.proven)
    idle = (link.c.active, ~link.c.proven)
    if not connection.scalar(sa.select(sa.exists().where(*idle))):
        return np.empty((0, 2), np.int64)
    which = (*idle, sa.tuple_(link.c.low, link.c.high).in_(said))
    rows = bulk.read(connection, sa.select(link.c.low, link.c.high).where(*which), _PAIR)
    connection.execute(sa.update(link).where(*which).values(proven=True))
    return np.column_stack([rows["low"], rows["high"]])


def _merge(connection: sa.Connection, edges: Edges, column: Group) -> SubjectKeys:
    """Make one group of those that staged links connect; the accounts of those who changed, sorted."""
    if not len(edges):
        return np.array([], dtype=np.int64)
    groups, roots = components(_groups(connection, edges, column))
    moved = groups != roots
    _stage_groups(connection, np.column_stack([groups[moved], roots[moved]]).tolist())
    merged = sa.update(account).where(account.c[column] == _staged_group.c.was)
    connection.execute(merged.values({column: _staged_group.c.root}))
    grown = account.c[column].in_(sa.select(_staged_group.c.root))
    return bulk.read_keys(connection, sa.select(account.c.key).where(grown))


def _groups(connection: sa.Connection, edges: Edges, column: Group) -> Edges:
    """The people, or holders, whom staged links connect."""
    sides = (sa.select(side.label("key")) for side in (staged_link.c.low, staged_link.c.high))
    ends = sa.union(*sides).subquery()
    columns = sa.select(account.c.key, account.c[column]).join(ends, ends.c.key == account.c.key)
    rows = bulk.read(connection, columns.order_by(account.c.key), _MEMBERSHIP)
    return rows["group"][np.searchsorted(rows["key"], edges)]


def _stage_groups(connection: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    connection.execute(sa.delete(_staged_group))
    bulk.write(connection, _staged_group, rows)
    index(connection, _staged_group, "was")


def index(connection: sa.Connection, table: sa.Table, columns: str) -> None:
    """Make a filled temporary table quick to look into."""
    connection.execute(sa.text(f"CREATE INDEX IF NOT EXISTS {table.name}_index ON {table.name} ({columns})"))
    if connection.dialect.name == "postgresql":  # which plans by statistics, and has none of a new table
        connection.execute(sa.text(f"ANALYZE {table.name}"))
