"""Copies of pictures: which that come in show what a withheld person posted, told by prints that are under the pepper.

Two kinds of evidence are asked. A hash of the picture, or of a window of it, lies within 31 bits of an original's:
then it is a copy. Features agree on where the original lies in it: then a hash of that place is compared; near it, both
kinds agree, and it is a copy. Features that agree in many places, where no hash can be compared (too little to see)
or the hashes are neither near nor far, are a doubt: it counts like a copy, and stands in the staff's queue.

Invariants: pure; an index is read-only, and crosses to another process as its path, where it was loaded from one; what
is found of a picture and a print depends on no other picture and no other print, so that an import and an objection
find the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from demur.looks.bands import BANDS, Bands
from demur.looks.looking import HELD, Look, PictureKeys, Positions, Print
from demur.looks.pdq import WITHIN, Bits
from demur.looks.pointing import UNKNOWN, Pointed, pointed
from demur.looks.voting import agreed
from demur.looks.windows import ORIGINALS
from demur.people.indexed.stored import read_arrays, write_arrays

FORM: Final = "demur-pictures 1"
POINTING: Final = 8
"""Features that agree, from which a hash of the place they point at is believed."""
THERE: Final = 60
"""Bits within which that hash is the original's. Of two random hashes 128 differ; only few places are ever compared."""
ALONE: Final = 12
"""Features that agree, from which they are a doubt where no hash says anything."""
ELSEWHERE: Final = 90
"""Bits from which a hash says that what lies there is something else, whatever the features say."""

_FEATURE_BANDS: Final = 4
_LIKE: Final = 56
"""Bits in which two descriptors may differ to vote."""
_AT_ONCE: Final = 32
"""Pictures that are looked up together: memory is bounded by it, and answers are not changed."""

Ints = npt.NDArray[np.int64]


class Matches(NamedTuple):
    """Pairs of a picture that came in and a print that it is a copy of; by picture, then by print."""

    picture: Ints
    """Which of the looks, shape (n,)."""
    print: Ints
    """Which of the prints, shape (n,)."""
    subject: Ints
    """Whose print it is, shape (n,)."""
    certain: npt.NDArray[np.bool_]
    """Whether it is; the others are doubts, shape (n,)."""
    score: npt.NDArray[np.float64]
    """How much speaks for it, from 0 to 1, shape (n,): for those who decide on doubts."""


@dataclass(frozen=True, eq=False)
class Copied:
    """What withheld people's pictures look like, as it is looked for."""

    subject: Ints
    """Whose each print is, shape (n,)."""
    size: Ints
    """Width and height of each, in units, shape (n, 2)."""
    hashes: Bits
    """Shape (n, 13, 32)."""
    decides: npt.NDArray[np.bool_]
    """Shape (n, 13)."""
    begins: Ints
    """Where the features of each begin, shape (n + 1,)."""
    positions: Positions
    """Of all features, shape (m, 4)."""
    mirrored: npt.NDArray[np.bool_]
    """Shape (m,)."""
    whole: Bands
    """The hashes that tell whole originals, where they decide."""
    features: Bands
    """The descriptors of all features."""
    path: Path | None = field(default=None, compare=False)

    @classmethod
    def build(cls, prints: Sequence[Print], subject: Ints) -> Self:
        """The index of prints, and of whose they are, in their order."""
        sizes = [len(each.positions) for each in prints]
        hashes = np.array([each.hashes for each in prints], np.uint8).reshape(-1, HELD, 32)
        decides = np.array([each.decides for each in prints], bool).reshape(-1, HELD)
        return cls(
            np.asarray(subject, np.int64),
            np.array([each.size for each in prints], np.int64).reshape(-1, 2),
            hashes,
            decides,
            np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
            np.concatenate([np.zeros((0, 4), np.int16), *(each.positions for each in prints)]),
            np.concatenate([np.zeros(0, bool), *(each.mirrored for each in prints)]),
            Bands.build(hashes[:, :ORIGINALS][decides[:, :ORIGINALS]]),
            Bands.build(
                np.concatenate([np.zeros((0, 32), np.uint8), *(each.descriptors for each in prints)]), _FEATURE_BANDS
            ),
        )

    def save(self, path: Path) -> None:
        """Writes it to a file."""
        arrays = {name: getattr(self, name) for name in _SHAPES}
        for name in _BANDS:
            bands: Bands = getattr(self, name)
            arrays |= {f"{name} bits": bands.bits, f"{name} begins": bands.begins, f"{name} entry": bands.entry}
        write_arrays(path, FORM, {name: array.ravel() for name, array in arrays.items()})

    @classmethod
    def load(cls, path: Path) -> Self:
        """What :meth:`save` wrote, mapped into memory.

        Raises:
            RegisterError: when it is damaged, or of another version.
        """
        held = read_arrays(path, FORM)
        arrays: dict[str, Any] = {name: held[name].reshape(shape) for name, shape in _SHAPES.items()}
        for name, bands in _BANDS.items():
            bits = held[f"{name} bits"].reshape(-1, 32)
            begins = held[f"{name} begins"].reshape(bands, -1)
            arrays[name] = Bands(bits, begins, held[f"{name} entry"].reshape(bands, -1))
        return cls(**arrays, path=path)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return type(self).load, (self.path,)
        return type(self), tuple(getattr(self, name) for name in (*_SHAPES, *_BANDS))

    def __len__(self) -> int:
        return len(self.subject)

    def found(self, looks: Sequence[Look], keys: PictureKeys) -> Matches:
        """Which pictures are copies of which prints."""
        rows: list[tuple[int, int, bool, float]] = []
        for first in range(0, len(looks), _AT_ONCE):
            some = looks[first : first + _AT_ONCE]
            near = self._near(some)
            told = self._pointed(some, keys)
            for which, number in sorted(near.keys() | told.keys()):
                apart, said = near.get((which, number)), told.get((which, number))
                if (judged := _judged(apart, said)) is not None:
                    rows.append((first + which, number, *judged))
        pictures, numbers, certain, scores = zip(*rows, strict=True) if rows else ((),) * 4
        prints = np.array(numbers, np.int64)
        return Matches(
            np.array(pictures, np.int64),
            prints,
            self.subject[prints],
            np.array(certain, bool),
            np.array(scores, np.float64),
        )

    def _near(self, looks: Sequence[Look]) -> dict[tuple[int, int], int]:
        """By picture and print, in how few bits a window of the one differs from the other, where that says copy."""
        of = np.repeat(np.arange(len(looks)), [len(each.hashes) for each in looks])
        asked = np.concatenate([each.hashes for each in looks])
        which, value, apart = self.whole.near(asked, WITHIN, turned=True)
        found: dict[tuple[int, int], int] = {}
        pairs = zip(of[which].tolist(), self._owner_of_hash[value].tolist(), apart.tolist(), strict=True)
        for picture, number, bits in pairs:
            found[picture, number] = min(bits, found.get((picture, number), UNKNOWN))
        return found

    def _pointed(self, looks: Sequence[Look], keys: PictureKeys) -> dict[tuple[int, int], Pointed]:
        """By picture and print, what features say, where three of them agree roughly."""
        of = np.repeat(np.arange(len(looks)), [len(each.positions) for each in looks])
        asked = np.concatenate([each.descriptors for each in looks])
        positions = np.concatenate([each.positions for each in looks]).astype(np.int64)
        which, value, _ = self.features.near(asked, _LIKE, turned=False)
        owner = self._owner_of_feature[value]
        group = (of[which] * len(self) + owner) * 2 + self.mirrored[value]
        voted = agreed(group, which, self.positions[value].astype(np.int64), positions[which], self.size[owner] // 2)
        found: dict[tuple[int, int], Pointed] = {}
        for each in voted.tolist():
            picture, number = divmod(each // 2, len(self))
            said = pointed(looks[picture], self._print(number), keys.of_hashes, mirrored=bool(each % 2))
            found[picture, number] = max(said, found.get((picture, number), said), key=_weight)
        return found

    def _print(self, number: int) -> Print:
        """A print of the index."""
        own = slice(self.begins[number], self.begins[number + 1])
        width, height = self.size[number].tolist()
        held = self.hashes[number], self.decides[number]
        return Print((width, height), *held, self.positions[own], self.mirrored[own], self.features.bits[own])

    @cached_property
    def _owner_of_hash(self) -> Ints:
        return np.nonzero(self.decides[:, :ORIGINALS])[0]

    @cached_property
    def _owner_of_feature(self) -> Ints:
        return np.repeat(np.arange(len(self)), np.diff(self.begins))


_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "subject": (-1,),
    "size": (-1, 2),
    "hashes": (-1, HELD, 32),
    "decides": (-1, HELD),
    "begins": (-1,),
    "positions": (-1, 4),
    "mirrored": (-1,),
}
_BANDS: Final[dict[str, int]] = {"whole": BANDS, "features": _FEATURE_BANDS}


def _weight(said: Pointed) -> tuple[bool, int, int]:
    """Of what features say of an original and of its mirror image, which counts: a near hash, then more features."""
    return said.agreeing >= POINTING and said.apart <= THERE, said.agreeing, -said.apart


def _judged(apart: int | None, said: Pointed | None) -> tuple[bool, float] | None:
    """Whether it is certain, and the score; nothing where it is no copy.

    Args:
        apart: bits in which a window of the picture differs from the original, where these are few.
        said: by features.
    """
    if apart is not None:
        return True, 1 - apart / 256
    if said is None or said.agreeing < POINTING:
        return None
    if said.apart <= THERE:
        return True, 1 - said.apart / 256
    if said.agreeing >= ALONE and (said.apart == UNKNOWN or said.apart < ELSEWHERE):
        return False, min(1.0, said.agreeing / 100)
    return None
