"""What an import tells that is new: of which threads, and of whose words. It is compared with what lay beside the rows.

Invariants: a thread, or a person, is told if a stored row may have to be masked or dropped for what changed; what only
allows more is not (law 2: that returns with the next import of its source). So a new line counts where it concerns
somebody withheld, and an earlier line that is replaced or gone always does: whoever left a thread may have been why a
name in it meant nobody. What a withheld person signs with counts wherever they write. Reading the same again tells
nothing. Memory follows a part of the readings (spool.Spool.partitions), and the threads and people that are told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import SCAN_FROM
from demur.corpus.datasets.evidence import Beside, Evidence, digests
from demur.corpus.datasets.keyed import Keyed
from demur.corpus.scratch.lines import Lines
from demur.corpus.scratch.noted import Distinct
from demur.corpus.scratch.spool import Positions, ReadItems, Spool
from demur.identity import SubjectKeys, inside
from demur.kernel.door import REASONS
from demur.kernel.rules import Bools, Rules
from demur.register import Told
from demur.terms import Reason
from demur.words.columns import in_rows
from demur.words.page import Ints

DELETED: Final = REASONS.index(Reason.DELETED)
"""The code of a reading that says its item is gone."""
_Lists = tuple[str, ...]


@dataclass(frozen=True)
class News:
    """What differs from before, gathered while what lay beside the rows still lies there."""

    threads: Distinct = field(default_factory=Distinct)
    signers: Distinct = field(default_factory=Distinct)
    """Withheld people who sign otherwise than before, or at all."""
    wrote: Distinct = field(default_factory=Distinct)
    """Whose words differ, withheld or not: also of whoever copied, and of whoever has withdrawn."""

    @classmethod
    def of(
        cls, beside: Beside, evidence: Lines, fingerprints: Lines, spool: Spool, superseded: Positions, rules: Rules
    ) -> "News":
        """What the lines of an import that count tell of somebody whom these rules withhold."""
        news = cls()
        for fresh, gone in _differing(beside.evidence, evidence, spool, superseded, ("thread",)):
            news._take_evidence(fresh, gone, rules)
        for fresh, gone in _differing(beside.fingerprints, fingerprints, spool, superseded, ("wrote", "seen")):
            news._take_fingerprints(fresh, gone, rules)
        return news

    def told(self, evidence: Evidence, rules: Rules) -> Told:
        """What that comes to, once the evidence is that of now."""
        wrote = self.wrote.keys
        wrote = wrote[rules.is_withheld(wrote)]
        if rules.people is None:
            return Told(np.zeros(0, np.int64), wrote)
        signed = evidence.where("author", self.signers.keys, ["thread"]).column("thread").to_numpy()
        threads = np.union1d(self.threads.keys, signed)
        return Told(_stirred(evidence, threads, rules.people.subjects), wrote)

    def _take_evidence(self, fresh: pa.RecordBatch, gone: pa.RecordBatch, rules: Rules) -> None:
        author, thread = (fresh.column(name).to_numpy(zero_copy_only=False) for name in ("author", "thread"))
        withheld = rules.is_withheld(author)
        self.threads.add(thread[withheld | _says(fresh, "named") | _says(fresh, "calls")])
        self.threads.add(gone.column("thread").to_numpy(zero_copy_only=False))
        self.signers.add(author[withheld & _says(fresh, "signs")])

    def _take_fingerprints(self, fresh: pa.RecordBatch, gone: pa.RecordBatch, rules: Rules) -> None:
        self.wrote.add(fresh.column("author").to_numpy(zero_copy_only=False)[_says(fresh, "wrote")])
        if rules.copies is not None:  # what somebody else does not write any more may be no stock any more
            keys = np.concatenate(
                [gone.column(name).flatten().to_numpy(zero_copy_only=False) for name in ("wrote", "seen")]
            )
            self.wrote.add(rules.copies.writers(np.unique(keys))[1])


class _Before(NamedTuple):
    """Lines of before whose items were read again, by their digests, ascending."""

    digest: Ints
    lines: pa.RecordBatch
    """Those columns of them that are asked for."""
    found: Bools
    """Which of them stand in the import, too, word for word."""


def read_again(dataset: Keyed, readings: np.ndarray) -> ReadItems:
    """The items whose lines in a dataset some readings replace: a reading that says it is gone may keep them."""
    return ReadItems(readings[readings["code"] != DELETED] if dataset.OUTLIVES else readings)


def _differing(
    dataset: Keyed, lines: Lines, spool: Spool, superseded: Positions, kept: _Lists
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Lines that were not there before, and some columns of lines that are not there any more."""
    nothing = pa.RecordBatch.from_pylist([], schema=pa.schema([dataset.SCHEMA.field(name) for name in kept]))
    if not dataset.count():
        yield from ((batch, nothing) for batch in lines.counting(superseded))
        return
    for _, readings in spool.partitions():
        before, here = _before(dataset, read_again(dataset, readings), kept), ReadItems(readings)
        for batch in lines.counting(superseded):
            told = batch.filter(pa.array(here.holds(batch.column("item").to_numpy(zero_copy_only=False))))
            digest = digests(told)
            at = np.minimum(np.searchsorted(before.digest, digest), max(len(before.digest) - 1, 0))
            same = before.digest[at] == digest if len(before.digest) else np.zeros(len(told), bool)
            before.found[at[same]] = True
            yield told.filter(pa.array(~same)), nothing
        empty = lines_of_nothing(dataset)
        yield empty, before.lines.filter(pa.array(~before.found))


def lines_of_nothing(dataset: Keyed) -> pa.RecordBatch:
    """No line of a dataset."""
    return pa.RecordBatch.from_pylist([], schema=dataset.SCHEMA)


def _before(dataset: Keyed, again: ReadItems, kept: _Lists) -> _Before:
    told, parts = [np.zeros(0, np.int64)], [lines_of_nothing(dataset).select(list(kept))]
    for batch in dataset.batches(dataset.SCHEMA.names):
        held = batch.filter(pa.array(again.holds(batch.column("item").to_numpy(zero_copy_only=False))))
        if len(held):
            told.append(digests(held.select(dataset.SCHEMA.names)))
            parts.append(held.select(list(kept)))
    digest = np.concatenate(told)
    order = np.argsort(digest, kind="stable")
    lines = pa.Table.from_batches(parts).take(pa.array(order)).combine_chunks().to_batches()
    return _Before(digest[order], lines[0] if lines else parts[0], np.zeros(len(order), bool))


def _stirred(evidence: Evidence, threads: Ints, subjects: SubjectKeys) -> Ints:
    """Those of some threads in which one of some people writes or is named in full."""
    found = Distinct()
    for start in range(0, len(threads), SCAN_FROM):
        here = evidence.where("thread", threads[start : start + SCAN_FROM], ["thread", "author", "named"])
        thread = here.column("thread").to_numpy()
        found.add(thread[inside(here.column("author").to_numpy(), subjects)])
        row, named = in_rows(here.column("named"))
        found.add(thread[row[inside(named, subjects)]])
    return found.keys


def _says(lines: pa.RecordBatch, name: str) -> Bools:
    """Which lines have anything in a column of lists."""
    return np.asarray(lines.column(name).value_lengths().to_numpy(zero_copy_only=False), np.int64) > 0
