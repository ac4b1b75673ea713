"""After a binding change: the corpus follows at once, and the result says both.

Invariants: what was recorded stays recorded and is told, whatever becomes of the corpus now; publishing, loading
and exporting honour it in any case (law 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demur import glance
from demur.cli.frame.output import count, emit, note
from demur.errors import WorkspaceError
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.honour import HonourReport


@dataclass(frozen=True)
class Nothing:
    """What honouring did to a corpus without rows."""

    deleted: int = 0
    rewritten: int = 0
    seconds: float = 0.0


def recorded(workspace: Workspace, sentence: str, data: Mapping[str, object]) -> None:
    """Print what was recorded, honour it in the corpus, and print what that did.

    Args:
        workspace: Where the change was recorded.
        sentence: What was recorded, for people.
        data: The same for machines; ``honoured`` is added, null while the corpus has not followed.

    Raises:
        Exception: when the corpus can't follow for another reason than that another process writes to it; a
            DemurError if it is the workspace's or the user's.
    """
    outcome: HonourReport | Nothing | None = None
    failure: Exception | None = None
    try:
        outcome = _follow(workspace)
    except Exception as error:  # noqa: BLE001  # whatever it is, what was recorded is told first
        failure = error
    emit(lambda: f"{sentence}{_told(outcome)}", {**data, "honoured": outcome})
    if isinstance(failure, WorkspaceError):
        note(f"Recorded and binding, though the corpus is busy: the next command that writes honours it. {failure}")
    elif failure is not None:
        raise failure


def _follow(workspace: Workspace) -> "HonourReport | Nothing":
    """Let the corpus follow; one without rows has nothing to follow with, and Lance is not loaded for it."""
    seen = glance.take(workspace.root, workspace.corpus_path)
    if not workspace.corpus_path.exists() or (seen is not None and seen.rows == 0):
        with workspace.writing("honour"):  # another process may be about to write its first rows
            return Nothing()
    from demur.corpus.honour import honour  # noqa: PLC0415  # it loads Lance; a mistyped command does without

    return honour(workspace)


def _told(outcome: "HonourReport | Nothing | None") -> str:
    if outcome is None:
        return ""
    deleted, rewritten = count(outcome.deleted, "row"), count(outcome.rewritten, "row")
    return f"\nThe corpus follows: {deleted} deleted, {rewritten} rewritten, in {outcome.seconds * 1000:,.0f} ms."
