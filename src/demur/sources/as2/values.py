"""Reading values of ActivityStreams 2.0 (W3C): ids, accounts, addressing, dates, languages.

Invariants: a property may be missing, one value or a list, a URI or an embedded object (ActivityStreams Vocabulary,
1), and every reader here takes them all; what can't be read is null, never guessed.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
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
_HANDLE: Final = re.compile(r"(?:acct:|@)?([\w.-]+)@([\w.:-]+)", re.IGNORECASE)
"""A handle as WebFinger has it (RFC 7565), or as people write it."""
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
    """The account of ``https://host/@user`` or ``/users/user``, of what stands below it, or of ``acct:user@host``."""
    if url[:5].lower() == "acct:":
        return handle(url)
    web = _WEB.fullmatch(url)
    path = _ACTOR_PATH.fullmatch(web[2]) if web else None
    if web is None or path is None:
        return None
    return _fediverse(path[1], path[2] or web[1])


def handle(text: str) -> str | None:
    """The account that a handle names: ``user@host``, with or without ``@`` or ``acct:`` before it."""
    found = _HANDLE.fullmatch(text.strip())
    return _fediverse(found[1], found[2]) if found else None


def _fediverse(user: str, host: str) -> str:
    return f"mastodon:@{user.lower()}@{host.lower() if host.isascii() else host}"


def host_at(url: str) -> str | None:
    """The host of a web address."""
    web = _WEB.fullmatch(url)
    return web[1] if web else None


class Actors:
    """Who the actors of an export are, by their ids, and under which other accounts they were known.

    The handle is the account (``webfinger`` of FEP-2c59, an ``acct:`` URI, ``preferredUsername``), wherever its server
    and its pages are. What their addresses alone would be taken for stays known beside it, as it was before.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, str] = {}
        self.alike: dict[str, set[str]] = {}
        """Of accounts that are known by other names: these."""

    def learn(self, actor: AsObject) -> str | None:
        """Take in an actor's own document; its account."""
        account = self._named(actor)
        if account is not None:
            self._accounts.update(dict.fromkeys(_addresses(actor), account))
        return account

    def of(self, actor: object) -> str | None:
        """The account of an actor, given by id or embedded; of several, a person's before a group's."""
        embedded = [one for one in objects(actor) if "Person" in types(one)]
        for one in [*embedded, *values(actor)]:
            found = self._named(one) if isinstance(one, dict) else self._by_id(one) if isinstance(one, str) else None
            if found is not None:
                return found
        return None

    def at(self, url: str) -> str | None:
        """The account that an address names, as far as its actor is known or it says so itself."""
        return self._accounts.get(url) or account_at(url)

    def mentioned(self, tag: AsObject, host: str) -> tuple[str, ...]:
        """The accounts of a ``Mention`` tag: what its name says, completed by its link's host or ``host``.

        Two where link and name lead to hosts that have nothing to do with each other: nobody can tell whom it means.
        """
        href = string(tag.get("href"))
        name = _NAME.fullmatch(string(tag.get("name")))
        linked = self.at(href)
        if name is None or (href in self._accounts and not name[2]):
            return tuple(filter(None, [linked or (f"{NAMESPACE}:{href}" if href else None)]))
        domain = name[2] or host_of(linked) or host_at(href) or host
        named = _fediverse(name[1], domain) if domain else None
        if named is None or linked in {None, named}:
            return tuple(filter(None, [named or linked]))
        if not _related(host_of(named), host_of(linked)):
            return named, linked or ""
        self.note(named, linked)
        return (named,)

    def note(self, account: str, other: str | None) -> None:
        """Know an account by another name, too."""
        if other is not None and other != account:
            self.alike.setdefault(account, set()).add(other)

    def _by_id(self, address: str) -> str | None:
        return (self.at(address) or f"{NAMESPACE}:{address}") if address else None

    def _named(self, actor: AsObject) -> str | None:
        addresses = _addresses(actor)
        known = next((self._accounts[each] for each in addresses if each in self._accounts), None)
        shown = [account for each in addresses if (account := account_at(each))]
        said = handle(string(actor.get("webfinger"))) or next(
            (handle(each) for each in addresses if each[:5].lower() == "acct:"), None
        )
        bare = [f"{NAMESPACE}:{addresses[0]}"] if addresses else []
        account = known or said or _preferred(actor, addresses) or next(iter([*shown, *bare]), None)
        if account is not None:
            for other in shown or bare:
                self.note(account, other)
        return account


def _addresses(actor: AsObject) -> list[str]:
    """Where an actor is found: its id, its pages, what links to it."""
    named = (string(actor.get("id")), *urls(actor.get("url")), string(actor.get("href")))
    return [name for name in named if name]


def _preferred(actor: AsObject, addresses: Sequence[str]) -> str | None:
    """The handle that an actor's name and the host of its id make (ActivityPub, 4.1)."""
    user = string(actor.get("preferredUsername"))
    host = next(filter(None, map(host_at, addresses)), None)
    return _fediverse(user, host) if host and _NAME.fullmatch(f"@{user}") else None


def _related(one: str, other: str) -> bool:
    """Whether two hosts are one, or one lies below the other, as a server below the domain of its handles."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def host_of(account: str | None) -> str:
    """The host of an account of the fediverse, else nothing."""
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
