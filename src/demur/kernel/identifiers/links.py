"""Profile URLs: web addresses whose path names an account, with or without a scheme.

A post's address below a profile names the account as well and is one hit with it; so is a repository's. On hosts
that are not listed, the forms of the fediverse (``/@ann``, ``/users/ann``) and of forums (``/u/ann``, ``/user/ann``)
name an account ``mastodon:@ann@host`` or ``forum:ann@host``, also below folders (``/en/users/ann``); ``/users/12``
is somebody's page without a host, too. What the policy declares goes before all of these.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from demur.characters import UNSPACED
from demur.identity import canonical
from demur.kernel.identifiers.hits import Category, Hit
from demur.kernel.identifiers.letters import SPACED
from demur.patterns import lazily

_WORD: Final = rf"(?:[{SPACED}.-]+|[{UNSPACED}][{SPACED}{UNSPACED}.-]*)"
"""A name in an address as people write and browsers show it: in any script (RFC 3987)."""
_NAME: Final = rf"@?(?P<name>{_WORD})"
_SITES: Final = {
    "bsky.app": ("bluesky", r"profile/(?P<name>[\w.:-]+)"),
    "discord.com": ("discord", r"users/(?P<id>\d+)"),
    "discordapp.com": ("discord", r"users/(?P<id>\d+)"),
    "facebook.com": (
        "facebook",
        r"(?:profile\.php\?(?:[\w=&%.-]*&)?id=(?P<id>\d+)|(?:people|pages)/[^/\s\[\]]+/(?P<page>\d+)|(?:pg/)?"
        + _NAME
        + ")",
    ),
    "fb.com": ("facebook", _NAME),
    "github.com": ("github", _NAME),
    "instagr.am": ("instagram", _NAME),
    "instagram.com": ("instagram", r"(?:stories/|_u/)?" + _NAME),
    "linkedin.com": ("linkedin", r"(?:in|pub)/(?P<name>[^\s/?#\[\]<>\"()]+)"),
    "medium.com": ("medium", _NAME),
    "ok.ru": ("ok", r"(?:profile/)?" + _NAME),
    "pinterest.com": ("pinterest", _NAME),
    "reddit.com": ("reddit", r"(?:u|user)/(?P<name>[\w-]+)"),
    "snapchat.com": ("snapchat", r"add/" + _NAME),
    "soundcloud.com": ("soundcloud", _NAME),
    "t.me": ("telegram", r"(?:s/)?" + _NAME),
    "telegram.me": ("telegram", _NAME),
    "threads.com": ("threads", r"@(?P<name>[\w.]+)"),
    "threads.net": ("threads", r"@(?P<name>[\w.]+)"),
    "tiktok.com": ("tiktok", r"@(?P<name>[\w.]+)"),
    "twitch.tv": ("twitch", _NAME),
    "twitter.com": ("x", _NAME),
    "vk.com": ("vk", _NAME),
    "wa.me": ("whatsapp", r"\+?(?P<name>\d+)"),
    "x.com": ("x", _NAME),
    "xing.com": ("xing", r"profile/(?P<name>\w+)"),
    "youtube.com": ("youtube", r"(?:@|user/|c/|channel/)(?P<name>[\w.-]+)"),
}
_ELSEWHERE: Final = (
    ("mastodon", rf"(?:web/|deck/)?@(?P<name>{_WORD})(?:@(?P<host>[\w-]+(?:\.[\w-]+)+))?"),
    ("mastodon", rf"users/(?P<name>{_WORD})"),
    ("forum", rf"(?:[{SPACED}.~-]+/){{1,4}}users?/(?P<name>{_WORD})"),
    ("forum", rf"(?:u|user|profile|people)/(?P<name>{_WORD})"),
)
_NUMBERED: Final = lazily(r"/users?/[0-9]+")
"""Somebody's page by number, on whatever host: ``/users/12``, ``localhost:3000/users/12``."""
_RESERVED: Final = frozenset(
    """
    about accounts addstickers ads apps business c collections company compose contact dialog directory discover
    docs download embed enterprise events explore features feed gaming groups hashtag hashtags help home i
    intent iv jobs joinchat legal live login marketplace media messages music news notifications orgs p page
    permalink.php photo photo.php photos pin places plugins policies policy press pricing privacy proxy public r
    reel reels results search security services settings share share.php sharer sharer.php shop shorts signup
    site socks sponsors story.php tag terms topics tos tr trending tv upload videos watch web wiki
    """.split()  # noqa: SIM905 - a hundred words are read better as a paragraph
)
"""First path segments of the listed sites that are pages of the site, not people."""

_PATHS: Final = {host: (namespace, lazily(path, re.ASCII)) for host, (namespace, path) in _SITES.items()}
_OTHER_PATHS: Final = tuple((namespace, lazily(path, re.ASCII)) for namespace, path in _ELSEWHERE)
_SUBDOMAIN: Final = lazily(r"(?:www|m|mobile|mbasic|web|old|new|gist|[a-z]{2}(?:-[a-z]{2})?)\.")
_HOST: Final = lazily(rf"(?:[0-9]{{1,5}}:)?((?:[{SPACED}-]+\.)+[{SPACED}-]+)(//:[sS]?[pP][tT][tT][hH](?![{SPACED}]))?")
"""A host and its scheme on the reversed text, from the path's slash leftwards."""
_HOST_LENGTH: Final = 253 + len("https://") + len(":65535")  # RFC 1035, section 2.3.4
_TAIL: Final = lazily(rf"[{SPACED}.~:/?#@!$&'*+,;=%-]*")
_TRAILING: Final = ".,;:!?'*~"

GATE: Final = r"(?i)(?:{hosts})/|/(?:@|users?/|u/|profile/|people/)|u/".format(
    hosts="|".join(host.replace(".", r"\.") for host in _SITES)
)
"""RE2: what stands in every text with a profile URL or a ``u/name``, without regard to what surrounds it."""


Profiles = tuple[tuple[str, str], ...]
"""Namespaces with the address of a profile, in which {name} stands for the name, as the policy declares them."""

_OWN_NAME: Final = rf"@?(?P<name>(?:[{SPACED}{UNSPACED}]|[.%-](?=[{SPACED}{UNSPACED}.%-]))+)"


@lru_cache(maxsize=64)
def own_gate(profiles: Profiles) -> str:
    """:data:`GATE` with the hosts of declared addresses."""
    hosts = (re.escape(pattern.partition("://")[2].partition("/")[0].lower()) for _, pattern in profiles)
    return "|".join([GATE, *(f"{host}/" for host in hosts)])


@lru_cache(maxsize=64)
def _own_paths(profiles: Profiles) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Host, namespace and path of each declared address."""
    found = []
    for namespace, pattern in profiles:
        host, _, path = pattern.partition("://")[2].partition("/")
        before, _, behind = path.partition("{name}")
        found.append((host.lower(), namespace, re.compile(re.escape(before) + _OWN_NAME + re.escape(behind))))
    return tuple(found)


def links(text: str, profiles: Profiles = ()) -> Iterator[Hit]:
    """The profile URLs of a folded text, in order."""
    taken = 0
    slash = text.find("/")
    while slash >= 0:
        found = _profile(text, slash, taken, profiles) or _numbered(text, slash)
        if found:
            yield found
            taken = found.end
        slash = text.find("/", max(slash + 1, taken))


def _profile(text: str, slash: int, taken: int, profiles: Profiles) -> Hit | None:
    """The profile URL whose host ends at ``slash``."""
    host = _HOST.match(text[max(taken, slash - _HOST_LENGTH) : slash][::-1])
    if host is None:
        return None
    name = host[1][::-1].lower()
    found = _declared(name, text, slash + 1, profiles) or _account(name, text, slash + 1)
    if found is None:
        return None
    account, name_end = found
    return Hit(slash - host.end(), _end(text, slash + 1, name_end), Category.PROFILE_URL, account)


def _numbered(text: str, slash: int) -> Hit | None:
    """The page of a member by number that begins at ``slash``, where no address around it names an account."""
    match = _NUMBERED.match(text, slash)
    return match and Hit(slash, _end(text, slash, match.end()), Category.PROFILE_URL, None)


def _end(text: str, path: int, name_end: int) -> int:
    """Where the address ends: with the path, without the punctuation of the sentence around it."""
    tail = _TAIL.match(text, name_end)
    return path + len(text[path : tail.end() if tail else name_end].rstrip(_TRAILING))


def _declared(host: str, text: str, path: int, profiles: Profiles) -> tuple[str, int] | None:
    """The account that an address names, and where it ends, by the profiles that the policy declares."""
    for own, namespace, pattern in _own_paths(profiles):
        match = pattern.match(text, path) if host in (own, f"www.{own}") else None
        if match is not None:
            return f"{namespace}:{unquote(match['name'])}", match.end()
    return None


def _account(host: str, text: str, path: int) -> tuple[str, int] | None:
    """The account that the path at ``path`` names on ``host``, and where its name ends."""
    bare = _SUBDOMAIN.sub("", host, count=1) if host not in _PATHS else host
    if bare in _PATHS:
        namespace, pattern = _PATHS[bare]
        return _named(namespace, pattern.match(text, path), None)
    for namespace, pattern in _OTHER_PATHS:
        if found := _named(namespace, pattern.match(text, path), host):
            return found
    return None


def _named(namespace: str, match: re.Match[str] | None, host: str | None) -> tuple[str, int] | None:
    """``host`` is None on a listed site, whose own pages are no accounts."""
    if match is None:
        return None
    groups = match.groupdict()
    name = (groups.get("name") or groups.get("id") or groups.get("page") or "").rstrip(".-")
    if not name or (host is None and name.lower() in _RESERVED):
        return None
    address = name if host is None else f"{name}@{groups.get('host') or host}"
    return canonical(f"{namespace}:{address}"), match.end()
