"""Tables: Parquet, CSV, JSON Lines, Arrow IPC, and the answer of an SQL query.

Invariants: a column called like a field of an item is that field, others are mapped in ``demur.toml``; every row is
one item, and one that does not fit stops the import with a sentence that names it; columns that fit already are
never touched by Python, row for row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, Literal

import pyarrow as pa
from pydantic import Field

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.base import Options, nearest
from demur.sources.markup.reading import Markup
from demur.sources.sniffing import Glimpse
from demur.sources.tables.casting import Cell
from demur.sources.tables.columns import Plan, items, note
from demur.sources.tables.files import Form, read_file, shards
from demur.sources.tables.marked import Posts, Reading, looks_like
from demur.sources.tables.sql import database, is_url, read_query, shown
from demur.terms import ITEM, Reason

SOURCE: Final = "table"
"""What ids begin with where nothing is stated; never the file's name: the same table comes again under another."""

_ENDINGS: Final = (".arrow", ".arrows", ".csv", ".feather", ".ipc", ".jsonl", ".ndjson", ".parquet", ".pq", ".tsv")

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
    markup: Literal["html", "markdown", "bbcode", "text"] | None = None
    """What ``text`` is written in; its quotes and mentions become spans. Undeclared, it is taken for text."""
    username: str | None = None
    """The column with the name that markup calls an author, where ``author`` is something else, such as a number."""
    number: str | None = None
    """The column with a post's number in its ``thread``: whose a quote is that gives no name, but topic and number."""

    @property
    def looks_up(self) -> bool:
        """Whether a table is read once before, to learn who wrote its posts."""
        marked = self.markup not in (None, "text")
        return marked and (self.username is not None or self.number is not None)


class TableSource:
    """The adapter of tables."""

    general: ClassVar[bool] = True
    reads: ClassVar[str] = "any table (CSV, JSON Lines, Parquet, Arrow, a database) whose columns demur.toml names"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'columns.audience = "column", or values.audience = "public" where all can read it',
        Reason.UNKNOWN_AUTHOR: 'columns.author = "column"',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether it is a table by its name; what its columns mean is for demur.toml to say."""
        return seen.unpacked and any(member.name.lower().endswith(_ENDINGS) for member in seen.members)

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and patterns of files, or database URLs, as batches of items.

        Raises:
            SourceError: when a table is broken, lacks a column, or a value does not fit its field.
        """
        parsed = TableOptions.parse("table", options)
        _check_fields(parsed)
        often = 2 if parsed.looks_up else 1
        sizes = (None if is_url(path) else sum(shard.stat().st_size for shard in shards(path)) for path in paths)
        meter.expect(None if size is None else often * size for size in sizes)
        return _all(paths, parsed)


def _all(paths: Sequence[str], options: TableOptions) -> Iterator[pa.RecordBatch]:
    reading = None
    if options.markup not in (None, "text"):
        reading = Reading(Markup(options.markup), options.namespace, by_number=options.username is not None)
        for path in paths if options.looks_up else ():
            _note(path, options, reading.posts)
    for path in paths:
        yield from _read(path, options, reading)


def _note(path: str, options: TableOptions, posts: Posts) -> None:
    """Note the authors of a table's posts, before any of these is read: a quote may stand before what it quotes."""
    plan = _plan(options, SOURCE, None)
    for where, batches in _authors(path, options):
        first = 1
        for batch in batches:
            columns = _noted(batch.schema.names, where, options)
            note(batch, plan, columns, posts, Cell(where, first, columns["author"]))
            first += batch.num_rows


def _noted(names: Iterable[str], where: str, options: TableOptions) -> dict[str, str]:
    """``author``, ``thread``, ``number`` and ``username`` to their columns, as far as they are named."""
    known = list(names)
    asked = {"number": options.number, "username": options.username}
    columns = {"author": options.columns.get("author", "author"), **{key: one for key, one in asked.items() if one}}
    if options.number:
        columns["thread"] = options.columns.get("thread", "thread")
    for field, column in columns.items():
        if column not in known:
            raise SourceError(
                f"{where}: there is no column {column!r} for {field!r}, as [sources.table] of demur.toml says"
                f"{nearest(column, known)}"
            )
    return columns


def _authors(path: str, options: TableOptions) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """What stands at a path, of the columns that tell whose a post is, each with where it stands."""
    if is_url(path):
        yield shown(path), read_query(path, _query_of(path, options))
        return
    for shard in shards(path):

        def used(names: Iterable[str], where: str = str(shard)) -> list[str]:
            return list(dict.fromkeys(_noted(names, where, options).values()))

        yield str(shard), read_file(shard, used, Form(options.delimiter, options.encoding))


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


def _read(path: str, options: TableOptions, reading: Reading | None) -> Iterator[pa.RecordBatch]:
    if is_url(path):
        plan = _plan(options, database(path), reading)
        yield from _items(read_query(path, _query_of(path, options)), plan, shown(path), options)
        return
    for shard in shards(path):
        plan = _plan(options, _source_name(path, shard), reading)
        used = partial(_used, plan=plan, where=str(shard))
        form = Form(options.delimiter, options.encoding)
        yield from _items(read_file(shard, used, form), plan, str(shard), options)


def _query_of(url: str, options: TableOptions) -> str:
    if options.query is None:
        raise SourceError(f"{shown(url)}: write the SQL query as query in [sources.table] of demur.toml.")
    return options.query


def _items(
    batches: Iterator[pa.RecordBatch], plan: Plan, where: str, options: TableOptions
) -> Iterator[pa.RecordBatch]:
    first, unsure = 1, options.markup is None
    for batch in batches:
        read = items(batch, plan, where, first)
        if unsure and (markup := looks_like(read.column("text"))) is not None:
            meter.tell(
                f"{where}: the texts look like {markup}, and no markup is declared, so that names and words in quotes "
                'stay: set markup in [sources.table] of demur.toml, to "text" if they are none.'
            )
            unsure = False
        yield read
        first += batch.num_rows


def _used(names: Iterable[str], plan: Plan, where: str) -> list[str]:
    return list(dict.fromkeys(plan.used(names, where).values()))


def _plan(options: TableOptions, name: str, reading: Reading | None) -> Plan:
    """How columns become fields; ``name`` is that of the file."""
    source = name if options.source == BY_FILE else options.source or SOURCE
    return Plan(options.columns, options.values, options.namespace, source, options.created_unit, reading)


def _source_name(path: str, shard: Path) -> str:
    """The name of a file, or of the folder that all shards of a table stand in."""
    if Path(path) == shard:
        return shard.name.partition(".")[0]
    folder = Path(path) if Path(path).is_dir() else shard.parent
    return folder.resolve().name
