"""A machine whose disk and clock go wrong as one says: demur runs on it, in processes of their own.

A nursery loads demur once, with ``faults.c`` before the C library, and forks a child for each command or server, so
that every write of the child can fail or kill it, whoever makes it: Python, SQLite or Lance. The client of a server is
not the child: what it was told was told, whatever became of the server.

Invariants: the nursery itself never opens a workspace, because Lance must not be forked while it runs; a child's calls
are counted from the moment at which a fault can strike, below its workspace alone.
"""

import ctypes
import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Self

import uvicorn

from demur.cli import run
from demur.web.app import create_app
from demur.web.server import serving
from demur.workspace import Workspace

HOWS: Final = ("never", "once", "full", "before", "after", "torn")
"""What happens at a call: nothing; it fails; it fails, and so does every later one that needs room; kill -9 before it,
after it, or in the middle of what it writes. Numbered as in faults.c."""
KILLING: Final = HOWS[3:]
_SOURCE: Final = Path(__file__).with_name("faults.c")
_USED: Final = (
    "demur.cli.many",
    "demur.cli.objection",
    "demur.cli.version",
    "demur.kernel.rules",
    "demur.versions.publish",
    "demur.web.app",
    "demur.web.server.serving",
)
"""What children run."""
_PATIENCE_S: Final = 60
_MOST_SAID: Final = 4096


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and where."""

    how: str = "never"
    """One of HOWS."""
    at: int = 0
    """Which call, from 0."""
    error: int = errno.EIO

    @property
    def kills(self) -> bool:
        return self.how in KILLING


@dataclass
class Outcome:
    """What became of a command, or of a request and its repetition."""

    steps: list[str]
    """The calls that were counted, in order: ``sync /register.db-wal``."""
    fired: bool
    """Whether the fault came."""
    exit: int
    """Of a command: its status, -9 when it was killed. Of a server: -9 when the fault killed it, else 0."""
    out: str = ""
    """What a command printed."""
    said: str = ""
    """What it said on stderr, or the server's answers with their statuses."""
    statuses: list[int] = field(default_factory=list)
    """Of the request, and of the same one sent again once the disk is well, if need be to another server; 0: none."""
    answers: list[str] = field(default_factory=list)
    """What came with them: the body, or where a redirection leads."""
    checkpoints: list[str] = field(default_factory=list)
    """Which the server handed out before and after."""
    receipts: list[str] = field(default_factory=list)
    """As files, of answers that lead to one."""


def build(folder: Path) -> Path:
    """Compile the faults; raises FileNotFoundError without a C compiler."""
    made = folder / "faults.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, _SOURCE, "-ldl"], check=True)
    return made


class Machine:
    """The nursery; use as a context manager.

    Args:
        library: what :func:`build` made.
    """

    def __init__(self, library: Path) -> None:
        """Start it."""
        path = os.pathsep.join(filter(None, sys.path))
        environment = os.environ | {"PYTHONPATH": path, "LD_PRELOAD": str(library)}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__],  # Lance warns of forks: see the module's docstring
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with self._process:
            self._process.stdin.close()

    def command(self, root: Path, *words: str, fault: Fault = Fault(), days: int = 0) -> Outcome:  # frozen
        """Run a command of the command line in a workspace.

        Args:
            root: the workspace.
            words: the command and its arguments, without the workspace.
            fault: what goes wrong.
            days: by how much the clock is wrong.
        """
        return self._ask(root, fault, days, words=[*words, "-w", str(root)])

    def request(
        self, root: Path, method: str, path: str, *, body: str = "", headers: Mapping[str, str] | None = None,
        fault: Fault = Fault(), days: int = 0,  # frozen
    ) -> Outcome:  # fmt: skip
        """Send a request to a server of the workspace while something goes wrong, and the same again after."""
        request = {"method": method, "path": path, "body": body, "headers": dict(headers or {})}
        return self._ask(root, fault, days, request=request)

    def _ask(self, root: Path, fault: Fault, days: int, **what: object) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"root": str(root), "fault": asdict(fault), "days": days, **what}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the nursery ended"
        return Outcome(**json.loads(line))


# In the nursery


class _Faults:
    """The library that was loaded before all others."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.faults_said.restype = ctypes.c_char_p
        self._library.faults_shift.argtypes = [ctypes.c_long]

    def arm(self, root: str, fault: Fault) -> None:
        self._library.faults_arm(root.encode(), HOWS.index(fault.how), fault.at, fault.error)

    def disarm(self) -> tuple[list[str], bool]:
        """The calls that were counted, and whether the fault came."""
        self._library.faults_disarm()
        count = min(self._library.faults_count(), _MOST_SAID)
        said = [self._library.faults_said(number).decode(errors="replace") for number in range(count)]
        return said, bool(self._library.faults_fired())

    def shift(self, days: int) -> None:
        self._library.faults_shift(days * 86_400)


def _serve() -> None:
    _load()
    faults = _Faults()
    for line in sys.stdin:
        order = json.loads(line)
        root, fault = order["root"], Fault(**order["fault"])
        faults.shift(order["days"])
        if "words" in order:
            found = _commanded(faults, root, fault, order["words"])
        else:
            found = _requested(faults, root, fault, order["request"])
        faults.shift(0)
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
        sys.stdout.flush()


def _load() -> None:
    """What children use, so that none of them has to load it again."""
    for name in _USED:
        import_module(name)


def _child(do: Callable[[], int], out: int, err: int) -> int:
    """Fork; the child's number."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdin.close()
        code = do()
    except BaseException:  # noqa: BLE001  # the child ends here, whatever it met, and says what that was
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _commanded(faults: _Faults, root: str, fault: Fault, words: list[str]) -> Outcome:
    files = [os.memfd_create(name) for name in ("out", "err")]
    faults.arm(root, fault)
    child = _child(lambda: run(words), *files)
    _, status = os.waitpid(child, 0)
    steps, fired = faults.disarm()
    out, said = (_content(each) for each in files)
    return Outcome(steps, fired, os.waitstatus_to_exitcode(status), out, said)


def _content(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(file, encoding="utf-8", errors="replace") as reader:
        return reader.read()


class _Server:
    """A server in a child."""

    def __init__(self, root: str) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.port: int = self._socket.getsockname()[1]
        self._err = os.memfd_create("err")
        self._pid = _child(lambda: self._run(root), self._err, self._err)
        self.send("GET", "/healthz")

    def _run(self, root: str) -> int:
        app = create_app(Workspace(Path(root)))
        uvicorn.Server(serving.config(app, "127.0.0.1", 0)).run(sockets=[self._socket])
        return 0

    def send(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and answer; 0 where none came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()
        return answer.status, answer.headers["location"] or text

    def end(self) -> str:
        """Wait for its end, which is a kill on its way or one from here; what it said."""
        os.kill(self._pid, signal.SIGKILL)  # a child that has ended and was not waited for is still there
        os.waitpid(self._pid, 0)
        self._socket.close()
        return _content(self._err)


def _requested(faults: _Faults, root: str, fault: Fault, request: dict[str, Any]) -> Outcome:
    server = _Server(root)
    checkpoints = [server.send("GET", "/log/checkpoint")]
    faults.arm(root, fault)
    answers = [server.send(**request)]
    if fault.kills:  # it may strike what comes after the answer
        time.sleep(0.02)
    steps, fired = faults.disarm()
    killed = fired and fault.kills
    said = ""
    if killed:
        said, server = server.end(), _Server(root)
    answers.append(server.send(**request))
    checkpoints.append(server.send("GET", "/log/checkpoint"))
    leading = {answer for status, answer in answers if status == http.client.SEE_OTHER}
    receipts = [server.send("GET", f"{each}/proof") for each in leading]
    said += server.end()
    return Outcome(
        steps,
        fired,
        -signal.SIGKILL if killed else 0,
        said=said,
        statuses=[status for status, _ in answers],
        answers=[answer for _, answer in answers],
        checkpoints=[answer for status, answer in checkpoints if status == http.client.OK],
        receipts=[answer for status, answer in receipts if status == http.client.OK],
    )


if __name__ == "__main__":
    _serve()
