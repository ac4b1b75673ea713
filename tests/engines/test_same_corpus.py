"""Laws 2 and 5 over engines: the same import whichever ran it, on a disk and in a store, also where some died."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import throng

from demur.corpus.engines import task
from demur.corpus.engines.names import RAY, SPARK
from demur.corpus.session import writing
from demur.errors import UsageError
from demur.workspace import Workspace

Both = tuple[dict[str, Any], dict[str, Any]]
Own = Callable[[], Path]

pytestmark = throng.NOISE

STEPS = ("wave", "heard", "commit", "committed")


def test_every_engine_leaves_the_same(engine: throng.Cluster, own: Own, expected: Both) -> None:
    root = own()
    throng.imported(root, engine.name)
    assert throng.held(root) == expected[0]
    throng.imported(root, engine.name, again=True)
    assert throng.held(root) == expected[1]
    assert throng.leavings(root) == []


def _survives(how: str, which: int, engine: str, root: Path, expected: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = root.parent / f"{how}-{which}"
    monkeypatch.setattr(task, "work", throng.work_failing(how, which, str(mark.parent)))
    throng.imported(root, engine)
    assert mark.exists()
    assert throng.held(root) == expected[0]
    assert throng.leavings(root) == []


@pytest.mark.parametrize(("how", "which"), [("killed", 1), ("late", 0), ("doubled", 2)])
def test_workers_that_die_or_do_a_task_twice_change_nothing(
    engine: throng.Cluster, how: str, which: int, own: Own, expected: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    _survives(how, which, engine.name, own(), expected, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("how", ["killed", "late", "doubled"])
def test_whichever_task_it_is(
    engine: throng.Cluster, how: str, which: int, own: Own, expected: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    _survives(how, which, engine.name, own(), expected, monkeypatch)


def test_workers_write_into_a_store_and_may_die_there(
    engine: throng.Cluster, in_store: Own, expected: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = in_store()
    _survives("late", 3, engine.name, root, expected, monkeypatch)
    assert not (root / "corpus.lance").exists()


@pytest.mark.soak
@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("how", ["killed", "late"])
def test_whichever_task_of_a_store_it_is(
    engine: throng.Cluster, how: str, which: int, in_store: Own, expected: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    _survives(how, which, engine.name, in_store(), expected, monkeypatch)


def test_workers_with_another_demur_are_refused(
    engine: throng.Cluster, own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = own()
    monkeypatch.setattr(task, "work", throng.other)
    with pytest.raises(UsageError, match=r"workers have demur 0\.0\.1, and this machine has python .*code "):
        throng.imported(root, engine.name)


def _undone(engine: str, step: str, root: Path, expected: Both) -> None:
    before = throng.held(root)
    command = [sys.executable, "-W", "ignore", throng.__file__, str(root), engine, step]
    path = os.pathsep.join(filter(None, sys.path))
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    with writing(Workspace(root), "look", None):
        pass
    assert throng.held(root)["rows"] == before["rows"]
    assert throng.leavings(root) == []
    throng.imported(root, "local")
    assert throng.held(root) == expected[0]


@pytest.mark.parametrize(("name", "step"), [(SPARK, "commit")])  # the soak tries every engine and step
def test_a_driver_that_dies_leaves_nothing(name: str, step: str, own: Own, expected: Both, java: Path) -> None:
    assert java
    _undone(name, step, own(), expected)


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", [RAY, SPARK])
@pytest.mark.parametrize("where", ["own", "in_store"])
def test_wherever_the_driver_dies(
    where: str, name: str, step: str, request: pytest.FixtureRequest, expected: Both, java: Path
) -> None:
    assert java
    _undone(name, step, request.getfixturevalue(where)(), expected)
