"""What a workspace's corpus holds, as tests ask for it again and again."""

from typing import Any

from making import batch

from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.workspace import Workspace


def kept(workspace: Workspace, *items: dict[str, Any]) -> list[str]:
    """The texts that the corpus holds once these items are imported, sorted."""
    import_items(workspace, "table", [batch(items)])
    return texts(workspace)


def texts(workspace: Workspace) -> list[str]:
    """The texts that the corpus holds, sorted."""
    with reading(workspace) as session:
        return sorted(text for rows in session.corpus.batches(["text"]) for text in rows.column("text").to_pylist())
