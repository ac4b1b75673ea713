"""A letter that came as a mail, saved as a file (RFC 5322, MIME), read as what it is: whatever was typed.

Invariants: nothing of a mail is believed: its sender is who it says, its date is a hint; nothing in it is run, fetched
or written to disk; a broken charset, a wrong encoding or a missing header costs no more than itself, and what can't be
read at all is one sentence. What parsing it may cost is bounded before it is parsed (mail_bounds.py); its parts and
depth are, before anything is decoded.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final

from demur.characters import IN_TEXT, UNSEEN
from demur.errors import SourceError
from demur.objecting.automatic import answers_itself, decoded, raw_field
from demur.objecting.mail_bounds import Bounds, exceeded
from demur.objecting.origins import Origins, origins_of
from demur.patterns import lazily
from demur.register.members.people import mail_account
from demur.sources.html import to_text
from demur.spelling import DEFAULT, Names

MOST_BYTES: Final = 25 * 1024 * 1024
"""The largest mail that is read, as large as most servers take."""
TEXT_LENGTH: Final = 100_000
"""Characters of a mail's text that are kept; the rest is cut off, and the text says so."""

_MOST: Final = Bounds(lines=500_000, parts=5000, work=10_000_000)
"""Some seconds at most; an attachment of 25 MB has a third of a million lines."""
_MOST_PARTS: Final = 200
_MOST_DEPTH: Final = 20
_MOST_ATTACHED: Final = 20
_HEADER_LENGTH: Final = 2000
_HEAD_BYTES: Final = 256 * 1024
_NAME_LENGTH: Final = 100
_OLDEST: Final = date(2000, 1, 1)
_HEADER: Final = re.compile(rb"(?:From )?[!-9;-~]+[ \t]*:?")
_REPORT: Final = "multipart/report"
_CONTROL: Final = lazily(f"[{IN_TEXT}{UNSEEN}]")
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
class Letter:
    """A letter that came by mail."""

    sender: str
    """Name and address, as they were typed; "" if it has none."""
    account: str | None
    """The account that the sender's address is; None if it can't be one."""
    text: str = field(repr=False)
    """Sender, subject and what it says."""
    date: date | None
    """The day it says it was sent, UTC; None if that is no day of this century that has come."""
    attachments: tuple[Attached, ...] = field(repr=False)
    subject: str = field(default="", repr=False)
    automatic: bool = False
    """Whether a machine answered (RFC 3834), or a mail server reports (RFC 6522): that is no letter of anybody's."""
    origins: Origins = field(default_factory=Origins)
    """Whom it names as its writer besides."""


def read_letter(content: bytes, *, now: datetime | None = None, names: Names = DEFAULT) -> Letter:
    """Read a mail.

    Args:
        content: of the file.
        now: no mail is of a later day.
        names: how the policy says that mail addresses are compared.

    Raises:
        SourceError: for what is no mail, or too large, too deep or of too many parts.
    """
    if len(content) > MOST_BYTES:
        raise _refused("is larger than 25 MB")
    _check_head(content)
    if too_much := exceeded(content, _MOST):
        raise _refused(f"has {too_much}")
    try:
        return _read(message_from_bytes(content, policy=compat32), now or datetime.now(UTC), names)
    except RecursionError:
        raise _refused("holds mails within mails without end") from None
    except (LookupError, ValueError):  # the email package has no one error for parameters in a broken charset
        raise _refused("is broken where it says what its parts are") from None


def _refused(why: str) -> SourceError:
    return SourceError(f"This mail {why}: record what it says as text.")


def _read(message: "Message[str, str]", now: datetime, names: Names) -> Letter:
    _check_depth(message)
    parts = list(_parts(message))
    sender, subject = header_of(message, "from"), header_of(message, "subject")
    head = f"From: {sender}\nSubject: {subject}\n\n"
    said = "\n\n".join(_said(parts))
    return Letter(
        sender=sender,
        account=_account(message, names),
        text=_bounded(head + said),
        date=_day(message, now),
        attachments=tuple(_attached(parts)),
        subject=subject,
        automatic=answers_itself(message) or message.get_content_type() == _REPORT,
        origins=origins_of(message, said[:TEXT_LENGTH], [each for part in parts for each in _inner(part)]),
    )


def _check_head(content: bytes) -> None:
    """A mail begins with header fields, and they are not endless."""
    head = re.split(rb"\r?\n\r?\n", content[: _HEAD_BYTES + 4], maxsplit=1)[0]
    found = _HEADER.match(content)
    if found is None or not (found[0].endswith(b":") or content.startswith(b"From ")):
        raise SourceError("This file is no mail: save the mail as .eml, or record what it says as text.")
    if len(head) > _HEAD_BYTES:
        raise _refused("has headers without end")


def _check_depth(message: "Message[str, str]") -> None:
    """Neither parts nor mails lie within each other deeper than any that was meant to be read."""
    level, depth = [message], 0
    while level:
        level = [each for part in level for each in _inner(part)]
        depth += 1
        if depth > _MOST_DEPTH:
            raise _refused("holds mails or parts within each other without end")


def _inner(part: "Message[str, str]") -> list["Message[str, str]"]:
    found = part.get_payload()
    return [each for each in found if isinstance(each, Message)] if isinstance(found, list) else []


def _parts(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """The parts of a mail that hold something; a mail within the mail is one part."""
    ahead, seen = [message], 0
    while ahead:
        part = ahead.pop(0)
        seen += 1
        if seen > _MOST_PARTS:
            raise _refused(f"has more than {_MOST_PARTS} parts")
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            ahead[:0] = _inner(part)
        else:
            yield part


def _said(parts: Sequence["Message[str, str]"]) -> list[str]:
    """The plain texts; what is HTML only where there is no other, and no more of it than could be kept."""
    texts = [part for part in parts if not _named(part)]
    plain = [_tidy(text_of(part)) for part in texts if part.get_content_type() == "text/plain"]
    if any(plain):
        return [each for each in plain if each]
    read, room = [], 4 * TEXT_LENGTH
    for part in texts:
        if part.get_content_type() == "text/html":
            raw = text_of(part)[:room]
            room -= len(raw)
            read.append(_tidy(to_text(raw)[0]))
    return [each for each in read if each]


def _tidy(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def text_of(part: "Message[str, str]") -> str:
    """A part's text, whatever its charset and its encoding are."""
    return _decode(_content(part), part)


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
        if _named(part) is None and kind in {"text/plain", "text/html"}:
            continue
        content = _content(part)
        if not content:
            continue
        number += 1
        if number > _MOST_ATTACHED:
            raise _refused(f"has more than {_MOST_ATTACHED} attachments")
        yield Attached(_file_name(part, number), kind[:_NAME_LENGTH], content)


def _named(part: "Message[str, str]") -> str | None:
    """The name that a part says it has as a file."""
    try:
        return part.get_filename()
    except (LookupError, ValueError):  # in a broken charset
        return "unreadable"


def _file_name(part: "Message[str, str]", number: int) -> str:
    said = _decoded(_named(part) or "")
    tidy = re.sub(r"[^\w. -]", "_", _CONTROL.sub("", said.replace("\n", " "))).strip(" .")
    return tidy[-_NAME_LENGTH:] or f"attachment-{number}"


def header_of(message: "Message[str, str]", name: str) -> str:
    """A header on one line, decoded (RFC 2047) as far as it can be."""
    return " ".join(_CONTROL.sub(" ", _decoded(raw_field(message, name)[:_HEADER_LENGTH])).split())


def _account(message: "Message[str, str]", names: Names) -> str | None:
    """The account that the sender's address is; encoded words (RFC 2047) hold names, and no address hides in them."""
    raw = _ENCODED.sub("x", " ".join(raw_field(message, "from")[:_HEADER_LENGTH].split()))
    try:
        return mail_account(parseaddr(raw)[1], names)
    except RecursionError:  # brackets within brackets
        return None


def _decoded(raw: str) -> str:
    return decoded(raw).encode(errors="replace").decode()


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
