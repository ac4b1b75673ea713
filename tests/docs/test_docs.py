"""The docs can't go stale: links resolve, dependencies are explained, commands exist and are documented."""

import importlib
import os
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Final

import click
import pytest

import demur

ROOT: Final = Path(__file__).resolve().parents[2]
MADE_HERE: Final = {".git", ".venv", ".hypothesis", "__pycache__", "build", "dist"}
BENCHED: Final = {ROOT / "bench" / "data", ROOT / "bench" / "results"}  # made, and removed, while benchmarks run
MADE_AS: Final = re.compile(r"_cache$|^demur-demo")
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
ROW: Final = re.compile(r"^\| `([A-Za-z0-9_.-]+)` \|", re.MULTILINE)
CODE: Final = re.compile(r"```.*?```|`[^`\n]+`|^ {4}[^\n]*$", re.DOTALL | re.MULTILINE)
COMMAND: Final = re.compile(r"(?:^|[`$|]|Usage:)\s*demur((?: [a-z][a-z-]*)+)", re.MULTILINE)
REGISTRY: Final = re.compile(
    r"pypi\.(?:org|python)|pythonhosted\.|registry\.npmjs|repo1?\.maven|deb\.debian|/simple\b/?['\"\s]"
)


def _files() -> Iterator[Path]:
    """Every file of the repository that no tool made."""
    for folder, below, names in os.walk(ROOT):
        ours = (name for name in below if name not in MADE_HERE and not MADE_AS.search(name))
        below[:] = [name for name in ours if Path(folder, name) not in BENCHED]
        yield from (Path(folder, name) for name in names)


PAGES: Final = sorted(path for path in _files() if path.suffix == ".md")


def _relative_links(page: Path) -> set[Path]:
    targets = (target.partition("#")[0] for target in LINK.findall(page.read_text()) if "://" not in target)
    return {(page.parent / target).resolve() for target in targets if target}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    assert [target for target in _relative_links(page) if not target.exists()] == []


def test_every_page_is_reached_from_the_index() -> None:
    reached, ahead = set[Path](), {ROOT / "docs" / "index.md"}
    while ahead:
        reached |= ahead
        linked = {target for page in ahead for target in _relative_links(page) if target.suffix == ".md"}
        ahead = {page for page in linked if page.exists()} - reached
    assert [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in reached] == []


def test_the_readme_gives_a_reason_for_every_runtime_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in wanted}
    assert set(ROW.findall((ROOT / "README.md").read_text())) == names


def _app() -> click.Group:
    app = importlib.import_module("demur.cli.app").cli
    assert isinstance(app, click.Group)
    return app


def _commands(group: click.Group, above: str = "") -> Iterator[str]:
    """The full name of every command that does something itself, `policy explain` for instance."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{above}{name} ")
        elif command is not None and not command.hidden:
            yield above + name


@pytest.fixture(scope="module")
def commands() -> set[str]:
    return set(_commands(_app()))


def _named_commands(page: Path) -> set[str]:
    """What stands behind `demur` in the code of a page: words that could be a command and its subcommand."""
    return {words.strip() for code in CODE.findall(page.read_text()) for words in COMMAND.findall(code)}


def _exists(words: str, commands: set[str]) -> bool:
    return any(f"{words} ".startswith(f"{command} ") or command.startswith(f"{words} ") for command in commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_in_the_docs_exist(page: Path, commands: set[str]) -> None:
    assert [words for words in _named_commands(page) if not _exists(words, commands)] == []


def test_every_command_is_documented(commands: set[str]) -> None:
    named = {words for page in PAGES for words in _named_commands(page)}
    assert {name for name in commands if not any(f"{words} ".startswith(f"{name} ") for words in named)} == set()


def test_no_file_names_a_package_registry() -> None:
    assert [path for path in _files() if REGISTRY.search(path.read_text(errors="replace"))] == []


def _packages() -> Iterator[ModuleType]:
    """The packages that say what they export."""
    for info in pkgutil.walk_packages(demur.__path__, "demur."):
        if info.ispkg and hasattr(package := importlib.import_module(info.name), "__all__"):
            yield package


def _public(package: ModuleType) -> set[str]:
    """The functions and classes of demur that can be reached through a package without an underscore."""
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and str(getattr(value, "__module__", "")).startswith("demur")
    }


def test_public_names_are_exported_on_purpose() -> None:
    for package in _packages():
        exported = set(package.__all__)
        assert {name for name in exported if not hasattr(package, name)} == set(), package.__name__
        assert _public(package) - exported == set(), package.__name__
