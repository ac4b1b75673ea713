"""``demur maintain``: what is due is done, in one go."""

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, doubt, emit, progress
from demur.worker import maintenance

_MB = 1_000_000


@click.command
@shared
def maintain(invocation: Invocation) -> None:
    """Bring the corpus up to date, and keep it small and fast.

    Objections that nobody confirmed in time lapse; what the register holds and the corpus has not followed is
    honoured; erasures that wait, or were cut off, are finished; deleted rows leave the files, small files are merged,
    and files of no version are removed.
    """
    with progress("Maintaining"):
        report = maintenance.maintain(invocation.workspace)
    honoured = report.honoured
    files = f"{count(report.fragments_before, 'fragment')} before, {report.fragments_after:,} now"
    lines = [
        f"Honoured: {count(honoured.deleted, 'row')} deleted, {count(honoured.rewritten, 'row')} rewritten.",
        f"Lapsed for want of confirmation: {count(report.lapsed, 'objection')}.",
        *([doubt(report.clock_days)] if report.clock_days is not None else []),
        *([f"Erasures finished: {report.erased:,}."] if report.erased else []),
        f"Files: {files}, {report.bytes_removed / _MB:,.1f} MB removed.",
    ]
    emit("\n".join(lines), report)
