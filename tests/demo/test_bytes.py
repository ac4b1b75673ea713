"""No account, handle, mail address or profile URL of the demo community is in the bytes of what is kept or handed over.

The corpus (deleted rows included), a version and an export are copied without compression or encoding, and searched
byte by byte, without case.
"""

from collections.abc import Iterator
from pathlib import Path

import lance
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from demur.demo.community import Community
from demur.demo.report import Report


@pytest.fixture(scope="module")
def workspace(outcome: Report) -> Path:
    assert outcome.clean
    return outcome.folder


@pytest.fixture(scope="module")
def identifiers(outcome: Report) -> list[bytes]:
    community = Community.generate(outcome.people, outcome.seed)
    found = sorted({name.casefold().encode() for name in community.identifiers()})
    assert len(found) > 4 * outcome.people
    return found


def uncompressed(batches: Iterator[pa.RecordBatch]) -> bytes:
    """Every buffer of every batch; texts are case-folded, so that a search needs no case."""
    table = pa.Table.from_batches(batches)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes()) + "\n".join(str(row) for row in table.to_pylist()).casefold().encode()


def held(data: bytes, identifiers: list[bytes]) -> list[bytes]:
    return [name for name in identifiers if name in data]


def test_the_search_finds_what_is_there(identifiers: list[bytes]) -> None:
    rows = pa.RecordBatch.from_pydict({"text": [f"ask {identifiers[7].decode().upper()} about it"]})
    assert identifiers[7] in held(uncompressed(iter([rows])), identifiers)


def test_the_corpus_holds_none(workspace: Path, identifiers: list[bytes]) -> None:
    head = lance.dataset(str(workspace / "corpus.lance"))
    batches = head.scanner(with_row_id=True, include_deleted_rows=True).to_batches()
    assert not held(uncompressed(iter(batches)), identifiers)


@pytest.mark.parametrize("name", ["v1", "v2", "v3"])
def test_no_version_holds_any(workspace: Path, outcome: Report, identifiers: list[bytes], name: str) -> None:
    version = lance.dataset(str(workspace / "corpus.lance"), version=name)
    assert version.count_rows() > 8 * outcome.people
    assert not held(uncompressed(version.to_batches()), identifiers)


def test_no_export_holds_any(workspace: Path, identifiers: list[bytes]) -> None:
    folder = workspace / "exports" / "v3"
    assert not held(uncompressed(ds.dataset(folder / "data", format="parquet").to_batches()), identifiers)
    for path in folder.rglob("*"):
        if path.is_file():
            assert not held(path.read_bytes().lower(), identifiers)


def test_no_file_of_the_workspace_but_a_mail_holds_any_in_the_clear(workspace: Path, identifiers: list[bytes]) -> None:
    for path in workspace.rglob("*"):
        if path.is_file() and path.parent.name != "outbox":  # the mails themselves, which name whom they are for
            assert not held(path.read_bytes().lower(), identifiers), path
