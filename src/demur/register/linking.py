"""The links that an import of members brings: taken over from temporary tables, however many they are.

Invariants: a pair that was ever recorded is left as it is, so that no import undoes a decision (people.py); what
happens to a person costs the rows of that person, and no statement is sent once a row.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register import bulk
from demur.register.people import Edges, components
from demur.register.tables import BIG, account, link

TEMPORARY: Final = sa.MetaData()
"""The tables of an import, which its connection alone sees."""

staged_link: Final = sa.Table(
    "staged_link", TEMPORARY, sa.Column("low", BIG), sa.Column("high", BIG), prefixes=["TEMPORARY"]
)

_staged_person: Final = sa.Table(
    "staged_person",
    TEMPORARY,
    sa.Column("person", BIG),  # who is part of a larger one now
    sa.Column("root", BIG),  # that one
    prefixes=["TEMPORARY"],
)

_PAIR: Final = np.dtype([("low", "i8"), ("high", "i8")])
_MEMBERSHIP: Final = np.dtype([("key", "i8"), ("person", "i8")])


def stage_links(connection: sa.Connection, ends: npt.NDArray[np.int64]) -> None:
    """Stage links, shape (n, 2), each with its smaller key first; none of an account with itself."""
    pairs = np.sort(ends, axis=1)
    bulk.write(connection, staged_link, pairs[pairs[:, 0] != pairs[:, 1]].tolist())


def take_links(connection: sa.Connection) -> tuple[SubjectKeys, int]:
    """Add the staged links that were never recorded; the keys of the people they merged, and how many links are new."""
    recorded = sa.exists().where(link.c.low == staged_link.c.low, link.c.high == staged_link.c.high)
    rows = sa.select(staged_link.c.low, staged_link.c.high).distinct().where(~recorded)
    new = bulk.read(connection, rows, _PAIR)
    if not len(new):
        return np.array([], dtype=np.int64), 0
    persons = _persons(connection, np.column_stack([new["low"], new["high"]]))
    connection.execute(
        bulk.insert(connection, link).from_select(["low", "high", "active"], rows.add_columns(sa.true()))
    )
    return _merge(connection, persons), len(new)


def _persons(connection: sa.Connection, edges: Edges) -> Edges:
    """The people whom links between accounts connect."""
    sides = (sa.select(side.label("key")) for side in (staged_link.c.low, staged_link.c.high))
    ends = sa.union(*sides).subquery()
    columns = sa.select(account.c.key, account.c.person).join(ends, ends.c.key == account.c.key)
    rows = bulk.read(connection, columns.order_by(account.c.key), _MEMBERSHIP)
    return rows["person"][np.searchsorted(rows["key"], edges)]


def _merge(connection: sa.Connection, persons: Edges) -> SubjectKeys:
    """Make one person of each group of connected ones; the accounts of those who changed, sorted."""
    people, roots = components(persons)
    moved = people != roots
    _stage_persons(connection, np.column_stack([people[moved], roots[moved]]).tolist())
    merged = sa.update(account).where(account.c.person == _staged_person.c.person)
    connection.execute(merged.values(person=_staged_person.c.root))
    grown = account.c.person.in_(sa.select(_staged_person.c.root))
    return bulk.read_keys(connection, sa.select(account.c.key).where(grown))


def _stage_persons(connection: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    bulk.write(connection, _staged_person, rows)
    index(connection, _staged_person, "person")


def index(connection: sa.Connection, table: sa.Table, columns: str) -> None:
    """Make a filled temporary table quick to look into."""
    connection.execute(sa.text(f"CREATE INDEX {table.name}_index ON {table.name} ({columns})"))
    if connection.dialect.name == "postgresql":  # which plans by statistics, and has none of a new table
        connection.execute(sa.text(f"ANALYZE {table.name}"))
