"""A recall lists each row that concerns a person suppressed since, once, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from demur.errors import CorpusError, UsageError
from demur.suppression.keyset import KeySet
from demur.versions.traces import recall_rows, traces, write_recall

if TYPE_CHECKING:
    from tests.versions.conftest import Published

Row = Callable[..., dict[str, Any]]
Table = Callable[..., pa.Table]


def of(*keys: int) -> KeySet:
    return KeySet(np.array(keys, dtype=np.int64))


def recalled(table: pa.Table, withheld: KeySet) -> list[tuple[str, str]]:
    batches = recall_rows(table.to_batches(max_chunksize=2), withheld)
    return [(one["item"][:8], one["reason"]) for batch in batches for one in batch.to_pylist()]


def span(role: str | None, subject: int | None) -> dict[str, Any]:
    return {"start": 0, "end": 1, "role": role, "subject": subject}


def test_a_row_is_listed_once_by_its_first_trace(row: Row, table: Table) -> None:
    rows = table(
        row(1, author=7, spans=[span("mention", 7)], subjects=[7]),
        row(2, spans=[span("mention", 7), span("quote", 7)], subjects=[7]),
        row(3, spans=[span("mention", 8), span(None, 7)], subjects=[7, 8], media=[]),
        row(4, spans=[], subjects=[], media=[]),
        row(5, spans=[span("reshare", 7)], subjects=[7]),
        row(6, spans=[span("mention", None)], subjects=[], media=[]),
    )
    assert recalled(rows, of(7)) == [
        ("00000001", "author"),
        ("00000002", "quote"),
        ("00000003", "subject"),
        ("00000005", "reshare"),
    ]
    assert recalled(rows, of(8)) == [("00000003", "mention")]
    assert recalled(rows, of()) == []


def test_a_tag_in_the_second_photo_of_a_row_is_seen(row: Row, table: Table) -> None:
    def photo(*tagged: int) -> dict[str, Any]:
        return {"uri": "u", "type": "image/png", "alt": None, "tagged": list(tagged)}

    rows = table(row(1, media=[]), row(2, media=[photo(), photo(1, 7)], subjects=[]), row(3, media=[photo(1)]))
    assert recalled(rows, of(7)) == [("00000002", "tag")]


def test_every_trace_of_a_row_is_told_by_the_finder(row: Row, table: Table) -> None:
    (batch,) = table(row(1, author=7, spans=[span("mention", 7)], subjects=[7])).to_batches()
    assert [(trace.value, rows.tolist()) for trace, rows in traces(batch, of(7)) if len(rows)] == [
        ("author", [0]),
        ("mention", [0]),
    ]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_it_is_written_as_its_ending_says(published: "Published", tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"recall{ending}"
    path.write_text("an older one")
    report = write_recall(recall_rows(published.rows(), of(1003, 5000)), path)
    read = pd.read_csv(path) if ending == ".csv" else pd.read_parquet(path)
    assert read.columns.tolist() == ["item", "reason"]
    assert read["reason"].value_counts().to_dict() == report.reasons
    assert report.rows == len(read) == len(set(read["item"])) > 18
    assert report.reasons["author"] == 18


def test_an_empty_recall_is_a_file_without_lines(published: "Published", tmp_path: Path) -> None:
    report = write_recall(recall_rows(published.rows(), of(1)), tmp_path / "recall.csv")
    assert (report.rows, (tmp_path / "recall.csv").read_text()) == (0, '"item","reason"\n')


def test_another_ending_is_refused(published: "Published", tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends neither in \.csv nor in \.parquet"):
        write_recall(recall_rows(published.rows(), of(1)), tmp_path / "recall.txt")


def test_a_place_that_can_not_be_written_is_told_and_left_alone(published: "Published", tmp_path: Path) -> None:
    (tmp_path / "recall.csv").mkdir()
    with pytest.raises(CorpusError, match="can't be written"):
        write_recall(recall_rows(published.rows(), of(1003)), tmp_path / "recall.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"recall.csv", "workspace"}
