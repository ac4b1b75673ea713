"""The index files of the corpus, Lance's and its postings, as a cache: trusted while they are what was written.

Invariants: a file that this workspace did not write, or that was changed, swapped or removed since, is never looked
into: readers then read the columns instead, and whoever writes next builds it anew; an untouched file is known by what
stat(2) says of it, so that the check costs no reading; a copy of the workspace is known by its bytes.
"""

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from demur import glance
from demur.corpus.datasets.postings import ENDING, data_files_of
from demur.store import Place, Stored
from demur.suppression.signed import file_digest
from demur.workspace import BESIDE

if TYPE_CHECKING:
    import lance

FOLDER: Final = "_indices"
WANTED: Final = ("author_idx", "subjects_idx")
"""The names of the indexes that look-ups need, as Lance forms them from the columns'."""
POSTINGS: Final = "postings"
"""Before the names of files of postings, and the name of their folder beside the corpus."""

Stamp = list[str | int]
"""What changes when a file is written to, or another one takes its place."""

Known = Mapping[str, Sequence[str | int]]
"""By path within the corpus: a file's SHA-256 in hexadecimal, and its stamp."""


class Indexes:
    """What is known of the index files of one corpus."""

    def __init__(self, corpus: Place, known: Known) -> None:
        self._corpus = corpus
        home = corpus.home if isinstance(corpus, Stored) else corpus.parent
        self.postings = None if home is None else home / BESIDE / POSTINGS
        """The folder of the postings, on this disk wherever the corpus lies; None where there is no workspace."""
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

    def sound_postings(self, name: str) -> Path | None:
        """The file of postings of that name, if it is there and is what was written."""
        called, here = f"{POSTINGS}/{name}", None if self.postings is None else self.postings / name
        if here is None or called in self._strange or called not in self._known or not here.exists():
            return None
        return here if self._is_known(called, stamp_of(here)) else None

    def forget_postings(self, wanted: Container[str]) -> None:
        """Removes the files of postings but for those that are wanted, and those of an older version that is kept."""
        if self.postings is None:
            return
        others = [path for path in self.postings.glob(f"*{ENDING}") if path.name not in wanted]
        data = self._data_files() if others else set()
        for path in others:
            if not data.issuperset(data_files_of(path.name)):
                path.unlink(missing_ok=True)

    def _data_files(self) -> set[str]:
        """The stems of all the corpus' files of rows, of every version."""
        data = self._corpus / "data"
        if isinstance(data, Stored):
            return {Path(name).stem for name, _ in data.objects()}
        return {path.stem for path in data.iterdir()}

    def learn(self, written: Iterable[str] = ()) -> None:
        """Take note of files that this process has made since; what was strange before stays so.

        Args:
            written: the names of postings that it has written, whatever they were before.
        """
        made = {f"{POSTINGS}/{name}" for name in written}
        self._strange -= made
        for name, stamp in self._stamps().items():
            if name in made or (name not in self._known and name not in self._strange):
                self._known[name] = [self._digest(name), *stamp]

    def _is_known(self, name: str, stamp: Stamp | None) -> bool:
        entry = self._known.get(name)
        if entry is None or stamp is None:
            return False
        if list(entry[1:]) != stamp:
            if not entry[0] or entry[0] != self._digest(name):
                return False
            self._known[name] = [entry[0], *stamp]
        return True

    def _digest(self, name: str) -> str:
        """SHA-256 of a file; "" in a store, whose stamp nobody can set."""
        if self.postings is not None and name.startswith(f"{POSTINGS}/"):
            return file_digest(self.postings.parent / name)
        return "" if isinstance(self._corpus, Stored) else file_digest(self._corpus / name)

    def _stamps(self) -> dict[str, Stamp]:
        """The index files that are there, each with its stamp."""
        stamps = {} if self.postings is None else _stamps_in(self.postings, self.postings.parent)
        if isinstance(self._corpus, Stored):
            return stamps | {f"{FOLDER}/{name}": list(each) for name, each in (self._corpus / FOLDER).objects()}
        return stamps | _stamps_in(self._corpus / FOLDER, self._corpus)


def _stamps_in(folder: Path, root: Path) -> dict[str, Stamp]:
    """The files below a folder by their paths below ``root``, each with its stamp."""
    paths = (Path(inner, name) for inner, _, files in os.walk(folder) for name in files)
    return {str(path.relative_to(root)): stamp_of(path) for path in paths}


def stamp_of(path: Path) -> Stamp:
    """What changes when a file is written to or another one takes its place; nobody but root sets the change time."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
