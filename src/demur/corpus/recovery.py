"""What a publishing or a retirement that was cut off left behind; whoever writes next removes it, or finishes it.

Invariants: the register alone says which versions exist; a manifest is *staged* until its entry is in the register,
and takes its name then, so that one which stands under its name is on record and is never deleted; a tag, a sidecar
or a suppression list that no version of the register needs is removed, and so is every file that was still being
written.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from demur.corpus.store import Corpus
from demur.errors import CorpusError
from demur.register import Register
from demur.suppression.signed import file_digest
from demur.terms import EntryKind
from demur.workspace import Workspace

_UNFINISHED: Final = re.compile(r"\.digest\..+|\..+\.(json|rows|list|csv|staged)\.[0-9a-f]{8}")
"""Names of what `Digester` and `aside` write before it is whole."""
_STAGED: Final = ".staged"


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
    entries = list(register.log.entries(EntryKind.VERSION_PUBLISHED))
    readable = {str(entry.payload["name"]) for entry in entries} - retired(register)
    for name in _names(workspace.versions_path) | set(corpus.dataset.tags.list()):
        if name not in readable:
            discard(workspace, corpus, name)
    _remove_lists(workspace.lists_path, {int(str(entry.payload["binding"])) for entry in entries})
    for folder in (workspace.versions_path, workspace.lists_path, workspace.recalls_path):
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
    """Removes the suppression lists of checkpoints that no version was published at."""
    for path in _files(folder):
        number = path.name.partition("-")[0]
        if path.suffix == ".list" and number.isdecimal() and int(number) not in bindings:
            path.unlink()


def _names(folder: Path) -> set[str]:
    return {path.stem for path in _files(folder) if path.suffix == ".rows" and path.name[0] != "."}


def _files(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())
