"""The command line: a file per noun, imported when its command is asked for."""

from demur.cli.app import main, run

__all__ = ["main", "run"]
