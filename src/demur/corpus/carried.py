"""Rules on their way to other processes: their arrays in one file that a whole machine maps, and the rest apart.

Invariants: the arrays hold keyed values, and lie in memory once, however many processes of a machine map them; what is
secret in the rules (the pepper) is in the rest, which this module writes to no file.
"""

import pickle
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final, cast

from demur.kernel.rules import Rules

_ALIGNED: Final = 64
"""Bytes at whose multiples arrays begin."""


@dataclass(frozen=True)
class Carried:
    """Rules but for their arrays (PEP 574)."""

    rest: bytes = field(repr=False)
    """Pickled, with what is secret."""
    places: list[tuple[int, int]]
    """Where each array begins and ends in the file."""

    def opened(self, path: Path) -> Rules:
        """The rules, over the file of their arrays."""
        with path.open("rb") as file:
            return self.over(memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)))

    def over(self, arrays: memoryview) -> Rules:
        """The rules, over the content of that file."""
        buffers = [arrays[begin:end] for begin, end in self.places]
        return cast("Rules", pickle.loads(self.rest, buffers=buffers))  # noqa: S301  # `carry`'s


def carry(rules: Rules, path: Path) -> Carried:
    """Writes the arrays of rules to a new file."""
    buffers: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(rules, pickle.HIGHEST_PROTOCOL, buffer_callback=buffers.append)
    places = []
    with path.open("xb") as file:
        for buffer in buffers:
            begin = -(-file.tell() // _ALIGNED) * _ALIGNED
            file.seek(begin)
            places.append((begin, begin + file.write(buffer.raw())))
        file.truncate(max(file.tell(), 1))  # nothing can't be mapped
    return Carried(rest, places)
