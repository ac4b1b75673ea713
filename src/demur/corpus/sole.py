"""The one workspace that writes to a corpus in a store: the lock of the operating system ends at its machine.

Invariants: whoever writes has put the object `writer.json` where there was none (a conditional write, RFC 9110, section
13.1.2), and takes it away at the end; what a killed command of this workspace left there is known by the word that the
workspace keeps, and taken over, because its own lock is held; what another one left is a person's to remove, as nobody
can tell from here whether that one still runs.
"""

import json
import logging
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from demur.corpus import journal
from demur.errors import UnavailableError, WorkspaceError
from demur.files import write_durably
from demur.store import Stored

NAME: Final = "writer.json"
WORD: Final = ".writer"
"""File in the workspace with the word that its commands put into the object; it is gone where none writes."""
_PROBE: Final = "probe"
_NOT_IMPLEMENTED: Final = re.compile("NotImplemented|501")

_logger: Final = logging.getLogger("demur")


@contextmanager
def writing_alone(
    root: Path, store: Stored | None, command: str, half_done: Callable[[], bool] | None = None
) -> Iterator[None]:
    """Be the only workspace that writes to a store while the block runs; nothing to do where there is none.

    Args:
        root: the workspace, whose lock the caller holds.
        store: where its corpus lies.
        command: what is writing, for whoever has to wait: ``import``, and no arguments.
        half_done: whether something is left for this workspace to undo, when the block ends by an error: nobody else
            writes there then, as after a kill; by default, whether there is an import's journal.

    Raises:
        WorkspaceError: when another workspace writes there, or the store can't tell two writers apart.
        UnavailableError: when it refuses, or does not answer.
    """
    if store is None:
        yield
        return
    word = _word(root)
    if not (store / "corpus.lance").exists():
        require_conditional(store)
    said = {"word": word, "host": socket.gethostname(), "command": command, "since": f"{datetime.now(UTC):%F %T}Z"}
    writer = store / NAME
    if not writer.create(json.dumps(said).encode()):
        _require_ours(writer, word)
    if writer.keeps_versions():
        _logger.warning(
            "The bucket of %s keeps old versions of objects, so what is erased stays in it: turn versioning off, or "
            "have a lifecycle rule remove noncurrent versions within days.",
            store,
        )
    try:
        yield
    except BaseException:
        if half_done() if half_done is not None else journal.read(root) is not None:
            raise
        _release(root, writer)
        raise
    _release(root, writer)


def _release(root: Path, writer: Stored) -> None:
    writer.unlink(missing_ok=True)
    (root / WORD).unlink(missing_ok=True)


def require_conditional(store: Stored) -> None:
    """Make sure that of two writes to one name, both meant for a name that is free, the second fails.

    Raises:
        WorkspaceError: when it does not: two writers' commits would replace each other.
    """
    probe = store / f"{_PROBE}-{secrets.token_hex(8)}"
    try:
        conditional = probe.create(b"1") and not probe.create(b"2")
    except UnavailableError as error:
        if _NOT_IMPLEMENTED.search(str(error)) is None:
            raise
        conditional = False
    finally:
        probe.unlink(missing_ok=True)
    if not conditional:
        raise WorkspaceError(
            f"The object store of {store} takes no conditional writes (If-None-Match: *): two writers would replace "
            "each other's commits, so no corpus is put there; name a store that takes them, or leave store.url empty."
        )


def _word(root: Path) -> str:
    path = root / WORD
    if not path.exists():
        write_durably(path, secrets.token_hex(16).encode())
    return path.read_text()


def _require_ours(writer: Stored, word: str) -> None:
    try:
        said = json.loads(writer.read_bytes())
        holder = f"`demur {said['command']}` on {said['host']}, since {said['since']}"
        if said["word"] == word:
            return
    except FileNotFoundError:
        holder = "it has just ended"
    except (ValueError, TypeError, KeyError):
        holder = "it does not say which"
    raise WorkspaceError(
        f"Another workspace writes to {str(writer).removesuffix(f'/{NAME}')} ({holder}): wait for it to finish; if its "
        f"machine is gone for good, delete {writer}, then run this again."
    )
