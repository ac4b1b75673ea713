"""Mails: a rendered text as a message that any server takes.

Invariants: a header that holds words is made by the email package, on one line of words; a mail says
that a machine sent it (RFC 3834), loads nothing and measures nothing; its Message-ID follows from what it is, by a
keyed hash, so that a repeat carries the same one, and tells nobody whom it is to. Relays replace Message-IDs: so it
stands in a field of ours, too, and in the address that the mail comes back to, where the policy has one for each.
"""

import base64
import hmac
import re
from binascii import b2a_qp
from collections.abc import Iterable
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from demur.errors import PolicyError
from demur.identity import Keys
from demur.notices.rendering import Rendered
from demur.policy import Policy
from demur.spelling import in_dns
from demur.terms import Channel
from demur.tokens import derived
from demur.worker.transport import Mail

_ADDRESS: Final = re.compile(
    r"([^\s<>()\[\],;:\\\"@\x00-\x20\x7f-\x9f]{1,64})@([^\s<>()\[\],;:\\\"@/\x00-\x20\x7f-\x9f]+)"
)
_HOST: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE)
_LONGEST_ADDRESS: Final = 254  # RFC 5321, section 4.5.3.1.3
_MAILS: Final = "messages"
_SINGLE: Final = re.compile(r"<?([0-9a-f]{40})([0-9a-f]{16})@[^<>\s]+>?")
_NAME: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{16})?")
"""What is before the @ of a Message-ID of ours: a notice's, or a single mail's."""
_CODE: Final = "{code}"
NAMED: Final = "X-Demur-Mail"
"""The field that holds the Message-ID a second time: servers give it back, and relays leave it alone."""
_NOWHERE: Final = "demur@localhost"
"""The sender of mails that only lie in the outbox, where the policy names none."""


class BadAddressError(ValueError):
    """A mail address that no mail can be written to; it says nothing of the address."""


class Post:
    """Makes the mails of one policy."""

    def __init__(self, policy: Policy, keys: Keys) -> None:
        self._sender = _sender(policy)
        self._bounce = _bounce(policy)
        self._from = _from(_line(policy.controller.name), self._sender)
        self._secret = derived(keys, _MAILS)

    @property
    def sender(self) -> str:
        """The address on every envelope."""
        return self._sender

    @property
    def domain(self) -> str:
        """The sender's, as it greets servers."""
        return self._sender.rpartition("@")[2]

    @property
    def returns_tagged(self) -> bool:
        """Whether each mail comes back to an address of its own."""
        return _CODE in self._bounce

    def notice_id(self, campaign: str, subject: int, channel: Channel) -> str:
        """The Message-ID of a notice, without angle brackets."""
        return self._id("notice", campaign, str(subject), channel.value)

    def mail_id(self, number: int) -> str:
        """The Message-ID of a single mail: its holder alone can say which one came back."""
        return f"{mail_name(self._secret, number)}@{self.domain}"

    def mail(self, rendered: Rendered, address: str, message_id: str) -> Mail:
        """A mail to one address.

        Raises:
            BadAddressError: when nothing can be sent to it.
        """
        local, domain = split(address)
        whole = f"{local}@{domain}"
        boundary = f"=_{message_id.partition('@')[0]}"
        head = (
            self._from,
            f"To: {whole}\r\n",  # split() lets nothing through that would need quoting
            _subject(rendered.subject),
            f"Date: {format_datetime(datetime.now(UTC))}\r\n",
            f"Message-ID: <{message_id}>\r\n",
            f"{NAMED}: <{message_id}>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            _header("Content-Language", rendered.language),
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n',
        )
        parts = (_part("plain", rendered.text), _part("html", rendered.html))
        body = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
        content = "".join(head).encode() + body + f"--{boundary}--\r\n".encode()
        sender = self._bounce.replace(_CODE, code_of(message_id))
        return Mail(whole, message_id, content, not local.isascii(), sender)

    def named(self, names: Iterable[str], addresses: Iterable[str]) -> list[str]:
        """The Message-IDs, of ours or not, that a mail which came back may be about.

        Args:
            names: Message-IDs, and what may be before the @ of one of ours.
            addresses: to which it came back.
        """
        head, mark, tail = self._bounce.lower().partition(_CODE)
        tagged = [each.lower() for each in addresses] if mark else []
        codes = [each[len(head) : len(each) - len(tail)] for each in tagged if _between(each, head, tail)]
        found = [*names, *filter(None, map(name_of, codes))]
        ours = [each.partition("@")[0].lower() for each in found]
        return list(dict.fromkeys([*(f"{each}@{self.domain}" for each in ours if _NAME.fullmatch(each)), *found]))

    def _id(self, *parts: str) -> str:
        said = "\0".join(parts).encode()
        return f"{hmac.digest(self._secret, said, 'sha256')[:20].hex()}@{self.domain}"


def code_of(message_id: str) -> str:
    """A Message-ID of ours as what may stand in an address: letters and digits, whatever their case (RFC 4648)."""
    name = message_id.partition("@")[0]
    return base64.b32encode(bytes.fromhex(name)).decode().rstrip("=").lower() if _NAME.fullmatch(name) else ""


def name_of(code: str) -> str | None:
    """What is before the @ of the Message-ID whose code this is; None if it can't be one."""
    try:
        name = base64.b32decode(code.upper() + "=" * (-len(code) % 8)).hex()
    except ValueError:
        return None
    return name if _NAME.fullmatch(name) else None


def _between(text: str, head: str, tail: str) -> bool:
    return len(text) > len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def mail_name(secret: bytes, number: int) -> str:
    """A keyed hash, and the number in a form that tells nobody how many mails there are."""
    code = hmac.digest(secret, f"letter\0{number}".encode(), "sha256")[:20]
    return f"{code.hex()}{number ^ _pad(secret, code):016x}"


def mail_of(keys: Keys, message_id: str) -> int | None:
    """The number of the single mail that a Message-ID is of; None if it is none of ours."""
    found = _SINGLE.fullmatch(message_id.strip())
    if found is None:
        return None
    secret = derived(keys, _MAILS)
    number = int(found[2], 16) ^ _pad(secret, bytes.fromhex(found[1]))
    ours = hmac.compare_digest(mail_name(secret, number), found[1] + found[2])
    return number if ours else None


def _pad(secret: bytes, code: bytes) -> int:
    return int.from_bytes(hmac.digest(secret, b"number\0" + code, "sha256")[:8], "big")


def _sender(policy: Policy) -> str:
    sender = policy.mail.sender or policy.controller.contact
    if not sender and policy.mail.server:
        raise PolicyError("No mail can leave without a sender: set `sender` in [mail], or the controller's contact.")
    try:
        return "@".join(split(sender or _NOWHERE))
    except BadAddressError:
        raise PolicyError("No server takes mails from this `sender` of [mail]: write a plain mail address.") from None


def _bounce(policy: Policy) -> str:
    """Where mails come back to, with the place of their code, as it stands on an envelope; "" for the sender."""
    address = policy.mail.bounce_address
    try:
        domain = split(address.replace(_CODE, "x"))[1] if address else ""
    except BadAddressError:
        raise PolicyError(
            "Nothing can come back to this `bounce_address` of [mail]: write a plain mail address."
        ) from None
    return f"{address.rpartition('@')[0]}@{domain}" if address else ""


def _part(subtype: str, text: str) -> bytes:
    """One part, quoted-printable (RFC 2045, section 6.7)."""
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + b2a_qp("\r\n".join([*text.splitlines(), ""]).encode(), istext=True)


@lru_cache(maxsize=256)
def _header(name: str, value: str) -> str:
    """A header line in ASCII, folded; the email package takes a millisecond for one."""
    return str(SMTP.fold(name, SMTP.header_factory(name, value)))


def _subject(words: str) -> str:
    if words.isascii():
        return _header("Subject", words)
    return f"Subject: {_encoded(words, 'Subject')}\r\n"


def _from(name: str, address: str) -> str:
    if name.isascii():
        return _header("From", str(Address(name, addr_spec=address)))
    return f"From: {_encoded(name, 'From')}\r\n <{address}>\r\n"


def _encoded(words: str, name: str) -> str:
    """Words beyond ASCII (RFC 2047): the policy would lose a space where it folds, or leave one too many."""
    return Header(_line(words), "utf-8", header_name=name).encode(linesep="\r\n")


def _line(text: str) -> str:
    return " ".join(text.split())


def split(address: str) -> tuple[str, str]:
    """An address in two, its domain in ASCII (RFC 5891).

    Raises:
        BadAddressError: when it is none.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise BadAddressError
    local, domain = found[1], found[2] if found[2].isascii() else in_dns(found[2])
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if dots or not _HOST.fullmatch(domain) or len(f"{local}@{domain}".encode()) > _LONGEST_ADDRESS:
        raise BadAddressError
    return local, domain
