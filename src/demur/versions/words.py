"""Names and copied words of withheld people in the rows of a version: read as the kernel reads them.

Invariants: what is found is what the kernel would mask or drop, by the same code; rows are judged by what they say,
never by their columns of words; a row may hold a null anywhere. Where nothing is known of threads, a row whose answer
hangs on its thread is read for full names alone, and counted among those that could not be read to the end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from demur.corpus.threads import Threads
from demur.kernel.evidence import writing_of
from demur.kernel.rules import Rules
from demur.kernel.schema import ROW
from demur.kernel.wording import Pages, Wording, read
from demur.people.context import Context
from demur.people.finds import Tier
from demur.people.index import PeopleIndex
from demur.suppression.copies import Copies
from demur.suppression.lists import SuppressionList
from demur.suppression.parts import COPIES, NAMES
from demur.versions.manifest import SCORES
from demur.versions.traces import Positions, Trace
from demur.words.columns import Wanted

_NONE: Final = np.zeros(0, np.int64)
_EMPTY: Final = {"text": "", "spans": [], "media": [], "origin": "", "source": "", "kind": "", "audience": ""}
"""What a null stands for where the kernel knows none."""


@dataclass
class Reader:
    """Reads rows for the names of withheld people and for what these wrote."""

    rules: Rules = field(repr=False)
    threads: Threads | None = field(default=None, repr=False)
    """None: nothing is known of threads."""
    hanging: int = 0
    """Rows so far that hang on their threads, of which nothing is known."""

    def found(self, batch: pa.RecordBatch) -> Iterator[tuple[Trace, Positions]]:
        """The rows of a batch, schema ROW with nulls allowed anywhere, in which something is found."""
        if not self.rules.reads_words or not len(batch):
            return
        rows = _filled(batch)
        first = read(Pages(rows, self.rules), None)
        named, copied = _named(first), _copied(first)
        if len(at := np.flatnonzero(first.waits)):
            hang = rows.take(pa.array(at))
            second = read(Pages(hang, self.rules), self._context(hang))
            copied = np.union1d(copied, at[_copied(second)])
            if self.threads is None:
                self.hanging += len(at)
            else:
                named = np.union1d(named, at[_named(second)])
        yield Trace.COPY, copied
        yield Trace.NAME, named

    def count_in(self, stored: pa.RecordBatch) -> int:
        """In how many rows of the corpus, schema STORED, something is found; texts are read where words may tell."""
        names, copies = self._asked
        may = np.union1d(names.rows(stored.column("words")), copies.rows(stored.column("grams")))
        found = [rows for _, rows in self.found(stored.take(pa.array(may)))]
        return len(np.unique(np.concatenate([_NONE, *found])))

    def _context(self, rows: pa.RecordBatch) -> Context:
        return Context() if self.threads is None else self.threads.context(writing_of(rows).thread)

    @cached_property
    def _asked(self) -> tuple[Wanted, Wanted]:
        people, copies = self.rules.people, self.rules.copies
        nothing = np.zeros(0, np.int32)
        asked = (nothing, nothing) if people is None else people.asked(people.subjects)
        wrote = nothing if copies is None else copies.asked(copies.subjects)
        return Wanted(np.concatenate(asked)), Wanted(wrote)


def rules_of(rules: Rules, listed: SuppressionList, scores: Mapping[str, int], folder: Path) -> Rules:
    """The rules about words that a version was published under.

    Args:
        rules: of now: the pepper, and what officers said of single items since.
        listed: the version's suppression list.
        scores: as its manifest says.
        folder: where the list, and its sections, lie.

    Raises:
        CorpusError: when a section is missing or was changed.
        RegisterError: when it has a form that this demur does not read.
    """
    others = rules.policy.others.model_copy(update=dict(scores))
    found: dict[str, Any] = {
        name: form.load(listed.beside[name].path(folder, name))
        for name, form in ((NAMES, PeopleIndex), (COPIES, Copies))
        if name in listed.beside and SCORES[name] in scores
    }
    return replace(
        rules,
        policy=rules.policy.model_copy(update={"others": others}),
        objected=listed.objected,
        minors=listed.minors,
        people=found.get(NAMES),
        copies=found.get(COPIES),
    )


def _named(wording: Wording) -> Positions:
    """Rows with a name: in their text, in full where they hang on their thread, or in a picture's description."""
    names = wording.finds.row[wording.finds.tier != Tier.COPY]
    return np.unique(np.concatenate([names, wording.named[0], np.flatnonzero(wording.shows)]))


def _copied(wording: Wording) -> Positions:
    return np.unique(wording.finds.row[wording.finds.tier == Tier.COPY])


def _filled(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows as the kernel has them, without a null where it knows none."""
    columns = []
    for column in ROW:
        values = batch.column(column.name)
        if values.null_count and column.name in _EMPTY:
            told = values.to_pylist()
            values = pa.array([_EMPTY[column.name] if each is None else each for each in told], column.type)
        columns.append(values)
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema([pa.field(each.name, each.type) for each in ROW]))
