"""An engine by its name, for as long as an import takes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demur.corpus.engines.face import Engine
from demur.corpus.engines.local import Local
from demur.corpus.engines.names import LOCAL, RAY
from demur.extras import need
from demur.kernel.rules import Rules


def require(engine: str) -> None:
    """Ask whether an engine is there before anything is begun.

    Raises:
        UsageError: it is not installed.
    """
    if engine != LOCAL:
        need(f"--engine {engine}", engine, "pandas", engine if engine == RAY else "pyspark")


@contextmanager
def started(engine: str, rules: Rules, workers: int, path: Path) -> Iterator[Engine]:
    """The engine of that name; all that it started has ended when this ends.

    Args:
        engine: one of names.ENGINES.
        rules: everything that decides.
        workers: processes of this machine that work at once, where no cluster is named.
        path: where the arrays of the rules are written for them; must not exist, and is the caller's to remove.
    """
    with ExitStack() as until:
        if engine == LOCAL:
            yield Local(rules, workers, path, until)
        elif engine == RAY:
            from demur.corpus.engines.ray_data import crew as on_ray  # noqa: PLC0415  # one engine is loaded, not all

            yield on_ray(rules, workers, path, until)
        else:
            from demur.corpus.engines.spark_arrow import crew as on_spark  # noqa: PLC0415  # the same

            yield on_spark(rules, workers, path, until)
