"""``demur import``: a platform's content comes into the corpus, as far as the policy lets it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, progress, reasons_table

if TYPE_CHECKING:
    from demur.corpus.importing import ImportReport
    from demur.policy import Policy


def _sources(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """The sources that begin with what was typed; a plugin may bring more than those of the help page."""
    from demur.sources import source_names  # noqa: PLC0415  # it loads Arrow; help does without

    return [name for name in source_names() if name.startswith(incomplete)]


@click.command("import")
@click.argument("source", metavar="SOURCE", shell_complete=_sources)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@shared
def import_(invocation: Invocation, source: str, paths: Sequence[str]) -> None:
    """Read a platform's content from each PATH into the corpus, as far as the policy lets it.

    SOURCE is activitystreams, facebook, instagram, irc, mastodon, table, or what a plugin adds. PATH is a file, a
    folder or an archive as the platform exports it; for table also a database URL. Options of a source stand under
    [sources.NAME] of demur.toml. Importing an item again replaces it: its last reading wins.
    """
    from demur.corpus.importing import import_items  # noqa: PLC0415  # it loads Lance; help does without
    from demur.sources import load_source  # noqa: PLC0415  # it loads Arrow; help does without
    from demur.sources.meter import watching  # noqa: PLC0415  # the same

    workspace = invocation.workspace
    policy = workspace.policy()
    reader = load_source(source)
    with watching() as meter, progress("Reading items", share=lambda: meter.share) as advance:
        batches = reader.read(paths, policy.sources.get(source, {}))
        report = import_items(workspace, source, batches, workers=os.cpu_count() or 1, progress=advance)
    door = _door(report, policy, workspace.policy_path)
    emit(lambda: "\n".join([*_page(report, policy, door), *meter.told]), _data(report, policy, door, meter.told))


def _door(report: "ImportReport", policy: "Policy", path: Path) -> list[str]:
    """Which lines of demur.toml to change, where an import kept nothing."""
    from demur.policy import door_lines  # noqa: PLC0415  # it loads pydantic; help does without

    return [] if report.kept else door_lines(report.left_out, policy, path)


def _page(report: "ImportReport", policy: "Policy", door: Sequence[str]) -> list[str]:
    left_out = sum(report.left_out.values())
    counted = f"{count(report.read, 'item')} read, {report.kept:,} kept, {left_out:,} left out"
    lines = [f"Import {report.number} from {report.source}: {counted}, in {report.seconds:,.1f} s."]
    if report.replaced:
        lines.append(f"{count(report.replaced, 'row')} of earlier imports replaced or removed.")
    if not report.read:
        lines.append("There is no item in what was read: check the path, and that the source is the right one.")
    elif not report.kept:
        lines += ["", "Nothing was kept. What left the items out, and what to do:", *(f"  {line}" for line in door)]
    elif left_out:
        lines += ["", *reasons_table(report.left_out, policy)]
    return lines


def _data(report: "ImportReport", policy: "Policy", door: Sequence[str], told: Sequence[str]) -> dict[str, object]:
    from demur.policy import rule_of  # noqa: PLC0415  # it loads pydantic; help does without

    rules = {reason: rule_of(reason, policy) for reason in report.left_out}
    return {**vars(report), "rules": rules, "to_change": door, "told": told}
