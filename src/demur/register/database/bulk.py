"""Many rows at once: in by COPY or executemany, out as one NumPy array, inside the transaction that is open.

ADBC is left out on purpose. Its SQLite driver brings a second SQLite into the process, and when that one closes the
file, the locks that the first one holds are gone (POSIX record locks belong to the process; see *How To Corrupt An
SQLite Database File*, 2.2.1): tried with adbc-driver-sqlite 1.13, another process then got the write lock while ours
was held. And neither driver can read in a transaction that SQLAlchemy began, as a snapshot under the lock must.
Measured at a million members: 0.3 s with ADBC, 1.0 s as here, and 0.01 s when standing.py patches its last answer.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

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


class _Keys(sa.types.TypeDecorator[Sequence[int]]):
    """Many keys as one parameter: a JSON list for SQLite, an array for PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.ARRAY(sa.BigInteger))

    def process_bind_param(self, value: Iterable[int] | None, dialect: sa.Dialect) -> Any:  # noqa: ANN401  # as the driver takes it
        values = [] if value is None else [int(key) for key in value]
        return orjson.dumps(values).decode() if dialect.name == "sqlite" else values


class _Listed(FunctionElement[bool]):
    """Of a column and a list of keys."""

    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002  # SQLAlchemy would compare it with 1
        return self


@compiles(_Listed, "sqlite")
def _listed_in_sqlite(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  # SQLAlchemy's own
    column, keys = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608  # what SQLAlchemy made of a column and a parameter


@compiles(_Listed, "postgresql")
def _listed_in_postgresql(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  # SQLAlchemy's own
    column, keys = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY (CAST({keys} AS BIGINT[]))"


def listed(column: sa.ColumnElement[int], name: str) -> sa.ColumnElement[bool]:
    """The same as :func:`among` for a statement that is made once and run often, with the keys as parameter ``name``.

    To make such a statement anew takes SQLAlchemy longer than a database takes to run it.
    """
    return cast("sa.ColumnElement[bool]", _Listed(column, sa.bindparam(name, type_=_Keys())))


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
