"""Every error demur raises on purpose. Each message is one sentence: what is wrong, where, and what to do.

::

    DemurError                 exit 2
    |-- UsageError             the command line asks for something that does not exist or does not fit
    |-- PolicyError            demur.toml can't be read, or does not hold together
    |-- IdentityError          an account identifier or a key file is malformed
    |-- SourceError            an input file is broken, unsafe or not what it claims to be
    |-- RegisterError          the register is newer, missing, or was asked for an unknown reference
    |-- UnavailableError       the register is busy or can't be used at the moment: nothing was recorded
    |-- CorpusError            the corpus is newer, damaged, or a version does not exist
    |-- WorkspaceError         no workspace here, or another process is writing to it
    `-- CheckFailed            exit 1: a check ran and did not hold
"""


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


class WorkspaceError(DemurError):
    """There is no workspace here, or another process is writing to it."""


class CheckFailed(DemurError):  # noqa: N818  # it is the outcome of a check, not a fault
    """A check ran and did not hold."""

    exit_code = 1
