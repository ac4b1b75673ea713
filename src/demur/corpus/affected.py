"""Which rows of the corpus, or of a version, an objection may change: by and about the person, by name, by their words.

Invariants: every row whose answer differs for what is known of some people now is among those that are found; the cost
follows the rows found and the people asked for. Rows are found by shortened keys: some are found for nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS, Addresses
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.threads import Threads
from demur.identity import SubjectKeys, inside
from demur.kernel.evidence import threads_of
from demur.kernel.rules import Rules
from demur.register import Changes
from demur.words.page import Ints


@dataclass(frozen=True)
class Affected:
    """Finds rows; of a corpus without columns of words, by the subjects alone."""

    corpus: Corpus
    rules: Rules
    threads: Threads

    def concerning(self, subjects: SubjectKeys) -> Iterator[pa.RecordBatch]:
        """Every row that is found for some people in any of these ways, once, with its address."""
        words = [self.named_anywhere(subjects), self.named_in_threads(subjects), self.copied(subjects)]
        yield from once(chain(self.corpus.concerning(subjects), self.corpus.rows(np.unique(np.concatenate(words)))))

    def changed(self, changes: Changes) -> Iterator[pa.RecordBatch]:
        """Every row that may be judged otherwise for what binding entries changed, once, with its address."""
        told, found = changes.told, [self.copied(changes.told.wrote)]
        if len(told.threads) and self.rules.people is not None:
            found.append(standing_in(self.corpus.batches(["item", "thread"]), told.threads))
        rows = self.corpus.rows(np.unique(np.concatenate(found)))
        yield from once(chain(self.concerning(changes.subjects), rows))

    def named_anywhere(self, subjects: SubjectKeys) -> Addresses:
        """Rows that hold a word which may name one of these people wherever it stands."""
        if self.rules.people is None or not self.corpus.has_words:
            return np.zeros(0, np.uint64)
        return self.corpus.holding("words", self.rules.people.asked(subjects).alone)

    def named_in_threads(self, subjects: SubjectKeys) -> Addresses:
        """Rows that hold a word which may name one of them, in threads where they take part or are named in full."""
        if self.rules.people is None or not self.corpus.has_words:
            return np.zeros(0, np.uint64)
        threads = self.threads.of(subjects)
        words = self.rules.people.asked(subjects, self.threads.learnt(subjects, threads)).within
        if not len(threads) or not len(words):
            return np.zeros(0, np.uint64)
        rows = self.corpus.rows(self.corpus.holding("words", words), ["item", "thread"])
        return standing_in(rows, threads)

    def copied(self, subjects: SubjectKeys) -> Addresses:
        """Rows that may copy what one of them wrote."""
        if self.rules.copies is None or not self.corpus.has_words:
            return np.zeros(0, np.uint64)
        return self.corpus.holding("grams", self.rules.copies.asked(subjects))


def standing_in(rows: Iterable[pa.RecordBatch], threads: Ints) -> Addresses:
    """The addresses of the rows that stand in one of some threads, in their order; ``threads`` ascend."""
    found = [np.zeros(0, np.uint64)]
    for batch in rows:
        here = inside(threads_of(batch), threads)
        found.append(batch.column(ADDRESS).to_numpy()[here].astype(np.uint64))
    return np.concatenate(found)


def once(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows, each the first time it comes; no batch holds a row twice."""
    seen: list[Ints] = []  # addresses, each sorted, and longer than the next, so that there are few
    for batch in batches:
        addresses = batch.column(ADDRESS).to_numpy(zero_copy_only=False).astype(np.int64)
        fresh = np.ones(len(addresses), bool)
        for some in seen:
            fresh &= ~inside(addresses, some)
        new = np.sort(addresses[fresh])
        while seen and len(seen[-1]) <= len(new):
            new = np.union1d(seen.pop(), new)
        seen.append(new)
        yield batch if fresh.all() else batch.filter(pa.array(fresh))
