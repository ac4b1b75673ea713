"""A disk that is soon full, for tests."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest


@contextmanager
def small_disk(place: Path, size: int, missing: Callable[[str], NoReturn]) -> Iterator[Path]:
    """An empty disk in memory, until the block ends.

    Args:
        place: where it is mounted; made.
        size: in bytes.
        missing: the fixture of that name, called where it can't be mounted.
    """
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        missing("the right to mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
