"""Patterns that are compiled when they are first asked for: a command that reads no text pays for none.

A class of all letters takes milliseconds to compile, and a hundred such patterns take as long as the rest of a command.
"""

import re
from typing import Any, cast


class _Lazy:
    """What a pattern can do, which is there from its first use on."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # a method of a pattern
        if name.startswith("__"):  # copy and pickle look for these, and no pattern of a module is either
            raise AttributeError(name)
        found = getattr(re.compile(self._source, self._flags), name)  # which remembers what it compiled
        setattr(self, name, found)
        return found


def lazily(source: str, flags: int = 0) -> re.Pattern[str]:
    """``re.compile``, for the constants of a module; a wrong pattern is met at its first use."""
    return cast("re.Pattern[str]", _Lazy(source, flags))
