"""What demur imports it declares, where it needs it, and what it declares it uses and pins."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "src" / "demur"
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ONLY_TYPES: Final = {"_typeshed"}
"""What exists for type checkers alone."""
LOADED_BY_NAME: Final = {
    "httptools": "uvicorn's reader of HTTP, on which the server's protocol builds",
    "pandas": "PySpark turns nothing to Arrow without it",
    "psycopg": "SQLAlchemy's driver, by the register's URL",
    "python-multipart": "Starlette reads forms with it",
    "uvloop": "uvicorn takes it for its event loop where it is there",
}
"""Declared packages that no line of demur imports, with what loads them."""
EXTRAS: Final = {
    "web": ("web/", "cli/serve.py"),
    "postgres": ("sources/tables/sql.py",),
    "store": ("store.py",),
    "pictures": ("pictures/",),
    "ray": ("corpus/engines/ray_data.py",),
    "spark": ("corpus/engines/spark_arrow.py",),
    "train": ("training/", "loading/"),
}
"""Where what an extra brings may be imported; everything else has to work without it."""
PIN: Final = re.compile(r"([a-z0-9-]+)(?:\[[a-z,]+\])?==")
OURS: Final = re.compile(r"[ #]demur \(pyproject\.toml\)$", re.MULTILINE)


def _name(requirement: str) -> str:
    """The name of a distribution, normalised (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


BASE: Final = {_name(each) for each in PROJECT["dependencies"]}
BROUGHT: Final = {extra: {_name(each) for each in wanted} for extra, wanted in PROJECT["optional-dependencies"].items()}
DECLARED: Final = BASE.union(*BROUGHT.values())


def _imported(path: Path) -> set[str]:
    """The top-level modules of others that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [name for node in nodes if (name := _loaded_by_name(node))]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.partition(".")[0] for name in names} - {"demur"} - ONLY_TYPES - sys.stdlib_module_names


def _loaded_by_name(node: ast.AST) -> str | None:
    """What `import_module("name")` imports."""
    match node:
        case ast.Call(func=ast.Name("import_module"), args=[ast.Constant(str(name))]):
            return name
    return None


@cache
def _imports() -> list[tuple[str, str]]:
    """Each file of demur, and the distribution of each package that it imports."""
    brought_by = {name: [name] for name in BROUGHT["train"] | BROUGHT["ray"]}  # `make test` has no torch, and no Ray
    brought_by |= packages_distributions()
    found: list[tuple[str, str]] = []
    for path in sorted(SOURCE.rglob("*.py")):
        for module in sorted(_imported(path)):
            (distribution,) = {_name(each) for each in brought_by.get(module, [f"nothing brings {module}"])}
            found.append((path.relative_to(SOURCE).as_posix(), distribution))
    return found


def test_what_is_imported_is_declared() -> None:
    assert {name for _, name in _imports()} - DECLARED == set()


def test_what_is_declared_is_imported_or_loaded_by_name() -> None:
    imported = {name for _, name in _imports()}
    assert DECLARED - imported == set(LOADED_BY_NAME)


def test_what_an_extra_brings_is_imported_where_nothing_else_needs_it() -> None:
    allowed = {name: EXTRAS[extra] for extra, names in BROUGHT.items() for name in names}
    elsewhere = [(file, name) for file, name in _imports() if name not in BASE and not file.startswith(allowed[name])]
    assert elsewhere == []


def test_nothing_is_declared_twice() -> None:
    everything = [*PROJECT["dependencies"], *chain.from_iterable(PROJECT["optional-dependencies"].values())]
    assert len(everything) == len(DECLARED)


def _pins(file: str) -> dict[str, str]:
    """What a file of pins says of each distribution."""
    blocks = re.split(r"^(?=[a-z])", (ROOT / "requirements" / file).read_text(), flags=re.MULTILINE)
    return {pin[1]: block for block in blocks if (pin := PIN.match(block))}


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        ("base.txt", ["web"]),
        ("dev.txt", ["web", "postgres", "store", "pictures"]),
        ("train.txt torch.txt", ["web", "train"]),
    ],
)
def test_what_is_declared_is_pinned_as_such(files: str, extras: list[str]) -> None:
    ours = {name for file in files.split() for name, block in _pins(file).items() if OURS.search(block)}
    assert ours == BASE.union(*(BROUGHT[extra] for extra in extras))


def test_whoever_does_not_train_gets_nothing_of_what_training_needs() -> None:
    assert {"accelerate", "triton"} <= _pins("train.txt").keys() | _pins("cuda.txt").keys()
    assert not (BROUGHT["train"] | {"accelerate", "triton"}) & _pins("base.txt").keys()


def test_torch_is_pinned_in_both_builds_of_one_release() -> None:
    (release,) = re.findall(r"^torch==(\S+)$", (ROOT / "requirements" / "torch.in").read_text(), re.MULTILINE)
    (index,), (local,) = _pins("torch.txt").values(), _pins("torch-cpu.txt").values()
    assert index.startswith(f"torch=={release} ")
    assert local.startswith(f"torch=={release}+cpu ")
