"""Reference pages from the code: ``python -m demur.cli.reference DOCS`` writes cli.md and policy.md.

Invariants: the pages hold what ``--help`` and the docstrings of the policy say, and nothing else; the same code
gives the same bytes on every machine, so that a test can tell when a page is stale.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from demur.cli.app import COMMANDS, cli
from demur.policy import Policy, Section, meaning_of, toml_value

_MADE: Final = "<!-- Written by `python -m demur.cli.reference docs`: change the code, not this page. -->"
_SAMPLE_DAY: Final = date(2026, 12, 31)
_WIDTH: Final = 90


def cli_page() -> str:
    """docs/cli.md: the help of every command."""
    head = ["# Command line", "", _MADE, "", *_block(_help(cli, ("demur",)))]
    context = click.Context(cli, info_name="demur")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        head += _command(command, ("demur", name))
    return "\n".join(head).rstrip("\n") + "\n"


def _command(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    yield from (f"## {' '.join(path)}", "", *_block(_help(command, path)))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(inner, (*path, name))


def _help(command: click.Command, path: tuple[str, ...]) -> str:
    with click.Context(
        command, info_name=" ".join(path), terminal_width=_WIDTH, help_option_names=["-h", "--help"]
    ) as context:
        return command.get_help(context)


def _block(text: str) -> Iterator[str]:
    yield from ("```text", *text.rstrip().split("\n"), "```", "")


def policy_page() -> str:
    """docs/policy.md: every key of demur.toml, its default and its meaning."""
    sample = Policy(effective_date=_SAMPLE_DAY)
    lines = [
        "# demur.toml",
        "",
        _MADE,
        "",
        "`demur init` writes every key. A key that the file leaves out has the default below; a key that demur",
        "does not know is an error that names the nearest one. `demur policy check` reads the file, and",
        "`demur policy show` prints what is in force.",
        "",
        *_table(sample, ()),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(section: Section, path: tuple[str, ...]) -> Iterator[str]:
    fields = type(section).model_fields
    keys = {name: info for name, info in fields.items() if not isinstance(getattr(section, name), Section | dict)}
    if keys:
        yield from ("| key | default | meaning |", "|---|---|---|")
    for name, info in keys.items():
        default = "none, it is needed" if info.is_required() else f"`{toml_value(getattr(section, name))}`"
        yield f"| `{info.alias or name}` | {default} | {meaning_of(type(section), name)} |"
    if keys:
        yield ""
    for name, info in fields.items():
        if name not in keys:
            inner = (*path, info.alias or name)
            yield from (f"## [{'.'.join(inner)}]", "", meaning_of(type(section), name), "")
            if isinstance(getattr(section, name), Section):
                yield from _table(getattr(section, name), inner)


def write_pages(folder: Path) -> None:
    """Write both pages to ``folder``."""
    (folder / "cli.md").write_text(cli_page(), "utf-8")
    (folder / "policy.md").write_text(policy_page(), "utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
