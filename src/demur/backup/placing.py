"""A restored corpus that belongs into an object store: built on the disk, and sent there once it is whole.

Invariants: nothing is put where a corpus lies, or anything beside one; the commits that make an object store's datasets
be there are sent after all their files, the corpus's own last; a restore that was cut off while it sent removes what it
sent, and sends all of it again; no other workspace writes there until it is done, cut off or not
(:mod:`demur.corpus.sole`).
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from demur.corpus.datasets.evidence import Evidence, Fingerprints, Uncertain
from demur.corpus.datasets.pictures import Pictures
from demur.corpus.sole import require_conditional, writing_alone
from demur.errors import WorkspaceError
from demur.files import write_durably
from demur.store import Stored
from demur.workspace import Workspace

SENDING: Final = "sending"
"""In the staging folder from before the first object is sent: what lies there since is this restore's."""
_SENT: Final = b"sent"
"""In that file once all of it was: what is left on the disk may be removed, and is not whole any more."""
_COMMITS: Final = "_versions"
"""Where Lance keeps a dataset's commits: without them there is none."""


def require_free(store: Stored) -> None:
    """Make sure that a place in a store is free for a corpus, and can hold one.

    Raises:
        WorkspaceError: when something lies there, or the store can't tell two writers apart.
        UnavailableError: when it refuses, or does not answer.
    """
    _refuse_taken(store)
    require_conditional(store)


def _refuse_taken(store: Stored) -> None:
    if any((store / name).exists() for name in (_corpus(Path()).name, _beside(Path()).name)):
        raise WorkspaceError(
            f"A corpus lies in {store} already: a restore overwrites nothing; name a place that is empty with --store, "
            "and delete the old one once the restored workspace is at work."
        )


def send(staging: Path, root: Path) -> None:
    """Send the corpus in a staging folder, and what lies beside it, to where the demur.toml there says, if anywhere.

    What was sent is removed from the disk. Nothing is done where that was done before.

    Raises:
        WorkspaceError: when something lies there that this restore did not send, or another workspace writes there.
        UnavailableError: when the store refuses, or does not answer: the same restore goes on later.
    """
    if not _corpus(staging).exists() or (store := Workspace(staging).store) is None:
        return
    trees, state = [*_datasets(staging), _corpus(staging)], staging / SENDING
    with writing_alone(root, store, "restore", state.exists):
        if not state.exists():
            _refuse_taken(store)
            write_durably(state, b"")
        if state.read_bytes() != _SENT:
            for tree in trees:
                _send(tree, store / tree.relative_to(staging).as_posix())
            write_durably(state, _SENT)
    for tree in trees:
        shutil.rmtree(tree)


def _send(tree: Path, to: Stored) -> None:
    to.remove_all()
    for path in sorted(_files(tree), key=lambda path: (_COMMITS in path.relative_to(tree).parts, path)):
        (to / path.relative_to(tree).as_posix()).send(path)


def _files(tree: Path) -> Iterator[Path]:
    return (path for path in tree.rglob("*") if path.is_file())


def _datasets(staging: Path) -> Iterator[Path]:
    """What lies beside the corpus, and not the compiled files, which stay on the disk."""
    folders = (_beside(staging) / each.FOLDER for each in (Evidence, Fingerprints, Uncertain, Pictures))
    return (folder for folder in folders if folder.exists())


def _corpus(root: Path) -> Path:
    return root / "corpus.lance"


def _beside(root: Path) -> Path:
    return Workspace(root).beside_path
