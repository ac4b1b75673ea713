"""What a worker's error says of what somebody wrote stays in the worker: engines log what is raised, and send it on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import throng

from demur.corpus.engines import task
from demur.errors import WorkspaceError

pytestmark = throng.NOISE


def test_a_task_that_always_fails_leaves_what_was(
    engine: throng.Cluster, own: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = own()
    before = throng.held(root)
    monkeypatch.setattr(task, "work", throng.broken)
    said = r"could not finish the import \(builtins.OSError in throng, line \d+\): .*; nothing was changed\.$"
    with pytest.raises(WorkspaceError, match=said):
        throng.imported(root, engine.name)
    assert throng.held(root) == before
    assert throng.leavings(root) == []
    logs = engine.said()
    assert "OSError in throng" in logs
    assert throng.MARKER not in logs
