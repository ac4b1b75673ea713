"""What is kept beside the rows: who took part where and is called what, what withheld people wrote, uncertain finds.

Invariants: those of :mod:`demur.corpus.datasets.base`; a row for each item that was read with an author, whether or
not the item was kept, replaced by the item's next reading; keys alone, no text and no name (ADR 0031 and 0033). An item
that its source says is gone loses its evidence, and the fingerprints of it stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import Indices
from demur.corpus.datasets.keyed import Keyed
from demur.corpus.datasets.pictures import Pictures
from demur.files import make_folder, sync
from demur.glance import Said
from demur.identity import SubjectKeys
from demur.kernel.evidence import EVIDENCE, FINGERPRINTS, UNCERTAIN
from demur.people.indexed.table import expanded
from demur.store import Place, Stored
from demur.words.page import Ints


class Evidence(Keyed):
    """Who took part, who is called what, and whose full name stands where."""

    CALLED = "evidence"
    FOLDER = "evidence.lance"
    SCHEMA = EVIDENCE
    INDICES: ClassVar[Indices] = {"item": "BTREE", "thread": "BTREE", "author": "BTREE", "named": "LABEL_LIST"}

    def lines(self) -> pa.Table:
        """All of it."""
        parts = (pa.Table.from_batches([each]).select(EVIDENCE.names) for each in self.batches(EVIDENCE.names))
        return pa.concat_tables([EVIDENCE.empty_table(), *parts])

    def naming(self, subjects: SubjectKeys) -> Ints:
        """The threads in which some people are named in full."""
        named = self.holding_keys("array_has_any(named, [{}])", subjects, ["thread"])
        return np.unique(np.concatenate([np.zeros(0, np.int64), *(each.column("thread").to_numpy() for each in named)]))


class Recalled:
    """The evidence in memory, as it is when this is made: what an index finds slowly for many keys."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._lines = evidence.lines().combine_chunks()
        self._order: dict[str, tuple[Ints, Ints]] = {}

    def where(self, column: str, keys: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """The lines in which a column holds one of some keys, as :meth:`Keyed.where` has them, without addresses."""
        if column not in self._order:
            values = self._lines.column(column).to_numpy()
            order = np.argsort(values, kind="stable")
            self._order[column] = order, values[order]
        order, values = self._order[column]
        _, at = expanded(*(np.searchsorted(values, np.unique(keys), side) for side in ("left", "right")))
        lines = self._lines.select(columns) if columns else self._lines
        return lines.take(pa.array(order[at])).combine_chunks()

    def naming(self, subjects: SubjectKeys) -> Ints:
        """As :meth:`Evidence.naming`."""
        return self._evidence.naming(subjects)


class Fingerprints(Keyed):
    """What withheld people wrote, and where others wrote the same."""

    CALLED = "fingerprints"
    FOLDER = "fingerprints.lance"
    OUTLIVES = True
    SCHEMA = FINGERPRINTS
    INDICES: ClassVar[Indices] = {"item": "BTREE", "author": "BTREE"}


class Uncertain(Keyed):
    """What is masked and somebody may look at: its place, its score and why."""

    CALLED = "uncertain finds"
    FOLDER = "uncertain.lance"
    FORMERLY: ClassVar[str] = "doubts.lance"
    """Where it lay before the word *doubt* was kept for whose an objection is; whoever writes moves it."""
    SCHEMA = UNCERTAIN
    INDICES: ClassVar[Indices] = {"item": "BTREE"}

    @classmethod
    def ensure(cls, path: Place) -> Self:
        """The one at ``path``; what an older demur kept gets the columns of now, empty."""
        found = super().ensure(path)
        if found.lacking:
            found.dataset.add_columns(found.lacking)
            found.refresh()
        return found

    @property
    def lacking(self) -> list[pa.Field]:
        """The columns that an older demur did not keep."""
        names = set(self.dataset.schema.names)
        return [column for column in self.SCHEMA if column.name not in names]

    def where(self, column: str, keys: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """As of :class:`Keyed`; what an older demur did not keep is null."""
        lacking = [each for each in self.lacking if columns is None or each.name in columns]
        missing = {each.name for each in lacking}
        found = super().where(column, keys, [name for name in columns or self.SCHEMA.names if name not in missing])
        for each in lacking:
            found = found.append_column(each, pa.nulls(len(found), each.type))
        return found


@dataclass(frozen=True)
class Beside:
    """The datasets beside the corpus of one workspace."""

    evidence: Evidence
    fingerprints: Fingerprints
    uncertain: Uncertain
    pictures: Pictures
    """There is none on disk before the first import that may bring pictures."""

    @classmethod
    def ensure(cls, folder: Place) -> Self:
        """Those in a folder, made empty if there are none yet."""
        if isinstance(folder, Path):
            make_folder(folder)
            if (former := folder / Uncertain.FORMERLY).exists() and not (folder / Uncertain.FOLDER).exists():
                former.rename(folder / Uncertain.FOLDER)
                sync(folder)
        return cls(
            Evidence.ensure(_in(folder, Evidence)),
            Fingerprints.ensure(_in(folder, Fingerprints)),
            Uncertain.ensure(_in(folder, Uncertain)),
            Pictures.view(_in(folder, Pictures)),
        )

    @classmethod
    def view(cls, folder: Place, versions: Sequence[int] = ()) -> Self:
        """Those in a folder for reading; empty ones in memory where nothing was ever written there.

        Args:
            folder: where they lie.
            versions: Lance's numbers, in their order; none for their heads. That of pictures may be missing: there
                were none then.
        """
        evidence, fingerprints, uncertain, *pictures = versions or (None, None, None)
        return cls(
            Evidence.view(_in(folder, Evidence), evidence),
            Fingerprints.view(_in(folder, Fingerprints), fingerprints),
            Uncertain.view(_in(folder, Uncertain), uncertain),
            Pictures.view(_in(folder, Pictures), next(iter(pictures), None)),
        )

    @property
    def datasets(self) -> tuple[Keyed, ...]:
        """All that are there."""
        always = self.evidence, self.fingerprints, self.uncertain
        return (*always, self.pictures) if self.pictures.there else always

    def begin_pictures(self) -> None:
        """Make room for pictures where there was none; it says at once that it is as far as all the rest."""
        if not self.pictures.there:
            said = self.evidence.said()
            self.pictures.begin()
            self.pictures.say(said)

    @property
    def versions(self) -> list[int]:
        """Lance's numbers of their versions, in their order."""
        return [each.version for each in self.datasets]

    def said(self) -> list[Said]:
        """What each says of itself."""
        return [each.said() for each in self.datasets]

    def say(self, said: Said) -> None:
        """Has each say that its lines go as far as the corpus's rows do; the corpus says it after them."""
        for each in self.datasets:
            each.say(said)

    def belong(self, instance: str, incarnation: int) -> None:
        """Has each that does not say so yet say whose it is."""
        for each in self.datasets:
            said = each.said()
            if (said.instance, said.incarnation) != (instance, incarnation):
                each.say(replace(said, instance=instance, incarnation=incarnation))

    def restore(self, versions: Sequence[int]) -> None:
        """Makes their heads what those versions were."""
        for each, version in zip(self.datasets, versions, strict=False):  # room for pictures may have come since
            each.restore(version)


def _in(folder: Place, kind: type[Keyed]) -> Place:
    """Where a dataset lies; one that nobody has written since its folder was renamed lies in the former one."""
    here = folder / kind.FOLDER
    former = None if kind.FORMERLY is None or isinstance(folder, Stored) or here.exists() else folder / kind.FORMERLY
    return former if former is not None and former.exists() else here
