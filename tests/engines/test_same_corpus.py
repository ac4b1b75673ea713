"""Laws 2 and 5 over engines: the same import whichever ran it, also where workers or drivers died meanwhile."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import throng

from demur.corpus.engines import task
from demur.corpus.engines.names import RAY, SPARK
from demur.corpus.session import writing
from demur.errors import UsageError, WorkspaceError
from demur.workspace import Workspace

Both = tuple[dict[str, Any], dict[str, Any]]
Own = Callable[[], Path]

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore:`ray_remote_args_fn` is deprecated"),  # src says so, too
    pytest.mark.filterwarnings("ignore:unclosed file .*/logs/ray-data/:ResourceWarning"),  # Ray's
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. .*/logs/ray-data/:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),  # pyspark's
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"),
]

STEPS = ("wave", "heard", "commit", "committed")


@pytest.fixture(scope="module", params=[RAY, SPARK])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """An engine whose cluster is there already: to start one takes longer than a test."""
    if request.param == SPARK:
        java: Path = request.getfixturevalue("java")
        os.environ.setdefault("JAVA_HOME", str(java.resolve().parent.parent))
        from demur.corpus.engines.spark_arrow import session  # noqa: PLC0415  # only where it is installed

        running = session(2, request.getfixturevalue("tmp_path_factory").mktemp("spark"))
        yield SPARK
        running.stop()
    else:
        from demur.corpus.engines.ray_data import connect  # noqa: PLC0415  # the same

        shutdown = connect(2)
        yield RAY
        shutdown()


def test_every_engine_leaves_the_same(engine: str, own: Own, expected: Both) -> None:
    root = own()
    throng.imported(root, engine)
    assert throng.held(root) == expected[0]
    throng.imported(root, engine, again=True)
    assert throng.held(root) == expected[1]
    assert throng.leavings(root) == []


def _survives(how: str, which: int, engine: str, own: Own, expected: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    root = own()
    mark = root.parent / f"{how}-{which}"
    monkeypatch.setattr(task, "work", throng.work_failing(how, which, str(mark.parent)))
    throng.imported(root, engine)
    assert mark.exists()
    assert throng.held(root) == expected[0]


@pytest.mark.parametrize(("how", "which"), [("killed", 1), ("late", 0), ("doubled", 2)])
def test_workers_that_die_or_do_a_task_twice_change_nothing(
    engine: str, how: str, which: int, own: Own, expected: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    _survives(how, which, engine, own, expected, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("how", ["killed", "late", "doubled"])
def test_whichever_task_it_is(
    engine: str, how: str, which: int, own: Own, expected: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    _survives(how, which, engine, own, expected, monkeypatch)


def test_a_task_that_always_fails_leaves_what_was(engine: str, own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    root = own()
    before = throng.held(root)
    monkeypatch.setattr(task, "work", throng.broken)
    with pytest.raises(WorkspaceError, match=r"could not finish the import .*; nothing was changed\.$") as told:
        throng.imported(root, engine)
    assert "plums" not in str(told.value)
    assert throng.held(root) == before
    assert throng.leavings(root) == []


def test_workers_with_another_demur_are_refused(engine: str, own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    root = own()
    monkeypatch.setattr(task, "work", throng.other)
    with pytest.raises(UsageError, match=r"workers have demur 0\.0\.1, and this machine has python .*code "):
        throng.imported(root, engine)


def _undone(engine: str, step: str, own: Own, expected: Both) -> None:
    root = own()
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


@pytest.mark.parametrize(("name", "step"), [(RAY, "heard"), (SPARK, "commit")])
def test_a_driver_that_dies_leaves_nothing(name: str, step: str, own: Own, expected: Both, java: Path) -> None:
    assert java
    _undone(name, step, own, expected)


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", [RAY, SPARK])
def test_wherever_the_driver_dies(name: str, step: str, own: Own, expected: Both, java: Path) -> None:
    assert java
    _undone(name, step, own, expected)
