"""Data dumps of Stack Exchange: ``Posts.xml``, ``Comments.xml`` and ``Users.xml`` of one site.

Their columns are described at meta.stackexchange.com/questions/2677; a row stands in a line of its own.

Invariants: an author is the number of an account, which stays when people rename themselves; posts of deleted accounts
have no author; memory holds a line, and where ``Users.xml`` is given the names of the site's people.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import pyarrow as pa
from lxml import etree

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Member
from demur.sources.base import ItemRow, Options, batches
from demur.sources.dumps.lines import lines
from demur.sources.exports import members_at
from demur.sources.jsonstream import Record
from demur.sources.markup.names import Names
from demur.sources.markup.reading import Markup, to_plain
from demur.sources.sniffing import Glimpse
from demur.sources.text import Span
from demur.terms import Audience, Kind, Role

_FILES: Final = r"(?:users|posts|comments)\.xml(?:\.(?:gz|bz2|zst))?"
_FILE: Final = re.compile(rf"(?:.*/)?{_FILES}", re.IGNORECASE)
_ROOT: Final = re.compile(rb"\s*(?:<\?xml[^>]*>)?\s*<(?:posts|comments|users)>\s*<row Id=")
_KINDS: Final = {"1": Kind.POST, "2": Kind.COMMENT}
"""Questions and answers; other rows of ``Posts.xml`` are wikis of tags, elections and pages of the site."""
_MENTION: Final = re.compile(r"(?<![\w@])@([\w.-]{2,60})")
_PERSON: Final = re.compile(r"(?:https?://[^/]+)?/users/(-?\d+)(?:/|$)")
_NOBODY: Final = frozenset({"", "-1"})
"""No account, and the site's own."""
_SEVERAL: Final = 3
"""People of one name whom a mention may mean; of more, nobody knows."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class StackExchangeOptions(Options):
    """``[sources.stackexchange]`` of ``demur.toml``."""

    site: str = "stackexchange"
    """The namespace of accounts, and what item ids begin with: two sites need a name each."""


class StackExchangeSource:
    """The adapter of Stack Exchange's data dumps."""

    reads: ClassVar[str] = "a data dump of Stack Exchange: Posts.xml, Comments.xml and Users.xml of a site"

    def sniff(self, seen: Glimpse) -> bool:
        """Whether a file begins as those of a dump do."""
        return _ROOT.match(seen.start(_FILES)) is not None

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read files, folders and zips of them as batches of items.

        Raises:
            SourceError: when a file is broken, or is none of a dump.
        """
        return batches(_rows(paths, StackExchangeOptions.parse("stackexchange", options)))


def _rows(paths: Sequence[str], options: StackExchangeOptions) -> Iterator[ItemRow]:
    site = _Site(options.site)
    with ExitStack() as stack:
        members = {
            member: _table(member) for member in members_at(paths, _FILES, stack) if _FILE.fullmatch(member.name)
        }
        if not members:
            raise SourceError(f"{', '.join(paths)}: there is no Posts.xml: unpack the dump and give its folder.")
        meter.expect(member.size for member in members)
        for wanted, read in (("users", site.person), ("posts", site.post), ("comments", site.comment)):
            for member in (each for each, table in members.items() if table == wanted):
                for record in _records(member):
                    yield from read(record)


def _table(member: Member) -> str:
    return member.name.rpartition("/")[2].partition(".")[0].lower()


def _records(member: Member) -> Iterator[Record]:
    """The attributes of every row."""
    file = member.where
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    for line, number in lines(member):
        if line.lstrip().startswith(b"<row "):
            where = f"{file}, line {number}"
            try:
                row = etree.fromstring(line.strip(), parser)
            except etree.XMLSyntaxError:
                raise SourceError(f"{where} is no row in XML: download the dump again.") from None
            values = dict[str, str](row.attrib)  # type: ignore[arg-type]  # no bytes: it was read as text
            if not values.get("Id"):
                raise SourceError(f"{where} has no Id: download the dump again.")
            yield Record(values, where)


class _Site:
    """Maps the rows of one site; it knows the names of its people."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._people: dict[str, str] = {}  # numbers by the name as mentions write it, with blanks between several

    def person(self, record: Record) -> Iterator[ItemRow]:
        """Somebody, and what they say of themselves."""
        row = record.value
        key = _spelt(row.get("DisplayName", ""))
        self._people[key] = f"{self._people[key]} {row['Id']}" if key in self._people else row["Id"]
        if about := row.get("AboutMe"):
            text, spans = self._read(about)
            author = self._account(row["Id"])
            yield ItemRow(
                f"{self._name}:user/{row['Id']}", author, Kind.PROFILE, Audience.PUBLIC, text=text, spans=spans
            )

    def post(self, record: Record) -> Iterator[ItemRow]:
        """A question or an answer; of other rows the kind is unknown."""
        row = record.value
        parent = row.get("ParentId")
        text, spans = self._read(row.get("Body", ""))
        yield ItemRow(
            item=f"{self._name}:{row['Id']}",
            author=self._account(row.get("OwnerUserId", "")),
            kind=_KINDS.get(row.get("PostTypeId", "")),
            audience=Audience.PUBLIC,
            created=_created(row.get("CreationDate", "")),
            text=text,
            spans=spans,
            parent=f"{self._name}:{parent}" if parent else None,
            thread=f"{self._name}:{parent or row['Id']}",
            deleted="DeletionDate" in row,
        )

    def comment(self, record: Record) -> Iterator[ItemRow]:
        """A comment below a post."""
        row = record.value
        text = row.get("Text", "")
        post = row.get("PostId")
        yield ItemRow(
            item=f"{self._name}:comment/{row['Id']}",
            author=self._account(row.get("UserId", "")),
            kind=Kind.COMMENT,
            audience=Audience.PUBLIC,
            created=_created(row.get("CreationDate", "")),
            text=text,
            spans=list(self._mentions(text)),
            parent=f"{self._name}:{post}" if post else None,
            deleted="DeletionDate" in row,
        )

    def _read(self, html: str) -> tuple[str, list[Span]]:
        text, spans = to_plain(Markup.HTML, html, Names(self._named))
        return text, spans

    def _named(self, name: str) -> str | None:
        """The account of a name, or of the address of a profile."""
        if person := _PERSON.match(name):
            return self._account(person[1])
        numbers = self._people.get(_spelt(name), "").split()
        return self._account(numbers[0]) if len(numbers) == 1 else None

    def _mentions(self, text: str) -> Iterator[Span]:
        """The people whom a comment addresses: one span for each whom the name may mean."""
        for match in _MENTION.finditer(text) if "@" in text else ():
            numbers = self._people.get(_spelt(match[1].rstrip(".-")), "").split()
            for number in numbers if len(numbers) <= _SEVERAL else ():
                yield Span(match.start(), match.end(), Role.MENTION, self._account(number))

    def _account(self, number: str) -> str | None:
        return None if number in _NOBODY else f"{self._name}:{number}"


def _spelt(name: str) -> str:
    """A name as mentions write it: without blanks, and compared without case."""
    return "".join(name.split()).casefold()


def _created(written: str) -> int | None:
    """A time of the dump, which is in UTC; None for what is none."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(written)
        return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
    return None
