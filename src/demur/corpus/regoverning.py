"""Rows at rest through the kernel again, in one commit, and what they say beside it.

Invariants: what goes beside the rows (fingerprints of what is deleted, where somebody is named in full) is on disk
before the rows change, so that a kill in between loses none of it and a repetition finds the same; what serves a model
that has seen them is moved before, too, and the pictures that they won't show go before; rows that the kernel leaves as
they are are not touched; memory does not grow with what is said beside them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS, SCAN_FROM, Addresses
from demur.corpus.datasets.compaction import maintain_if_due
from demur.corpus.datasets.keyed import Keyed
from demur.corpus.datasets.pictures import SHOWN, no_longer, shown_in
from demur.corpus.scratch.noted import Distinct, Noted
from demur.corpus.session import Session
from demur.corpus.threads import Threads, govern_at_rest
from demur.identity import SubjectKeys
from demur.kernel import schema
from demur.kernel.door import KEPT, REASONS
from demur.kernel.evidence import EVIDENCE, FINGERPRINTS, UNCERTAIN, gathered
from demur.kernel.rules import Bools, Rules
from demur.words.columns import in_rows

if TYPE_CHECKING:
    from demur.kernel.govern import Answer

AT_ONCE: Final = SCAN_FROM
"""Lines that go beside the rows in one commit."""
REWRITTEN: Final = "rewritten"
"""What is the matter with a row that may stay, though not as it is."""
_BESIDE: Final = ("waiting", "evidence", "fingerprints", "uncertain")
"""What the kernel says beside the rows that it was asked about."""


@dataclass(frozen=True)
class Part:
    """Rows at rest that went through the kernel again; arrays have shape (rows,)."""

    stored: pa.RecordBatch
    """The rows as they were, schema.ROW."""
    addresses: Addresses
    answer: "Answer"
    left_out: Bools
    differs: Bools
    """Kept, but not as they were."""

    @property
    def reasons(self) -> list[str | None]:
        """Why each row may not stay as it is: its terms.Reason, or :data:`REWRITTEN`; None where it may."""
        changed = [REWRITTEN if differs else None for differs in self.differs]
        return [
            change if code == KEPT else str(REASONS[code])
            for code, change in zip(self.answer.codes.tolist(), changed, strict=True)
        ]

    def only(self, rows: Bools) -> "Part":
        """Some of the rows, shape (rows,), without what the kernel said beside them."""
        some, answer = pa.array(rows), self.answer
        kept = answer.kept.filter(pa.array(rows[~self.left_out]))
        beside = {name: getattr(answer, name).slice(0, 0) for name in _BESIDE}
        facts = {"items": answer.items.filter(some), "codes": answer.codes[rows], "hinted": answer.hinted[:0]}
        answer = replace(answer, kept=kept, **facts, **beside)
        return Part(self.stored.filter(some), self.addresses[rows], answer, self.left_out[rows], self.differs[rows])


def regoverned(rows: Iterable[pa.RecordBatch], rules: Rules, threads: Threads) -> Iterator[Part]:
    """Stored rows, with addresses, through the kernel again."""
    for batch in rows:
        before = pa.RecordBatch.from_arrays([batch.column(name) for name in schema.ROW.names], schema=schema.ROW)
        answer = govern_at_rest(before, rules, threads)
        left_out = answer.codes != KEPT
        differs = np.zeros(len(before), bool)
        differs[~left_out] = _differ(before.filter(pa.array(~left_out)), answer.kept)
        addresses = batch.column(ADDRESS).to_numpy(zero_copy_only=False).astype(np.uint64)
        yield Part(before, addresses, answer, left_out, differs)


@dataclass(frozen=True)
class Change:
    """What a pass over rows did."""

    deleted: int
    """Rows that may not be used any more."""
    rewritten: int
    """Rows of others that named, quoted or copied someone."""
    named: SubjectKeys
    """Who is named in full in these rows, sorted."""
    wrote: SubjectKeys
    """Whose words these rows were, sorted."""


@dataclass
class _Pass:
    """What a pass says, noted while the rewritten rows are streamed to disk; of rows that change, 24 bytes each."""

    evidence: Noted
    fingerprints: Noted
    uncertain: Noted
    deleted: int = 0
    rewritten: int = 0
    gone: list[Addresses] = field(default_factory=list)
    items: list[pa.Array] = field(default_factory=list)
    """Keys of these rows, 16 bytes each."""
    pictures: list[pa.Table] = field(default_factory=list)
    """What these rows don't show any more, of pictures.SHOWN."""
    shown: list[pa.Array] = field(default_factory=list)
    """Keys of those that give a model another text, though it masks mentions."""
    named: Distinct = field(default_factory=Distinct)
    wrote: Distinct = field(default_factory=Distinct)

    def note(self, answer: "Answer") -> None:
        """What the kernel says beside some rows."""
        self.evidence.add(answer.evidence)
        self.fingerprints.add(answer.fingerprints)
        self.uncertain.add(answer.uncertain)
        self.named.add(answer.evidence.column("named").flatten().to_numpy(zero_copy_only=False))
        self.wrote.add(answer.fingerprints.column("author").to_numpy(zero_copy_only=False))


def change_rows(session: Session, rows: Iterable[pa.RecordBatch], rules: Rules) -> Change:
    """Governs rows at rest, and puts what comes of it on disk: first what goes beside them, then one commit.

    What the pass says beside them counts for none of its own rows: it is put there once all of them are read.
    """
    beside, folder = session.beside, session.workspace.root
    with (
        Noted(EVIDENCE, folder) as evidence,
        Noted(FINGERPRINTS, folder) as fingerprints,
        Noted(UNCERTAIN, folder) as uncertain,
    ):
        done = _Pass(evidence, fingerprints, uncertain)
        parts = regoverned(rows, rules, session.threads(rules))
        if beside.pictures.there:
            parts = _with_pictures(parts, done)
        fragments = session.corpus.write(_rewritten(parts, rules, done))
        _add(beside.evidence, evidence, ("signs", "calls", "named"))
        _add(beside.fingerprints, fingerprints, ("wrote", "seen"))
        _add(beside.uncertain, uncertain, ())
    gone = np.concatenate([np.zeros(0, np.uint64), *done.gone])
    _move_pointers(session, done)
    if done.pictures:
        beside.pictures.remove(pa.concat_tables([SHOWN.empty_table(), *done.pictures]))
    session.corpus.commit(gone, fragments, {"demur": "honour"})
    return Change(done.deleted, done.rewritten, done.named.keys, done.wrote.keys)


def _move_pointers(session: Session, done: _Pass) -> None:
    """Have no model serve that has seen a row which is about to change; first, as nothing finds such a row again."""
    models = session.workspace.models_path
    if models.is_dir():
        from demur.runs.following import follow_rows  # noqa: PLC0415  # most workspaces have no models

        items, shown = ([item for part in parts for item in part.to_pylist()] for parts in (done.items, done.shown))
        follow_rows(models, session.register, items, shown, now=session.now)


def note_copies(session: Session, rows: Iterable[pa.RecordBatch], rules: Rules) -> bool:
    """Notes where rows hold what withheld people wrote, and changes none of them; says whether there is any such place.

    What many people wrote is stock, and counts for nothing: so all of it has to be known before a row is decided.
    """
    with Noted(FINGERPRINTS, session.workspace.root) as noted:
        for part in regoverned(rows, rules, session.threads(rules)):
            noted.add(part.answer.fingerprints)
        _add(session.beside.fingerprints, noted, ("wrote", "seen"))
        return noted.count > 0


def _with_pictures(parts: Iterable[Part], done: _Pass) -> Iterator[Part]:
    """Pass parts on, and note what their rows don't show any more."""
    for part in parts:
        if (part.left_out | part.differs).any():
            gone = no_longer(shown_in(part.stored.filter(pa.array(part.left_out | part.differs))), _stays(part))
            done.pictures += [gone] if len(gone) else []
        yield part


def _stays(part: Part) -> pa.Table:
    """What the rows still show that differ, of pictures.SHOWN."""
    return shown_in(part.answer.kept.filter(pa.array(part.differs[~part.left_out])))


def _rewritten(parts: Iterable[Part], rules: Rules, done: _Pass) -> Iterator[pa.RecordBatch]:
    """The rows whose text changes, as schema.STORED; everything else is noted in ``done``."""
    for part in parts:
        changes = part.left_out | part.differs
        done.gone.append(part.addresses[changes])
        done.items.append(part.stored.column("item").filter(pa.array(changes)))
        done.shown.append(part.stored.column("item").filter(pa.array(_give_otherwise(part))))
        done.deleted += int(part.left_out.sum())
        done.rewritten += int(part.differs.sum())
        done.note(part.answer)
        if part.differs.any():
            from demur.kernel.wording import stored  # noqa: PLC0415  # the kernel, which has come with the first part

            yield stored(part.answer.kept.filter(pa.array(part.differs[~part.left_out])), rules)


def _give_otherwise(part: Part) -> Bools:
    """Which rows give a model that masks mentions another text, shape (rows,)."""
    from demur.runs.render import COLUMNS, render  # noqa: PLC0415  # the kernel, as above

    found, at = part.left_out.copy(), np.flatnonzero(part.differs)
    kept = np.cumsum(~part.left_out) - 1
    before, after = part.stored.take(pa.array(at)), part.answer.kept.take(pa.array(kept[at]))
    texts = ([render(**row) for row in each.select(COLUMNS).to_pylist()] for each in (before, after))
    found[at] = [old != new for old, new in zip(*texts, strict=True)]
    return found


def _add(dataset: Keyed, noted: Noted, lists: tuple[str, ...]) -> None:
    """Puts lines beside the rows: what earlier lines of the same items say stays, and the lists are united.

    So many at a time as memory takes; a kill in between leaves some of them, and a repetition finds the same.
    """
    for told in noted.parts(AT_ONCE):
        known = dataset.where("item", np.unique(told.column("item").to_numpy()))
        gone = known.column(ADDRESS).to_numpy().astype(np.uint64)
        lines = united(known.select(dataset.SCHEMA.names), told, lists) if lists else _once(known, told)
        dataset.replace(gone, lines.combine_chunks().to_batches())
    if noted.count:
        maintain_if_due(dataset)  # and no index of the few new lines: a look-up reads them as they are


def united(known: pa.Table, told: pa.Table, lists: tuple[str, ...]) -> pa.Table:
    """A line for each item, the first that tells of it, with the values of all its lists."""
    both = pa.concat_tables([known, told]).combine_chunks()
    items = both.column("item").to_numpy()
    _, first, line = np.unique(items, return_index=True, return_inverse=True)
    lines = both.take(pa.array(first))
    for name in lists:
        row, told_of = in_rows(both.column(name))
        values = gathered(len(first), line[row], told_of)
        lines = lines.set_column(lines.schema.get_field_index(name), both.schema.field(name), values)
    return lines


def _once(known: pa.Table, told: pa.Table) -> pa.Table:
    """Lines that differ in anything."""
    both = pa.concat_tables([known.select(told.schema.names), told])
    return both.group_by(both.schema.names, use_threads=False).aggregate([])


def _differ(before: pa.RecordBatch, after: pa.RecordBatch) -> Bools:
    """Which rows, shape (rows,), the kernel changed."""
    different = np.zeros(len(before), bool)
    for name in ("text", "spans", "subjects", "media"):
        old, new = before.column(name), after.column(name)
        if not old.equals(new):
            different |= np.array([a != b for a, b in zip(old.to_pylist(), new.to_pylist(), strict=True)], bool)
    return different
