"""Whatever goes wrong becomes one sentence on stderr and an exit code.

Invariants: no traceback unless ``DEMUR_DEBUG`` is set; the message of an error that demur does not know is not
repeated, because it may hold what a person wrote.
"""

import errno
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Final

import click

from demur.errors import DemurError
from demur.files import disk_failed, disk_full

WRONG_USE: Final = 2
STOPPED: Final = 130
"""128 + SIGINT, as shells count it."""
BROKEN_PIPE: Final = 141
"""128 + SIGPIPE, as shells count it."""

DEBUG: Final = "DEMUR_DEBUG"

_FULL: Final = "The disk is full: make room, then run the same command again; nothing is half done."
_FAILED: Final = (
    "The disk could not be read or written (an input/output error): see to it, then run the same command again; "
    "nothing is half done."
)
_SYSTEM: Final[Mapping[int, str]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "The disk quota is used up: make room, then run the same command again; nothing is half done.",
    errno.EACCES: "{file}: permission denied; change its permissions, or run as the user who owns the workspace.",
    errno.EPERM: "{file}: the system does not allow it; run as the user who owns the workspace.",
    errno.EROFS: "{file} is on a read-only file system: choose another place.",
    errno.ENOENT: "{file} does not exist: check the path.",
    errno.EMFILE: "Too many files are open: raise the limit (`ulimit -n`), then run the same command again.",
}


def tell(error: BaseException) -> int:
    """Print what went wrong; the exit code."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error, file=sys.stderr)
    sentence, code = explain(error)
    click.echo(sentence, err=True)
    return code


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence for an error, and the exit code."""
    if isinstance(error, DemurError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "Stopped; nothing is half done: run the same command again.", STOPPED
    if isinstance(error, click.ClickException):
        return _wrong_use(error), WRONG_USE
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        return _system(error), WRONG_USE
    return _unforeseen(error), WRONG_USE


def _unforeseen(error: BaseException) -> str:
    if disk_full(error):
        return _FULL
    if disk_failed(error):
        return _FAILED
    if isinstance(error, MemoryError):
        return "There is not enough memory: close other programs, or use a larger machine."
    hint = "the traceback stands above" if os.environ.get(DEBUG) else f"{DEBUG}=1 shows where"
    return f"demur met an error it does not know ({type(error).__name__}), a bug in demur: {hint}."


def _wrong_use(error: click.ClickException) -> str:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None or message.endswith("?"):
        return message
    return f"{message.rstrip('.')}: see `{context.command_path} --help`."


def _system(error: OSError) -> str:
    assert error.errno is not None
    file = str(error.filename or "A file")
    known = _SYSTEM.get(error.errno)
    return known.format(file=file) if known else f"{file}: {error.strerror}; check it, then run the command again."
