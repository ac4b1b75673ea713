"""What is known of threads, from the evidence and from what members say: the kernel's Context.

Invariants: a context holds all that concerns the threads it is made for, so that a row's answer is the same whichever
rows it is asked with; the cost follows the threads that are asked for, and those who take part in them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.evidence import Evidence, Recalled
from demur.identity import SubjectKeys
from demur.kernel.door import WAITS
from demur.kernel.evidence import writing_of
from demur.kernel.rules import Rules
from demur.people.context import Context, Pairs, in_thread, no_pairs, pairs
from demur.people.evidence import called_in, signed_by
from demur.words.columns import in_rows
from demur.words.page import Ints

if TYPE_CHECKING:
    from demur.kernel.govern import Answer

Bears = Callable[[SubjectKeys], Pairs]
"""Tells which words some people are or were called by, as members say: people.context.Pairs of subject and word."""

_MOST_RECALLED: Final = 1_000_000
"""Lines of evidence that are held in memory, at about a hundred bytes."""


@dataclass(frozen=True)
class Threads:
    """What is known of threads at one moment."""

    evidence: Evidence | Recalled
    bears: Bears
    rules: Rules

    def context(self, threads: Ints) -> Context:
        """All that concerns some threads, words.page.short_keys in any order.

        What somebody signs with counts in the thread where they do, and of withheld people wherever they write: of
        others it is not known where else they sign, and which threads are asked for together must not decide.
        """
        here = self.evidence.where("thread", np.unique(threads))
        item, thread, author = (here.column(name).to_numpy() for name in ("item", "thread", "author"))
        people = np.unique(author)
        return Context(
            takes_part=pairs(thread, author),
            wrote=pairs(item, author),
            bears=self.bears(people),
            learnt=signed_by([self._signed(people)]),
            called=np.union1d(called_in(here).there, _beside(in_thread(thread, author), here.column("signs"))),
            named=_beside(thread, here.column("named")),
        )

    def recalled(self) -> "Threads":
        """The same, with the evidence in memory where it is not too much: for whoever asks for many threads."""
        evidence = self.evidence
        if isinstance(evidence, Recalled) or evidence.count() > _MOST_RECALLED:
            return self
        return replace(self, evidence=Recalled(evidence))

    def of(self, subjects: SubjectKeys) -> Ints:
        """The threads in which some people wrote, or are named in full; ascending."""
        wrote = self.evidence.where("author", subjects, ["thread"]).column("thread").to_numpy()
        return np.union1d(wrote, self.evidence.naming(subjects))

    def learnt(self, subjects: SubjectKeys, threads: Ints) -> Pairs:
        """What these people are called in some threads: subject and word."""
        here = self.evidence.where("thread", np.unique(threads))
        called = called_in(here)
        signed = signed_by([self._signed(np.unique(here.column("author").to_numpy()))])
        both = np.union1d(signed, pairs(called.subject, called.word))
        return both[np.isin(both["one"], subjects)]

    def _signed(self, people: SubjectKeys) -> pa.Table:
        """What those among some people who are withheld signed with, in any thread."""
        withheld = people[self.rules.is_withheld(people)]
        return self.evidence.where("author", withheld, ["author", "signs"])


def _beside(keys: Ints, lists: pa.ChunkedArray) -> Pairs:
    """Each key beside each value of its list."""
    row, values = in_rows(lists)
    return pairs(keys[row], values)


def unknown_threads(rules: Rules) -> Threads:
    """Threads of which nothing is known."""
    return Threads(Evidence(None), lambda _: no_pairs(), rules)


def govern_at_rest(batch: pa.RecordBatch, rules: Rules, threads: Threads) -> "Answer":
    """``govern`` of rows at rest, with the context of those that hang on their threads."""
    from demur.kernel.govern import govern  # noqa: PLC0415  # its patterns; an objection that concerns no row needs none

    first = govern(batch, rules, None)
    if not len(first.waiting):
        return first
    hang = batch.filter(pa.array(first.codes == WAITS))
    return govern(batch, rules, threads.context(writing_of(hang).thread))
