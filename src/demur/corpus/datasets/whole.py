"""Is what Lance wrote on the disk, whole?

Lance (pylance 14.0.2) does not hear of it when the last write of a file fails, as on a full disk: it goes on with a
file that was cut short, and every later reading of the dataset fails. So what it wrote is looked at before it counts.

Invariants: only sizes, and files of deletions, are read; in a store nothing is, which takes an object whole or not at
all.
"""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from demur.errors import UnavailableError

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

_RUNS: Final = 12_347
"""The cookie of a bitmap with runs; RoaringFormatSpec, as the next ones."""
_FEW: Final = 4_096
"""Numbers up to which a container is a list, and not 8 KB of bits."""
_BITS: Final = 8_192
_OFFSETS_FROM: Final = 4
"""Containers from which on a bitmap with runs says where each begins."""


def require_whole(root: Path, fragment: "FragmentMetadata") -> None:
    """Make sure that a fragment's files of rows and of deletions are as long as was written.

    Args:
        root: the dataset's folder.
        fragment: one that is in no version yet.

    Raises:
        UnavailableError: when one is not.
    """
    whole = all(_size(root / "data" / file.path) == file.file_size_bytes for file in fragment.files)
    deleted = fragment.deletion_file
    if not (whole and (deleted is None or _is_whole(root / deleted.path(fragment.id)))):
        raise UnavailableError(
            f"The disk did not keep all of what was written to {root}, as it is full or fails: see to it, then run the "
            "same command again; nothing of this counts."
        )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _is_whole(path: Path) -> bool:
    """Whether a file of deletions is: a list of offsets (Arrow IPC), or a bitmap of them."""
    try:
        content = path.read_bytes()
        if path.suffix != ".bin":
            pa.ipc.open_file(content).read_all()
            return True
        return len(content) == _bitmap_bytes(content)
    except (FileNotFoundError, pa.ArrowInvalid, struct.error):
        return False


def _bitmap_bytes(content: bytes) -> int:
    """How long a Roaring bitmap is by what its head says.

    Raises:
        struct.error: when its head is cut off.
    """
    first: tuple[int, int] = struct.unpack_from("<II", content)
    runs, count, at = b"", first[1], 8
    if first[0] & 0xFFFF == _RUNS:
        count = (first[0] >> 16) + 1
        at = 4 + (count + 7) // 8
        runs = content[4:at]
    sizes: tuple[int, ...] = struct.unpack_from(f"<{2 * count}H", content, at)[1::2]
    at += 4 * count + (4 * count if not runs or count >= _OFFSETS_FROM else 0)
    for number, most in enumerate(sizes):
        if runs and runs[number // 8] >> number % 8 & 1:
            at += 2 + 4 * int.from_bytes(content[at : at + 2], "little")
        else:
            at += 2 * (most + 1) if most < _FEW else _BITS
    return at
