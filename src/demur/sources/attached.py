"""The files that the items of an export name, found by the URI with which they name them.

Invariants: nothing but a member of the export is opened: no address of the web, no link, no path that leads out of it
(demur.sources.parts refuses such exports as a whole); of two members that a URI may mean neither is taken, so that
nobody gets somebody else's picture; what a file comes to is bounded, whatever the export claims.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote

from demur.sources import meter
from demur.sources.archive import Archive, Member
from demur.sources.base import MOST_OF_A_FILE
from demur.sources.exports import is_tar, opens_as_archive

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")  # RFC 3986, section 3.1; a drive of Windows, too


class Attached:
    """The files of what was imported. A context manager, which closes the zips."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Look at what stands at ``paths``: exports in zips and folders; a bare file has no others beside it.

        Raises:
            SourceError: for an export that is missing, broken or unsafe.
        """
        exports = [path for path in paths if opens_as_archive(Path(path))]
        for packed in (path for path in paths if path not in exports and is_tar(Path(path))):
            meter.tell(f"{packed}: pictures in a packed tar are not read: unpack it, and give its folder.")
        self._archive = Archive(exports) if exports else None
        self._named: dict[str, list[Member]] = defaultdict(list)
        for member in self._archive.members if self._archive is not None else ():
            self._named[_base(member.name)].append(member)

    def bytes_of(self, uri: str) -> bytes | None:
        """What the file holds that an item names so, or None where the export has no such file.

        Of one that has more than :data:`demur.sources.base.MOST_OF_A_FILE` bytes, so many and one more.

        Raises:
            SourceError: when it is damaged.
        """
        for name in dict.fromkeys((uri, unquote(uri))):
            if (member := self._member(name)) is not None:
                with member.open() as stream:
                    return stream.read(MOST_OF_A_FILE + 1)
        return None

    def _member(self, uri: str) -> Member | None:
        path = uri.removeprefix("/")
        if _SCHEME.match(path) or "\\" in path or "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
            return None
        fitting = [one for one in self._named.get(_base(path), ()) if f"/{one.name}".endswith(f"/{path}")]
        return fitting[0] if len(fitting) == 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()


def _base(name: str) -> str:
    return name.rpartition("/")[2]
