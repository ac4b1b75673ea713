"""An export is read by the tools trainers use, says what it is, and appears whole or not at all."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CorpusError, UsageError
from demur.kernel.schema import ROW
from demur.versions.card import COLUMNS, card, size
from demur.versions.export import export_rows
from demur.versions.export_form import EXPORTED, from_hex, to_hex

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from tests.versions.conftest import Published

Row = Callable[..., dict[str, Any]]
Table = Callable[..., pa.Table]


@pytest.fixture(scope="module")
def out(template: "Published", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in several shards, to be read only."""
    folder = tmp_path_factory.mktemp("export") / "out"
    template.export(folder, shard_rows=100)
    return folder


def expected(published: "Published") -> list[dict[str, Any]]:
    """The rows in the form in which they leave the corpus."""
    return [one for batch in published.rows() for one in to_hex(batch).to_pylist()]


# readers


def test_hugging_face_datasets_reads_it(
    out: Path, template: "Published", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    import datasets  # noqa: PLC0415  # it reads its environment when it is imported

    items = datasets.load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert items.with_format("arrow")[:].to_pylist() == expected(template)


def test_pandas_reads_it(out: Path, template: "Published") -> None:
    items = pd.read_parquet(out / "data")
    rows = expected(template)
    assert items["text"].tolist() == [row["text"] for row in rows]
    assert items["author"].tolist() == [row["author"] for row in rows]
    assert [list(spans) for spans in items["spans"]] == [row["spans"] for row in rows]
    assert items["created"].dt.to_pydatetime().tolist() == [row["created"] for row in rows]


@pytest.mark.soak  # starting Java takes longer than a whole package
def test_spark_reads_it(out: Path, template: "Published", spark: "SparkSession") -> None:
    items = spark.read.parquet(str(out / "data"))
    rows = {row["item"]: row for row in expected(template)}
    read = [one.asDict(recursive=True) for one in items.collect()]
    assert len(read) == len(rows)
    for one in read:
        for column in ("author", "text", "spans", "subjects", "media", "parent", "rating"):
            assert one[column] == rows[one["item"]][column]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of mlcroissant's own dependencies
def test_mlcroissant_validates_and_reads_it(out: Path, template: "Published") -> None:
    import mlcroissant  # noqa: PLC0415  # a second of import, for this test only

    dataset = mlcroissant.Dataset(jsonld=str(out / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert dataset.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    records = {record["items/item"].decode(): record for record in dataset.records("items")}
    rows = expected(template)
    assert records.keys() == {row["item"] for row in rows}
    for row in rows:
        record = records[row["item"]]
        assert record["items/text"].decode() == row["text"]
        assert [span["items/spans/subject"].decode() for span in record["items/spans"]] == [
            span["subject"] for span in row["spans"]
        ]
        assert [[key.decode() for key in photo["items/media/tagged"]] for photo in record["items/media"]] == [
            photo["tagged"] for photo in row["media"]
        ]


# what is in the folder


def test_the_metadata_binds_every_shard(out: Path) -> None:
    metadata = json.loads((out / "croissant.json").read_bytes())
    files = {one["contentUrl"]: one["sha256"] for one in metadata["distribution"] if one["@type"] == "cr:FileObject"}
    shards = sorted((out / "data").iterdir())
    assert files == {f"data/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in shards}
    assert [path.name for path in shards] == [f"train-{n:05d}-of-{len(shards):05d}.parquet" for n in range(len(shards))]
    assert len(shards) > 2


def test_the_folder_holds_these_files_and_no_others(out: Path, template: "Published") -> None:
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "croissant.json",
        "data",
        "files.json",
        "manifest.json",
    }
    assert (out / "manifest.json").read_bytes() == (template.versions / "v1.json").read_bytes()
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_files_have_the_schema_they_are_said_to_have(out: Path) -> None:
    for path in (out / "data").iterdir():
        assert pq.read_schema(path).equals(EXPORTED)
        assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_card_says_what_the_manifest_says(template: "Published") -> None:
    text = card(template.manifest)
    front, body = text.removeprefix("---\n").split("---\n", 1)
    facts = dict(line.split(": ", 1) for line in front.splitlines())
    assert json.loads(facts["pretty_name"]) == "Example <Forum> Ltd: v1"
    assert json.loads(facts["language"]) == ["de", "en"]
    assert json.loads(facts["size_categories"]) == ["n<1K"]
    assert json.loads(facts["configs"])[0]["data_files"] == [{"split": "train", "path": "data/*.parquet"}]
    for said in ("300 items", "| audience | 1,200 |", "| en-IE | 100 |", "demur recall v1", "Head of Legal"):
        assert said in body
    assert "complian" not in text.lower()


def test_text_of_the_policy_can_not_break_out_of_the_card(template: "Published") -> None:
    hostile = "x\n---\n# H <script> | [a](b) `c`"
    text = card(replace(template.manifest, controller=hostile, purpose=hostile))
    front, body = text.removeprefix("---\n").split("---\n", 1)
    assert len(front.splitlines()) == 6
    assert "\n# H" not in body
    assert "<script>" not in body.replace(r"\<script\>", "")


def test_every_column_is_explained() -> None:
    assert list(COLUMNS) == EXPORTED.names


@pytest.mark.parametrize(
    ("rows", "name"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**7, "10M<n<100M"), (10**11, "n>10B")]
)
def test_sizes_are_named_as_the_hub_names_them(rows: int, name: str) -> None:
    assert size(rows) == name


# shards


def test_shards_hold_no_more_rows_than_they_may(published: "Published", tmp_path: Path) -> None:
    report = published.export(tmp_path / "out", shard_rows=32)
    assert {shard.rows for shard in report.shards} <= {32, 64 - 32, 300 % 64 % 32}
    assert report.rows == 300
    assert report.size == sum(path.stat().st_size for path in (tmp_path / "out" / "data").iterdir())


def test_shards_are_closed_when_they_are_large_enough(published: "Published", tmp_path: Path) -> None:
    report = published.export(tmp_path / "out", shard_bytes=1)
    assert [shard.rows for shard in report.shards] == [64, 64, 64, 64, 44]


def test_an_empty_version_has_one_shard_with_its_columns(published: "Published", tmp_path: Path) -> None:
    content = replace(published.manifest.content, rows=0)
    report = export_rows([], replace(published.manifest, content=content), b"{}", tmp_path / "out", published.keys)
    assert [shard.rows for shard in report.shards] == [0]
    assert pd.read_parquet(tmp_path / "out" / "data").columns.tolist() == EXPORTED.names


# all or nothing


def test_a_folder_that_is_taken_is_refused_and_left_alone(published: "Published", tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    for taken in (tmp_path / "out", tmp_path / "out" / "mine"):
        with pytest.raises(UsageError, match="is not empty: name a new folder"):
            published.export(taken)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_an_empty_folder_and_missing_parents_are_fine(published: "Published", tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert published.export(tmp_path / "empty").path == tmp_path / "empty"
    assert published.export(tmp_path / "a" / "b").rows == 300


def test_a_full_disk_leaves_nothing(published: "Published", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CorpusError, match=r"out can't be written \(No space left on device\)"):
        published.export(tmp_path / "exports" / "out")
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_failure_in_mid_export_leaves_nothing(published: "Published", tmp_path: Path) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from published.rows()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_rows(failing(), published.manifest, b"{}", tmp_path / "exports" / "out", published.keys)
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_killed_export_is_cleared_away_by_the_next(published: "Published", tmp_path: Path) -> None:
    (tmp_path / "exports" / "out.partial-0011aabb" / "data").mkdir(parents=True)
    published.export(tmp_path / "exports" / "out")
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["out"]


def test_rows_that_are_not_the_manifests_are_not_exported(published: "Published", row: Row, tmp_path: Path) -> None:
    published.put(row(900))
    with pytest.raises(CorpusError, match="gave 301 rows, its manifest says 300: run demur verify"):
        published.export(tmp_path / "exports" / "out")
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_null_where_none_may_stand_is_not_exported(published: "Published", row: Row, tmp_path: Path) -> None:
    loose = pa.schema([pa.field(field.name, field.type) for field in ROW])
    batch = pa.RecordBatch.from_pylist([row(1, author=None)], schema=loose)
    with pytest.raises(CorpusError, match="run demur verify"):
        export_rows([batch], published.manifest, b"{}", tmp_path / "exports" / "out", published.keys)
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_version_that_can_not_be_read_is_not_exported(published: "Published", tmp_path: Path) -> None:
    for path in (published.folder / "corpus.lance" / "data").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CorpusError, match=r"^Version v1 can't be read"):
        published.export(tmp_path / "exports" / "out")
    assert list((tmp_path / "exports").iterdir()) == []


# keys as text


@given(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)), st.lists(st.none() | st.binary(min_size=16, max_size=16))
)
def test_keys_turn_into_text_and_back(subjects: list[int | None], items: list[bytes | None]) -> None:
    loose = pa.schema([pa.field(field.name, field.type) for field in ROW])
    photo = {"uri": "u", "type": None, "alt": None, "tagged": subjects}
    rows = [
        dict.fromkeys(ROW.names) | {"item": item, "author": author, "subjects": subjects, "media": [photo, None]}
        for item, author in zip([*items, None], [None, *subjects], strict=False)
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=loose)
    assert from_hex(to_hex(batch)).equals(batch)
    assert from_hex(to_hex(batch.slice(1))).equals(batch.slice(1))
    for one, text in zip(rows, to_hex(batch).to_pylist(), strict=True):
        assert text["item"] == (one["item"].hex() if one["item"] is not None else None)


@pytest.mark.parametrize("author", ["", "12", "x" * 16, " 0" * 8, "0" * 15 + " ", "é" + "0" * 14])
def test_text_that_is_no_key_is_refused(table: Table, row: Row, author: str) -> None:
    batch = to_hex(table(row(1)).to_batches()[0])
    bad = batch.set_column(batch.schema.get_field_index("author"), "author", pa.array([author]))
    with pytest.raises(ValueError, match="hexadecimal"):
        from_hex(bad)
