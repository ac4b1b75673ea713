"""ActivityStreams activities and objects become items.

Invariants: an object that somebody wrote is one item, whichever activity it comes in; an ``Announce`` is an item of
who announces, and passes on in a reshare span what another wrote; words whose author the document does not name
are never passed on; undone and deleted things are items too, so that an earlier reading of them goes. Activities
that say nothing (likes, follows, answers to invitations) are no content.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from demur.sources.as2.text import text_of
from demur.sources.as2.values import (
    NAMESPACE,
    Actors,
    AsObject,
    audience_of,
    host_of,
    identifier,
    language_of,
    media_of,
    objects,
    published,
    string,
    types,
    urls,
    values,
)
from demur.sources.base import ItemRow, Media
from demur.sources.html import to_text
from demur.sources.text import Span
from demur.terms import Audience, Kind, Role

CONTENT: Final = frozenset({"Article", "Audio", "Document", "Event", "Image", "Note", "Page", "Question", "Video"})
ACTORS: Final = frozenset({"Application", "Group", "Organization", "Person", "Service"})
COLLECTIONS: Final = frozenset({"Collection", "CollectionPage", "OrderedCollection", "OrderedCollectionPage"})
WRAPPERS: Final = frozenset({"Create", "Update"})
SILENT: Final = frozenset(
    re.findall(
        r"\w+",
        "Accept Add Arrive Block Dislike EmojiReact Flag Follow Ignore Invite Join Leave Like Listen Move Offer Read "
        "Reject Remove TentativeAccept TentativeReject Travel View",
    )
)
"""Activities that publish no words (Activity Vocabulary, 3.1; ``EmojiReact`` is Pleroma's)."""

KNOWN: Final = CONTENT | ACTORS | COLLECTIONS | WRAPPERS | SILENT | {"Announce", "Undo", "Delete", "Tombstone"}

_DEPTH: Final = 16  # a collection in a collection in a wrapper ...: deeper is no export
_LISTS: Final = ("items", "orderedItems", "first", "next")
_PLAYED: Final = ("audio/", "image/", "video/")


class Mapper:
    """Maps the objects of one export."""

    def __init__(self, actors: Actors | None = None, default_audience: str | None = None) -> None:
        """Know who the export's actors are, and the audience of what is addressed to nobody."""
        self.actors = actors or Actors()
        self._default_audience = default_audience

    def rows(self, thing: object, wrapper: AsObject | None = None, depth: int = 0) -> Iterator[ItemRow]:
        """The items of an object or activity; ``wrapper`` is the activity around it."""
        if not isinstance(thing, dict) or depth > _DEPTH:
            return
        kinds = types(thing)
        if kinds & COLLECTIONS:
            listed = (one for key in _LISTS for one in values(thing.get(key)))
            yield from (row for one in listed for row in self.rows(one, None, depth + 1))
        elif kinds & WRAPPERS:
            for one in values(thing.get("object")):
                yield from self._bare(one, thing) if isinstance(one, str) else self.rows(one, thing, depth + 1)
        elif kinds & {"Undo", "Delete"}:
            yield from self._undone(thing)
        elif kinds & ACTORS:
            yield from self._profile(thing)
        else:
            yield from self._item(thing, wrapper or {}, kinds)

    def _item(self, thing: AsObject, wrapper: AsObject, kinds: set[str]) -> Iterator[ItemRow]:
        if "Announce" in kinds:
            yield self._reshare(thing)
        elif "Tombstone" in kinds:
            yield self._gone(thing, wrapper)
        elif kinds & CONTENT:
            yield self._written(thing, wrapper, kinds)

    def _written(self, thing: AsObject, wrapper: AsObject, kinds: set[str]) -> ItemRow:
        author = self._author(thing) or self._account(wrapper.get("actor"))
        text, spans = text_of(thing, host_of(author), self.actors)
        audience = audience_of(thing, wrapper) or self._default_audience
        parent = identifier(thing.get("inReplyTo"))
        thread = identifier(thing.get("conversation")) or identifier(thing.get("context"))
        return ItemRow(
            item=_named(thing),
            author=author,
            kind=_kind(kinds, audience, answers=parent is not None),
            audience=audience,
            created=published(thing) or published(wrapper),
            language=language_of(thing),
            text=text,
            spans=spans,
            parent=parent and f"{NAMESPACE}:{parent}",
            thread=thread and f"{NAMESPACE}:{thread}",
            media=[*_own_media(thing, kinds), *media_of(thing)],
        )

    def _bare(self, uri: str, wrapper: AsObject) -> Iterator[ItemRow]:
        """An object that is only named: it is accounted for, though its words are not here."""
        author = self._account(wrapper.get("actor"))
        audience = audience_of(wrapper, {}) or self._default_audience
        yield ItemRow(f"{NAMESPACE}:{uri}", author, Kind.POST, audience, created=published(wrapper))

    def _reshare(self, thing: AsObject) -> ItemRow:
        original = identifier(thing.get("object"))
        passed_on = next(objects(thing.get("object")), {"id": original})
        wrote = self._author(passed_on)
        text, spans = text_of(passed_on, host_of(wrote), self.actors) if wrote else ("", [])
        return ItemRow(
            item=_named(thing),
            author=self._account(thing.get("actor")),
            kind=Kind.POST,
            audience=audience_of(thing, {}) or self._default_audience,
            created=published(thing),
            language=language_of(passed_on),
            text=text,
            spans=[Span(0, len(text), Role.RESHARE, wrote), *spans],
            parent=original and f"{NAMESPACE}:{original}",
            media=media_of(passed_on) if wrote else [],
        )

    def _undone(self, thing: AsObject) -> Iterator[ItemRow]:
        for one in values(thing.get("object")):
            if isinstance(one, str):
                yield self._gone({"id": one}, thing)
            elif isinstance(one, dict) and not types(one) & SILENT:
                inner = values(one.get("object")) if types(one) & WRAPPERS else [one]
                for undone in inner:
                    yield self._gone(undone if isinstance(undone, dict) else {"id": undone}, thing)

    def _gone(self, thing: AsObject, wrapper: AsObject) -> ItemRow:
        author = self._author(thing) or self._account(thing.get("actor")) or self._account(wrapper.get("actor"))
        return ItemRow(_named(thing), author, None, None, deleted=True)

    def _profile(self, thing: AsObject) -> Iterator[ItemRow]:
        """What a person says of themselves; an actor without a word is no content."""
        text, spans = to_text(string(thing.get("summary")), lambda link: self.actors.at(link.href))
        if text:
            account = self._account(thing)
            yield ItemRow(_named(thing), account, Kind.PROFILE, Audience.PUBLIC, text=text, spans=spans)

    def _author(self, thing: AsObject) -> str | None:
        """Who wrote an object: who it is attributed to, else whose page its id or URL stands under."""
        named = (self.actors.at(url) for url in (string(thing.get("id")), *urls(thing.get("url"))))
        return self._account(thing.get("attributedTo")) or next(filter(None, named), None)

    def _account(self, actor: object) -> str | None:
        return self.actors.of(actor)


def _kind(kinds: set[str], audience: str | None, *, answers: bool) -> Kind:
    if audience == Audience.DIRECT:
        return Kind.MESSAGE
    if "Image" in kinds:
        return Kind.PHOTO
    return Kind.COMMENT if answers else Kind.POST


def _own_media(thing: AsObject, kinds: set[str]) -> list[Media]:
    """The file that a picture, sound or video is; of its links, the first that can be seen or heard."""
    if not kinds & {"Audio", "Document", "Image", "Video"}:
        return []
    links = [(string(one.get("mediaType")), one) for one in objects(thing.get("url"))]
    played = [Media(url, kind) for kind, one in links if kind.startswith(_PLAYED) for url in urls(one)]
    kind = string(thing.get("mediaType"))
    shown = [Media(url, kind if kind.startswith(_PLAYED) else None) for url in urls(thing.get("url"))]
    return (played or shown)[:1]


def _named(thing: AsObject) -> str:
    """The item id of an object; one without id or URL is named by what it says, so that it is so again."""
    known = identifier(thing)
    if known is None:
        telling: Any = thing
        if "object" in thing:
            telling = [sorted(types(thing)), *(identifier(thing.get(key)) for key in ("actor", "object"))]
        canonical = json.dumps(telling, sort_keys=True, ensure_ascii=True, default=str)
        known = f"urn:sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
    return f"{NAMESPACE}:{known}"
