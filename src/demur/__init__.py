"""demur: train AI on your community's content, keep everyone who said no out of it, and prove it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demur.loading import load

__all__ = ["load"]


def __getattr__(name: str) -> object:
    """Give :func:`demur.loading.load`, and load what it needs only then: no command is to wait for it."""
    if name == "load":
        from demur.loading import load  # noqa: PLC0415  # see above

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
