"""While a source reads, it is known how much of it is done; where nobody can know, it says so."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from demur.sources import load_source
from demur.sources.base import MAX_ROWS
from demur.sources.meter import watching

Make = Callable[..., str]

ROWS: Final = 3 * MAX_ROWS
ME: Final = "https://h.example/users/ann"
PUBLIC: Final = "https://www.w3.org/ns/activitystreams#Public"


def _table(folder: Path, ending: str) -> str:
    """A table of three batches."""
    table = pa.table({"item": [f"forum:{n}" for n in range(ROWS)], "author": ["forum:ann"] * ROWS})
    path = folder / f"posts{ending}"
    if ending == ".csv":
        pa_csv.write_csv(table, path)
    elif ending == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))
    elif ending == ".parquet":
        pq.write_table(table, path)
    else:
        writer = pa.ipc.new_file if ending == ".arrow" else pa.ipc.new_stream
        with writer(str(path), table.schema) as file:
            file.write_table(table, MAX_ROWS)
    return str(path)


def _shares(source: str, *paths: str) -> list[float | None]:
    """How much was read when each batch came, and in the end."""
    with watching() as meter:
        found = [meter.share for _ in load_source(source).read(paths, {})]
        return [*found, meter.share]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet", ".arrow", ".arrows"])
def test_a_table_is_read_by_and_by(tmp_path: Path, ending: str) -> None:
    shares = _shares("table", _table(tmp_path, ending))
    assert shares == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=0.02)


def test_two_tables_are_one_whole_from_the_first_batch(tmp_path: Path) -> None:
    shares = _shares("table", _table(tmp_path, ".jsonl"), _table(tmp_path, ".jsonl"))
    assert shares == pytest.approx([n / 6 for n in range(7)], abs=0.01)


def _note(number: int) -> Mapping[str, object]:
    note = {"id": f"{ME}/{number}", "type": "Note", "attributedTo": ME, "to": [PUBLIC], "content": "<p>tea</p>"}
    return {"id": f"{ME}/{number}/activity", "type": "Create", "actor": ME, "to": [PUBLIC], "object": note}


def _archive() -> Mapping[str, Any]:
    actor = {"type": "Person", "id": ME, "url": "https://h.example/@ann", "preferredUsername": "ann"}
    outbox = {"type": "OrderedCollection", "orderedItems": [_note(n) for n in range(1000)]}
    return {"actor.json": actor, "outbox.json": outbox, "media/1.jpg": b"x" * 1_000_000}


def test_pictures_of_an_archive_are_not_waited_for(zipped: Make, folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (zipped(_archive()), folder(_archive())):
        *_, end = _shares("mastodon", path)
        assert end == pytest.approx(1, abs=0.01)
    monkeypatch.setattr("demur.sources.base.MAX_ROWS", 500)
    shares = _shares("mastodon", zipped(_archive()), zipped(_archive(), "2.zip"))
    assert shares == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1], abs=0.15)


def test_other_exports_are_read_to_their_end(zipped: Make, tmp_path: Path) -> None:
    loose = tmp_path / "outbox.json"
    loose.write_text(json.dumps(_archive()["outbox.json"]))
    log = tmp_path / "2024-05-01.log"
    log.write_text("[09:14] <Ann> Bob: hello there\n" * 2000)
    posts = [
        {"media": [{"uri": f"{n}.jpg", "creation_timestamp": 1_650_000_000 + n, "title": "Tea"}]} for n in range(9)
    ]
    exports = {
        "activitystreams": str(loose),
        "irc": str(log),
        "instagram": zipped({"your_instagram_activity/content/posts_1.json": posts}, "instagram.zip"),
        "facebook": zipped({"posts/your_posts_1.json": [{"timestamp": 1, "data": [{"post": "Tea"}]}]}, "facebook.zip"),
    }
    assert {source: _shares(source, path)[-1] for source, path in exports.items()} == pytest.approx(
        dict.fromkeys(exports, 1.0), abs=0.01
    )


def test_nobody_knows_how_long_a_query_takes(tmp_path: Path) -> None:
    path = tmp_path / "forum.db"
    sqlite3.connect(path).execute("CREATE TABLE posts (item TEXT, author TEXT)").connection.close()
    with watching() as meter:
        list(load_source("table").read([f"sqlite:///{path}"], {"query": "SELECT * FROM posts"}))
        assert meter.share is None


def test_where_nobody_watches_nothing_is_counted(tmp_path: Path) -> None:
    with watching() as meter:
        pass
    list(load_source("table").read([_table(tmp_path, ".jsonl")], {}))
    assert (meter.total, meter.read) == (0, 0)
