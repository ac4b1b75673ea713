"""A text under way, which knows the place of every name that was put into it."""

import random
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from people.cases import Trap, Truth

_PART: Final = re.compile(r"\[([^\]]*)\]|<([^|<>]*)\|([^<>]*)>|\{([^}]*)\}")

Put: TypeAlias = Callable[[str], object]
"""Writes what a slot stands for."""


class Draft:
    """A post's text as it grows; offsets are code points."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._parts: list[str] = []
        self._length = 0
        self.truths: list[Truth] = []
        self.traps: list[Trap] = []
        self.spans: list[tuple[int, int, str, str]] = []

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._parts)

    def write(self, text: str) -> tuple[int, int]:
        """Append text, and say where it stands."""
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        return start, self._length

    def name(self, text: str, account: str, form: str) -> tuple[int, int]:
        """Append a person's name, as a truth."""
        start, end = self.write(text)
        self.truths.append(Truth(start, end, account, form))
        return start, end

    def lure(self, text: str, kind: str) -> None:
        """Append what reads like a name, as a trap."""
        start, end = self.write(text)
        self.traps.append(Trap(start, end, kind))

    def sentence(self, template: str, sex: str, put: Put) -> None:
        """Append a template: choices are drawn, and each slot is written by ``put``."""
        at = 0
        for part in _PART.finditer(template):
            self.write(template[at : part.start()])
            self._part(part, sex, put)
            at = part.end()
        self.write(template[at:])

    def _part(self, part: re.Match[str], sex: str, put: Put) -> None:
        """Append a choice or a slot."""
        choice, man, woman, slot = part.groups()
        if choice is not None:
            self.write(self._rng.choice(choice.split("|")))
        elif slot is not None:
            put(slot)
        else:
            self.write(man if sex == "m" else woman)
