"""Pages of made-up posts, and what their writers' fingerprints find in others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from demur.kernel.evidence import FINGERPRINTS, UNDATED, gathered
from demur.suppression.copies import Copies, fingerprints_of
from demur.words.batch import Words
from demur.words.keys import WordKeys
from demur.words.page import Page, Places, Writing

KEYS = WordKeys(bytes(range(32)))


@dataclass(frozen=True)
class Said:
    """A post."""

    text: str
    author: int = 99
    created: int = UNDATED
    quotes: list[tuple[int, int]] = field(default_factory=list)
    masks: list[tuple[int, int]] = field(default_factory=list)


def page_of(posts: Sequence[Said], first: int = 0) -> Page:
    """Posts as the kernel reads them, their items numbered from ``first``."""
    texts = pa.array([post.text for post in posts], pa.large_string())
    item = np.arange(first, first + len(posts))
    author = np.array([post.author for post in posts], np.int64)
    writing = Writing(author, item, item, np.full(len(posts), -1))
    opaque, quotes = (_places([getattr(post, name) for post in posts]) for name in ("masks", "quotes"))
    language = pa.nulls(len(posts), pa.string())
    return Page.of(texts, Words.of(texts, KEYS), writing, language, opaque=opaque, quotes=quotes)


def known(wrote: Sequence[Said], others: Sequence[Said] = ()) -> Copies:
    """What withheld people wrote, with what others wrote of it."""
    first = Copies.build(lines(wrote))
    return Copies.build(pa.concat_tables([lines(wrote), lines(others, first)])) if others else first


def lines(posts: Sequence[Said], copies: Copies | None = None) -> pa.Table:
    """Lines of FINGERPRINTS: of what was written, or of what ``copies`` see in it."""
    page = page_of(posts, 0 if copies is None else 1000)
    none = np.zeros(0, np.int64)
    wrote = fingerprints_of(page) if copies is None else (none, none)
    seen = (none, none) if copies is None else copies.seen(page)
    created = pa.array([post.created for post in posts], pa.int64())
    lists = [gathered(len(posts), *wrote), gathered(len(posts), *seen)]
    columns = [pa.array(page.writing.item), pa.array(page.writing.author), created, *lists]
    return pa.Table.from_arrays(columns, schema=FINGERPRINTS)


def masked(copies: Copies, post: Said) -> list[tuple[str, int, int]]:
    """What is found in a post: the words, whose they are, and the score."""
    found = copies.found(page_of([post]))
    places = zip(found.start.tolist(), found.end.tolist(), found.subject.tolist(), found.score.tolist(), strict=True)
    return [(post.text[start:end], subject, score) for start, end, subject, score in places]


def _places(of_rows: list[list[tuple[int, int]]]) -> Places:
    rows = [(row, *place) for row, places in enumerate(of_rows) for place in places]
    row, start, end = np.array(rows, np.int64).reshape(-1, 3).T
    return row, start, end
