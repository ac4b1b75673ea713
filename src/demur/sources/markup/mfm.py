"""MFM, the markup of Misskey and its forks, becomes plain text, and what it says of people becomes spans.

Invariants: offsets are code points of the text that is returned; a handle counts as a mention where MFM takes it for
one, and wherever else it stands but in an address, because marking one too few leaves a person in the corpus; what is
marked keeps its letters, whatever they would mean in other places; reading never fails, and costs a few passes.

The grammar is that of mfm.js: ``$[name.args words]``, ``<center>``, ``<small>``, ``<plain>``, ``**bold**``,
``~~struck~~``, ``[label](address)``, ``> quote``.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from demur.sources.markup.attributions import Attributed
from demur.sources.markup.bbcode import Found
from demur.sources.markup.edits import Edit, edited
from demur.sources.markup.inline import elements
from demur.sources.markup.markdown import lines, marks
from demur.sources.markup.names import Names
from demur.sources.text import Span
from demur.terms import Role

_MARKS: Final = re.compile(r"[@<&>\[*_~]|\A\s|\s\Z")
_HANDLE: Final = re.compile(
    r"https?://[^\s()]+|(?<![A-Za-z0-9])@"
    r"(?P<name>\w[\w-]{0,127}+(?:@[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{0,62}\w)+)?+)(?!@[^\s@])",
    re.ASCII,
)
"""A handle, or an address, in which none is looked for. Hosts of other letters than ASCII the kernel finds."""
_BRACKET: Final = re.compile(r"\$\[\w{1,64}(?:\.[\w=.,-]{1,300})? |[\[\]]|</?plain>", re.ASCII)
_DEEPEST: Final = 200


def to_plain(text: str, names: Names) -> tuple[str, list[Span]]:
    """The plain text of a note, and its spans.

    Args:
        text: in MFM.
        names: whom a handle stands for, ``ann`` or ``ann@town.example``.
    """
    if not _MARKS.search(text):
        return text, []
    spans = list(_mentions(text, names))
    for find in (_brackets, lambda one: elements(one, names), _quoted, lambda one: marks(one, names)):
        found = find(text)
        if found.edits or found.spans:
            edits = _beside(found.edits, [span for span in spans if span.role == Role.MENTION])
            text, spans = edited(text, [*spans, *found.spans], edits)
    if text[:1].isspace() or text[-1:].isspace():
        text, spans = edited(text, spans, _ends(text))
    if any(span.role == Role.QUOTE and span.account is None for span in spans):
        spans = Attributed(text, spans, names).spans()
    return text, spans


def _mentions(text: str, names: Names) -> Iterator[Span]:
    for match in _HANDLE.finditer(text) if "@" in text else ():
        if match["name"] and (account := names.named(match["name"].rstrip("-"))):
            yield Span(*match.span(), Role.MENTION, account)


def _brackets(text: str) -> Found:
    """The edits that take functions away from around their words; one that is never closed stays as it is."""
    found = Found([], [])
    if "$[" not in text and "plain>" not in text:
        return found
    opened: list[re.Match[str]] = []
    deeper = 0
    for match in _BRACKET.finditer(text):
        if match[0][0] == "<":
            found.edits.append(Edit(*match.span()))
        elif match[0] != "]":
            deeper += len(opened) >= _DEEPEST
            opened += [match] * (len(opened) < _DEEPEST)
        elif deeper:
            deeper -= 1
        elif opened and (begun := opened.pop())[0] != "[":
            found.edits.extend((Edit(*begun.span()), Edit(*match.span())))
    return found


def _quoted(text: str) -> Found:
    return lines(text, headings=False)


def _beside(edits: Sequence[Edit], mentions: Sequence[Span]) -> list[Edit]:
    """The edits that leave mentions whole: what looks like emphasis in a handle is none."""
    if not mentions:
        return list(edits)
    ordered = sorted(span[:2] for span in mentions)
    starts = [start for start, _ in ordered]

    def within(edit: Edit) -> bool:
        number = bisect_right(starts, edit.start)
        return number > 0 and edit.end <= ordered[number - 1][1]

    return [edit for edit in edits if not within(edit)]


def _ends(text: str) -> Iterator[Edit]:
    yield Edit(0, len(text) - len(text.lstrip()))
    yield Edit(len(text.rstrip()), len(text))
