"""Is a version, or an export of it, what was published, and is nobody in it who may not be?

Invariants: one code path checks a version and an export; nothing is trusted that the manifest's signature does not
bind; a row that was put back, changed or taken away is named; rows that can't be read are a finding, never a pass;
memory does not grow with the rows.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.corpus.datasets.corpus import Corpus
from demur.errors import CorpusError, RegisterError
from demur.kernel.schema import ROW, STORED
from demur.store import Place
from demur.suppression.keyset import KeySet
from demur.suppression.lists import SuppressionList, find_list
from demur.suppression.signed import file_digest, is_exact, read_bytes
from demur.versions.digests import UNKNOWN, Digester, Digests, Prefixes, differences, item_prefixes, prefixes
from demur.versions.export import MANIFEST
from demur.versions.export_form import from_hex, shard, shards_in
from demur.versions.exportcheck import OnRecord, Signed, check_folder
from demur.versions.filelist import differences as file_differences
from demur.versions.filelist import shown
from demur.versions.findings import Code, Findings
from demur.versions.manifest import Manifest, parse
from demur.versions.traces import Positions, Trace, traces
from demur.versions.words import Reader

if TYPE_CHECKING:
    import lance

Rows = Callable[[], Iterable[pa.RecordBatch]]
"""Gives a version's rows, schema ROW, from the first one; called again to name what was found."""

Reading = Callable[[Manifest, SuppressionList | None], Reader]
"""Gives what reads a version's rows for names and copies.

Of a version that is judged by its own checkpoint, the list is that of its checkpoint.

Raises:
    CorpusError, RegisterError: when a section of the list is missing or was changed.
"""

_NO_ROWS: Final = (pa.ArrowException, ValueError, KeyError, TypeError, NotImplementedError)
"""What is raised for batches that don't hold rows: wrong columns, wrong types, text that is no UTF-8."""

_BROKEN: Final = (*_NO_ROWS, CorpusError, OSError)
"""What readers raise for files and values that are not what they claim to be."""

_SENTENCES: Final[Mapping[Trace, str]] = {
    Trace.AUTHOR: "Row {} was written by a suppressed person.",
    Trace.RESHARE: "Row {} passes on what a suppressed person wrote.",
    Trace.QUOTE: "Row {} quotes a suppressed person.",
    Trace.MENTION: "Row {} mentions a suppressed person.",
    Trace.TAG: "Row {} tags a suppressed person.",
    Trace.COPY: "Row {} holds words that a suppressed person wrote.",
    Trace.NAME: "Row {} holds the name of a suppressed person.",
    Trace.SUBJECT: "Row {} names a suppressed person among its subjects.",
}

_BATCH_ROWS: Final = 8192
_NOBODY: Final = KeySet(np.zeros(0, dtype=np.int64))

_OLDER: Final = (
    "Version {} was published by an older demur, which looked for no names and no copied words of people who objected: "
    "its rows were not read for them; with --now they are."
)
_KEYED: Final = "Version {} was not read for names and copied words: that takes the pepper."
_HANGING: Final = (
    "In {:,} rows of version {} it hangs on their threads whom a word names, and a suppression list says nothing of "
    "threads: these were read for full names and copied words; with --now they are read with what is known of threads."
)


def check_version(  # noqa: PLR0913  # what a version is, and what it is judged by
    rows: Rows,
    name: str,
    versions: Path,
    lists: Path,
    public_key: Ed25519PublicKey,
    now: KeySet | None = None,
    findings: Findings | None = None,
    *,
    reading: Reading | None = None,
) -> Findings:
    """Check the version ``name``.

    Args:
        rows: the version's rows.
        name: what it was published as.
        versions: the folder of manifests (`NAME.json`) and sidecars (`NAME.rows`).
        lists: the folder of suppression lists.
        public_key: the key that the manifest and the list must be signed with.
        now: who may not be in it today; by default it is judged by its own checkpoint.
        findings: where findings are added; new ones by default.
        reading: reads texts for names and copied words, which takes the pepper; by default none are looked for.
    """
    findings = Findings() if findings is None else findings
    manifest = read_manifest(versions / f"{name}.json", name, public_key, findings)
    if manifest is None:
        return findings
    listed = _list_of(lists, manifest, public_key, findings) if now is None else None
    withheld = now if now is not None else listed.withheld if listed else _NOBODY
    reader = _reader(reading, manifest, listed, findings, current=now is not None)
    sidecar = versions / f"{name}.rows"
    if not _bound(sidecar, manifest):
        findings.add(Code.SIDECAR, f"{sidecar} is not the file that the manifest of {name} names.")
    check_rows(rows, manifest, sidecar, withheld, findings, reader)
    if reader is not None and reader.hanging:
        findings.note(_HANGING.format(reader.hanging, name))
    return findings


def check_export(  # noqa: PLR0913  # what a version is judged by, and an export besides
    folder: Place,
    name: str,
    versions: Path,
    lists: Path,
    public_key: Ed25519PublicKey,
    now: KeySet | None = None,
    findings: Findings | None = None,
    *,
    on_record: OnRecord | None = None,
    reading: Reading | None = None,
) -> Findings:
    """:func:`check_version` of an export in ``folder``, and whether its files are those that were signed.

    ``on_record`` are the digests of the lists of its exports that the register holds; None does not ask it.
    """
    places = (name, versions, lists, public_key, now, findings)
    findings = check_version(lambda: export_batches(folder), *places, reading=reading)
    try:
        data = read_bytes(versions / f"{name}.json")
        manifest = parse(data, public_key, where=name)
    except CorpusError:
        manifest = None  # a finding already
    if manifest is not None:
        digest = hashlib.sha256(data).hexdigest()
        check_folder(folder, Signed(manifest, digest, public_key, on_record), findings)
    copy, original = folder / MANIFEST, versions / f"{name}.json"
    try:
        if read_bytes(copy) != read_bytes(original):
            findings.add(Code.MANIFEST, f"{copy} is not the manifest {original}.")
    except CorpusError as error:
        findings.add(Code.MANIFEST, str(error))
    return findings


def check_dataset(path: Place, manifest: Manifest, findings: Findings) -> None:
    """Whether a version in the corpus at ``path`` has the columns, metadata and files that it was published with."""
    try:
        corpus = Corpus.open(path, manifest.name)
    except CorpusError as error:
        findings.add(Code.UNREADABLE, str(error))
        return
    dataset = corpus.dataset
    for column in sorted(set(dataset.schema.names) ^ set((STORED if corpus.has_words else ROW).names)):
        has = "has the column {}, which no version has" if column in dataset.schema.names else "lacks the column {}"
        findings.add(Code.COLUMN, f"Version {manifest.name} {has.format(shown(column))}.")
    for column in STORED:
        if column.name in dataset.schema.names and dataset.schema.field(column.name).type != column.type:
            kind = dataset.schema.field(column.name).type
            findings.add(Code.COLUMN, f"Version {manifest.name} has the column {column.name} as {kind}.")
    for key in _unknown_metadata(dataset, manifest.format):
        findings.add(Code.COLUMN, f"Version {manifest.name} holds metadata that no version has: {shown(key)}.")
    if manifest.files is None:
        findings.note(
            f"Version {manifest.name} was published by an older demur, which did not sign the corpus's files: "
            "bytes of these that belong to no row were not checked."
        )
    for each, wrong in file_differences(path, manifest.files or ()):
        findings.add(Code.FILE, f"{path / each.path}, a file of version {manifest.name}, {wrong}.")


def _unknown_metadata(dataset: "lance.LanceDataset", form: int) -> Iterator[str]:
    """What a dataset says of itself beyond what demur wrote; what demur says may have grown since format 1."""
    known = {b"demur.format"} if form == 1 else None
    for key in dataset.schema.metadata or {}:
        if key not in known if known is not None else not key.startswith(b"demur."):
            yield key.decode("utf-8", "replace")
    for field in dataset.schema:
        if field.metadata:
            yield f"of the column {field.name}"


def check_rows(
    rows: Rows,
    manifest: Manifest,
    sidecar: Path | None,
    withheld: KeySet,
    findings: Findings | None = None,
    reader: Reader | None = None,
) -> Findings:
    """Compare rows with what was published, and with who may not be in them.

    Args:
        rows: a version's rows, or an export's (:func:`export_batches`).
        manifest: the version's manifest; its signature has been checked.
        sidecar: its row hashes; rows are named by it if it is the file that the manifest names. None: it isn't at hand.
        withheld: who may not be in it.
        findings: where findings are added; new ones by default.
        reader: reads texts for their names and words; None looks for none.
    """
    findings = Findings() if findings is None else findings
    salt = manifest.content.subjects_salt
    with (
        tempfile.TemporaryDirectory(prefix="demur-verify-") as folder,
        Digester(salt=bytes.fromhex(salt) if salt is not None else None) as digester,
    ):
        if not _read_rows(rows, digester, withheld, findings, reader):
            return findings
        actual = Path(folder) / "actual.rows"
        digests = digester.finish(actual)
        if (
            sidecar is not None
            and _bound(sidecar, manifest)
            and digests.sidecar_digest != manifest.content.sidecar_digest
        ):
            _name_rows(rows, actual, sidecar, findings)
        elif (counted := _with_regions(digests, manifest)) != manifest.content:
            _compare_totals(counted, manifest, findings)
    return findings


def export_batches(folder: Place) -> Iterator[pa.RecordBatch]:
    """The rows of every Parquet file in an export, keys turned back: schema ROW, nulls allowed anywhere.

    Raises:
        CorpusError: when there is none, or one can't be read.
        UnavailableError: when its store refuses, or does not answer.
    """
    paths = shards_in(folder)
    if not paths:
        raise CorpusError(f"{folder} holds no Parquet file: name the folder that demur export wrote.")
    for path in paths:
        try:
            with shard(path) as file:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                    yield from_hex(batch)
        except _BROKEN as error:
            raise CorpusError(f"{path} can't be read ({_first_line(error)}): export the version again.") from None


def read_manifest(path: Place, name: str, public_key: Ed25519PublicKey, findings: Findings) -> Manifest | None:
    """The manifest of a version; None, and findings, where it is not one that the key signed."""
    try:
        data = read_bytes(path)
        manifest = parse(data, public_key, where=str(path))
    except CorpusError as error:
        findings.add(Code.MANIFEST, str(error))
        return None
    if not is_exact(data, public_key):
        findings.add(Code.MANIFEST, f"{path} has bytes that were not signed, or names another key.")
    if manifest.name != name:
        findings.add(Code.MANIFEST, f"{path} is the manifest of {manifest.name}, not of {name}.")
        return None
    return manifest


def _list_of(
    lists: Path, manifest: Manifest, public_key: Ed25519PublicKey, findings: Findings
) -> SuppressionList | None:
    """Who may not be in the version by its own checkpoint; nobody, and a finding, when the list does not hold."""
    try:
        path = find_list(lists, manifest.checkpoint.binding, manifest.suppression)
        return SuppressionList.read(path, public_key)
    except CorpusError as error:
        findings.add(Code.SUPPRESSION, str(error))
        return None


def _reader(
    reading: Reading | None, manifest: Manifest, listed: SuppressionList | None, findings: Findings, *, current: bool
) -> Reader | None:
    """What reads the rows for names and copies, if any may not be in them; says what can't be read and why."""
    if not current and manifest.words is None:
        findings.note(_OLDER.format(manifest.name))
        return None
    if not current and (listed is None or not manifest.words):
        return None  # a finding already, or a policy that keeps names and copies
    if reading is None:
        findings.note(_KEYED.format(manifest.name))
        return None
    try:
        return reading(manifest, listed)
    except (CorpusError, RegisterError) as error:
        findings.add(Code.SUPPRESSION, str(error))
        return None


def _read_rows(rows: Rows, digester: Digester, withheld: KeySet, findings: Findings, reader: Reader | None) -> bool:
    """Digest all rows and look for suppressed people; false when the rows can't be read to their end."""
    try:
        for batch in _readable(rows, findings):
            digester.add(batch)
            _find_people(batch, withheld, findings, reader)
    except _NO_ROWS as error:
        findings.add(Code.UNREADABLE, f"A row holds what no row can hold: {_first_line(error)}.")
    return not findings.counts[Code.UNREADABLE]


def _readable(rows: Rows, findings: Findings) -> Iterator[pa.RecordBatch]:
    """The rows as far as they can be read, then a finding."""
    try:
        yield from rows()
    except _BROKEN as error:
        findings.add(Code.UNREADABLE, f"The rows can't be read to their end: {_first_line(error)}.")


def _find_people(batch: pa.RecordBatch, withheld: KeySet, findings: Findings, reader: Reader | None) -> None:
    items = batch.column("item")
    words = reader.found(batch) if reader is not None else ()
    for trace, positions in chain(traces(batch, withheld), words):
        for item in _digits(items, positions[: findings.most]):
            findings.add(Code(trace.value), _SENTENCES[trace].format(item), item)
        findings.count(Code(trace.value), len(positions) - findings.most)


def _bound(sidecar: Path, manifest: Manifest) -> bool:
    """Whether ``sidecar`` is the file that the manifest names."""
    try:
        return file_digest(sidecar) == manifest.content.sidecar_digest
    except CorpusError:
        return False


def _name_rows(rows: Rows, actual: Path, published: Path, findings: Findings) -> None:
    """Name the rows that were changed, added or taken away; a second reading gives the whole item key of the first."""
    first = {code: np.zeros(0, dtype=np.uint64) for code in (Code.CHANGED, Code.ADDED)}
    for difference in differences(actual, published):
        _count_missing(difference.missing, findings)
        for code, found in ((Code.CHANGED, difference.changed), (Code.ADDED, difference.added)):
            taken = found[: findings.most - len(first[code])]
            first[code] = np.concatenate([first[code], taken])
            findings.count(code, len(found) - len(taken))
    items = _items(rows, np.concatenate(list(first.values())))
    for code, found in first.items():
        for prefix in found.tolist():
            item = items.get(prefix, f"{prefix:016x}")
            findings.add(code, f"Row {item} was {code.value} after it was published.", item)


def _count_missing(missing: Prefixes, findings: Findings) -> None:
    for prefix in missing[: findings.most].tolist():
        sentence = f"A row was removed after it was published: its item begins with {prefix:016x}."
        findings.add(Code.MISSING, sentence, f"{prefix:016x}")
    findings.count(Code.MISSING, len(missing) - findings.most)


def _items(rows: Rows, wanted: Prefixes) -> dict[int, str]:
    """The item keys in lowercase hexadecimal by their prefix, of those that are wanted."""
    items: dict[int, str] = {}
    wanted = np.unique(wanted)
    for batch in rows():
        if len(items) == len(wanted):
            break
        found = prefixes(item_prefixes(batch))
        at = np.flatnonzero(np.isin(found, wanted))
        items |= zip(found[at].tolist(), _digits(batch.column("item"), at), strict=True)
    return items


def _with_regions(digests: Digests, manifest: Manifest) -> Digests:
    """The digests with the manifest's regions, if these can be theirs: rows without one may be of any of them.

    The regions of members are not in the rows, so that a manifest of format 2 says more than rows can show.
    """
    said, found = manifest.content.regions, digests.regions
    possible = all(said.get(region, 0) >= count for region, count in found.items() if region != UNKNOWN)
    if manifest.format == 1 or not possible or sum(said.values()) != sum(found.values()):
        return digests
    return replace(digests, regions=said)


def _compare_totals(digests: Digests, manifest: Manifest, findings: Findings) -> None:
    """Say which totals of the manifest the rows don't have, when no row can be named."""
    said = asdict(manifest.content)
    for field, value in asdict(digests).items():
        if value != said[field]:
            told = "" if isinstance(value, dict) else f": {said[field]}, and its rows give {value}"
            findings.add(Code.TOTALS, f"The manifest of {manifest.name} says another `{field}`{told}.")


def _digits(items: pa.Array, positions: Positions) -> list[str]:
    """Item keys in lowercase hexadecimal."""
    return [(key or b"").hex() or "without an item key" for key in items.take(pa.array(positions)).to_pylist()]


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:300]
