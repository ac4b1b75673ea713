"""A platform's endpoint for webhooks: a real HTTP server on loopback, with or without TLS."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Platform:
    """What a platform's endpoint got."""

    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """Statuses of the next answers; 204 after these."""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """Its messages, read."""
        return [json.loads(body) for _, body in self.got]


@contextmanager
def listening(platform: Platform, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The endpoint's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # its name
            body = self.rfile.read(int(self.headers["content-length"]))
            platform.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(platform.answers.pop(0) if platform.answers else 204)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    with Server((host, 0), Handler) as running:
        scheme, name = "https" if tls else "http", f"[{host}]" if ":" in host else host
        if tls:
            running.socket = tls.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"{scheme}://{name}:{running.server_port}/hook"
        finally:
            running.shutdown()
            thread.join()
