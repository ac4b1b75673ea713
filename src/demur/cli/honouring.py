"""After a binding change: the corpus follows at once, and the result says both.

Invariants: what was recorded stays recorded and is told, whatever becomes of the corpus now; publishing, loading
and exporting honour it in any case (law 1).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from demur.cli.output import count, emit, note
from demur.errors import DemurError, WorkspaceError
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.honour import HonourReport


def recorded(workspace: Workspace, sentence: str, data: Mapping[str, object]) -> None:
    """Print what was recorded, honour it in the corpus, and print what that did.

    Args:
        workspace: Where the change was recorded.
        sentence: What was recorded, for people.
        data: The same for machines; ``honoured`` is added, null while the corpus has not followed.

    Raises:
        DemurError: when the corpus can't follow for another reason than that another process writes to it.
    """
    from demur.corpus.honour import honour  # noqa: PLC0415  # it loads Lance; a mistyped command does without

    outcome: HonourReport | None = None
    failure: DemurError | None = None
    try:
        outcome = honour(workspace)
    except DemurError as error:
        failure = error
    emit(lambda: f"{sentence}{_told(outcome)}", {**data, "honoured": outcome})
    if isinstance(failure, WorkspaceError):
        note(f"Recorded and binding, though the corpus is busy: the next command that writes honours it. {failure}")
    elif failure is not None:
        raise failure


def _told(outcome: "HonourReport | None") -> str:
    if outcome is None:
        return ""
    deleted, rewritten = count(outcome.deleted, "row"), count(outcome.rewritten, "row")
    return f"\nThe corpus follows: {deleted} deleted, {rewritten} rewritten, in {outcome.seconds * 1000:,.0f} ms."
