"""Facebook's "download your information", as JSON, in every layout since 2018.

Invariants: an export seldom says who may see a post, so the audience is null unless a label says it or the
controller states it (law 4); whoever an export calls by name only is an account in the namespace
``facebook-name``, which matches no member but one whose name was linked to them as such.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Archive
from demur.sources.attached import Attached
from demur.sources.base import ItemRow, Options, batches
from demur.sources.jsonstream import records
from demur.sources.meta.common import Ids, Owner, checked, entries, joined, labelled, nothing_found, tell_unknown
from demur.sources.meta.facebook_items import COMMENTS, SECTIONS, Context, album_rows, comment_rows, section_rows
from demur.sources.meta.labels import BIO, NAME, PROFILE_LINK, USERNAME
from demur.sources.meta.messages import message_files, message_rows
from demur.sources.sniffing import Glimpse
from demur.terms import Kind, Reason

_PROFILE: Final = r"profile_information\.json"
_ALBUMS: Final = r"album/\d+\.json"
_TELLING: Final = (
    r"your_facebook_activity/.+",
    r"your_activity_across_facebook/.+",
    r"comments_and_reactions/.+",
    r"posts/your_posts[^/]*\.json",
    r"profile_information\.json",
)
_EXPECTED: Final = "posts/your_posts_1.json, comments.json or message_1.json"
_PROFILE_ADDRESS: Final = re.compile(
    r"https?://(?:[\w-]+\.)?facebook\.com/(?:profile\.php\?id=(\d+)|([A-Za-z0-9.]{2,}))/?(?:[?#].*)?"
)

_Audience = Literal["public", "followers"]


class FacebookOptions(Options):
    """``[sources.facebook]`` of ``demur.toml``: who sees what, where the export does not say."""

    posts_audience: _Audience | None = None
    """Who sees the posts, photos, albums and notes on the owner's own profile."""

    comments_audience: _Audience | None = None
    """Who sees the comments outside groups: it depends on what they stand under, which no export tells."""

    pages_audience: _Audience | None = None
    """Who sees the posts of the owner's pages: everybody, unless a page is not published."""

    profile_audience: _Audience | None = None
    """Who sees the biography."""


class FacebookSource:
    """Reads one person's export."""

    reads: ClassVar[str] = "an account's export of Facebook, as JSON: the zip or its folder"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'posts_audience, comments_audience, pages_audience, profile_audience = "public"',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether there is a file that only Facebook's exports have."""
        return any(map(seen.named, _TELLING))

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read one export as batches of items; see :class:`demur.sources.base.Source`."""
        chosen = FacebookOptions.parse("facebook", options)
        with Archive(paths) as archive:
            yield from batches(_rows(archive, chosen))

    def pictures(self, paths: Sequence[str], options: Mapping[str, object]) -> Attached:  # noqa: ARG002  # the protocol's
        """The files of the export; see :class:`demur.sources.base.Pictured`."""
        return Attached(paths)


def _rows(archive: Archive, options: FacebookOptions) -> Iterator[ItemRow]:
    sections = [(member, section) for section in SECTIONS for member in archive.find(section.pattern)]
    albums, messages = archive.find(_ALBUMS), message_files(archive)
    comments = archive.find(COMMENTS)
    files = {member.name: member for member in (*(each for each, _ in sections), *comments, *messages, *albums)}
    meter.expect(member.size for member in files.values())
    if not (sections or albums or comments or messages):
        raise nothing_found(archive, "Facebook", _EXPECTED)
    owner, biography = _owner(archive)
    context = Context(owner, Ids("facebook", owner.account), options.model_dump())
    if biography:
        yield _profile_row(biography, context)
    for member in albums:
        yield from album_rows(member, context)
    for member, section in sections:
        yield from section_rows(member, section, context)
    for member in comments:
        yield from comment_rows(member, context)
    for member in messages:
        yield from message_rows(member, "facebook", owner, context.ids)


def _profile_row(biography: str, context: Context) -> ItemRow:
    account = context.owner.account
    return ItemRow(
        item=context.ids.of("profile"),
        author=account,
        kind=Kind.PROFILE,
        audience=context.audiences["profile_audience"],
        text=biography,
    )


def _owner(archive: Archive) -> tuple[Owner, str | None]:
    """The owner of the export and their biography.

    Raises:
        SourceError: when the paths hold the exports of two accounts: what is whose could not be told.
    """
    profiles = [_profile(checked(record)) for member in archive.find(_PROFILE) for record in records(member)]
    accounts = {owner.account for owner, _ in profiles if owner.account is not None}
    if len(accounts) > 1:
        raise SourceError(f"{archive.label} holds the exports of {len(accounts)} accounts: import each by itself.")
    name = next((owner.name for owner, _ in profiles if owner.name), None)
    return Owner(next(iter(accounts), None), name), next((bio for _, bio in profiles if bio), None)


def _profile(value: dict[str, Any]) -> tuple[Owner, str | None]:
    """Owner and biography, from ``profile_v2`` or, since 2025, from labelled values."""
    profile = next((one for one in value.values() if isinstance(one, dict)), {})
    found = entries(value)
    links = [profile.get("profile_uri"), *(one.link or one.value for one in found if one.label in PROFILE_LINK)]
    username = _text(profile.get("username")) or labelled(found, USERNAME)
    if not (profile or username):
        tell_unknown(found, "the account's user name", "profile_information.json")
    account = username or next((name for link in links if (name := _from_link(_text(link)))), None)
    name = profile.get("name")
    full = _text(name.get("full_name")) if isinstance(name, dict) else labelled(found, NAME)
    owner = Owner(None if account is None else f"facebook:{account.casefold()}", full)
    return owner, joined(_text(profile.get("about_me")), _bio(profile), labelled(found, BIO))


def _bio(profile: Mapping[str, Any]) -> str | None:
    bio = profile.get("intro_bio") or profile.get("bio")
    return _text(bio.get("name")) if isinstance(bio, dict) else _text(bio)


def _from_link(link: str | None) -> str | None:
    hit = _PROFILE_ADDRESS.fullmatch(link or "")
    return (hit[1] or hit[2]) if hit else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
