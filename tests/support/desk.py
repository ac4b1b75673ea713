"""A forum's workspace with a signed policy, and tables to import into it. All names are invented."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from making import open_policy
from places import create

from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.sources import load_source
from demur.workspace import Workspace, find

ANN, BEN = "forum:ann", "forum:ben"

POSTS: Final = [
    {"item": "forum:1", "author": "ann", "text": "The library opens at nine."},
    {"item": "forum:2", "author": "ann", "text": "Call +49 30 901820 for the hall.", "created": "2024-05-01T12:00:00Z"},
    {"item": "forum:3", "author": "ben", "text": "@ann do you bake tomorrow?", "created": "2024-05-02T12:00:00Z"},
    {"item": "forum:4", "author": "ben", "text": "A private word.", "audience": "direct"},
    {"item": "forum:5", "author": "cem", "text": "I come by train."},
]
"""Two posts of Ann's, one that names her, one that is not public, and one of somebody else."""


def write_posts(path: Path, posts: Iterable[Mapping[str, object]] = POSTS) -> Path:
    """A JSON Lines file that `demur import table` reads."""
    base = {"kind": "post", "audience": "public", "origin": "first-party"}
    rows = ({**base, **post, "author": f"forum:{post['author']}"} for post in posts)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def signed_workspace(root: Path) -> Workspace:
    """A workspace that lets in everybody who is not known to be a minor, and may publish."""
    return create(root, open_policy())


@cache
def _filled() -> Path:
    """A workspace with the posts in it, made once for a test process."""
    folder = Path(tempfile.mkdtemp(prefix="demur-filled-"))
    atexit.register(shutil.rmtree, folder)
    posts = write_posts(folder / "posts.jsonl")
    import_items(signed_workspace(folder / "forum"), "table", load_source("table").read([str(posts)], {}))
    return folder / "forum"


def filled_workspace(root: Path) -> Workspace:
    """A signed workspace with the posts in it, at a place of its own."""
    return find(Path(shutil.copytree(_filled(), root)))


def stored(root: Path) -> list[dict[str, Any]]:
    """The rows of the corpus, without their addresses, by item key."""
    with reading(find(root)) as session:
        rows = [row for batch in session.corpus.batches() for row in batch.drop_columns(["_rowaddr"]).to_pylist()]
    return sorted(rows, key=lambda row: bytes(row["item"]))
