"""Who is in a model, and from which step on: looked up in two sorted files that are mapped into memory.

``people.keys`` holds every subject key whose rows stand in the plan, ascending, int64, little-endian, 8 bytes each;
``people.steps`` the first step in which each stands, int32, little-endian, in the same order.

Invariants: a look-up of k keys among n costs k log n and reads no more of the files; a file of another length than its
neighbour's is refused.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import CorpusError
from demur.files import write_durably
from demur.identity import SubjectKeys
from demur.runs.folder import KEYS, STEPS, ModelFolder
from demur.runs.reading import broken

_KEY: Final[np.dtype[np.int64]] = np.dtype("<i8")
_STEP: Final[np.dtype[np.int32]] = np.dtype("<i4")
_Number = TypeVar("_Number", np.int64, np.int32)


@dataclass(frozen=True, eq=False)
class People:
    """The people of one model."""

    keys: SubjectKeys
    """Sorted, once each, shape (n,)."""
    steps: npt.NDArray[np.int32]
    """The first step in which each stands, shape (n,)."""

    def among(self, keys: SubjectKeys) -> SubjectKeys:
        """Which of these keys, in any order, are in the model; sorted."""
        return self.keys[self._places(keys)]

    def first_step(self, keys: SubjectKeys) -> int | None:
        """The first step in which any of these people stands; None where none of them is in the model."""
        places = self._places(keys)
        return int(self.steps[places].min()) if len(places) else None

    def _places(self, keys: SubjectKeys) -> npt.NDArray[np.intp]:
        wanted = np.unique(keys)
        if not len(self.keys) or not len(wanted):
            return np.zeros(0, np.intp)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.asarray(at[self.keys[at] == wanted], np.intp)


def people_of(plan: pa.Table) -> People:
    """The people of a plan.

    Args:
        plan: with the columns `step`, int32, and `people`, lists of int64.
    """
    people = plan.column("people").combine_chunks()
    counts = pc.fill_null(pc.list_value_length(people), 0).to_numpy(zero_copy_only=False)
    steps = np.repeat(plan.column("step").to_numpy(), counts).astype(_STEP)
    keys = people.flatten().to_numpy(zero_copy_only=False).astype(_KEY)
    order = np.lexsort((steps, keys))
    found, first = np.unique(keys[order], return_index=True)
    return People(found.astype(np.int64), steps[order][first])


def write_people(model: ModelFolder, people: People) -> None:
    """Put down who is in a model, durably."""
    write_durably(model.path / KEYS, people.keys.astype(_KEY).tobytes())
    write_durably(model.path / STEPS, people.steps.astype(_STEP).tobytes())


def read_people(model: ModelFolder) -> People:
    """Who is in a model; the files are mapped, not read.

    Raises:
        CorpusError: when they can't be read, or don't belong together.
    """
    keys: SubjectKeys = _mapped(model, KEYS, _KEY)
    steps: npt.NDArray[np.int32] = _mapped(model, STEPS, _STEP)
    if len(keys) != len(steps):
        raise broken(model.path / STEPS)
    return People(keys, steps)


def _mapped(model: ModelFolder, name: str, kind: np.dtype[_Number]) -> npt.NDArray[_Number]:
    path = model.path / name
    try:
        size = path.stat().st_size
        if size % kind.itemsize:
            raise broken(path)
        return np.memmap(path, kind, mode="r") if size else np.zeros(0, kind)
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}): put it back from your backup.") from None
