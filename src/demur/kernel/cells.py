"""By what an import counts: the kind, the language, the region and the year of each item that was read.

Invariants: each is what the source said, or what the author's member profile says of the region; nothing is read in a
text, and nothing is inferred; a value that is none of the kind (a tag that is no language, a year far off) is unknown,
so that no count ever carries what somebody typed.
"""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel.door import regions
from demur.kernel.rules import Rules
from demur.terms import Kind

UNKNOWN: Final = ""
CELLS: Final = ("kind", "language", "region", "year")
_LANGUAGE: Final = r"^(?P<tag>[A-Za-z]{2,3})(?:-[0-9A-Za-z-]+)?$"
_FIRST, _LAST = 1970, 2100
"""Years that are told apart."""


def cells(rows: pa.RecordBatch, rules: Rules) -> pa.RecordBatch:
    """The cells of rows of keying.KEYED: columns of :data:`CELLS`, dictionaries of strings without nulls."""
    kind, region = rows.column("kind"), regions(rows, rules)
    found = [
        _where(pc.is_in(kind, value_set=pa.array([str(each) for each in Kind])), kind),
        languages(rows.column("language")),
        _where(pc.match_substring_regex(region, "^[A-Z]{2}$"), region),
        years(rows.column("created")),
    ]
    return pa.RecordBatch.from_arrays([column.dictionary_encode() for column in found], names=list(CELLS))


def languages(tags: pa.Array) -> pa.Array:
    """The language of each tag of BCP 47 without script and region, in lower case; UNKNOWN for what is no tag."""
    known = tags.dictionary_encode()
    said = pc.extract_regex(known.dictionary, _LANGUAGE)
    return pc.fill_null(pc.utf8_lower(pc.struct_field(said, "tag")).take(known.indices), UNKNOWN)


def years(created: pa.Array) -> pa.Array:
    """The year of each moment, as text; UNKNOWN where it has none."""
    year = pc.year(created)
    return _where(pc.and_(pc.greater_equal(year, _FIRST), pc.less_equal(year, _LAST)), year.cast(pa.string()))


def _where(known: pa.Array, values: pa.Array) -> pa.Array:
    """The values where they are known to be some."""
    return pc.fill_null(pc.if_else(known, values, pa.scalar(None, pa.string())), UNKNOWN)
