"""What stands between the network and the routes: headers, limits, and the refusal of what other sites send.

Invariants: every answer, an error's included, carries the same strict headers; no page may load anything but its own
stylesheet, run a script, or stand in another's frame; what another site makes a browser POST is refused; a body is
counted while it comes in, before anything is parsed; whoever asks too often gets back what they typed, as far as it is
a form of a page; a HEAD is answered as its GET, without the body; no error says
more than one sentence, and the log knows neither addresses nor tokens nor queries.
"""

import contextlib
import json
import logging
import re
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demur.web import forms
from demur.web.desk import Desk
from demur.web.failures import PROBES, PROGRAMS, failure, may_turn
from demur.web.server.headers import address, from_elsewhere, moment, raw_headers, secure

log = logging.getLogger("demur.web")

_KB: Final = 1024
FORM_BYTES: Final = 64 * _KB
"""The largest body of a form without an attachment."""
API_BYTES: Final = 8 * _KB * _KB
"""The largest body of a call of the API."""

GONE: Final = 499
"""What the log says of a request whose client went away before all of it was there; it is no status of HTTP."""

_DIGITS: Final = 18
"""Of a length that can be one."""

_PARTS: Final = frozenset({"api", "staff"})
"""Of the site, by the beginning of their paths; all other pages are the portal's."""
_TOO_MANY: Final = 429
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Upload:
    """A route whose form has files."""

    path: re.Pattern[str]
    megabytes: int | None
    """Of all files together; None: what the policy says of one."""


@dataclass
class _Exchange:
    """One request and what was answered."""

    scope: Scope
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    received: int = 0
    most: int = 0
    """The largest body that is read, in bytes."""

    @property
    def api(self) -> bool:
        return str(self.scope["path"]).startswith(PROGRAMS)


class Gate:
    """The outermost layer of the application."""

    def __init__(
        self,
        app: ASGIApp,
        desk: Desk,
        uploads: Sequence[Upload] = (),
        turning: Sequence[re.Pattern[str]] = (),
    ) -> None:
        """Stand before an application.

        Args:
            app: what is let through to.
            desk: whose limits hold.
            uploads: the routes whose forms have files.
            turning: the paths of forms that may come back in another language.
        """
        self._app = app
        self._desk = desk
        self._uploads = uploads
        self._turning = turning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it; nothing that is raised inside leaves this."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        scope = {**scope, "method": "GET"} if head else scope  # the server's own keeps the HEAD: it sends no body then
        exchange = _Exchange(scope)
        try:
            await self._pass(exchange, receive, _answering(exchange, send, head=head))
        except ClientDisconnect:
            exchange.status = exchange.status or GONE
        except Exception as error:  # noqa: BLE001  # whatever it is, the visitor reads one sentence
            told = {"time": moment(), "error": type(error).__name__, "at": _where(error), "route": _route(scope)}
            log.error(json.dumps(told))  # noqa: TRY400  # a traceback holds the message
            if not exchange.status:
                response = failure(Request(scope), 500)
                await response(scope, receive, _answering(exchange, send, head=head))
        finally:
            self._record(exchange)

    async def _pass(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        scope = exchange.scope
        request = Request(scope)
        exchange.most = self._most(request, api=exchange.api)
        if any(each.match(scope["path"]) for each in self._turning):
            may_turn(request)
        status, headers = self._refusal(request, exchange)
        counted = self._counting(exchange, receive)
        if status:
            if status == _TOO_MANY:
                await _typed(Request(scope, counted))
            await failure(request, status, headers)(scope, receive, send)
            return
        await self._app(scope, counted, send)

    def _refusal(self, request: Request, exchange: _Exchange) -> tuple[int, dict[str, str]]:
        """The status with which a request is refused before it is read, 0 for none."""
        length = request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > _DIGITS or int(length) > exchange.most:
            return 413, {}
        if exchange.api:
            return 0, {}
        acts = request.method not in _SAFE
        if acts and from_elsewhere(request.headers, self._desk.policy().portal.url):
            return 403, {}
        wait = self._wait(address(request), acts=acts)
        return (429, {"retry-after": str(wait)}) if wait else (0, {})

    def _wait(self, who: str, *, acts: bool) -> int:
        wait = self._desk.limits.wait("page", who)
        return wait or (self._desk.limits.wait("act", who) if acts else 0)

    def _most(self, request: Request, *, api: bool) -> int:
        """The largest body that is read, in bytes: only a form that has a file may be larger than its fields."""
        if api:
            return API_BYTES
        multipart = request.headers.get("content-type", "").startswith("multipart/")
        found = next((each for each in self._uploads if each.path.match(request.scope["path"])), None)
        if found is None or not multipart:
            return FORM_BYTES
        megabytes = self._desk.policy().portal.attachment_mb if found.megabytes is None else found.megabytes
        return megabytes * _KB * _KB + FORM_BYTES

    def _counting(self, exchange: _Exchange, receive: Receive) -> Receive:
        """``receive``, which stops at the largest body: what a client says of its length may not be true."""

        async def counted() -> Message:
            message = await receive()
            exchange.received += len(message.get("body", b""))
            if exchange.received > exchange.most:
                raise HTTPException(413)
            return message

        return counted

    def _record(self, exchange: _Exchange) -> None:
        """One line of the log: the route instead of the path, and of the address what nobody can turn back."""
        scope = exchange.scope
        self._desk.answered[_part(scope), exchange.status] += 1
        line = {
            "time": moment(),
            "method": scope["method"],
            "route": _route(scope),
            "status": exchange.status,
            "ms": round(1000 * (time.perf_counter() - exchange.began), 1),
            "from": self._desk.limits.hashed(address(Request(scope))).hex()[:8],
        }
        log.info(json.dumps(line))


async def _typed(request: Request) -> None:
    """Read a form that is refused, so that what was typed can come back; files are not waited for."""
    kind = request.headers.get("content-type", "")
    whole = kind.startswith("multipart/") and int(request.headers.get("content-length", FORM_BYTES)) < FORM_BYTES
    if not kind or whole or kind.startswith("application/x-www-form-urlencoded"):
        with contextlib.suppress(HTTPException):
            await (await forms.read(request)).close()


def _answering(exchange: _Exchange, send: Send, *, head: bool) -> Send:
    """``send`` with the headers that every answer has."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            headers = message["headers"] = list(message.get("headers", ()))
            there = {name for name, _ in headers}
            headers += (each for each in raw_headers(secured=secure(exchange.scope)) if each[0] not in there)
        elif head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return answer


def _route(scope: Scope) -> str:
    """The pattern that a path matched: it holds no token."""
    route = scope.get("route")
    return str(getattr(route, "path", "-"))


def _part(scope: Scope) -> str:
    """The part of the site that a request was for; `elsewhere` for what is nowhere."""
    route = _route(scope)
    if route == "-":
        return "elsewhere"
    first = route.split("/")[1]
    return first if first in _PARTS else "probes" if route in PROBES else "portal"


def _where(error: BaseException) -> str:
    """Where an error arose; its message is not told, as it may hold what a person wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "-"
