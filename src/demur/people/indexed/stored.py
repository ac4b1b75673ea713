"""Arrays in one file that is mapped into memory: what is read in a thousand processes is held once, and loads at once.

Form: a line that names form and version, the length of a JSON head on a line, the head (name, type and length of each
array, in the file's order), and the arrays, little-endian, each at a multiple of 64 bytes.

Invariants: a file is there whole or not at all; one that is cut, or of another form or version, is refused in a
sentence.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demur.errors import RegisterError
from demur.files import replacing

Arrays = Mapping[str, npt.NDArray[Any]]
"""One-dimensional arrays by name."""

_ALIGNED: Final = 64


def write_arrays(path: Path, form: str, arrays: Arrays) -> None:
    """Replaces the file at ``path`` by these arrays.

    Args:
        path: of the file.
        form: what the file is, with a version: ``demur-people 1``.
        arrays: of numbers, one-dimensional.
    """
    kept = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    head = json.dumps([[name, array.dtype.str, len(array)] for name, array in kept.items()]).encode()
    with replacing(path, durably=False) as unfinished, unfinished.open("wb") as file:
        file.write(b"%s\n%d\n%s" % (form.encode(), len(head), head))
        for array in kept.values():
            file.write(bytes(-file.tell() % _ALIGNED))
            file.write(array.tobytes())


def read_arrays(path: Path, form: str) -> Arrays:
    """What :func:`write_arrays` wrote, mapped and read-only.

    Raises:
        RegisterError: when the file is of another form or version, or is damaged.
    """
    try:
        mapped = np.asarray(np.memmap(path, np.uint8, "r"))  # as a plain array: a memmap makes each look-up slower
        return arrays_in(mapped, form)
    except (ValueError, TypeError) as wrong:
        raise RegisterError(f"{path} is not of the form {form!r}, or damaged: remove it, it is made anew.") from wrong


def arrays_in(data: npt.NDArray[np.uint8], form: str) -> Arrays:
    """The arrays in the bytes of such a file, as views of these.

    Raises:
        ValueError, TypeError: when it is of another form or version, or is damaged.
    """
    first = form.encode() + b"\n"
    if data[: len(first)].tobytes() != first:
        raise ValueError(form)
    digits = data[len(first) : len(first) + _ALIGNED].tobytes().partition(b"\n")[0]
    begin = len(first) + len(digits) + 1
    at = begin + int(digits)
    found: dict[str, npt.NDArray[Any]] = {}
    for name, dtype, length in json.loads(data[begin:at].tobytes()):
        at += -at % _ALIGNED
        end = at + length * np.dtype(dtype).itemsize
        found[name] = data[at:end].view(dtype)
        if len(found[name]) != length:
            raise ValueError(name)
        at = end
    return found
