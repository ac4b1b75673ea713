"""The shape of an item at rest.

Invariants: no raw account identifier, handle or profile URL stands in any field but ``text``, and there only where
the policy keeps it; every identifier is a keyed hash (:mod:`demur.identity`); ``subjects`` holds every key that
``spans`` and ``tagged`` hold, sorted and once each, so that one index finds all rows that concern a person;
``spans`` nest or are disjoint, never overlap in part; somebody who is withheld stands in none of them.
"""

from typing import Final

import pyarrow as pa

FORMAT: Final = 2
"""The version of this schema; a corpus with a higher one is not opened."""

KEY: Final = pa.binary(16)

WITHHELD_QUOTE: Final = "withheld-quote"
"""The role of a span without a subject: a quote of somebody who is withheld stood here, in the markup alone."""

WITHHELD_MENTION: Final = "withheld-mention"
"""The role of a span without a subject: a mention or tag of somebody who is withheld stood here.

It stood in the markup alone, or in what `[quote]` stands for.
"""

WITHHELD_NAME: Final = "withheld-name"
"""The role of a span without a subject, exactly over a `[person]`: a name of somebody who is withheld stood here."""

WITHHELD_COPY: Final = "withheld-copy"
"""The role of a span without a subject, exactly over a `[quote]`: words that somebody withheld wrote stood here."""

STORED_SPAN: Final = pa.struct(
    [
        pa.field("start", pa.int32()),  # code points of `text`
        pa.field("end", pa.int32()),  # exclusive
        pa.field("role", pa.string()),  # a terms.Role, or one of the four WITHHELD_ above
        pa.field("subject", pa.int64()),  # subject key, null where the markup named no account
    ]
)

STORED_MEDIA: Final = pa.struct(
    [
        pa.field("uri", pa.string()),  # keyed hash of the source's URI, and its file ending
        pa.field("type", pa.string()),
        pa.field("alt", pa.string()),
        pa.field("tagged", pa.list_(pa.int64())),  # subject keys
    ]
)

ROW: Final = pa.schema(
    [
        pa.field("item", KEY, nullable=False),
        pa.field("author", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("audience", pa.string(), nullable=False),
        pa.field("region", pa.string()),
        pa.field("created", pa.timestamp("us", tz="UTC")),
        pa.field("language", pa.string()),
        pa.field("text", pa.large_string(), nullable=False),  # "" where a photo has no caption
        pa.field("spans", pa.list_(STORED_SPAN), nullable=False),
        pa.field("subjects", pa.list_(pa.int64()), nullable=False),
        pa.field("parent", KEY),
        pa.field("thread", KEY),
        pa.field("group", KEY),
        pa.field("rating", pa.float64()),
        pa.field("media", pa.list_(STORED_MEDIA), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # the adapter that read it, from the item id
    ]
)
"""A row of a version and (keys as hexadecimal text) of an export; the corpus has it as :data:`STORED`."""

STORED: Final = pa.schema(
    [
        *ROW,
        pa.field("words", pa.list_(pa.int32()), nullable=False),  # what finds it by its words: words.columns
        pa.field("grams", pa.list_(pa.int32()), nullable=False),  # what finds it as a copy
    ]
)
"""A row of the corpus."""
