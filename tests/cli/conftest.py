"""The command line at hand, and a workspace to use it on."""

from pathlib import Path

import pytest
from calling import Demur


@pytest.fixture
def workspace(fast_tmp: Path, demur: Demur) -> Path:
    """A workspace with safe defaults."""
    folder = fast_tmp / "ws"
    assert demur("init", folder, "--yes").code == 0
    return folder
