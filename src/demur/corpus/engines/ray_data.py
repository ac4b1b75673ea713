"""Ray: waves of tasks go through Ray Data's ``map_batches``.

Invariants: the arrays of the rules are one object of Ray's store, that the workers of a machine read where it lies;
what else Ray's store holds, and may put on a disk, is sealed. The key is held by an actor in its memory alone: it comes
to it, and leaves it, in a message too small for the store. Ray gives the task of a worker that died to another.
"""

import logging
import os
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

from demur.corpus.carried import carry
from demur.corpus.engines import task
from demur.corpus.engines.crew import Crew, unfinished
from demur.corpus.engines.task import TASKS, Told, Work, attempted, closed, software
from demur.identity import KEY_BYTES
from demur.kernel.rules import Rules

if TYPE_CHECKING:
    from demur.corpus.engines.task import Given

_RETRIES: Final = 3
"""Times that a task is given to another worker because one died with it."""
_OURS: Final[dict[str, Any]] = {"include_dashboard": False, "object_store_memory": 1 << 30}
"""Of a cluster that this process starts for itself."""


class _Holder:
    """An actor that knows the key."""

    def __init__(self) -> None:
        self._key = b""

    def hold(self, key: bytes) -> None:
        """Learns it."""
        self._key = key

    def key(self) -> bytes:
        """Tells it to a worker."""
        return self._key


def connect(workers: int) -> Callable[[], object]:
    """Joins the cluster that RAY_ADDRESS names, or starts one on this machine; returns what ends that."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the way of its next release: it warns otherwise
    import ray  # noqa: PLC0415  # an extra

    # What Lance warns of when it forks becomes a process of Ray's at once.
    warnings.filterwarnings("ignore", "lance is not fork-safe")
    # Until 2.64, which the extra stops short of, there is no other way to say how often a task is tried.
    warnings.filterwarnings("ignore", "`ray_remote_args_fn` is deprecated")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
    else:
        ray.init("local", num_cpus=workers, **_OURS, **quiet)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return cast("Callable[[], object]", ray.shutdown)


def crew(rules: Rules, workers: int, path: Path, until: ExitStack) -> Crew:
    """Workers on the cluster that RAY_ADDRESS names; else on this machine, ``workers`` of them.

    Args:
        rules: everything that decides.
        workers: of a cluster that is started here.
        path: where the arrays of the rules are written on their way; must not exist, and is the caller's to remove.
        until: ends what is started here.
    """
    import ray  # noqa: PLC0415  # an extra

    if not ray.is_initialized():
        until.callback(connect(workers))
    key = os.urandom(KEY_BYTES)
    holder = ray.remote(num_cpus=0)(_Holder).remote()
    until.callback(ray.kill, holder)
    ray.get(holder.hold.remote(key))
    told = Told(software(), closed(key, carry(rules, path)))
    arguments = (ray.put(told), holder, ray.put(np.fromfile(path, np.uint8)), task.work)

    def run(wave: pa.Table) -> pa.Table:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        each = ray.data.from_arrow([wave.slice(at, 1) for at in range(len(wave))])
        done = each.map_batches(
            _work,
            batch_size=None,
            batch_format="pyarrow",
            fn_args=arguments,
            ray_remote_args_fn=_remote,
        )
        try:
            return pa.concat_tables(done.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
        except (ray.exceptions.RayError, ModuleNotFoundError) as error:
            raise unfinished("Ray", error) from None

    return Crew(rules, key, max(int(ray.cluster_resources().get("CPU", workers)), 1), run, until)


def _remote() -> dict[str, Any]:
    return {"max_retries": _RETRIES}  # Ray Data's own choice is to try for ever


def _work(tasks: pa.Table, told: Any, holder: Any, arrays: Any, work: Work) -> pa.Table:  # noqa: ANN401  # Ray's references
    done = [attempted(work, each, lambda: _given(told, holder, arrays)) for each in tasks.cast(TASKS).to_batches()]
    return pa.Table.from_batches(done, TASKS)


@lru_cache(maxsize=1)
def _given(told: Any, holder: Any, arrays: Any) -> "Given":  # noqa: ANN401  # Ray's references
    """What this process is told, asked for once."""
    import ray  # noqa: PLC0415  # an extra

    return ray.get(told), ray.get(holder.key.remote()), memoryview(ray.get(arrays))
