"""What a command prints: a text for people, or one JSON object for machines, and progress for those who watch.

Invariants: stdout carries results and nothing else; notes and progress go to stderr; progress is drawn only on a
terminal; a table is plain text with its columns aligned, with and without a terminal.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from demur.policy import Policy
    from demur.register.objections.names import Kept
    from demur.terms import Reason

PRINTED: Final = "-"
"""Instead of a page's file: on stdout."""

_FRAMES_S: Final = 0.2
_LINES_S: Final = 30.0


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


@dataclass(frozen=True)
class Page:
    """A page for a browser, beside what a command prints."""

    to: str
    """The file; PRINTED for stdout."""
    name: str
    """Of its file where nobody named one, and stdout is a terminal."""
    content: Callable[[], str]


def emit_paged(human: str | Callable[[], str], data: object, page: Page | None) -> None:
    """:func:`emit`, and the page, where one is asked for: in its file, else on stdout instead of the text."""
    if page is None:
        emit(human, data)
        return
    printed = page.to == PRINTED
    if printed and not sys.stdout.isatty():
        click.echo(page.content(), nl=False)
        return
    path = Path(page.name if printed else page.to)
    path.write_text(page.content(), "utf-8")
    emit(human, data)
    note(f"The page is in {path.absolute()}: open it in a browser.")


def as_json() -> bool:
    """Whether the running command was asked for JSON."""
    return bool(click.get_current_context().params.get("as_json"))


def note(sentence: str) -> None:
    """Print a sentence beside the result, on stderr."""
    click.echo(sentence, err=True)


Share = Callable[[], float | None]
"""How much of something is done, from 0 to 1; None where nobody knows."""


@contextmanager
def progress(label: str, total: int | None = None, *, share: Share | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr while the block runs; the block may call what it is given with the steps done.

    Without a terminal nothing is drawn; where it is known how much is done, what takes long is told in a line each
    half minute.

    Args:
        label: What is going on.
        total: Steps in all, None where nobody knows.
        share: How much of it is done, where steps don't tell it. With either, the bar shows percent and the time left.
    """
    if as_json():
        yield lambda _steps: None
    elif not sys.stderr.isatty():
        with _ticking(_LINES_S, _line(label, share)) if share else nullcontext():
            yield lambda _steps: None
    else:
        with _drawn(label, total, share) as advance:
            yield advance


@contextmanager
def _drawn(label: str, total: int | None, share: Share | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console  # noqa: PLC0415  # rich takes longer to import than most commands to run
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415  # the same

    texts = (TextColumn("{task.fields[left]}"), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(TextColumn("{task.description}"), BarColumn(), *texts, console=console, transient=True) as bar:
        task, began = bar.add_task(label, total=None, done="", left=""), time.monotonic()
        steps = 0

        def advance(more: int) -> None:
            nonlocal steps
            steps += more

        def draw() -> None:
            taken, known = time.monotonic() - began, share() if share else total and steps / total
            done = f"{steps:,} ({steps / taken:,.0f}/s)" if steps else ""
            left = "" if known is None else _left(known, taken)
            bar.update(task, total=None if known is None else 1.0, completed=known or 0.0, done=done, left=left)

        draw()
        with _ticking(_FRAMES_S, draw):
            yield advance


def _line(label: str, share: Share) -> Callable[[], None]:
    """What says in a line how far something is."""
    began = time.monotonic()

    def say() -> None:
        if (known := share()) is not None:
            note(f"{label}: {_left(known, time.monotonic() - began)}")

    return say


def _left(share: float, taken: float) -> str:
    """Percent, and the time left where what was done so far tells it: ``42 %, 1:07 left``."""
    if share <= 0 or share >= 1:
        return "0 %" if share <= 0 else "100 %, finishing"
    seconds = round(taken / share - taken)
    hours, minutes = divmod(seconds // 60, 60)
    clock = f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
    return f"{int(100 * share)} %, {clock} left"


@contextmanager
def _ticking(every: float, function: Callable[[], None]) -> Iterator[None]:
    """Call a function every so many seconds while the block runs."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(every):
            function()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def count(number: int, noun: str) -> str:
    """``1 account``, ``1,204 accounts``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(kept: "Kept") -> Iterator[str]:
    """How many spellings of somebody's names count, a sentence each; no name."""
    if kept.searched or not kept.waiting:
        spellings, are = count(kept.searched, "spelling"), "is" if kept.searched == 1 else "are"
        yield f"In what others wrote, {spellings} of their names {are} looked for."
    if kept.waiting:
        wait = "waits" if kept.waiting == 1 else "wait"
        yield f"{count(kept.waiting, 'spelling')} {wait} until the objection is confirmed."


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
