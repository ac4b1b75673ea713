"""What the corpus says of itself, known without opening it: a cache beside it, for commands that need no row.

Invariants: a glance is believed only while the newest file in the corpus's `_versions` has the bytes that it was taken
of, so that a corpus of another age, or one that changed since, is never taken for it; it can be thrown away at any
time, and holds nothing that the corpus, the register and the index files do not.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

from demur.files import partial, replacing
from demur.store import Place, Stored

NAME: Final = ".corpus.json"
_VERSION_FILE: Final = re.compile(r"(\d+)\.manifest")
_REVERSED_DIGITS: Final = 20
"""Lance names the file of version n either `n` or, in 20 digits, 2^64 - 1 - n."""


@dataclass(frozen=True)
class Said:
    """What a corpus says of itself: to which register it belongs, and how far it follows it."""

    instance: str
    """"" in a corpus that was made before there were instances."""
    incarnation: int
    honoured: int
    """The last binding entry that its rows honour; it may lag behind, never run ahead."""
    commitment: bytes
    """Of that entry."""
    imports: int
    """The last import whose rows it has."""


@dataclass(frozen=True)
class Glance:
    """A corpus at one moment."""

    head: str
    """The name and the digest of the newest file in `_versions`."""
    said: Said
    rows: int
    small_fragments: int
    indices: Mapping[str, Sequence[str | int]]
    """By path within the corpus: SHA-256 of each index file, and what stat(2) says that changes when it is touched."""


def take(root: Path, corpus: Place) -> Glance | None:
    """The last glance at the corpus of the workspace at ``root``; None where there is none that holds."""
    try:
        read = orjson.loads((root / NAME).read_bytes())
        said = Said(**read.pop("said") | {"commitment": bytes.fromhex(read.pop("commitment"))})
        found = Glance(said=said, **read)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found if found.head == head_of(corpus) else None


def indices(root: Path) -> Mapping[str, Sequence[str | int]]:
    """What the last glance, whether it still holds or not, knew of index files: each is known by its own bytes."""
    try:
        found = orjson.loads((root / NAME).read_bytes())["indices"]
        return {str(name): list(entry) for name, entry in found.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def keep(root: Path, glance: Glance) -> None:
    """Puts a glance beside the corpus, without waiting for the disk: one that is lost costs a look at the corpus."""
    fields = asdict(glance)
    commitment = fields["said"].pop("commitment").hex()
    with replacing(root / NAME, partial(root / NAME), durably=False) as file:
        file.write_bytes(orjson.dumps(fields | {"commitment": commitment}))


def head_of(corpus: Place) -> str | None:
    """What tells the newest version of the corpus from every other: its file's name and digest; None without one.

    Of a corpus in a store, the name and what the store says of the file, which takes one question and no reading.
    """
    if isinstance(corpus, Stored):
        files = dict((corpus / "_versions").objects())
        first = min(filter(_VERSION_FILE.fullmatch, files), key=_age, default=None)
        return None if first is None else f"{first} {files[first].tag}"
    try:
        names = [path.name for path in (corpus / "_versions").iterdir()]
        newest = min((name for name in names if _VERSION_FILE.fullmatch(name)), key=_age, default=None)
        if newest is None:
            return None
        return f"{newest} {hashlib.sha256((corpus / '_versions' / newest).read_bytes()).hexdigest()}"
    except OSError:
        return None


def _age(name: str) -> int:
    """A number that is smaller for newer versions."""
    digits = name.partition(".")[0]
    return int(digits) if len(digits) == _REVERSED_DIGITS else -int(digits)
