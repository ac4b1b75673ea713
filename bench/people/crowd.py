"""A crowd of made-up people as the register keeps their names, to build an index of: the child process of ``speed``.

Run ``python -m people.crowd FILE``: it builds the index of a file of compiled names and prints, as JSON, the processor
time of it, the part that reading the compiled names takes, what memory grew by at most, and the size of the saved file.
"""

import json
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Final

from demur.people.compiled import Compiled, Compiler, Token
from demur.people.index import PeopleIndex
from demur.people.locale import languages_of
from demur.people.names import NameRole
from demur.words.keys import WordKeys
from people.tables import languages

KEYS: Final = WordKeys(bytes(range(32)))
SURNAMES: Final = 1_000
"""Into how many each surname of the tables is made."""
_HEAD: Final = struct.Struct("<qI")
_MASK: Final = 2**63 - 1
_OF_FAMILY: Final = frozenset({NameRole.SURNAME, NameRole.SINGLE})
_OWN: Final = frozenset({NameRole.JOINED, NameRole.HANDLE})


def names() -> list[str]:
    """Every full name that the tables give."""
    found = []
    for words in languages().values():
        for given, surname in product(words.given, words.surnames):
            parts = given.forms["nom"], surname[given.sex]["nom"]
            found.append(" ".join(parts if words.order != "surname" else reversed(parts)))
    return sorted(set(found))


def crowd(size: int) -> Iterator[tuple[int, Compiled]]:
    """So many people, each with a full name: given names of the tables, and a thousand times as many surnames.

    A further surname has as many forms as the one that it is made of, under keys of its own.
    """
    rng, compiler = Random(1), Compiler(KEYS)
    models = [compiler.name(name, languages_of(name)) for name in names()]
    families = [rng.getrandbits(63) for _ in range(SURNAMES)]
    for subject in range(size):
        yield subject, _varied(rng.choice(models), rng.choice(families), rng.getrandbits(63))


def _varied(model: Compiled, family: int, own: int) -> Compiled:
    """A compiled name with another surname."""
    return Compiled(tuple(_token(token, family, own) for token in model.tokens))


def _token(token: Token, family: int, own: int) -> Token:
    mask = family if token.role in _OF_FAMILY else own if token.role in _OWN else 0
    return replace(token, keys=tuple(sorted(key ^ mask & _MASK for key in token.keys))) if mask else token


def write(path: Path, size: int) -> None:
    """Writes a crowd as the register keeps it."""
    with path.open("wb") as file:
        for subject, compiled in crowd(size):
            kept = compiled.to_bytes()
            file.write(_HEAD.pack(subject, len(kept)) + kept)


def read(path: Path) -> Iterator[tuple[int, Compiled]]:
    """What was written."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            subject, size = _HEAD.unpack(head)
            yield subject, Compiled.from_bytes(file.read(size))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Print what building the index of a file costs."""
    path = Path(sys.argv[1])
    began = time.process_time()
    for _ in read(path):
        pass
    parsed, before = time.process_time() - began, _peak()
    began = time.process_time()
    index = PeopleIndex.build(read(path))
    built, after = time.process_time() - began, _peak()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        saved = Path(folder) / "index"
        index.save(saved)
        size = saved.stat().st_size
    told = {"seconds": built, "parsing": parsed, "memory": after - before, "file": size, "people": len(index.subjects)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
