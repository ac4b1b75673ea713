"""Is a version, or an export of it, what was published, and is nobody in it who may not be?

Invariants: one code path checks a version and an export; nothing is trusted that the manifest's signature does not
bind; a row that was put back, changed or taken away is named; rows that can't be read are a finding, never a pass;
memory does not grow with the rows.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.corpus.digests import Digester, Digests, item_prefixes
from demur.corpus.export import MANIFEST
from demur.corpus.findings import SHOWN, Code, Findings
from demur.corpus.hexform import from_hex
from demur.corpus.manifest import Manifest, read
from demur.corpus.sidecar import Prefixes, differences, prefixes
from demur.corpus.traces import Positions, Trace, traces
from demur.errors import CorpusError
from demur.suppression.keyset import KeySet
from demur.suppression.lists import SuppressionList, find_list
from demur.suppression.signed import file_digest, read_bytes

Rows = Callable[[], Iterable[pa.RecordBatch]]
"""Gives a version's rows, schema ROW, from the first one; called again to name what was found."""

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
    Trace.SUBJECT: "Row {} names a suppressed person among its subjects.",
}

_BATCH_ROWS: Final = 8192


def check_version(
    rows: Rows, name: str, versions: Path, lists: Path, public_key: Ed25519PublicKey, now: KeySet | None = None
) -> Findings:
    """Check the version ``name``.

    Args:
        rows: the version's rows.
        name: what it was published as.
        versions: the folder of manifests (`NAME.json`) and sidecars (`NAME.rows`).
        lists: the folder of suppression lists.
        public_key: the key that the manifest and the list must be signed with.
        now: who may not be in it today; by default it is judged by its own checkpoint.
    """
    findings = Findings()
    manifest = _manifest(versions / f"{name}.json", name, public_key, findings)
    if manifest is None:
        return findings
    withheld = _withheld(lists, manifest, public_key, findings) if now is None else now
    sidecar = versions / f"{name}.rows"
    if not _bound(sidecar, manifest):
        findings.add(Code.SIDECAR, f"{sidecar} is not the file that the manifest of {name} names.")
    return check_rows(rows, manifest, sidecar, withheld, findings)


def check_export(
    folder: Path, name: str, versions: Path, lists: Path, public_key: Ed25519PublicKey, now: KeySet | None = None
) -> Findings:
    """:func:`check_version` of an export in ``folder``, and whether its copy of the manifest is the version's."""
    findings = check_version(lambda: export_batches(folder), name, versions, lists, public_key, now)
    copy, original = folder / MANIFEST, versions / f"{name}.json"
    try:
        if read_bytes(copy) != read_bytes(original):
            findings.add(Code.MANIFEST, f"{copy} is not the manifest {original}.")
    except CorpusError as error:
        findings.add(Code.MANIFEST, str(error))
    return findings


def check_rows(
    rows: Rows, manifest: Manifest, sidecar: Path, withheld: KeySet, findings: Findings | None = None
) -> Findings:
    """Compare rows with what was published, and with who may not be in them.

    Args:
        rows: a version's rows, or an export's (:func:`export_batches`).
        manifest: the version's manifest; its signature has been checked.
        sidecar: its row hashes; rows are named by it if it is the file that the manifest names.
        withheld: who may not be in it.
        findings: where findings are added; new ones by default.
    """
    findings = Findings() if findings is None else findings
    with tempfile.TemporaryDirectory(prefix="demur-verify-") as folder, Digester() as digester:
        if not _read_rows(rows, digester, withheld, findings):
            return findings
        actual = Path(folder) / "actual.rows"
        digests = digester.finish(actual)
        if _bound(sidecar, manifest) and digests.sidecar_digest != manifest.content.sidecar_digest:
            _name_rows(rows, actual, sidecar, findings)
        elif digests != manifest.content:
            _compare_totals(digests, manifest, findings)
    return findings


def export_batches(folder: Path) -> Iterator[pa.RecordBatch]:
    """The rows of every Parquet file in an export, keys turned back: schema ROW, nulls allowed anywhere.

    Raises:
        CorpusError: when there is none, or one can't be read.
    """
    paths = sorted(folder.rglob("*.parquet"))
    if not paths:
        raise CorpusError(f"{folder} holds no Parquet file: name the folder that demur export wrote.")
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                    yield from_hex(batch)
        except _BROKEN as error:
            raise CorpusError(f"{path} can't be read ({_first_line(error)}): export the version again.") from None


def _manifest(path: Path, name: str, public_key: Ed25519PublicKey, findings: Findings) -> Manifest | None:
    try:
        manifest = read(path, public_key)
    except CorpusError as error:
        findings.add(Code.MANIFEST, str(error))
        return None
    if manifest.name != name:
        findings.add(Code.MANIFEST, f"{path} is the manifest of {manifest.name}, not of {name}.")
        return None
    return manifest


def _withheld(lists: Path, manifest: Manifest, public_key: Ed25519PublicKey, findings: Findings) -> KeySet:
    """Who may not be in the version by its own checkpoint; nobody, and a finding, when the list does not hold."""
    try:
        path = find_list(lists, manifest.checkpoint.binding, manifest.suppression)
        return SuppressionList.read(path, public_key).withheld
    except CorpusError as error:
        findings.add(Code.SUPPRESSION, str(error))
        return KeySet(np.zeros(0, dtype=np.int64))


def _read_rows(rows: Rows, digester: Digester, withheld: KeySet, findings: Findings) -> bool:
    """Digest all rows and look for suppressed people; false when the rows can't be read to their end."""
    try:
        for batch in _readable(rows, findings):
            digester.add(batch)
            _find_people(batch, withheld, findings)
    except _NO_ROWS as error:
        findings.add(Code.UNREADABLE, f"A row holds what no row can hold: {_first_line(error)}.")
    return not findings.counts[Code.UNREADABLE]


def _readable(rows: Rows, findings: Findings) -> Iterator[pa.RecordBatch]:
    """The rows as far as they can be read, then a finding."""
    try:
        yield from rows()
    except _BROKEN as error:
        findings.add(Code.UNREADABLE, f"The rows can't be read to their end: {_first_line(error)}.")


def _find_people(batch: pa.RecordBatch, withheld: KeySet, findings: Findings) -> None:
    items = batch.column("item")
    for trace, positions in traces(batch, withheld):
        for item in _digits(items, positions[:SHOWN]):
            findings.add(Code(trace.value), _SENTENCES[trace].format(item), item)
        findings.count(Code(trace.value), len(positions) - SHOWN)


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
            taken = found[: SHOWN - len(first[code])]
            first[code] = np.concatenate([first[code], taken])
            findings.count(code, len(found) - len(taken))
    items = _items(rows, np.concatenate(list(first.values())))
    for code, found in first.items():
        for prefix in found.tolist():
            item = items.get(prefix, f"{prefix:016x}")
            findings.add(code, f"Row {item} was {code.value} after it was published.", item)


def _count_missing(missing: Prefixes, findings: Findings) -> None:
    for prefix in missing[:SHOWN].tolist():
        sentence = f"A row was removed after it was published: its item begins with {prefix:016x}."
        findings.add(Code.MISSING, sentence, f"{prefix:016x}")
    findings.count(Code.MISSING, len(missing) - SHOWN)


def _items(rows: Rows, wanted: Prefixes) -> dict[int, str]:
    """The item keys in lowercase hexadecimal by their prefix, of those that are wanted."""
    items: dict[int, str] = {}
    for batch in rows():
        if len(items) == len(np.unique(wanted)):
            break
        found = prefixes(item_prefixes(batch))
        at = np.flatnonzero(np.isin(found, wanted))
        items |= zip(found[at].tolist(), _digits(batch.column("item"), at), strict=True)
    return items


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
