"""The log as a folder of files, as C2SP tlog-tiles lays them out: for whoever keeps a copy, or serves it.

Invariants: a file that lies there is never replaced by another content, but the checkpoint, and the list of how the key
was rotated, which only grows; the checkpoint is written
last, so that what it covers is there; a folder of another log, or of one that does not go on from what lies there, is
left alone.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from demur.canonical import canonical_json
from demur.errors import CheckFailed, UsageError
from demur.files import replacing
from demur.register.database.proving import Proving
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.comparing import CHECKPOINT
from demur.transparency.rotation import FILE, KeyHistory
from demur.transparency.tree import check_consistency


@dataclass(frozen=True)
class Written:
    """What was written."""

    folder: Path
    size: int
    """Entries that the log has."""
    root: str
    """The root of its tree, in hexadecimal."""
    files: int
    """How many files are new, the checkpoint included."""
    before: int | None
    """How many entries the log had that lay there; None where there was none."""


def write_log(proving: Proving, folder: Path) -> Written:
    """Write checkpoint, tiles and bundles into a folder, which is made, or holds an earlier state of the same log.

    Raises:
        UsageError: when it holds something else, or can't be written to.
        CheckFailed: when what lies there is not the beginning of this log: one of the two is a fork.
        RegisterError: when there is no checkpoint yet, or the register lacks an entry.
    """
    note = proving.checkpoint()
    history = proving.history
    said = history.read(note.encode())
    before = _require_beginning(proving, history, folder / CHECKPOINT, said)
    files = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in proving.files(said.size):
            files += _put(folder / path, content)
        if rotations := proving.rotations():
            _replace(folder / FILE, canonical_json([each.json for each in rotations]).decode())
        _replace(folder / CHECKPOINT, note)
    except OSError as error:
        raise UsageError(f"{folder} can't be written to ({error.strerror}): name another folder.") from None
    return Written(folder, said.size, said.root.hex(), files + 1, before)


def _require_beginning(proving: Proving, history: KeyHistory, path: Path, now: Checkpoint) -> int | None:
    """Make sure that this log goes on from the checkpoint that lies there; how many entries that has."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror}): name another folder.") from None
    try:
        then = history.read(found)
    except CheckFailed as error:
        raise UsageError(f"{path} is no checkpoint of this log ({error}): name another folder.") from None
    if then.size > now.size:
        raise CheckFailed(
            f"{path} is of {then.size} entries, and the register's log has {now.size}: the register is older, or one "
            "of the two is a fork. Keep that folder: it is the evidence."
        )
    if then.size:
        with suppress(CheckFailed):
            check_consistency(then.size, now.size, proving.consistency(then.size, now.size), then.root, now.root)
            return then.size
        raise CheckFailed(
            f"The log does not go on from {path}, of {then.size} entries: one of the two is a fork. Keep that folder: "
            "it is the evidence."
        )
    return then.size


def _replace(path: Path, text: str) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(text)
    path.chmod(0o644)


def _put(path: Path, content: bytes) -> bool:
    """Write a file that is not there; whether it was not."""
    if path.exists():
        if path.read_bytes() != content:
            raise CheckFailed(f"{path} has another content than the log: keep it as evidence, name another folder.")
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, durably=False) as unfinished:
        unfinished.write_bytes(content)
    path.chmod(0o644)
    return True
