"""Whom mails and links of a workspace reach: this machine alone, or the public.

Invariants: names that are reserved for examples (RFC 2606, RFC 6761) count as this machine's, as nobody can own them.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from demur.policy import Policy

_RESERVED: Final = frozenset({"localhost", "example", "test", "invalid", "example.com", "example.net", "example.org"})


def public(policy: Policy) -> bool:
    """Whether the portal has an address that others can reach."""
    host = (urlsplit(policy.portal.url).hostname or "").lower().rstrip(".")
    return not (host in _RESERVED or host.endswith(tuple(f".{name}" for name in _RESERVED)) or loopback(host))


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def unsent(policy: Policy) -> bool:
    """Whether mails that are meant for the public would only lie in the outbox: nobody is told or asked by those."""
    return public(policy) and not policy.mail.server
