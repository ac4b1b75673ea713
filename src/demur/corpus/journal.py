"""What was cut off: an import is undone by the next command, a publishing or a retirement removed or finished.

Invariants: while the journal stands, and the register does not know the import, the corpus counts as it was at the
journal's base version; the journal is written before the first commit of an import, and removed after the register says
that the import finished; whoever holds the workspace's lock and finds a journal settles it first.

The register alone says which versions exist. A manifest is *staged* until its entry is in the register, and takes its
name then, so that one which stands under its name is on record and is never deleted. A tag, a sidecar or a suppression
list that no version of the register needs is removed, and so is every file that was still being written.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from demur.corpus.datasets.compaction import remove_uncommitted
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.evidence import Beside
from demur.errors import CorpusError
from demur.files import partial, sync, write_durably
from demur.register import Register
from demur.suppression.lists import parts_named
from demur.suppression.parts import ENDINGS
from demur.suppression.signed import file_digest
from demur.terms import EntryKind
from demur.transit import clear
from demur.workspace import Workspace

NAME: Final = "import.journal"

_UNFINISHED: Final = re.compile(r"\.digest\..+|\..+\.(json|rows|list|names|copies|index|csv|staged)(\.[0-9a-f]{8})+")
"""Names of what `Digester`, `aside` and `replacing` write before it is whole."""
_STAGED: Final = ".staged"


@dataclass(frozen=True)
class Journal:
    """An import under way."""

    number: int
    """Numbers imports from 1, in the order in which they finish."""
    base: int
    """Lance version of the corpus before the import."""
    beside: Sequence[int] = ()
    """Of what lies beside it (evidence.Beside), in that order; none in a journal of an older demur."""


def read(root: Path) -> Journal | None:
    """The journal of the workspace at ``root``, if an import is under way or was cut off."""
    try:
        return Journal(**json.loads((root / NAME).read_bytes()))
    except FileNotFoundError:
        return None


def under_way(root: Path, register: Register) -> Journal | None:
    """The import that is under way, as far as readers are concerned: once the register knows it, it counts.

    So whoever sees what an import bound sees what it told.
    """
    journal = read(root)
    return None if journal is None or journal.number in finished(register) else journal


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


def settle(root: Path, corpus: Corpus, beside: Beside, register: Register) -> None:
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
        remove_uncommitted(corpus)
        beside.restore(journal.beside or beside.versions)
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


def staged(workspace: Workspace, name: str) -> Path:
    """Where the manifest of a version lies until the version is on record."""
    return workspace.versions_path / f".{name}.json{_STAGED}"


def finish_staged(workspace: Workspace, register: Register) -> None:
    """Give each staged manifest its name whose version is on record: a kill came between the entry and this."""
    waiting = [path for path in _files(workspace.versions_path) if path.suffix == _STAGED]
    if not waiting:
        return
    entries = register.log.entries(EntryKind.VERSION_PUBLISHED)
    digests = {str(entry.payload["name"]): entry.payload["manifest"] for entry in entries}
    for path in waiting:
        name = path.name.removeprefix(".").removesuffix(f".json{_STAGED}")
        try:
            if digests.get(name) == file_digest(path):
                path.replace(workspace.versions_path / f"{name}.json")
        except (CorpusError, FileNotFoundError):
            continue  # another process was faster


def remove_leavings(workspace: Workspace, corpus: Corpus, register: Register) -> None:
    """Removes what the register does not know. The caller holds the workspace's lock."""
    finish_staged(workspace, register)
    clear(workspace.root)
    entries = list(register.log.entries(EntryKind.VERSION_PUBLISHED))
    readable = {str(entry.payload["name"]) for entry in entries} - retired(register)
    for name in _names(workspace.versions_path) | set(corpus.dataset.tags.list()):
        if name not in readable:
            discard(workspace, corpus, name)
    _remove_lists(workspace.lists_path, {int(str(entry.payload["binding"])) for entry in entries})
    for folder in (workspace.versions_path, workspace.lists_path, workspace.recalls_path, workspace.beside_path):
        for path in _files(folder):
            if _UNFINISHED.fullmatch(path.name) or path.suffix == _STAGED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def discard(workspace: Workspace, corpus: Corpus, name: str) -> None:
    """Removes the tag and the files of a version that does not exist, or not any more; a signed manifest stays."""
    if name in corpus.dataset.tags.list():
        corpus.dataset.tags.delete(name)
    (workspace.versions_path / f"{name}.rows").unlink(missing_ok=True)
    staged(workspace, name).unlink(missing_ok=True)


def retired(register: Register) -> set[str]:
    """The names of the retired versions."""
    return {str(entry.payload["name"]) for entry in register.log.entries(EntryKind.VERSION_RETIRED)}


def _remove_lists(folder: Path, bindings: set[int]) -> None:
    """Removes the suppression lists of checkpoints that no version was published at, and sections of no list."""
    for path in _files(folder):
        number = path.name.partition("-")[0]
        if path.suffix == ".list" and number.isdecimal() and int(number) not in bindings:
            path.unlink()
    parts = [path for path in _files(folder) if path.suffix in ENDINGS and path.name[0] != "."]
    if parts:
        with contextlib.suppress(CorpusError):  # a list that can't be read is what `demur verify` finds
            named = parts_named(folder)
            for path in parts:
                if path.name not in named:
                    path.unlink()


def _names(folder: Path) -> set[str]:
    return {path.stem for path in _files(folder) if path.suffix == ".rows" and path.name[0] != "."}


def _files(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())
