"""Instagram's "download your information", as JSON, in every layout from 2020 on.

Invariants: what the account's owner shows to followers, archived, deleted or sent directly keeps that audience;
where an export does not say whether the account is private, or who may see the post that a comment stands under,
the audience is null unless the controller states it (law 4).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Archive
from demur.sources.attached import Attached
from demur.sources.base import ItemRow, Options, batches
from demur.sources.jsonstream import records
from demur.sources.meta import instagram_flat as flat
from demur.sources.meta.common import Entry, Ids, Owner, checked, entries, labelled, nothing_found, tell_unknown
from demur.sources.meta.instagram_items import COMMENTS, SECTIONS, Context, comment_rows, profile_row, section_rows
from demur.sources.meta.labels import BIO, NAME, NO, PRIVATE, USERNAME, YES
from demur.sources.meta.messages import message_files, message_rows
from demur.sources.sniffing import Glimpse
from demur.terms import Reason

_PERSONAL = r"personal_information/(?:personal|account)_information\.json"
_TELLING = (
    r"your_instagram_activity/.+",
    r"followers_and_following/.+",
    r"(?:content|media)/(?:posts_\d+|stories|reels)\.json",
    r"post_comments(?:_\d+)?\.json",
)
_EXPECTED = "posts_1.json, stories.json, post_comments_1.json or media.json"


class InstagramOptions(Options):
    """``[sources.instagram]`` of ``demur.toml``."""

    account_audience: Literal["public", "followers"] | None = None
    """Who sees the account's posts, where the export does not say whether the account is private."""

    comments_audience: Literal["public", "followers"] | None = None
    """Who sees the comments: it depends on the account they stand under, which no export tells."""


class InstagramSource:
    """Reads one person's export."""

    reads: ClassVar[str] = "an account's export of Instagram, as JSON: the zip or its folder"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'account_audience and comments_audience = "followers", or "public"',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether there is a file that only Instagram's exports have."""
        return any(map(seen.named, _TELLING)) or b'"taken_at"' in seen.start(r"media\.json")

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read one export as batches of items; see :class:`demur.sources.base.Source`."""
        chosen = InstagramOptions.parse("instagram", options)
        with Archive(paths) as archive:
            yield from batches(_rows(archive, chosen))

    def pictures(self, paths: Sequence[str], options: Mapping[str, object]) -> Attached:  # noqa: ARG002  # the protocol's
        """The files of the export; see :class:`demur.sources.base.Pictured`."""
        return Attached(paths)


def _rows(archive: Archive, options: InstagramOptions) -> Iterator[ItemRow]:
    sections = [(member, section) for section in SECTIONS for member in archive.find(section.pattern)]
    comments, messages, old = archive.find(COMMENTS), message_files(archive), flat.files(archive)
    files = {member.name: member for member in (*(each for each, _ in sections), *comments, *messages, *old)}
    meter.expect(member.size for member in files.values())
    if not (sections or comments or messages or old):
        raise nothing_found(archive, "Instagram", _EXPECTED)
    owner, biography = _owner(archive)
    known = {True: "followers", False: "public", None: options.account_audience}[owner.private]
    context = Context(owner, Ids("instagram", owner.account), known, options.comments_audience)
    if biography:
        yield profile_row(biography, context)
    yield from flat.rows(old, context)
    for member, section in sections:
        yield from section_rows(member, section, context)
    for member in comments:
        yield from comment_rows(member, context)
    for member in messages:
        yield from message_rows(member, "instagram", owner, context.ids)


def _owner(archive: Archive) -> tuple[Owner, str | None]:
    """The owner of the export and their biography.

    Raises:
        SourceError: when the paths hold the exports of two accounts: what is whose could not be told.
    """
    found: list[Entry] = []
    for member in archive.find(_PERSONAL):
        found += [entry for record in records(member) for entry in entries(checked(record))]
    for member in archive.find(flat.PROFILE):
        found += flat.profile(member)
    names = {entry.value.casefold() for entry in found if entry.value and entry.label in USERNAME}
    if len(names) > 1:
        raise SourceError(f"{archive.label} holds the exports of {len(names)} accounts: import each by itself.")
    if not names:
        tell_unknown(found, "the account's user name", archive.label)
    account = f"instagram:{names.pop()}" if names else None
    return Owner(account, labelled(found, NAME), _private(found)), labelled(found, BIO)


def _private(found: Sequence[Entry]) -> bool | None:
    said = (labelled(found, PRIVATE) or "").casefold()
    if said in YES:
        return True
    return False if said in NO else None
