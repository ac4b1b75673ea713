"""Archives of mailing lists in the mbox format (RFC 4155): Mailman's, Pipermail's, Google Takeout's, ``formail``'s.

Invariants: a mail's author is who its ``From`` names, never the list that passed it on (RFC 5598, 5.3); what a mail
quotes is a quote of whom the words over it name, else of the author of the mail it answers, where that was read before;
a mail is public only where the controller says that the list is. Mails are read one by one: memory holds one, and the
names and numbers of those before it.
"""

import contextlib
import email
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import ClassVar, Final, Literal, NamedTuple

import pyarrow as pa

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.base import ItemRow, Options, batches
from demur.sources.dumps.lines import lines
from demur.sources.exports import members_at
from demur.sources.limits import MAX_RECORD, MIB
from demur.sources.markup.attributions import Attributed
from demur.sources.markup.names import Names
from demur.sources.markup.reading import Markup, to_plain
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span
from demur.terms import Audience, Kind, Reason, Role

NAMESPACE: Final = "mbox"
"""Of item ids; accounts are mail addresses, ``mail:ann@town.example``."""

_FILES: Final = r"[^/]*(?:\.(?:mbox|mbx)|\d{4}-?\w*\.txt|/mbox)(?:\.(?:gz|bz2|zst))?|mbox"
_BEGINS: Final = re.compile(rb"From \S.*\d\d:\d\d.*\d{4}")
_SNIFFED: Final = re.compile(rb"\s*From \S[^\n]*\d\d:\d\d[^\n]*\r?\n[\w-]+:", re.ASCII)
_STUFFED: Final = re.compile(r"^>(>*From )", re.MULTILINE)
_QUOTED: Final = re.compile(r"^(?:>[ \t]?)+", re.MULTILINE)
_ID: Final = re.compile(r"<([^<>\s]{1,500})>")
_DISGUISED: Final = re.compile(r"([\w.+-]+) at ([\w-]+(?:\.[\w-]+)+)(?: \((.*)\))?")
_ADDRESS: Final = re.compile(r"[^\s@<>()\"]+@[^\s@<>()\"]+")
_LEAD: Final = 500
"""Characters over a quote in which words may say whose it is."""
_WORDS: Final = 2
"""Of a line that is the end of a longer one: ``wrote:``."""
_HEADER: Final = 10_000
"""Characters of a header that are read."""
_DEEPEST: Final = 8
_BODY: Final = re.compile(rb"\r?\n\r?\n")
_AUTHORS: Final = ("x-original-from", "x-mailman-original-from", "from", "reply-to")
"""The headers that name an author, the surest first."""
_READ: Final = frozenset(
    (*_AUTHORS, "date", "in-reply-to", "list-id", "list-post", "message-id", "references", "x-no-archive")
)
_NESTING: Final = frozenset(("multipart", "message"))
"""Kinds of mails that have parts."""
_FIELD: Final = re.compile(rb"content-(?<![^\n]content-)(?:type|disposition)[^\n]*+(?:\n[ \t][^\n]*+)*+")
"""A header that the parser takes apart, in lower case; the literal at its beginning lets it be found fast."""
_LEVELS: Final = 50
_WORK: Final = 20_000_000
"""Comparisons of a line with a part that may be open: what Python's parser does for each line."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MboxOptions(Options):
    """``[sources.mbox]`` of ``demur.toml``."""

    audience: Literal["public", "unlisted", "followers", "group"] | None = None
    """Who can read the list's archive: no mbox says it. Without it the mails are not used.

    A mail whose author asked that it be not archived (``X-No-Archive``) is of the ``group`` whatever this says.
    """


class MboxSource:
    """The adapter of mbox files."""

    reads: ClassVar[str] = "archives of mailing lists: .mbox files, Pipermail's .txt(.gz), or a folder of them"
    stated: ClassVar[Mapping[str, str]] = {
        Reason.UNKNOWN_AUDIENCE: 'audience = "group", or "public" where anybody can read the archive of the list',
    }

    def sniff(self, seen: Glimpse) -> bool:
        """Whether the first file begins as a mail in an mbox does."""
        return _SNIFFED.match(seen.start(r".*" if seen.alone else _FILES)) is not None

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or is no mbox.
        """
        return batches(_rows(paths, MboxOptions.parse(NAMESPACE, options)))


def _rows(paths: Sequence[str], options: MboxOptions) -> Iterator[ItemRow]:
    reader = _Reader(options)
    with ExitStack() as stack:
        members = members_at(paths, _FILES, stack)
        if not members:
            raise SourceError(f"{', '.join(paths)}: there is no .mbox file: give the archive of a mailing list.")
        meter.expect(member.size for member in members)
        for member in members:
            for mail, where in _mails(member):
                yield reader.item(mail, where)


def _mails(member: Member) -> Iterator[tuple[bytes, str]]:
    """The bytes of each mail, without the line that begins it."""
    held, blank, number, file = bytearray(), True, 0, member.where
    for line, at in lines(member):
        if blank and line.startswith(b"From ") and _BEGINS.match(line):
            if number:
                yield bytes(held), f"{file}, mail {number}"
            held, number = bytearray(), number + 1
        elif not number and line.strip():
            raise SourceError(f"{member.where}, line {at} begins no mail as an mbox has it: give an mbox file.")
        else:
            held += line
        blank = line.isspace()
        if len(held) > MAX_RECORD:
            raise SourceError(f"{member.where}, mail {number} has over {MAX_RECORD // MIB} MB: leave it out.")
    if number:
        yield bytes(held), f"{member.where}, mail {number}"


class _Person(NamedTuple):
    """Somebody whom a header names."""

    account: str | None
    name: str


class _Reader:
    """Reads mails; it knows those that it read before."""

    def __init__(self, options: MboxOptions) -> None:
        self._options = options
        self._named: dict[str, str] = {}  # accounts by the names people bear, without case
        self._wrote: dict[int, str] = {}  # accounts by the hash of the mail's id: a process's own, and small

    def item(self, raw: bytes, where: str) -> ItemRow:
        """A mail as an item.

        Raises:
            SourceError: for a mail whose parts lie within each other as no mail's do.
        """
        if _is_endless(raw):
            raise SourceError(f"{where} has parts within each other, or headers, without end: leave it out.")
        try:
            mail = _parsed(raw)
        except (RecursionError, MessageError, ValueError, LookupError):
            raise SourceError(f"{where} can't be read as a mail: leave it out.") from None
        headers = _headers(mail)
        author, name = _author(headers)
        known = _ID.search(_header(headers, "message-id"))
        own = known[1] if known else f"sha256-{hashlib.sha256(raw).hexdigest()}"
        above = _ID.findall(_header(headers, "references"))
        answered = _ID.findall(_header(headers, "in-reply-to"))[:1] or above[-1:]
        self._learn(own, author, name)
        text, spans = self._text(mail, self._wrote.get(hash(answered[0])) if answered else None)
        listed = _ID.search(_header(headers, "list-id"))
        return ItemRow(
            item=f"{NAMESPACE}:{own}",
            author=author,
            kind=Kind.COMMENT if answered else Kind.POST,
            audience=Audience.GROUP if _header(headers, "x-no-archive").lower() == "yes" else self._options.audience,
            created=_created(_header(headers, "date")),
            text=text,
            spans=spans,
            parent=f"{NAMESPACE}:{answered[0]}" if answered else None,
            thread=f"{NAMESPACE}:{(above or answered or [own])[0]}",
            group=f"{NAMESPACE}:{listed[1]}" if listed else None,
        )

    def _learn(self, own: str, author: str | None, name: str) -> None:
        if author is not None:
            self._wrote[hash(own)] = author
            if name:
                self._named.setdefault(name.casefold(), author)

    def _text(self, mail: Message, answered: str | None) -> tuple[str, list[Span]]:
        """The words of a mail, and whom it quotes."""
        part = _body(mail)
        if part is None:
            return "", []
        text = _decoded(part)
        names = Names(self._account)
        if part.get_content_type() == "text/html":
            return to_plain(Markup.HTML, text, names)
        text = _STUFFED.sub(r"\1", text.replace("\r\n", "\n"))
        quotes = [span._replace(account=self._address_over(text, span.start)) for span in _quotes(text)]
        told = Attributed(text, quotes, names).spans()
        return text, [span._replace(account=answered) if _is_nobodys(span) else span for span in told]

    def _address_over(self, text: str, start: int) -> str | None:
        """Whom an address names that stands over a quote, in a line that ends with a colon, or in the one before it."""
        over = [line for line in text[max(0, start - _LEAD) : start].split("\n") if line.strip(" \t>")][-2:]
        if not over or not over[-1].rstrip().endswith(":"):
            return None
        said = over[-1] if len(over[-1].split()) > _WORDS or _ADDRESS.search(over[-1]) else " ".join(over)
        if found := _ADDRESS.findall(said):
            return self._account(found[-1])
        disguised = _DISGUISED.search(said)
        return self._account(disguised[0]) if disguised else None

    def _account(self, name: str) -> str | None:
        """Whom words name: by their address, else by the name that somebody bore before."""
        if found := _ADDRESS.search(name):
            return f"mail:{found[0].strip('.,;')}"
        if disguised := _DISGUISED.search(name):
            return f"mail:{disguised[1]}@{disguised[2]}"
        return self._named.get(name.strip("\"' ").casefold())


def _is_endless(raw: bytes) -> bool:
    """Whether parsing a mail takes more than any mail that people sent: the parser's work grows with its nesting."""
    lowered = raw.lower()
    levels = lowered.count(b"multipart/") + lowered.count(b"message/")
    if levels > _LEVELS or levels * raw.count(b"\n") > _WORK:
        return True
    return any(len(field[0]) > _HEADER for field in _FIELD.finditer(lowered))


def _is_nobodys(span: Span) -> bool:
    return span.role == Role.QUOTE and span.account is None


def _quotes(text: str) -> list[Span]:
    """What stands behind ``>``, for each depth of it."""
    spans: list[Span] = []
    open_: list[int] = []  # where the quotes began that are not closed
    end = 0
    for match in _QUOTED.finditer(text):
        if text[end : match.start()].strip():
            spans += [Span(begun, end, Role.QUOTE, None) for begun in open_]
            open_ = []
        depth = min(match[0].count(">"), _DEEPEST)
        spans += [Span(begun, end, Role.QUOTE, None) for begun in open_[depth:]]
        open_ = open_[:depth] + [match.start()] * (depth - len(open_))
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
    spans += [Span(begun, end, Role.QUOTE, None) for begun in open_]
    return spans


# Headers and bodies


def _parsed(raw: bytes) -> Message:
    """The mail; the body of one without parts is taken as it stands, and not line by line."""
    end = _BODY.search(raw)
    head = email.message_from_bytes(raw[: end.end()] if end else raw)
    if end is None or head.is_multipart() or head.get_content_maintype() in _NESTING or head.get_payload():
        return email.message_from_bytes(raw)
    head.set_payload(raw[end.end() :].decode("ascii", "surrogateescape"))
    return head


def _headers(mail: Message) -> dict[str, object]:
    """The first of the headers of each name that is read, by that in lower case; others take time to no end."""
    read = [(name.lower(), value) for name, value in mail.raw_items()]
    told = mail.policy.header_fetch_parse
    return {name: told(name, value) for name, value in reversed(read) if name in _READ}


def _author(headers: Mapping[str, object]) -> _Person:
    """Who wrote a mail: where the list put itself into ``From``, whom it names as its first author."""
    lists = {address.lower() for address in _ADDRESS.findall(_header(headers, "list-post").replace("mailto:", " "))}
    for header in _AUTHORS:
        if header not in headers:
            continue
        found = _person(_header(headers, header))
        address = (found.account or "").removeprefix("mail:").lower()
        if address and address not in lists and " via " not in found.name:
            return found
    return _Person(None, "")


def _person(header: str) -> _Person:
    """Whom a header names: ``Ann <ann@town.example>``, or ``ann at town.example (Ann)`` as Pipermail writes it."""
    if disguised := _DISGUISED.match(header):
        return _Person(f"mail:{disguised[1]}@{disguised[2]}", disguised[3] or "")
    name, address = parseaddr(header)
    return _Person(f"mail:{address}" if _ADDRESS.fullmatch(address) else None, name)


def _header(headers: Mapping[str, object], name: str) -> str:
    """A header, decoded (RFC 2047), in one line; nothing where there is none."""
    value = str(headers.get(name, ""))[:_HEADER]
    with contextlib.suppress(ValueError, LookupError, MessageError):
        value = value if "=?" not in value else str(make_header(decode_header(value)))
    return " ".join(value.split())


def _body(mail: Message) -> Message | None:
    """The part that holds the words: plain text before HTML, and no attachment."""
    found = [part for part in mail.walk() if part.get_content_maintype() == "text" and not part.get_filename()]
    for kind in ("text/plain", "text/html"):
        for part in found:
            if part.get_content_type() == kind:
                return part
    return None


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    with contextlib.suppress(LookupError, ValueError):
        return content.decode(charset)
    return content.decode("cp1252", "replace")


def _created(written: str) -> int | None:
    """A mail's date (RFC 5322, 3.3); None for what is none."""
    with contextlib.suppress(ValueError, TypeError, OverflowError, IndexError):
        moment = parsedate_to_datetime(written)
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
    return None
