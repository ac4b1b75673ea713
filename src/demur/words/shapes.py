"""A folded word and its place, what is noted of how it looked, and when two words count as neighbours.

Invariants: each rule here is told of single words and of what stands between two, so that the search over one text and
that over a whole batch share it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from demur.words.classes import CONNECTOR, LINE, SPACE, STOP, WORD
from demur.words.letters import LONGEST, seen

LEAST_SPACED: Final = 3
"""Letters that are read as one word where they are set apart."""
FARTHEST: Final = 8
"""Bytes that may stand between two letters that were set apart."""
LONGEST_TOKEN: Final = 512
"""Bytes of a token; what is longer is nobody's name, and its connectors join nothing."""
SHORT: Final = 2
"""Letters of an initial or a short title: the full stop behind it ends no sentence."""


class Shape:
    """Bits: what a word looked like before it was folded, and what kind of word it is.

    Plain numbers, as they are asked for each of many words.
    """

    INITIAL_UPPER: Final = 1
    ALL_UPPER: Final = 2
    """Of two letters or more."""
    SINGLE: Final = 4
    """One letter as written (ß, too), of a script that sets words off by spaces."""
    DIGITS: Final = 8
    """No letter."""
    SPACED: Final = 16
    """Further: a run of single letters, ``s t e v e`` or ``s.t.e.v.e``, read as one word."""
    ALSO: Final = 32
    """Further: it holds a place that plain words hold, too."""
    ALONE: Final = 64
    """A letter of a script that does not set words off by spaces: names there are phrases of several."""
    LOOKALIKE: Final = 128
    """Further: a whole word of look-alike letters, read in the other script."""


class Piece(NamedTuple):
    """A folded word and its place."""

    folded: str
    start: int
    """Code points of the text."""
    end: int
    shape: int = 0
    """Bits of :class:`Shape`."""
    gap: bool = False
    """Something stronger than spaces, a line end, or one connector stands between it and the plain word before."""
    opens: bool = False
    """Begins the text, a line or a sentence."""
    place: int = 0
    """Number of the first plain word whose place it holds, from 0; a plain word's own number."""
    last: int = 0
    """Number of the last plain word whose place it holds."""

    @property
    def further(self) -> bool:
        """Whether it is another reading of places that plain words hold."""
        return self.shape & Shape.ALSO > 0


def separates(classes: int, length: int, *, short: bool) -> bool:
    """Whether what stands between two words sets them apart: its classes together, and its length in code points.

    ``short``: the word before has at most two letters.
    """
    seen_classes = classes & ~WORD
    if not seen_classes & ~(SPACE | LINE):
        return False
    if seen_classes == CONNECTOR:
        return length > 1
    if seen_classes & ~SPACE == CONNECTOR | STOP and length <= SHORT:
        return not short
    return True


def opens(classes: int, *, gap: bool) -> bool:
    """Whether a word behind what has these classes begins a line or a sentence."""
    return bool(classes & LINE) or (gap and classes & (STOP | SPACE) == STOP | SPACE)


def shape_of(raw: str, folded: str) -> int:
    """The :class:`Shape` of a plain word of a script with spaces."""
    letters = seen(raw)
    if folded.isdigit():
        return Shape.DIGITS
    first = next((letter for letter in letters if letter.isalnum()), "")
    shape = Shape.INITIAL_UPPER if first.isupper() or first.istitle() else 0
    if len(letters) > 1 and letters.isupper() and sum(map(str.isalpha, letters)) > 1:
        shape |= Shape.ALL_UPPER
    if len(folded) == 1 or sum(map(str.isalnum, letters)) == 1:
        shape |= Shape.SINGLE
    return shape


def spaced_runs(letters: int) -> Iterator[tuple[int, int]]:
    """Which of so many single letters in a row are read as one word, as (first, end): all, and but one at an edge.

    A word of one letter (I, a, y) may stand before or behind a name whose letters are set apart.
    """
    if LEAST_SPACED <= letters <= LONGEST:
        runs = ((0, letters), (0, letters - 1), (1, letters), (1, letters - 1))
        yield from (run for run in runs if run[1] - run[0] >= LEAST_SPACED)


def spaced_shape(raw: str, folded: str) -> int:
    """The shape of the further word that single letters make together; ``raw`` is these letters as written."""
    return shape_of(raw, folded) & ~Shape.SINGLE | Shape.SPACED | Shape.ALSO
