"""Copies: where others wrote what a withheld person wrote, found by keyed fingerprints (ADR 0033).

Invariants: a fingerprint is a keyed hash of eight words that the person wrote themselves; nothing is found in what they
wrote; a find covers whole words.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa

from demur.identity import SubjectKeys
from demur.people.finds import Finds, Tier, no_finds
from demur.suppression.keyset import KeySet
from demur.words.columns import halves
from demur.words.grams import Grams, grams, sampled
from demur.words.page import Ints, Page

_RUN: Final = 12
"""Words from which a run is a copy by itself."""

Beside = tuple[Ints, Ints]


def fingerprints_of(page: Page) -> Beside:
    """The fingerprints of what the authors of a page wrote themselves: row and gram."""
    found = _whole(page, own=True)
    return found.row.astype(np.int64), found.gram


def gram_lists(page: Page) -> pa.ListArray:
    """What finds the rows of a page as copies: for each the halves of some of its grams, ascending."""
    found = sampled(_whole(page, own=False))
    both = np.unique(np.stack([found.row.astype(np.int64), halves(found.gram)], axis=1).reshape(-1, 2), axis=0)
    offsets = np.searchsorted(both[:, 0], np.arange(len(page.texts) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(both[:, 1].astype(np.int32)))


@dataclass(frozen=True, eq=False)
class Copies:
    """What withheld people wrote."""

    gram: Ints
    """Ascending, shape (n,)."""
    subject: Ints
    """Who wrote it, shape (n,)."""

    @classmethod
    def build(cls, lines: pa.Table) -> Self:
        """Those of lines of kernel.evidence.FINGERPRINTS."""
        lines = lines.combine_chunks()
        wrote = lines.column("wrote").combine_chunks()
        lengths = wrote.value_lengths().to_numpy(zero_copy_only=False)
        subject = np.repeat(lines.column("author").to_numpy(), lengths)
        gram = wrote.flatten().to_numpy(zero_copy_only=False)
        both = np.unique(np.stack([gram, subject], axis=1).reshape(-1, 2), axis=0)
        return cls(both[:, 0].copy(), both[:, 1].copy())

    def save(self, path: Path) -> None:
        """Writes them to a file."""
        with path.open("wb") as file:
            np.save(file, np.stack([self.gram, self.subject]))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those that :meth:`save` wrote, mapped into memory."""
        both = np.load(path, mmap_mode="r")
        return cls(both[0], both[1])

    def asked(self, subjects: SubjectKeys) -> np.ndarray:
        """The halves of the grams that these people wrote, as the corpus' index has them."""
        return np.unique(halves(self.gram[np.isin(self.subject, subjects)]))

    def found(self, page: Page) -> Finds:
        """Copies on a page."""
        whole = _whole(page, own=False)
        at = np.flatnonzero(self._known.contains(whole.gram))
        if not len(at):
            return no_finds()
        subject = self.subject[np.searchsorted(self.gram, whole.gram[at])]
        row, first, last = whole.row[at].astype(np.int64), whole.first[at], whole.last[at]
        start, end = page.words.start[first].astype(np.int64), page.words.end[last].astype(np.int64)
        fresh = np.ones(len(at), bool)
        fresh[1:] = (row[1:] != row[:-1]) | (subject[1:] != subject[:-1]) | (start[1:] > end[:-1])
        head = np.flatnonzero(fresh)
        tail = np.concatenate([head[1:], [len(at)]]) - 1
        long = page.words.place[last[tail]] - page.words.place[first[head]] + 1 >= _RUN
        head, tail = head[long], tail[long]
        score = np.full(len(head), 90)
        return Finds(row[head], start[head], end[tail], subject[head], np.full(len(head), Tier.COPY), score)

    def seen(self, page: Page) -> Beside:
        """Where fingerprints of withheld people's words stand on a page: row and gram."""
        whole = _whole(page, own=False)
        at = self._known.contains(whole.gram)
        return whole.row[at].astype(np.int64), whole.gram[at]

    @cached_property
    def _known(self) -> KeySet:
        return KeySet(self.gram)


def _whole(page: Page, *, own: bool) -> Grams:
    """The grams of a page whose words are all readable and on one side of every quote's edge."""
    found = grams(page.words)
    bad = page.opaque | page.quoted if own else page.opaque
    count = np.concatenate([[0], np.cumsum(bad)])
    clean = count[found.last + 1] == count[found.first]
    clean &= page.sides[found.first] == page.sides[found.last]
    return Grams(*(getattr(found, each.name)[clean] for each in fields(Grams)))
