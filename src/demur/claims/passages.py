"""Where words that a model said stand in the corpus, and whether they are words of somebody withheld.

Invariants: passages are found as govern finds copies, by the same keyed runs of words, so that what is told here is
what an objection would mask: 12 words in a row, two runs of 8 near each other, or nearly all of a short text; nothing
is written, and nothing that is returned holds a word of a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from demur.corpus.session import Session
from demur.kernel import schema
from demur.kernel.evidence import FINGERPRINTS, UNDATED, gathered
from demur.kernel.rules import Rules
from demur.kernel.wording import page_of
from demur.suppression.copies import Copies, fingerprints_of
from demur.words.page import Page

_MODEL: Final = -2
"""Stands for whoever wrote what the model said: no subject key is negative, and -1 is nobody."""
_LEAST: Final = 4
"""Words that a line has at least to be looked for by itself."""


@dataclass(frozen=True)
class Passage:
    """A row of the corpus that holds words which the model said."""

    item: bytes
    """The row's key."""
    people: tuple[int, ...]
    """Its author and everybody in its markup: subject keys."""
    words: int
    """Of its longest passage in common."""


@dataclass(frozen=True)
class Found:
    """What was found of some words."""

    rows: tuple[Passage, ...]
    withheld: int
    """Passages of them that are words of somebody who is withheld now."""


def find(session: Session, output: str) -> Found:
    """The rows that hold passages of what a model said, and how much of that is withheld people's."""
    rules, _ = session.rules()
    said = page_of(_rows(_pieces(output)), rules)
    return Found(tuple(_held(session, rules, said)), _withheld(rules, said))


def _pieces(output: str) -> list[str]:
    """What is looked for: the whole, and where it has several lines each that is long enough by itself."""
    lines = [line.strip() for line in output.split("\n")]
    longer = [line for line in dict.fromkeys(lines) if len(line.split()) >= _LEAST]
    return [output, *(longer if len(lines) > 1 else ())]


def _rows(texts: list[str]) -> pa.RecordBatch:
    """Texts as rows of schema.ROW that nobody else wrote."""
    said = [
        {
            "item": number.to_bytes(16, "big"),
            "author": _MODEL,
            "kind": "post",
            "audience": "public",
            "text": text,
            "spans": [],
            "subjects": [],
            "media": [],
            "origin": "first-party",
            "source": "claim",
        }
        for number, text in enumerate(texts)
    ]
    return pa.RecordBatch.from_pylist(said, schema=schema.ROW)


def _held(session: Session, rules: Rules, said: Page) -> Iterator[Passage]:
    row, key = fingerprints_of(said)
    count = len(said.texts)
    items, authors = np.arange(count), np.full(count, _MODEL)
    undated, none = np.full(count, UNDATED), np.zeros(0, np.int64)
    lists = [gathered(count, row, key), gathered(count, none, none)]
    lines = pa.Table.from_arrays([*map(pa.array, (items, authors, undated)), *lists], schema=FINGERPRINTS)
    copies = Copies.build(lines)
    if not session.corpus.has_words:
        return
    addresses = session.corpus.holding("grams", copies.asked(np.array([_MODEL])))
    for batch in session.corpus.rows(addresses):
        yield from _of_batch(batch, copies, rules)


def _of_batch(batch: pa.RecordBatch, copies: Copies, rules: Rules) -> Iterator[Passage]:
    rows = batch.select(schema.ROW.names)
    page = page_of(rows, rules)
    finds = copies.found(page)
    for row in np.unique(finds.row).tolist():
        here = finds.row == row
        words = [_words(page, row, start, end) for start, end in zip(finds.start[here], finds.end[here], strict=True)]
        subjects = rows.column("subjects")[row].as_py()
        people = tuple(sorted({rows.column("author")[row].as_py(), *subjects}))
        yield Passage(rows.column("item")[row].as_py(), people, max(words))


def _words(page: Page, row: int, start: int, end: int) -> int:
    """How many plain words of a row stand between two places."""
    words = page.words
    return int(np.sum((words.row == row) & words.plain & (words.start >= start) & (words.end <= end)))


def _withheld(rules: Rules, said: Page) -> int:
    """How many passages are copies of what withheld people wrote, as far as their policy keeps fingerprints."""
    if rules.copies is None:
        return 0
    finds = rules.copies.found(said)
    counts = (finds.score >= rules.policy.others.copies_from) & rules.is_withheld(finds.subject)
    return int(np.sum(counts & (finds.row == 0)))
