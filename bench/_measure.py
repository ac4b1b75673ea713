"""What the benchmarks share: the yardstick, repeated timing, and peak memory of a process with its children."""

import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

RUNS = int(os.environ.get("DEMUR_RUNS", "3"))
"""Runs behind a median; fewer only for a first look."""


def copy_seconds(source: Path) -> float:
    """Wall time of a plain DuckDB copy of a Parquet file to zstd Parquet, with both cores."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        to = Path(folder) / "copy.parquet"
        with duckdb.connect() as connection:
            connection.execute("SET enable_progress_bar = false")
            began = time.perf_counter()
            connection.execute(f"COPY (SELECT * FROM '{source}') TO '{to}' (FORMAT parquet, COMPRESSION zstd)")
            return time.perf_counter() - began


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(times: list[float]) -> float:
    """The median."""
    return statistics.median(times)


@dataclass
class Memory:
    """Peak memory of this process and all below it."""

    peak: int = 0
    """Bytes of proportional set size, sampled ten times a second: what is shared counts once."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def sample(self) -> None:
        """Watches until told to stop."""
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, sum(_pss(pid) for pid in _family(os.getpid())))


@contextmanager
def memory() -> Iterator[Memory]:
    """Watches memory while the block runs."""
    watch = Memory()
    thread = threading.Thread(target=watch.sample, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch._stop.set()  # noqa: SLF001  # its own
        thread.join()


def processors() -> float:
    """Seconds of processors, user and system, that this process and all below it took; those that ended, too."""
    ticks = sum(sum(_ticks(pid)) for pid in _family(os.getpid()))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    """Of a process, and of its children that ended (proc(5), fields 14 to 17)."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]]
    except OSError:
        return []  # it has ended


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:
        return  # it has ended


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has ended
    return 0


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that the benchmarks use, removed afterwards."""
    data = Path(__file__).parent / "data"
    data.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demur-bench-", dir=data))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
