"""The benchmark that puts other tools beside demur finds what they leave, and draws what it says."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import _bars

ROOT = Path(__file__).resolve().parents[2]
AUTHORS = ["forum:ann", "forum:b.b"]
ROWS = [
    ("forum:ann", "I wrote this."),
    ("forum:cem", "I met @ann and @annika, and @b.b, not @bxb"),
    ("forum:dag", "write to dag@mail.example or +49 30 1234567"),
    (None, "nobody's"),
]


@pytest.fixture(scope="module")
def peers() -> ModuleType:
    """The benchmark: DuckDB complains at the end of a process whose garbage was frozen once it was there."""
    return importlib.import_module("peers")


def table(rows: list[tuple[str | None, str]]) -> pa.Table:
    return pa.table({"author": [author for author, _ in rows], "text": [text for _, text in rows]})


def test_it_counts_what_is_left_behind(peers: ModuleType) -> None:
    assert peers.left(table(ROWS), AUTHORS) == {"rows": 4, "theirs": 1, "handles": 1, "mails": 1, "phones": 1}
    clean: list[tuple[str | None, str]] = [("forum:cem", "I met @annika and @bxb, 3.14 + 15 at 10.30")]
    assert peers.left(table(clean), AUTHORS) == {"rows": 1, "theirs": 0, "handles": 0, "mails": 0, "phones": 0}


def test_a_script_does_its_job_as_the_benchmark_asks_for_it(peers: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    pq.write_table(table(ROWS), tmp_path / "from" / "part-0.parquet")
    job = {"parts": [str(tmp_path / "from" / "part-0.parquet")], "authors": AUTHORS, "to": str(tmp_path / "to")}
    (tmp_path / "job.json").write_text(json.dumps(job | {"workers": 1}))
    script = ROOT / "bench" / "_peers" / "by_duckdb.py"
    done = subprocess.run([sys.executable, script, tmp_path / "job.json"], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["versions"].keys() == {"duckdb"}
    kept = peers.kept(tmp_path / "to")
    assert peers.left(kept, AUTHORS) == {"rows": 3, "theirs": 0, "handles": 0, "mails": 0, "phones": 0}
    assert "I met [person] and @annika, and [person], not @bxb" in kept["text"].to_pylist()


def test_what_is_masked_is_what_is_looked_for(peers: ModuleType) -> None:
    said = (ROOT / "bench" / "_peers" / "_job.py").read_text()
    assert [f'r"{each}"' in said for each in (peers.MAIL, peers.PHONE)] == [True, True]


def test_a_picture_says_in_words_what_it_draws() -> None:
    bars = [_bars.Bar("<demur>", 4.0, "4.0 s", ours=True), _bars.Bar("other", 8.0, "8.0 s")]
    drawn = ET.fromstring(_bars.drawn("Seconds & more", "One is twice the other.", bars))
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Seconds & more", "<demur>", "4.0 s", "other", "8.0 s"]
    first, second = (float(each.attrib["width"]) for each in drawn.iter("{http://www.w3.org/2000/svg}rect"))
    assert second == 2 * first


def test_the_picture_of_the_page_is_drawn_from_its_table(peers: ModuleType) -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert (ROOT / "docs" / "peers.svg").read_text("utf-8") == peers.picture(page)
    told = ET.fromstring(peers.picture(page)).findtext("{http://www.w3.org/2000/svg}desc")
    assert told is not None
    assert all(f"{each} s" in told for each in ("demur 8.4", "DuckDB 0.7", "Polars 0.6", "datatrove 14.1"))
    with pytest.raises(ValueError, match="no table"):
        peers.picture(page.replace(peers.HEAD, ""))
