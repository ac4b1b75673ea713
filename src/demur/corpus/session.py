"""A workspace opened for work: register, corpus and rules together.

Invariants: whoever writes holds the workspace's lock, has settled what an earlier command left half done, and has
honoured everything the register held when it began.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from demur.corpus import journal
from demur.corpus.leavings import remove_leavings
from demur.corpus.rules import Rules, compile_rules
from demur.corpus.store import Corpus
from demur.errors import DemurError, WorkspaceError
from demur.files import disk_full
from demur.identity import Keys
from demur.policy import Policy
from demur.register import Register
from demur.workspace import Workspace

HONOURED: Final = "honoured"
"""Register state: the last binding entry that the corpus at its head honours. It may lag behind, never run ahead."""


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    workspace: Workspace
    policy: Policy
    keys: Keys
    register: Register
    corpus: Corpus
    now: datetime
    """Aware; ages and notice periods are counted on its day in UTC."""

    def rules(self) -> tuple[Rules, int]:
        """The rules as of now, and the last binding entry that they know."""
        snapshot = self.register.snapshot()
        return compile_rules(self.policy, self.register.pepper, snapshot, self.now), snapshot.head.binding

    @property
    def honoured(self) -> int:
        """The last binding entry that the corpus honours."""
        return int(self.register.state(HONOURED) or 0)

    def note_honoured(self, binding: int) -> None:
        """Records that the corpus honours everything up to ``binding``."""
        self.register.set_state(HONOURED, str(binding))


@contextmanager
def writing(workspace: Workspace, command: str, now: datetime | None = None) -> Iterator[Session]:
    """A session that may change the corpus; ``command`` names it to others who find the workspace locked."""
    with _room(workspace), workspace.writing(command), workspace.register() as register:
        corpus = Corpus.ensure(workspace.corpus_path)
        journal.settle(workspace.root, corpus, register)
        remove_leavings(workspace, corpus, register)
        policy = workspace.policy()
        now = now or datetime.now(UTC)
        register.note_policy(policy.rules_hash(), now=now)
        yield Session(workspace, policy, workspace.keys(), register, corpus, now)


@contextmanager
def reading(workspace: Workspace, now: datetime | None = None) -> Iterator[Session]:
    """A session that changes nothing; it sees the corpus as it was before an import that is still under way."""
    with _room(workspace), workspace.register() as register:
        corpus = _before_import(workspace)
        yield Session(workspace, workspace.policy(), workspace.keys(), register, corpus, now or datetime.now(UTC))


def _before_import(workspace: Workspace) -> Corpus:
    """The corpus at its head, or at what was its head before the import that is under way."""
    while True:
        under_way = journal.read(workspace.root)
        corpus = Corpus.view(workspace.corpus_path, under_way.base if under_way else None)
        if journal.read(workspace.root) == under_way:  # or else an import began or ended between the two
            return corpus


@contextmanager
def _room(workspace: Workspace) -> Iterator[None]:
    """Says in one sentence that the disk is full, whichever library met it."""
    try:
        yield
    except DemurError:
        raise
    except Exception as error:
        if not disk_full(error):
            raise
        raise WorkspaceError(
            f"There is no room left on the disk of {workspace.root}: make room, then run the same command again; "
            "nothing is half done."
        ) from None
