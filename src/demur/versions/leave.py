"""A version leaves the workspace: exported, recalled, verified; and what is kept of its recall once it is gone.

Invariants: a stale version is not exported; where an export went is an entry in the register, so that it can be
verified and recalled later; a recall lists what today's rules leave out or change, by item key and reason, and no
text.

Of versions that an erasure retires, ``recalls/VERSION.csv`` lists what holders of exports must remove. Once a version
is gone its list only grows, by what its exports hold of people who were suppressed since.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from demur.corpus.session import Session, reading
from demur.errors import CheckFailed, CorpusError, RegisterError, UnavailableError, UsageError
from demur.register import JSON
from demur.register.continuity.loss import undecided
from demur.runs.belonging import findings as findings_of_models
from demur.store import Place, remove
from demur.suppression.keyset import KeySet
from demur.suppression.lists import SuppressionList, find_list
from demur.suppression.signed import file_digest
from demur.terms import EntryKind
from demur.transit import require_free, send, transit
from demur.versions.export import ExportReport, export_rows
from demur.versions.filelist import LIST
from demur.versions.findings import SHOWN, Code, Findings
from demur.versions.known import known_now
from demur.versions.manifest import Manifest
from demur.versions.states import manifest_of, published, rows_of, stale_rows
from demur.versions.traces import RECALL, RecallReport, recall_rows, write_recall
from demur.versions.verify import check_dataset, check_export, check_version, export_batches
from demur.versions.words import Reader, rules_of
from demur.workspace import Workspace


def export(workspace: Workspace, name: str, to: Place, *, now: datetime | None = None) -> ExportReport:
    """Writes a version to the folder ``to`` as Parquet, with a data card and Croissant metadata.

    To a store it is copied once it is whole, its signed list last: without that, it is none.

    Raises:
        RegisterError: when a restore lost something and nobody has decided that it goes on without.
        UsageError: when there is no such version, or ``to`` is taken.
        CheckFailed: when the version is stale, or holds rows of people who may not be in it: publish a new one.
        CorpusError: when its suppression list or its files are missing or were changed.
    """
    with reading(workspace, now, rows=False) as session:
        binding = session.register.log.head().binding
        assert session.beside  # opened after that, so that it is as far at least
        published(session.register, name)
        if (lost := undecided(session.register.log)) is not None:
            raise RegisterError(lost.sentence)
        _refuse_stale(session, name)
        manifest = manifest_of(session, name)
        signed = (workspace.versions_path / f"{name}.json").read_bytes()
        withheld = _withheld(session, manifest)
        rows = rows_of(workspace, name)
        if isinstance(to, Path):
            report = export_rows(rows, manifest, signed, to, session.keys, withheld=withheld)
        else:
            require_free(to)
            with transit(workspace.root) as folder:
                report = export_rows(rows, manifest, signed, folder / name, session.keys, withheld=withheld)
                send(folder / name, to, LIST)
            report = replace(report, path=to)
        _record(session, name, report, binding)
        return report


def _withheld(session: Session, manifest: Manifest) -> KeySet:
    """Who may not be in an export of a version: those on its own list, and those who may not be in the corpus today."""
    path = find_list(session.workspace.lists_path, manifest.checkpoint.binding, manifest.suppression)
    listed = SuppressionList.read(path, session.keys.signing.public_key()).withheld
    rules, _ = session.wordless()
    return listed.union(rules.objected).union(rules.minors)


def _record(session: Session, name: str, report: ExportReport, binding: int) -> None:
    """Notes where an export went; one that became stale while it was written is removed again (law 1)."""
    payload: dict[str, JSON] = {"name": name, "path": str(report.path), "rows": report.rows}
    payload["files"] = report.files
    while session.register.log.append_if(binding, EntryKind.VERSION_EXPORTED, payload, now=session.now) is None:
        binding = session.register.log.head().binding
        try:
            with reading(session.workspace, session.now, rows=False, register=session.register) as anew:
                _refuse_stale(anew, name)  # an import may have told something
        except CheckFailed:
            remove(report.path)
            raise


def recall(workspace: Workspace, name: str, to: Path, *, now: datetime | None = None) -> RecallReport:
    """Writes the list of rows that holders of copies of a version must remove or replace now to ``to``.

    Raises:
        UsageError: when there is no such version, or ``to`` ends neither in .csv nor in .parquet.
    """
    with reading(workspace, now) as session:
        published(session.register, name)
        return write_recall(recalled(session, name), to)


def verify(
    workspace: Workspace,
    name: str,
    *,
    export: Place | None = None,
    current: bool = False,
    most: int = SHOWN,
    now: datetime | None = None,
) -> Findings:
    """Checks a version, or an export of it, against its manifest, its suppression list and the register.

    Args:
        workspace: where it was published.
        name: what it was published as.
        export: the folder of an export, or its place in a store, to be checked instead of the version.
        current: judge it by the register as it is now, not as of the version's own checkpoint.
        most: findings of each kind that are told one by one; all are counted.
        now: this moment.

    Raises:
        UsageError: when there is no such version.
        UnavailableError: when a store refuses, or does not answer.
    """
    with reading(workspace, now) as session:
        entry = published(session.register, name)
        findings = _check(session, name, export, Findings(most=most), current=current)
        _check_register(session, name, str(entry.payload["manifest"]), findings)
        for sentence in findings_of_models(
            workspace.models_path, session.register, session.policy, session.keys.signing.public_key()
        ):
            findings.add(Code.MODEL, sentence)
        return findings


def exports_of(session: Session, name: str) -> tuple[list[Place], list[str]]:
    """Where a version was exported to, as far as it still lies there, and which stores could not be asked, and why."""
    entries = session.register.log.entries(EntryKind.VERSION_EXPORTED)
    paths = dict.fromkeys(str(entry.payload["path"]) for entry in entries if entry.payload["name"] == name)
    found: list[Place] = []
    unasked = []
    for path in paths:
        where = session.workspace.exported(path)
        try:
            if where.is_dir() if isinstance(where, Path) else where.exists():
                found.append(where)
        except (UnavailableError, UsageError) as error:  # the latter: without what asks a store
            unasked.append(f"The export {path} was not looked at. {error}")
    return found, unasked


def _check(session: Session, name: str, export: Place | None, findings: Findings, *, current: bool) -> Findings:
    workspace, public_key = session.workspace, session.keys.signing.public_key()
    rules, _ = session.rules()
    withheld = rules.objected.union(rules.minors) if current else None

    def reading(manifest: Manifest, listed: SuppressionList | None) -> Reader:
        if listed is None:
            return Reader(*known_now(session))
        return Reader(rules_of(rules, listed, manifest.words or {}, workspace.lists_path))

    places = (name, workspace.versions_path, workspace.lists_path, public_key, withheld, findings)
    if export is not None:
        return check_export(export, *places, on_record=_lists_on_record(session, name, export), reading=reading)
    check_version(lambda: rows_of(workspace, name), *places, reading=reading)
    if (manifest := _readable(session, name)) is not None:
        check_dataset(workspace.corpus_place, manifest, findings)
    return findings


def _lists_on_record(session: Session, name: str, export: Place) -> list[str | None]:
    """The digests of the lists of a version's exports: of the one that was written there, else of all."""
    entries = [e.payload for e in session.register.log.entries(EntryKind.VERSION_EXPORTED) if e.payload["name"] == name]
    where = str(export.resolve() if isinstance(export, Path) else export)
    there = [payload for payload in entries if payload["path"] == where]
    lists = (payload.get("files") for payload in there or entries)
    return [None if digest is None else str(digest) for digest in lists]


def _check_register(session: Session, name: str, digest: str, findings: Findings) -> None:
    """Whether register and manifests fit each other, and the tag stands where the manifest says."""
    path = session.workspace.versions_path / f"{name}.json"
    if path.exists() and file_digest(path) != digest:
        findings.add(Code.MANIFEST, f"{path} is not the manifest whose digest the register holds.")
    _check_entries(session, name, findings)
    manifest = _readable(session, name)
    tag = session.corpus.dataset.tags.list().get(name)
    if manifest is not None and (tag is None or tag["version"] != manifest.lance_version):
        found = "is gone" if tag is None else f"stands at version {tag['version']}"
        findings.add(Code.TOTALS, f"The tag {name} {found}; the manifest says {manifest.lance_version}.")


def _check_entries(session: Session, name: str, findings: Findings) -> None:
    """Whether every entry is what it says it is, what stands follows from them, and manifests pin them down."""
    pinned = {each: manifest.checkpoint for each, manifest in _manifests(session)}
    told = session.register.audit(
        lambda sentence: findings.add(Code.REGISTER, sentence), [each.seq for each in pinned.values()]
    )
    for each, checkpoint in pinned.items():
        if told.digests[checkpoint.seq] != checkpoint.digest:
            code = Code.TOTALS if each == name else Code.REGISTER
            findings.add(code, f"The register's entries up to {checkpoint.seq} are not those of {each}.")
    for each, manifest in _manifests(session):
        if manifest.log is not None and not _goes_on(session, manifest.log):
            findings.add(Code.REGISTER, f"The register's log does not go on from the checkpoint in {each}.")


def _goes_on(session: Session, note: str) -> bool:
    """Whether the register's log goes on from a checkpoint that its own key signed."""
    try:
        return session.register.proving.goes_on_from(note)
    except (CheckFailed, RegisterError):
        return False


def _manifests(session: Session) -> Iterator[tuple[str, Manifest]]:
    """Every manifest that can be read, those of retired versions included: each pins entries down."""
    for path in sorted(session.workspace.versions_path.glob("*.json")):
        manifest = _readable(session, path.stem)
        if manifest is not None:
            yield path.stem, manifest


def _readable(session: Session, name: str) -> Manifest | None:
    try:
        return manifest_of(session, name)
    except CorpusError:
        return None  # a finding already


def _refuse_stale(session: Session, name: str) -> None:
    if stale := sum(len(rows) for rows, _ in stale_rows(session, name)):
        raise CheckFailed(
            f"Version {name} is stale: {stale} of its rows may not be used, or not as they are, any more; "
            "publish a new version and export that."
        )


def recalled(session: Session, name: str) -> Iterator[pa.RecordBatch]:
    """What holders of a version's copies must remove or replace now, schema RECALL.

    A row that is left out now is listed by its reason, one that is only rewritten by what it holds of somebody.
    """
    for rows, reasons in stale_rows(session, name):
        items = [key.hex() for key in rows.column("item").to_pylist()]
        yield pa.RecordBatch.from_arrays([pa.array(items), pa.array(reasons)], schema=RECALL)


def recall_list(session: Session, name: str) -> Path:
    """Where the list of a version lies, if there is one."""
    return session.workspace.recalls_path / f"{name}.csv"


def write_recalled(session: Session, name: str) -> None:
    """Writes the list of a version that still can be read."""
    try:
        write_recall(recalled(session, name), recall_list(session, name))
    except CorpusError:
        return  # the version can't be read any more, and goes all the same


def extend_recalled(session: Session, name: str, export: Place) -> None:
    """Adds to the list of a version that was retired before what an export of it holds of people suppressed since."""
    path = recall_list(session, name)
    rules, _ = session.wordless()
    listed = _read_recalled(path) if path.exists() else RECALL.empty_table()
    try:
        words = Reader(*known_now(session))
        found = list(recall_rows(export_batches(export), rules.objected.union(rules.minors), words.found))
    except (CorpusError, UnavailableError):
        return  # it is not there any more, or broken, or its store does not say; the erasure names it all the same
    fresh = pa.Table.from_batches(found, RECALL)
    fresh = fresh.filter(pc.invert(pc.is_in(fresh.column("item"), listed.column("item"))))
    if fresh.num_rows:
        write_recall(pa.concat_tables([listed, fresh]).to_batches(), path)


def _read_recalled(path: Path) -> pa.Table:
    types = {column.name: column.type for column in RECALL}
    return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=types)).cast(RECALL)
