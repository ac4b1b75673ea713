"""What comes from an object store and goes there: sources, exports, and the loader of an export (ADR 0041)."""

from datetime import timedelta
from pathlib import Path

import pytest
from calling import Demur
from in_store import PEOPLE, put, run_through
from making import NOW
from objects import Bucket, Faults, proxy

from demur import load
from demur.corpus.session import reading
from demur.errors import SourceError, UsageError
from demur.rights.where_held import holding_exports
from demur.store import Stored
from demur.transit import FOLDER, clear, fetched
from demur.versions.leave import export
from demur.versions.publish import retire
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


def test_an_export_in_a_store_is_verified_there(
    template: Workspace, tmp_path: Path, s3: str, bucket: Bucket, demur: Demur
) -> None:
    name, faults = bucket(), Faults()
    with proxy(s3, faults) as address:
        workspace = put(template, tmp_path / "w", "", address)
        run_through(workspace)
        to = Stored(f"s3://{name}/exports/v1", s3)
        place, key = to.url, workspace.keys().signing.public_key().public_bytes_raw().hex()
        assert demur("export", "v1", "--to", place, "-w", workspace.root).code == 0
        whole = demur("verify", "v1", "-w", workspace.root, "--json")
        assert whole.code == 0, whole.err
        assert [(each["export"], each["ok"]) for each in whole.json["checked"]] == [(None, True), (place, True)]
        faults.denying = True
        unasked = demur("verify", "v1", "-w", workspace.root, "--json")
        assert unasked.code == 0
        (alone,) = unasked.json["checked"]
        assert alone["notes"][-1].startswith(
            f"The export {place} was not looked at. The object store of {place} answered"
        )
        refused = demur("verify", "v1", "--export", place, "-w", workspace.root)
        assert refused.code == 2
        assert "answered" in refused.err
        assert "Traceback" not in refused.err
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", s3)
        patched.setenv("AWS_ALLOW_HTTP", "true")
        told = demur("verify", "v1", "--export", place, "--key", key)
        assert told.code == 0, told.err
        shard = next(each for each, _ in to.objects() if each.endswith(".parquet"))
        (to / "data" / "stray.parquet").write_bytes((to / shard).read_bytes())
        found = demur("verify", "v1", "--export", place, "--key", key)
        assert found.code == 1
        assert f"{place}/data/stray.parquet does not belong to the export" in found.err + found.out
        (to / "data" / "stray.parquet").unlink()
        (to / "README.md").write_bytes(b"changed")
        assert demur("verify", "v1", "--export", place, "--key", key).code == 1
        to.remove_all()
        gone = demur("verify", "v1", "--export", place, "--key", key)
        assert gone.code in {1, 2}
        assert "Traceback" not in gone.err


def test_an_erasure_looks_into_the_exports_in_a_store(
    template: Workspace, tmp_path: Path, s3: str, bucket: Bucket
) -> None:
    name, faults = bucket(), Faults()
    with proxy(s3, faults) as address:
        workspace = put(template, tmp_path / "w", "", address)
        run_through(workspace)
        to = workspace.stored(f"s3://{name}/exports/v1")
        export(workspace, "v1", to, now=NOW)
        retire(workspace, "v1", now=NOW)

        def asked(person: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
            with reading(workspace, NOW) as session:
                return holding_exports(session, (), session.keys.pepper.subject_keys([person]))

        there = [("v1", to.url)]
        assert asked(PEOPLE[2]) == (there, [])
        assert asked("forum:nobody") == ([], [])
        faults.denying = True
        assert asked(PEOPLE[2]) == ([], there)
        faults.denying = False
        to.remove_all()
        assert asked(PEOPLE[2]) == ([], there)
