"""What a process sets up for itself: in processes of their own, as it is for good."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PANDAS = pytest.mark.skipif(find_spec("pandas") is None, reason="what is not installed is never loaded")


DUCKDB = pytest.mark.skipif(find_spec("duckdb") is None, reason="it is nobody's but the tests' and benchmarks'")


def said(code: str) -> str:
    """What a new Python prints, with the pandas that is installed and not the one of tests/support/bare."""
    path = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(each).name != "bare"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, env=env)
    return done.stdout.strip()


@PANDAS
def test_arrow_loads_no_pandas_and_knows_its_frames_once_somebody_else_does() -> None:
    code = """
import sys
from demur.processes import without_pandas
without_pandas()
import numpy as np, pyarrow as pa
pa.array(np.arange(3)).to_numpy()
print("pandas" in sys.modules)
import pandas
print(pa.table({"a": [1, None]}).to_pandas().a.isna().tolist(), pa.array(pandas.Series([4, 5])).to_pylist())
"""
    assert said(code).splitlines() == ["False", "[False, True] [4, 5]"]


def test_what_was_loaded_before_is_left_as_it_is() -> None:
    code = """
import sys, pyarrow
before = list(sys.meta_path)
from demur.processes import without_pandas
without_pandas()
print(sys.meta_path == before)
"""
    assert said(code) == "True"


def test_a_worker_has_memory_kept_before_it_opens_what_it_was_told() -> None:
    code = """
import pickle
from demur import processes
done = []
processes.keep_memory, processes.without_pandas = lambda: done.append("memory"), lambda: done.append("pandas")
processes.begun(pickle.dumps((print, "opened")))
print(done)
"""
    assert said(code).splitlines() == ["opened", "['memory', 'pandas']"]


@pytest.mark.parametrize("first", ["keep_memory()", "import pyarrow"])
def test_arrow_takes_memory_from_where_it_is_kept_whichever_comes_first(first: str) -> None:
    code = f"""
from demur.processes import keep_memory
{first}
keep_memory()
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""
    assert said(code) == "system"


def test_an_operators_choice_of_arrows_memory_stands() -> None:
    code = """
import os
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "mimalloc"
import pyarrow
from demur.processes import keep_memory
keep_memory()
print(pyarrow.default_memory_pool().backend_name)
"""
    assert said(code) == "mimalloc"


def test_a_process_looks_for_garbage_seldom_and_not_at_its_end() -> None:
    code = """
import gc
from demur.processes import collect_seldom
collect_seldom()
class Cycle:
    def __init__(self): self.itself = self
    def __del__(self): print("freed")
gc.collect()
before = gc.get_stats()[0]["collections"]
kept = [[] for _ in range(50_000)]
print(gc.get_stats()[0]["collections"] - before)
Cycle()
kept += [[] for _ in range(250_000)]
print("through")
gone = Cycle()
del gone
"""
    assert said(code).splitlines() == ["0", "freed", "through"]


def test_what_a_process_has_to_do_at_its_end_is_done(tmp_path: Path) -> None:
    code = f"""
import atexit, tempfile, weakref
from pathlib import Path
from demur.processes import collect_seldom
collect_seldom()
folder = tempfile.TemporaryDirectory(dir={str(tmp_path)!r})
file = Path({str(tmp_path)!r}, "file").open("w")
file.write("kept in a buffer")
atexit.register(print, "told")
class Owner: pass
owner = Owner()
owner.itself = owner
weakref.finalize(owner, print, "finalized")
"""
    assert said(code).splitlines() == ["told", "finalized"]
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "kept in a buffer"


@DUCKDB
def test_a_binding_that_counts_what_is_left_has_nothing_to_complain_of() -> None:
    code = "from demur.processes import collect_seldom; collect_seldom(); import duckdb; print(duckdb.sql('SELECT 1'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stderr
