"""``demur publish`` to ``verify``: the versions of the corpus, what leaves the house of them, and whether both hold."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from demur import store
from demur.cli.frame.options import Invocation, Paged, as_page, shared, written
from demur.cli.frame.output import Page, as_json, count, emit, emit_paged, note, progress, table
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.register.continuity.loss import undecided
from demur.runs.listing import REPLAY, Recalled, recalled
from demur.store import Place
from demur.versions import auditing, leave
from demur.versions import publish as publishing
from demur.versions.findings import EVERY, MEANS, Findings
from demur.versions.states import VersionState, published, states
from demur.workspace import Workspace

_MB = 1_000_000
_EXAMPLES = 3
"""Findings of each kind that are told one by one."""

Checked = Mapping[Place | None, Findings]
"""What was found in each place: None is the version in the workspace, any other an export."""


@click.command
@click.argument("name")
@click.option("--accept-loss", is_flag=True, help="Go on without what a restore lost; the decision is put on record.")
@shared
def publish(invocation: Invocation, name: str, *, accept_loss: bool) -> None:
    """Publish the corpus as it is now as the version NAME, which never changes.

    A name is used once. It honours every objection recorded before; a later one makes it stale. Refuses while the
    legal basis in use is not signed, and while it is not decided what becomes of a restore's loss.
    """
    with progress(f"Publishing {name}"):
        manifest = publishing.publish(invocation.workspace, name, accept_loss=accept_loss)
    content = manifest.content
    sentence = (
        f"Version {name} is published: {count(content.rows, 'row')},"
        f" honouring the register up to entry {manifest.checkpoint.binding}."
    )
    emit(sentence, manifest.facts())


@click.command
@shared
def versions(invocation: Invocation) -> None:
    """List the versions, and whether they are stale: rows that may not be used any more, or not as they are."""
    with reading(invocation.workspace) as session:
        found = states(session)
    emit(lambda: _listed(found), {"versions": found_data(found)})


@click.command
@click.argument("name")
@shared
def retire(invocation: Invocation, name: str) -> None:
    """Retire the version NAME: it can't be exported any more, and `demur maintain` removes its files."""
    publishing.retire(invocation.workspace, name)
    emit(f"Version {name} is retired; `demur maintain` removes its files.", {"name": name, "retired": True})


def found_data(found: Sequence[VersionState]) -> list[dict[str, object]]:
    """Versions, for machines."""
    return [vars(state) for state in found]


def version_lines(found: Sequence[VersionState]) -> list[str]:
    """Versions, for people."""
    rows = [
        (state.name, state.published.strftime("%Y-%m-%d %H:%M"), f"{state.rows:,}", _standing(state)) for state in found
    ]
    return list(table(("version", "published (UTC)", "rows", "state"), rows, right="rows"))


def _listed(found: Sequence[VersionState]) -> str:
    return "\n".join(version_lines(found)) if found else "No version yet: `demur publish NAME` makes one."


def _standing(state: VersionState) -> str:
    if state.retired:
        return "retired"
    return f"stale: {count(state.stale, 'row')} to remove or replace" if state.stale else "current"


@click.command
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["parquet"]), default="parquet", show_default=True, help="File format."
)
@click.option(
    "--to",
    required=True,
    metavar="DIR",
    help="A folder that is new or empty, or a place in an object store (s3://...).",
)
@shared
def export(invocation: Invocation, name: str, form: str, to: str) -> None:
    """Write the version NAME as files that trainers read, with its manifest, a data card and Croissant metadata.

    A stale version is not exported (exit code 1): publish a new one.
    """
    with progress(f"Exporting {name}"):
        workspace = invocation.workspace
        report = leave.export(workspace, name, workspace.exported(to))
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

    It names rows by their item key, as the export does, with the reason; it holds no text and names nobody. Runs that
    were trained on it are told besides: their checkpoints, and where weights of them went.
    """
    with progress(f"Comparing {name} with the register"):
        report = leave.recall(invocation.workspace, name, to)
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(report.reasons.items()))
    told = f"{count(report.rows, 'row')} to remove or replace{f' ({reasons})' if reasons else ''}: {to}"
    with invocation.workspace.register() as register:
        runs = recalled(invocation.workspace.models_path, register, name)
    data = {"name": name, "path": to, "rows": report.rows, "reasons": report.reasons, "runs": runs}
    emit(lambda: "\n".join([told, *(line for run in runs for line in _run_lines(run))]), data)


def _run_lines(run: Recalled) -> Iterator[str]:
    """What was trained on a version, and what is to be done about it."""
    there = f"{count(run.checkpoints, 'checkpoint')} in {', '.join(run.models)}" if run.models else "no files here"
    to_do = f": run `demur replay {run.run}`" if run.waits == REPLAY else ""
    yield f"Trained on it: run {run.run}, {there}{to_do}"
    yield from (f"  weights that left: {to} ({digest})" for to, digest in run.exported)


@click.command(cls=Paged)
@click.argument("name")
@click.option("--now", "current", is_flag=True, help="Judge it by the register as it is now, not as of its publishing.")
@click.option("--all", "every", is_flag=True, help="Tell every finding, not the first few of each kind.")
@click.option(
    "--export",
    "given",
    metavar="DIR",
    help="Check only this export, wherever it lies now: a folder, or a place in an object store (s3://...).",
)
@click.option("--key", metavar="HEX", help="Check --export without a workspace, by the key of manifests (or its file).")
@click.option(
    "--proof",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="With --key: no row may be by or about whom this proof of absence is of.",
)
@as_page
@shared
def verify(  # noqa: PLR0913  # its options
    invocation: Invocation,
    name: str,
    given: str | None,
    key: str | None,
    proof: Path | None,
    page: str | None,
    *,
    current: bool,
    every: bool,
) -> None:
    """Check the version NAME, its manifest and every export of it that still lies where it was written.

    Exits with 1 where something does not hold; says how many findings of each kind there are, and names the first rows.
    With --all, and with --json, every row is named.

    With --export and --key an auditor checks an export alone: its rows, counts and tree of people are made again from
    the Parquet files, and compared with the manifest that the key signed. `demur log key --json` tells the key.
    """
    if key is None and proof is not None:
        raise click.UsageError("--proof is held against an export: give --export and --key, too.")
    if key is not None:
        if given is None or current or page is not None:
            raise click.UsageError("--key checks an export alone: give --export, and neither --now nor a page.")
        _verify_alone(name, _folder(given) or store.place(given), key, proof, every=every)
        return
    workspace = invocation.workspace
    if lost := loss_of(workspace):
        note(lost)
    places, unasked = _places(workspace, name, given)
    most = EVERY if every or as_json() or page is not None else _EXAMPLES
    with progress(f"Verifying {name}"):
        checked = {place: leave.verify(workspace, name, export=place, current=current, most=most) for place in places}
    for sentence in unasked:
        checked[None].note(sentence)
    data = _data(name, checked, current=current) | {"loss": lost}
    shown = None if page is None else _sheet(workspace, name, checked, page, current=current)
    emit_paged(lambda: "\n".join(_page(name, checked, every=every)), data, shown)
    _require_none(name, checked)


def _places(workspace: Workspace, name: str, given: str | None) -> tuple[list[Place | None], list[str]]:
    """What is checked: the export that was named, else the version and its exports; and which of these can't be."""
    if given is not None:
        return [_folder(given) or workspace.exported(given)], []
    with reading(workspace) as session:
        found, unasked = leave.exports_of(session, name)
    return [None, *found], unasked


def _folder(given: str) -> Path | None:
    """The folder that somebody names; None for a place in a store.

    Raises:
        UsageError: when there is none.
    """
    if store.is_url(given):
        return None
    if not Path(given).is_dir():
        raise click.UsageError(f"There is no folder {given}: --export takes the folder that `demur export` wrote.")
    return Path(given)


def _verify_alone(name: str, folder: Place, key: str, proof: Path | None, *, every: bool) -> None:
    """Check an export by what lies in its folder."""
    signer = auditing.public_key(written(key))
    absence = None if proof is None else auditing.Absence.read(proof)
    findings = Findings(most=EVERY if every or as_json() else _EXAMPLES)
    with progress(f"Verifying {name}"):
        auditing.check_alone(folder, name, signer, absence, findings)
    checked: Checked = {folder: findings}
    emit(lambda: "\n".join(_page(name, checked, every=every)), _data(name, checked, current=False))
    _require_none(name, checked)


def _require_none(name: str, checked: Checked) -> None:
    wrong = sum(findings.total for findings in checked.values())
    if wrong:
        raise CheckFailed(
            f"Version {name} does not hold: {count(wrong, 'finding')}; publish a new version, and don't use this one."
        )


def _sheet(workspace: Workspace, name: str, checked: Checked, to: str, *, current: bool) -> Page:
    from demur.cli import sheets  # noqa: PLC0415  # it loads the plots; the text does without

    with reading(workspace, rows=False) as session:
        rows = int(str(published(session.register, name).payload["rows"]))
    found = sheets.Checked(name, rows, current, checked)
    return Page(to, f"verify-{name}.html", lambda: sheets.verify_sheet(found, made=datetime.now(UTC)))


def loss_of(workspace: Workspace) -> str:
    """What a restore lost and nobody has decided on, in one sentence; "" where nothing is."""
    with workspace.register() as register:
        lost = undecided(register.log)
    return lost.sentence if lost else ""


def _page(name: str, checked: Checked, *, every: bool) -> Iterator[str]:
    for place, findings in checked.items():
        what = f"Version {name}" if place is None else f"The export {place}"
        yield f"{what}: nothing is wrong." if findings.ok else f"{what}: {count(findings.total, 'finding')}:"
        yield from (f"  {line}" for line in (findings.lines() if every else _summed(findings)))
        yield from (f"  Note: {note}" for note in findings.notes)
    if not every and any(findings.total > len(findings.shown) for findings in checked.values()):
        yield "With --all every one is named, with --json for machines."


def _summed(findings: Findings) -> Iterator[str]:
    """Each kind that was found, with its first few findings."""
    for kind in findings.summary(_EXAMPLES):
        yield f"{kind.number:>7,}  {kind.code}: {MEANS[kind.code]}"
        yield from (f"{'':9}{sentence}" for sentence in kind.examples)
        if (more := kind.number - len(kind.examples)) > 0:
            yield f"{'':9}... and {more:,} more"


def _data(name: str, checked: Checked, *, current: bool) -> dict[str, object]:
    places = [
        {
            "export": None if place is None else str(place),
            "ok": findings.ok,
            "counts": dict(findings.counts),
            "findings": [vars(finding) for finding in findings.shown],
            "notes": findings.notes,
        }
        for place, findings in checked.items()
    ]
    return {"name": name, "now": current, "ok": all(each.ok for each in checked.values()), "checked": places}
