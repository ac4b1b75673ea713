"""Every error demur raises on purpose, and the name that was probably meant by a misspelt one.

Each message is one sentence: what is wrong, where, and what to do.

::

    DemurError                 exit 2
    |-- UsageError             the command line asks for something that does not exist or does not fit
    |-- PolicyError            demur.toml can't be read, or does not hold together
    |-- IdentityError          an account identifier or a key file is malformed
    |-- SourceError            an input file is broken, unsafe or not what it claims to be
    |-- RegisterError          the register is newer, missing, or was asked for an unknown reference
    |-- UnavailableError       the register is busy or can't be used at the moment: nothing was recorded
    |-- CorpusError            the corpus is newer, damaged, or a version does not exist
    |-- GoneError              a row that was asked for by its place may not be used any more
    |-- WorkspaceError         no workspace here, or another process is writing to it
    `-- CheckFailed            exit 1: a check ran and did not hold
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LIKENESS: Final = 0.6
"""Ratio of difflib above which two names count as the same one, misspelt; its own default."""


class DemurError(Exception):
    """The root: a user's problem, told in one sentence and never as a traceback."""

    exit_code = 2


class UsageError(DemurError):
    """The command line asks for something that does not exist or does not fit."""


class PolicyError(DemurError):
    """``demur.toml`` can't be read, or does not hold together."""


class IdentityError(DemurError):
    """An account identifier or a key file is malformed."""


class SourceError(DemurError):
    """An input file is broken, unsafe or not what it claims to be."""


class RegisterError(DemurError):
    """The register is newer than this demur, missing, or was asked for an unknown reference."""


class UnavailableError(DemurError):
    """The register is busy or can't be used at the moment; nothing was recorded, and trying again may help."""


class CorpusError(DemurError):
    """The corpus is newer than this demur, damaged, or a version does not exist."""


class GoneError(DemurError):
    """A row that was asked for by its place may not be used any more."""


class WorkspaceError(DemurError):
    """There is no workspace here, or another process is writing to it."""


class CheckFailed(DemurError):  # noqa: N818  # it is the outcome of a check, not a fault
    """A check ran and did not hold."""

    exit_code = 1


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like ``word``, compared without case and with ``-`` and ``_`` alike, or None."""
    folded = {_fold(name): name for name in known}
    matches = get_close_matches(_fold(word), folded, n=1, cutoff=_LIKENESS)
    return folded[matches[0]] if matches else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of an error sentence: ``did you mean `x`?``, or which names are known."""
    names = sorted(known)
    match = nearest(word, names)
    if match is not None:
        return f"did you mean `{match}`?"
    return f"known here: {', '.join(f'`{name}`' for name in names)}." if names else "nothing is known here."


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")
