"""A mail as a file (RFC 5322, MIME), read as what it is: whatever its sender typed.

Invariants: nothing of a mail is believed: its sender is who it says, its date is a hint; nothing in it is run, fetched
or written to disk; a broken charset, a wrong encoding or a missing header costs no more than itself, and what can't be
read at all is one sentence. Sizes, parts and depth are bounded before anything is decoded.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final

from demur.errors import SourceError
from demur.register.people import mail_account
from demur.sources.html import to_text

MOST_BYTES: Final = 25 * 1024 * 1024
"""The largest mail that is read, as large as most servers take."""
TEXT_LENGTH: Final = 100_000
"""Characters of a mail's text that are kept; the rest is cut off, and the text says so."""

_MOST_PARTS: Final = 200
_MOST_ATTACHED: Final = 20
_MOST_LIMITS: Final = 5000  # lines that may begin a part: what Python's parser splits within a fraction of a second
_HEADER_LENGTH: Final = 2000
_HEAD_BYTES: Final = 256 * 1024
_NAME_LENGTH: Final = 100
_OLDEST: Final = date(2000, 1, 1)
_HEADER: Final = re.compile(rb"(?:From )?[!-9;-~]+[ \t]*:?")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""What Python calls codecs of text and no mail uses."""
_ENCODED: Final = re.compile(r"=\?[^?]*\?[BbQq]\?[^?]*\?=")
_CUT: Final = "\n[The rest of this text was cut off.]"


@dataclass(frozen=True)
class Attached:
    """A file that came with a letter."""

    name: str
    type: str
    """Media type, as the sender said it."""
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """What a mail says."""

    sender: str
    """Name and address, as they were typed; "" if it has none."""
    account: str | None
    """The account that the sender's address is; None if it can't be one."""
    text: str = field(repr=False)
    """Sender, subject and what it says."""
    date: date | None
    """The day it says it was sent, UTC; None if that is no day of this century that has come."""
    attachments: tuple[Attached, ...] = field(repr=False)


def read_mail(content: bytes, *, now: datetime | None = None) -> Mail:
    """Read a mail.

    Args:
        content: of the file.
        now: no mail is of a later day.

    Raises:
        SourceError: for what is no mail, or too large, too deep or of too many parts.
    """
    if len(content) > MOST_BYTES:
        raise SourceError("This mail is larger than 25 MB: record what it says as text.")
    _check_head(content)
    try:
        message = message_from_bytes(content, policy=compat32)
        parts = list(_parts(message))
    except RecursionError:
        raise SourceError("This mail holds mails within mails without end: record what it says as text.") from None
    sender, subject = _header(message, "from"), _header(message, "subject")
    said = [each for part in parts if not part.get_filename() and (each := _text(part))]
    head = f"From: {sender}\nSubject: {subject}\n\n"
    return Mail(
        sender=sender,
        account=_account(message),
        text=_bounded(head + "\n\n".join(_preferred(said))),
        date=_day(message, now or datetime.now(UTC)),
        attachments=tuple(_attached(parts)),
    )


def _check_head(content: bytes) -> None:
    """A mail begins with header fields, and they are not endless."""
    head = re.split(rb"\r?\n\r?\n", content[: _HEAD_BYTES + 4], maxsplit=1)[0]
    found = _HEADER.match(content)
    if found is None or not (found[0].endswith(b":") or content.startswith(b"From ")):
        raise SourceError("This file is no mail: save the mail as .eml, or record what it says as text.")
    if len(head) > _HEAD_BYTES:
        raise SourceError("This mail has headers without end: record what it says as text.")
    if content.count(b"\n--") > _MOST_LIMITS:
        raise SourceError("This mail has parts without end: record what it says as text.")


def _parts(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """The parts of a mail that hold something; a mail within the mail is one part."""
    ahead, seen = [message], 0
    while ahead:
        part = ahead.pop(0)
        seen += 1
        if seen > _MOST_PARTS:
            raise SourceError(f"This mail has more than {_MOST_PARTS} parts: record what it says as text.")
        inner = part.get_payload()
        if isinstance(inner, list) and part.get_content_type() != "message/rfc822":
            ahead[:0] = [each for each in inner if isinstance(each, Message)]
        else:
            yield part


@dataclass(frozen=True)
class _Said:
    """A part that is text."""

    html: bool
    text: str


def _preferred(said: list[_Said]) -> list[str]:
    """The plain texts; what was HTML only where there is no other."""
    plain = [each.text for each in said if not each.html]
    return plain or [each.text for each in said]


def _text(part: "Message[str, str]") -> _Said | None:
    kind = part.get_content_type()
    if kind not in {"text/plain", "text/html"}:
        return None
    raw = _decode(_content(part), part)
    text = to_text(raw[: 4 * TEXT_LENGTH])[0] if kind == "text/html" else raw
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return _Said(kind == "text/html", text) if text else None


def _decode(content: bytes, part: "Message[str, str]") -> str:
    """A part's text in the charset it says, as UTF-8 where that is none."""
    try:
        charset = codecs.lookup(part.get_content_charset("utf-8")).name
        return content.decode("utf-8" if charset in _NO_CHARSETS else charset, errors="replace")
    except (LookupError, ValueError):  # no such charset, or no codec of text
        return content.decode(errors="replace")


def _content(part: "Message[str, str]") -> bytes:
    if part.is_multipart():
        return part.as_bytes()
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _attached(parts: list["Message[str, str]"]) -> Iterator[Attached]:
    """What is neither the mail's text nor empty, under a name that is harmless."""
    number = 0
    for part in parts:
        kind = part.get_content_type()
        if part.get_filename() is None and kind in {"text/plain", "text/html"}:
            continue
        content = _content(part)
        if not content:
            continue
        number += 1
        if number > _MOST_ATTACHED:
            raise SourceError(f"This mail has more than {_MOST_ATTACHED} attachments: record what it says as text.")
        yield Attached(_file_name(part, number), kind[:_NAME_LENGTH], content)


def _file_name(part: "Message[str, str]", number: int) -> str:
    said = _decoded(str(part.get_filename() or ""))
    tidy = re.sub(r"[^\w. -]", "_", _CONTROL.sub("", said.replace("\n", " "))).strip(" .")
    return tidy[-_NAME_LENGTH:] or f"attachment-{number}"


def _header(message: "Message[str, str]", name: str) -> str:
    """A header on one line, decoded (RFC 2047) as far as it can be."""
    return " ".join(_CONTROL.sub(" ", _decoded(str(message.get(name, ""))[:_HEADER_LENGTH])).split())


def _account(message: "Message[str, str]") -> str | None:
    """The account that the sender's address is; encoded words (RFC 2047) hold names, and no address hides in them."""
    raw = _ENCODED.sub("x", " ".join(str(message.get("from", ""))[:_HEADER_LENGTH].split()))
    try:
        return mail_account(parseaddr(raw)[1])
    except RecursionError:  # brackets within brackets
        return None


def _decoded(raw: str) -> str:
    try:
        text = str(make_header(decode_header(raw)))
    except (LookupError, ValueError, UnicodeError):
        text = raw
    return text.encode(errors="replace").decode()


def _day(message: "Message[str, str]", now: datetime) -> date | None:
    try:
        said = parsedate_to_datetime(str(message.get("date", ""))[:_HEADER_LENGTH])
        day = (said if said.tzinfo is None else said.astimezone(UTC)).date()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return day if _OLDEST <= day <= now.date() + timedelta(days=1) else None


def _bounded(text: str) -> str:
    text = text.encode(errors="replace").decode().strip()
    return text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH] + _CUT
