"""The two options that every command takes, and the workspace they lead to."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from demur.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Invocation:
    """What a command was called with besides its own arguments."""

    root: Path
    """The workspace's folder: ``-w``, else DEMUR_WORKSPACE, else the current one."""

    @functools.cached_property
    def workspace(self) -> "Workspace":
        """The workspace.

        Raises:
            WorkspaceError: when there is none in ``root``.
        """
        from demur.workspace import find  # noqa: PLC0415  # it loads Arrow and SQLAlchemy; help does without

        return find(self.root)


def shared(function: Callable[Concatenate[Invocation, P], R]) -> Callable[P, R]:
    """Give a command ``-w/--workspace`` and ``--json``; it gets an :class:`Invocation` before its arguments."""

    @click.option(
        "-w",
        "--workspace",
        "root",
        type=click.Path(path_type=Path),
        envvar="DEMUR_WORKSPACE",
        default=".",
        metavar="DIR",
        help="The workspace (else DEMUR_WORKSPACE, else the current folder).",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
    @functools.wraps(function)
    def command(*arguments: P.args, **options: P.kwargs) -> R:
        root = options.pop("root")
        assert isinstance(root, Path)
        del options["as_json"]  # demur.cli.output asks click for it
        return function(Invocation(root), *arguments, **options)

    return command
