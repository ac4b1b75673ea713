"""What a command loads: Lance, which takes longer than all the rest, only where a row is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from demur.cli.app import run
code = run(sys.argv[1:])
print(code, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def loaded(*arguments: str | Path) -> set[str]:
    """The packages that are loaded when a command has run."""
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    code, *packages = (
        subprocess.run(command, check=True, capture_output=True, text=True).stderr.splitlines()[-1].split()
    )
    assert code == "0"
    return set(packages)


@pytest.mark.parametrize("asked", ["--version", "--help"])
def test_what_is_asked_of_the_frame_loads_nothing_heavy(asked: str) -> None:
    assert not loaded(asked) & {"lance", "pyarrow", "sqlalchemy", "pydantic"}


def test_the_status_needs_no_row_and_nothing_that_governs_them(workspace: Path) -> None:
    assert not loaded("status", "-w", workspace) & {"lance", "phonenumbers"}


def test_an_objection_where_nothing_is_to_be_honoured_needs_no_row(workspace: Path) -> None:
    assert not loaded("object", "--account", "forum:ann", "-w", workspace) & {"lance", "phonenumbers"}


def test_a_worker_of_an_import_loads_the_kernel_and_neither_the_store_nor_the_register() -> None:
    program = "import sys, demur.corpus.pool; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    packages = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert not {"lance", "sqlalchemy", "click", "duckdb"} & set(packages.split())


WITHOUT_TORCH = """
import importlib, pkgutil, sys
for name in ("torch", "transformers", "peft", "tokenizers", "safetensors"):
    sys.modules[name] = None  # importing it fails
import demur
found = [each.name for each in pkgutil.walk_packages(demur.__path__, "demur.")]
for name in found:
    if not name.startswith("demur.training.") and not name.endswith(("__main__", "migrations.env")):
        importlib.import_module(name)
print(len(found))
"""


def test_all_but_training_is_imported_without_torch() -> None:
    ended = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 300
