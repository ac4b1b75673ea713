"""`demur serve` as a process of its own, and the same server in a thread, with bounds of the test's own."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

import httpx
import uvicorn
from fastapi import FastAPI

from demur.web.server import serving
from demur.web.server.crowd import Bounds, Crowd
from demur.workspace import Workspace

_PATIENCE_S: Final = 10
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")


class Served:
    """A running `demur serve`.

    Args:
        workspace: where.
        options: of the command.
        files: how many files it may open at most; as many as this process if not given.
    """

    def __init__(self, workspace: Workspace, *options: str, files: int | None = None) -> None:
        serve = [sys.executable, "-m", "demur", "serve", "-w", str(workspace.root), "--port", "0", "--json", *options]
        command = serve if files is None else ["sh", "-c", f'ulimit -n {files}; exec "$@"', "serve", *serve]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.url = json.loads(line)["url"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def memory(self) -> float:
        """What it has in memory, in megabytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        self.process.send_signal(by)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


class Thread:
    """A server in a thread of this process."""

    def __init__(self, app: FastAPI, bounds: Bounds, *, behind_proxy: bool = False) -> None:
        config = serving.config(app, "127.0.0.1", 0, behind_proxy=behind_proxy, bounds=bounds)
        self.crowd: Crowd = config.http.crowd  # type: ignore[union-attr]  # of the class that `bounded` made
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    @property
    def port(self) -> int:
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def running(self) -> Iterator["Thread"]:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        try:
            yield self
        finally:
            self._server.should_exit = True
            self._thread.join()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}")


class Wire:
    """A client that sends bytes as it likes, from an address of this machine's loopback network."""

    _made: ClassVar[list["Wire"]] = []

    def __init__(self, port: int, sent: bytes = b"", *, address: str = "127.0.0.1", window: int | None = None) -> None:
        self.socket = socket.socket()
        Wire._made.append(self)
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(_PATIENCE_S)
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", port))
        if sent:
            self.send(sent)

    def send(self, data: bytes) -> bool:
        """Send; whether the other side still took it."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def status(self) -> int:
        """Of the first answer; 0 if none came before the end."""
        return (self.statuses() or [0])[0]

    def statuses(self) -> list[int]:
        """Of all answers until the other side ends the connection."""
        return [int(each) for each in _STATUS.findall(self.rest())]

    def rest(self) -> bytes:
        """Everything that comes until the other side ends the connection."""
        parts = []
        try:
            while part := self.socket.recv(1 << 16):
                parts.append(part)
        except ConnectionError:
            pass
        return b"".join(parts)

    def head(self) -> bytes:
        """What comes until the end of a head; what follows is not kept."""
        found = b""
        while b"\r\n\r\n" not in found:
            part = self.socket.recv(1 << 16)
            if not part:
                break
            found += part
        return found

    @property
    def ended(self) -> bool:
        """Whether the other side has answered, or ended the connection; nothing that came is lost."""
        self.socket.settimeout(0)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except ConnectionError:
            pass
        finally:
            self.socket.settimeout(_PATIENCE_S)
        return True

    def close(self) -> None:
        self.socket.close()

    @classmethod
    def hang_up(cls) -> None:
        """Close all there are."""
        while cls._made:
            cls._made.pop().close()


def eventually(true: Callable[[], bool], patience: float = 10.0) -> bool:
    """Whether something comes true."""
    until = time.monotonic() + patience
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
