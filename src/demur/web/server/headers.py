"""What an answer carries whatever it answers, and what a request says of where it came from.

Invariants: an answer may load nothing but its own stylesheet, run no script, and stand in no other's frame; a visitor's
IPv6 address is never told apart from the others of its network.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from demur.web.server.limits import household

CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
"""Content Security Policy Level 3; a route that needs more (passkeys need a script) sets its own."""

_HEADERS: Final = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",  # a path may hold a token
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "cache-control": "no-store",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"


def address(request: Request) -> str:
    """The visitor's address; an IPv6 one by its network."""
    return household(request.client.host if request.client else "")


def moment() -> str:
    """This moment for the log, in UTC (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_elsewhere(headers: Headers, portal: str) -> bool:
    """Whether a browser says that another site made it send this (Fetch Metadata, else Origin).

    Absent headers say nothing: programs send none. An origin of ``null`` says nothing either: it is what our own
    pages send, as they send no referrer.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc not in {headers.get("host", ""), urlsplit(portal).netloc}


def secure(scope: Scope) -> bool:
    """Whether the visitor came by https."""
    return scope.get("scheme") == "https"


def standard_headers(*, secured: bool = False) -> Mapping[str, str]:
    """What every answer carries; ``secured``: one by https."""
    return _HEADERS | {"strict-transport-security": _HSTS} if secured else _HEADERS


@functools.cache
def raw_headers(*, secured: bool = False) -> Sequence[tuple[bytes, bytes]]:
    """The same as ASGI has them: names in small letters."""
    return [(name.encode(), value.encode()) for name, value in standard_headers(secured=secured).items()]
