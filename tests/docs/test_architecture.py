"""docs/architecture.md stays true: its drawing is the layers' contract, its trips follow imports."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "src" / "demur"
PAGE: Final = (ROOT / "docs" / "architecture.md").read_text()
STEP: Final = re.compile(r"^(\d+)\. `([\w/]+\.py)`", re.MULTILINE)
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
MOST_FILES: Final = 12
MOST_PACKAGES: Final = 5


def trips() -> dict[str, str]:
    """The sections of the trips, by title."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    return {title: text for title, _, text in (part.partition("\n") for part in parts) if title.startswith("Trip ")}


def files(text: str) -> list[Path]:
    return [SOURCE / path for _, path in STEP.findall(text)]


def module_file(name: str) -> Path | None:
    """The file of a module of ours; None for what is no module, or not ours."""
    path = ROOT / "src" / name.replace(".", "/")
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((each for each in found if each.exists()), None)


@cache
def imported(path: Path) -> frozenset[Path]:
    """Every file of ours that a file imports, at once or when it needs it."""

    def names() -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    found = (module_file(name) for name in names() if name.partition(".")[0] == "demur")
    return frozenset(each for each in found if each is not None)


def reached_from(start: Path) -> set[Path]:
    reached, ahead = {start}, {start}
    while ahead:
        ahead = {each for path in ahead for each in imported(path) | adapters(path)} - reached
        reached |= ahead
    return reached


def adapters(path: Path) -> frozenset[Path]:
    """What is found by an entry point instead of an import."""
    if path != SOURCE / "sources" / "base.py":
        return frozenset()
    named = PROJECT["project"]["entry-points"]["demur.sources"].values()
    return frozenset(found for name in named if (found := module_file(name.partition(":")[0])))


def test_there_are_three_trips_of_at_most_twelve_files() -> None:
    assert len(trips()) == 3
    for title, text in trips().items():
        steps = STEP.findall(text)
        assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1)), title
        assert 1 < len(steps) <= MOST_FILES, title


@pytest.mark.parametrize("title", trips())
def test_every_file_of_a_trip_is_there_and_is_reached_from_where_its_part_begins(title: str) -> None:
    parts = [found for part in re.split(r":\n\n", trips()[title]) if (found := files(part))]
    assert parts
    for first, *rest in parts:
        assert first.exists()
        assert [str(path) for path in rest if path not in reached_from(first)] == []


def test_an_objection_crosses_five_packages_and_asks_the_kernel() -> None:
    (text,) = (text for title, text in trips().items() if title.startswith("Trip 2"))
    packages = {path.relative_to(SOURCE).parts[0] for path in files(text)}
    assert len(packages - {"kernel"}) <= MOST_PACKAGES


def test_the_drawing_is_the_contract() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (whole,) = (each for each in contracts if each.get("containers") == ["demur"])
    drawn = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)[0].split("\n")
    layers = [re.sub(r"[()]", "", layer) for layer in whole["layers"] if layer != "(__main__)"]
    assert [line.strip() for line in drawn if line.strip()] == layers
