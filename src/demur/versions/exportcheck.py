"""Is a folder, or a place in a store, the export that was signed: every file, every column, and nothing else?

Invariants: whatever lies in the folder is either on the list or a finding that names it, whatever its name, depth or
kind; links are never followed on the way, and a store has none; for an export that has no list (made until November
2026) the files that it may have, their columns and their descriptions follow from the signed manifest, and what does
not is said in a note.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import orjson
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.errors import CorpusError
from demur.store import Place, Stored
from demur.suppression.signed import file_digest, is_exact, read_bytes
from demur.versions.card import card
from demur.versions.croissant import Shard, croissant
from demur.versions.export import CARD, CROISSANT, DATA, MANIFEST
from demur.versions.export_form import EXPORTED, shard
from demur.versions.filelist import ALLOWED, LIST, Column, FileList, columns_of, differences, shown
from demur.versions.findings import Code, Findings
from demur.versions.manifest import Manifest

OnRecord = Sequence[str | None]
"""The SHA-256 of the list of each export of a version that the register knows; None for one made without a list."""

_SHARD: Final = re.compile(r"train-(\d{5})-of-(\d{5})\.parquet")

_OLD: Final = (
    "{} was made by an older demur and has no signed list of its files: rows, columns, Parquet metadata, card and "
    "Croissant were checked against the signed manifest; bytes of its shards that belong to none of these were not."
)


@dataclass(frozen=True)
class Signed:
    """What an export is judged by."""

    manifest: Manifest
    digest: str
    """SHA-256 of the manifest's file."""
    public_key: Ed25519PublicKey
    on_record: OnRecord | None
    """None: the register is not asked."""


def check_folder(folder: Place, signed: Signed, findings: Findings) -> None:
    """Add what is wrong with the files of an export to ``findings``; its rows are not looked at."""
    if not _lies(folder / LIST):
        _without_list(folder, signed, findings)
        return
    try:
        data = read_bytes(folder / LIST)
        listed = FileList.parse(data, signed.public_key, where=str(folder / LIST))
        exact = is_exact(data, signed.public_key)
    except CorpusError as error:
        findings.add(Code.FILE, str(error))
        return
    if not exact:
        findings.add(Code.FILE, f"{folder / LIST} has bytes that were not signed.")
    if (listed.name, listed.manifest) != (signed.manifest.name, signed.digest):
        findings.add(
            Code.FILE, f"{folder / LIST} is the list of another version, or of another {signed.manifest.name}."
        )
    if signed.on_record is not None and file_digest(folder / LIST) not in signed.on_record:
        findings.add(Code.FILE, f"{folder / LIST} is no list whose digest the register holds: export again.")
    _check_listed(folder, listed, findings)


def _check_listed(folder: Place, listed: FileList, findings: Findings) -> None:
    _name_extra(folder, [LIST, *(each.path for each in listed.files)], findings)
    for each, wrong in differences(folder, listed.files):
        findings.add(Code.FILE, f"{folder / each.path} {wrong}.")
        if each.path.startswith(f"{DATA}/") and (folder / each.path).is_file():
            _check_columns(folder / each.path, listed.columns, listed.metadata, findings)


def _name_extra(folder: Place, known: Iterable[str], findings: Findings) -> None:
    """Everything in the folder that is not one of ``known``, nor a folder that one of these lies in."""
    files = set(known)
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    for path, is_folder in _walk(folder, ""):
        if path not in (folders if is_folder else files):
            what = "folder" if is_folder else "file"
            findings.add(Code.FILE, f"The {what} {folder / shown(path)} does not belong to the export.")


def _lies(path: Place) -> bool:
    """Whether anything lies there; a link is not followed."""
    return path.exists() if isinstance(path, Stored) else os.path.lexists(path)


def _walk(folder: Place, within: str) -> Iterator[tuple[str, bool]]:
    """Everything below ``folder`` as a relative path, and whether it is a folder; links are not followed."""
    if isinstance(folder, Stored):
        yield from ((name, False) for name in sorted(name for name, _ in folder.objects()) if name.startswith(within))
        return
    try:
        entries = sorted(os.scandir(folder / within), key=lambda entry: entry.name)
    except OSError:
        return  # there is nothing to read, and what should be there is missing
    for entry in entries:
        path, is_folder = f"{within}{entry.name}", entry.is_dir(follow_symlinks=False)
        yield path, is_folder
        if is_folder:
            yield from _walk(folder, f"{path}/")


def _check_columns(
    path: Place, columns: Sequence[Column], metadata: Sequence[str], findings: Findings, *, name_broken: bool = False
) -> None:
    """Name each column of a shard that is new, missing or of another type, and metadata that no shard has."""
    try:
        with shard(path) as file:
            schema, keys = file.schema_arrow, file.metadata.metadata or {}
    except (pa.ArrowException, OSError, ValueError) as error:
        if name_broken:
            findings.add(Code.UNREADABLE, f"{path} can't be read ({type(error).__name__}): export the version again.")
        return  # else it was named as changed, and is named again when its rows are read
    for sentence in _column_differences(columns_of(schema), columns):
        findings.add(Code.COLUMN, f"{path} {sentence}.")
    extra = sorted({key.decode("utf-8", "replace") for key in keys} - set(metadata))
    if schema.metadata or any(field.metadata for field in schema):
        extra.append("metadata of its columns")
    for key in extra:
        findings.add(Code.COLUMN, f"{path} holds Parquet metadata that no export has: {shown(key)}.")


def _column_differences(found: Sequence[Column], wanted: Sequence[Column]) -> Iterator[str]:
    names, known = [each.name for each in found], {each.name: each for each in wanted}
    for each in found:
        said = known.get(each.name)
        if said is None:
            yield f"has the column {shown(each.name)}, which no export has"
        elif each != said:
            yield f"has the column {each.name} as {_described(each)} instead of {_described(said)}"
    for name in known:
        if name not in names:
            yield f"lacks the column {name}"
    if len(set(names)) < len(names):
        yield "has a column twice"
    elif names != list(known) and set(names) == set(known):
        yield "has its columns in another order"


def _described(column: Column) -> str:
    return column.type if column.nullable else f"{column.type} not null"


# Exports without a list, as manifests of format 1 had them


def _without_list(folder: Place, signed: Signed, findings: Findings) -> None:
    listed = signed.on_record is not None and None not in signed.on_record
    if listed or signed.manifest.format > 1:
        findings.add(Code.FILE, f"{folder / LIST} is missing: it lists the files of the export; export again.")
    else:
        findings.note(_OLD.format(folder))
    shards = _shards(folder)
    _name_extra(folder, [MANIFEST, CARD, CROISSANT, *shards], findings)
    for path in shards:
        if not (folder / path).is_file() or (folder / path).is_symlink():
            findings.add(Code.FILE, f"{folder / path} is missing, or no plain file.")
            continue
        _check_columns(folder / path, columns_of(EXPORTED), ALLOWED, findings, name_broken=True)
    _check_descriptions(folder, signed.manifest, shards, findings)


def _shards(folder: Place) -> list[str]:
    """The shards that an export without a list must have: as many as its first one says."""
    names = sorted(path for path, is_folder in _walk(folder, f"{DATA}/") if not is_folder)
    first = next((match for match in map(_SHARD.fullmatch, (name[len(DATA) + 1 :] for name in names)) if match), None)
    count = min(int(first[2]), len(names) + 1) if first else 1
    total = first[2] if first else f"{count:05d}"
    return [f"{DATA}/train-{number:05d}-of-{total}.parquet" for number in range(count)]


def _check_descriptions(folder: Place, manifest: Manifest, shards: Sequence[str], findings: Findings) -> None:
    """Whether card and Croissant say what follows from the manifest and the shards."""
    try:
        known = [_shard(folder, path) for path in shards]
        described = orjson.loads(orjson.dumps(croissant(manifest, known)))
        if orjson.loads(read_bytes(folder / CROISSANT)) != described:
            findings.add(Code.FILE, f"{folder / CROISSANT} does not say what the manifest and the shards say.")
        if read_bytes(folder / CARD) != card(manifest).encode():
            findings.add(Code.FILE, f"{folder / CARD} does not say what the manifest says.")
    except CorpusError as error:
        findings.add(Code.FILE, str(error))
    except (pa.ArrowException, OSError, ValueError):
        findings.add(Code.FILE, f"{folder / CROISSANT} can't be compared with the shards: export the version again.")


def _shard(folder: Place, path: str) -> Shard:
    file = folder / path
    with shard(file) as opened:
        rows = opened.metadata.num_rows
    return Shard(path, rows, file.stat().st_size, file_digest(file))
