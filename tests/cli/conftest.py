"""The command line at hand, and a workspace to use it on."""

import shutil
from pathlib import Path

import pytest

from demur.cli import run


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with safe defaults, as it was made; tests work on copies."""
    folder = tmp_path_factory.mktemp("fresh") / "ws"
    assert run(["init", str(folder), "--yes"]) == 0
    return folder


@pytest.fixture
def workspace(fresh: Path, fast_tmp: Path) -> Path:
    """A workspace with safe defaults."""
    return Path(shutil.copytree(fresh, fast_tmp / "ws"))
