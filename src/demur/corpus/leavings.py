"""What a publishing or a retirement that was cut off left behind; whoever writes next removes it.

Invariants: the register alone says which versions exist; a tag, a file or a suppression list that no version of the
register needs is removed, and so is every file that was still being written.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from demur.corpus.store import Corpus
from demur.register import Register
from demur.terms import EntryKind
from demur.workspace import Workspace

_UNFINISHED: Final = re.compile(r"\.digest\..+|\..+\.(json|rows|list|csv)\.[0-9a-f]{8}")
"""Names of what `Digester` and `aside` write before it is whole."""


def remove_leavings(workspace: Workspace, corpus: Corpus, register: Register) -> None:
    """Removes what the register does not know. The caller holds the workspace's lock."""
    entries = list(register.entries(EntryKind.VERSION_PUBLISHED))
    published = {str(entry.payload["name"]) for entry in entries}
    readable = published - retired(register)
    for name in _names(workspace.versions_path) | set(corpus.dataset.tags.list()):
        if name not in readable:
            discard(workspace, corpus, name, keep_manifest=name in published)
    _remove_lists(workspace.lists_path, {int(str(entry.payload["binding"])) for entry in entries})
    for folder in (workspace.versions_path, workspace.lists_path, workspace.recalls_path):
        for path in _files(folder):
            if _UNFINISHED.fullmatch(path.name):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def discard(workspace: Workspace, corpus: Corpus, name: str, *, keep_manifest: bool = False) -> None:
    """Removes the tag and the files of a version that does not exist, or not any more."""
    if name in corpus.dataset.tags.list():
        corpus.dataset.tags.delete(name)
    (workspace.versions_path / f"{name}.rows").unlink(missing_ok=True)
    if not keep_manifest:
        (workspace.versions_path / f"{name}.json").unlink(missing_ok=True)


def retired(register: Register) -> set[str]:
    """The names of the retired versions."""
    return {str(entry.payload["name"]) for entry in register.entries(EntryKind.VERSION_RETIRED)}


def _remove_lists(folder: Path, bindings: set[int]) -> None:
    """Removes the suppression lists of checkpoints that no version was published at."""
    for path in _files(folder):
        number = path.name.partition("-")[0]
        if path.suffix == ".list" and number.isdecimal() and int(number) not in bindings:
            path.unlink()


def _names(folder: Path) -> set[str]:
    return {path.stem for path in _files(folder) if path.suffix in {".json", ".rows"} and path.name[0] != "."}


def _files(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())
