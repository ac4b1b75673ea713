"""Statuses that Pixelfed exports for an account: ``pixelfed-statuses.json``, a list of statuses as its API has them.

``ExportSettings.php`` of Pixelfed writes the file, ``Transformer/Api/StatusTransformer.php`` each status in it.

Invariants: a status is one item with its true audience, and the id that ActivityPub gives it; its author is the account
that it names; whoever it mentions, tags or passes on has a span, an empty one where the text does not show them. The
file is read status by status, so that memory does not grow with it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar, Final

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.as2.text import text_of
from demur.sources.as2.values import NAMESPACE, Actors, AsObject, handle, host_at, objects, published, string
from demur.sources.base import ItemRow, Media, Options, batches
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record, records
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span
from demur.terms import Audience, Kind, Role

_FILES: Final = r"[^/]*statuses[^/]*\.json(?:\.(?:gz|bz2|zst))?"
_SIGNS: Final = (b'"pf_type"', b'"visibility"')
_TAG: Final = re.compile(r"<[a-zA-Z/]")
_AUDIENCES: Final[Mapping[str, Audience]] = {
    "public": Audience.PUBLIC,
    "unlisted": Audience.UNLISTED,
    "private": Audience.FOLLOWERS,
    "direct": Audience.DIRECT,
    "draft": Audience.DIRECT,  # only its author sees these two
    "archived": Audience.DIRECT,
}
_SHARE: Final = "share"


class PixelfedOptions(Options):
    """``[sources.pixelfed]`` of ``demur.toml``: there is nothing to choose."""


class PixelfedSource:
    """The adapter of Pixelfed's exported statuses."""

    reads: ClassVar[str] = "statuses of Pixelfed, as an account exports them: pixelfed-statuses.json"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether the first file has statuses as Pixelfed writes them."""
        start = seen.start(r".*" if seen.alone else _FILES)
        return all(sign in start for sign in _SIGNS)

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or holds no statuses.
        """
        PixelfedOptions.parse("pixelfed", options)
        actors = Actors()
        return batches(_rows(paths, actors), actors.alike)


def _rows(paths: Sequence[str], actors: Actors) -> Iterator[ItemRow]:
    with ExitStack() as stack:
        members = members_at(paths, _FILES, stack)
        if not members:
            raise SourceError(f"{', '.join(paths)}: there is no pixelfed-statuses.json: give what Pixelfed exports.")
        meter.expect(member.size for member in members)
        for member in members:
            for record in records(member):
                yield _item(record, actors)


def _item(record: Record, actors: Actors) -> ItemRow:
    status, where = record
    address = _address(status) if isinstance(status, dict) else ""
    host = host_at(address)
    if host is None or "visibility" not in status:
        raise SourceError(f"{where} is no status of Pixelfed: give the pixelfed-statuses.json that it exports.")
    text, spans = _text(status, host, actors)
    audience = _AUDIENCES.get(string(status["visibility"]))
    parent = _parent(status, address, host)
    return ItemRow(
        item=f"{NAMESPACE}:{address}",
        author=_account(status.get("account"), host),
        kind=_kind(status, answers=parent is not None),
        audience=audience,
        created=published({"published": status.get("created_at")}),
        language=string(status.get("language")) or None,
        text=text,
        spans=spans,
        parent=parent,
        media=_media(status, host),
    )


def _address(status: AsObject) -> str:
    return string(status.get("uri")) or string(status.get("url"))


def _kind(status: AsObject, *, answers: bool) -> Kind:
    if status["visibility"] == "direct":
        return Kind.MESSAGE
    if string(status.get("pf_type")).startswith("story"):
        return Kind.STORY
    return Kind.COMMENT if answers else Kind.POST


def _text(status: AsObject, host: str, actors: Actors) -> tuple[str, list[Span]]:
    """The text of a status and its spans; of one that is a share, what it shows of somebody else's."""
    text, spans = text_of(_as_object(status, host), host, actors)
    if not _media(status, host):
        spans += [Span(0, 0, Role.TAG, account) for account in _tagged(status, host)]
    shared = status.get("reblog")
    if not isinstance(shared, dict):
        passed_on = [Span(0, 0, Role.RESHARE, None)] if status.get("pf_type") == _SHARE else []
        return text, [*passed_on, *spans]
    wrote = _account(shared.get("account"), host)
    text, spans = text_of(_as_object(shared, host), host, actors) if wrote else ("", [])
    return text, [Span(0, len(text), Role.RESHARE, wrote), *spans]


def _as_object(status: AsObject, host: str) -> AsObject:
    """A status as the ActivityStreams object that it is, as far as its text goes."""
    content = string(status.get("content")) or string(status.get("content_text"))
    poll = status.get("poll")
    mentions = [(one, _account(one, host)) for one in objects(status.get("mentions"))]
    return {
        "id": _address(status),
        "summary": string(status.get("spoiler_text")),
        "content": content if _TAG.search(content) else content.replace("\n", "<br>"),
        "oneOf": [{"name": one.get("title")} for one in objects(poll.get("options"))] if isinstance(poll, dict) else [],
        "tag": [
            {"type": "Mention", "href": one.get("url"), "name": account.partition(":")[2]}
            for one, account in mentions
            if account
        ],
    }


def _parent(status: AsObject, address: str, host: str) -> str | None:
    """What a status answers: by its address where it is one's own, else by its number at the server."""
    answered = _number(status.get("in_reply_to_id"))
    account = status.get("account")
    if not answered:
        return None
    own = isinstance(account, dict) and _number(account.get("id")) == _number(status.get("in_reply_to_account_id"))
    return f"{NAMESPACE}:{address.rpartition('/')[0]}/{answered}" if own else f"pixelfed:{host}/{answered}"


def _number(given: object) -> str:
    return str(given) if type(given) is int else string(given)


def _account(account: object, host: str) -> str | None:
    """The account of ``acct``, ``name`` at the server itself and ``name@host`` of others."""
    if not isinstance(account, dict):
        return None
    name = string(account.get("acct")) or string(account.get("username"))
    return handle(name if "@" in name.removeprefix("@") else f"{name}@{host}")


def _tagged(status: AsObject, host: str) -> list[str]:
    """The people who are tagged in the pictures."""
    return [account for one in objects(status.get("taggedPeople")) if (account := _account(one, host))]


def _media(status: AsObject, host: str) -> list[Media]:
    tagged = _tagged(status, host)
    return [
        Media(url, string(one.get("mime")) or None, string(one.get("description")) or None, tagged)
        for one in objects(status.get("media_attachments"))
        if (url := string(one.get("url")))
    ]
