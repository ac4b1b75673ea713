"""What only an extra brings, and the one sentence for who lacks it.

Invariant: a package of an extra is imported where it is needed and nowhere else: demur without it does all the rest.
"""

import importlib.util

from demur.errors import UsageError


def need(what: str, extra: str, *modules: str) -> None:
    """Ask for what an extra brings before anything is begun: ``need("Training", "train", "torch")``.

    Raises:
        UsageError: one of the modules is not installed.
    """
    if not has(*modules):
        raise lacking(what, extra)


def has(*modules: str) -> bool:
    """Whether what an extra brings is there, for what does without it, too."""
    return all(map(_is_there, modules))


def lacking(what: str, extra: str) -> UsageError:
    """The error to raise where something can't be done without an extra of demur's."""
    return UsageError(f"{what} needs demur[{extra}]: pip install 'demur[{extra}]'.")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is in sys.modules without a specification
        return False
