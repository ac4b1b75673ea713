"""What comes from an object store and goes there: sources, exports, and the loader of an export (ADR 0041)."""

from datetime import timedelta
from pathlib import Path

import pytest
from calling import Demur
from in_store import put, run_through
from making import NOW
from objects import Bucket

from demur import load
from demur.errors import SourceError, UsageError
from demur.store import Stored
from demur.transit import FOLDER, clear, fetched
from demur.versions.leave import export
from demur.workspace import Workspace

CSV = "item,author,kind,audience,created,text\n" + "".join(
    f"i{number},forum:u{number % 3},post,public,2026-03-01T00:00:00Z,words of number {number}\n" for number in range(30)
)


def test_a_table_is_read_from_a_store(
    template: Workspace, tmp_path: Path, s3: str, bucket: Bucket, demur: Demur
) -> None:
    source = Stored(f"s3://{bucket()}/in/posts.csv", s3)
    source.write_bytes(CSV.encode())
    workspace = put(template, tmp_path / "disk", "", s3)
    told = demur("import", "table", source.url, "-w", workspace.root, "--json")
    assert told.code == 0, told.err
    assert told.json["kept"] == 30
    assert not list((workspace.root / FOLDER).iterdir())


def test_a_source_that_is_not_there_is_told(template: Workspace, s3: str, bucket: Bucket, tmp_path: Path) -> None:
    workspace = put(template, tmp_path / "disk", "", s3)
    with (
        pytest.raises(SourceError, match=r"There is no s3://.*/gone\.csv"),
        fetched(workspace.root, [f"s3://{bucket()}/gone.csv"], workspace.stored),
    ):
        pass
    left = workspace.root / FOLDER / "0123456789abcdef"
    left.mkdir()
    clear(workspace.root)
    assert not left.exists()


def test_an_export_is_loaded_from_a_store(template: Workspace, tmp_path: Path, s3: str, bucket: Bucket) -> None:
    name = bucket()
    workspace = put(template, tmp_path / "s3", f"s3://{name}/corpus", s3)
    run_through(workspace)
    to = workspace.stored(f"s3://{name}/exports/v1")
    report = export(workspace, "v1", to, now=NOW)
    assert report.path == to
    with pytest.raises(UsageError, match="is not empty"):
        export(workspace, "v1", to, now=NOW)
    loader = load(to.url, head=workspace.root, max_staleness=timedelta(days=1))
    rows = [row["item"] for row in loader]
    assert len(rows) == report.rows > 0
    assert rows == [row["item"] for row in load(workspace.root, "v1")]
