"""The serving pointer: which checkpoint of which model answers, and up to which binding entry that was looked at.

Invariants: it is replaced whole and is on disk before anybody is told; one process at a time moves it
(RunFolder.pointing); whoever serves compares its entry with the register's last binding one, so that a crash between an
acknowledgement and the move serves nothing in the meantime (following.py).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from demur.canonical import JSON, canonical_json
from demur.files import partial, replacing
from demur.runs.folder import RunFolder
from demur.runs.reading import broken, read_json
from demur.suppression.signed import rfc3339


@dataclass(frozen=True)
class Pointer:
    """``serving.json``."""

    model: str
    """Its number, four digits."""
    checkpoint: int
    """Steps it has seen; 0 is the base."""
    since: datetime
    """When it was moved there; aware."""
    binding: int = 0
    """The last binding entry of the register that was looked at; nobody whom it or one before it covers is in it."""
    commitment: str = ""
    """Of that entry, lowercase hexadecimal: a register that was restored has another one under this number."""
    moved_from: int | None = None
    """The checkpoint before the last move, as long as no entry of the register says that it was moved."""


def read_pointer(run: RunFolder) -> Pointer | None:
    """Where the pointer of a run stands; None where nothing of it serves yet.

    Raises:
        CorpusError: when it is damaged.
    """
    if not run.pointer.exists():
        return None
    said = read_json(run.pointer)
    try:
        moved_from = said.get("moved_from")
        return Pointer(
            model=str(said["model"]),
            checkpoint=int(said["checkpoint"]),
            since=datetime.fromisoformat(said["since"]).astimezone(UTC),
            binding=int(said.get("binding", 0)),
            commitment=str(said.get("commitment", "")),
            moved_from=None if moved_from is None else int(moved_from),
        )
    except (KeyError, TypeError, ValueError):
        raise broken(run.pointer) from None


def write_pointer(run: RunFolder, pointer: Pointer, *, durably: bool = True) -> None:
    """Move the pointer; the caller holds RunFolder.pointing.

    Args:
        run: whose.
        pointer: where to.
        durably: whether it is on the disk when this returns: always, unless only its entry is a later one.
    """
    said: dict[str, JSON] = {
        "model": pointer.model,
        "checkpoint": pointer.checkpoint,
        "since": rfc3339(pointer.since),
        "binding": pointer.binding,
        "commitment": pointer.commitment,
    }
    moved: dict[str, JSON] = {} if pointer.moved_from is None else {"moved_from": pointer.moved_from}
    with replacing(run.pointer, partial(run.pointer), durably=durably) as file:
        file.write_bytes(canonical_json(said | moved))
