"""Files of what is compiled, beside the corpus: caches, that are believed while they are what was written.

Invariants: a file that this workspace did not write, or that was changed since, counts as none. An untouched one is
known by what stat(2) says of it, so that the check reads nothing of it; a copy of it, as in a workspace that was put
back, by its SHA-256. A process that is killed leaves the old file, or one that counts as none.

Two processes that write at once may forget each other's note: then a file is made once more than it had to be.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import orjson

from demur.corpus.datasets.indexes import Stamp, stamp_of
from demur.errors import CorpusError
from demur.files import replacing
from demur.suppression.signed import file_digest

NOTES: Final = "compiled.json"
"""What is known of the files of its folder: by name the SHA-256, and the stamp."""
_CACHE: Final = re.compile(rf"\.*(.+\.index|{re.escape(NOTES)})(\.[0-9a-f]{{8}})*")


def is_cache(path: Path) -> bool:
    """Whether a file beside the corpus is one of these, by its name, or what a kill left of one; no backup has it."""
    return _CACHE.fullmatch(path.name) is not None


def keep(path: Path, save: Callable[[Path], object], others: str) -> bool:
    """Puts a file in its place, and removes those that it takes the place of; says whether that could be.

    Args:
        path: of the file.
        save: writes it: on the disk before it has its name, as a file cut short must not pass for one.
        others: a pattern of those that it takes the place of, in the same folder.
    """
    try:
        with replacing(path) as file:
            save(file)
        remove(path.parent, others, but=path)
        stamp = stamp_of(path)
        _note(path, [file_digest(path), *stamp])
    except (OSError, CorpusError):  # there is no such folder, it is for reading alone, or another process was faster
        return False
    return True


def remove(folder: Path, those: str, but: Path | None = None) -> None:
    """Removes the files of a pattern, but for one of them.

    Raises:
        OSError: when the folder is for reading alone.
    """
    for path in folder.glob(those):
        if path != but:
            path.unlink(missing_ok=True)


def is_sound(path: Path) -> bool:
    """Whether a file is there and is what was written."""
    try:
        digest, *known = _notes(path.parent)[path.name]
        stamp = stamp_of(path)
        if stamp == known:
            return True
        if digest != file_digest(path):
            return False
    except (OSError, CorpusError, KeyError, ValueError):
        return False
    with suppress(OSError):
        _note(path, [digest, *stamp])
    return True


def _note(path: Path, note: Stamp) -> None:
    """Writes down what is known of a file, and nothing of files that are gone."""
    known = {name: old for name, old in _notes(path.parent).items() if (path.parent / name).exists()}
    with replacing(path.parent / NOTES, durably=False) as file:
        file.write_bytes(orjson.dumps(known | {path.name: note}))


def _notes(folder: Path) -> dict[str, Stamp]:
    try:
        found = orjson.loads((folder / NOTES).read_bytes())
        return {str(name): list(note) for name, note in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
