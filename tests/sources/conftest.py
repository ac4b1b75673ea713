"""Exports made in code: a mapping of names to JSON values or bytes becomes a folder or a zip."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from demur.sources import load_source

Tree = Mapping[str, Any]
Rows = list[dict[str, Any]]


def _content(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    """Writes a tree as a folder and answers its path."""

    def write(tree: Tree, name: str = "export") -> str:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for path, value in tree.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_content(value))
        return str(root)

    return write


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., str]:
    """Writes a tree as a zip and answers its path."""

    def write(tree: Tree, name: str = "export.zip") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for member, value in tree.items():
                packed.writestr(member, _content(value))
        return str(path)

    return write


@pytest.fixture
def items() -> Callable[..., Rows]:
    """Reads paths with a source and answers its rows as dictionaries."""

    def read(source: str, *paths: str, **options: object) -> Rows:
        found = load_source(source).read(paths, options)
        return [row for batch in found for row in batch.to_pylist()]

    return read
