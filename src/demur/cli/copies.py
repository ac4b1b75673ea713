"""``demur export`` and ``recall``: a version leaves the house, and is called back."""

from pathlib import Path

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, emit, progress
from demur.versions import leave

_MB = 1_000_000


@click.command
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["parquet"]), default="parquet", show_default=True, help="File format."
)
@click.option(
    "--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="A folder that is new or empty."
)
@shared
def export(invocation: Invocation, name: str, form: str, to: Path) -> None:
    """Write the version NAME as files that trainers read, with its manifest, a data card and Croissant metadata.

    A stale version is not exported (exit code 1): publish a new one.
    """
    with progress(f"Exporting {name}"):
        report = leave.export(invocation.workspace, name, to)
    sentence = (
        f"{count(report.rows, 'row')} of version {name} in {count(len(report.shards), 'file')},"
        f" {report.size / _MB:,.1f} MB: {report.path}"
    )
    data = {"name": name, "format": form, "path": report.path, "rows": report.rows, "bytes": report.size}
    emit(sentence, {**data, "files": [vars(shard) for shard in report.shards]})


@click.command
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The list to write, .csv or .parquet.",
)
@shared
def recall(invocation: Invocation, name: str, to: Path) -> None:
    """Write the list of rows that holders of copies of the version NAME must remove or replace now.

    It names rows by their item key, as the export does, with the reason; it holds no text and names nobody.
    """
    with progress(f"Comparing {name} with the register"):
        report = leave.recall(invocation.workspace, name, to)
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(report.reasons.items()))
    told = f"{count(report.rows, 'row')} to remove or replace{f' ({reasons})' if reasons else ''}: {to}"
    emit(told, {"name": name, "path": to, "rows": report.rows, "reasons": report.reasons})
