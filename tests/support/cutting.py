"""A PostgreSQL server whose line breaks just when a transaction commits, so that whoever committed does not know.

It stands between demur and the server, on a socket of its own, and reads what demur sends as far as it has to
(PostgreSQL's frontend/backend protocol 3.0): which connection holds the register's write lock, and when it commits.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MOMENTS: Final = ("before", "sent", "answered")
"""The COMMIT does not arrive; it is on its way; it was done, and its answer does not arrive."""
_PATIENCE_S: Final = 30
_NAME: Final = ".s.PGSQL.5432"
_LOCK: Final = b"pg_advisory_xact_lock"


class Line:
    """The connections; each is cut once where :meth:`cut` says so."""

    def __init__(self, folder: Path, server: Path) -> None:
        """Listen.

        Args:
            folder: where to; short, as a socket's path has at most 107 bytes.
            server: the folder of the server's socket.
        """
        self._server = server / _NAME
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / _NAME))
        self._listening.listen(64)
        self._armed: str | None = None
        self._skipping = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.cuts = 0
        """How many commits were cut off."""
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self, moment: str, after: int = 0) -> None:
        """Cut the next commit of a write transaction off.

        Args:
            moment: one of MOMENTS.
            after: so many commits pass before.
        """
        with self._lock:
            self._armed, self._skipping = moment, after

    def mend(self) -> None:
        """Cut nothing any more."""
        with self._lock:
            self._armed = None

    def close(self) -> None:
        """Take in nobody any more, and wait for those who are there."""
        hang_up(self._listening)
        self._accepting.join()
        self._listening.close()
        for each in self._threads:
            each.join(_PATIENCE_S)

    def due(self) -> str | None:
        """The moment at which this commit is cut off, if it is."""
        with self._lock:
            moment = self._armed
            if moment is not None and self._skipping:
                self._skipping -= 1
                return None
            self._armed = None
            self.cuts += moment is not None
            return moment

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                thread = threading.Thread(target=_Connection(self, client, server).run, daemon=True)
                self._threads.append(thread)
                thread.start()


class _Connection:
    """One client's."""

    def __init__(self, line: Line, client: socket.socket, server: socket.socket) -> None:
        self._line, self._client, self._server = line, client, server
        self._rest, self._begun, self._writes = b"", False, False
        self._statements: dict[bytes, bytes] = {}
        self._deaf, self._heard = threading.Event(), threading.Event()

    def run(self) -> None:
        """Pass on what both sides say, until one of them ends it or it is cut."""
        with self._client, self._server:
            answers = threading.Thread(target=self._answers, daemon=True)
            answers.start()
            self._asks()
            answers.join()

    def _answers(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(1 << 16):
                if self._deaf.is_set():
                    self._heard.set()
                    break
                self._client.sendall(data)
        hang_up(self._server, self._client)

    def _asks(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(1 << 16):
                moment = self._line.due() if self._commits(data) else None
                if moment is not None:
                    self._deaf.set()
                if moment != "before":
                    self._server.sendall(data)
                if moment == "answered":
                    self._heard.wait(_PATIENCE_S)
                if moment is not None:
                    break
        hang_up(self._server, self._client)

    def _commits(self, data: bytes) -> bool:
        """Whether a write transaction commits here."""
        found = False
        for kind, body in self._messages(data):
            text = self._text(kind, body)
            if _LOCK in text:
                self._writes = True
            elif text.strip().rstrip(b";").upper() in {b"COMMIT", b"ROLLBACK"}:
                found |= self._writes and text.strip().upper().startswith(b"COMMIT")
                self._writes = False
        return found

    def _text(self, kind: bytes, body: bytes) -> bytes:
        """The statement that a message runs; nothing where it runs none."""
        if kind == b"Q":
            return body.rstrip(b"\0")
        if kind == b"P":
            name, statement, *_ = body.split(b"\0")
            self._statements[name] = statement
        if kind == b"B":
            return self._statements.get(body.split(b"\0")[1], b"")
        return b""

    def _messages(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        self._rest += data
        while True:
            head = 1 if self._begun else 0
            if len(self._rest) < head + 4:
                return
            length = int.from_bytes(self._rest[head : head + 4])
            if len(self._rest) < head + length:
                return
            kind, body = self._rest[:head], self._rest[head + 4 : head + length]
            self._rest = self._rest[head + length :]
            if self._begun:
                yield kind, body
            self._begun = self._begun or body[:2] == b"\0\3"  # a request to encrypt comes before the start


def hang_up(*ends: socket.socket) -> None:
    """End a connection at both sides."""
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def line(folder: Path, server: Path) -> Iterator[Line]:
    """One that ends with the block."""
    made = Line(folder, server)
    try:
        yield made
    finally:
        made.close()
        (folder / _NAME).unlink()
