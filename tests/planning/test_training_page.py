"""docs/training.md names every key of the configuration with its default."""

import re
from dataclasses import fields
from pathlib import Path

from demur.training.config import Config


def test_every_key_stands_there_with_its_default(root: Path) -> None:
    page = (root / "docs" / "training.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", page, re.MULTILINE))
    said = {each.name: _toml(each.default) for each in fields(Config) if each.name != "hazard"}
    assert {name: value for name, value in rows.items() if name != "hazard"} == said
    assert rows["hazard"] == "[{tokens = 0, rate = 1.0}]"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
