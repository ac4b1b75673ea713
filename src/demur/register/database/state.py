"""Progress marks: named values that stand beside the log, each replaced whole.

Invariants: a mark names nobody; whoever sets or removes one holds the write lock.
"""

import re
from typing import Final

import sqlalchemy as sa

from demur.register.database import bulk
from demur.register.database.tables import state

_NAMES: Final = re.compile(
    r"instance|restoring|erasures|spelling|webhook|told-by-coverage|tried-out|unread-names|worker|effect|stale"
    r"|(returned|withdrawn|corrected)\.\d+|listed\.[0-9a-f]+"
)
"""Every name that demur sets; the numbers are those of objections, the digests those of listed ones.

A check of the register reports any other.
"""


def strange(connection: sa.Connection) -> list[str]:
    """The names of marks that demur does not set, sorted."""
    return sorted(name for name in connection.scalars(sa.select(state.c.name)) if not _NAMES.fullmatch(name))


def read(connection: sa.Connection, name: str) -> str | None:
    """A progress mark; None if it was never set."""
    return connection.scalar(sa.select(state.c.value).where(state.c.name == name))


def write(connection: sa.Connection, name: str, value: str) -> None:
    """Set a progress mark."""
    statement = bulk.insert(connection, state).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def remove(connection: sa.Connection, name: str) -> None:
    """Remove a progress mark, if it is set."""
    connection.execute(sa.delete(state).where(state.c.name == name))
