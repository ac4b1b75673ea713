"""docs/regulation.md keeps its word: every item once, with a state; every page, command and test it names exists."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import click
import pytest
from making import open_policy
from starlette.routing import Match

from demur import workspace as workspaces
from demur.cli.app import cli
from demur.web.app import create_app

ROOT: Final = Path(__file__).resolve().parents[2]
TEXT: Final = (ROOT / "docs" / "regulation.md").read_text()
ITEM: Final = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |^## |\Z)", re.DOTALL | re.MULTILINE)
STATE: Final = re.compile(r"\*(Met|Partly|Open)[.:]\*")
ROW: Final = re.compile(r"^\| (Met|Partly|Open) \| ([\d, ]+) \|$", re.MULTILINE)
TEST: Final = re.compile(r"`([\w/]*test_\w+\.py)::(test_\w+)`")
COMMAND: Final = re.compile(r"`demur ((?:[a-z]+ ?)+)((?:--[a-z-]+ ?)*)`")
PAGE: Final = re.compile(r"`(/(?:LANG|staff)/[^`]*)`")
API: Final = re.compile(r"`(/api/[^`]*)`")
ITEMS: Final = ITEM.findall(TEXT)


def _lines(text: str, label: str) -> str:
    """What stands behind `pages:` or another label of an item."""
    return " ".join(re.findall(rf"\b{label}s?:((?:(?!;|\n +- ).)*)", text, re.DOTALL))


def test_every_item_stands_once_and_in_order() -> None:
    assert [int(number) for number, _ in ITEMS] == list(range(1, 42))


@pytest.mark.parametrize(("number", "text"), ITEMS, ids=[number for number, _ in ITEMS])
def test_an_item_has_one_state_and_says_what_it_rests_on_and_what_is_open(number: str, text: str) -> None:
    (state,) = STATE.findall(text)
    assert number in dict(ROW.findall(TEXT))[state].split(", ")
    assert bool(TEST.search(text)) == (state != "Open")
    assert ("Open: " in re.sub(r"\s+", " ", text)) == (state == "Partly")


def test_the_table_counts_every_item_once() -> None:
    assert sorted(int(each) for _, row in ROW.findall(TEXT) for each in row.split(", ")) == list(range(1, 42))


@cache
def _functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("file", "function"), sorted(set(TEST.findall(TEXT))))
def test_a_test_that_is_named_exists(file: str, function: str) -> None:
    (found,) = (ROOT / "tests").rglob(file)  # one, else the page has to say the folder
    assert function in _functions(found)


def test_whatever_looks_like_a_test_is_checked() -> None:
    assert TEXT.count("::test_") == len(TEST.findall(TEXT))


def _command(words: list[str]) -> click.Command:
    """The command of that name.

    Raises:
        KeyError: if there is none.
    """
    found: click.Command = cli
    for word in words:
        inner = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if inner is None:
            raise KeyError(word)
        found = inner
    assert not isinstance(found, click.Group), "a group alone does nothing"
    return found


@pytest.mark.parametrize(("words", "options"), sorted(set(COMMAND.findall(TEXT))))
def test_a_command_that_is_named_exists_with_its_options(words: str, options: str) -> None:
    known = {name for each in _command(words.split()).params for name in each.opts}
    assert set(options.split()) <= known


def test_whatever_looks_like_a_command_is_checked() -> None:
    assert TEXT.count("`demur ") == len(COMMAND.findall(TEXT))
    with pytest.raises(KeyError):
        _command(["refuse"])


def _concrete(path: str) -> str:
    """An address of the kind that a path describes."""
    return re.sub(r"\b[A-Z]{2,}\b", "x", path.replace("LANG", "en"))


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator["set[str]"]:
    """Those pages of the document, and one that is none, which are routes of the app."""
    app = create_app(workspaces.create(tmp_path_factory.mktemp("pages") / "w", open_policy()))
    asked = {*PAGE.findall(TEXT), "/LANG/refuse"}

    def served(path: str) -> bool:
        scope = {"type": "http", "method": "GET", "path": _concrete(path), "headers": [], "root_path": "", "app": app}
        return any(route.matches(dict(scope))[0] is Match.FULL for route in app.routes)

    yield {path for path in asked if served(path)}
    app.state.desk.close()


def test_every_page_that_is_named_is_a_route(routed: "set[str]") -> None:
    assert set(PAGE.findall(TEXT)) == routed


def test_every_path_of_the_api_that_is_named_is_described() -> None:
    described = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    assert {re.sub(r"\b[A-Z]{2,}\b", "{account}", path) for path in API.findall(TEXT)} <= set(described)


@pytest.mark.parametrize("label", ["page", "command", "test"])
def test_what_an_item_rests_on_is_named_as_what_it_is(label: str) -> None:
    kinds = {"page": PAGE, "command": COMMAND, "test": TEST}
    for number, text in ITEMS:
        named = re.findall(r"`[^`]+`", _lines(text, label))
        assert all(kinds[label].fullmatch(each) for each in named), number
