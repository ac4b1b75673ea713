"""A small published version in a real Lance dataset, with everything that `publish` writes beside it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.identity import Keys, Pepper
from demur.kernel.schema import ROW
from demur.runs.facts import AsOf
from demur.suppression.keyset import KeySet
from demur.suppression.lists import SuppressionList
from demur.suppression.signed import file_digest, write_atomically
from demur.versions.digests import Digester
from demur.versions.export import ExportReport, export_rows
from demur.versions.findings import Findings
from demur.versions.manifest import LegalBasis, Manifest, sign
from demur.versions.verify import check_export, check_version

OBJECTED, MINOR = 2**61 + 7, 2**62 + 9


def row(number: int, **changes: object) -> dict[str, Any]:
    """A plausible row; its author and the people it names are neither OBJECTED nor MINOR."""
    mention: dict[str, Any] = {"start": 6, "end": 14, "role": "mention", "subject": 5000 + number % 11}
    photo: dict[str, Any] = {"uri": "00ff.jpg", "type": "image/jpeg", "alt": "ein Fluß", "tagged": [6000, 5000]}
    spans, media = ([mention] if number % 3 == 0 else []), ([photo] if number % 5 == 0 else [])
    subjects: set[int] = {span["subject"] for span in spans}.union(*(one["tagged"] for one in media))
    return {
        "item": number.to_bytes(4, "big") * 4,
        "author": 1000 + number % 17,
        "kind": ("post", "comment", "photo")[number % 3],
        "audience": "public",
        "region": ("DE", "IE", None)[number % 3],
        "created": datetime(2024, 5, 1, tzinfo=UTC) + timedelta(microseconds=number * 10**9 + number),
        "language": ("de", "en-IE", None)[number % 3],
        "text": f'Hallo [person], "schön" \\ {number}\n\u2028🙂',
        "spans": spans,
        "subjects": sorted(subjects),
        "parent": bytes(range(16)) if number % 2 else None,
        "thread": bytes(16),
        "group": None,
        "rating": number / 7 if number % 4 == 0 else None,
        "media": media,
        "origin": "first-party",
        "source": "table",
    } | changes


def table(*rows: Mapping[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=ROW)


@dataclass
class Published:
    """A workspace's folder with the version `v1`."""

    folder: Path
    keys: Keys
    manifest: Manifest

    @property
    def versions(self) -> Path:
        return self.folder / "versions"

    @property
    def lists(self) -> Path:
        return self.folder / "suppression"

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The rows of the version, as it stands now."""
        dataset = lance.dataset(str(self.folder / "corpus.lance"), version="v1")
        yield from dataset.to_batches(batch_size=64)

    def check(self, now: KeySet | None = None) -> Findings:
        public_key = self.keys.signing.public_key()
        return check_version(self.rows, "v1", self.versions, self.lists, public_key, now)

    def export(self, to: Path, **sizes: Any) -> ExportReport:  # noqa: ANN401  # export_rows takes them
        data = (self.versions / "v1.json").read_bytes()
        return export_rows(self.rows(), self.manifest, data, to, self.keys, **sizes)

    def check_export(self, folder: Path) -> Findings:
        return check_export(folder, "v1", self.versions, self.lists, self.keys.signing.public_key())

    def put(self, *rows: Mapping[str, object]) -> None:
        """Put rows into the version by hand: a new Lance version that takes over its tag."""
        dataset = lance.write_dataset(table(*rows), str(self.folder / "corpus.lance"), mode="append")
        dataset.tags.update("v1", dataset.version)

    def delete(self, where: str) -> None:
        """Take rows out of the version by hand."""
        dataset = lance.dataset(str(self.folder / "corpus.lance"), version="v1")
        dataset.delete(where)
        dataset.tags.update("v1", dataset.version)


def publish(folder: Path, keys: Keys, rows: pa.Table) -> Published:
    """What `demur publish v1` leaves."""
    dataset = lance.write_dataset(rows, str(folder / "corpus.lance"))
    dataset.tags.create("v1", dataset.version)
    objected, minors = KeySet(np.array([OBJECTED])), KeySet(np.array([MINOR]))
    time = datetime(2026, 11, 22, 5, tzinfo=UTC)
    listed = SuppressionList(9, 7, time, objected, minors).write(folder / "suppression", keys)
    with Digester(salt=bytes(32)) as digester:
        for batch in rows.to_batches(max_chunksize=50):
            digester.add(batch)
        content = digester.finish(folder / "versions" / "v1.rows")
    manifest = Manifest(
        name="v1",
        lance_version=dataset.version,
        content=content,
        left_out={"objected": 3, "audience": 1200},
        policy="11" * 32,
        suppression=file_digest(listed),
        checkpoint=AsOf(9, 7, "22" * 32),
        basis=LegalBasis("legitimate-interests", "Assessment 4 | final", "2026-10-01", "Head of Legal"),
        controller="Example <Forum>\nLtd",
        purpose="Training of generative AI models",
        effective=date(2026, 11, 1),
        time=time,
        software={"demur": "0.1.0"},
    )
    write_atomically(folder / "versions" / "v1.json", sign(manifest, keys))
    return Published(folder, keys, manifest)


@pytest.fixture(scope="session", name="row")
def row_maker() -> Callable[..., dict[str, Any]]:
    return row


@pytest.fixture(scope="session", name="table")
def table_maker() -> Callable[..., pa.Table]:
    return table


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(Pepper(bytes(32)), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Published:
    return publish(tmp_path_factory.mktemp("published"), keys, table(*map(row, range(300))))


@pytest.fixture
def published(tmp_path: Path, template: Published) -> Published:
    """A version of 300 rows, to do with as one likes."""
    shutil.copytree(template.folder, tmp_path / "workspace")
    return replace(template, folder=tmp_path / "workspace")
