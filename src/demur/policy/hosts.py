"""Hosts that only this machine reaches, or nobody, and those that others do.

Invariants: what can't be told counts as one that others reach.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_RESERVED: Final = frozenset({"localhost", "example", "test", "invalid", "example.com", "example.net", "example.org"})
"""Names that nobody on the internet has (RFC 2606, RFC 6761)."""


def public(url: str) -> bool:
    """Whether others can reach an address of the web."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    return not (host in _RESERVED or host.endswith(tuple(f".{name}" for name in _RESERVED)) or loopback(host))


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
