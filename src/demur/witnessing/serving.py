"""The server of a witness: `add-checkpoint` over HTTP, for whoever has a checkpoint that a known log signed.

Invariants: requests are small, read within seconds however slowly they come, and taken by a bounded number of threads;
a connection on which something was left unread is closed; what is logged names logs and sizes alone. TLS is a proxy's.
"""

import json
import logging
import socket
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from demur.errors import DemurError
from demur.witnessing.state import MOST_BYTES, Answer, Witness

LOGGER: Final = logging.getLogger("demur.witness")
PATH: Final = "/add-checkpoint"
_PATIENCE_S: Final = 10
"""Seconds for a part of a request."""
_DEADLINE_S: Final = 20.0
"""Seconds for a whole request, from when the one before was answered."""
_MOST_THREADS: Final = 64


class Server(ThreadingHTTPServer):
    """Serves one witness."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        """Listen at a host and a port, 0 for any that is free.

        Raises:
            OSError: when nobody can listen there.
        """
        self.witness = witness
        self._room = threading.BoundedSemaphore(_MOST_THREADS)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # socketserver's
        """Take a connection, if there is room for it."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # the same
        """Make room when it is over."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, *_: object) -> None:
        """Say what kind of fault it was, and nothing of connections that broke off: they name an address."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            _log(status=500, error=type(fault).__name__)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "demur"
    sys_version = ""
    timeout = _PATIENCE_S

    def handle_one_request(self) -> None:  # http.server's name
        """Take a request, and end the connection where it takes longer than a request may."""
        late = threading.Timer(_DEADLINE_S, _cut, [self.connection])
        late.daemon = True
        late.start()
        try:
            super().handle_one_request()
        finally:
            late.cancel()

    def do_POST(self) -> None:  # http.server's name
        if self.path != PATH:
            self._say(Answer(404, f"A witness takes checkpoints at {PATH}.\n"), last=True)
            return
        said = self.headers.get("content-length", "")
        if not (said.isascii() and said.isdecimal()) or len(said) > 9:  # noqa: PLR2004  # digits
            self._say(Answer(411, "Say how long the request is.\n"), last=True)
            return
        if int(said) > MOST_BYTES:
            self._say(Answer(413, "The request is too large.\n"), last=True)
            return
        body = self.rfile.read(int(said))
        if len(body) < int(said):  # it broke off, or took too long
            self.close_connection = True
            return
        try:
            answer = self.server.witness.answer(body, int(time.time()))
        except DemurError as error:
            _log(status=503, error=str(error))
            answer = Answer(503, "This witness can't sign at the moment.\n")
        else:
            _log(status=answer.status)
        self._say(answer)

    def do_GET(self) -> None:  # http.server's name
        """The key, for whoever looks."""
        unread = self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers
        if self.path == "/":
            self._say(Answer(200, f"{self.server.witness.key.text}\n"), last=unread)
        else:
            self._say(Answer(404, f"A witness takes checkpoints at {PATH}.\n"), last=unread)

    def _say(self, answer: Answer, *, last: bool = False) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("content-type", answer.kind)
        self.send_header("content-length", str(len(data)))
        if last:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing: it would name an address."""


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _log(**facts: str | int) -> None:
    LOGGER.info(json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": "asked", **facts}))
