"""What a process of demur's sets up for itself when it begins: how it takes and frees memory, what it does without.

Invariants: no answer changes by it, time does; only who owns the whole process calls this (a command, a worker), never
a function that somebody else's program may call.
"""

import atexit
import gc
import importlib.util
import os
import pickle
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""The parameters of mallopt(3), as <malloc.h> numbers them."""
_LARGEST: Final = 32 << 20
"""Bytes of the largest array that comes from the heap: the most that glibc takes on 64 bits."""
_KEPT: Final = 256 << 20
"""Bytes that may lie free at the heap's end before some of it is given back."""
_ARROW_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"
"""What an operator may say of it, as Arrow documents."""
_NEW_OBJECTS: Final = 200_000
"""Containers that are made, and not freed, before Python looks for garbage: at most some tens of megabytes of it."""


def begun(told: bytes) -> None:
    """The first thing that a worker process does.

    Args:
        told: pickled, a function and what it is called with; opened only now, since that loads what has to come later.
    """
    keep_memory()
    collect_seldom()
    without_pandas()
    function, *arguments = pickle.loads(told)  # noqa: S301  # of the process that started this one
    function(*arguments)


def collect_seldom() -> None:
    """Have Python look for garbage in cycles only once there may be much, and not at all when the process ends.

    By default it does so at every 700 containers: an eighth of the time of a command that loads many modules, and a
    twelfth of the kernel's. At the end it would look through all that was loaded once more, to free what the system
    frees anyway; whatever has something to do at the end is told by :mod:`atexit` before.
    """
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(_leave_garbage)  # the first to be registered is the last to be called


def _leave_garbage() -> None:
    if "duckdb" not in sys.modules:  # its binding counts what is left, and complains of it on stderr
        gc.freeze()


def keep_memory() -> None:
    """Have the C library keep the arrays that were freed, for the next batch: NumPy's and Arrow's.

    glibc gives each back to the kernel, which clears the pages anew for the next one: a fifth of the time of a batch.
    So does the allocator that Arrow brings, and takes where nothing else is said. Other C libraries do as they do.
    """
    import ctypes  # noqa: PLC0415  # most commands work through no batches

    os.environ.setdefault(_ARROW_POOL, "system")  # once it is loaded
    if (arrow := sys.modules.get("pyarrow")) is not None and os.environ[_ARROW_POOL] == "system":
        arrow.set_memory_pool(arrow.system_memory_pool())
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, _KEPT)


def without_pandas() -> None:
    """Have Arrow find no pandas when it looks for it, once, at its first array: it would load all of it for nothing.

    That is a fifth of a second where pandas is installed. Whoever imports pandas later gets it.
    """
    if "pyarrow" in sys.modules or "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _BeforeArrow())


class _BeforeArrow(MetaPathFinder):
    """Waits for Arrow to be loaded, and has it look for pandas at once."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:  # noqa: ARG002  # importlib's
        """Arrow's own way of loading, with the look at its end; nothing of any other module."""
        if fullname != "pyarrow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def then_look(module: ModuleType) -> None:
                load(module)
                finder = _NoPandas()
                sys.meta_path.insert(0, finder)
                try:
                    module.array([])
                finally:
                    sys.meta_path.remove(finder)

            spec.loader.exec_module = then_look  # type: ignore[method-assign]  # of this one loader
        return spec


class _NoPandas(MetaPathFinder):
    """Says that pandas is not there."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002  # importlib's
        """Nothing of any other module."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)
