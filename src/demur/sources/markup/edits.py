"""Text under edit: markup is taken out of it in passes, and spans stay on what they marked.

Invariants: a pass says what it replaces in the text as it found it, in order and without overlap; a span keeps its
words, and one whose words go stays, empty; a pass costs one walk over the text, however much it replaces.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from demur.sources.text import Span


class Edit(NamedTuple):
    """A part of a text, and what comes in its place."""

    start: int
    end: int
    by: str = ""


def edited(text: str, spans: Sequence[Span], edits: Iterable[Edit]) -> tuple[str, list[Span]]:
    """The text with its edits made, and its spans, moved along; what lies in another edit already is not edited."""
    made = list(_disjoint(edits))
    if not made:
        return text, list(spans)
    parts: list[str] = []
    at = 0
    for start, end, by in made:
        parts += (text[at:start], by)
        at = end
    parts.append(text[at:])
    starts = [edit.start for edit in made]
    grown = [0, *accumulate(len(edit.by) - (edit.end - edit.start) for edit in made)]

    def moved(place: int, *, ends: bool) -> int:
        number = bisect_right(starts, place - ends)
        if number and place < made[number - 1].end:  # within an edit
            edit = made[number - 1]
            return edit.start + grown[number - 1] + (0 if ends else len(edit.by))
        return place + grown[number]

    return "".join(parts), [_between(span, moved(span.start, ends=False), moved(span.end, ends=True)) for span in spans]


def _between(span: Span, start: int, end: int) -> Span:
    return span._replace(start=min(start, end), end=end)


def _disjoint(edits: Iterable[Edit]) -> Iterable[Edit]:
    at = 0
    for edit in sorted(edits):
        if edit.start >= at and (edit.end > edit.start or edit.by):
            yield edit
            at = edit.end
