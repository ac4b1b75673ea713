"""Many rows at once: in by COPY or executemany, out as one NumPy array, inside the transaction that is open.

ADBC is left out on purpose. Its SQLite driver brings a second SQLite into the process, and when that one closes the
file, the locks that the first one holds are gone (POSIX record locks belong to the process; see *How To Corrupt An
SQLite Database File*, 2.2.1): tried with adbc-driver-sqlite 1.13, another process then got the write lock while ours
was held. And neither driver can read in a transaction that SQLAlchemy began, as a snapshot under the lock must.
Measured at a million members: 0.3 s with ADBC, 1.0 s as here, and 0.01 s when standing.py patches its last answer.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa

from demur.identity import SubjectKeys, ascending

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

KEY: Final = np.dtype([("key", "i8")])
_COPY_HEADER_BYTES: Final = 19  # signature 11, flags 4, extension length 4; PostgreSQL manual, COPY, *Binary Format*
_COPY_TRAILER_BYTES: Final = 2


def insert(connection: sa.Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    """An insert that knows ON CONFLICT, in the database's dialect: the other one's is not loaded."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415  # see above

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # the same

    return postgresql.insert(table)


def among(connection: sa.Connection, column: sa.ColumnElement[int], keys: Iterable[int]) -> sa.ColumnElement[bool]:
    """Whether a column is one of many keys, sent as one parameter however many they are."""
    values = [int(key) for key in keys]
    if connection.dialect.name == "sqlite":
        each = sa.func.json_each(orjson.dumps(values).decode()).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(sa.cast(values, sa.ARRAY(sa.BigInteger)))


def read_keys(connection: sa.Connection, statement: sa.Select[tuple[int]]) -> SubjectKeys:
    """One column of keys, sorted and without duplicates, shape (n,)."""
    return ascending(read(connection, statement, KEY)["key"])


def read(connection: sa.Connection, statement: sa.Select[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The rows of a statement as a structured array, shape (n,).

    Every column must be free of nulls and have the width of its field on PostgreSQL (a text field is as long as
    each of its values).
    """
    if connection.dialect.name == "sqlite":
        rows: Iterable[tuple[Any, ...]] = _driver_cursor(connection.execute(statement).cursor)
        return np.fromiter(rows, dtype=dtype)
    query = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = _driver_cursor(connection.connection.cursor())
    with cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        data = b"".join(copy)
    body = memoryview(data)[_COPY_HEADER_BYTES : len(data) - _COPY_TRAILER_BYTES]
    read: npt.NDArray[Any] = np.frombuffer(body, dtype=_wire(dtype))[list(dtype.names or ())].astype(dtype)
    return read


def write(connection: sa.Connection, table: sa.Table, rows: Iterable[Sequence[Any]]) -> None:
    """Append rows, each with a value for every column of the table."""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        batch = [tuple(row) for row in rows]
        if batch:  # an empty executemany is an error
            connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", batch)  # noqa: S608  # our table's name
        return
    cursor = _driver_cursor(connection.connection.cursor())
    with cursor, cursor.copy(f"COPY {table.name} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([column.type.compile(connection.dialect).lower() for column in table.columns])
        for row in rows:
            copy.write_row(row)


def _driver_cursor(cursor: object) -> Any:  # noqa: ANN401  # sqlite3's or psycopg's, of which only one is installed
    """The driver's own cursor, which can do more than SQLAlchemy's type for it says."""
    return cursor


def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A row of PostgreSQL's binary COPY: a count of fields, then for each its length and its big-endian value."""
    fields: list[tuple[str, Any]] = [("count", ">i2")]
    for name in dtype.names or ():
        fields += [(f"length of {name}", ">i4"), (name, dtype[name].newbyteorder(">"))]
    return np.dtype(fields)
