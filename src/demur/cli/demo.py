"""``demur demo``: the whole loop on a synthetic community."""

import itertools
import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from demur.cli.frame.options import Invocation, Paged, as_page, shared
from demur.cli.frame.output import Page, as_json, emit_paged, note
from demur.demo.community import SEED
from demur.demo.loop import run
from demur.demo.modelled import Modelled
from demur.demo.page import render
from demur.demo.report import Report
from demur.errors import CheckFailed
from demur.extras import need

_FOLDER = "demur-demo"
_PEOPLE = 2000
_TRAINED_ON = 200
"""People of a community that a model is trained on, in a minute or two."""


@click.command(cls=Paged)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--people",
    type=click.IntRange(min=10),
    metavar="N",
    help=f"Size of the community (default: {_PEOPLE:,}; with --train {_TRAINED_ON}).",
)
@click.option("--seed", type=int, default=SEED, show_default=True, metavar="S", help="The same seed, the same story.")
@click.option("--train", is_flag=True, help="Train a model on the last version, too, and let an objection reach it.")
@as_page
@shared
def demo(
    invocation: Invocation, folder: Path | None, people: int | None, seed: int, page: str | None, *, train: bool
) -> None:
    """Run the whole loop on a community that does not exist, and check the outcome against what is true of it.

    It makes a workspace in DIR: by default demur-demo in the current folder, or the next number that is free.
    Exits with 1 where the outcome is not what it has to be.
    """
    if train:
        from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where somebody trains

        need("`demur demo --train`", "train", *NEEDS)
    people = people or (_TRAINED_ON if train else _PEOPLE)
    watched = sys.stderr.isatty() and not as_json()
    say = note if watched else lambda _: None
    report = run(folder or _place(invocation), people=people, seed=seed, train=train, report=say)
    shown = None if page is None else Page(page, "demo.html", lambda: _sheet(report))
    emit_paged(lambda: render(report, _activate()).rstrip("\n"), _data(report), shown)
    if not report.clean:
        raise CheckFailed(
            f"The demo's outcome is not the true one (residual {len(report.residual)}, findings"
            f" {len(report.findings)}): report it as a bug, with the seed {seed} and --people {people}."
        )


def _sheet(report: Report) -> str:
    from demur.demo.sheet import sheet  # noqa: PLC0415  # the text does without

    return sheet(report, made=datetime.now(UTC), activate=_activate())


def _activate() -> str:
    """What makes `demur` a command of the shell, where it is not: it lies in a virtual environment."""
    script = Path(sys.prefix, "bin", "activate")
    found = shutil.which("demur")
    if (found and Path(found).parent.resolve() == script.parent.resolve()) or not script.is_file():
        return ""
    return f"source {shlex.quote(str(script))}"


def _place(invocation: Invocation) -> Path:
    """The folder that was given by -w, else the first free one; DEMUR_WORKSPACE names a real workspace, not a demo."""
    if invocation.named:
        return invocation.root
    names = itertools.chain([_FOLDER], (f"{_FOLDER}-{number}" for number in itertools.count(2)))
    return next(path for path in map(Path, names) if not path.exists())


def _data(report: Report) -> dict[str, object]:
    named = (
        "seed",
        "people",
        "accounts",
        "folder",
        "export",
        "withdrawals",
        "links",
        "findings",
        "residual",
        "seconds",
    )
    return {
        **{name: getattr(report, name) for name in named},
        "imports": [{**vars(each), "left_out": dict(each.left_out)} for each in report.imports],
        "exported": dict(report.exported),
        "objections": [vars(cost) for cost in report.costs],
        "versions": [vars(version) for version in report.versions],
        "told": vars(report.told),
        "model": None if report.model is None else _model(report.model),
        "clean": report.clean,
    }


def _model(model: Modelled) -> dict[str, object]:
    return {
        **vars(model),
        "classes": [vars(each) for each in model.classes],
        "checked": vars(model.checked),
        "audit": model.audit.json(),
        "cost": model.cost,
    }
