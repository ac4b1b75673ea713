"""Rows that say who the members are: their schema, and the checks that every row passes before anything changes.

Invariants: a batch that gets through has exactly the columns of :data:`MEMBER` with their types, an account
in every row, and values that mean something; the first row that does not is named by its number and column, without
repeating what it says, as it may name a person.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import IdentityError, SourceError
from demur.policy.fields import COUNTRIES, country_hint
from demur.register.members.people import identify
from demur.spelling import Names

MEMBER: Final = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),  # `namespace:value`
        pa.field("names", pa.list_(pa.string())),  # display name, real name, former names
        pa.field("locale", pa.string()),  # BCP 47
        pa.field("region", pa.string()),  # ISO 3166-1 alpha-2
        pa.field("birth_year", pa.int16()),
        pa.field("told_on", pa.date32()),  # the first notice of the training, by whatever means
        pa.field("linked", pa.list_(pa.string())),  # other accounts of the same person
        pa.field("consented", pa.bool_()),
        pa.field("mail", pa.string()),  # linked as the account `mail:<address>`: an objection to either covers both
        pa.field("mail_verified", pa.bool_()),  # the platform made sure that the address is the member's
    ]
)
"""One member's account; every column but the first may be null, which means unknown. The last import wins, row by row.

Without `mail_verified` an address opens nothing: whoever typed it into a profile may not be its holder.
What `consented` says counts when it differs from what the last import said: a consent that was recorded, or
withdrawn, with demur since then is not undone by the same export coming again.
"""

_CHUNK_ROWS: Final = 10_000
BORN_FROM: Final = 1900
"""The first year in which somebody may be born who is a member today."""
_ASSIGNED: Final = pa.array(sorted(COUNTRIES), pa.string())


def checked(batches: Iterable[pa.RecordBatch], year: int) -> Iterator[pa.RecordBatch]:
    """Check rows, and yield them as batches of :data:`MEMBER`, at most ``_CHUNK_ROWS`` each.

    Args:
        batches: any number of any size; columns may stand in any order and have any type that casts without loss.
        year: the current one; nobody is born later.

    Raises:
        SourceError: one sentence that names the first bad row (from 1, across batches) and its column.
    """
    row = 1
    for batch in batches:
        _check_columns(batch.schema)
        for start in range(0, batch.num_rows, _CHUNK_ROWS):
            chunk = _cast(batch.slice(start, _CHUNK_ROWS), row)
            _check_values(chunk, row, year)
            yield chunk
            row += chunk.num_rows


def identified(accounts: Sequence[str], column: str, rows: Sequence[int], names: Names) -> list[str]:
    """The exact spelling of accounts, of which each stands in one of the rows.

    Raises:
        SourceError: naming the first malformed one by its row.
    """
    spelt = []
    for account, row in zip(accounts, rows, strict=True):
        try:
            spelt.append(identify(account, names))
        except IdentityError:
            raise _bad(row, column, "is no account identifier: write namespace:value") from None
    return spelt


def _check_columns(schema: pa.Schema) -> None:
    missing = [name for name in MEMBER.names if name not in schema.names]
    if missing:
        raise SourceError(f"The members lack the column {missing[0]}: add it, with nulls where nothing is known.")
    unknown = [name for name in schema.names if name not in MEMBER.names]
    if unknown or len(schema.names) != len(MEMBER.names):
        wrong = unknown[0] if unknown else next(n for n in schema.names if schema.names.count(n) > 1)
        raise SourceError(f"The members have a column {wrong} too many: the columns are {', '.join(MEMBER.names)}.")


def _cast(batch: pa.RecordBatch, row: int) -> pa.RecordBatch:
    columns = [_cast_column(batch.column(field.name), field, row) for field in MEMBER]
    return pa.record_batch(columns, schema=MEMBER)


def _cast_column(column: pa.Array, field: pa.Field, row: int) -> pa.Array:
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        place = next(n for n in range(len(column)) if not _casts(column.slice(n, 1), field.type))
        raise _bad(row + place, field.name, f"is no {field.type}") from None


def _casts(column: pa.Array, kind: pa.DataType) -> bool:
    try:
        column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _check_values(chunk: pa.RecordBatch, row: int, year: int) -> None:
    _check(pc.is_valid(chunk["account"]), row, "account", "is empty: every member needs one")
    region = pc.match_substring_regex(chunk["region"], "^[A-Z]{2}$")
    _check(region, row, "region", "is no ISO 3166-1 alpha-2 code such as DE")
    _check_countries(chunk["region"], row)
    born = pc.and_(
        pc.greater_equal(chunk["birth_year"], BORN_FROM), pc.less_equal(chunk["birth_year"], pa.scalar(year))
    )
    _check(born, row, "birth_year", f"is outside {BORN_FROM}..{year}")


def _check_countries(region: pa.Array, row: int) -> None:
    """Every code must be assigned; of two letters that are not, these are told: they name nobody."""
    known = pc.is_in(region, _ASSIGNED)
    place = pc.index(pc.or_(known, pc.is_null(region)), value=False).as_py()
    if place >= 0:
        code = region[place].as_py()
        raise _bad(row + place, "region", f"is {code}, {country_hint(code)}")


def _check(good: pa.BooleanArray, row: int, column: str, problem: str) -> None:
    """Every value that is not null must be good."""
    place = pc.index(good, value=False).as_py()
    if place >= 0:
        raise _bad(row + place, column, problem)


def _bad(row: int, column: str, problem: str) -> SourceError:
    return SourceError(f"Row {row} of the members: the column {column} {problem}; nothing was imported.")
