"""Object stores on loopback, in processes of their own: S3 by moto's server, Azure by azurite; and one with faults.

moto keeps objects in memory, honours ``If-None-Match`` and checks no signature; its client wants an older package than
Lance does, so that it has an environment of its own. azurite comes from npm. Both lie in folders of the environment.
"""

import http.client
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

KEY_ID: Final = "AKIADEMURTESTKEYID00"
SECRET: Final = "demur/test/secret/that/appears/nowhere"  # of no account
S3: Final = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
"""The environment of whoever reaches the S3 server."""

AZURE_ACCOUNT: Final = "demurtest"
AZURE_KEY: Final = "ZGVtdXItdGVzdC1rZXktdGhhdC1vcGVucy1ub3RoaW5n"
AZURE: Final = {"AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY}
"""The same of azurite."""

_PATIENCE_S: Final = 60
_SLOW_DOWN: Final = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_LEAKY: Final = f"<Error><Code>AccessDenied</Code><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId></Error>".encode()


def free_port() -> int:
    """A port of loopback on which nobody listens right now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[str]:
    """The address of a server that is started so, which ends with the block."""
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + _PATIENCE_S
        while True:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} does not answer")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def moto(folder: Path, pins: Path) -> Path | None:
    """The Python of an environment that has moto's server, made where there is none; None where that fails."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        made = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "-q", "-r", str(pins)],
        ]
        if any(subprocess.run(command, check=False, capture_output=True).returncode for command in made):
            return None
        (folder / "done").touch()
    return python


@contextmanager
def s3_server(python: Path) -> Iterator[str]:
    """The address of an S3 server without buckets, run by the Python of :func:`moto`."""
    port = free_port()
    with serving([str(python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, S3) as url:
        yield url


def azurite(folder: Path) -> Path | None:
    """The program azurite-blob, installed into a folder if it is not there; None where that fails."""
    program = folder / "node_modules" / ".bin" / "azurite-blob"
    if not program.exists() and (npm := shutil.which("npm")) is not None:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), "azurite@3"],
            check=False,
            capture_output=True,
        )
    return program if program.exists() else None


@contextmanager
def azure_server(program: Path, folder: Path) -> Iterator[str]:
    """The address of an Azure server, account included; it has no container."""
    port = free_port()
    command = [str(program), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    command += ["--silent", "--skipApiVersionCheck"]
    with serving(command, port, {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"}) as url:
        yield f"{url}/{AZURE_ACCOUNT}"


def request(url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> int:
    """Asks a server that checks no signature; the status of its answer."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status


@dataclass
class Faults:
    """What a proxy does to the requests that pass it; it may be changed while it runs."""

    share: float = 0.0
    """Of requests that meet a fault: 500, SlowDown, no answer before or after the server did what was asked."""
    seed: int = 0
    unconditional: bool = False
    """Whether If-None-Match is taken off, as by a store that does not know it."""
    refusing: bool = False
    """Whether a conditional write is answered 501."""
    denying: bool = False
    """Whether everything is answered 403, with a body that repeats the key's id."""
    met: int = 0
    """Faults so far."""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # chance, no secret

    def draw(self) -> str | None:
        """What happens to the next request; None for nothing."""
        if self._random.random() >= self.share:
            return None
        self.met += 1
        return self._random.choice(["500", "503", "silent", "lost"])


@contextmanager
def proxy(server: str, faults: Faults) -> Iterator[str]:
    """The address of a proxy before a server."""
    handler = type("Handler", (_Handler,), {"server_netloc": urlsplit(server).netloc, "faults": faults})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_netloc: str
    faults: Faults

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = dict(self.headers.items())
        conditional = headers.get("if-none-match") or headers.get("If-None-Match")
        if self.faults.denying:
            return self._answer(403, _LEAKY)
        if conditional and self.faults.refusing:
            return self._answer(501, b"<Error><Code>NotImplemented</Code></Error>")
        if self.faults.unconditional:
            headers = {name: value for name, value in headers.items() if name.lower() != "if-none-match"}
        fault = self.faults.draw()
        if fault in {"500", "503"}:
            return self._answer(int(fault), _SLOW_DOWN if fault == "503" else b"")
        if fault == "silent":
            time.sleep(0.2)
            self.close_connection = True
            return None
        connection = http.client.HTTPConnection(self.server_netloc)
        with closing(connection):
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
        if fault == "lost":
            self.close_connection = True
            return None
        dropped = {"transfer-encoding", "connection", "content-length", "server", "date"}
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in dropped]
        length = response.getheader("content-length") if self.command == "HEAD" else str(len(content))
        return self._answer(response.status, content, [*kept, ("Content-Length", length or "0")])

    def _answer(self, status: int, content: bytes, headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in headers or [("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Says nothing."""


Bucket = Callable[[], str]
"""Makes a bucket that is free, and tells its name."""
