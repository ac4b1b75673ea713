"""How large what a file holds may be: every bound of every reader, in one place, with its reason.

Invariants: each bound is many times what any export of a platform was seen to need, and small enough that what it lets
through is read within 1 GB of memory; what exceeds one is refused in a sentence that names file and place, and nothing
of the import is stored. docs/sources/limits.md shows them to the reader; a test holds the two together.
"""

from typing import Final

MIB: Final = 2**20

# JSON and JSON Lines

MAX_RECORD: Final = 64 * MIB
"""Bytes of one record or line. A post of 10 MB takes at most six times as many, where each letter is an escape."""

MAX_STRING: Final = 24 * MIB
"""Bytes of one string or key, as written. A record that is one string is held several times over while it is read."""

MAX_DEPTH: Final = 200
"""Objects and lists within each other. Exports nest less than 20 deep; the parser takes memory with its square."""

MAX_VALUES: Final = 1_000_000
"""Commas and brackets in one record: a value takes up to 160 bytes in memory. A mention takes six of them."""

MAX_DIGITS: Final = 1000
"""Characters of one number. Python refuses whole numbers of more than 4,300, and the parser of JSON dies of them."""

# Tables

MAX_COLUMNS: Final = 10_000
"""Columns of a table, used or not: those of one batch are held side by side."""

MAX_CELL: Final = 32 * MIB
"""Bytes of one value, as it is used: a cell that says to repeat another one counts as if it were written out."""

MAX_ELEMENTS: Final = 250_000
"""Spans, media or names in one row: a post that mentions 50,000 people takes a fifth of them."""

MAX_DECODED: Final = 128 * MIB
"""Bytes that one column of a few rows may come to in memory, where a file says to repeat a value."""

MAX_ROWS_PER_BYTE: Final = 16
"""Rows of a Parquet file for each byte of it. A row with an id and a text of its own takes some bytes."""

MAX_RATIO: Final = 200
"""Bytes that a table, or a file of a zip, may come to for each byte it takes; text comes to 3 to 20."""

FREE_BYTES: Final = 64 * MIB
"""Nothing is judged by that ratio before this many bytes came out of it."""

MAX_FURTHER: Final = 8_000_000
"""Elements of lists in one row group of a Parquet file, beyond one a row: all may stand in one row."""

MAX_CSV_ROW: Final = 32 * MIB
"""Bytes of one row of a CSV file, or of a quote that is never closed."""

MAX_MEMBER: Final = MIB
"""Bytes of what is said of one member: names, a locale, a region, addresses, linked accounts."""

# Logs and archives

MAX_LINE: Final = 64 * 1024
"""Bytes of one line of an IRC log; no network passes on more than 8 KB (RFC 2812, 2.3; IRCv3 message tags)."""

MAX_DIRECTORY: Final = 48 * MIB
"""Bytes of a zip's table of contents: some 300,000 files; in memory an entry takes ten times as many."""
