"""ActivityStreams 2.0 documents: objects, activities and collections, as JSON files, folders or zips.

Invariants: collections are read element by element, so that memory holds one element; of a
folder or zip, the JSON that shows no type of ActivityStreams in its first 64 KB is passed over unread; an import
that finds nothing of ActivityStreams says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar, Final, Literal

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.as2.items import ACTORS, KNOWN, Mapper
from demur.sources.as2.values import types
from demur.sources.base import ItemRow, Options, batches
from demur.sources.exports import LooseFile, members_at
from demur.sources.jsonstream import first_value, records
from demur.sources.sniffing import Glimpse
from demur.terms import Reason

_NAMES: Final = r"[^/]*\.(?:json|jsonld)"
_LISTS: Final = ("orderedItems", "items")
_ACTOR: Final = re.compile(rf'"type"\s*:\s*\[?\s*"(?:as:|[^"]*#)?(?:{"|".join(sorted(ACTORS))})"'.encode())
_PEEK: Final = 1 << 16  # bytes in which a collection shows how it calls its elements
_TYPED: Final = re.compile(rf'"type"\s*:\s*\[?\s*"(?:as:|[^"]*#)?(?:{"|".join(sorted(KNOWN))})"'.encode())


class ActivityStreamsOptions(Options):
    """``[sources.activitystreams]`` of ``demur.toml``."""

    default_audience: Literal["public", "unlisted", "followers", "group", "direct"] | None = None
    """The audience of objects that are addressed to nobody (no ``to``, no ``cc``); without it they are not used."""


class ActivityStreamsSource:
    """The adapter of ActivityStreams 2.0 documents."""

    reads: ClassVar[str] = "ActivityStreams 2.0: .json files, a folder or a zip of them"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'default_audience = "group", or "public" where everybody could read it',
    }
    general: ClassVar[bool] = True

    def sniff(self, seen: Glimpse) -> bool:
        """Whether a file shows a type of ActivityStreams."""
        return _TYPED.search(seen.start(_NAMES)) is not None

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read JSON files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or nothing in it is of ActivityStreams 2.0.
        """
        parsed = ActivityStreamsOptions.parse("activitystreams", options)
        mapper = Mapper(default_audience=parsed.default_audience)
        return batches(_rows(paths, mapper), mapper.actors.alike)


def _rows(paths: Sequence[str], mapper: Mapper) -> Iterator[ItemRow]:
    known = False
    with ExitStack() as stack:
        members = list(_members(paths, stack))
        meter.expect(member.size for member in members)
        for member in filter(_is_actor, members):
            for thing in things(member):
                mapper.actors.learn(thing)
        for member in members:
            for thing in things(member):
                known = known or bool(types(thing) & KNOWN)
                yield from mapper.rows(thing)
    if not known:
        raise SourceError(
            f"{', '.join(paths)}: no object of ActivityStreams 2.0 was found: give its .json files, "
            "or import a Mastodon archive with `demur import mastodon`."
        )


def things(member: Member) -> Iterator[Mapping[str, object]]:
    """The objects of one file: the elements of its collection or list, else the object that it is."""
    start = _start(member)
    listed = False
    for record in records(member, next((key for key in _LISTS if f'"{key}"'.encode() in start), _LISTS[0])):
        listed = True
        if isinstance(record.value, dict):
            yield record.value
    whole = None if listed else first_value(member)
    if isinstance(whole, dict):
        yield whole


def _members(paths: Sequence[str], stack: ExitStack) -> Iterator[Member]:
    for member in members_at(paths, _NAMES, stack):
        if isinstance(member, LooseFile) or _TYPED.search(_start(member)):
            yield member


def _is_actor(member: Member) -> bool:
    """Whether a file is an actor's own document: these are read first, so that what they wrote is known as theirs."""
    start = _start(member)
    listed = any(f'"{key}"'.encode() in start for key in _LISTS)
    return not listed and b'"preferredUsername"' in start and _ACTOR.search(start) is not None


def _start(member: Member) -> bytes:
    with member.open() as file:
        return file.peek(_PEEK)
