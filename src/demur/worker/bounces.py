"""Mails that came back: delivery status notifications (RFC 3464) read for what they say of a notice.

Invariants: only a recipient that failed for good counts; a delay, a relay and a success do not. What is read comes
from anybody: what parsing it may cost is bounded before it is parsed, nothing of it is executed or kept but a
Message-ID and a code, and whatever it is, reading it raises nothing. Which notice came back is told by the original's
Message-ID, which nobody can guess who has not got the mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final

from demur.identity import Keys
from demur.objecting.mail_bounds import Bounds, exceeded
from demur.register import Register
from demur.worker.mails import mail_of

LARGEST_BYTES: Final = 2 * 1024 * 1024
_MOST: Final = Bounds(lines=50_000, parts=500, work=2_000_000)
"""A second at most; a mail of 2 MB that came back has half of it."""
_MOST_PARTS: Final = 50
_HEADER_LENGTH: Final = 2000
_MESSAGE_ID: Final = re.compile(r"<\s*([^<>\s]{3,250}@[^<>\s]{1,250})\s*>")
_STATUS: Final = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_REPORT: Final = "message/delivery-status"
_ORIGINALS: Final = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


@dataclass(frozen=True)
class Bounce:
    """One mail that will never arrive."""

    message_id: str
    """Of the mail that came back, without angle brackets."""
    cause: str
    """A status code (RFC 3463)."""


def read_dsn(data: bytes) -> Bounce | None:
    """What came back for good; None for anything else."""
    if len(data) > LARGEST_BYTES or exceeded(data, _MOST):
        return None
    try:
        return _read(message_from_bytes(data, policy=policy.compat32))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # hostile or broken: the email package has no one error for it


def read_bounces(data: bytes) -> list[tuple[str, str]]:
    """What came back for good, as a list of (Message-ID, cause): one, or none."""
    found = read_dsn(data)
    return [] if found is None else [(found.message_id, found.cause)]


def record_bounce(register: Register, keys: Keys, message_id: str, cause: str) -> bool:
    """Record that a notice or a single mail came back; whether it is one of ours."""
    number = mail_of(keys, message_id)
    if number is None:
        return register.notices.bounced(message_id, cause=cause)
    return register.mails.bounced(number, cause=cause)


def _read(message: Message) -> Bounce | None:
    if message.get_content_type() != "multipart/report":
        return None
    cause = message_id = None
    for part in _parts(message):
        kind = part.get_content_type()
        if kind in {_REPORT, "message/global-delivery-status"}:
            cause = cause or _failure(part)
        elif kind in _ORIGINALS:
            message_id = message_id or _original(part)
    return Bounce(message_id, cause) if cause and message_id else None


def _parts(message: Message) -> Iterator[Message]:
    """A message's own parts: nothing that lies deeper speaks for the server."""
    payload: object = message.get_payload()
    if isinstance(payload, list):
        yield from (part for part in payload[:_MOST_PARTS] if isinstance(part, Message))


def _failure(part: Message) -> str | None:
    """The status of the first recipient that failed for good (RFC 3464, section 2.3)."""
    for each in _parts(part):
        if str(each.get("Action", "")).strip().lower() == "failed":
            status = _STATUS.search(str(each.get("Status", "")))
            if status or not str(each.get("Status", "")).strip():
                return status.group() if status else "5.0.0"
    return None


def _original(part: Message) -> str | None:
    """The Message-ID among the headers that came back."""
    head = next(_parts(part), None)
    if head is None:
        text = part.get_payload(decode=True)
        head = BytesHeaderParser().parsebytes(text if isinstance(text, bytes) else b"")  # its body is nobody's to parse
    found = _MESSAGE_ID.search(str(head.get("Message-ID", ""))[:_HEADER_LENGTH])
    return found[1] if found else None
