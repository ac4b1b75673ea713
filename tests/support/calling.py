"""Calling the command line, in this process or in one of its own."""

import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

PYTHON: Final = [sys.executable, "-c", "from demur.cli import main; main()"]
"""The command `demur` in a process of its own, whether the package is installed or not."""


class Result(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON is what it is
        """The one object that ``--json`` printed."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


class Demur(Protocol):
    """The fixture `demur`: run a command in this process."""

    def __call__(self, *arguments: str | Path) -> Result: ...
