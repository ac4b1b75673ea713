"""Makes a table of names: each part once, each person's names by their parts, and which two parts make a full name."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final

import numpy as np

from demur.people.compiled import Compiled, FormFlag
from demur.people.names import NameRole
from demur.people.table import Table, bitmap_of
from demur.words.page import Ints

_FIRST: Final = frozenset({NameRole.GIVEN, NameRole.MIDDLE, NameRole.NICK})
_ASIDE: Final = frozenset({NameRole.INITIAL, NameRole.PARTICLE})
"""Words that are never looked for by themselves."""
_part_of = attrgetter("part")

_Signature = tuple[tuple[NameRole, FormFlag, tuple[int, ...]], ...]


class Building:
    """Takes names one by one."""

    def __init__(self) -> None:
        self._stems: dict[_Signature, int] = {}
        self._roots: dict[tuple[int, ...], int] = {}
        self._entries = array("q"), array("i"), bytearray()
        self._root, self._part = array("i"), bytearray()
        self._held = array("i"), array("i")
        self._pairs = array("q"), array("i"), array("i"), array("i")
        self._subjects = array("q")

    def add(self, subject: int, name: Compiled) -> None:
        """One spelling of somebody's name."""
        number = len(self._subjects)
        self._subjects.append(subject)
        firsts: list[int] = []
        lasts: list[int] = []
        letters: list[int] = []
        for _, tokens in groupby(name.tokens, _part_of):
            said = tuple((token.role, token.flags, token.keys) for token in tokens)
            stem = self._stem(said)
            self._held[0].append(stem)
            self._held[1].append(number)
            role = self._part[stem]
            if role == NameRole.SURNAME:
                lasts.append(stem)
                letters += self._letters(said)
            elif role in _FIRST:
                firsts.append(stem)
                firsts += self._letters(said) if role == NameRole.GIVEN else ()
        self._pair(number, firsts, lasts)
        self._pair(number, firsts[:1], letters)

    def table(self) -> Table:
        """Everything that was added."""
        keys, stem, kind = self._sorted_entries()
        distinct = np.ones(len(keys), bool)
        distinct[1:] = keys[1:] != keys[:-1]
        begins = np.flatnonzero(distinct)
        unique, aside = keys[begins], np.isin(kind >> 4, list(_ASIDE))
        owner = np.cumsum(distinct) - 1
        alone = np.bincount(owner[~aside], minlength=len(unique)) > 0
        by_stem = np.argsort(stem, kind="stable")
        held = np.unique(_ints(self._held[0], np.int32).astype(np.int64) << 32 | _ints(self._held[1], np.int32))
        subject = _ints(self._subjects)
        pair = _ints(self._pairs[0])
        by_pair = np.argsort(pair, kind="stable")
        return Table(
            keys=unique,
            offsets=np.append(begins, len(keys)),
            stem=stem,
            kind=kind,
            strong=np.bincount(owner[~aside & (kind & FormFlag.WORD == 0)], minlength=len(unique)) > 0,
            of_stem=by_stem.astype(np.int32),
            bitmap=bitmap_of(unique[alone]),
            particles=np.unique(keys[kind >> 4 == NameRole.PARTICLE]),
            stem_begins=np.searchsorted(stem[by_stem], np.arange(len(self._root) + 1)),
            root=_ints(self._root, np.int32),
            part=np.frombuffer(bytes(self._part), np.uint8),
            held=held,
            pair=pair[by_pair],
            pair_name=_ints(self._pairs[1], np.int32)[by_pair],
            pair_first=_ints(self._pairs[2], np.int32)[by_pair],
            pair_last=_ints(self._pairs[3], np.int32)[by_pair],
            subject=subject,
            of_subject=np.argsort(subject, kind="stable").astype(np.int32),
        )

    def _sorted_entries(self) -> tuple[Ints, np.ndarray, np.ndarray]:
        keys, stem = _ints(self._entries[0]), _ints(self._entries[1], np.int32)
        kind = np.frombuffer(bytes(self._entries[2]), np.uint8)
        order = np.lexsort((stem, keys))
        keys, stem, kind = keys[order], stem[order], kind[order]
        once = np.ones(len(keys), bool)
        once[1:] = (keys[1:] != keys[:-1]) | (stem[1:] != stem[:-1])
        return keys[once], stem[once], kind[once]

    def _stem(self, said: _Signature) -> int:
        """The number of a stem, which is taken in where it is new."""
        found = self._stems.get(said)
        if found is None:
            found = self._stems[said] = len(self._root)
            self._root.append(self._roots.setdefault(_base(said), len(self._roots)))
            self._part.append(_role(said))
            for role, flags, keys in said:
                if role is not NameRole.INITIAL or len(said) == 1:
                    self._entries[0].extend(keys)
                    self._entries[1].extend([found] * len(keys))
                    self._entries[2].extend(bytes([role << 4 | flags]) * len(keys))
        return found

    def _letters(self, said: _Signature) -> Iterator[int]:
        """The stems of the first letters of a part."""
        for role, flags, keys in said:
            if role is NameRole.INITIAL:
                yield from (self._stem(((role, flags, (key,)),)) for key in keys)

    def _pair(self, number: int, firsts: list[int], lasts: list[int]) -> None:
        for first in firsts:
            for last in lasts:
                self._pairs[0].append(self._root[first] << 32 | self._root[last])
                self._pairs[1].append(number)
                self._pairs[2].append(first)
                self._pairs[3].append(last)


def table_of(entries: Iterable[tuple[int, Compiled]]) -> Table:
    """The table of some spellings, each with whose it is."""
    building = Building()
    for subject, name in entries:
        building.add(subject, name)
    return building.table()


def _role(said: _Signature) -> NameRole:
    """The role of a part: what is said of its own forms."""
    return min((role for role, _, _ in said), key=lambda role: (role is NameRole.INITIAL, role))


def _base(said: _Signature) -> tuple[int, ...]:
    """The forms that a part has under whatever languages, as far as can be told: in the nominative, as spelt."""
    role = _role(said)
    plain = [keys for each, flags, keys in said if each is role and not flags & FormFlag.INFLECTED]
    return tuple(sorted(key for keys in plain or [said[0][2]] for key in keys))


def _ints(values: "array[int]", dtype: type = np.int64) -> np.ndarray:
    return np.frombuffer(values, dtype).copy() if len(values) else np.zeros(0, dtype)
