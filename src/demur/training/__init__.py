"""Language models trained on a version, so that a later objection can be replayed exactly.

Invariants: this package alone imports torch and what stands on it, and can be imported without the extra ``train``:
order, plan, configuration and log load none of it. The state after a step follows from the base, the configuration, the
environment and the rows of the steps so far, and from nothing else: neither from the rows to come, nor from the
process, nor from how often it was interrupted.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from demur.training.callback import Following as Following  # exported, and not listed
    from demur.training.tracking import Tracked, tracked

__all__ = ["Tracked", "tracked"]  # and Following, where transformers is installed

_PLACES: Final = {"Following": "callback", "Tracked": "tracking", "tracked": "tracking"}


def __getattr__(name: str) -> object:
    """What is exported, loaded where somebody asks for it: the rest of this package does without."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Following":
        from demur.extras import need  # noqa: PLC0415  # this package exports what it names

        need("Following a Trainer", "train", "torch", "transformers")
    return getattr(import_module(f"demur.training.{_PLACES[name]}"), name)
