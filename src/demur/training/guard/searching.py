"""What a text of a model says of withheld people: searched as the kernel searches a row of the corpus.

Invariants: the finder of names and the one of copies are the kernel's (``kernel.wording.read``), with the scores of the
policy; nothing is known of a thread, so that a name counts by itself alone; whose words a text is nobody knows, so that
nobody's own are spared. Places that lie within the prompt alone are whoever asked's own, and count for nothing; one
that begins there and goes on in the answer counts.

A copy may be the answer, a line of it, or what prompt and answer make together: each is read, as the kernel tells short
posts by the edges of a text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import pyarrow as pa

from demur.kernel import schema
from demur.kernel.finding import found_in
from demur.kernel.keying import Keyer
from demur.kernel.marks import MASKS, PERSON
from demur.kernel.rules import Rules
from demur.kernel.spans import no_spans
from demur.kernel.wording import Pages, read
from demur.people.context import Context
from demur.people.finds import Tier

_MASK: Final = MASKS[PERSON].decode()
_NOBODY: Final = -1
_ROW: Final = {
    "item": bytes(16),
    "author": _NOBODY,
    "kind": "",
    "audience": "",
    "spans": [],
    "subjects": [],
    "media": [],
    "origin": "",
    "source": "",
}
"""What a row has besides its text, where nobody wrote it."""

Place = tuple[int, int]
"""Start and end in code points."""


@dataclass(frozen=True)
class Found:
    """What is found in an answer, by places in it."""

    names: tuple[Place, ...]
    """Where withheld people are named: ascending, apart."""
    copied: int | None
    """Where the first copy of what they wrote begins; None without one."""

    def told(self, answer: str, start: int, end: int) -> tuple[str, int]:
        """A stretch of the answer with its names masked, as the corpus has them, and how many these are.

        Args:
            answer: the whole of it.
            start: where the stretch begins; names that begin before it count as told.
            end: where it ends; it must not lie within a name.
        """
        names = [each for each in self.names if start <= each[0] and each[1] <= end]
        edges = [start, *(edge for each in names for edge in each), end]
        kept = [answer[begin:stop] for begin, stop in pairwise(edges)][::2]
        return _MASK.join(kept), len(names)


def search(prompt: str, answer: str, rules: Rules) -> Found:
    """Who is named in an answer, and what is copied in it.

    Args:
        prompt: what the answer continues.
        answer: what a model said.
        rules: who is withheld, with what is known of their words.
    """
    if not answer or not len(rules.objected.keys) + len(rules.minors.keys):
        return Found((), None)
    whole, begins = prompt + answer, len(prompt)
    views = sorted(_views(whole, begins))
    rows = _rows([whole[start:end] for start, end in views])
    finds = read(Pages(rows, rules), Context()).finds
    names = list(_accounts(whole, rules))
    copied = []
    for row, start, end, tier in zip(
        finds.row.tolist(), finds.start.tolist(), finds.end.tolist(), finds.tier.tolist(), strict=True
    ):
        place = views[row][0] + start, views[row][0] + end
        if tier == Tier.COPY:
            copied += [place] if place[1] > begins else []
        else:
            names.append(place)
    reaching = [(max(start - begins, 0), end - begins) for start, end in names if end > begins]
    first = min((max(start - begins, 0) for start, _ in copied), default=None)
    return Found(tuple(_apart(reaching)), first)


def _views(whole: str, begins: int) -> Iterator[Place]:
    """Everything, the answer, and each line of either that reaches into the answer; each once."""
    return iter({*_lines(whole, 0, begins), *_lines(whole, begins, begins), (0, len(whole)), (begins, len(whole))})


def _lines(whole: str, first: int, begins: int) -> Iterator[Place]:
    """The lines behind a place, with words in them, that end behind the beginning of the answer."""
    at = first
    for line in whole[first:].splitlines(keepends=True):
        if at + len(line) > begins and line.strip():
            yield at, at + len(line)
        at += len(line)


def _accounts(whole: str, rules: Rules) -> Iterator[Place]:
    """Where a mail address, the link of a profile or a handle with its server names somebody withheld."""
    row, keyer = _rows([whole]), Keyer(rules.pepper)
    spans = found_in(row, pa.nulls(1, pa.string()), no_spans(), rules, keyer)
    held = rules.covering(keyer.alike).is_withheld(spans.subject)
    held &= spans.subject != _NOBODY
    yield from zip(spans.start[held].tolist(), spans.end[held].tolist(), strict=True)


def _apart(places: list[Place]) -> Iterator[Place]:
    """Places, with those as one that overlap."""
    begun: Place | None = None
    for start, end in sorted(places):
        if begun is not None and start < begun[1]:
            begun = begun[0], max(begun[1], end)
        else:
            if begun is not None:
                yield begun
            begun = start, end
    if begun is not None:
        yield begun


def _rows(texts: list[str]) -> pa.RecordBatch:
    """Texts that nobody wrote, as schema.ROW."""
    return pa.RecordBatch.from_pylist([_ROW | {"text": text} for text in texts], schema=schema.ROW)
