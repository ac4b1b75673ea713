"""The order of rows, so that whoever is likely to object for few tokens stands late: Smith's rule, in classes.

What an objection costs is all that was trained from the person's first row on. The order with the least expected cost
is by hazard over tokens, lowest first (Smith 1956, weighted completion time on one machine). People are put into
classes of a factor of two, ``floor(log2(hazard / tokens))``, and rows are mixed inside a class by a keyed hash, which
is kinder to what is learned than people one after the other. A class with too large a share of the tokens is split by
a keyed hash of the person.

Invariants: a row stands in the class of the last of its people (rows.people_of), so that no row that their objection
would change stands before their class; the class of a person, and of a row, is what was recorded first, so that a
rewritten row moves nobody, and a row that loses a person stays where it is; the order of two rows depends on no other.
"""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from demur.errors import CheckFailed
from demur.files import replacing
from demur.identity import SubjectKeys
from demur.training.config import Config, Hazard
from demur.training.rows import Bytes, Ints, Lists

KEY_BYTES: Final = 32
PARTS: Final = 1 << 15
"""Parts of a class, fewer than; a place is ``class * PARTS + part``."""

_ITEM, _PART, _HELD = b"item\0", b"part\0", b"held\0"
_SPLIT: Final = b"split"
_SCHEMA: Final = pa.schema(
    [
        pa.field("subject", pa.int64(), nullable=False),
        pa.field("class", pa.int8(), nullable=False),
        pa.field("part", pa.int16(), nullable=False),
    ]
)


def keyed(key: bytes, kind: bytes, values: Iterable[bytes]) -> npt.NDArray[np.uint64]:
    """The first 16 bytes of ``HMAC-SHA-256(key, kind || value)`` of each, shape (n, 2)."""
    found = b"".join(hmac.digest(key, kind + value, "sha256")[:16] for value in values)
    return np.frombuffer(found, ">u8").reshape(-1, 2).astype(np.uint64)


@dataclass(frozen=True, eq=False)
class Classes:
    """The class of each person, by the person's smallest subject key."""

    subject: SubjectKeys
    """Sorted, once each, shape (n,)."""
    place: Ints
    """``class * PARTS + part`` of each, shape (n,); lower ones stand first."""
    split: Mapping[int, int] = field(default_factory=dict)
    """Into how many parts a class is split, where it is."""

    @classmethod
    def first(cls, persons: SubjectKeys, tokens: Ints, config: Config, key: bytes) -> Self:
        """The classes of people who were never in the run.

        Args:
            persons: sorted, once each, shape (n,).
            tokens: of the rows that concern each, shape (n,).
            config: with the hazards, and the share of a class.
            key: the run's.
        """
        found = smith(tokens, config.hazard)
        share = config.class_share * float(tokens.sum())
        sums = {int(each): float(tokens[found == each].sum()) for each in np.unique(found)}
        split = {each: min(int(-(-total // share)), PARTS - 1) for each, total in sums.items() if total > share}
        return cls(persons, _places(persons, found, split, key), split)

    def grown(self, persons: SubjectKeys, tokens: Ints, config: Config, key: bytes) -> Self:
        """With people who are new; nobody else's class changes.

        Args:
            persons: as in :meth:`first`; those who are known already are passed over.
            tokens: likewise.
            config: likewise.
            key: likewise.
        """
        if not len(self.subject):
            return type(self).first(persons, tokens, config, key)
        new = ~np.isin(persons, self.subject)
        places = _places(persons[new], smith(tokens[new], config.hazard), self.split, key)
        subject = np.concatenate([self.subject, persons[new]])
        order = np.argsort(subject)
        return type(self)(subject[order], np.concatenate([self.place, places])[order], self.split)

    def would_be(self, persons: SubjectKeys, tokens: Ints, config: Config, key: bytes) -> Ints:
        """The place that each of these would have, shape (n,); nothing is recorded of them.

        Args:
            persons: as in :meth:`first`.
            tokens: likewise.
            config: likewise.
            key: likewise.
        """
        return _places(persons, smith(tokens, config.hazard), self.split, key)

    def places(self, persons: SubjectKeys) -> Ints:
        """The place of each, all of them known, shape (n,)."""
        return self.place[np.searchsorted(self.subject, persons)]

    def write(self, path: Path) -> None:
        """Put them down, durably."""
        columns = (self.subject, (self.place // PARTS).astype(np.int8), (self.place % PARTS).astype(np.int16))
        said = json.dumps({str(each): parts for each, parts in sorted(self.split.items())}).encode()
        schema = _SCHEMA.with_metadata({_SPLIT: said})
        with replacing(path) as file:
            pq.write_table(pa.Table.from_arrays([pa.array(each) for each in columns], schema=schema), file)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What :meth:`write` put down.

        Raises:
            CheckFailed: when it can't be read, or is damaged.
        """
        try:
            table = pq.read_table(path)
            said = json.loads(table.schema.metadata[_SPLIT])
            subject, found, part = (table.column(each.name).to_numpy().astype(np.int64) for each in _SCHEMA)
            split = {int(each): int(parts) for each, parts in said.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
            raise CheckFailed(f"{path} can't be read, or is damaged: put it back from your backup.") from None
        return cls(subject, found * PARTS + part, split)


def smith(tokens: Ints, hazard: Sequence[Hazard]) -> Ints:
    """``floor(log2(hazard / tokens))`` of people with so many tokens, shape (n,), within an int8."""
    whole = np.maximum(tokens, 1)
    return np.clip(np.floor(np.log2(rates(whole, hazard) / whole)), -128, 127).astype(np.int64)


def rates(tokens: Ints, hazard: Sequence[Hazard]) -> npt.NDArray[np.float64]:
    """The hazard of people with so many tokens, shape (n,)."""
    starts = np.array([each.tokens for each in hazard], np.int64)
    lines = np.array([each.rate for each in hazard], np.float64)
    return np.asarray(lines[np.searchsorted(starts, tokens, side="right") - 1])


def tokens_of(people: Lists, tokens: npt.NDArray[np.int32]) -> tuple[SubjectKeys, Ints]:
    """Everybody, sorted, and the tokens of all rows that concern each; shape (n,) both.

    Args:
        people: of each row; whoever stands twice in one counts once.
        tokens: of each row.
    """
    pairs = np.unique(np.stack([people.flat, people.owner], axis=1), axis=0)
    persons, index = np.unique(pairs[:, 0], return_inverse=True)
    total = np.zeros(len(persons), np.int64)
    np.add.at(total, index.reshape(-1), tokens[pairs[:, 1]])
    return persons, total


def row_places(people: Lists, places: Ints) -> Ints:
    """The place of each row: of the last of its people, shape (n,).

    Args:
        people: of each row, at least one.
        places: of each of ``people.flat``.
    """
    found = np.full(len(people.ends), np.iinfo(np.int64).min)
    np.maximum.at(found, people.owner, places)
    return found


def in_order(item: Bytes, places: Ints, key: bytes) -> Ints:
    """The rows in the order in which they are trained on: their numbers, shape (n,)."""
    high, low = keyed(key, _ITEM, map(bytes, item)).T
    return np.lexsort((low, high, places))


def held_out(persons: SubjectKeys, share: float, key: bytes) -> npt.NDArray[np.bool_]:
    """Who is kept out for audits, shape (n,)."""
    drawn = keyed(key, _HELD, packed(persons))[:, 0]
    return drawn < np.uint64(share * 2.0**64) if share else np.zeros(len(persons), bool)


def _places(persons: SubjectKeys, found: Ints, split: Mapping[int, int], key: bytes) -> Ints:
    parts = np.array([split.get(each, 1) for each in found.tolist()], np.uint64)
    part = keyed(key, _PART, packed(persons))[:, 0] % np.maximum(parts, 1)
    return found * PARTS + part.astype(np.int64)


def packed(persons: SubjectKeys) -> Iterable[bytes]:
    """Subject keys as they are hashed (:func:`keyed`)."""
    return (int(each).to_bytes(8, "little", signed=True) for each in persons)
