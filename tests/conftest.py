"""What every test may ask for: the shared example data, the parts a machine may lack, and Hypothesis profiles.

Invariants: an absent ``../shared`` is always a skip, never a failure; a part that is missing and can't be installed
is a skip on a developer's machine and a failure where ``DEMUR_REQUIRE=all`` says that every test must run (CI).
"""

import fcntl
import gc
import os
import re
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest
from calling import Demur, Result
from cluster import Cluster, programs, running
from hypothesis import HealthCheck, settings
from objects import S3, Bucket, moto, request, s3_server
from places import SERVERS
from xdist.scheduler import LoadScopeScheduling

from demur.cli import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT: Final = Path(__file__).resolve().parent.parent
RAM: Final = Path("/dev/shm")  # memory-backed: spares the disk the many small commits of the laws
ROOM: Final = 8 << 30  # bytes that have to be free there for every test's temporary folder
OLDEST_JAVA: Final = 17  # what Spark 4 runs on
BARE: Final = ROOT / "tests" / "support" / "bare"  # goes before all that processes of a test import

os.environ["HF_HUB_OFFLINE"] = "1"  # tests reach no network; read when `datasets` is imported
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(BARE), os.environ.get("PYTHONPATH"))))
if RAM.is_dir() and shutil.disk_usage(RAM).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(RAM))  # where `tmp_path` is
    if "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.tempdir = str(RAM)  # and what commands spool

LONGEST: Final = (
    "browser/test_journeys_in_browser.py",
    "browser/test_browser_looks.py",
    "demo/test_demo_loop.py",
    "storage/test_corpus_in_store.py",
    "browser/test_verifier_page.py",
    "faults/test_kills.py",
    "laws/test_words.py",
    "objecting/test_lodged_alike.py",
    "laws/test_touching.py",
    "laws/test_order.py",
    "laws/test_judging.py",
    "rights/test_erase.py",
    "sources/test_source_limits.py",
    "people/test_find.py",
    "people/test_hard.py",
    "staff/test_officers_day.py",
    "laws/test_fail_closed.py",
    "register/test_processes.py",
    "staff/test_excuses_recorded.py",
    "web/test_server_bounds.py",
    "laws/test_nested.py",
    "sources/test_source_memory.py",
    "web/test_excuses.py",
    "web/test_core_serve.py",
    "api/test_conformance.py",
    "state/test_parts.py",
    "register/test_mark.py",
    "staff/test_record_letter.py",
    "people/test_real_judges.py",
    "laws/test_accounted.py",
    "journeys/test_irc.py",
    "journeys/test_backup_drill.py",
    "backup/test_making.py",
    "faults/test_late_objections.py",
    "cli/test_corpus_commands.py",
)
"""Files of many seconds: they come first, so that none of them begins when the other worker has nothing left to do."""

TOGETHER: Final = ("tests/browser/", "tests/demo/")
"""Folders whose files share something that is made once a session, and takes seconds: one worker runs all of them."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Each worker of pytest-xdist runs whole files, and those of some folders one after another."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


# A loaded machine is slow, not wrong: neither deadlines nor the speed of generation decide over a test.
_PATIENT: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Forty examples a property in each run, others in every run but CI's; the soak draws thousands.
settings.register_profile("default", _PATIENT, max_examples=40, derandomize="CI" in os.environ)
settings.register_profile("soak", _PATIENT, max_examples=int(os.environ.get("DEMUR_EXAMPLES", "5000")))
settings.load_profile("soak" if "DEMUR_EXAMPLES" in os.environ else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where registers lie in tests that make their workspace in places.py."""
    told = "put the registers of tests that run on either database there"
    parser.addoption("--register", choices=("sqlite", "postgresql"), help=told)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which may be off
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:  # noqa: ANN401  # of xdist
    """Where files are what is handed out, hand them out as this suite needs."""
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `either` runs on both databases, unless one is asked for."""
    either = metafunc.definition.get_closest_marker("either") is not None
    if either and metafunc.config.getoption("--register") is None:
        metafunc.parametrize("registers", ("sqlite", "postgresql"), indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others, and the tests of each file, in the order in which they were found."""
    place = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no collection of garbage looks through it again, in any test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The example data: ``data`` in ``$DEMUR_SHARED``, else in ``../shared`` next to the repository."""
    data = Path(os.environ.get("DEMUR_SHARED", ROOT.parent / "shared")) / "data"
    if not data.is_dir():
        pytest.skip(f"the shared example data is not at {data}: set DEMUR_SHARED to the folder above it")
    return data


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Called with what the machine lacks: skips the test, or fails it where ``DEMUR_REQUIRE=all``."""

    def give_up(reason: str) -> NoReturn:
        if os.environ.get("DEMUR_REQUIRE") == "all":
            pytest.fail(f"DEMUR_REQUIRE=all, and the machine lacks {reason}")
        pytest.skip(f"the machine lacks {reason}")

    return give_up


@pytest.fixture(scope="session")
def debian() -> Callable[..., bool]:
    """Called with names of Debian packages: installs them, and answers whether that worked.

    Needs root and apt-get; test processes that run side by side wait for each other.
    """

    def install(*packages: str) -> bool:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            return False
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        with (Path(tempfile.gettempdir()) / "demur-apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
                apt = subprocess.run(["apt-get", "-qq", *command], env=environment, capture_output=True, check=False)
        return apt.returncode == 0

    return install


@pytest.fixture(scope="session")
def postgresql(debian: Callable[..., bool], missing: Callable[[str], NoReturn]) -> Path:
    """The folder of PostgreSQL's server programs; installed from Debian's packages where there are none."""
    found = programs()
    if found is None and debian("postgresql"):
        found = programs()
    return found or missing("a PostgreSQL server")


@pytest.fixture(scope="session")
def cluster(postgresql: Path) -> Iterator[Cluster]:
    """A PostgreSQL server for all tests of a process; none of them cuts its power."""
    with running(postgresql, RAM if os.access(RAM, os.W_OK) else None, durable=False) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def registers(request: pytest.FixtureRequest) -> Iterator[str]:
    """The database in which places.py puts registers now: "sqlite" or "postgresql"."""
    name: str = getattr(request, "param", request.config.getoption("--register") or "sqlite")
    if name == "postgresql":
        SERVERS.cluster = request.getfixturevalue("cluster")
    yield name
    SERVERS.forget(0)
    SERVERS.cluster = None


@pytest.fixture(autouse=True)
def registers_of_one_test(registers: str) -> Iterator[None]:  # noqa: ARG001  # which has to be there before
    """Remove the databases that a test made."""
    kept = len(SERVERS.made)
    yield
    SERVERS.forget(kept)


def _java_release(java: str | None) -> int:
    """The feature release of a Java launcher (JEP 322), 0 where it does not run."""
    if java is None:
        return 0
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    release = re.search(r'version "(\d+)', told)
    return int(release[1]) if release else 0


@pytest.fixture(scope="session")
def java(debian: Callable[..., bool], missing: Callable[[str], NoReturn]) -> Path:
    """A Java launcher that Spark can use; installed from Debian's packages where there is none."""
    home = os.environ.get("JAVA_HOME")
    launcher = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if _java_release(launcher) < OLDEST_JAVA and debian("default-jre-headless"):
        launcher = shutil.which("java")
    if launcher is None or _java_release(launcher) < OLDEST_JAVA:
        missing(f"Java {OLDEST_JAVA} or newer")
    return Path(launcher)


@pytest.fixture(scope="session")
def spark(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """A local Spark session of one thread, on loopback only."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  # a second of import, only for those who ask

    os.environ.setdefault("JAVA_HOME", str(java.resolve().parent.parent))
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    for key in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(key, "127.0.0.1")
    builder = builder.config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "lance is not fork-safe")  # the fork becomes Java at once: no Lance in it
        session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def prometheus(debian: Callable[..., bool], missing: Callable[[str], NoReturn]) -> Path:
    """The folder of Debian's `prometheus` and `promtool`; installed from their package where they are not there."""
    if shutil.which("promtool") is None:
        debian("prometheus")
    found = shutil.which("promtool")
    return Path(found).parent if found else missing("Debian's Prometheus")


@pytest.fixture(scope="session")
def s3(missing: Callable[[str], NoReturn]) -> Iterator[str]:
    """The address of an S3 server, in a process of its own."""
    python = moto(ROOT / ".venv" / ".s3", ROOT / "requirements" / "s3.txt") or missing("moto, which pip installs")
    with s3_server(python) as url:
        yield url


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Makes buckets on it; the environment has what opens them."""
    for name, value in S3.items():
        monkeypatch.setenv(name, value)

    def make() -> str:
        name = f"demur-{uuid.uuid4().hex}"
        assert request(s3, "PUT", f"/{name}") == 200
        return name

    return make


@pytest.fixture(scope="session")
def chromium(debian: Callable[..., bool], missing: Callable[[str], NoReturn]) -> Path:
    """Debian's Chromium; installed from its package where it is not there."""
    if shutil.which("chromium") is None:
        debian("chromium")
    found = shutil.which("chromium")
    return Path(found) if found else missing("Chromium")


@pytest.fixture
def fast_tmp(tmp_path: Path) -> Iterator[Path]:
    """A temporary folder in memory where the machine has one (``/dev/shm``), else on disk; removed afterwards."""
    if not os.access(RAM, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=RAM, prefix="demur-") as folder:
        yield Path(folder)


@pytest.fixture
def demur(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Demur:
    """Runs a command in this process, with no workspace but the one it names."""
    monkeypatch.delenv("DEMUR_WORKSPACE", raising=False)

    def call(*arguments: str | Path) -> Result:
        code = run([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return call
