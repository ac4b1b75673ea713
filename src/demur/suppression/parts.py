"""The sections of suppression lists that lie in files of their own: names, and fingerprints of what was written.

Invariants: a file is named by its contents, so that it never changes and lists that say the same share it; one whose
bytes are not those that the signed list names is not read. What they hold is keyed: without the pepper it says of no
name, and of no word, whose it is or whether it is there.

They are no part of the list's own file because they are large (25 MB for a name of each of 100,000 people, 20 bytes for
each fingerprint), because they are read where they lie, and because most versions share them with the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demur.errors import CorpusError
from demur.suppression.signed import aside, file_digest

NAMES: Final = "names"
"""The index of withheld people's names (people.index.PeopleIndex)."""
COPIES: Final = "copies"
"""The fingerprints of what they wrote (suppression.copies.Copies)."""
ENDINGS: Final = (f".{NAMES}", f".{COPIES}")

_DIGITS: Final = 32
"""Of the digest, in the name of the file."""


@dataclass(frozen=True)
class Part:
    """What a list says of such a file."""

    bytes: int
    sha256: str
    """Lowercase hexadecimal."""

    def file(self, name: str) -> str:
        """The name of the file of the section ``name``."""
        return f"{self.sha256[:_DIGITS]}.{name}"

    def path(self, folder: Path, name: str) -> Path:
        """The file of the section ``name`` among the lists in a folder, its bytes compared.

        Raises:
            CorpusError: when it is missing or was changed.
        """
        path = folder / self.file(name)
        if file_digest(path) != self.sha256:
            raise CorpusError(f"{path} is not the file that the suppression list names: restore it from your backup.")
        return path


def keep(folder: Path, name: str, save: Callable[[Path], object]) -> Part:
    """Puts what ``save`` writes to a path among the lists in a folder, unless it is there already.

    Raises:
        CorpusError: when it can't be written.
    """
    with aside(folder / f"unnamed.{name}") as unfinished:
        save(unfinished)
        part = Part(unfinished.stat().st_size, file_digest(unfinished))
    (folder / f"unnamed.{name}").replace(folder / part.file(name))
    return part
