"""A real SMTP server on loopback (aiosmtpd), and one that misbehaves as it is told.

Invariants: both listen on a free port of 127.0.0.1 and in threads of this process; whatever they take is kept as
(recipient, bytes); nothing leaves the machine.
"""

import datetime as dt
import socketserver
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER: Final = "harbour"
PASSWORD: Final = "over the water"  # of the test's own server


@dataclass
class Postbox:
    """What a server took, in order; a handler of aiosmtpd."""

    mails: list[tuple[str, bytes]] = field(default_factory=list)
    sessions: int = 0

    async def handle_DATA(self, _server: object, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take one."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.extend((address, content) for address in envelope.rcpt_tos)
        return "250 2.0.0 taken"

    def messages(self) -> list[EmailMessage]:
        """What was taken, parsed."""
        parsed = [message_from_bytes(content, policy=policy.default) for _, content in self.mails]
        return [each for each in parsed if isinstance(each, EmailMessage)]

    def to(self) -> Counter[str]:
        """How many mails each recipient has."""
        return Counter(address for address, _ in self.mails)


class _Anywhere(Controller):
    """On a port that the system chose."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it runs
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's


@contextmanager
def server(box: Postbox, **options: Any) -> Iterator[str]:  # noqa: ANN401  # of aiosmtpd
    """An honest server; "host:port"."""
    controller = _Anywhere(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def authenticator(_server: object, _session: object, _envelope: object, _mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401  # aiosmtpd's
    """Lets USER in with PASSWORD."""
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for an address: its file, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "demur test")])
    today = dt.datetime.now(dt.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(today - dt.timedelta(days=1))
    built = built.not_valid_after(today + dt.timedelta(days=2))
    built = built.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
    made = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, secret)
    return cert, context


@dataclass
class Manners:
    """How a bad server behaves; each is counted down, for the first mails only."""

    defer: int = 0
    """RCPT is answered by 451."""
    drop: int = 0
    """The connection ends after DATA was begun."""
    swallow: int = 0
    """The mail is taken, and the connection ends instead of an answer."""
    mute: int = 0
    """No greeting."""
    busy: int = 0
    """421 instead of a greeting."""
    slow_s: float = 0.0
    """Before each answer."""
    reject: frozenset[str] = frozenset()
    """Addresses that are refused,"""
    refusal: str = "550 5.1.1 no such person"
    """by this answer."""
    mails: list[str] = field(default_factory=list)
    """Recipients of what was taken."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, name: str) -> bool:
        """Whether to behave like this now."""
        with self._lock:
            left = getattr(self, name)
            setattr(self, name, max(left - 1, 0))
            return bool(left)


class _Bad(socketserver.StreamRequestHandler):
    """One connection."""

    server: "_BadServer"

    def handle(self) -> None:
        """Behave as told."""
        if self.server.manners.spend("mute"):
            self.rfile.readline()  # until the other side gives up
        elif self.server.manners.spend("busy"):
            self._say("421 4.3.2 busy")
        else:
            with suppress(OSError):
                self._talk()

    def _say(self, line: str) -> None:
        time.sleep(self.server.manners.slow_s)
        self.wfile.write(f"{line}\r\n".encode())

    def _talk(self) -> None:
        self._say("220 bad.example")
        to = ""
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                to = line[line.index("<") + 1 : line.index(">")]
                self._answer(to)
            elif verb != "DATA":
                self._say("221 bye" if verb == "QUIT" else "250 ok")
            elif not self._take(to):
                return

    def _answer(self, to: str) -> None:
        manners = self.server.manners
        answer = manners.refusal.format(to=to) if to in manners.reject else "250 ok"
        self._say("451 4.7.1 come again" if manners.spend("defer") else answer)

    def _take(self, to: str) -> bool:
        """Whether the talk goes on."""
        manners = self.server.manners
        self._say("354 go on")
        if manners.spend("drop"):
            return False
        while self.rfile.readline() != b".\r\n":
            pass
        manners.mails.append(to)
        if manners.spend("swallow"):
            return False
        self._say("250 2.0.0 taken")
        return True


class _BadServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    manners: Manners


@contextmanager
def bad_server(manners: Manners) -> Iterator[str]:
    """A hand-written server; "host:port"."""
    with _BadServer(("127.0.0.1", 0), _Bad) as running:
        running.manners = manners
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()
