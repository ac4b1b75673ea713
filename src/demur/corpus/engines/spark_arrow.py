"""Spark: waves of tasks go through ``mapInArrow``, one row each.

Invariants: the arrays of the rules reach a machine once, as a file that Spark hands out and its workers map; what
passes through Spark is sealed, and the key travels with the function that does the tasks, which Spark may put on its
disks: so its disks have to be encrypted (``spark.io.encryption.enabled``), by keys that live as long as the job. Spark
gives a task that failed to a worker again.
"""

import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache, partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa

from demur.corpus.carried import carry
from demur.corpus.engines import task
from demur.corpus.engines.crew import Crew, unfinished
from demur.corpus.engines.task import TASKS, Told, Work, attempted, closed, software
from demur.errors import UsageError
from demur.identity import KEY_BYTES
from demur.kernel.rules import Rules

_ATTEMPTS: Final = 4
"""Of a task, on this machine alone: as many as Spark makes on a cluster."""
_ENCRYPTED: Final = "spark.io.encryption.enabled"


def crew(rules: Rules, workers: int, path: Path, until: ExitStack) -> Crew:
    """Workers on the cluster that PYSPARK_SUBMIT_ARGS or SPARK_CONF_DIR tell of; else ``workers`` of this machine.

    Args:
        rules: everything that decides.
        workers: of this machine.
        path: where the arrays of the rules are written on their way; must not exist, and is the caller's to remove.
        until: ends what is started here.
    """
    from py4j.protocol import Py4JError  # noqa: PLC0415  # an extra
    from pyspark.errors import PySparkException  # noqa: PLC0415  # the same
    from pyspark.sql import SparkSession  # noqa: PLC0415  # the same

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # no pandas is used here
    running = SparkSession.getActiveSession()
    if running is None:
        running = session(workers, path.with_name("spark"))
        until.callback(running.stop)
    context = running.sparkContext
    if context.getConf().get(_ENCRYPTED, "false") != "true":
        raise UsageError(f"Spark would put what people wrote on its disks: set {_ENCRYPTED} to true.")
    ours = running.newSession()
    ours.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")  # a row is a task
    carried, key = carry(rules, path), os.urandom(KEY_BYTES)
    handed = path.rename(path.with_name(f"{path.name}-{uuid4().hex}"))  # Spark takes each name once
    context.addFile(str(handed))
    told = Told(software(), closed(key, carried))
    function = partial(_worked, told, key, handed.name, task.work)

    def run(wave: pa.Table) -> pa.Table:
        try:
            done = ours.createDataFrame(wave).mapInArrow(function, "number long, sealed binary").toArrow()
        except (PySparkException, Py4JError) as error:
            raise unfinished("Spark", error) from None
        return done.cast(TASKS)

    return Crew(rules, key, max(context.defaultParallelism, 1), run, until)


def session(workers: int, folder: Path) -> Any:  # noqa: ANN401  # pyspark comes without types
    """A session of our own; where it is on this machine alone, what Spark puts on a disk is under ``folder``."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  # an extra

    if os.environ.get("SPARK_REMOTE"):
        raise UsageError("Spark Connect can't hand out the rules: unset SPARK_REMOTE and name the cluster's master.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("demur").config(_ENCRYPTED, "true")
    builder = builder.config("spark.ui.showConsoleProgress", "false").config("spark.ui.enabled", "false")
    if not {"PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR"} & set(os.environ):
        builder = builder.master(f"local[{workers},{_ATTEMPTS}]").config("spark.local.dir", str(folder))
        for name in ("spark.driver.host", "spark.driver.bindAddress"):
            builder = builder.config(name, "127.0.0.1")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "lance is not fork-safe")  # what is forked becomes Java at once
        running = builder.getOrCreate()
    running.sparkContext.setLogLevel("OFF")
    return running


def _worked(told: Told, key: bytes, name: str, work: Work, tasks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for each in tasks:
        yield attempted(work, each.cast(TASKS), lambda: (told, key, _mapped(name)))


@lru_cache(maxsize=1)
def _mapped(name: str) -> memoryview:
    """The file of the arrays, as Spark put it on this machine; mapped once by each of its processes."""
    from pyspark import SparkFiles  # noqa: PLC0415  # an extra

    with Path(SparkFiles.get(name)).open("rb") as file:
        return memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
