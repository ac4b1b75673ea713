"""`demur sources` lists what can be imported; `demur import auto` says what it takes a path for, and asks."""

import json
import re
from pathlib import Path

import pytest
from calling import Demur

from demur.sources import load_source, source_names
from demur.sources.sniffing import Sniffing, fitting
from demur.terms import Reason

OUTBOX = {"orderedItems": [{"type": "Note", "id": "https://t.example/1", "content": "x"}]}
ACTOR = {"type": "Person", "id": "https://t.example/users/ann"}
EXPORTS: dict[str, dict[str, object]] = {
    "mastodon": {"outbox.json": OUTBOX, "actor.json": ACTOR},
    "activitystreams": {"note.json": OUTBOX["orderedItems"][0]},
    "x": {"data/tweets.js": b"window.YTD.tweets.part0 = []"},
    "discourse": {"t/1.json": {"post_stream": {"posts": []}, "id": 1}},
    "instagram": {"content/posts_1.json": []},
    "facebook": {"your_facebook_activity/posts/your_posts_1.json": []},
    "irc": {"2026-03-01.log": b"[10:00] <ann> hi\n"},
    "mbox": {"2026-March.txt": b"From a at b  Sun Mar  1 10:00:00 2026\nFrom: a at b (A)\n\nhi\n"},
    "stackexchange": {"Posts.xml": b'<?xml version="1.0"?>\n<posts>\n  <row Id="1" />\n</posts>'},
    "misskey": {"notes-1.json": [{"id": "9a", "visibility": "public", "renoteId": 1, "replyId": 1, "localOnly": 1}]},
    "pixelfed": {"pixelfed-statuses.json": [{"pf_type": "photo", "visibility": "public", "type": "Image"}]},
    "reddit": {"RC_2026-03.jsonl": b'{"id":"1","subreddit":"x","author":"ann","created_utc":1}'},
    "slack": {"users.json": [], "channels.json": [], "general/2026-03-01.json": [{"type": "message", "text": "hi"}]},
    "telegram": {"result.json": {"name": "g", "messages": [{"id": 1, "from_id": "user1", "text": "hi"}]}},
    "discord": {"a.json": {"guild": {"id": "1"}, "channel": {"id": "1"}, "messages": []}},
    "whatsapp": {"_chat.txt": b"[01.03.26, 10:00:00] Ann: hi\n"},
    "table": {"posts.csv": b"item,text\n1,hi\n"},
}


@pytest.fixture
def exports(tmp_path: Path) -> dict[str, Path]:
    for name, files in EXPORTS.items():
        for file, content in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return {name: tmp_path / name for name in EXPORTS}


def test_every_source_is_listed_with_its_page(demur: Demur, root: Path) -> None:
    listed = demur("sources", "--json").json["sources"]

    assert [one["name"] for one in listed] == source_names()
    for one in listed:
        assert 10 < len(one["reads"]) < 100
        assert (root / one["page"]).read_text().startswith("# ")
    assert "docs/sources/discourse.md" in demur("sources").out
    page = (root / "docs/sources/README.md").read_text()
    assert re.findall(r"^\| \[`(\w+)`\]\((\w+)\.md\)", page, re.MULTILINE) == [(one, one) for one in source_names()]


def test_every_source_knows_its_own(exports: dict[str, Path]) -> None:
    assert {name: fitting([str(path)]) for name, path in exports.items()} == {name: [name] for name in EXPORTS}
    assert all(isinstance(load_source(name), Sniffing) for name in source_names())


def test_auto_says_what_it_takes_a_path_for(demur: Demur, workspace: Path, exports: dict[str, Path]) -> None:
    asked = demur("import", "auto", exports["irc"], "-w", workspace)
    assert asked.code == 2
    assert "looks like something of irc: name it, or add --yes" in asked.err

    done = demur("import", "auto", exports["irc"], "--yes", "-w", workspace)
    assert (done.code, "Taken for irc." in done.err) == (0, True)
    assert "Import 1 from irc: 1 item read" in done.out


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 130)])
def test_at_a_terminal_it_asks(
    demur: Demur, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    (tmp_path / "a.log").write_bytes(b"[10:00] <ann> hi\n")
    monkeypatch.setattr("sys.stdin", Terminal())

    done = demur("import", "auto", tmp_path / "a.log", "-w", workspace)

    assert "Import it as that?" in done.err
    assert done.code == code


SILENT: dict[str, tuple[dict[str, bytes], str]] = {
    "x": (
        {
            "data/tweets.js": b'window.YTD.tweets.part0 = [{"id_str": "1", "full_text": "hi"}]',
            "data/account.js": b'window.YTD.account.part0 = [{"account": {"username": "ann"}}]',
        },
        "protected = true, or false",
    ),
    "reddit": (
        {"RC_2026-03.jsonl": b'{"id":"1","subreddit":"x","author":"ann","created_utc":1,"link_id":"t3_a","body":"hi"}'},
        'default_audience = "group"',
    ),
    "mbox": (
        {"a.mbox": b"From a@b  Sun Mar  1 10:00:00 2026\nFrom: ann@town.example\n\nhi\n"},
        'audience = "group"',
    ),
    "activitystreams": (
        {
            "a.json": b'{"type":"Note","id":"https://t.example/1","attributedTo":"https://t.example/@ann","content":"hi"}'
        },
        'default_audience = "group"',
    ),
}


@pytest.mark.parametrize("source", SILENT)
def test_an_export_that_is_silent_on_its_audience_is_not_used(
    demur: Demur, workspace: Path, tmp_path: Path, source: str
) -> None:
    files, option = SILENT[source]
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    given = ("import", source, tmp_path, "-w", workspace)

    (stated,) = demur(*given, "--json").json["to_state"]
    told = demur(*given)

    assert "1 item read, 0 kept, 1 left out" in told.out
    assert "nobody knows who could read the item" in told.out
    assert f"  unknown-audience: [sources.{source}] {option}" in told.out
    assert stated.startswith(f"unknown-audience: [sources.{source}] {option}")


def test_notes_of_nobody_say_how_to_name_their_author(demur: Demur, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "notes-1.json").write_text(json.dumps([{"id": "9a", "visibility": "public", "text": "hi"}]))

    told = demur("import", "misskey", tmp_path, "-w", workspace)

    assert '  unknown-author: [sources.misskey] account = "@name@server"' in told.out


def test_what_sources_say_can_be_stated_are_on_their_pages(root: Path) -> None:
    for name in source_names():
        page = (root / f"docs/sources/{name}.md").read_text()
        for reason, said in getattr(load_source(name), "stated", {}).items():
            assert reason in set(Reason)
            for option in re.findall(r"\b[a-z]+_audience\b|^\w+(?=[ .])", said):
                assert option in page, (name, option)


def test_auto_never_chooses_between_two(demur: Demur, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps({"post_stream": {}}))
    (tmp_path / "tweets.js").write_text("window.YTD.tweets.part0 = []")
    several = demur("import", "auto", tmp_path, "--yes", "-w", workspace)
    assert (several.code, "may be of discourse or x: name the source" in several.err) == (2, True)

    (tmp_path / "empty").mkdir()
    nothing = demur("import", "auto", tmp_path / "empty", "--yes", "-w", workspace)
    assert (nothing.code, "no source takes this for its own" in nothing.err) == (2, True)

    missing = demur("import", "auto", tmp_path / "no.zip", "--yes", "-w", workspace)
    assert (missing.code, "does not exist" in missing.err) == (2, True)
