"""SMTP (RFC 5321): mails to the server that the policy names, over a few connections that stay open.

Invariants: nothing goes out before the connection is protected as the policy says, with the server's certificate
checked; a mail is tried a second time on a fresh connection only where the first one broke before the server could
have taken it over. What is ambiguous, a connection that breaks after the mail's last line, is tried again later with
the same Message-ID.
"""

import queue
import re
import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from demur.policy import Mail as MailPolicy
from demur.policy.fields import loopback
from demur.worker.transport import SENT, Fate, Handover, Mail, Throttle

_OK: Final = 250
_FORWARDED: Final = 251
_CLOSING: Final = 421
_PERMANENT: Final = 500
_ENHANCED: Final = re.compile(rb"[45]\.\d{1,3}\.\d{1,3}(?!\S)")  # RFC 3463, section 2


@dataclass(frozen=True)
class Timeouts:
    """Seconds."""

    greeting: float = 15
    command: float = 60
    end: float = 300
    """For the answer to the mail's last line, which decides (RFC 5321, section 4.5.3.2.6, asks for 600)."""
    idle: float = 20
    """After which a connection is not used again."""


TIMEOUTS: Final = Timeouts()


class _ClosedError(Exception):
    """The way is shut; the message says how, in plain words."""


class Smtp:
    """The server, with as many connections as the policy allows."""

    def __init__(
        self,
        policy: MailPolicy,
        password: str | None,
        sender: str,
        throttle: Throttle,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self._policy = policy
        self._password = password
        self._sender = sender
        self._throttle = throttle
        self._timeouts = timeouts
        self._lines: queue.LifoQueue[_Line] = queue.LifoQueue()
        for _ in range(policy.connections):
            self._lines.put(_Line(self))

    def carry(self, mail: Mail, *, urgent: bool = False) -> Handover:
        """Hand one over."""
        if not self._throttle.wait(urgent=urgent):
            return Handover(Fate.CLOSED, "stopping")
        line = self._lines.get()
        try:
            return line.carry(mail)
        finally:
            self._lines.put(line)

    def close(self) -> None:
        """Say good-bye on every connection."""
        with suppress(queue.Empty):
            while True:
                self._lines.get_nowait().hang_up()

    def connect(self) -> smtplib.SMTP:
        """A new connection, greeted, protected and signed in.

        Raises:
            _ClosedError: when the server can't be used.
        """
        try:
            return self._connect()
        except smtplib.SMTPAuthenticationError as error:
            raise _ClosedError(f"sign-in refused {error.smtp_code}") from None
        except ssl.SSLCertVerificationError:
            raise _ClosedError("certificate not valid") from None
        except ssl.SSLError:
            raise _ClosedError("tls failed") from None
        except smtplib.SMTPResponseException as error:
            raise _ClosedError(f"greeting refused {error.smtp_code}") from None
        except TimeoutError:
            raise _ClosedError("no answer in time") from None
        except (OSError, ValueError):  # smtplib's other errors are OSErrors
            raise _ClosedError("no connection") from None

    @property
    def sender(self) -> str:
        """The envelope's."""
        return self._sender

    @property
    def timeouts(self) -> Timeouts:
        """How long it waits."""
        return self._timeouts

    def _connect(self) -> smtplib.SMTP:
        host, port = address(self._policy.server)
        security = self._policy.security
        name, limit = self._sender.rpartition("@")[2], self._timeouts.greeting
        if security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=limit, context=context)
        else:
            server = smtplib.SMTP(host, port, name, timeout=limit)
        try:
            self._prepare(server, host, security)
        except BaseException:
            server.close()
            raise
        return server

    def _prepare(self, server: smtplib.SMTP, host: str, security: Literal["starttls", "tls", "none"]) -> None:
        server.ehlo_or_helo_if_needed()
        if security == "starttls":
            if not server.has_extn("starttls"):
                raise _ClosedError("no starttls offered")
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self._policy.user:
            if not server.has_extn("auth"):
                raise _ClosedError("no sign-in offered")
            if security == "none" and not loopback(host):
                raise _ClosedError("no password without tls")
            server.login(self._policy.user, self._password or "")
        _limit(server, self._timeouts.command)


class _Line:
    """One connection, opened when it is needed; one thread at a time has it."""

    def __init__(self, to: Smtp) -> None:
        self._to = to
        self._server: smtplib.SMTP | None = None
        self._used = 0.0

    def carry(self, mail: Mail) -> Handover:
        """Hand one over."""
        kept = self._server is not None
        answer = self._try(mail)
        if answer is None and kept:  # an old connection had ended; the mail itself was not begun
            answer = self._try(mail)
        return answer or Handover(Fate.LATER, "connection lost")

    def hang_up(self) -> None:
        """End the connection."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._drop()

    def _try(self, mail: Mail) -> Handover | None:
        """Hand one over; None if the connection ended before the mail was begun."""
        try:
            server = self._open()
        except _ClosedError as error:
            return Handover(Fate.CLOSED, str(error))
        begun = False
        try:
            answer = self._envelope(server, mail)
            if answer is None:
                begun = True
                answer = self._content(server, mail)
        except (OSError, smtplib.SMTPException, ValueError):
            self._drop()
            return Handover(Fate.LATER, "connection lost") if begun else None
        self._used = time.monotonic()
        if answer.fate is not Fate.SENT:
            self._settle(server)
        return answer

    def _open(self) -> smtplib.SMTP:
        if self._server is not None and time.monotonic() - self._used > self._to.timeouts.idle:
            self.hang_up()
        if self._server is None:
            self._server = self._to.connect()
        return self._server

    def _envelope(self, server: smtplib.SMTP, mail: Mail) -> Handover | None:
        """The sender and the recipient; an answer where one of them was refused."""
        options = []
        if mail.utf8:
            if not server.has_extn("smtputf8"):
                return Handover(Fate.NEVER, "address needs smtputf")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        code, _ = server.mail(mail.sender or self._to.sender, options)
        if code != _OK:
            return _closing(code) or Handover(Fate.CLOSED, f"sender refused {code}")
        code, said = server.rcpt(mail.address)
        return None if code in {_OK, _FORWARDED} else _closing(code) or _refused(code, said)

    def _content(self, server: smtplib.SMTP, mail: Mail) -> Handover:
        """The message itself; the answer to its last line decides."""
        _limit(server, self._to.timeouts.end)
        try:
            code, said = server.data(mail.content)
        except smtplib.SMTPDataError as error:  # the server did not want it to begin
            code, said = error.smtp_code, _bytes(error.smtp_error)
        _limit(server, self._to.timeouts.command)
        return SENT if code == _OK else _refused(code, said)

    def _settle(self, server: smtplib.SMTP) -> None:
        """Make the connection fit for the next mail, or give it up."""
        try:
            code, _ = server.rset()
        except (OSError, smtplib.SMTPException):
            code = 0
        if code != _OK:
            self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def address(server: str) -> tuple[str, int]:
    """Host and port of "host:port" or "[v6]:port"."""
    host, _, port = server.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _refused(code: int, said: bytes) -> Handover:
    """What a refusal means; its enhanced code, if it has one, says more than the plain one.

    Nothing else of a reply is kept: it may name the reader.
    """
    found = _ENHANCED.match(said)
    cause = found.group().decode() if found else str(code)
    return Handover(Fate.NEVER if code >= _PERMANENT else Fate.LATER, cause)


def _closing(code: int) -> Handover | None:
    return Handover(Fate.LATER, str(code)) if code == _CLOSING else None


def _limit(server: smtplib.SMTP, seconds: float) -> None:
    if server.sock is not None:
        server.sock.settimeout(seconds)


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()
