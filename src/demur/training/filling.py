"""The plan of a model: which row stands in which step, filled in the order of rows.

Invariants: a step closes when it holds B tokens, so that which rows a step has depends on the rows up to it and on none
behind; taking people out leaves every step before their first row as it is, byte for byte, and fills what follows as if
they had never been there; where steps are fixed in advance (training.private), each row stands in the step that its
place says, and nobody moves anybody; a plan that is read is the one that was written, or is named as changed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from demur.errors import CheckFailed
from demur.files import replacing
from demur.identity import ITEM_KEY_BYTES, SubjectKeys
from demur.training.order import PARTS
from demur.training.rows import ROW_BYTES, Ints, Lists, Rows, joined

SCHEMA: Final = pa.schema(
    [
        pa.field("step", pa.int32(), nullable=False),  # from 0
        pa.field("position", pa.int32(), nullable=False),  # in its step, from 0
        pa.field("item", pa.binary(ITEM_KEY_BYTES), nullable=False),
        pa.field("row", pa.binary(ROW_BYTES), nullable=False),  # SHA-256 of the token ids, int32 little-endian
        pa.field("tokens", pa.int32(), nullable=False),
        pa.field("people", pa.list_(pa.int64()), nullable=False),  # subject keys (rows.people_of), ascending
        pa.field("class", pa.int8(), nullable=False),  # where the row stands, as it was recorded first
        pa.field("part", pa.int16(), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class Plan:
    """The rows of a model in the order in which they are trained on, n of them."""

    rows: Rows
    """Of a plan that was only read, without token ids."""
    place: Ints
    """Class and part of each (training.order), shape (n,)."""
    step: npt.NDArray[np.int32]
    """The step of each, ascending, shape (n,); from 0 without a gap where steps are not fixed."""
    fixed: int = 0
    """How many steps there are, whoever is in them; 0: they are filled, as many as it takes."""

    @classmethod
    def filled(cls, rows: Rows, place: Ints, step_tokens: int, *, fixed: int = 0) -> Self:
        """The plan of rows that are in their order.

        Args:
            rows: in the order of training.
            place: of each; where steps are fixed, its step.
            step_tokens: B.
            fixed: how many steps there are; 0 where they are filled.
        """
        return cls(rows, place, place.astype(np.int32) if fixed else fill(rows.tokens, step_tokens), fixed)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return self.fixed or (int(self.step[-1]) + 1 if len(self) else 0)

    def of_step(self, step: int) -> slice:
        """Where the rows of a step stand."""
        first, end = np.searchsorted(self.step, (step, step + 1))
        return slice(int(first), int(end))

    def ids(self, row: int) -> npt.NDArray[np.int32]:
        """The token ids of a row, by its number in the plan."""
        start = self.rows.start[row]
        return self.rows.ids[start : start + self.rows.tokens[row]]

    def step_digest(self, step: int) -> bytes:
        """SHA-256 over items and row hashes of a step, in their order: what the log says of it."""
        where = self.of_step(step)
        return hashlib.sha256(np.hstack([self.rows.item[where], self.rows.row[where]]).tobytes()).digest()

    def digest(self) -> str:
        """SHA-256 over all columns, lowercase hexadecimal: two plans with one digest are equal."""
        rows, digest = self.rows, hashlib.sha256()
        for column in (self.step, rows.item, rows.row, rows.tokens, rows.people.flat, rows.people.ends, self.place):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def items(self) -> list[bytes]:
        """The keys of its rows."""
        packed = self.rows.item.tobytes()
        return [packed[at : at + ITEM_KEY_BYTES] for at in range(0, len(packed), ITEM_KEY_BYTES)]

    def people(self) -> SubjectKeys:
        """Every subject key in it, sorted."""
        return np.unique(self.rows.people.flat)

    def without(self, subjects: SubjectKeys, step_tokens: int, *, after: int = 0) -> Self:
        """The plan without any row by or about these people.

        Args:
            subjects: their keys, in any order.
            step_tokens: B.
            after: rows of the first so many steps stay, as they were trained on already.
        """
        stay = ~self.rows.people.holding(subjects) | (self.step < after)
        return self._of(np.flatnonzero(stay), step_tokens, after)

    def until(self, step: int) -> Self:
        """The first ``step`` steps of this plan."""
        where = np.arange(int(np.searchsorted(self.step, step)))
        rows, fixed = self.rows.take(where), min(self.fixed, step)
        return replace(self, rows=rows, place=self.place[where], step=self.step[where], fixed=fixed)

    def onward(self, after: int, fresh: Self, step_tokens: int) -> Self:
        """The first ``after`` steps of this plan, and behind them what else stands in another.

        Args:
            after: steps that were trained on already.
            fresh: a plan whose rows have their ids.
            step_tokens: B.
        """
        head = int(np.searchsorted(self.step, after))
        taken = set(self.items()[:head])
        rest = np.array([at for at, item in enumerate(fresh.items()) if item not in taken], np.int64)
        rows = joined(self.rows.take(np.arange(head)), fresh.rows.take(rest))
        place = np.concatenate([self.place[:head], fresh.place[rest]])
        return replace(self, rows=rows, place=place, step=self._refilled(rows.tokens, place, step_tokens, after))

    def _of(self, which: Ints, step_tokens: int, after: int) -> Self:
        rows, place = self.rows.take(which), self.place[which]
        return replace(self, rows=rows, place=place, step=self._refilled(rows.tokens, place, step_tokens, after))

    def _refilled(
        self, tokens: npt.NDArray[np.int32], place: Ints, step_tokens: int, after: int
    ) -> npt.NDArray[np.int32]:
        """The steps of rows that begin with those of this plan's first ``after`` steps, and are filled anew behind."""
        if self.fixed:
            return place.astype(np.int32)
        head = int(np.searchsorted(self.step, after))
        return np.concatenate([self.step[:head], fill(tokens[head:], step_tokens) + after]).astype(np.int32)

    def with_ids(self, rows: Rows) -> Self:
        """The plan with the token ids of its rows.

        Args:
            rows: among which are all of the plan's, in any order.

        Raises:
            CheckFailed: naming the first row that is not there, or gives something else.
        """
        known = {bytes(item): at for at, item in enumerate(rows.item)}
        at = np.array([known.get(item, -1) for item in self.items()], np.int64)
        wrong = at < 0
        if len(at):
            wrong |= (rows.row[at] != self.rows.row).any(axis=1) | (rows.tokens[at] != self.rows.tokens)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise CheckFailed(
                f"Row {row} of the plan, in step {self.step[row]}, is not what the corpus gives: the plan was changed, "
                "or the corpus was; replay the run."
            )
        return replace(self, rows=replace(self.rows, ids=rows.ids, start=rows.start[at]))

    def table(self) -> pa.Table:
        """As :data:`SCHEMA`."""
        rows, people = self.rows, self.rows.people
        begins = np.searchsorted(self.step, self.step)
        offsets = pa.array(np.concatenate([[0], people.ends]).astype(np.int32))
        columns = [
            pa.array(self.step),
            pa.array((np.arange(len(self)) - begins).astype(np.int32)),
            _binary(rows.item),
            _binary(rows.row),
            pa.array(rows.tokens),
            pa.ListArray.from_arrays(offsets, pa.array(people.flat)),
            pa.array((self.place // PARTS).astype(np.int8)),
            pa.array((self.place % PARTS).astype(np.int16)),
        ]
        return pa.Table.from_arrays(columns, schema=SCHEMA)

    def write(self, path: Path) -> None:
        """Put it down, durably."""
        with replacing(path) as file:
            pq.write_table(self.table(), file)

    @classmethod
    def read(cls, path: Path, digest: str | Sequence[str] | None = None) -> Self:
        """What :meth:`write` put down, without token ids.

        Args:
            path: of the file.
            digest: what :meth:`digest` has to be, or several that it may be; None where nothing is known of it.

        Raises:
            CheckFailed: when it can't be read, or is not that plan.
        """
        wrong = CheckFailed(f"The plan {path} was changed or is damaged: put it back from your backup, or train anew.")
        if not path.exists():
            raise CheckFailed(f"The plan {path} is missing: put it back from your backup, or train anew.")
        try:
            plan = cls._of_table(pq.read_table(path, schema=SCHEMA).combine_chunks())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
            raise wrong from None
        known = [digest] if isinstance(digest, str) else digest
        if known is not None and plan.digest() not in known:
            raise wrong
        return plan

    @classmethod
    def _of_table(cls, table: pa.Table) -> Self:
        column = {name: table.column(name) for name in SCHEMA.names}
        lists = column["people"].to_pylist()
        tokens = column["tokens"].to_numpy().astype(np.int32)
        item, row = (_bytes(column[name], size) for name, size in (("item", ITEM_KEY_BYTES), ("row", ROW_BYTES)))
        empty = np.zeros(0, np.int32)
        rows = Rows(item, row, tokens, Lists.of(lists), empty, np.zeros(len(tokens), np.int64))
        place = column["class"].to_numpy().astype(np.int64) * PARTS + column["part"].to_numpy()
        return cls(rows, place, column["step"].to_numpy().astype(np.int32))


def fill(tokens: npt.NDArray[np.int32], step_tokens: int) -> npt.NDArray[np.int32]:
    """The step of each row, shape (n,): rows come in their order, and a step closes when it holds so many tokens."""
    total = np.cumsum(tokens, dtype=np.int64)
    steps, step, begin, before = np.zeros(len(tokens), np.int32), 0, 0, 0
    while begin < len(tokens):
        end = min(int(np.searchsorted(total, before + step_tokens)) + 1, len(tokens))
        steps[begin:end] = step
        step, begin, before = step + 1, end, int(total[end - 1])
    return steps


def first_difference(old: Plan, new: Plan) -> int | None:
    """The number of the first step whose rows, or what they give, differ; None where two plans train alike.

    That is all that counts for the weights: a checkpoint of that number, or a lower one, is one of both.
    """
    both = min(len(old), len(new))
    same = (old.rows.item[:both] == new.rows.item[:both]).all(axis=1)
    same &= (old.rows.row[:both] == new.rows.row[:both]).all(axis=1) & (old.step[:both] == new.step[:both])
    if not same.all():
        at = int(np.argmin(same))
        return int(min(old.step[at], new.step[at]))
    longer = old if len(old) > both else new
    return int(longer.step[both]) if len(longer) > both else None


def _binary(values: npt.NDArray[np.uint8]) -> pa.Array:
    kind = pa.binary(values.shape[1])
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())])


def _bytes(column: Any, size: int) -> npt.NDArray[np.uint8]:  # noqa: ANN401  # Arrow's, which has no types
    return np.frombuffer(b"".join(column.to_pylist()), np.uint8).reshape(-1, size)
