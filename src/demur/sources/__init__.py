"""One adapter per platform format: each reads a platform's content into Arrow batches of items.

``docs/sources/writing-one.md`` shows how to write one in 30 lines.
"""

from demur.sources.base import (
    FIRST_PARTY,
    MOST_OF_A_FILE,
    Files,
    ItemRow,
    Media,
    Options,
    Pictured,
    Source,
    batches,
    is_picture,
    load_source,
    nearest,
    source_names,
    to_state,
)
from demur.sources.text import Span, clean, microseconds

__all__ = [
    "FIRST_PARTY",
    "MOST_OF_A_FILE",
    "Files",
    "ItemRow",
    "Media",
    "Options",
    "Pictured",
    "Source",
    "Span",
    "batches",
    "clean",
    "is_picture",
    "load_source",
    "microseconds",
    "nearest",
    "source_names",
    "to_state",
]
