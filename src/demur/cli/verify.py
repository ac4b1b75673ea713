"""``demur verify``: whether a version, and its exports, still are what was published and hold nobody they may not."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, emit, note, progress
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.register.continuity.loss import undecided
from demur.versions import leave
from demur.versions.findings import Findings
from demur.workspace import Workspace

Checked = Mapping[Path | None, Findings]
"""What was found in each place: None is the version in the workspace, a path is an export."""


@click.command
@click.argument("name")
@click.option("--now", "current", is_flag=True, help="Judge it by the register as it is now, not as of its publishing.")
@click.option(
    "--export",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Check only this export, wherever it lies now.",
)
@shared
def verify(invocation: Invocation, name: str, folder: Path | None, *, current: bool) -> None:
    """Check the version NAME, its manifest and every export of it that still lies where it was written.

    Exits with 1 where something does not hold, and names the rows.
    """
    workspace = invocation.workspace
    if lost := loss_of(workspace):
        note(lost)
    places = [folder] if folder else [None, *_exports(workspace, name)]
    with progress(f"Verifying {name}"):
        checked = {place: leave.verify(workspace, name, export=place, current=current) for place in places}
    emit(lambda: "\n".join(_page(name, checked)), _data(name, checked, current=current) | {"loss": lost})
    wrong = sum(findings.total for findings in checked.values())
    if wrong:
        raise CheckFailed(
            f"Version {name} does not hold: {count(wrong, 'finding')}; publish a new version, and don't use this one."
        )


def loss_of(workspace: Workspace) -> str:
    """What a restore lost and nobody has decided on, in one sentence; "" where nothing is."""
    with workspace.register() as register:
        lost = undecided(register.log)
    return lost.sentence if lost else ""


def _exports(workspace: Workspace, name: str) -> list[Path]:
    with reading(workspace) as session:
        return leave.exports_of(session, name)


def _page(name: str, checked: Checked) -> Iterator[str]:
    for place, findings in checked.items():
        what = f"Version {name}" if place is None else f"The export {place}"
        yield f"{what}: nothing is wrong." if findings.ok else f"{what}: {count(findings.total, 'finding')}:"
        yield from (f"  {line}" for line in findings.lines())
        yield from (f"  Note: {note}" for note in findings.notes)


def _data(name: str, checked: Checked, *, current: bool) -> dict[str, object]:
    places = [
        {
            "export": place,
            "ok": findings.ok,
            "counts": dict(findings.counts),
            "findings": [vars(finding) for finding in findings.shown],
            "notes": findings.notes,
        }
        for place, findings in checked.items()
    ]
    return {"name": name, "now": current, "ok": all(each.ok for each in checked.values()), "checked": places}
