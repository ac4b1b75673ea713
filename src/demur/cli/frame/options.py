"""The two options that every command takes, and the workspace they lead to.

Invariants: ``-w`` means the same before the command and behind it; two that differ are refused, never weighed.
"""

import functools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

import click

from demur.cli.frame.output import PRINTED, note

if TYPE_CHECKING:
    from demur.workspace import Workspace

P = ParamSpec("P")
R = TypeVar("R")

VARIABLE: Final = "DEMUR_WORKSPACE"
_LONGEST_PATH: Final = 250
_QUALIFIED: Final = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:(?!//)", re.IGNORECASE)
"""What begins with a namespace, and is no address of the web."""


@dataclass(frozen=True)
class Invocation:
    """What a command was called with besides its own arguments."""

    root: Path
    """The workspace's folder: ``-w``, else DEMUR_WORKSPACE, else the current one."""
    named: bool
    """Whether ``-w`` named it."""

    @functools.cached_property
    def workspace(self) -> "Workspace":
        """The workspace.

        Raises:
            WorkspaceError: when there is none in ``root``.
        """
        from demur.workspace import find  # noqa: PLC0415  # it loads Arrow and SQLAlchemy; help does without

        return find(self.root)

    def account(self, typed: str) -> str:
        """The account that somebody means, as the command gets it.

        What has a namespace is left as it is. A bare name, `@name` or a profile's address is what a member of the
        platform would mean by it (`portal.namespace`), and a note says what it was taken for. What can be nothing of
        that is left as it is, too: the register says what is wrong with it.
        """
        account = self.meant(typed)
        if account != typed:
            note(f"{typed} is taken for the account {account}.")
        return account

    def meant(self, typed: str) -> str:
        """:meth:`account`, without a note."""
        if _QUALIFIED.match(typed):
            return typed
        from demur.objecting.naming import account_of  # noqa: PLC0415  # nearly all do without

        policy = self.workspace.policy()
        return account_of(typed, policy.portal.namespace, policy.accounts.names) or typed

    def accounts(self, typed: Sequence[str]) -> tuple[str, ...]:
        """:meth:`account` of each."""
        return tuple(self.account(each) for each in typed)


in_workspace: Final = click.option(
    "-w",
    "--workspace",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="DIR",
    help=f"The workspace (else {VARIABLE}, else the current folder).",
)
"""``-w/--workspace``, for a command and for what stands before it; :func:`shared` reads both."""


class Paged(click.Command):
    """A command with ``--html [FILE]``: what follows it is the file only where it ends in .html."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say of each ``--html`` which file it means, as NAME and DIR may follow it as well.

        Raises:
            UsageError: where JSON and the page would both be printed, or the page has no folder to go to.
        """
        rest = super().parse_args(ctx, list(_with_file(args)))
        page = ctx.params.get("page")
        if page == PRINTED and ctx.params.get("as_json"):
            raise click.UsageError("--json and --html both print: name a file, --html FILE.html.", ctx)
        if page not in {None, PRINTED} and not Path(page).absolute().parent.is_dir():
            raise click.UsageError(f"There is no folder {Path(page).parent} for the page: make it first.", ctx)
        return rest


def _with_file(args: Sequence[str]) -> Iterator[str]:
    ahead = iter(args)
    for each in ahead:
        following = next(ahead, None) if each == "--html" else None
        if each != "--html":
            yield each
        elif following is not None and following.lower().endswith((".html", ".htm")):
            yield f"--html={following}"
        else:
            yield f"--html={PRINTED}"
            yield from () if following is None else _with_file([following, *ahead])


as_page: Final = click.option(
    "--html",
    "page",
    metavar="[FILE.html]",
    help="Make one page with plots of it, for a browser: in FILE.html, else on stdout.",
)
"""``--html``, for a :class:`Paged` command; :func:`demur.cli.frame.output.emit` writes it."""


def shared(function: Callable[Concatenate[Invocation, P], R]) -> Callable[P, R]:
    """Give a command ``-w/--workspace`` and ``--json``; it gets an :class:`Invocation` before its arguments."""

    @in_workspace
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
    @functools.wraps(function)
    def command(*arguments: P.args, **options: P.kwargs) -> R:
        del options["roots"]  # click keeps them, beside those that stand before the command
        del options["as_json"]  # demur.cli.frame.output asks click for it
        return function(_invocation(click.get_current_context()), *arguments, **options)

    return command


def written(given: str) -> str:
    """What was given as an option, or what stands in the file that it names.

    Raises:
        UsageError: when the file can't be read.
    """
    file = Path(given)
    try:
        return file.read_text("utf-8") if len(given) < _LONGEST_PATH and file.is_file() else given
    except (OSError, UnicodeDecodeError):
        raise click.UsageError(f"{file} can't be read as text: give a key, or a file that holds one.") from None


def _invocation(context: click.Context) -> Invocation:
    """What ``-w`` says, wherever it stands.

    Raises:
        UsageError: when it names two folders.
    """
    roots = _roots(context)
    for other in roots[1:]:
        if other.absolute() != roots[0].absolute():
            raise click.UsageError(f"-w is given twice, as {roots[0]} and as {other}: say which one.")
    if roots:
        return Invocation(roots[0], named=True)
    return Invocation(Path(os.environ.get(VARIABLE) or "."), named=False)


def _roots(context: click.Context) -> Sequence[Path]:
    before = _roots(context.parent) if context.parent else ()
    return (*before, *context.params.get("roots", ()))
