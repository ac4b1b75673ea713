"""Finding many phrases in one text: people whom an item tags, by the thousand.

Invariants: the answer is that of a regular expression with all phrases as alternatives; the time follows the text and
the phrases, not one times the other, which that expression would take.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_PREFIX: Final = 8
_LONGEST: Final = 512
"""Characters of a phrase that is looked for: no name and no handle has more (a domain has 253)."""


class Phrases:
    """A set of phrases, each of which counts only where no letter of ``around`` stands beside it."""

    def __init__(self, phrases: Iterable[str], *, around: str, fold: bool = False) -> None:
        """Know the phrases; ``around`` is the inside of a character class, ``fold`` says that case does not matter."""
        self._fold = fold
        self._known = {each.lower() if fold else each for each in phrases if 0 < len(each) <= _LONGEST}
        self._lengths: dict[str, list[int]] = {}
        for each in sorted(self._known, key=len, reverse=True):
            lengths = self._lengths.setdefault(each[:_PREFIX], [])
            if len(each) not in lengths[-1:]:
                lengths.append(len(each))
        self._prefixes = sorted({len(each) for each in self._lengths}, reverse=True)
        begins = {form for each in self._known for form in (each[0], each[0].upper(), each[0].lower())}
        self._start = re.compile(rf"(?<![{around}])[{''.join(map(re.escape, sorted(begins)))}]") if begins else None
        self._beside = re.compile(f"[{around}]")

    def found(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Every place where phrases begin, in order, and the phrases as they stand there, the longest first."""
        for start in self._start.finditer(text) if self._start else ():
            if here := list(self._at(text, start.start())):
                yield start.start(), here

    def _at(self, text: str, start: int) -> Iterator[str]:
        for size in self._prefixes:  # one, unless some phrases are shorter than a prefix
            written = text[start : start + size]
            for length in self._lengths.get(written.lower() if self._fold else written, ()):
                if size < _PREFIX and length > size:
                    continue
                if start + length < len(text) and self._beside.match(text, start + length):
                    continue
                phrase = text[start : start + length]
                if len(phrase) == length and (phrase.lower() if self._fold else phrase) in self._known:
                    yield phrase
