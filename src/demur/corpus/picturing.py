"""The pictures of an import: those whose items stay, and whose rows show them, are read and put beside these.

Invariants: pictures named = kept + left out, each named once a reading and counted once, by the first reason of
terms.PictureReason that holds (law 5); no file is opened whose item is left out, or that its row does not show; an item
that was read again loses the pictures it had, in the commit in which new ones come; a file that can't be read costs its
own picture and nothing else; memory holds some pictures and the names of some hundred thousand.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from typing import Final, NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from demur.corpus.datasets.base import Addresses
from demur.corpus.datasets.compaction import index_new
from demur.corpus.datasets.pictures import SCHEMA, shown_in
from demur.corpus.scratch.listed import Listed
from demur.corpus.scratch.spool import Spool
from demur.corpus.session import Session
from demur.errors import SourceError
from demur.kernel.door import KEPT
from demur.pictures.reading import READER
from demur.register import JSON
from demur.sources import MOST_OF_A_FILE, Files
from demur.suppression.keyset import KeySet
from demur.terms import PictureReason
from demur.words.page import Ints, short_keys

_WRITTEN_AT_ONCE: Final = 32
"""Pictures of a batch on its way to disk."""


class Picture(Protocol):
    """What was made of a file: upright, no larger than asked for, without metadata."""

    @property
    def data(self) -> bytes:
        """The picture."""

    @property
    def type(self) -> str:
        """Its media type, RFC 6838."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def height(self) -> int:
        """Pixels."""


@runtime_checkable
class Unread(Protocol):
    """Why nothing was made of one."""

    @property
    def reason(self) -> PictureReason:
        """Which."""


class Readers(Protocol):
    """Makes pictures of files."""

    def read(self, files: Iterable[bytes]) -> Iterator[Picture | Unread]:
        """One answer for each file, in order; a few files are asked for ahead."""
        ...


def _processes(longest_side: int) -> AbstractContextManager[Readers]:
    from demur.pictures.reading import Readers as Processes  # noqa: PLC0415  # an extra; most imports need none

    return Processes(longest_side=longest_side)


@dataclass(frozen=True)
class Shown:
    """Where the pictures of an import come from."""

    files: Callable[[], AbstractContextManager[Files]] | None = None
    """Opens the files that belong to what is imported; None where the source has none."""
    readers: Callable[[int], AbstractContextManager[Readers]] = _processes
    """Gives what reads them, by the longest side in pixels."""


@dataclass(frozen=True)
class PictureCounts:
    """What an import did with pictures; named = kept + left out."""

    named: int
    """By items that were read, each once a reading."""
    kept: int
    left_out: dict[PictureReason, int]
    """In the order of terms.PictureReason, without zeros."""

    def payload(self) -> dict[str, JSON]:
        """The same for the register."""
        return {"named": self.named, "kept": self.kept, "left_out": {str(each): n for each, n in self.left_out.items()}}


class _Wanted(NamedTuple):
    """A picture that a row shows; ``item`` is the short form of the item's key, ``file`` the source's URI."""

    item: int
    uri: str
    key: bytes
    author: int
    file: str


@dataclass
class _Counted:
    kept: int = 0
    left_out: Counter[PictureReason] = field(default_factory=Counter)


def take_in(
    session: Session, listed: Listed, spool: Spool, newest: int, again: Addresses, shown: Shown
) -> PictureCounts:
    """Reads the pictures of an import whose rows are in the corpus, and puts them beside these.

    Args:
        session: open for writing, within the import's journal.
        listed: what its readings name.
        spool: what became of these.
        newest: the number of the corpus's last fragment before the import.
        again: where the pictures lie that its items had.
        shown: where the files come from.
    """
    counted, pictures = _Counted(), session.beside.pictures
    readers = partial(shown.readers, session.policy.pictures.longest_side)
    with nullcontext(None) if shown.files is None or not listed.count else shown.files() as files:
        wanted = (each for part in listed.parts() for each in _wanted(session, part, spool, newest, counted))
        lines = _lines(wanted, files, readers, counted)
        fragments = pictures.write(_batch(each) for each in _batched(lines))
    pictures.commit(again, fragments, {"demur": "import"})
    if pictures.count():
        index_new(pictures)
    left_out = {reason: counted.left_out[reason] for reason in PictureReason if counted.left_out[reason]}
    return PictureCounts(listed.count, counted.kept, left_out)


def _wanted(session: Session, part: pa.Table, spool: Spool, newest: int, counted: _Counted) -> Iterator[_Wanted]:
    """Those of some named pictures that rows of the import show; why the others don't come in is counted."""
    stays = spool.codes(part.column("position").to_numpy()) == KEPT
    named = part.filter(pa.array(stays))
    rows: dict[int, tuple[bytes, int]] = {}
    shows: set[tuple[int, str]] = set()
    for batch in _rows(session, named.column("item").to_numpy(), newest):
        items, keys, authors = short_keys(batch.column("item")).tolist(), batch.column("item"), batch.column("author")
        rows.update(zip(items, zip(keys.to_pylist(), authors.to_pylist(), strict=True), strict=True))
        shows.update(zip(*shown_in(batch).to_pydict().values(), strict=True))
    counted.left_out[PictureReason.ITEM] += len(part) - len(named)
    for item, uri, file in zip(*named.select(["item", "uri", "file"]).to_pydict().values(), strict=True):
        if (item, uri) in shows:
            yield _Wanted(item, uri, *rows[item], file)
        else:  # no row: what the import itself told made it go
            counted.left_out[PictureReason.TAGGED if item in rows else PictureReason.ITEM] += 1


def _rows(session: Session, items: Ints, newest: int) -> Iterator[pa.RecordBatch]:
    """The rows of some items, by the short form of their keys, in fragments that came since."""
    dataset, wanted = session.corpus.dataset, KeySet(items)
    fragments = [each for each in dataset.get_fragments() if each.fragment_id > newest]
    if len(items) and fragments:
        for batch in dataset.scanner(columns=["item", "author", "media"], fragments=fragments).to_batches():
            held = wanted.contains(short_keys(batch.column("item")))
            if held.any():
                yield batch.filter(pa.array(held))


def _lines(
    wanted: Iterable[_Wanted],
    files: Files | None,
    readers: Callable[[], AbstractContextManager[Readers]],
    counted: _Counted,
) -> Iterator[tuple[_Wanted, Picture]]:
    """What was made of the files; no reader is started where there is no file."""
    asked: deque[_Wanted] = deque()
    contents = _contents(wanted, files, asked, counted)
    if (first := next(contents, None)) is None:
        return
    with readers() as reading:
        for answer in reading.read(chain([first], contents)):
            each = asked.popleft()
            if isinstance(answer, Unread):
                counted.left_out[answer.reason] += 1
            else:
                counted.kept += 1
                yield each, answer


def _contents(
    wanted: Iterable[_Wanted], files: Files | None, asked: deque[_Wanted], counted: _Counted
) -> Iterator[bytes]:
    """What the files hold; which picture each is of goes to the end of ``asked``."""
    for each in wanted:
        try:
            content = None if files is None else files.bytes_of(each.file)
        except SourceError:
            counted.left_out[PictureReason.UNREADABLE] += 1
            continue
        if content is None:
            counted.left_out[PictureReason.MISSING] += 1
        elif len(content) > MOST_OF_A_FILE:
            counted.left_out[PictureReason.UNREADABLE] += 1
        else:
            asked.append(each)
            yield content


def _batch(lines: Sequence[tuple[_Wanted, Picture]]) -> pa.RecordBatch:
    rows = [
        {
            "item": each.item,
            "uri": each.uri,
            "key": each.key,
            "author": each.author,
            "type": made.type,
            "width": made.width,
            "height": made.height,
            "size": len(made.data),
            "digest": sha256(made.data).digest(),
            "reader": READER,
            "image": made.data,
        }
        for each, made in lines
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def _batched(lines: Iterator[tuple[_Wanted, Picture]]) -> Iterator[list[tuple[_Wanted, Picture]]]:
    while some := list(islice(lines, _WRITTEN_AT_ONCE)):
        yield some
