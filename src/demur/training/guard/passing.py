"""An answer that is drawn passes the guard: what of it may leave, with its names masked, and up to the first copy.

Invariants: what has left is never taken back, so that the last :data:`HELD` words wait until the answer has ended: as
many as the kernel needs to tell a copy. An answer that ends within them leaves as a whole, searched once. What has left
by pieces was searched by its own beginning and by so many words behind it, and by no more.
"""

import re
from dataclasses import dataclass
from typing import Final

from demur.kernel.rules import Rules
from demur.training.guard.searching import Found, search

HELD: Final = 80
"""Words at the end of what is drawn that wait. Two runs of eight words with fifty between them are a copy together, and
so is a post of at most 47 (suppression.passages, suppression.shingles)."""
_STEP: Final = 24
"""Words that are drawn between two searches of one answer."""
_WORD: Final = re.compile(r"\S+")
_DENSE: Final = 6
"""Code points that count as a word where nothing stands between words, as in Chinese or Thai."""


@dataclass(frozen=True)
class Taken:
    """What may leave of an answer now."""

    text: str
    """With its names masked."""
    end: int
    """Up to where in the answer it goes."""
    masked: int
    """Names that are masked in it."""
    cut: bool
    """Whether a copy comes behind it."""
    words: int
    """That were drawn when it was searched."""


class Passing:
    """One answer on its way out."""

    def __init__(self, prompt: str) -> None:
        """Let the answer to a prompt pass."""
        self._prompt = prompt
        self._left = 0
        """Code points of the answer that have left."""
        self._asked = HELD
        """Words that were drawn at the last search; at first, those that wait anyway."""
        self.masked = 0
        """Names that were masked in what has left."""
        self.cut = False
        """Whether the answer ends before a copy, and nothing more of it may leave."""

    def is_due(self, answer: str) -> bool:
        """Whether so much is drawn that some of it could leave before it has ended."""
        return len(answer) > HELD and len(_begins(answer)) >= self._asked + _STEP

    def taken(self, answer: str, rules: Rules, *, ended: bool) -> Taken:
        """What may leave now of what is drawn; nothing changes until it is :meth:`left`.

        Args:
            answer: all that is drawn so far.
            rules: who is withheld, with what is known of their words.
            ended: whether nothing more is drawn.
        """
        begins = _begins(answer)
        end = len(answer) if ended else begins[-HELD] if len(begins) > HELD else 0
        found = search(self._prompt, answer, rules)
        cut = found.copied is not None and found.copied <= end
        end = _before_names(found, min(end, found.copied) if found.copied is not None else end)
        if cut:
            end = len(answer[:end].rstrip())
        end = max(end, self._left)
        text, masked = found.told(answer, self._left, end)
        return Taken(text, end, masked, cut, len(begins))

    def left(self, taken: Taken) -> str:
        """Note that it leaves; its text."""
        self._left, self._asked = taken.end, taken.words
        self.masked += taken.masked
        self.cut = taken.cut
        return taken.text


def _before_names(found: Found, end: int) -> int:
    """The last place at or before one that lies within no name."""
    return next((start for start, stop in found.names if start < end < stop), end)


def _begins(answer: str) -> list[int]:
    """Where the words of a text begin; a long stretch without a gap counts as many."""
    found: list[int] = []
    for word in _WORD.finditer(answer):
        found += range(word.start(), word.end(), _DENSE) if len(word[0]) > 4 * _DENSE else [word.start()]
    return found
