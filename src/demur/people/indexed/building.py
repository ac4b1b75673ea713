"""Makes a table of names: each part once, each person's names by their parts, and which two parts make a full name."""

from array import array
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from demur.people.compiled import Compiled, FormFlag
from demur.people.indexed.table import ASIDE, Table, bitmap_of
from demur.people.names import NameRole
from demur.words.page import Ints

_GIVEN: Final = NameRole.GIVEN.value
_SURNAME: Final = NameRole.SURNAME.value
_FIRST: Final = frozenset({_GIVEN, NameRole.MIDDLE.value, NameRole.NICK.value})
_JOINED: Final = NameRole.JOINED.value
_INITIAL: Final = NameRole.INITIAL.value

_Signature = tuple[tuple[int, tuple[int, ...]], ...]
"""What a part gives: role times 16 and flags, and the keys, of each of its tokens."""


class _Stem(NamedTuple):
    number: int
    role: int
    root: int
    letters: tuple["_Stem", ...] = ()
    """Of a given name or a surname its first letters, as stems of their own."""


class Building:
    """Takes names one by one."""

    def __init__(self) -> None:
        self._stems: dict[_Signature, _Stem] = {}
        self._roots: dict[tuple[int, ...], int] = {}
        self._keys, self._stem_of, self._kinds = array("q"), array("i"), bytearray()
        self._root_of, self._role_of = array("i"), bytearray()
        self._held = array("q")
        self._pairs, self._pair_names = array("q"), array("i")
        self._pair_firsts, self._pair_lasts = array("i"), array("i")
        self._subjects = array("q")

    def add(self, subject: int, name: Compiled) -> None:
        """One spelling of somebody's name."""
        number = len(self._subjects)
        self._subjects.append(subject)
        parts = [self._stem(said) for said in _by_part(name)]
        firsts = [part for part in parts if part.role in _FIRST]
        lasts = [part for part in parts if part.role == _SURNAME]
        self._held.extend([part.number << 32 | number for part in parts])
        spelt = [part for part in parts if part.role == _INITIAL]  # A. Lee, or Ann L.: a part of one letter
        initials = [letter for part in firsts if part.role == _GIVEN for letter in part.letters] if firsts else spelt
        for first in (*firsts, *initials):
            for last in lasts:
                self._pair(number, first, last)
        for first in firsts[:1]:
            for last in lasts:
                for letter in last.letters:
                    self._pair(number, first, letter)
            for letter in () if lasts else spelt:
                self._pair(number, first, letter)

    def table(self) -> Table:
        """Everything that was added."""
        keys, stem, kind = self._sorted_entries()
        fresh = np.ones(len(keys), bool)
        fresh[1:] = keys[1:] != keys[:-1]
        begins, owner = np.flatnonzero(fresh), np.cumsum(fresh) - 1
        aside = np.isin(kind >> 4, ASIDE)
        alone = np.bincount(owner[~aside], minlength=len(begins)) > 0
        strong = np.bincount(owner[~aside & (kind & FormFlag.WORD == 0)], minlength=len(begins)) > 0
        of_stem = np.argsort(stem, kind="stable").astype(np.int32)
        pair = _ints(self._pairs)
        by_pair = np.argsort(pair, kind="stable")
        subject = _ints(self._subjects)
        return Table(
            keys=keys[begins],
            offsets=np.append(begins, len(keys)),
            stem=stem,
            kind=kind,
            strong=strong,
            of_stem=of_stem,
            stem_begins=np.searchsorted(stem[of_stem], np.arange(len(self._role_of) + 1)),
            bitmap=bitmap_of(keys[begins[alone]]),
            particles=np.unique(keys[kind >> 4 == NameRole.PARTICLE]),
            root=_ints(self._root_of, np.int32),
            part=np.frombuffer(bytes(self._role_of), np.uint8),
            held=np.unique(_ints(self._held)),
            pair=pair[by_pair],
            pair_name=_ints(self._pair_names, np.int32)[by_pair],
            pair_first=_ints(self._pair_firsts, np.int32)[by_pair],
            pair_last=_ints(self._pair_lasts, np.int32)[by_pair],
            subject=subject,
            of_subject=np.argsort(subject, kind="stable").astype(np.int32),
        )

    def _sorted_entries(self) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """Key, stem and kind of every form, sorted by key and stem, each key of a stem once."""
        keys, stem = _ints(self._keys), _ints(self._stem_of, np.int32)
        kind = np.frombuffer(bytes(self._kinds), np.uint8)
        order = np.lexsort((stem, keys))
        keys, stem, kind = keys[order], stem[order], kind[order]
        once = np.ones(len(keys), bool)
        once[1:] = (keys[1:] != keys[:-1]) | (stem[1:] != stem[:-1])
        return keys[once], stem[once], kind[once]

    def _stem(self, said: _Signature) -> _Stem:
        """The stem of a part, which is taken in where it is new; joined forms are hardly ever of two people."""
        if said[0][0] >> 4 == _JOINED:
            return self._new(said, _JOINED, 0, ())
        found = self._stems.get(said)
        return self._taken(said) if found is None else found

    def _taken(self, said: _Signature) -> _Stem:
        initials = [keys for kind, keys in said if kind >> 4 == _INITIAL]
        whole = tuple(each for each in said if each[0] >> 4 != _INITIAL) or said
        letters = tuple(self._stem(_letter(key)) for keys in initials for key in keys) if whole is not said else ()
        role = min(kind for kind, _ in whole) >> 4
        root = self._roots.setdefault(_base(whole, role), len(self._roots) + 1)
        found = self._stems[said] = self._new(whole, role, root, letters)
        return found

    def _new(self, said: _Signature, role: int, root: int, letters: tuple[_Stem, ...]) -> _Stem:
        number = len(self._role_of)
        self._role_of.append(role)
        self._root_of.append(root)
        for kind, keys in said:
            self._keys.extend(keys)
            self._stem_of.extend([number] * len(keys))
            self._kinds.extend([kind] * len(keys))
        return _Stem(number, role, root, letters)

    def _pair(self, number: int, first: _Stem, last: _Stem) -> None:
        self._pairs.append(first.root << 32 | last.root)
        self._pair_names.append(number)
        self._pair_firsts.append(first.number)
        self._pair_lasts.append(last.number)


def table_of(entries: Iterable[tuple[int, Compiled]]) -> Table:
    """The table of some spellings, each with whose it is."""
    building = Building()
    for subject, name in entries:
        building.add(subject, name)
    return building.table()


def _by_part(name: Compiled) -> list[_Signature]:
    """What each part of a name gives, in their order."""
    parts: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for token in name.tokens:
        # Not int(): a name has a score of tokens, and a million of them.
        parts.setdefault(token.part, []).append((token.role._value_ << 4 | token.flags._value_, token.keys))
    return [tuple(part) for part in parts.values()]


def _letter(key: int) -> _Signature:
    return ((_INITIAL << 4, (key,)),)


def _base(said: _Signature, role: int) -> tuple[int, ...]:
    """The forms that a part has under whatever languages, as far as can be told: in the nominative, as spelt."""
    plain = [keys for kind, keys in said if kind >> 4 == role and not kind & FormFlag.INFLECTED.value]
    return tuple(sorted(key for keys in plain or [said[0][1]] for key in keys))


def _ints(values: "array[int]", dtype: type = np.int64) -> npt.NDArray[Any]:
    return np.frombuffer(values, dtype) if len(values) else np.zeros(0, dtype)
