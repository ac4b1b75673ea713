"""The layout under which nobody moves anybody: one fixed step for each person, for differential privacy of the person.

A keyed hash puts a person into one of a number of steps that was fixed in advance, whatever they or anybody else wrote;
of their rows so many count as a keyed hash draws up to a number of tokens, and rows that concern several people are
left out. So one person, with all that they wrote, is in one step or is not, and no other row knows of it.

Invariants: a person's step depends on the person and the run's key alone, and which of their rows count on their rows
and that key; which accounts are one person is what the register said at the first training of a run, and stays so,
because a person in two steps would count twice.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from demur.errors import CheckFailed
from demur.files import replacing
from demur.identity import SubjectKeys
from demur.training.config import Config
from demur.training.order import keyed, packed
from demur.training.rows import Ints, Rows

UNITS: Final = "persons.parquet"
"""The file of :class:`Units`, in the folder of a run."""
_STEP, _COUNTS = b"fixed\0", b"counts\0"
_SCHEMA: Final = pa.schema(
    [pa.field("subject", pa.int64(), nullable=False), pa.field("person", pa.int64(), nullable=False)]
)


@dataclass(frozen=True, eq=False)
class Units:
    """Which person each subject key was one of."""

    subject: SubjectKeys
    """Sorted, once each, shape (n,)."""
    person: SubjectKeys
    """The smallest key of each one's person, shape (n,)."""

    def of(self, keys: SubjectKeys) -> SubjectKeys:
        """The person of each of some keys, all of them known, shape (k,)."""
        return self.person[np.searchsorted(self.subject, keys)]

    def among(self, keys: SubjectKeys) -> Self:
        """Of some people alone."""
        stay = np.isin(self.subject, keys)
        return type(self)(self.subject[stay], self.person[stay])

    def write(self, path: Path) -> None:
        """Put them down, durably."""
        with replacing(path) as file:
            columns = [pa.array(self.subject, pa.int64()), pa.array(self.person, pa.int64())]
            pq.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA), file)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What :meth:`write` put down.

        Raises:
            CheckFailed: when it can't be read, or is damaged.
        """
        try:
            table = pq.read_table(path, schema=_SCHEMA)
            return cls(*(table.column(name).to_numpy() for name in _SCHEMA.names))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            raise CheckFailed(f"{path} can't be read, or is damaged: put it back from your backup.") from None


def counting(rows: Rows, persons: SubjectKeys, config: Config, key: bytes) -> Ints:
    """Which rows count, by their numbers, ascending.

    Args:
        rows: that may be used.
        persons: of each of ``rows.people.flat``.
        config: with the tokens that count of a person.
        key: the run's.
    """
    owner, ends = rows.people.owner, rows.people.ends
    alone = np.ones(len(rows), bool)
    alone[owner[persons != _first_of(persons, ends)[owner]]] = False
    mine = np.flatnonzero(alone & (rows.people.sizes > 0))
    person = _first_of(persons, ends)[mine]
    drawn = keyed(key, _COUNTS, (bytes(rows.item[row]) for row in mine))[:, 0]
    order = np.lexsort((drawn, person))
    total = np.cumsum(rows.tokens[mine[order]], dtype=np.int64)
    begins = np.flatnonzero(np.diff(person[order], prepend=np.nan))
    before = np.concatenate([[0], total])[begins]
    theirs = total - np.repeat(before, np.diff(np.append(begins, len(order))))
    return np.sort(mine[order[theirs <= config.person_tokens]])


def steps_of(persons: SubjectKeys, config: Config, key: bytes) -> Ints:
    """The step of each person, shape (n,)."""
    return (keyed(key, _STEP, packed(persons))[:, 0] % np.uint64(config.fixed_steps)).astype(np.int64)


def _first_of(persons: SubjectKeys, ends: Ints) -> npt.NDArray[np.int64]:
    """The first person of each row, shape (n,); 0 where a row concerns nobody."""
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64) if len(ends) else ends
    found = np.zeros(len(ends), np.int64)
    some = np.flatnonzero(ends > begins)
    found[some] = persons[begins[some]]
    return found
