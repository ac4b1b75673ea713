"""What is kept beside the rows: who took part where and is called what, what withheld people wrote, uncertain finds.

Invariants: those of :mod:`demur.corpus.datasets.base`; a row for each item that was read with an author, whether or
not the item was kept, replaced by the item's next reading; keys alone, no text and no name (ADR 0031 and 0033). An item
that its source says is gone loses its evidence, and the fingerprints of it stay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS, Addresses, Indices
from demur.corpus.datasets.keyed import Keyed
from demur.corpus.datasets.pictures import Pictures
from demur.files import make_folder, sync
from demur.glance import Said
from demur.identity import SubjectKeys
from demur.kernel.evidence import EVIDENCE, FINGERPRINTS, UNCERTAIN
from demur.people.indexed.table import expanded
from demur.store import Place, Stored
from demur.words.columns import in_rows
from demur.words.grams import mixed
from demur.words.page import Ints

if TYPE_CHECKING:
    import lance

_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)


def digests(lines: pa.RecordBatch) -> Ints:
    """A number of all that each line says, shape (n,); the order within its lists says nothing."""
    total = np.zeros(len(lines), np.uint64)
    for number, column in enumerate(lines.columns):
        if pa.types.is_list(column.type):
            row, values = in_rows(column)
            np.add.at(total, row, _spread(values, number))
        else:
            total += _spread(column.to_numpy(zero_copy_only=False), number)
    return np.asarray(mixed(total))


def _spread(values: Ints, number: int) -> np.ndarray:
    """Values of one column, as numbers that those of no other column are."""
    each = np.ascontiguousarray(values, np.int64).view(np.uint64)
    return mixed(each * _SPREAD + np.uint64(number)).view(np.uint64)


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

    def pieces(self) -> dict[tuple[int, str], str]:
        """What it consists of: for each fragment, by its number and its files, the file of what is deleted, or "".

        The names of files are random: a fragment of the same number may be another one after a restore.
        """
        return {
            (each.fragment_id, "|".join(file.path for file in each.data_files())): each.deletion_file() or ""
            for each in (self.dataset.get_fragments() if self.count() else [])
        }

    def lines_in(self, fragments: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """The lines of some fragments, with their addresses; one look at all takes a small part of one at each."""
        if fragments:
            yield from self._scanned_in(fragments, self.SCHEMA.names).to_batches()

    def addresses_in(self, fragment: int) -> Addresses:
        """Where a fragment has lines, ascending; without a look at them."""
        found = self._scanned_in([fragment], []).to_table().column(ADDRESS).to_numpy()
        return np.sort(found.astype(np.uint64))

    def _scanned_in(self, numbers: Sequence[int], columns: list[str]) -> "lance.LanceScanner":
        wanted = set(numbers)
        fragments = [each for each in self.dataset.get_fragments() if each.fragment_id in wanted]
        return self.dataset.scanner(columns=columns, fragments=fragments, with_row_address=True)


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
