"""Hostile files, for every source and for tables of members: one sentence, little memory, little time.

Each file is read in a process of its own, forked from one that has imported everything, under a limit on memory.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demur.sources import limits, load_source, source_names

MIB: Final = 2**20
MEMORY_MIB: Final = 400
"""What reading may take beyond what the imports take. Refused ones stay below 200; a post of 10 MB takes 330."""
CPU_SECONDS: Final = 20
"""Generous, for busy machines: the slowest takes one on an idle one."""

_RUNNER: Final = """
import json, os, resource, sys
from pathlib import Path
import pyarrow.csv, pyarrow.parquet
from demur.sources.tables.members import member_batches
from demur.sources import load_source, source_names

for name in source_names():
    load_source(name)

def rows(source, path, options):
    given = member_batches(Path(path)) if source == "members" else load_source(source).read([path], options)
    return sum(batch.num_rows for batch in given)

for name, source, path, options in json.load(sys.stdin):
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps([name, 0, 0, f"ended with status {status}"]), flush=True)
        continue
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        said = f"rows {rows(source, path, options)}"
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([name, used.ru_maxrss - before >> 10, used.ru_utime + used.ru_stime, said]), flush=True)
    os._exit(0)
"""


def _values() -> Mapping[str, bytes]:
    """Values of JSON that no export holds; made when they are needed, as they are large."""
    return {
        "deep lists": b"[" * 40_000 + b"]" * 40_000,
        "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        "long string": b'"' + b"x" * (70 * MIB) + b'"',
        "long key": b'{"' + b"k" * (30 * MIB) + b'":1}',
        "long number": b"1" * MIB,
        "number that ends Python's parser": b"1" * 4400,
        "number without end": b"1e99999999999999999999",
        "many lists": b"[" + b"[]," * (3 * MIB) + b"[]]",
        "many decimals": b"[" + b"1.5," * (3 * MIB) + b"1]",
        "many keys": b"{" + b",".join(b'"%07d":1' % each for each in range(1_100_000)) + b"}",
    }


_ACTOR: Final = b'{"type":"Person","id":"https://town.example/users/ann"}'
_JSON: Final[Mapping[str, tuple[tuple[str, bytes, bytes], ...]]] = {
    "mastodon": (("outbox.json", b'{"orderedItems":[{"type":"Note","content":', b"}]}"), ("actor.json", _ACTOR, b"")),
    "activitystreams": (("a.json", b'{"type":"Note","id":"https://t.example/1","content":', b"}"),),
    "instagram": (("content/posts_1.json", b'[{"creation_timestamp":1,"title":', b"}]"),),
    "facebook": (("posts/your_posts_1.json", b'[{"timestamp":1,"data":[{"post":', b"}]}]"),),
    "discourse": (("t/1.json", b'{"post_stream":{"posts":[{"topic_id":1,"post_number":1,"cooked":', b"}]}}"),),
    "x": (("data/tweets.js", b'window.YTD.tweets.part0 = [{"tweet":{"id_str":"1","full_text":', b"}}]"),),
    "reddit": (("RC_2026-03.jsonl", b'{"id":"1","subreddit":"x","author":"ann","body":', b"}\n"),),
    "slack": (("general/2026-03-01.json", b'[{"user":"U1","ts":"1772000000.000100","text":', b"}]"),),
    "telegram": (("result.json", b'{"type":"public_channel","id":1,"messages":[{"id":1,"text":', b"}]}"),),
    "discord": (("a.json", b'{"guild":{},"channel":{"id":"1"},"messages":[{"id":"1","content":', b"}]}"),),
    "misskey": (("notes-1.json", b'[{"id":"1","visibility":"public","text":', b"}]"),),
    "pixelfed": (("pixelfed-statuses.json", b'[{"uri":"https://t.example/1","visibility":"public","content":', b"}]"),),
    "table": (("a.jsonl", b'{"item":"1","text":', b"}\n"),),
    "members": (("a.jsonl", b'{"account":"x:1","locale":', b"}\n"),),
}

Case = tuple[str, str, str, dict[str, Any]]


def _json_cases(folder: Path, share: int) -> Iterator[Case]:
    """One of ``share`` of the pairs of a source and a value, each source and each value among them."""
    values = list(_values().items())
    for turn, (source, files) in enumerate(_JSON.items()):
        for name, value in values[turn % share :: share]:
            place = folder / f"{source} {name}"
            for number, (file, head, tail) in enumerate(files):
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                (place / file).write_bytes(head + (b"" if number else value) + tail)
            whole = source in ("table", "members", "activitystreams")
            yield f"{source}: {name}", source, str(place / files[0][0] if whole else place), {}


def _text_cases(folder: Path) -> Iterator[Case]:
    member = {"columns": {"item": "account"}}
    for name, content in {
        "line.csv": b"x" * (70 * MIB),
        "cell.csv": b"account,locale\nx:1," + b"x" * (70 * MIB),
        "quote.csv": b'account,locale\nx:1,"' + b"x\n" * (35 * MIB),
        "columns.csv": b"account" + b",c" * MIB + b"\n",
        "fields.csv": b"account,locale\nx:1" + b"," * (20 * MIB) + b"\n",
        "columns.jsonl": b"".join(
            json.dumps({"account": "x:1", **{f"c{line}_{each}": 1 for each in range(20)}}).encode() + b"\n"
            for line in range(4000)
        ),
    }.items():
        (folder / name).write_bytes(content)
        yield f"table: {name}", "table", str(folder / name), member
        yield f"members: {name}", "members", str(folder / name), {}
    head = b"is_pm,url,post_raw\nNo,https://t.example/t/1/1,"
    for name, content in {
        "post.csv": head + b"x" * (70 * MIB),
        "unclosed.csv": head + b'"' + (b"x" * 999 + b"\n") * (35 * 1024),
        "post fields.csv": head + b"," * (20 * MIB),
        "dump.sql": b"COPY public.posts (topic_id, post_number) FROM stdin;\n" + b"\t" * (70 * MIB),
        "dump fields.sql": b"COPY public.posts (topic_id, post_number) FROM stdin;\n" + b"\t" * (20 * MIB) + b"\n",
        "post.jsonl": b'{"topic_id":1,"post_number":1,"cooked":"' + b"x" * (70 * MIB),
    }.items():
        (folder / name).write_bytes(content)
        yield f"discourse: {name}", "discourse", str(folder / name), {}
    begun = b"From a Sun Mar  1 10:00:00 2026\nFrom: ann@t.example\n"
    for name, content in {
        "large mail": begun + b"\n" + (b"x" * 999 + b"\n") * (70 * 1024),
        "line": begun + b"\n" + b"x" * (70 * MIB),
        "header": begun + b"Content-Type: text/plain;" + b" a=b;" * MIB + b"\n\n",
        "parts": begun
        + b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(99_999)),
    }.items():
        (folder / f"{name}.mbox").write_bytes(content)
        yield f"mbox: {name}", "mbox", str(folder / f"{name}.mbox"), {}
    (folder / "Posts.xml").write_bytes(b'<posts>\n<row Id="1" Body="' + b"x" * (70 * MIB) + b'" />\n')
    yield "stackexchange: line", "stackexchange", str(folder / "Posts.xml"), {}
    (folder / "Comments.xml").write_bytes(b'<comments>\n<row Id="1" Text="' + b"&#xA;&" * (3 * MIB) + b'" />\n')
    yield "stackexchange: row", "stackexchange", str(folder / "Comments.xml"), {}
    (folder / "line.log").write_bytes(b"[10:00] <ann> " + b"_`" * MIB + b"\n")
    yield "irc: long line", "irc", str(folder / "line.log"), {}
    (folder / "line.txt").write_bytes(b"27/03/2022, 21:41 - Ann: " + b"x" * (70 * MIB))
    (folder / "lines.txt").write_bytes(b"27/03/2022, 21:41 - Ann: hi\n" + b"x\n" * (35 * MIB))
    yield "whatsapp: line.txt", "whatsapp", str(folder / "line.txt"), {}
    yield "whatsapp: lines.txt", "whatsapp", str(folder / "lines.txt"), {}


def _parquet_cases(folder: Path) -> Iterator[Case]:
    few, many = np.zeros(20_000, np.int32), np.zeros(2_000_000, np.int32)
    names = [f"x:{each}" for each in range(20_000)]
    large = pa.DictionaryArray.from_arrays(pa.array(few), pa.array(["x" * MIB]))
    listed = pa.DictionaryArray.from_arrays(pa.array(np.zeros(9_000_000, np.int32)), pa.array(["y"]))
    tables = {
        "2 million rows in some KB": pa.table({"account": pa.DictionaryArray.from_arrays(many, pa.array(["x:1"]))}),
        "a value 20,000 times": pa.table({"account": names, "locale": large, "text": large}),
        "an id 20,000 times": pa.table({"account": large}),
        "one cell of 300 MB": pa.table(
            {"account": ["x:1"], "locale": ["x" * (300 * MIB)], "text": ["x" * (300 * MIB)]}
        ),
        "one list of 9 million": pa.table(
            {"account": ["x:1"], "names": pa.ListArray.from_arrays(pa.array([0, len(listed)], pa.int32()), listed)}
        ),
        "20,000 columns": pa.table({"account": ["x:1"], **{f"c{each}": [1] for each in range(20_000)}}),
    }
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, dictionary_pagesize_limit=1 << 30)
        if "list" not in name:
            yield f"table: {name}", "table", str(path), {"columns": {"item": "account"}}
        yield f"members: {name}", "members", str(path), {}


@pytest.fixture(scope="module", params=[12, pytest.param(1, marks=pytest.mark.soak)], ids=["twelfth", "all"])
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, float, str]]:
    """For each hostile file: MiB that reading it took beyond the imports, seconds of the processor, what it said.

    Of JSON's, each source takes every twelfth by turns here, as one reader reads them all; the soak takes all.
    """
    folder = tmp_path_factory.mktemp("hostile")
    cases = [*_json_cases(folder, request.param), *_text_cases(folder), *_parquet_cases(folder)]
    done = subprocess.run(
        [sys.executable, "-c", _RUNNER], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in told] == [name for name, *_ in cases]
    return {name: (memory, seconds, said) for name, memory, seconds, said in told}


def test_hostile_files_are_refused_in_one_sentence(answers: dict[str, tuple[int, float, str]]) -> None:
    wrong = {
        name: said[:300]
        for name, (_, _, said) in answers.items()
        if not re.fullmatch(r"SourceError: [^\n]{20,400}\.", said) or name.partition(": ")[2] not in said + name
    }
    assert wrong == {}


def test_hostile_files_take_little_memory(answers: dict[str, tuple[int, float, str]]) -> None:
    assert {name: memory for name, (memory, _, _) in answers.items() if memory > MEMORY_MIB} == {}


def test_hostile_files_take_little_time(answers: dict[str, tuple[int, float, str]]) -> None:
    assert {name: seconds for name, (_, seconds, _) in answers.items() if seconds > CPU_SECONDS} == {}


def test_every_source_is_among_them() -> None:
    assert set(source_names()) == {*_JSON, "irc", "mbox", "stackexchange", "whatsapp"} - {"members"}


def test_a_post_of_ten_megabytes_passes(tmp_path: Path) -> None:
    text = "word " * (2 * MIB)
    note = {"type": "Note", "id": "https://town.example/1", "content": f"<p>{text}</p>"}
    (tmp_path / "a.json").write_text(json.dumps(note))
    (tmp_path / "a.jsonl").write_text(json.dumps({"item": "1", "text": text}) + "\n")
    (tmp_path / "a.csv").write_text(f"item,text\n1,{text}\n")
    (tmp_path / "notes-1.json").write_text(json.dumps([{"id": "1", "visibility": "public", "text": text}]))
    status = {"uri": "https://town.example/p/ann/1", "visibility": "public", "content": f"<p>{text}</p>"}
    (tmp_path / "statuses.json").write_text(json.dumps([status]))

    for source, name in (
        ("activitystreams", "a.json"),
        ("table", "a.jsonl"),
        ("table", "a.csv"),
        ("misskey", "notes-1.json"),
        ("pixelfed", "statuses.json"),
    ):
        read = [row for batch in load_source(source).read([str(tmp_path / name)], {}) for row in batch.to_pylist()]
        assert [len(row["text"].strip()) for row in read] == [len(text.strip())]


def test_fifty_thousand_mentions_in_a_post_are_read(tmp_path: Path) -> None:
    people = range(50_000)
    tags = [{"type": "Mention", "href": f"https://town.example/users/u{each}", "name": f"@u{each}"} for each in people]
    text = " ".join(f"@u{each}" for each in people)
    (tmp_path / "a.json").write_text(
        json.dumps({"type": "Note", "id": "https://town.example/1", "content": text, "tag": tags})
    )

    (batch,) = load_source("activitystreams").read([str(tmp_path / "a.json")], {})

    spans = batch.column("spans")[0].as_py()
    assert len({span["account"] for span in spans}) == len(people)
    assert all(text[span["start"] : span["end"]] == "@" + span["account"].split("@")[1] for span in spans[::1000])


def test_a_zip_of_too_many_names_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        for each in range(300):
            file.writestr(f"{each}.json", b"{}")
    monkeypatch.setattr("demur.sources.parts.MAX_DIRECTORY", 10_000)

    with pytest.raises(Exception, match="holds too many files for one zip"):
        list(load_source("mastodon").read([str(path)], {}))


def test_the_documentation_says_every_limit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources" / "limits.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+(?: [KM]iB)?) \|", page, re.MULTILINE))
    units = {"KiB": 2**10, "MiB": 2**20}

    def number(said: str) -> int:
        amount, _, unit = said.partition(" ")
        return int(amount.replace(",", "")) * units.get(unit, 1)

    values = {name: value for name, value in vars(limits).items() if name.isupper() and name != "MIB"}
    assert {name: number(said) for name, said in told.items()} == values
