"""What docs/loading.md shows is what happens."""

import re
from pathlib import Path

import pytest

from demur.workspace import Workspace

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_every_example_of_the_page_works(
    root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = BLOCK.findall((root / "docs" / "loading.md").read_text())
    assert len(blocks) == 2
    (workspace.root.parent / "community").symlink_to(workspace.root)
    monkeypatch.chdir(workspace.root.parent)
    names: dict[str, object] = {}
    for code in blocks:
        exec(compile(code, "docs/loading.md", "exec"), names)  # it is ours
    assert "the bakery has rye again" in capsys.readouterr().out
