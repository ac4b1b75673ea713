"""A crowd that objects over the API while servers come and go, each person until their objection is acknowledged."""

import http.client
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from demur.workspace import Workspace

CLIENTS: Final = 8


@dataclass
class Crowd:
    """People who object, each until one of the servers acknowledges it."""

    ports: Sequence[int]
    key: str
    pause: float = 0.0
    """Seconds between two objections of one client."""
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Account -> reference."""
    tries: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._object, args=(each,)) for each in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def _object(self, first: int) -> None:
        ports = itertools.cycle(self.ports)
        for _ in range(first):
            next(ports)
        connection = http.client.HTTPConnection("127.0.0.1", next(ports), timeout=30)
        while not self.stop.wait(self.pause):
            with self._lock:
                self._next += 1
                account = f"forum:member_{self._next}"
            while account not in self.acknowledged:
                self.tries += 1
                try:
                    self._send(connection, account)
                except (OSError, http.client.HTTPException):
                    connection.close()
                    time.sleep(0.02)
                    connection = http.client.HTTPConnection("127.0.0.1", next(ports), timeout=30)
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, account: str) -> None:
        body = json.dumps({"accounts": [account]})
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": account,
        }
        connection.request("POST", "/api/objections", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        if answer.status == 503:
            raise http.client.HTTPException
        assert answer.status == 201, told
        self.acknowledged[account] = told["reference"]


@contextmanager
def serving(workspace: Workspace, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, listening."""
    command = [sys.executable, "-m", "demur", "serve", "-w", str(workspace.root), "--port", str(port), "--no-worker"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not listening(port):
                assert server.poll() is None
                time.sleep(0.02)
            yield server
        finally:
            server.kill()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
