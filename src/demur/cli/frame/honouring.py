"""After a binding change: the corpus follows at once, and the result says both.

Invariants: what was recorded stays recorded and is told, whatever becomes of the corpus now; publishing, loading
and exporting honour it in any case (law 1).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from demur import glance
from demur.cli.frame.output import count, emit, note
from demur.errors import WorkspaceError
from demur.terms import EntryKind
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.honour import HonourReport


_PATIENCE_S: Final = 3.0
_PAUSE_S: Final = 0.1


@dataclass(frozen=True)
class Nothing:
    """What honouring did to a corpus without rows."""

    deleted: int = 0
    rewritten: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Elsewhere:
    """What the worker, or another command, honoured before this one came to it."""

    deleted: int
    rewritten: int
    by: str = "worker"


def recorded(workspace: Workspace, sentence: str, data: Mapping[str, object], *, after: int | None = None) -> None:
    """Print what was recorded, honour it in the corpus, and print what that did.

    Args:
        workspace: Where the change was recorded.
        sentence: What was recorded, for people.
        data: The same for machines; ``honoured`` is added, null while the corpus has not followed.
        after: The number of the first entry that was recorded, where there is one: what the worker has honoured of it
            meanwhile is told as well.

    Raises:
        Exception: when the corpus can't follow for another reason than that another process writes to it; a
            DemurError if it is the workspace's or the user's.
    """
    outcome: HonourReport | Nothing | Elsewhere | None = None
    failure: Exception | None = None
    try:
        outcome = _follow(workspace, after)
    except Exception as error:  # noqa: BLE001  # whatever it is, what was recorded is told first
        failure = error
    emit(lambda: f"{sentence}{_told(outcome)}", {**data, "honoured": outcome})
    if isinstance(failure, WorkspaceError):
        note(_waits(workspace, failure))
    elif failure is not None:
        raise failure


def _follow(workspace: Workspace, after: int | None) -> "HonourReport | Nothing | Elsewhere":
    """Let the corpus follow; one without rows has nothing to follow with, and Lance is not loaded for it."""
    seen = glance.take(workspace.root, workspace.corpus_place)
    if not workspace.corpus_place.exists() or (seen is not None and seen.rows == 0):
        with workspace.writing("honour"):  # another process may be about to write its first rows
            return Nothing()
    from demur.corpus.honour import honour  # noqa: PLC0415  # it loads Lance; a mistyped command does without

    report = _patiently(workspace, honour)
    if after is None or report.deleted or report.rewritten:
        return report
    return _elsewhere(workspace, after) or report


def _patiently(workspace: Workspace, honour: "Callable[[Workspace], HonourReport]") -> "HonourReport":
    """Let the corpus follow; while the worker is at it, which takes moments, wait for it a little.

    Raises:
        WorkspaceError: when another process goes on writing.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return honour(workspace)
        except WorkspaceError:
            if time.monotonic() >= until or not workspace.has_worker:
                raise
        time.sleep(_PAUSE_S)


def _waits(workspace: Workspace, failure: WorkspaceError) -> str:
    """What becomes of what was recorded while the corpus is busy."""
    then = "the next command that writes honours it, `demur maintain` for instance"
    if workspace.has_worker:
        then = "the worker that runs honours it as soon as it can, as the next command that writes honours it"
    return f"Recorded and binding, though the corpus is busy: {then}. {failure}"


def _elsewhere(workspace: Workspace, after: int) -> Elsewhere | None:
    """What another process has honoured since an entry; None where it changed no row."""
    with workspace.register() as register:
        done = [entry.payload for entry in register.log.entries(EntryKind.CORPUS_HONOURED, after=after)]
    deleted, rewritten = (sum(int(str(each[name])) for each in done) for name in ("deleted", "rewritten"))
    return Elsewhere(deleted, rewritten) if deleted or rewritten else None


def _told(outcome: "HonourReport | Nothing | Elsewhere | None") -> str:
    if outcome is None:
        return ""
    deleted, rewritten = count(outcome.deleted, "row"), count(outcome.rewritten, "row")
    if isinstance(outcome, Elsewhere):
        return (
            f"\nThe corpus follows, by the worker or another command already: {deleted} deleted, {rewritten} rewritten."
        )
    return f"\nThe corpus follows: {deleted} deleted, {rewritten} rewritten, in {outcome.seconds * 1000:,.0f} ms."
