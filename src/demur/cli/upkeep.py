"""``demur status`` and ``maintain``: where the workspace stands, and what is due, done in one go."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from demur.cli.frame.options import Invocation, Paged, as_page, shared
from demur.cli.frame.output import Page, count, doubt, emit, emit_paged, progress, table
from demur.corpus.imports import LastImport, OfPictures
from demur.status import Status
from demur.status import status as status_of
from demur.terms import EntryKind
from demur.workspace import Workspace

_MB = 1_000_000


@click.command(cls=Paged)
@as_page
@shared
def status(invocation: Invocation, page: str | None) -> None:
    """Show where the workspace stands: corpus, register, objections, versions, and what is due."""
    found = status_of(invocation.workspace)
    data = {**vars(found), "behind": found.behind, "versions": [vars(each) for each in found.versions]}
    sheet = None if page is None else Page(page, "status.html", lambda: _sheet(invocation.workspace, found))
    emit_paged(lambda: "\n".join(_page(found)), data, sheet)


def _sheet(workspace: Workspace, found: Status) -> str:
    from demur.cli.sheets import status_sheet  # noqa: PLC0415  # it loads the plots; the text does without

    with workspace.register() as register:
        told = [entry.payload for entry in register.log.entries(EntryKind.CORPUS_HONOURED)]
    honoured = [(int(str(each["deleted"])), int(str(each["rewritten"]))) for each in told]
    return status_sheet(found, workspace.policy(), list(_due(found)), honoured, made=datetime.now(UTC))


def _page(found: Status) -> Iterator[str]:
    yield f"Corpus       {count(found.rows, 'row')}"
    if found.pictures is not None:
        yield f"Pictures     {found.pictures:,} beside the rows"
    yield f"Register     {found.head.seq:,} entries, the last binding one is {found.head.binding:,}"
    covered = count(found.suppressed, "account")
    yield f"Objections   {found.objections:,} in force, covering {covered}"
    yield f"Queue        {count(found.queue, 'objection')} for an officer, {count(found.mails, 'mail')} for the worker"
    yield f"Legal basis  {found.basis}, {'signed' if found.signed else 'not signed: nothing can be published'}"
    yield from _imports(found.imports)
    yield from _versions(found)
    yield from _deadlines(found)
    due = list(_due(found))
    yield from ("", *due) if due else ()


def _imports(imports: list[LastImport]) -> Iterator[str]:
    if not imports:
        return
    yield from ("", "Last imports")
    rows = [
        (each.source, each.finished.strftime("%Y-%m-%d %H:%M"), f"{each.counts.read:,}", f"{each.counts.kept:,}")
        for each in imports
    ]
    yield from table(("source", "finished (UTC)", "read", "kept"), rows, right="read kept")
    told = [(each.source, each.pictures) for each in imports if each.pictures is not None]
    pictures = [(source, f"{of.named:,}", f"{of.kept:,}", _reasons(of)) for source, of in told]
    if pictures:
        yield from ("", "Their pictures", *table(("source", "named", "kept", "left out"), pictures, right="named kept"))


def _reasons(of: OfPictures) -> str:
    """Why pictures were left out."""
    return ", ".join(f"{number:,} {reason}" for reason, number in of.left_out.items())


def _versions(found: Status) -> Iterator[str]:
    if found.versions:
        from demur.cli.version import version_lines  # noqa: PLC0415  # it loads what publishes

        yield from ("", "Versions", *version_lines(found.versions))


def _deadlines(found: Status) -> Iterator[str]:
    if found.deadlines:
        rows = [(f"{each.on}{' overdue' if each.overdue else ''}", each.what) for each in found.deadlines]
        yield from ("", "Deadlines", *table(("by", "what"), rows))


def _due(found: Status) -> Iterator[str]:
    """What somebody should do."""
    if found.loss:
        yield found.loss
    if found.import_under_way:
        yield "An import is under way, or was cut off: then the next command that writes undoes it."
    if found.behind:
        yield "The corpus has not followed the register or demur.toml yet: `demur maintain` makes it."
    if found.maintenance_due:
        yield f"{count(found.small_fragments, 'small fragment')} to merge: `demur maintain` does."
    if found.clock_days is not None:
        yield doubt(found.clock_days)
    if not found.imports:
        yield "Nothing was imported yet: `demur import SOURCE PATH...` does."


@click.command
@shared
def maintain(invocation: Invocation) -> None:
    """Bring the corpus up to date, and keep it small and fast.

    Objections that nobody confirmed in time lapse; what the register holds and the corpus has not followed is
    honoured; erasures that wait, or were cut off, are finished; deleted rows leave the files, small files are merged,
    and files of no version are removed.
    """
    from demur.worker import maintenance  # noqa: PLC0415  # it loads Lance; the status does without

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
