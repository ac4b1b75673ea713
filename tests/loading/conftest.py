"""A small forum with a published version, an export of it, and a clock that is put on by hand."""

import shutil
from pathlib import Path

import pytest
from loads import found

from demur.versions.leave import export
from demur.workspace import Workspace, find


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forum as it was founded; tests work on copies."""
    return found(tmp_path_factory.mktemp("founded") / "w").root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    return find(Path(shutil.copytree(founded, fast_tmp / "w")))


@pytest.fixture
def exported(workspace: Workspace, fast_tmp: Path) -> Path:
    folder = fast_tmp / "training-data"
    export(workspace, "v1", folder)
    return folder


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The loaders' clock, in seconds, to be put on by hand."""
    seconds = [0.0]
    monkeypatch.setattr("demur.loading.watching.time.clock_gettime", lambda _: seconds[0])
    return seconds
