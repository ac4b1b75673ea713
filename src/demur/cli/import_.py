"""``demur sources`` and ``demur import``: what is read, and how it comes into the corpus as the policy lets it."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, note, progress, reasons_table, table
from demur.corpus.engines.names import ENGINES, LOCAL
from demur.processes import keep_memory
from demur.terms import PictureReason

if TYPE_CHECKING:
    from demur.corpus.importing import ImportReport
    from demur.corpus.picturing import PictureCounts, Shown
    from demur.policy import Policy
    from demur.sources import Source

NOT_YET: Final = (
    "Pictures come in by [pictures] of demur.toml: copies of them, faces, words in them and film are not looked "
    "for yet, and they are in no version or export."
)
"""What is said at every import that may bring pictures."""

WHY_NO_PICTURE: Final[Mapping[str, str]] = {
    PictureReason.ITEM: "the item itself is left out",
    PictureReason.TAGGED: "somebody is shown or described in it who may not be",
    PictureReason.MISSING: "its file is not in what was read; nothing is fetched from elsewhere",
    PictureReason.UNREADABLE: "its file is damaged, no picture, or larger than any",
    PictureReason.RIGHTS: "its file says that it may not be used for mining or training",
    PictureReason.COPY: "it is a copy of a suppressed person's picture",
    PictureReason.FACES: "faces are in it",
    PictureReason.WORDS: "a suppressed person's words, or somebody's name, are in it",
}
"""What a picture was left out for, in words."""

AUTO: Final = "auto"
"""Instead of a source's name: the one that takes the paths for its own."""


@click.command("sources")
@shared
def sources(_invocation: Invocation) -> None:
    """List what can be imported: each source's name, what it reads, and its page of the documentation."""
    from demur.sources.sniffing import described  # noqa: PLC0415  # it loads Arrow; help does without

    found = described()
    lines = table(("source", "reads", "page"), [tuple(one) for one in found])
    emit(lambda: "\n".join(lines), {"sources": [one._asdict() for one in found]})


def _sources(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """The sources that begin with what was typed; a plugin may bring more than those of the help page."""
    from demur.sources import source_names  # noqa: PLC0415  # it loads Arrow; help does without

    return [name for name in (AUTO, *source_names()) if name.startswith(incomplete)]


@click.command("import")
@click.argument("source", metavar="SOURCE", shell_complete=_sources)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=LOCAL,
    show_default=True,
    help="Where items are governed: on this machine, or on the Ray or Spark cluster that its environment names.",
)
@click.option("--yes", is_flag=True, help="With auto: don't ask, where exactly one source fits.")
@shared
def import_(invocation: Invocation, source: str, paths: Sequence[str], *, engine: str, yes: bool) -> None:
    """Read a platform's content from each PATH into the corpus, as far as the policy lets it.

    SOURCE is one that `demur sources` lists, or auto: then the command says what it takes PATH for, and asks. PATH is
    a file, a folder or an archive as the platform exports it, here or in an object store (s3://BUCKET/...); for table
    also a database URL. Options of a source stand
    under [sources.NAME] of demur.toml. Importing an item again replaces it: its last reading wins.
    """
    from demur.corpus.importing import import_items, require_pictures  # noqa: PLC0415  # it loads Lance; help does without
    from demur.sources import load_source, to_state  # noqa: PLC0415  # it loads Arrow; help does without
    from demur.sources.meter import watching  # noqa: PLC0415  # the same
    from demur.transit import fetched  # noqa: PLC0415  # most imports fetch nothing

    keep_memory()
    workspace = invocation.workspace
    policy = workspace.policy()
    if policy.pictures.come_in:
        require_pictures()
        note(NOT_YET)
    with fetched(workspace.root, paths, workspace.stored) as here:
        source = _taken_for(here, yes=yes) if source == AUTO else source
        reader = load_source(source)
        with (
            watching(pictures=policy.pictures.come_in) as meter,
            progress("Reading items", share=lambda: meter.share) as advance,
        ):
            options = policy.sources.get(source, {})
            batches, pictures = reader.read(here, options), _pictures(reader, here, options)
            workers = os.cpu_count() or 1
            report = import_items(
                workspace, source, batches, pictures=pictures, workers=workers, engine=engine, progress=advance
            )
    door = _door(report, policy, workspace.policy_path)
    unsaid = to_state(source, report.left_out)
    emit(
        lambda: "\n".join([*_page(report, policy, door), *_unsaid(unsaid), *meter.told]),
        _data(report, policy, door, meter.told) | {"to_state": unsaid},
    )


def _pictures(reader: "Source", paths: Sequence[str], options: "Mapping[str, object]") -> "Shown":
    """Where the pictures come from that the items name: a source that has no files leaves them all out."""
    from demur.corpus.picturing import Shown  # noqa: PLC0415  # it loads Arrow; help does without
    from demur.sources import Pictured  # noqa: PLC0415  # the same

    return Shown(partial(reader.pictures, paths, options) if isinstance(reader, Pictured) else None)


def _taken_for(paths: Sequence[str], *, yes: bool) -> str:
    """The source that the paths are taken for, once somebody agreed."""
    from demur.sources.sniffing import fitting  # noqa: PLC0415  # it loads Arrow; help does without

    found, shown = fitting(paths), ", ".join(paths)
    if not found:
        raise click.UsageError(f"{shown}: no source takes this for its own: name one that `demur sources` lists.")
    asked = sys.stdin.isatty() and not yes
    if len(found) > 1:
        if not asked:
            raise click.UsageError(f"{shown} may be of {' or '.join(found)}: name the source instead of {AUTO}.")
        return str(click.prompt(f"{shown} may be of several sources: which", type=click.Choice(found), err=True))
    if asked:
        click.confirm(f"{shown} looks like something of {found[0]}. Import it as that?", abort=True, err=True)
    elif not yes:
        raise click.UsageError(f"{shown} looks like something of {found[0]}: name it, or add --yes.")
    note(f"Taken for {found[0]}.")
    return found[0]


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
    if report.pictures is not None:
        lines += _of_pictures(report.pictures)
    return lines


def _of_pictures(counts: "PictureCounts") -> list[str]:
    """What became of the pictures that the items name."""
    left_out = sum(counts.left_out.values())
    lines = ["", f"{count(counts.named, 'picture')} named, {counts.kept:,} kept, {left_out:,} left out."]
    return lines + [f"  {number:,}: {WHY_NO_PICTURE[reason]}" for reason, number in counts.left_out.items()]


def _unsaid(unsaid: Sequence[str]) -> list[str]:
    """What can be stated of items whose source is silent."""
    if not unsaid:
        return []
    return ["", "Where you know what the data doesn't say, state it in demur.toml:", *(f"  {one}" for one in unsaid)]


def _data(report: "ImportReport", policy: "Policy", door: Sequence[str], told: Sequence[str]) -> dict[str, object]:
    from demur.policy import rule_of  # noqa: PLC0415  # it loads pydantic; help does without

    rules = {reason: rule_of(reason, policy) for reason in report.left_out}
    data = {**vars(report), "rules": rules, "to_change": door, "told": told}
    pictures = data.pop("pictures")
    return data if pictures is None else data | {"pictures": vars(pictures)}
