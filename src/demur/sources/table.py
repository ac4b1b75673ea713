"""Tables: Parquet, CSV, JSON Lines, Arrow IPC, and the answer of an SQL query.

Invariants: a column called like a field of an item is that field, others are mapped in ``demur.toml``; every row is
one item, and one that does not fit stops the import with a sentence that names it; columns that fit already are
never touched by Python, row for row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
from pydantic import Field

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import Options, nearest
from demur.sources.tables.columns import Plan, items
from demur.sources.tables.files import Form, read_file, shards
from demur.sources.tables.sql import database, is_url, read_query, shown
from demur.terms import ITEM

SOURCE: Final = "table"
"""What ids begin with where nothing is stated; never the file's name: the same table comes again under another."""

BY_FILE: Final = "filename-stem"


class TableOptions(Options):
    """``[sources.table]`` of ``demur.toml``."""

    columns: dict[str, str] = Field(default_factory=dict)
    """Field of an item -> column, for instance ``columns.item = "id"``; a column called like its field needs none."""
    values: dict[str, str | float | bool] = Field(default_factory=dict)
    """Field of an item -> one value for all rows, for instance ``values.kind = "post"``."""
    namespace: str | None = None
    """The namespace of accounts that name none: ``forum`` makes ``ann`` the account ``forum:ann``."""
    source: str | None = None
    """What ids that name no source begin with; otherwise ``table``, whatever the file is called.

    Two tables whose ids overlap need a name each. ``filename-stem`` is the name of the file, of the folder of shards,
    or of the database: what demur took where nothing was stated, until November 2026.
    """
    created_unit: Literal["s", "ms", "us"] = "s"
    """The unit of ``created`` where it is a number, since 1970-01-01 UTC."""
    delimiter: str | None = None
    """What separates the fields of a CSV file; otherwise what its first lines say, and a tab in ``.tsv``."""
    encoding: str | None = None
    """What the text of a file is in, for instance ``windows-1252``; otherwise UTF-8, or UTF-16 that begins so."""
    query: str | None = None
    """The SQL query, where the path is the URL of a database."""


class TableSource:
    """The adapter of tables."""

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and patterns of files, or database URLs, as batches of items.

        Raises:
            SourceError: when a table is broken, lacks a column, or a value does not fit its field.
        """
        parsed = TableOptions.parse("table", options)
        _check_fields(parsed)
        meter.expect(None if is_url(path) else sum(shard.stat().st_size for shard in shards(path)) for path in paths)
        return (batch for path in paths for batch in _read(path, parsed))


def _check_fields(options: TableOptions) -> None:
    for key, names in (("columns", options.columns), ("values", options.values)):
        for name in names:
            if name not in ITEM.names:
                raise SourceError(
                    f"demur.toml, [sources.table] {key}: an item has no field {name!r}{nearest(name, ITEM.names)}"
                )
    for name in ("item", "created", "spans", "media"):
        if name in options.values:
            raise SourceError(f"demur.toml, [sources.table] values: {name!r} differs from row to row: map a column.")
    if options.delimiter is not None and len(options.delimiter.encode()) != 1:
        raise SourceError("demur.toml, [sources.table]: delimiter is one character of ASCII, for instance ';'.")


def _read(path: str, options: TableOptions) -> Iterator[pa.RecordBatch]:
    if is_url(path):
        yield from _query(path, options)
        return
    for shard in shards(path):
        plan = _plan(options, _source_name(path, shard))
        used = partial(_used, plan=plan, where=str(shard))
        yield from _items(read_file(shard, used, Form(options.delimiter, options.encoding)), plan, str(shard))


def _query(url: str, options: TableOptions) -> Iterator[pa.RecordBatch]:
    if options.query is None:
        raise SourceError(f"{shown(url)}: write the SQL query as query in [sources.table] of demur.toml.")
    yield from _items(read_query(url, options.query), _plan(options, database(url)), shown(url))


def _items(batches: Iterator[pa.RecordBatch], plan: Plan, where: str) -> Iterator[pa.RecordBatch]:
    first = 1
    for batch in batches:
        yield items(batch, plan, where, first)
        first += batch.num_rows


def _used(names: Iterable[str], plan: Plan, where: str) -> list[str]:
    return list(dict.fromkeys(plan.used(names, where).values()))


def _plan(options: TableOptions, name: str) -> Plan:
    """How columns become fields; ``name`` is that of the file."""
    source = name if options.source == BY_FILE else options.source or SOURCE
    return Plan(options.columns, options.values, options.namespace, source, options.created_unit)


def _source_name(path: str, shard: Path) -> str:
    """The name of a file, or of the folder that all shards of a table stand in."""
    if Path(path) == shard:
        return shard.name.partition(".")[0]
    folder = Path(path) if Path(path).is_dir() else shard.parent
    return folder.resolve().name
