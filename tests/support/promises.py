"""What people were told, held against a workspace after something went wrong: is all of it still true?

Invariants: only what left demur counts (an answer, a receipt, a checkpoint, what a command printed), and all of that
does; nothing is taken back, and nothing has to be repaired by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demur.register import Register
from demur.register.database.mark import Mark
from demur.terms import EntryKind
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.tree import check_consistency
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.versions.states import rows_of
from demur.workspace import Workspace


@dataclass
class Promises:
    """What was told, by whom it was told."""

    accounts: list[str] = field(default_factory=list)
    """Whose objection was acknowledged."""
    checkpoints: list[str] = field(default_factory=list)
    """Which anybody got."""
    versions: list[str] = field(default_factory=list)
    """Which are said to be published."""
    once: bool = True
    """Whether each of them has one objection: a command that was given again has no means to tell."""


def require_kept(workspace: Workspace, told: Promises, *, next_version: str, others: Sequence[Path] = ()) -> None:
    """Make sure of it; and the next objection and the next version work as ever.

    Args:
        workspace: where.
        told: what was told.
        next_version: the name of a version that is published.
        others: the marks of other servers.
    """
    with workspace.register() as register:
        _require_register(register, told)
        assert register.objections.lodge(["forum:next"], channel="letter").seq
        instance, keys = register.instance, workspace.keys()
        assert instance is not None
        _require_noted(register, told, [Mark(path, keys, instance) for path in (workspace.mark_path, *others)])
    publish(workspace, next_version)
    _require_published(workspace, told, next_version)


def require_consistent(register: Register, checkpoints: list[str]) -> None:
    """Make sure that the log goes on from every checkpoint (RFC 9162, section 2.1.4), each signed by its key."""
    newest = Checkpoint.read(register.proving.checkpoint().encode(), [register.proving.key])
    for note in set(checkpoints):
        said = Checkpoint.read(note.encode(), [register.proving.key])
        proof = register.proving.consistency(said.size, newest.size)
        check_consistency(said.size, newest.size, proof, said.root, newest.root)


def findings(register: Register) -> list[str]:
    """What is wrong with a register, its tree and its checkpoints included."""
    found: list[str] = []
    register.audit(found.append)
    return found


def _require_register(register: Register, told: Promises) -> None:
    assert findings(register) == []
    register.require_mark()
    require_consistent(register, told.checkpoints)
    for account in told.accounts:
        binding = [state for state in register.objections.of(account) if state.binding]
        assert binding, f"the objection of {account} is lost"
        assert len(binding) == 1 or not told.once, f"the objection of {account} is on record {len(binding)} times"


def _require_noted(register: Register, told: Promises, marks: Sequence[Mark]) -> None:
    """What was acknowledged is in a mark, by which a restore brings it back."""
    noted = {each["seq"] for mark in marks for group in mark.groups() for each in group.entries}
    for account in told.accounts:
        entries = {state.seq for state in register.objections.of(account)}
        assert noted & entries, f"the mark lacks the objection of {account}"


def _require_published(workspace: Workspace, told: Promises, newest: str) -> None:
    pepper = workspace.keys().pepper
    gone = {pepper.subject_key(account) for account in told.accounts}
    for batch in rows_of(workspace, newest):
        for row in batch.to_pylist():
            assert not gone & {row["author"], *row["subjects"]}, f"an objector is in {newest}"
    with workspace.register() as register:
        published = [str(entry.payload["name"]) for entry in register.log.entries(EntryKind.VERSION_PUBLISHED)]
    assert set(told.versions) <= set(published), "a version is lost"
    assert len(set(published)) == len(published)
    for name in published:
        found = verify(workspace, name)
        assert found.ok, f"{name}: {found}"
    assert {path.stem for path in workspace.versions_path.glob("*.json")} == set(published)
    assert not [each for each in workspace.versions_path.iterdir() if each.name.startswith(".")], "half done"
