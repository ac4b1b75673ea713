"""Imports that were cut off are undone by the next command.

Invariants: while the journal stands, the corpus counts as it was at the journal's base version; the journal is
written before the first commit of an import, and removed after the register says that the import finished; whoever
holds the workspace's lock and finds a journal settles it first.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from demur.corpus.store import Corpus
from demur.files import partial, sync, write_durably
from demur.register import Register
from demur.terms import EntryKind

NAME: Final = "import.journal"


@dataclass(frozen=True)
class Journal:
    """An import under way."""

    number: int
    """Numbers imports from 1, in the order in which they finish."""
    base: int
    """Lance version before the import."""


def read(root: Path) -> Journal | None:
    """The journal of the workspace at ``root``, if an import is under way or was cut off."""
    try:
        return Journal(**json.loads((root / NAME).read_bytes()))
    except FileNotFoundError:
        return None


def begin(root: Path, journal: Journal) -> Path:
    """Writes the journal and makes the import's scratch folder."""
    write_durably(root / NAME, json.dumps(asdict(journal)).encode())
    scratch = scratch_folder(root)
    scratch.mkdir(mode=0o700)
    return scratch


def end(root: Path) -> None:
    """The import is finished, or undone."""
    shutil.rmtree(scratch_folder(root), ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        (root / NAME).unlink()
    sync(root)


def settle(root: Path, corpus: Corpus, register: Register) -> None:
    """Undoes an import that was cut off before the register knew of it, or finishes it after.

    The caller holds the workspace's lock.
    """
    partial(root / NAME).unlink(missing_ok=True)
    journal = read(root)
    if journal is None:
        shutil.rmtree(scratch_folder(root), ignore_errors=True)
        return
    if journal.number not in finished(register):
        corpus.restore(journal.base)
        ledger(root, journal.number).unlink(missing_ok=True)
        left_out(root, journal.number).unlink(missing_ok=True)
    else:
        for path in (root / "imports").glob("*.left-out.parquet"):
            if path != left_out(root, journal.number):
                path.unlink(missing_ok=True)
    end(root)


def finished(register: Register) -> Iterator[int]:
    """The numbers of the imports that the register knows."""
    return (int(str(entry.payload["number"])) for entry in register.log.entries(EntryKind.IMPORT_FINISHED))


def scratch_folder(root: Path) -> Path:
    """Where an import keeps its spool."""
    return root / "import.scratch"


def ledger(root: Path, number: int) -> Path:
    """The left-out item keys of an import."""
    return root / "imports" / f"{number:06d}.parquet"


def left_out(root: Path, number: int) -> Path:
    """The items that are left out once an import counts (:mod:`demur.corpus.outcomes`)."""
    return root / "imports" / f"{number:06d}.left-out.parquet"
