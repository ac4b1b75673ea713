"""HTTP/1.1 as uvicorn reads it, with a time and a size for everything that a client sends.

uvicorn has no time for the head or the body of a request, none for the reading of an answer, no size for a head that
httptools reads, and one cap on connections, beyond which everybody gets 503 (docs/adr/0024). This adds them, on the
methods that uvicorn and httptools call; when a client goes for it, the crowd decides (crowd.py).

Invariants: every answer that is given here carries the headers of all others; nothing of a request is logged.
"""

import asyncio
import functools
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from demur.web.server.crowd import Bounds, Crowd, Wait, Why
from demur.web.server.headers import standard_headers
from demur.web.server.limits import household

_TOO_SLOW: Final = 408
_BUSY: Final = 503
_SENTENCES: Final = {
    400: "This is no HTTP request that can be read.",
    _TOO_SLOW: "The request took too long: send it again.",
    414: "The address is too long.",
    431: "The headers of the request are too large.",
    _BUSY: "Too many requests at once: nothing was recorded, try again in a moment.",
}
_RETRY_S: Final = 5


class _RefusedError(Exception):
    """What the parser is stopped with; uvicorn answers it as a request that can't be read."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    crowd: ClassVar[Crowd]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # uvicorn's own
        super().__init__(*args, **kwargs)
        now = self.loop.time()
        self.address = ""
        self.held = 0
        self._bounds: Bounds = self.crowd.bounds
        self._refusal = 400
        self._answered = now  # when the last answer had been given
        self._unsent: tuple[float, int] | None = None  # since when an answer is not read, and bytes of it then
        self._paused: float | None = None  # since when this side does not read
        self._head: float | None = now  # since when a head is under way
        self._head_bytes = 0
        self._headers = 0
        self._body: float | None = None  # since when a body is under way
        self._body_moved = now
        self._body_bytes = 0
        self._raw = 0  # bytes of this head or body as they came, framing included
        self._chunk = 0  # bytes that the parser works on

    # what uvicorn and its parser call

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        super().connection_made(transport)
        self.address = self.crowd.counts_as(household(self.client[0])) if self.client else ""
        if not self.crowd.enter(self):
            self._reject(_BUSY)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self.crowd.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self.transport.is_closing():
            return
        self._chunk = len(data)
        self._raw += self._chunk
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head is not None and self._raw > self._bounds.head:
            self._reject(431)
        elif self._body is not None and self._raw > 2 * self._body_bytes + self._bounds.framing:
            self._reject(400)

    def on_message_begin(self) -> None:
        """The first byte of a request came."""
        super().on_message_begin()
        self._head, self._raw = self.loop.time(), self._chunk
        self._head_bytes = self._headers = 0

    def on_url(self, url: bytes) -> None:
        """A part of what is asked for came."""
        super().on_url(url)
        if len(self.url) > self._bounds.url:
            self._stop(414)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came, or a trailer."""
        self._headers += 1
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        now = self.loop.time()
        self._head = None
        self._body = self._body_moved = now
        self._body_bytes = self._raw = 0
        if self.transport.get_write_buffer_size() == 0:
            self._unsent = None
        if len(self.pipeline) >= self._bounds.pipelined:
            self._stop(_BUSY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        super().on_body(body)
        self._body_bytes += len(body)
        self._body_moved = self.loop.time()
        if not self.cycle.response_complete:
            self.crowd.hold(self, len(body))

    def on_message_complete(self) -> None:
        """The body is there."""
        self._body = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is given; what of it is not sent yet waits in the transport."""
        self.crowd.release(self)
        self._answered = now = self.loop.time()
        if self._head is not None:
            self._head = now  # of a request that waited for its turn
        super().on_response_complete()
        if self._body is not None and self.expect_100_continue and not self._body_bytes:
            self.transport.close()  # it waits to be told to send the body, and was told that nobody wants it

    def resume_writing(self) -> None:
        """What was not read is read."""
        self._unsent = None
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: what is being answered is answered, and nobody is waited for."""
        wait = self.waits(self.loop.time())
        if wait is None or wait.why is Why.READING:
            super().shutdown()
        else:
            self.end(Why.ROOM)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # ours says what to do
        """Answer what can't be read, or what the parser was stopped for."""
        self._reject(self._refusal)

    # what the crowd calls

    def waits(self, now: float) -> Wait | None:
        """What the server waits for; None while it is at work itself."""
        if (unsent := self.transport.get_write_buffer_size()) > 0:
            began, size = self._unsent = self._unsent or (now, unsent)
            return Wait(Why.READING, began, self._bounds.write_s + size / self._bounds.rate)
        self._unsent = None
        answering = bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)
        if self._body is not None and not self.pipeline:
            return self._waits_for_body(now) if answering else Wait(Why.REST, self._answered, self._bounds.linger_s)
        if answering:
            return None
        if self._head is not None:
            return Wait(Why.HEAD, self._head, self._bounds.head_s)
        return Wait(Why.NEXT, self._answered, self._bounds.idle_s)

    def end(self, why: Why) -> None:
        """Go, with an answer where one can still be given."""
        begun = self._raw > 0 if self._head is not None else self._body is not None
        answered = self.cycle is not None and self._head is None and self.cycle.response_started
        if why is Why.READING or not begun or answered:
            self._close()
        else:
            self._reject(_BUSY if why is Why.ROOM else _TOO_SLOW)

    def _waits_for_body(self, now: float) -> Wait | None:
        """The wait for all of a body, or for its next byte: whatever is nearer to its end."""
        assert self._body is not None
        if self.flow.read_paused:  # the server does not look: nobody can be slow
            self._paused = self._paused or now
            return None
        if self._paused is not None:
            self._body, self._body_moved, self._paused = self._body + now - self._paused, now, None
        every = Wait(Why.BODY, self._body, self._bounds.body_s + self._body_bytes / self._bounds.rate)
        following = Wait(Why.BODY, self._body_moved, self._bounds.body_s)
        return max(every, following, key=lambda each: each.used(now))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._bounds.head or self._headers > self._bounds.headers:
            self._stop(431)

    def _stop(self, status: int) -> None:
        """Stop the parser.

        Raises:
            _RefusedError: always; the parser hands it on as one of its own.
        """
        self._refusal = status
        raise _RefusedError

    def _reject(self, status: int) -> None:
        """Answer without the application, unless it is answering, and close."""
        if not (self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete):
            self.transport.write(_answer(status))
        self._close()

    def _close(self) -> None:
        """Close, without waiting for somebody who does not read."""
        self.transport.close()
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()


@functools.cache
def _answer(status: int) -> bytes:
    """An answer without the application."""
    body = _SENTENCES[status].encode()
    headers = {
        **standard_headers(),
        **({"retry-after": str(_RETRY_S)} if status == _BUSY else {}),
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        "connection": "close",
    }
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    return STATUS_LINE[status] + lines + b"\r\n" + body


def bounded(crowd: Crowd) -> type[asyncio.Protocol]:
    """The protocol of a server's connections, for uvicorn's setting `http`."""
    return cast("type[asyncio.Protocol]", type("BoundedProtocol", (BoundedProtocol,), {"crowd": crowd}))
