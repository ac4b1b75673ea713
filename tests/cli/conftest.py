"""The command line at hand, and a workspace to use it on."""

from pathlib import Path

import pytest
from calling import Demur, Result

from demur.cli import run


@pytest.fixture
def demur(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Demur:
    """Runs a command in this process, with no workspace but the one it names."""
    monkeypatch.delenv("DEMUR_WORKSPACE", raising=False)

    def call(*arguments: str | Path) -> Result:
        code = run([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture
def workspace(fast_tmp: Path, demur: Demur) -> Path:
    """A workspace with safe defaults."""
    folder = fast_tmp / "ws"
    assert demur("init", folder, "--yes").code == 0
    return folder
