"""The columns of a table become the fields of items, a whole batch at a time.

Invariants: columns that fit already are passed on as they are, without Python per row; a value that does not
fit is an error that names file and row and never shows the value, because it may be somebody's; null stays null.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import SourceError
from demur.sources.base import FIRST_PARTY, nearest
from demur.sources.tables.bulk import clean_column
from demur.sources.tables.casting import Cell, boolean, instant, nested, number, text
from demur.sources.tables.marked import Posts, Reading
from demur.terms import ITEM, MEDIA, SPAN

_DEFAULTS: Final[Mapping[str, object]] = {"origin": FIRST_PARTY, "deleted": False}


@dataclass(frozen=True)
class Plan:
    """Which column, constant or default each field of an item comes from."""

    columns: Mapping[str, str]
    """Field -> column."""
    values: Mapping[str, object]
    """Field -> constant."""
    namespace: str | None
    """Of accounts that name none."""
    prefix: str
    """Of ids that name no source."""
    unit: str
    """Of ``created`` where it is a number: s, ms or us since 1970-01-01 UTC."""
    reading: Reading | None = None
    """How texts in markup are read; None where they are text."""

    def used(self, names: Iterable[str], where: str) -> dict[str, str]:
        """Field -> column, for a table whose columns are ``names``; a column named like a field needs no entry.

        Raises:
            SourceError: when a column is missing, or no column is the item's id.
        """
        known = list(names)
        spelt = {name.strip(): name for name in known} | {name: name for name in known}
        for field, column in self.columns.items():
            if column not in spelt:
                raise SourceError(
                    f"{where}: there is no column {column!r} for {field!r}, as [sources.table] of demur.toml says"
                    f"{nearest(column, known)}"
                )
        used = {field: self.columns.get(field, field) for field in ITEM.names if field not in self.values}
        used = {field: spelt[column] for field, column in used.items() if column in spelt}
        if twice := next((column for column in used.values() if known.count(column) > 1), None):
            raise SourceError(f"{where} has a column {twice!r} twice: name each once.")
        if "item" not in used:
            raise SourceError(
                f"{where}: no column is called 'item': say in [sources.table] of demur.toml which one is the id, "
                'for instance columns.item = "id".'
            )
        if self.reading is not None and "spans" in used:
            raise SourceError(
                f"{where}: there are spans, which point into plain text, but [sources.table] of demur.toml declares "
                "markup: drop one of the two."
            )
        return used


def items(batch: pa.RecordBatch, plan: Plan, where: str, first: int) -> pa.RecordBatch:
    """The items of one batch of a table; ``first`` is the number of its first row, from 1.

    Raises:
        SourceError: naming ``where`` and the row, when a value does not fit its field.
    """
    used = plan.used(batch.schema.names, where)
    columns = {}
    for field in ITEM:
        if field.name in used:
            cell = Cell(where, first, used[field.name])
            columns[field.name] = _column(batch.column(used[field.name]), field, plan, cell)
        else:
            constant = plan.values.get(field.name, _DEFAULTS.get(field.name))
            columns[field.name] = pa.repeat(pa.scalar(constant, field.type), batch.num_rows)
    if plan.reading is not None and "text" in used:
        columns["text"], columns["spans"] = _read(batch, columns, used, plan.reading, Cell(where, first, used["text"]))
    columns["text"], columns["spans"] = clean_column(columns["text"], columns["spans"])
    return pa.RecordBatch.from_arrays([columns[name] for name in ITEM.names], schema=ITEM)


def _read(
    batch: pa.RecordBatch, columns: Mapping[str, pa.Array], used: Mapping[str, str], reading: Reading, cell: Cell
) -> tuple[pa.Array, pa.Array]:
    """The texts without their markup, and the spans that it made."""
    topics = text(batch.column(used["thread"]), pa.string(), cell) if "thread" in used else None

    def place(row: int) -> str:
        return f"{cell.where}, row {cell.first + row}, column {cell.column!r}"

    return reading.column(columns["text"], columns["author"], topics, place)


def note(batch: pa.RecordBatch, plan: Plan, noted: Mapping[str, str], posts: Posts, cell: Cell) -> None:
    """Note who wrote the posts of a batch, and what they are called.

    Args:
        batch: of a table.
        plan: of it, for the accounts of authors.
        noted: ``author``, ``thread``, ``number`` and ``username`` to their columns, as far as there are any.
        posts: where to.
        cell: where the batch stands, for error sentences.
    """
    told = {name: text(batch.column(column), pa.string(), cell) for name, column in noted.items()}
    authors = _accounts(told["author"], plan.namespace, cell).to_pylist()
    if "username" in told:
        posts.call(authors, told["username"].to_pylist())
    if "number" in told and "thread" in told:
        posts.add(authors, told["thread"].to_pylist(), told["number"].to_pylist())


def _column(column: pa.Array, field: pa.Field, plan: Plan, cell: Cell) -> pa.Array:
    if field.name in _CASTS:
        return _CASTS[field.name](column, plan, cell)
    return text(column, field.type, cell)


def _id(column: pa.Array, plan: Plan, cell: Cell) -> pa.Array:
    """Ids with their source."""
    return _prefixed(text(column, pa.string(), cell), plan.prefix)


def _item(column: pa.Array, plan: Plan, cell: Cell) -> pa.Array:
    named = text(column, pa.string(), cell)
    cell.refuse(pc.equal(pc.fill_null(named, ""), ""), "the item has no id")
    return _prefixed(named, plan.prefix)


def _author(column: pa.Array, plan: Plan, cell: Cell) -> pa.Array:
    return _accounts(text(column, pa.string(), cell), plan.namespace, cell)


def _spans(column: pa.Array, plan: Plan, cell: Cell) -> pa.Array:
    """Spans with both ends, whose accounts name their namespace."""
    spans = nested(column, SPAN, cell)
    flat = spans.flatten()
    if not len(flat):
        return spans
    open_ended = pc.or_(pc.is_null(flat.field("start")), pc.is_null(flat.field("end")))
    within = replace(cell, rows=pc.list_parent_indices(spans))
    within.refuse(open_ended, "a span needs a start and an end")
    account = flat.field("account")
    named = _accounts(account, plan.namespace, within)
    return spans if named is account else _relisted(spans, flat, {"account": named})


def _media(column: pa.Array, plan: Plan, cell: Cell) -> pa.Array:
    """Media with clean descriptions, and tagged accounts that name their namespace."""
    media = nested(column, MEDIA, cell)
    flat = media.flatten()
    if not len(flat):
        return media
    described = flat.field("alt").cast(pa.large_string())
    alt, _ = clean_column(described, pa.nulls(len(flat), pa.list_(SPAN)))
    tagged = flat.field("tagged")
    rows = pc.list_parent_indices(media).take(pc.list_parent_indices(tagged))
    named = _accounts(tagged.flatten(), plan.namespace, replace(cell, rows=rows))
    return _relisted(media, flat, {"alt": alt.cast(pa.string()), "tagged": _listed(tagged, named)})


_CASTS: Final[Mapping[str, Callable[[pa.Array, Plan, Cell], pa.Array]]] = {
    "item": _item,
    "parent": _id,
    "thread": _id,
    "group": _id,
    "author": _author,
    "spans": _spans,
    "media": _media,
    "created": lambda column, plan, cell: instant(column, plan.unit, cell),
    "rating": lambda column, _, cell: number(column, cell),
    "deleted": lambda column, _, cell: boolean(column, cell),
}


def _accounts(column: pa.Array, namespace: str | None, cell: Cell) -> pa.Array:
    """Accounts with their namespace; an empty one is unknown."""
    if pc.any(pc.equal(column, "")).as_py():
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    if namespace is not None:
        return _prefixed(column, namespace)
    cell.refuse(
        pc.invert(pc.match_substring(column, ":")),
        "the account names no namespace; set namespace in [sources.table] of demur.toml",
    )
    return column


def _prefixed(column: pa.Array, prefix: str) -> pa.Array:
    whole = pc.match_substring(column, ":")
    if pc.all(whole).as_py() is not False:
        return column
    return pc.if_else(whole, column, pc.binary_join_element_wise(pa.scalar(prefix, column.type), column, ":"))


def _relisted(lists: pa.ListArray, flat: pa.StructArray, changed: Mapping[str, pa.Array]) -> pa.ListArray:
    """Lists of structs with some fields changed."""
    fields = list(flat.type)
    parts = [changed.get(part.name, flat.field(part.name)) for part in fields]
    return _listed(lists, pa.StructArray.from_arrays(parts, fields=fields))


def _listed(lists: pa.ListArray, values: pa.Array) -> pa.ListArray:
    """Lists of the same lengths, of other values."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
    return pa.ListArray.from_arrays(offsets, values, mask=pc.is_null(lists))
