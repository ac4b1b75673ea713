"""A Mastodon archive: ``actor.json`` and ``outbox.json``, in a zip, a tar or a folder; or an outbox by itself.

Invariants: every post and boost of the outbox is one item with its true audience, direct messages included (the
door leaves them out); what an account boosted or wrote is told apart; the outbox is read post by post, so that
memory does not grow with it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Final

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.as2.items import ACTORS, Mapper
from demur.sources.as2.values import Actors, AsObject, identifier, types
from demur.sources.attached import Attached
from demur.sources.base import ItemRow, Options, batches
from demur.sources.exports import LooseFile, members_at
from demur.sources.jsonstream import first_value, records
from demur.sources.limits import MIB
from demur.sources.sniffing import Glimpse

_OUTBOX: Final = r"outbox\.json(?:\.(?:gz|bz2|zst))?"
_IS_OUTBOX: Final = re.compile(rf"(?:.*/)?{_OUTBOX}", re.IGNORECASE)
_ACTOR: Final = r"actor\.json"


class MastodonOptions(Options):
    """``[sources.mastodon]`` of ``demur.toml``: there is nothing to choose."""


class MastodonSource:
    """The adapter of Mastodon's account archives."""

    reads: ClassVar[str] = "an account's archive of Mastodon: the zip or .tar.gz, its folder, or its outbox.json alone"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether there is an outbox, and whose it is where it is not alone."""
        return seen.has(_OUTBOX) and (seen.alone or seen.has(_ACTOR))

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read archives, each a zip, a packed tar, a folder or a bare outbox, as batches of items.

        Raises:
            SourceError: when an archive is broken, or is none of Mastodon.
        """
        MastodonOptions.parse("mastodon", options)
        actors = Actors()
        meter.expect(map(_size, paths))
        return batches((row for path in paths for row in _archive(path, actors)), actors.alike)

    def pictures(self, paths: Sequence[str], options: Mapping[str, object]) -> Attached:  # noqa: ARG002  # the protocol's
        """The files of the archives; see :class:`demur.sources.base.Pictured`."""
        return Attached(paths)


def _archive(path: str, actors: Actors) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = members_at([path], f"{_OUTBOX}|{_ACTOR}", stack)
        outboxes = [member for member in members if _IS_OUTBOX.fullmatch(member.name)]
        if not outboxes:
            raise SourceError(f"{path}: there is no outbox.json: give the archive that Mastodon lets you download.")
        meter.weigh(_size(path), sum(outbox.size for outbox in outboxes))
        documents = {_folder(member): member for member in members if member not in outboxes}
        for outbox in outboxes:
            mapper = Mapper(actors)
            if not isinstance(outbox, LooseFile):
                owner = _owner(documents.get(_folder(outbox)), outbox)
                actors.learn(owner)
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
