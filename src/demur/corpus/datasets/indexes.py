"""The index files of the corpus, as a cache: trusted while they are what was written, and built anew otherwise.

Invariants: a file that this workspace did not write, or that was changed, swapped or removed since, is never looked
into: readers then read the two columns instead, and whoever writes next builds the indexes anew; an untouched file is
known by what stat(2) says of it, so that the check costs no reading; a copy of the workspace is known by its bytes.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from demur import glance
from demur.store import Place, Stored
from demur.suppression.signed import file_digest

if TYPE_CHECKING:
    import lance

FOLDER: Final = "_indices"
WANTED: Final = ("author_idx", "subjects_idx")
"""The names of the indexes that look-ups need, as Lance forms them from the columns'."""

Stamp = list[str | int]
"""What changes when a file is written to, or another one takes its place."""

Known = Mapping[str, Sequence[str | int]]
"""By path within the corpus: a file's SHA-256 in hexadecimal, and its stamp."""


class Indexes:
    """What is known of the index files of one corpus."""

    def __init__(self, corpus: Place, known: Known) -> None:
        self._corpus = corpus
        self._known = dict(known)
        self._strange = {name for name, stamp in self._stamps().items() if not self._is_known(name, stamp)}

    @classmethod
    def of(cls, corpus: Place) -> Self:
        """Those of the corpus of a workspace, as its last glance knows them."""
        home = corpus.home if isinstance(corpus, Stored) else corpus.parent
        return cls(corpus, {} if home is None else glance.indices(home))

    @property
    def known(self) -> Known:
        """The files that are what was written."""
        here = set(self._stamps()) - self._strange
        return {name: entry for name, entry in self._known.items() if name in here}

    def sound(self, dataset: "lance.LanceDataset") -> bool:
        """Whether both indexes of a version are there, and each of their files is what was written."""
        parts = {index.name: [segment.uuid for segment in index.segments] for index in dataset.describe_indices()}
        if not all(name in parts for name in WANTED):
            return False
        names = {name for name in self._known if name not in self._strange}
        folders = {Path(name).parts[1] for name in names}
        needed = {str(uuid) for name in WANTED for uuid in parts[name]}
        mine = [name for name in names if Path(name).parts[1] in needed]
        stamps = self._stamps()
        return needed <= folders and all(self._is_known(name, stamps.get(name)) for name in mine)

    def learn(self) -> None:
        """Take note of files that this process has made since; what was strange before stays so."""
        for name, stamp in self._stamps().items():
            if name not in self._known and name not in self._strange:
                self._known[name] = [self._digest(name), *stamp]

    def _is_known(self, name: str, stamp: Stamp | None) -> bool:
        entry = self._known.get(name)
        if entry is None or stamp is None:
            return False
        if list(entry[1:]) != stamp:
            if isinstance(self._corpus, Stored) or entry[0] != self._digest(name):
                return False
            self._known[name] = [entry[0], *stamp]
        return True

    def _digest(self, name: str) -> str:
        """SHA-256 of a file; "" in a store, whose stamp nobody can set."""
        return "" if isinstance(self._corpus, Stored) else file_digest(self._corpus / name)

    def _stamps(self) -> dict[str, Stamp]:
        """The index files that are there, each with its stamp."""
        if isinstance(self._corpus, Stored):
            return {f"{FOLDER}/{name}": list(each) for name, each in (self._corpus / FOLDER).objects()}
        paths = (Path(folder, name) for folder, _, files in os.walk(self._corpus / FOLDER) for name in files)
        return {str(path.relative_to(self._corpus)): _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    """What changes when a file is written to or another one takes its place; nobody but root sets the change time."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
