"""Whatever is broken: one sentence, exit code 1 or 2, and a workspace that is what it was before."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import lance
import pytest
import sqlalchemy as sa
from calling import PYTHON, Demur, Result
from desk import ANN, POSTS, filled_workspace, signed_workspace, stored, write_posts

from demur.workspace import find

ROW: Final = {"item": "forum:9", "author": "forum:ann", "kind": "post", "audience": "public", "text": "x"}


@pytest.fixture
def filled(fast_tmp: Path) -> Path:
    """A workspace's folder, with a few rows in its corpus, beside the table that they came from."""
    write_posts(fast_tmp / "posts.jsonl")
    return filled_workspace(fast_tmp / "forum").root


def _told(result: Result, code: int, sentence: str) -> None:
    """One sentence on stderr, which says what is wrong, and nothing else."""
    assert result.code == code
    assert result.out == ""
    assert "Traceback" not in result.err
    assert result.err.count("\n") == 1
    assert sentence in result.err
    assert "does not know" not in result.err


# Input that is not what it claims to be


def _zip(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _truncated_zip(folder: Path) -> Path:
    whole = _zip(folder / "archive.zip", {"outbox.json": "{}" * 5000})
    whole.write_bytes(whole.read_bytes()[:100])
    return whole


def _written(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def _empty_folder(folder: Path) -> Path:
    empty = folder / "empty"
    empty.mkdir()
    return empty


def _rows(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


BROKEN: Final[list[tuple[str, str, Callable[[Path], Path], str]]] = [
    ("truncated zip", "mastodon", _truncated_zip, "archive.zip"),
    ("zip with ..", "mastodon", lambda folder: _zip(folder / "a.zip", {"../outbox.json": "{}"}), "../outbox.json"),
    (
        "absolute path in a zip",
        "instagram",
        lambda folder: _zip(folder / "a.zip", {"/etc/posts.json": "{}"}),
        "/etc/posts.json",
    ),
    ("not a zip", "facebook", _written("a.zip", b"\x00" * 400), "a.zip"),
    ("broken JSON", "table", _written("a.jsonl", '{"item": "forum:9",'), "a.jsonl, line 1"),
    ("a broken line after good ones", "table", _written("a.jsonl", _rows(ROW) * 9000 + "{"), "a.jsonl, line 9001"),
    ("broken UTF-8", "table", _written("a.jsonl", b'{"item": "forum:\xff\xfe"}\n'), "a.jsonl"),
    ("broken UTF-8 in CSV", "table", _written("a.csv", b"item,author,text\n1,ann,\xff\xfe\n"), "a.csv"),
    ("a missing column", "table", _written("a.csv", "author,text\nforum:ann,hello\n"), "item"),
    ("a number for a text", "table", _written("a.jsonl", _rows({**ROW, "text": {"a": 1}})), "text"),
    ("an impossible date", "table", _written("a.jsonl", _rows({**ROW, "created": "2024-13-45"})), "created"),
    ("a date out of range", "table", _written("a.jsonl", _rows({**ROW, "created": 10**30})), "created"),
    ("broken Parquet", "table", _written("a.parquet", b"PAR1 and no more"), "a.parquet"),
    ("an empty folder", "mastodon", _empty_folder, "empty"),
    ("an empty folder of tables", "table", _empty_folder, "empty"),
    ("broken ActivityStreams", "activitystreams", _written("a.json", '{"type": "Note", '), "a.json"),
]


@pytest.mark.parametrize(("source", "make", "sentence"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_broken_input_changes_nothing(
    demur: Demur, filled: Path, tmp_path: Path, source: str, make: Callable[[Path], Path], sentence: str
) -> None:
    before, files = stored(filled), sorted(path.name for path in filled.iterdir())
    _told(demur("import", source, make(tmp_path), "-w", filled), 2, sentence)
    assert stored(filled) == before
    assert sorted(path.name for path in filled.iterdir()) == files
    assert sorted(path.name for path in (filled / "imports").iterdir()) == ["000001.left-out.parquet", "000001.parquet"]


@pytest.mark.parametrize("source", ["activitystreams", "facebook", "instagram", "irc", "mastodon", "table"])
def test_a_path_that_does_not_exist_is_told(demur: Demur, filled: Path, source: str) -> None:
    _told(demur("import", source, "no-such-path", "-w", filled), 2, "no-such-path does not exist")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "mastodom", "x"), "There is no source 'mastodom': did you mean 'mastodon'?"),
        (("import", "table"), "Missing argument 'PATH...'"),
        (("export", "none", "--to", "x"), "There is no version none"),
        (("recall", "none", "--to", "x.csv"), "There is no version none"),
        (("verify", "none"), "There is no version none"),
        (("retire", "none"), "There is no version none"),
        (("publish", "a/b"), "can't name a version"),
        (("verify", "none", "--export", "no-such-folder"), "no-such-folder"),
        (("demo", "--people", "0"), "--people"),
    ],
)
def test_wrong_use_is_told(demur: Demur, filled: Path, arguments: tuple[str, ...], sentence: str) -> None:
    before = stored(filled)
    _told(demur(*arguments, "-w", filled), 2, sentence)
    assert stored(filled) == before


def test_a_recall_names_its_format(demur: Demur, filled: Path, tmp_path: Path) -> None:
    assert demur("publish", "spring", "-w", filled).code == 0
    _told(demur("recall", "spring", "--to", tmp_path / "list.txt", "-w", filled), 2, "neither in .csv nor in .parquet")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    _told(demur("export", "spring", "--to", tmp_path / "out", "-w", filled), 2, "is not empty")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


# A workspace that is not what it should be

WRITERS: Final = [("import", "table", "posts.jsonl"), ("publish", "spring"), ("maintain",)]
READERS: Final = [("status",), ("find", "--account", ANN), ("policy", "explain", "forum:1")]


@pytest.mark.parametrize("command", WRITERS, ids=lambda command: command[0])
def test_a_second_process_is_told_who_holds_the_workspace(
    demur: Demur, filled: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(filled.parent)
    before = stored(filled)
    holder = (
        "import sys, time; from pathlib import Path; from demur.workspace import find\n"
        f"with find(Path({str(filled)!r})).writing('import'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        _told(demur(*command, "-w", filled), 2, f"Another demur (pid {other.pid}, `demur import`) is writing")
        assert demur("status", "-w", filled).code == 0
        other.kill()
    assert stored(filled) == before
    assert demur(*command, "-w", filled).code == 0


def _newer_corpus(root: Path) -> None:
    corpus = root / "corpus.lance"
    rows = lance.dataset(str(corpus)).to_table()
    shutil.rmtree(corpus)
    lance.write_dataset(rows.replace_schema_metadata({"demur.format": "99"}), str(corpus))


def _newer_register(root: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{root / 'register.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'r9999'"))
    engine.dispose()


def _no_policy(root: Path) -> None:
    (root / "demur.toml").unlink()


def _no_pepper(root: Path) -> None:
    (root / "keys" / "pepper.key").unlink()


@pytest.mark.parametrize("command", WRITERS + READERS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_newer_corpus, "has format 99, newer than this demur"),
        (_newer_register, "newer"),
        (_no_policy, "No demur workspace in"),
        (_no_pepper, "pepper.key can't be read"),
    ],
    ids=["newer corpus", "newer register", "no demur.toml", "no pepper"],
)
def test_a_workspace_that_can_not_be_used_is_told(
    demur: Demur,
    filled: Path,
    change: Callable[[Path], None],
    sentence: str,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(filled.parent)
    change(filled)
    rows = lance.dataset(str(filled / "corpus.lance")).to_table()
    _told(demur(*command, "-w", filled), 2, sentence)
    assert lance.dataset(str(filled / "corpus.lance")).to_table().equals(rows)


def test_a_damaged_corpus_is_told(demur: Demur, filled: Path) -> None:
    for manifest in (filled / "corpus.lance" / "_versions").iterdir():
        manifest.write_bytes(b"no manifest")
    _told(demur("status", "-w", filled), 2, "can't be opened")


# A disk that is full, and a process that is killed


@pytest.fixture
def small_disk(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Iterator[Path]:
    """A file system of 3 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3M", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if made.returncode != 0:
        missing("the right to mount a tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_what_was_there(demur: Demur, small_disk: Path, tmp_path: Path) -> None:
    root = signed_workspace(small_disk / "forum").root
    assert demur("import", "table", write_posts(tmp_path / "posts.jsonl"), "-w", root).code == 0
    before = stored(root)
    noise = [{**POSTS[0], "item": f"forum:{number}", "text": os.urandom(2000).hex()} for number in range(4000)]
    _told(
        demur("import", "table", write_posts(tmp_path / "many.jsonl", noise), "-w", root), 2, "no room left on the disk"
    )
    assert stored(root) == before
    assert demur("maintain", "-w", root).code == 0
    assert demur("import", "table", tmp_path / "posts.jsonl", "-w", root).code == 0
    assert stored(root) == before


def test_a_killed_import_is_undone_by_the_next_command(demur: Demur, filled: Path, tmp_path: Path) -> None:
    before = stored(filled)
    pipe = tmp_path / "posts.jsonl"
    os.mkfifo(pipe)
    with subprocess.Popen([*PYTHON, "import", "irc", str(pipe), "-w", str(filled)], stderr=subprocess.DEVNULL) as other:
        _wait_for(filled / "import.journal", other)
        other.send_signal(signal.SIGKILL)
    assert other.returncode == -signal.SIGKILL
    assert stored(filled) == before
    assert demur("status", "--json", "-w", filled).json["import_under_way"]
    assert demur("maintain", "-w", filled).code == 0
    assert not demur("status", "--json", "-w", filled).json["import_under_way"]
    assert stored(filled) == before


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_was_recorded_before_a_stop_stands(demur: Demur, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("demur.corpus.importing._store", stop)
    before = stored(filled)
    result = demur("import", "table", write_posts(filled.parent / "again.jsonl"), "-w", filled)
    assert result == Result(130, "", "Stopped; nothing is half done: run the same command again.\n")
    assert stored(filled) == before
    assert not (filled / "import.journal").exists()
    assert find(filled).root == filled
