"""Makes a table of names: each part once, each person's names by their parts, and which two parts make a full name.

Memory is what a million people need most of: parts are told apart by digests instead of by their forms, and what was
taken in is let go of as soon as it is an array of the table.
"""

import hashlib
import struct
from array import array
from collections.abc import Iterable
from typing import Any, Final

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


_DIGEST_BYTES: Final = 16
"""Two parts of one digest would take some 2^64 parts."""


class Building:
    """Takes names one by one, and gives one table."""

    def __init__(self) -> None:
        self._stems: dict[bytes, int] = {}
        """The number of each part's stem, by its digest; joined forms are in none."""
        self._roots: dict[bytes, int] = {}
        self._letters: dict[int, tuple[int, ...]] = {}
        """Of a given name's or a surname's stem its first letters, as stems of their own."""
        self._alphabet: dict[tuple[int, ...], tuple[int, ...]] = {}
        """Equal letters are one tuple."""
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
        self._held.extend([part << 32 | number for part in parts])
        role_of, letters_of = self._role_of, self._letters
        firsts = [part for part in parts if role_of[part] in _FIRST]
        lasts = [part for part in parts if role_of[part] == _SURNAME]
        spelt = [part for part in parts if role_of[part] == _INITIAL]  # A. Lee, or Ann L.: a part of one letter
        initials = spelt
        if firsts:
            initials = [letter for part in firsts if role_of[part] == _GIVEN for letter in letters_of.get(part, ())]
        for first in (*firsts, *initials):
            for last in lasts:
                self._pair(number, first, last)
        for first in firsts[:1]:
            for last in lasts:
                for letter in letters_of.get(last, ()):
                    self._pair(number, first, letter)
            for letter in () if lasts else spelt:
                self._pair(number, first, letter)

    def table(self) -> Table:
        """Everything that was added; it ends the building, of which nothing is left."""
        for known in (self._stems, self._roots, self._letters, self._alphabet):
            known.clear()
        subject = _ints(self._subjects)
        return Table(
            **self._by_pair(),
            **self._forms(),
            root=_ints(self._root_of, np.int32),
            part=np.frombuffer(bytes(self._role_of), np.uint8),
            held=self._sorted_held(),
            subject=subject,
            of_subject=np.argsort(subject, kind="stable").astype(np.int32),
        )

    def _forms(self) -> dict[str, npt.NDArray[Any]]:
        """What the table says of words and of stems."""
        keys, stem, kind = self._sorted_entries()
        ends = np.ones(len(keys) + 1, bool)
        ends[1:-1] = keys[1:] != keys[:-1]
        offsets = np.flatnonzero(ends) if len(keys) else np.zeros(1, np.int64)
        del ends
        particles = np.unique(keys[kind >> 4 == NameRole.PARTICLE])
        begins = offsets[:-1]
        keys = keys[begins]
        asked = ~np.isin(kind >> 4, ASIDE)
        bitmap = bitmap_of(keys[_any(asked, begins)])
        return {
            "keys": keys,
            "offsets": offsets,
            "stem": stem,
            "kind": kind,
            "strong": _any(asked & (kind & FormFlag.WORD == 0), begins),
            "of_stem": np.argsort(stem, kind="stable").astype(np.int32),
            "stem_begins": np.append(0, np.cumsum(np.bincount(stem, minlength=len(self._role_of)))),
            "bitmap": bitmap,
            "particles": particles,
        }

    def _sorted_entries(self) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """Key, stem and kind of every form, sorted by key and stem, each key of a stem once.

        They were taken in by stem, so that a stable order by key is one by both.
        """
        keys, stem = _ints(self._keys), _ints(self._stem_of, np.int32)
        kind = np.frombuffer(bytes(self._kinds), np.uint8)
        self._keys, self._stem_of, self._kinds = array("q"), array("i"), bytearray()
        order = np.argsort(keys, kind="stable").astype(np.int32)
        keys, stem, kind = keys[order], stem[order], kind[order]
        del order
        once = np.ones(len(keys), bool)
        once[1:] = (keys[1:] != keys[:-1]) | (stem[1:] != stem[:-1])
        return (keys, stem, kind) if once.all() else (keys[once], stem[once], kind[once])

    def _by_pair(self) -> dict[str, npt.NDArray[Any]]:
        """Which two parts make whose full name, by their roots."""
        pair = _ints(self._pairs)
        order = np.argsort(pair, kind="stable").astype(np.int32)
        self._pairs, pair = array("q"), pair[order]
        columns = [_ints(each, np.int32)[order] for each in (self._pair_names, self._pair_firsts, self._pair_lasts)]
        self._pair_names, self._pair_firsts, self._pair_lasts = array("i"), array("i"), array("i")
        return dict(zip(("pair", "pair_name", "pair_first", "pair_last"), (pair, *columns), strict=True))

    def _sorted_held(self) -> Ints:
        held, self._held = _ints(self._held), array("q")
        return np.unique(held)

    def _stem(self, said: _Signature) -> int:
        """The stem of a part, which is taken in where it is new; joined forms are hardly ever of two people."""
        if said[0][0] >> 4 == _JOINED:
            return self._new(said, _JOINED, 0)
        digest = _digest(said)
        found = self._stems.get(digest)
        if found is None:
            found = self._stems[digest] = self._taken(said)
        return found

    def _taken(self, said: _Signature) -> int:
        initials = [keys for kind, keys in said if kind >> 4 == _INITIAL]
        whole = tuple(each for each in said if each[0] >> 4 != _INITIAL) or said
        letters = tuple(self._stem(_letter(key)) for keys in initials for key in keys) if whole is not said else ()
        role = min(kind for kind, _ in whole) >> 4
        root = self._roots.setdefault(_digest(((0, _base(whole, role)),)), len(self._roots) + 1)
        number = self._new(whole, role, root)
        if letters:
            self._letters[number] = self._alphabet.setdefault(letters, letters)
        return number

    def _new(self, said: _Signature, role: int, root: int) -> int:
        number = len(self._role_of)
        self._role_of.append(role)
        self._root_of.append(root)
        for kind, keys in said:
            self._keys.extend(keys)
            self._stem_of.extend([number] * len(keys))
            self._kinds.extend([kind] * len(keys))
        return number

    def _pair(self, number: int, first: int, last: int) -> None:
        self._pairs.append(self._root_of[first] << 32 | self._root_of[last])
        self._pair_names.append(number)
        self._pair_firsts.append(first)
        self._pair_lasts.append(last)


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


def _digest(said: _Signature) -> bytes:
    """What tells a part from another: of its forms a score of numbers each would be kept."""
    shape = [number for kind, keys in said for number in (kind, len(keys))]
    keys = [key for _, keys in said for key in keys]
    data = struct.pack(f"<{len(shape)}h{len(keys)}q", *shape, *keys)
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _any(held: npt.NDArray[np.bool_], begins: Ints) -> npt.NDArray[np.bool_]:
    """Whether any holds from each beginning to the next; shape of ``begins``."""
    return np.logical_or.reduceat(held, begins) if len(begins) else np.zeros(0, bool)


def _letter(key: int) -> _Signature:
    return ((_INITIAL << 4, (key,)),)


def _base(said: _Signature, role: int) -> tuple[int, ...]:
    """The forms that a part has under whatever languages, as far as can be told: in the nominative, as spelt."""
    plain = [keys for kind, keys in said if kind >> 4 == role and not kind & FormFlag.INFLECTED.value]
    return tuple(sorted(key for keys in plain or [said[0][1]] for key in keys))


def _ints(values: "array[int]", dtype: type = np.int64) -> npt.NDArray[Any]:
    return np.frombuffer(values, dtype) if len(values) else np.zeros(0, dtype)
