"""Tests of Ray and Spark as engines (`make test-engines`): without what the extras bring none of them is collected."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import throng

collect_ignore_glob = [] if importlib.util.find_spec("ray") and importlib.util.find_spec("pyspark") else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def _workers_have_pandas() -> Iterator[None]:
    """Ray and PySpark ask for pandas, which processes of other tests have to do without."""
    before = os.environ["PYTHONPATH"]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in before.split(os.pathsep) if Path(path).name != "bare")
    yield
    os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forum before its imports; copied by those who import."""
    return throng.found(tmp_path_factory.mktemp("forum") / "w").root


@pytest.fixture(scope="session")
def expected(forum: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], dict[str, object]]:
    """What this machine's own pool makes of the first import, and of the one after it."""
    root = tmp_path_factory.mktemp("local") / "w"
    shutil.copytree(forum, root)
    throng.imported(root, "local")
    first = throng.held(root)
    throng.imported(root, "local", again=True)
    return first, throng.held(root)


@pytest.fixture
def own(forum: Path, tmp_path: Path) -> Callable[[], Path]:
    """Gives copies of the forum."""
    roots: list[Path] = []

    def copied() -> Path:
        roots.append(tmp_path / f"w{len(roots)}")
        shutil.copytree(forum, roots[-1])
        return roots[-1]

    return copied
