"""Pictures for tests: files by their URIs, and what reads them in this process, without any real picture."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from making import NOW, batch, item

from demur.corpus.datasets.pictures import ABOUT
from demur.corpus.importing import ImportReport, import_items
from demur.corpus.picturing import Shown
from demur.corpus.session import reading
from demur.errors import SourceError
from demur.policy import Pictures
from demur.sources import Files
from demur.terms import PictureReason
from demur.workspace import Workspace

USED: Final = {"pictures": Pictures(use="yes")}
"""What lets pictures in, for `open_policy`."""

BROKEN: Final = b"broken"
RESERVED: Final = b"reserved"


@dataclass(frozen=True)
class Made:
    """As a reader gives it."""

    data: bytes
    width: int
    height: int
    type: str = "image/jpeg"


@dataclass(frozen=True)
class Unmade:
    """As a reader gives it."""

    reason: PictureReason


class InMemory:
    """A picture is what its file holds after its size, "WIDTHxHEIGHT ..."; a larger one is made smaller."""

    def __init__(self, longest_side: int) -> None:
        self._longest_side = longest_side

    def read(self, files: Iterable[bytes]) -> Iterator[Made | Unmade]:
        for content in files:
            if content.startswith((BROKEN, RESERVED)):
                yield Unmade(PictureReason.UNREADABLE if content.startswith(BROKEN) else PictureReason.RIGHTS)
                continue
            width, height = map(int, content.split()[0].split(b"x"))
            most = max(width, height)
            if most > self._longest_side:
                width, height = (side * self._longest_side // most for side in (width, height))
            yield Made(b"%dx%d " % (width, height) + content.split(b" ", 1)[1], width, height)


class Held:
    """Files by their URIs; one whose content is None is damaged."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        self.files = files
        self.asked: list[str] = []

    def bytes_of(self, uri: str) -> bytes | None:
        self.asked.append(uri)
        if uri in self.files and self.files[uri] is None:
            raise SourceError("It is damaged.")
        return self.files.get(uri)


def shown(files: Mapping[str, bytes | None] | Held) -> Shown:
    """Where an import's pictures come from."""
    held = files if isinstance(files, Held) else Held(files)

    def opened() -> AbstractContextManager[Files]:
        return nullcontext(held)

    return Shown(opened, lambda side: nullcontext(InMemory(side)))


def import_shown(
    workspace: Workspace, items: Iterable[Mapping[str, Any]], files: Mapping[str, bytes | None] | Held
) -> ImportReport:
    """Imports items with the pictures that they name."""
    return import_items(workspace, "table", iter([batch(items)]), pictures=shown(files), now=NOW)


def photo(uri: str, *tagged: str, alt: str | None = None) -> dict[str, Any]:
    """A picture of an item."""
    return {"uri": uri, "type": "image/jpeg", "alt": alt, "tagged": list(tagged)}


def at_rest(workspace: Workspace) -> dict[tuple[bytes, str], bytes]:
    """The pictures of a workspace, by their item's key and what their row calls them."""
    with reading(workspace, NOW) as session:
        pictures = session.beside.pictures
        if not pictures.there:
            return {}
        lines = [row for part in pictures.batches([*ABOUT, "image"]) for row in part.to_pylist()]
    assert len({(row["key"], row["uri"]) for row in lines}) == len(lines), "a picture rests twice"
    return {(row["key"], row["uri"]): row["image"] for row in lines}


def in_files(root: Path, markers: Collection[bytes]) -> set[bytes]:
    """Those of some bytes that any file of a folder holds."""
    contents = [path.read_bytes() for path in root.rglob("*") if path.is_file()]
    return {each for each in markers if any(each in content for content in contents)}


def named_by_rows(workspace: Workspace) -> set[tuple[bytes, str]]:
    """What the corpus's rows show, by their items' keys."""
    with reading(workspace, NOW) as session:
        rows = [row for part in session.corpus.batches(["item", "media"]) for row in part.to_pylist()]
    return {(row["item"], one["uri"]) for row in rows for one in row["media"]}


PEOPLE: Final = ("forum:ann", "forum:bob", "forum:cyd", "forum:dag")
ALBUM: Final[dict[str, bytes | None]] = {f"{n}.jpg": b"%dx200 of-%d" % (100 + 10 * n, n) for n in range(40)}


def album(first: int, last: int, *, edited: bool = False) -> list[dict[str, Any]]:
    """Items with two pictures each, every third of which shows the next person; edited ones have changed places."""
    return [
        item(
            str(n),
            PEOPLE[n % 4],
            media=[
                photo(f"{(2 * n + edited) % 40}.jpg"),
                photo(f"{(2 * n + 1) % 40}.jpg", *([PEOPLE[(n + 1) % 4]] if n % 3 == 0 else [])),
            ],
        )
        for n in range(first, last)
    ]


def prepare(workspace: Workspace) -> None:
    """What stands before a command that is killed: pictures, and somebody who objects and is not followed yet."""
    import_shown(workspace, album(0, 16), ALBUM)
    with workspace.register() as register:
        register.objections.lodge([PEOPLE[1]], channel="mail", now=NOW)


def import_more(workspace: Workspace, now: datetime) -> None:
    """Some items again, with other pictures, and new ones."""
    items = [*album(4, 10, edited=True), *album(16, 20), item("2", PEOPLE[2], deleted=True)]
    import_items(workspace, "table", iter([batch(items)]), pictures=shown(ALBUM), now=now)
