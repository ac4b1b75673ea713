"""Which pictures at rest are a person's: those of what they wrote, and those of others that show them.

Invariants: nothing is changed, and no picture is read; whom a picture shows, tags alone say: one of others that does
not tag the person is not theirs, whatever can be seen in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from demur.corpus.datasets.pictures import SHOWN
from demur.corpus.session import Session
from demur.identity import SubjectKeys
from demur.words.page import short_keys

COLUMNS: Final = ("item", "author", "audience", "media")
"""What has to be read of a row to tell."""

_MEDIA_TYPES: Final = {"image/jpeg": "jpg"}


@dataclass(frozen=True)
class Depicted:
    """Pictures at rest, as pictures.ABOUT says it of them, with their addresses."""

    own: pa.Table
    """Of what the person wrote."""
    about: pa.Table
    """Of others, that show them."""


def depicted(session: Session, keys: SubjectKeys, audiences: frozenset[str] | None = None) -> Depicted:
    """The pictures of whoever has some accounts.

    Args:
        session: open.
        keys: the accounts' subject keys.
        audiences: those of others' rows that count; all, where none are given.
    """
    pictures = session.beside.pictures
    own: list[tuple[bytes, str]] = []
    about: list[tuple[bytes, str]] = []
    theirs = frozenset(keys.tolist())
    for batch in session.corpus.concerning(keys) if pictures.there and pictures.count() else ():
        for row in batch.select(COLUMNS).to_pylist():
            if row["author"] in theirs:
                own += ((row["item"], one["uri"]) for one in row["media"] if one["uri"])
            elif audiences is None or row["audience"] in audiences:
                about += _showing(row, theirs)
    return Depicted(pictures.of(_named(own)), pictures.of(_named(about)))


def names_of(found: Depicted) -> dict[tuple[bytes, str], str]:
    """File names for pictures, by their items' keys and what the rows call them; no two are the same."""
    names: dict[tuple[bytes, str], str] = {}
    numbers: dict[bytes, int] = {}
    for table in (found.own, found.about):
        for row in table.select(["key", "uri", "type"]).to_pylist():
            numbers[row["key"]] = number = numbers.get(row["key"], 0) + 1
            names[row["key"], row["uri"]] = f"{row['key'].hex()}-{number}.{_MEDIA_TYPES[row['type']]}"
    return names


def _showing(row: Mapping[str, Any], theirs: frozenset[int]) -> Iterable[tuple[bytes, str]]:
    """The pictures of a row that tag one of these accounts."""
    return (
        (row["item"], one["uri"]) for one in row["media"] if one["uri"] and not theirs.isdisjoint(one["tagged"] or ())
    )


def _named(pictures: list[tuple[bytes, str]]) -> pa.Table:
    """The same of pictures.SHOWN."""
    if not pictures:
        return SHOWN.empty_table()
    items = short_keys(pa.array([item for item, _ in pictures], pa.binary(16)))
    return pa.Table.from_arrays([pa.array(items), pa.array([uri for _, uri in pictures], pa.string())], schema=SHOWN)
