"""An export of November 2026 (manifest of format 1, no list of files) verifies, as strictly as its manifest allows."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demur.identity import Keys
from demur.versions.findings import Code, Findings
from demur.versions.manifest import read
from demur.versions.verify import check_export

GOLDEN: Final = Path(__file__).with_name("golden-format-1")
FIRST: Final = "train-00000-of-00002.parquet"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "w"))


def check(folder: Path, keys: Keys, on_record: list[str | None] | None = None) -> Findings:
    key = keys.signing.public_key()
    return check_export(folder / "out", "v1", folder / "versions", folder / "suppression", key, on_record=on_record)


def test_it_verifies_and_says_what_was_not_checked(folder: Path, keys: Keys) -> None:
    assert read(folder / "versions" / "v1.json", keys.signing.public_key()).format == 1
    records: list[list[str | None] | None] = [None, [None], ["0" * 64, None]]
    for on_record in records:
        findings = check(folder, keys, on_record)
        assert list(findings.lines()) == []
        unread, note = findings.notes
        assert "published by an older demur, which looked for no names" in unread
        assert "was made by an older demur and has no signed list of its files" in note


def test_an_export_that_had_a_list_does_not_pass_for_an_older_one(folder: Path, keys: Keys) -> None:
    findings = check(folder, keys, ["0" * 64])
    assert [(each.code, "files.json is missing" in each.sentence) for each in findings.shown] == [(Code.FILE, True)]


def rewritten(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], object]:
    def rewrite(out: Path) -> None:
        pq.write_table(change(pq.read_table(out / "data" / FIRST)), out / "data" / FIRST)

    return rewrite


def other_count(out: Path) -> None:
    text = (out / "README.md").read_text()
    (out / "README.md").write_text(text.replace("| audience | 1,200 |", "| audience | 0 |"))


CHANGES: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "a file": (lambda out: (out / "data" / "x.jsonl").write_text("{}"), "x.jsonl does not belong"),
    "a shard": (lambda out: shutil.copy(out / "data" / FIRST, out / "data" / "more.parquet"), "more.parquet"),
    "a shard less": (lambda out: (out / "data" / FIRST).unlink(), FIRST),
    "a folder": (lambda out: (out / "x").mkdir(), "The folder"),
    "a column": (rewritten(lambda rows: rows.append_column("raw", pa.array(["x"] * len(rows)))), "the column raw"),
    "metadata": (rewritten(lambda rows: rows.replace_schema_metadata({"note": "x"})), "no export has: note"),
    "the card": (other_count, "README.md does not say"),
    "the card less": (lambda out: (out / "README.md").unlink(), "README.md"),
    "Croissant": (
        lambda out: (out / "croissant.json").write_text((out / "croissant.json").read_text().replace("train", "evil")),
        "croissant.json does not say",
    ),
    "Croissant less": (lambda out: (out / "croissant.json").unlink(), "croissant.json"),
    "the manifest's copy": (
        lambda out: (out / "manifest.json").write_bytes((out / "manifest.json").read_bytes() + b"\n"),
        "manifest.json is not the manifest",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_put_in_is_named(folder: Path, keys: Keys, name: str) -> None:
    change, told = CHANGES[name]
    change(folder / "out")
    lines = list(check(folder, keys).lines())
    assert [line for line in lines if told in line], lines
