"""The embedded mail sink: the mails that would have gone out, where no mail server is set.

Invariants: it is there only while demur.toml names no server and its portal has an address of this machine alone, and
only for whoever sits at the machine itself: the address is loopback, the name that was asked for is loopback's
(another site's name may lead here), and no proxy stands between; a mail is shown as text, and what it says runs
nothing.
"""

import heapq
import os
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from demur.web.pages import desk, page

router: Final = APIRouter(include_in_schema=False)

_LISTED: Final = 50
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]*\.eml")
_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
_PROXIED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_LARGEST: Final = 1024 * 1024


@dataclass(frozen=True)
class Listed:
    """A mail, as the pages show it."""

    name: str
    subject: str
    to: str
    date: str
    text: str
    html: bool
    """Whether it has a part in HTML, too."""


@router.get("/outbox")
async def outbox(request: Request) -> Response:
    """The latest mails."""
    folder = _folder(request)
    return page(request, "outbox.html", mails=[_read(each) for each in _latest(folder)], switch=None)


@router.get("/outbox/{name}")
async def mail(request: Request, name: str) -> Response:
    """One mail: its text, with links that can be followed."""
    path = _folder(request) / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404)
    return page(request, "outbox_mail.html", mail=_read(path), switch=None)


def _folder(request: Request) -> Path:
    """Where the mails lie.

    Raises:
        HTTPException: 404 for everybody but the one at this machine, and where mails leave by a server.
    """
    at = desk(request)
    folder = at.workspace.outbox_path
    policy = at.policy()
    public = urlsplit(policy.portal.url).hostname not in _NAMES  # then a proxy that says nothing may stand before us
    if policy.mail.server or public or not _at_the_machine(request) or not folder.is_dir():
        raise HTTPException(404)
    return folder


def _at_the_machine(request: Request) -> bool:
    if request.url.hostname not in _NAMES or any(name in request.headers for name in _PROXIED):
        return False
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _latest(folder: Path) -> list[Path]:
    """The newest mails first."""
    with os.scandir(folder) as entries:
        found = ((entry.stat().st_mtime_ns, entry.name) for entry in entries if _NAME.fullmatch(entry.name))
        return [folder / name for _, name in heapq.nlargest(_LISTED, found)]


def _read(path: Path) -> Listed:
    with path.open("rb") as file:
        message = message_from_bytes(file.read(_LARGEST), policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    has_html = message.get_body(("html",)) is not None
    subject, to, date = (str(message.get(name, "")) for name in ("subject", "to", "date"))
    return Listed(path.name, subject, to, date, text, has_html)
