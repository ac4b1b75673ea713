"""Records of a chat's export: their fields, their times, and text that is put together piece by piece.

Invariants: a field of the wrong type is an error that names file and record, and never shows what stands there; a span
marks what was added with it and nothing else.
"""

import mimetypes
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from demur.errors import SourceError
from demur.sources.base import Media
from demur.sources.jsonstream import Record
from demur.sources.text import Span
from demur.terms import Role

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
"""Microseconds."""
_NAMES: Final[Mapping[type, str]] = {str: "text", list: "a list", dict: "an object"}


def checked(record: Record) -> dict[str, Any]:
    """The record, which must be an object."""
    if not isinstance(record.value, dict):
        raise SourceError(f"{record.where} is no object: export the chat again, as JSON.")
    return record.value


def talk(channel: str, created: int | None) -> str:
    """The thread of what is said in a channel: its day, in UTC, as people answer each other without saying so.

    Args:
        channel: its id, with the source's name.
        created: microseconds since 1970-01-01; all that is undated is one thread.
    """
    return f"{channel}/{'undated' if created is None else created // _DAY}"


def field(record: Mapping[str, Any], key: str, kind: type, where: str) -> Any:  # noqa: ANN401  # a value of `kind`
    """``record[key]``, or null where it is missing, null or empty.

    Raises:
        SourceError: when it is there with another type.
    """
    value = record.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, kind):
        raise SourceError(f"{where}: {key!r} is not {_NAMES[kind]}: export the chat again, as JSON.")
    return value


def objects(record: Mapping[str, Any], key: str, where: str) -> Sequence[dict[str, Any]]:
    """The objects in the list ``record[key]``; none where it is missing."""
    if not record.get(key):
        return ()
    return [one for one in field(record, key, list, where) or () if isinstance(one, dict)]


def identifier(record: Mapping[str, Any], key: str) -> str | None:
    """``record[key]`` as an id: text, or a whole number as text; null where it is neither."""
    value = record.get(key)
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def needed(record: Mapping[str, Any], key: str, where: str) -> str:
    """The id ``record[key]``.

    Raises:
        SourceError: where there is none: without it an item can't be told from others.
    """
    value = identifier(record, key)
    if value is None:
        raise SourceError(f"{where} has no {key!r}: export the chat again, as JSON.")
    return value


def zone(name: str, source: str) -> tzinfo:
    """The time zone that the option ``timezone`` of a source names.

    Raises:
        SourceError: where the IANA database has none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SourceError(
            f"demur.toml, [sources.{source}]: {name!r} is no time zone: write a name like Europe/Berlin."
        ) from None


def iso_time(value: str | None, where: str, zone: tzinfo = UTC) -> int | None:
    """An ISO 8601 time as microseconds since 1970-01-01 UTC; one without an offset is of ``zone``.

    Raises:
        SourceError: when it is none.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise SourceError(f"{where}: the time is none of ISO 8601: export the chat again, as JSON.") from None


def file(uri: str, name: str | None = None, kind: str | None = None, alt: str | None = None) -> Media:
    """A file of a message; its address without the query, which may hold a key to it."""
    bare = uri.partition("?")[0]
    return Media(bare, kind or mimetypes.guess_type(name or bare)[0], alt)


class Writer:
    """Text put together piece by piece, with the spans that its pieces bring."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.length = 0
        """Code points so far."""
        self.spans: list[Span] = []

    @property
    def text(self) -> str:
        """What was added so far."""
        return "".join(self._pieces)

    def add(self, piece: str, role: Role | None = None, account: str | None = None) -> None:
        """Add a piece, marked where it has a role."""
        end = self.length + len(piece)
        if role is not None:
            self.spans.append(Span(self.length, end, role, account))
        self._pieces.append(piece)
        self.length = end

    def paragraph(self) -> None:
        """What comes next stands in a paragraph of its own."""
        if self.length:
            self.add("\n\n")

    def mark(self, start: int, role: Role, account: str | None) -> None:
        """Mark everything from ``start`` on."""
        self.spans.append(Span(start, self.length, role, account))
