"""Reading values of ActivityStreams 2.0 (W3C): ids, accounts, addressing, dates, languages.

Invariants: a property may be missing, one value or a list, a URI or an embedded object (ActivityStreams Vocabulary,
1), and every reader here takes them all; what can't be read is null, never guessed.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from demur.sources.base import Media
from demur.terms import Audience

AsObject: TypeAlias = Mapping[str, Any]

NAMESPACE: Final = "activitypub"
"""Of item ids: an object has one id whatever software exported it."""

PUBLIC: Final = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
"""The collection everybody belongs to (ActivityPub, 5.6)."""

_ACTOR_PATH: Final = re.compile(r"/(?:@|users/)([\w.-]+)(?:@([\w.:-]+))?(?:/.*)?", re.ASCII)
_WEB: Final = re.compile(r"https?://(?:[^/@?#]*@)?([^/?#]+)([^?#]*)", re.IGNORECASE)
_NAME: Final = re.compile(r"@([\w.-]+)(?:@([\w.:-]+))?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def values(value: object) -> list[Any]:
    """A property as a list of its values."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def objects(value: object) -> Iterator[AsObject]:
    """The embedded objects among a property's values."""
    return (one for one in values(value) if isinstance(one, dict))


def types(thing: AsObject) -> set[str]:
    """The types of an object, without the namespace of the vocabulary."""
    return {one.rpartition("#")[2].removeprefix("as:") for one in values(thing.get("type")) if isinstance(one, str)}


def string(value: object) -> str:
    """A property that is one string; anything else counts as missing."""
    return value if isinstance(value, str) else ""


def urls(value: object) -> list[str]:
    """The URLs of a ``url`` property: strings, or links with ``href``."""
    found = (one.get("href") or one.get("url") if isinstance(one, dict) else one for one in values(value))
    return [one for one in found if isinstance(one, str) and one]


def identifier(value: object) -> str | None:
    """The id of an object, given by id or embedded: its ``id``, else its first URL."""
    for one in values(value):
        if isinstance(one, str) and one:
            return one
        if isinstance(one, dict):
            found = string(one.get("id")) or next(iter(urls(one.get("url"))), "") or string(one.get("href"))
            if found:
                return found
    return None


def account_at(url: str) -> str | None:
    """The account that a URL names: ``https://host/@user`` or ``/users/user``, and what stands below them."""
    web = _WEB.fullmatch(url)
    path = _ACTOR_PATH.fullmatch(web[2]) if web else None
    if web is None or path is None:
        return None
    return f"mastodon:@{path[1]}@{path[2] or web[1]}".lower()


def host_at(url: str) -> str | None:
    """The host of a web address."""
    web = _WEB.fullmatch(url)
    return web[1] if web else None


def account_of(actor: object) -> str | None:
    """The account of an actor, given by id or embedded; of several, a person's before a group's."""
    embedded = [one for one in objects(actor) if "Person" in types(one)]
    for one in [*embedded, *values(actor)]:
        named = (
            [string(one.get("id")), *urls(one.get("url")), string(one.get("href"))] if isinstance(one, dict) else [one]
        )
        known = [name for name in named if isinstance(name, str) and name]
        for name in known:
            if account := account_at(name):
                return account
        if known:
            return f"{NAMESPACE}:{known[0]}"
    return None


def mentioned(tag: AsObject, host: str) -> str | None:
    """The account of a ``Mention`` tag: what its link names, else its name, completed by the link's host."""
    href = string(tag.get("href"))
    if account := account_at(href):
        return account
    name = _NAME.fullmatch(string(tag.get("name")))
    if name and (domain := name[2] or host_at(href) or host):
        return f"mastodon:@{name[1]}@{domain}".lower()
    return f"{NAMESPACE}:{href}" if href else None


def host_of(account: str | None) -> str:
    """The host of a Mastodon account, else nothing."""
    return account.rpartition("@")[2] if account and account.startswith("mastodon:") else ""


def audience_of(thing: AsObject, wrapper: AsObject) -> Audience | None:
    """Who an object is addressed to (ActivityPub, 5.6; Mastodon's four visibilities); None if it does not say.

    An object that has no ``to`` and no ``cc`` is addressed as the activity around it is.
    """
    spoken = next((one for one in (thing, wrapper) if "to" in one or "cc" in one), None)
    if spoken is None:
        return None
    to, cc = ({identifier(one) for one in values(spoken.get(key))} for key in ("to", "cc"))
    if to & PUBLIC:
        return Audience.PUBLIC
    if cc & PUBLIC:
        return Audience.UNLISTED
    if any(one and one.rstrip("/").endswith("/followers") for one in to | cc):
        return Audience.FOLLOWERS
    return Audience.DIRECT


def published(thing: AsObject) -> int | None:
    """When an object was published, microseconds since 1970-01-01 UTC; without an offset it is read as UTC."""
    with contextlib.suppress(ValueError, OverflowError):  # xsd:dateTime; what is none is an unknown date
        moment = datetime.fromisoformat(string(thing.get("published")))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(microseconds=1)
    return None


def language_of(thing: AsObject) -> str | None:
    """The language of an object's content, BCP 47, where ``contentMap`` names one for it."""
    by_language = thing.get("contentMap")
    if not isinstance(by_language, dict):
        return None
    content = thing.get("content")
    named = [key for key, value in by_language.items() if value == content] or list(by_language)
    return named[0] if len(named) == 1 and named[0] != "und" else None


def content_of(thing: AsObject) -> str:
    """The content of an object, in its first language where ``contentMap`` holds several."""
    by_language = thing.get("contentMap")
    mapped = by_language.values() if isinstance(by_language, dict) else ()
    return string(thing.get("content")) or next((one for one in mapped if isinstance(one, str)), "")


def media_of(thing: AsObject) -> list[Media]:
    """The pictures, sounds and videos of an object, each once, with their descriptions."""
    found: dict[str, Media] = {}
    for one in [*values(thing.get("attachment")), *values(thing.get("image"))]:
        described = one if isinstance(one, dict) else {}
        places = urls(described.get("url")) or urls(one)
        if places and "PropertyValue" not in types(described):
            alt = string(described.get("name")) or string(described.get("summary"))
            kind = string(described.get("mediaType"))
            found.setdefault(places[0], Media(places[0], kind or None, alt or None))
    return list(found.values())
