"""A Mastodon archive: ``actor.json`` and ``outbox.json``, in a zip or the folder it was unpacked to.

Invariants: every post and boost of the outbox is one item with its true audience, direct messages included (the
door leaves them out); what an account boosted or wrote is told apart; the outbox is read post by post, so that
memory does not grow with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Archive, Member
from demur.sources.as2.items import ACTORS, Mapper
from demur.sources.as2.values import Actors, AsObject, identifier, types
from demur.sources.base import ItemRow, Options, batches
from demur.sources.jsonstream import first_value, records
from demur.sources.limits import MIB

_OUTBOX: Final = r"outbox\.json"
_ACTOR: Final = r"actor\.json"


class MastodonOptions(Options):
    """``[sources.mastodon]`` of ``demur.toml``: there is nothing to choose."""


class MastodonSource:
    """The adapter of Mastodon's account archives."""

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read archives, each a zip or a folder, as batches of items.

        Raises:
            SourceError: when an archive is broken, or is none of Mastodon.
        """
        MastodonOptions.parse("mastodon", options)
        actors = Actors()
        meter.expect(map(_size, paths))
        return batches((row for path in paths for row in _archive(path, actors)), actors.alike)


def _archive(path: str, actors: Actors) -> Iterator[ItemRow]:
    with Archive([path]) as archive:
        outboxes = archive.find(_OUTBOX)
        if not outboxes:
            raise SourceError(f"{path}: there is no outbox.json: give the archive that Mastodon lets you download.")
        meter.weigh(_size(path), sum(outbox.size for outbox in outboxes))
        documents = {_folder(member): member for member in archive.find(_ACTOR)}
        for outbox in outboxes:
            owner = _owner(documents.get(_folder(outbox)), outbox)
            actors.learn(owner)
            mapper = Mapper(actors)
            yield from mapper.rows(owner)
            for record in records(outbox, "orderedItems"):
                if not isinstance(record.value, dict):
                    raise SourceError(f"{record.where} is no activity: download the archive again.")
                yield from mapper.rows(record.value)


def _size(path: str) -> int:
    """What an archive weighs among others, before it is opened: as its zip does, which holds pictures besides."""
    return Path(path).stat().st_size if Path(path).is_file() else MIB


def _folder(member: Member) -> str:
    return member.name.rpartition("/")[0]


def _owner(member: Member | None, outbox: Member) -> AsObject:
    """Whose archive it is.

    Raises:
        SourceError: when ``actor.json`` is missing or describes nobody.
    """
    if member is None:
        raise SourceError(f"{outbox.where}: there is no actor.json beside it: download the archive again.")
    owner = first_value(member)
    if not isinstance(owner, dict) or not types(owner) & ACTORS or not identifier(owner):
        raise SourceError(f"{member.where} describes no account: download the archive again.")
    return owner
