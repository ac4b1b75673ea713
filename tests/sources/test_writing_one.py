"""The example of docs/sources/writing-one.md runs as it stands, and is as short as it says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError
from demur.sources import Source
from demur.terms import ITEM

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources" / "writing-one.md"

POST = {"id": 1, "user": "ann", "visible": True, "time": 5, "text": "hi bob", "mentions": []}
MENTION = {"from": 3, "to": 6, "user": "bob"}


@pytest.fixture
def example() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)


@pytest.fixture
def source(example: str) -> Source:
    namespace: dict[str, Any] = {"__name__": "forum"}
    exec(compile(example, str(PAGE), "exec"), namespace)
    made = namespace["ForumSource"]()
    assert isinstance(made, Source)
    return made


def test_the_example_has_at_most_30_lines_of_code(example: str) -> None:
    assert len([line for line in example.splitlines() if line.strip()]) <= 30


def test_the_example_reads_an_export(source: Source, zipped: Callable[..., str]) -> None:
    posts = [POST | {"mentions": [MENTION], "images": ["a.jpg"]}, POST | {"id": 2, "user": None, "visible": False}]
    (batch,) = source.read([zipped({"threads/7.json": posts})], {"members_only": True})
    assert batch.schema == ITEM
    first, second = batch.to_pylist()
    assert (first["item"], first["author"], first["audience"]) == ("forum:1", "forum:ann", "followers")
    assert [(span["start"], span["account"]) for span in first["spans"]] == [(3, "forum:bob")]
    assert (second["author"], second["audience"]) == (None, None)


def test_the_example_checks_its_options(source: Source, zipped: Callable[..., str]) -> None:
    with pytest.raises(SourceError, match=r"no option 'member_only': did you mean 'members_only'\?"):
        list(source.read([zipped({"threads/7.json": []})], {"member_only": True}))
