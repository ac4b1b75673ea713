"""Croissant 1.1 metadata of an export (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).

Invariants: every column of the export is described, with its type; every shard is listed with its SHA-256; all
addresses are relative, so that a copy of the folder describes itself and reading it needs no network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from demur.suppression.signed import rfc3339
from demur.versions.card import COLUMNS, languages, title
from demur.versions.export_form import EXPORTED
from demur.versions.manifest import Manifest

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
_SHARDS: Final = "shards"
_RECORDS: Final = "items"
_PARQUET: Final = "application/x-parquet"  # the name that readers of Croissant know, not that of IANA

_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification prescribes (section *Namespaces*)."""


@dataclass(frozen=True)
class Shard:
    """A Parquet file of an export."""

    path: str
    """Relative to the export, with forward slashes."""
    rows: int
    size: int
    """Bytes."""
    sha256: str
    """Lowercase hexadecimal."""


def croissant(manifest: Manifest, shards: Iterable[Shard]) -> dict[str, Any]:
    """croissant.json of an export, as JSON."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": manifest.name,
        "description": f"{title(manifest)}. Purpose: {manifest.purpose}",
        "version": f"{manifest.lance_version}.0.0",
        "datePublished": rfc3339(manifest.time),
        "creator": {"@type": "sc:Organization", "name": manifest.controller},
        "inLanguage": languages(manifest),
        "keywords": ["text", "demur"],
        "isLiveDataset": False,
        "distribution": [*map(_file_object, shards), _file_set()],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _RECORDS,
                "name": _RECORDS,
                "description": "One record an item.",
                "key": {"@id": f"{_RECORDS}/item"},
                "field": [_field(column) for column in EXPORTED],
            }
        ],
    }


def _file_object(shard: Shard) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": shard.path,
        "description": f"{shard.rows} rows.",
        "contentUrl": shard.path,
        "contentSize": f"{shard.size} B",
        "encodingFormat": _PARQUET,
        "sha256": shard.sha256,
    }


def _file_set() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _SHARDS,
        "name": _SHARDS,
        "description": "All Parquet files.",
        "encodingFormat": _PARQUET,
        "includes": "data/*.parquet",
    }


def _field(column: pa.Field) -> dict[str, Any]:
    described = {"description": COLUMNS[column.name], **_shape(column.type)}
    return _typed(column.type, f"{_RECORDS}/{column.name}", column.name, None) | described


def _typed(kind: pa.DataType, name: str, column: str, member: str | None) -> dict[str, Any]:
    """A field of type ``kind``, or of lists of it; ``member`` is its place within a column of objects."""
    inner = kind.value_type if pa.types.is_list(kind) else kind
    head = {"@type": "cr:Field", "@id": name, "name": name}
    if pa.types.is_struct(inner):
        return head | {"subField": [_member(inner.field(at), name, column) for at in range(inner.num_fields)]}
    source: dict[str, Any] = {"fileSet": {"@id": _SHARDS}, "extract": {"column": column}}
    if member is not None:
        source["transform"] = {"jsonPath": member}
    return head | {"dataType": _data_type(inner), "source": source}


def _member(part: pa.Field, parent: str, column: str) -> dict[str, Any]:
    return _typed(part.type, f"{parent}/{part.name}", column, part.name) | _shape(part.type)


def _shape(kind: pa.DataType) -> dict[str, Any]:
    return {"isArray": True, "arrayShape": "-1"} if pa.types.is_list(kind) else {}


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "sc:DateTime"
    if pa.types.is_floating(kind):
        return "cr:Float64"
    return "cr:Int32" if pa.types.is_integer(kind) else "sc:Text"
