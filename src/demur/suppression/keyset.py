"""Membership of subject keys: the inner loop of every suppression check.

Invariants: the answer is exact for any 64-bit key, whatever its distribution; a set never changes; two sets of
the same keys are equal, have one digest, and cross to another process as their packed keys alone.

How: keys are the first 63 bits of an HMAC, so their top bits are uniform. A bitmap over the top bits turns away
nearly all keys that are not in the set, at 32 bits a member. What passes is looked up in the sorted members: the
top bits say where its bucket begins, and buckets hold about one key. Keys that are not uniform (an attacker's,
a test's) make buckets long: what is not settled after a few steps goes to a binary search.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from demur.identity import SubjectKeys, ascending

_KEY_BITS: Final = 63
_SPARSITY_BITS: Final = 5  # 32 bits of the bitmap a member: 3 % of strangers pass, and 1M members take 4 MB
_MAX_BITMAP_BITS: Final = 32
_MAX_BUCKET_BITS: Final = 22  # 32 MB of beginnings
_CHUNK: Final = 1 << 16  # keys at a time: the passes over a chunk stay in the cache
_STEPS: Final = 8  # along a bucket, before the binary search

_Positions = npt.NDArray[np.int64]


class Gate:
    """A bitmap over the top bits of keys, which turns away nearly all that are not among them."""

    def __init__(self, bitmap: npt.NDArray[np.uint8]) -> None:
        """Take one that :meth:`of` made, of 2 to some power of bytes."""
        self.bitmap = bitmap
        bits = len(bitmap).bit_length() + 2
        # A negative key, which no HMAC gives, shares the place of the key without its sign.
        self._shift, self._mask = np.int64(_KEY_BITS - bits), np.int64((1 << bits) - 1)

    @classmethod
    def of(cls, keys: SubjectKeys) -> Self:
        """That of some keys, 4 to 8 bytes each."""
        bits = min(_bits(len(keys)) + _SPARSITY_BITS, _MAX_BITMAP_BITS)
        gate = cls(np.zeros(1 << (bits - 3), dtype=np.uint8))
        places = (keys >> gate._shift) & gate._mask
        np.bitwise_or.at(gate.bitmap, places >> 3, _bit(places))
        return gate

    def passing(self, keys: SubjectKeys) -> _Positions:
        """The positions of all keys that are among them, and of few others."""
        places = (keys >> self._shift) & self._mask
        return np.flatnonzero(self.bitmap.take(places >> 3) & _bit(places))


class KeySet:
    """An immutable set of subject keys, stored sorted and once each."""

    def __init__(self, keys: SubjectKeys) -> None:
        """Take ``keys``, shape (n,), int64, in any order, repeated or not.

        They are copied, unless they ascend, once each, and can't be written to.
        """
        given: SubjectKeys = np.asarray(keys, dtype=np.int64)
        ready = not given.flags.writeable and bool((given[1:] > given[:-1]).all())
        self._keys: SubjectKeys = given if ready else ascending(given)
        self._keys.flags.writeable = False

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The set that :meth:`pack` wrote."""
        return cls(np.frombuffer(packed, dtype="<i8"))

    def pack(self) -> bytes:
        """The keys in ascending order, 8 bytes each, little-endian."""
        packed: bytes = self._keys.astype("<i8").tobytes()
        return packed

    @property
    def keys(self) -> SubjectKeys:
        """The keys, shape (n,), ascending, read-only."""
        return self._keys

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the packed keys, lowercase hexadecimal."""
        return hashlib.sha256(self.pack()).hexdigest()

    def union(self, other: "KeySet") -> "KeySet":
        """The keys in either set."""
        return KeySet(np.concatenate([self._keys, other.keys]))

    def difference(self, other: "KeySet") -> "KeySet":
        """The keys of this set that are not in ``other``."""
        return KeySet(self._keys[~other.contains(self._keys)])

    def contains(self, keys: SubjectKeys) -> npt.NDArray[np.bool_]:
        """Which of ``keys``, shape (n,), are in the set; shape (n,)."""
        keys = np.asarray(keys, dtype=np.int64)
        found = np.zeros(len(keys), dtype=np.bool_)
        if len(self._keys) == 0:
            return found
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            self._confirm(chunk, self._candidates(chunk), found[start : start + _CHUNK])
        return found

    @cached_property
    def _candidates(self) -> Callable[[SubjectKeys], _Positions]:
        """A filter that passes the positions of every member and of few others."""
        return Gate.of(self._keys).passing

    @cached_property
    def _bucket(self) -> Callable[[SubjectKeys], _Positions]:
        """A function from keys to where their bucket begins in the sorted members."""
        bits = min(_bits(len(self._keys)), _MAX_BUCKET_BITS)
        # The arithmetic shift keeps the order of signed keys; the offset makes the lowest negative one 0.
        shift, offset = np.int64(_KEY_BITS - bits), np.int64(1 << bits)
        sizes = np.bincount((self._keys >> shift) + offset, minlength=2 << bits)
        begins = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int32)

        def bucket(keys: SubjectKeys) -> _Positions:
            return begins.take((keys >> shift) + offset).astype(np.int64)

        return bucket

    def _confirm(self, keys: SubjectKeys, at: _Positions, found: npt.NDArray[np.bool_]) -> None:
        """Set ``found`` where the key at one of the positions ``at`` is a member."""
        wanted = keys[at]
        place = self._bucket(wanted)
        for _ in range(_STEPS):
            member = self._keys.take(place, mode="clip")
            found[at[member == wanted]] = True
            # Past the last member, `take` clips to it: it is less than what is wanted, and the search ends.
            further = np.flatnonzero((member < wanted) & (place < len(self._keys)))
            if len(further) == 0:
                return
            wanted, at, place = wanted[further], at[further], place[further] + 1
        place = np.searchsorted(self._keys, wanted).astype(np.int64)
        found[at] = self._keys.take(place, mode="clip") == wanted

    def __len__(self) -> int:
        return len(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and np.array_equal(self._keys, other.keys)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"KeySet({len(self)} keys)"

    def __reduce__(self) -> tuple[Callable[[bytes], "KeySet"], tuple[bytes]]:
        return KeySet.unpack, (self.pack(),)


def _bits(size: int) -> int:
    """Bits that number ``size`` things, at least 3 so that a bitmap has a whole byte."""
    return max(int(size).bit_length(), 3)


def _bit(places: SubjectKeys) -> npt.NDArray[np.uint8]:
    """The bit of a byte of the bitmap that each place stands for."""
    return np.left_shift(np.uint8(1), (places & 7).astype(np.uint8))
