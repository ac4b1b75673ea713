"""Tests of Ray and Spark as engines (`make test-engines`): without what the extras bring none of them is collected."""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import throng
from objects import S3, Bucket

from demur.corpus.engines.names import RAY, SPARK
from demur.workspace import Workspace

collect_ignore_glob = [] if importlib.util.find_spec("ray") and importlib.util.find_spec("pyspark") else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def _environment_of_workers() -> Iterator[None]:
    """What workers find: the tests' own modules, pandas, which other tests' processes do without, and the S3 server."""
    path = [each for each in os.environ["PYTHONPATH"].split(os.pathsep) if Path(each).name != "bare"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(throng.__file__).parent), *path]))
        for name, value in S3.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", params=[RAY, SPARK])
def engine(request: pytest.FixtureRequest) -> Iterator[throng.Cluster]:
    """An engine whose cluster is there already: to start one takes longer than a test."""
    started = _ray if request.param == RAY else _spark
    with started(request) as logs:
        yield throng.Cluster(request.param, logs)


@contextmanager
def _ray(_request: pytest.FixtureRequest) -> Iterator[Path]:
    from demur.corpus.engines.ray_data import connect  # noqa: PLC0415  # only where it is installed

    folder = Path(tempfile.mkdtemp(prefix="demur-", dir="/tmp"))  # short: Ray's sockets lie in it
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", str(folder))
        shutdown = connect(2)
    yield folder / "ray" / "session_latest" / "logs"
    shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _spark(request: pytest.FixtureRequest) -> Iterator[Path]:
    java: Path = request.getfixturevalue("java")
    os.environ.setdefault("JAVA_HOME", str(java.resolve().parent.parent))
    from demur.corpus.engines.spark_arrow import session  # noqa: PLC0415  # only where it is installed

    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("spark")
    with _stderr_to(folder / "log"):
        running = session(2, folder / "local")
    running.sparkContext.setLogLevel("ERROR")  # as a cluster's
    yield folder / "log"
    running.stop()


@contextmanager
def _stderr_to(path: Path) -> Iterator[None]:
    """Where processes that are started meanwhile say what they say."""
    before = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Keys and register of every forum."""
    return throng.begun(tmp_path_factory.mktemp("template") / "w")


@pytest.fixture(scope="session")
def forum(template: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forum before its imports; copied by those who import."""
    return throng.found(template, tmp_path_factory.mktemp("forum") / "w").root


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


@pytest.fixture
def in_store(template: Workspace, tmp_path: Path, s3: str, bucket: Bucket) -> Callable[[], Path]:
    """Gives forums whose corpus is in a store."""
    return lambda: throng.found(template, tmp_path / "stored", f"s3://{bucket()}/forum", s3).root
