"""What people type when they say which account is theirs, as account identifiers.

Invariants: whatever can be an account becomes one, known or not; where two readings are possible, the one that the
platform's own members would mean wins; nothing here asks the register, so that it can't tell who is in it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from demur.characters import IN_LINE, UNSEEN
from demur.errors import IdentityError
from demur.register.members.people import identify
from demur.spelling import DEFAULT, FEDIVERSE, MAIL, Names

LONGEST: Final = 300
"""Characters of one account, address or link."""

_WEB: Final = re.compile(r"(?i)https?://|www\.")
_MAIL: Final = re.compile(r"""[^\s@<>()\[\],;:"\\/]{1,64}@[\w-]+(?:\.[\w-]+)+""")
"""RFC 5321 and RFC 6531 without quoted local parts: nothing in it means anything in a header."""
_WRITTEN: Final = re.compile(rf"""(?i)(?:(?<![^\s<(\["'])|(?<=mailto:)){_MAIL.pattern}(?![^\s>)\]"'.,;!?])""")
"""A mail address among other words: after a name, in angle brackets, as a link, or before a full stop."""
_HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_QUALIFIED: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.*\S.*")
_UNSEEN: Final = re.compile(f"[{IN_LINE}{UNSEEN}]")


_SITES: Final = {
    "facebook": "Facebook",
    "github": "GitHub",
    "irc": "IRC",
    "linkedin": "LinkedIn",
    "tiktok": "TikTok",
    "vk": "VK",
    "whatsapp": "WhatsApp",
    "youtube": "YouTube",
}
"""Namespaces that are no site's name with its first letter large."""


class AccountKind(StrEnum):
    """What an account is to whoever typed it."""

    USER = "user"
    """A user name of the platform itself."""
    MAIL = "mail"
    FEDIVERSE = "fediverse"
    PROFILE = "profile"
    """Somebody's place at a site."""


@dataclass(frozen=True)
class Taken:
    """What something that was typed was taken for, as a person would say it."""

    kind: AccountKind
    name: str
    place: str = ""
    """The site of a profile."""


def taken_for(account: str, namespace: str) -> Taken:
    """What an account is called where it is told back; it depends on its spelling alone, never on who is known.

    Args:
        account: ``namespace:value``, as :func:`account_of` reads it.
        namespace: of the platform's own accounts, "" if it has none.
    """
    where, _, name = account.partition(":")
    if where == MAIL:
        return Taken(AccountKind.MAIL, name)
    if where == FEDIVERSE:
        return Taken(AccountKind.FEDIVERSE, name)
    user, _, host = name.rpartition("@")
    if user and _HOST.fullmatch(host):  # the profile at a site that nobody declared
        return Taken(AccountKind.PROFILE, user, host)
    if where == namespace:
        return Taken(AccountKind.USER, name)
    return Taken(AccountKind.PROFILE, name, _SITES.get(where, where.capitalize()))


def like_a_name(account: str, namespace: str) -> bool:
    """Whether an account may be a person's name, or a sentence, that was typed where a user name was asked for."""
    taken = taken_for(account, namespace)
    return taken.kind is AccountKind.USER and " " in taken.name


def tidy(typed: str, longest: int = LONGEST) -> str:
    """One line of what was typed: no control characters, nothing unseen, no spaces around it."""
    return " ".join(_UNSEEN.sub(" ", typed).split())[:longest]


def account_of(typed: str, namespace: str, names: Names = DEFAULT) -> str | None:
    """The account that somebody means, None where what they typed can't be one.

    Args:
        typed: a mail address, ``@user@host``, a profile's address, ``namespace:value``, or a handle.
        namespace: of the platform's own accounts, "" if it has none.
        names: how the policy says that names are compared, and where its profiles are.
    """
    text = tidy(typed)
    for reading in (_linked(text, names), _mailed(text), _federated(text), _qualified(text), _bare(text, namespace)):
        known = _identified(reading, names)
        if known is not None:
            return known
    return None


def is_mail(text: str) -> bool:
    """Whether a text is a mail address, as far as anybody can tell by looking at it."""
    return _MAIL.fullmatch(text) is not None


def is_link(text: str) -> bool:
    """Whether one line is an address on the web, rather than a handle or a name."""
    return " " not in text and ("/" in text or _WEB.match(text) is not None)


def _linked(text: str, names: Names) -> str | None:
    """A profile's address, with or without its scheme."""
    if "/" not in text or " " in text:
        return None
    from demur.kernel.identifiers import Category  # noqa: PLC0415  # its patterns take long to compile, few accounts are links
    from demur.kernel.identifiers.find import scan  # noqa: PLC0415  # the same

    naming = frozenset({Category.PROFILE_URL, Category.HANDLE, Category.MAIL})
    hit = next((hit for hit in scan(text, None, naming, names.profiles) if hit.start == 0), None)
    return hit.value if hit and hit.category is Category.PROFILE_URL else None


def _mailed(text: str) -> str | None:
    """The mail address that stands there, where there is one and no other."""
    found = [] if _WEB.match(text) else _WRITTEN.findall(text)
    return f"mail:{found[0]}" if len(found) == 1 else None


def _federated(text: str) -> str | None:
    """``@user@host``, as people of the fediverse write it."""
    address = text.rstrip(".,;")
    return f"mastodon:{address}" if address.startswith("@") and _MAIL.fullmatch(address[1:]) else None


def _qualified(text: str) -> str | None:
    return text if _QUALIFIED.fullmatch(text) and not _WEB.match(text) else None


def _bare(text: str, namespace: str) -> str | None:
    """A handle of the platform itself; what holds an address of the web or of a mailbox is none."""
    handle = text.removeprefix("@")
    bare = bool(namespace and handle) and "/" not in handle and not _WRITTEN.search(handle)
    return f"{namespace}:{handle}" if bare else None


def _identified(reading: str | None, names: Names) -> str | None:
    try:
        return None if reading is None else identify(reading, names)
    except IdentityError:
        return None
