"""The answer of an SQL query as batches: through ADBC where there is a driver, else SQLAlchemy.

Invariants: rows come from a cursor of the server, so that memory does not grow with the answer; the connection only
reads; no password and no value is ever part of an error.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from demur.errors import SourceError
from demur.sources.limits import MAX_CELL
from demur.sources.tables.files import gathered
from demur.sources.tables.sizes import cut

_ROWS_AT_ONCE: Final = 16  # fetched from the server; a row may be as large as MAX_CELL, and more


def is_url(path: str) -> bool:
    """Whether a path is the URL of a database."""
    return "://" in path


def shown(url: str) -> str:
    """The URL without its password, for error sentences and names.

    Raises:
        SourceError: when it is no URL of a database.
    """
    return _parsed(url).render_as_string(hide_password=True)


def database(url: str) -> str:
    """The name of the database, or of its file without folder and ending."""
    name = _parsed(url).database or "sql"
    return name.rpartition("/")[2].partition(".")[0] or "sql"


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError:
        raise SourceError(
            "The path looks like a database URL and is none: write sqlite:///file or postgresql://host/name."
        ) from None


def read_query(url: str, query: str) -> Iterator[pa.RecordBatch]:
    """The rows of ``query``, in its order.

    Raises:
        SourceError: when the database can't be reached, or refuses the query.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql" and (connection := _adbc_postgresql(parsed)):
        yield from _through_adbc(connection, parsed, query)
    else:
        yield from _through_sqlalchemy(parsed, query)


def _adbc_postgresql(url: sa.URL) -> Any:  # noqa: ANN401  # ADBC ships no types
    """A connection by ADBC, or None where its driver is not installed."""
    try:
        from adbc_driver_manager import Error  # noqa: PLC0415  # as below
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415  # an optional dependency
    except ImportError:
        return None
    try:
        return dbapi.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    except Error:
        raise _unreachable(url) from None


def _through_adbc(connection: Any, url: sa.URL, query: str) -> Iterator[pa.RecordBatch]:  # noqa: ANN401  # no types
    with closing(connection), closing(connection.cursor()) as cursor:
        try:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(query)
            yield from cut(cursor.fetch_record_batch(), shown(url.render_as_string(hide_password=False)))
        except (OSError, pa.ArrowException, connection.Error):
            raise _refused(url) from None


def _through_sqlalchemy(url: sa.URL, query: str) -> Iterator[pa.RecordBatch]:
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            answer = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(sa.text(query))
            rows = map(dict, answer.mappings())
            yield from gathered(((row, _weight(row)) for row in rows), url.render_as_string())
    except sa.exc.OperationalError as error:
        raise (_unreachable(url) if error.statement is None else _refused(url)) from None
    except sa.exc.SQLAlchemyError:
        raise _refused(url) from None
    finally:
        engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        if not Path(url.database or "").is_file():
            raise _unreachable(url)
        url = url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ImportError):
        raise SourceError(
            f"{url.render_as_string()}: no driver for {url.drivername} is installed: install one for SQLAlchemy."
        ) from None
    if engine.dialect.driver == "pysqlite":
        sa.event.listen(engine, "connect", _limit_cells)
    return engine


def _limit_cells(connection: sqlite3.Connection, _: object) -> None:
    """SQLite itself refuses a value that is too long, before it is in memory."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)


def _weight(row: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row.values())


def _unreachable(url: sa.URL) -> SourceError:
    return SourceError(f"{url.render_as_string()} can't be reached: check host, name, user and password.")


def _refused(url: sa.URL) -> SourceError:
    return SourceError(f"{url.render_as_string()} refused the query: try it in the database's own client first.")
