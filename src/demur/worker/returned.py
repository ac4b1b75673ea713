"""What a mail says that came to the address for returned mails: given up for good, put off, a complaint, a reply.

Invariants: only what failed for good is RETURNED, whatever its code: "failed" means given up, with 4.x.x, too (RFC
3464, section 2.3.3); a complaint (RFC 5965), a delay, a success and an automatic reply (RFC 3834) never are. What is
read comes from anybody: what parsing it may cost is bounded before it is parsed, and so is each text before it is
searched; nothing of it is executed, and whatever it is, reading it raises nothing. What the mail that came back said
itself is left out before anything is judged: it speaks for nobody.

Reports as RFC 3464 has them are read here; what servers write in words alone is read by flufl.bounce, which knows
their formats, and by kinds of sentences (phrases.py).
"""

import binascii
import logging
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr
from enum import StrEnum
from itertools import islice
from typing import Final

from demur.objecting.automatic import answers_itself
from demur.objecting.eml import header_of, text_of
from demur.objecting.mail_bounds import Bounds, exceeded
from demur.sources.html import to_text
from demur.worker import phrases

LARGEST_BYTES: Final = 2 * 1024 * 1024
_MOST: Final = Bounds(lines=50_000, parts=500, work=2_000_000)
"""A second at most; a mail of 2 MB that came back has half of it."""
_MOST_PARTS: Final = 50
_MOST_DEPTH: Final = 5
_TEXT: Final = 32 * 1024
"""Characters of what a server says that are searched."""
_LINE: Final = 500
_STATUS_TEXT: Final = 64 * 1024
_MOST_NAMES: Final = 20

_REPORTS: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ORIGINALS: Final = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/partial"}
)
_FEEDBACK: Final = "message/feedback-report"

logging.getLogger("flufl.bounce").addHandler(logging.NullHandler())
logging.getLogger("flufl.bounce").propagate = False  # its log may name whom a mail was to


class Verdict(StrEnum):
    """What a mail says."""

    RETURNED = "returned"
    """A mail was given up for good."""
    DELAYED = "delayed"
    """It is still being tried, or it has arrived."""
    COMPLAINT = "complaint"
    """Its reader calls it spam: it has arrived."""
    AUTOMATIC = "automatic"
    """A machine answered in its reader's place: it has arrived."""
    UNCLEAR = "unclear"
    """None of these: perhaps a person wrote it."""


@dataclass(frozen=True)
class Reading:
    """One mail, read."""

    verdict: Verdict
    cause: str = ""
    """Of what was returned: a status code (RFC 3463), or a reply code."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """Message-IDs, without angle brackets, of what it may be about."""
    addresses: tuple[str, ...] = field(default=(), repr=False)
    """To which it came back, as far as it says: a tagged one says what it is about (VERP)."""
    failed: tuple[str, ...] = field(default=(), repr=False)
    """The names of the recipient, where a report with fields (RFC 3464) says of one alone that it was given up."""
    writers: tuple[str, ...] = field(default=(), repr=False)
    """Who the mail in it was from."""


_NOTHING: Final = Reading(Verdict.UNCLEAR)


def read_returned(data: bytes) -> Reading:
    """Read a mail; UNCLEAR for what is none, or too large, or hostile."""
    if len(data) > LARGEST_BYTES or exceeded(data, _MOST):
        return _NOTHING
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # some servers end lines with CR alone
    try:
        message = message_from_bytes(plain, policy=compat32)
        verdict, cause = _judged(message, plain)
        return Reading(verdict, cause, *_about(message, plain), *_recipients(message, verdict))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return _NOTHING  # hostile or broken: the email package has no one error for it


# What it says

Judged = tuple[Verdict, str]


def _judged(message: "Message[str, str]", plain: bytes) -> Judged:
    """The verdict, and the cause of what was returned."""
    own = list(_own(message))
    if _complains(message, own, plain):
        return Verdict.COMPLAINT, ""
    by_status = _by_status("\n\n".join(_status(part) for part in own if part.get_content_type() in _REPORTS))
    if by_status:
        return by_status
    answered, subject = answers_itself(message), header_of(message, "subject")
    otherwise = (Verdict.AUTOMATIC if answered else Verdict.UNCLEAR), ""
    server = _by_server(message, subject)
    if answered and not (_daemon(message) or phrases.is_failure(subject)):
        return otherwise
    if not server and not _ROBOTS.fullmatch(_sender(message)[1]):
        return otherwise
    return _by_words(message, own, subject, plainly=not server) or otherwise


def _own(part: "Message[str, str]", depth: int = 0) -> Iterator["Message[str, str]"]:
    """The parts that speak for the server: nothing that lies in the mail that came back."""
    kind, inner = part.get_content_type(), part.get_payload()
    if kind in _ORIGINALS and depth:
        return
    if kind in _REPORTS or kind == _FEEDBACK or not isinstance(inner, list):
        yield part
    elif depth < _MOST_DEPTH:
        for each in inner[:_MOST_PARTS]:
            if isinstance(each, Message):
                yield from _own(each, depth + 1)


_MARKED: Final = re.compile(rb"(?im)^(?:feedback-type|x-hmxmroriginalrecipient)[ \t]*:[ \t]*\w")
"""RFC 5965, section 3.1, and what one large service writes that has no such field."""
_NOTIFIED: Final = re.compile(r'"(?:notificationType|eventType)"\s*:\s*"(\w+)"')
"""Of a relay's report as JSON (Amazon SES, by way of SNS)."""
_COMPLAINING: Final = re.compile(
    r"(?i)(?:\w+:\s*)?(?:\S+ ){0,4}(?:abuse|spam|feedback|complaint|fraud)\b"
    r".{0,20}\b(?:report|about|complaint|notification)"
)


def _complains(message: "Message[str, str]", own: Iterable["Message[str, str]"], plain: bytes) -> bool:
    """Whether it is a complaint, or any other feedback report (RFC 5965, RFC 6591)."""
    if any(part.get_content_type() == _FEEDBACK for part in own) or _MARKED.search(plain):
        return True
    if str(message.get_param("report-type", "")).lower() == "feedback-report" or "X-ARF" in message:
        return True
    return _COMPLAINING.match(header_of(message, "subject")) is not None


_DAEMONS: Final = re.compile(
    r"(?ix) (?:.*[-._])? (?: mailer[-._]?daemon | mail[-._]?daemon | daemon | mdaemon | poo?st[-._]?master | mailer"
    r"| mail[-._]delivery[-._]\w+ | bounces? ) (?:[-+=].*)?"
)
_ROBOTS: Final = re.compile(
    r"(?i)(?:.*[-._])?(?:no|do[-._]?not|donot)[-._]?reply(?:[-+=].*)?|sysadmin|.+-(?:admin|owner|request)"
)
"""Whom people may be, too, or who write of much else: what they say has to be plain."""
_DAEMON_NAMES: Final = re.compile(
    r"(?i)\b(?:mail(?:er)? deliver\w*|mail (?:system|daemon)|delivery (?:sub)?(?:system|service)"
    r"|system administrator)\b"
)


def _daemon(message: "Message[str, str]") -> bool:
    """Whether a server's own address sent it, or none."""
    name, local = _sender(message)
    return not local or bool(_DAEMONS.fullmatch(local) or _DAEMON_NAMES.search(name))


def _sender(message: "Message[str, str]") -> tuple[str, str]:
    """Name, and what is before the @ of the address."""
    name, address = parseaddr(header_of(message, "from"))
    return name, address.rpartition("@")[0] or address


def _by_server(message: "Message[str, str]", subject: str) -> bool:
    """Whether a server reports, and no person: by its sender, its form, or the subject that servers give.

    An empty envelope sender alone tells nothing: automatic replies have it, too (RFC 3834, section 3.3).
    """
    report = message.get_content_type() == "multipart/report" or "X-Failed-Recipients" in message
    return report or _daemon(message) or phrases.is_failure(subject)


# By status (RFC 3464)

_BLOCKS: Final = re.compile(r"\n[ \t]*\n")
_ACTION: Final = re.compile(r"(?im)^[ \t>|]{0,20}action[ \t]*:[ \t]*([a-z-]+)")
_CODE: Final = re.compile(r"(?im)^[ \t>|]{0,20}status[ \t]*:[ \t]*([245]\.\d{1,3}\.\d{1,3})\b")
_OF: Final = re.compile(r"(?im)^[ \t>|]{0,20}(?:reporting-mta|(?:final|original)-recipient|diagnostic-code)[ \t]*:")
_GIVEN_UP: Final = ("fail", "error", "expired", "reject", "bounce", "undeliver")
"""How an action begins that is final: some servers write "failed (user unknown)", "error" or "expired"."""
_DEFERRED: Final = ("delay", "defer", "retr", "deliver", "relay", "expand")


def _by_status(text: str) -> Judged | None:
    """What the fields for recipients say; None where there are none that decide."""
    delayed = False
    for block in _BLOCKS.split(text):
        action, code = _ACTION.search(block), _CODE.search(block)
        said = action[1].lower() if action else ""
        if said.startswith(_GIVEN_UP) or (not action and code and code[1].startswith("5")):
            return Verdict.RETURNED, _cause(block)
        delayed = delayed or said.startswith(_DEFERRED)
    return (Verdict.DELAYED, "") if delayed else None


def _cause(block: str) -> str:
    code = _CODE.search(block)
    return code[1] if code else phrases.code_in(block)


def _status(part: "Message[str, str]") -> str:
    """The text of a part with fields, decoded: what RFC 6533 defines is UTF-8 as it is, or base64."""
    text = _flat(part)[:_STATUS_TEXT]
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    try:
        if encoding == "base64":
            text = binascii.a2b_base64(re.sub(r"\s", "", text)).decode(errors="replace")
        elif encoding == "quoted-printable":
            text = quopri.decodestring(text.encode(errors="replace")).decode(errors="replace")
        else:
            text = text.encode(errors="surrogateescape").decode(errors="replace")
    except (binascii.Error, UnicodeEncodeError):
        pass
    return text.replace("\r\n", "\n")


def _flat(part: "Message[str, str]") -> str:
    """A part's payload as text again: the parser makes messages of its blocks."""
    payload: object = part.get_payload()
    if not isinstance(payload, list):
        return _read(part, str(payload or ""))
    blocks = (each for each in payload[:_MOST_PARTS] if isinstance(each, Message))
    return "\n\n".join("".join(f"{name}: {value}\n" for name, value in b.raw_items()) + "\n" + _flat(b) for b in blocks)


def _read(part: "Message[str, str]", text: str) -> str:
    """The text of a part, in UTF-8 where nothing says how its bytes are to be read (RFC 6533, section 4)."""
    raw = part.get_payload(decode=True) if "\ufffd" in text and not part.get_param("charset") else None
    return raw.decode(errors="replace") if isinstance(raw, bytes) else text


_RECIPIENT: Final = re.compile(
    r"(?im)^(?:final|original)-recipient[ \t]*:[ \t]*[a-z0-9-]+[ \t]*;[ \t]*<?([^\s<>;]{3,320})"
)
_WRITER: Final = re.compile(r"(?im)^from[ \t]*:(.{3,500})$")


def _recipients(message: "Message[str, str]", verdict: Verdict) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who was given up in a report with fields, and who the mails were from whose headers it gives back."""
    if verdict is not Verdict.RETURNED:
        return (), ()
    parts = list(islice(message.walk(), _MOST_PARTS))
    text = "\n\n".join(_status(part) for part in parts if part.get_content_type() in _REPORTS)
    given_up = [block for block in _BLOCKS.split(text) if (_by_status(block) or ("",))[0] is Verdict.RETURNED]
    failed = _RECIPIENT.findall(given_up[0]) if len(given_up) == 1 else []
    heads = [_status(part).partition("\n\n")[0] for part in parts if part.get_content_type() in _ORIGINALS]
    writers = [each for head in heads for line in _WRITER.findall(head) for each in _ADDRESS.findall(line)]
    return tuple(dict.fromkeys(map(_unescaped, failed))), tuple(dict.fromkeys(writers))


_ESCAPED: Final = re.compile(r"\\x\{((?:0?[1-9A-F]|10)?[0-9A-F]{2,4})\}")
"""A character of an address, where a report has to do with ASCII (RFC 6533, section 3)."""


def _unescaped(address: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), address)


# By words

_COPY: Final = re.compile(
    r"(?im)^[ \t>|]{0,8}(?:return-path|received|dkim-signature|x-received)[ \t]*:"
    r"|^.{0,60}\b(?:original|returned|your|unsent|undelivered)\b.{0,30}\b(?:message|mail|e-?mail|headers?)\b"
    r".{0,20}(?:-{2,}|follows?\b|:[ \t]*$)"
    r"|^.{0,40}\bcopy of (?:the|your) (?:original )?(?:message|mail|e-?mail)\b"
    r"|^.{0,20}\bmessage (?:headers?|text) follows?\b"
)
"""Where the mail that came back begins, in a report that is one text."""
_EMPTY: Final = re.compile(r"\n{3,}")
"""Patterns that go on over the end of a line take quadratic time for empty ones without end."""
_SHOWN: Final = ("from", "subject", "x-mailer", "x-failed-recipients")


def _by_words(
    message: "Message[str, str]", own: Iterable["Message[str, str]"], subject: str, *, plainly: bool
) -> Judged | None:
    """What a server says in words, with fields among them or without; ``plainly`` where it may be no server."""
    whole = _EMPTY.sub("\n\n", "\n".join(line.rstrip()[:_LINE] for line in _text(own)[:_TEXT].split("\n")))
    begins = _COPY.search(whole, re.search(r"\S", whole).end() if whole.strip() else 0)  # type: ignore[union-attr]
    text = whole[: begins.start()] if begins else whole
    by_status = _by_status(whole) if _OF.search(whole) else None
    if by_status:
        return by_status
    if told := _NOTIFIED.search(whole):
        return _by_relay(told[1], whole)
    if plainly:
        return (Verdict.RETURNED, phrases.code_in(text)) if phrases.says_plainly(text) else None
    temporary, permanent = _recognised(message, text)
    if phrases.says_delayed(subject, text) or (temporary and not permanent):
        return Verdict.DELAYED, ""
    if permanent or phrases.says_failed(subject, text) or (_daemon(message) and _gives_back(message)):
        return Verdict.RETURNED, phrases.code_in(text)
    return None


def _gives_back(message: "Message[str, str]") -> bool:
    """Whether a mail lies in it."""
    return any(part.get_content_type() in _ORIGINALS for part in list(message.walk())[1:_MOST_PARTS])


def _by_relay(kind: str, text: str) -> Judged | None:
    """What a relay's report says, which is JSON."""
    if kind.lower() == "bounce":
        return Verdict.RETURNED, phrases.code_in(text)
    complaint = kind.lower() == "complaint"
    return (Verdict.COMPLAINT if complaint else Verdict.DELAYED), ""


def _text(own: Iterable["Message[str, str]"]) -> str:
    """The texts of a report; what is HTML where there is no other."""
    plain, marked = [], []
    for part in own:
        kind = part.get_content_type()
        if kind == "text/html":
            marked.append(part)
        elif part.get_content_maintype() in {"text", "multipart"}:  # one whose parts can't be told apart is text
            plain.append(text_of(part))
    said = "\n\n".join(plain)
    return said if said.strip() else "\n\n".join(to_text(text_of(part)[:_TEXT])[0] for part in marked)


def _recognised(message: "Message[str, str]", text: str) -> tuple[bool, bool]:
    """Whether flufl.bounce finds a mail that was put off, and one that was given up.

    It gets the report alone, decoded and bounded: some of its patterns take quadratic time for a line, and one is
    content with any address between commas, so that a person's mail never gets here.
    """
    from flufl.bounce import all_failures  # noqa: PLC0415  # its patterns take a while to compile, and few reports need it

    report: Message[str, str] = Message()
    for name in _SHOWN:
        if name in message:
            report[name] = header_of(message, name)[:_LINE].encode("ascii", "replace").decode()
    body: Message[str, str] = Message()
    body["Content-Type"], body["Content-Description"] = "text/plain", "Notification"
    body.set_payload(text.encode("ascii", "replace").decode())
    if message.get_content_maintype() == "multipart":
        report["Content-Type"] = "multipart/mixed"
        report.attach(body)
        report.attach(Message())
    else:
        report["Content-Type"] = "text/plain"
        report.set_payload(body.get_payload())
    try:
        temporary, permanent = all_failures(report)
    except Exception:  # noqa: BLE001  # a format of its that it can't read is one that it does not know
        return False, False
    return bool(temporary), bool(permanent)


# What it is about

_NAMED: Final = re.compile(
    rb"(?im)^[ \t>|]{0,20}(?:x-)?(?:original-)?message-id[ \t]*:\s*<?([^<>\s]{3,250}@[^<>\s]{1,250})>?"
)
_KEYED: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{40}(?:[0-9a-f]{16})?(?:@[a-z0-9.-]{1,250}[a-z0-9])?(?![0-9a-f])")
"""A Message-ID of ours (mails.py), or what is before its @: wherever it stands, its sender has had the mail."""
_BRACKETED: Final = re.compile(rb"<([^<>\s]{3,250}@[^<>\s]{1,250})>")
_ANSWERED: Final = ("In-Reply-To", "References", "Original-Message-ID", "X-Original-Message-ID")
_REACHED: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "Cc")
_ENVELOPE: Final = re.compile(
    rb"(?im)^[ \t>|]{0,20}(?:return-path|x-postfix-sender|errors-to)[ \t]*:[ \t]*"
    rb"(?:rfc822[ \t]*;[ \t]*)?<?([^\s<>;]{3,300})"
)
_ADDRESS: Final = re.compile(r"[^\s<>,;:\"()]{1,64}@[^\s<>,;:\"()]{1,255}")


def _about(message: "Message[str, str]", plain: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The Message-IDs that it may be about, and the addresses that it came back to."""
    _, _, body = plain.partition(b"\n\n")
    head = "\n".join(header_of(message, name) for name in _ANSWERED).encode(errors="replace")
    seen = [body, *_decoded(message)]
    names = [each[1] for text in seen for each in _some(_NAMED, text)]
    names += [each[1] for each in _some(_BRACKETED, head)]
    names += [each[0] for text in (*seen, head) for each in _some(_KEYED, text.lower())]
    reached = [each for name in _REACHED for each in _ADDRESS.findall(header_of(message, name))]
    reached += [each[1].decode(errors="replace") for text in seen for each in _some(_ENVELOPE, text)]
    return tuple(dict.fromkeys(each.decode(errors="replace") for each in names)), tuple(dict.fromkeys(reached))


def _some(pattern: "re.Pattern[bytes]", text: bytes) -> Iterator["re.Match[bytes]"]:
    return islice(pattern.finditer(text), _MOST_NAMES)


def _decoded(message: "Message[str, str]") -> Iterator[bytes]:
    """What lies encoded in a report, as far as headers may reach; nobody parses it."""
    for part in islice(message.walk(), _MOST_PARTS):
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding not in {"base64", "quoted-printable"}:
            continue
        if part.get_content_maintype() == "message":
            yield _status(part).encode(errors="replace")
        elif not part.is_multipart():
            found = part.get_payload(decode=True)
            yield found[: 2 * _STATUS_TEXT] if isinstance(found, bytes) else b""
