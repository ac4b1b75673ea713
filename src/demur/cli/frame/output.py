"""What a command prints: a text for people, or one JSON object for machines, and progress for those who watch.

Invariants: stdout carries results and nothing else; notes and progress go to stderr; progress is drawn only on a
terminal; a table is plain text with its columns aligned, with and without a terminal.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from demur.policy import Policy
    from demur.terms import Reason


def emit(human: str | Callable[[], str], data: object) -> None:
    """Print the result of a command: ``data`` as one line of JSON with ``--json``, else the text.

    Args:
        human: The text, or what makes it where that costs something.
        data: Values that JSON knows, dataclasses, dates (ISO 8601), paths and enumerations.
    """
    if as_json():
        click.echo(json.dumps(data, ensure_ascii=False, default=_plain))
    else:
        click.echo(human() if callable(human) else human)


def as_json() -> bool:
    """Whether the running command was asked for JSON."""
    return bool(click.get_current_context().params.get("as_json"))


def note(sentence: str) -> None:
    """Print a sentence beside the result, on stderr."""
    click.echo(sentence, err=True)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr while the block runs; the block may call what it is given with the steps done.

    Args:
        label: What is going on.
        total: Steps in all, None where nobody knows.
    """
    if not sys.stderr.isatty() or as_json():
        yield lambda _steps: None
        return
    from rich.console import Console  # noqa: PLC0415  # rich takes longer to import than most commands to run
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # the same

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, done="")

        def advance(steps: int) -> None:
            bar.advance(task, steps)
            bar.update(task, done=f"{bar.tasks[0].completed:,.0f} ({bar.tasks[0].speed or 0:,.0f}/s)")

        yield advance


def count(number: int, noun: str) -> str:
    """``1 account``, ``1,204 accounts``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def doubt(days: int) -> str:
    """What to say of a time that is far from the register's last entry."""
    distance = f"{count(abs(days), 'day')} {'after' if days >= 0 else 'before'}"
    return (
        f"The clock says a time {distance} the register's last entry: no objection lapses until it has gone on so for "
        "a day; set it right if it is wrong."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> Iterator[str]:
    """Lines of a table.

    Args:
        head: The columns' names.
        rows: Cells.
        right: Names of the columns, with spaces between, whose cells are numbers.
    """
    numbers = set(right.split())
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (
            cell.rjust(width) if name in numbers else cell.ljust(width)
            for name, cell, width in zip(head, row, widths, strict=True)
        )
        yield "  " + "  ".join(cells).rstrip()


def reasons_table(left_out: "Mapping[Reason, int]", policy: "Policy") -> Iterator[str]:
    """Lines of a table: what was left out by each reason, with the rule behind it."""
    from demur.policy import rule_of  # noqa: PLC0415  # it loads pydantic; a mistyped command does without

    rows = [(str(reason), f"{number:,}", rule_of(reason, policy)) for reason, number in left_out.items()]
    return table(("reason", "items", "rule"), rows, right="items")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)
