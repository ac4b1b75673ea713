"""Memory does not grow with the input: one large file of each form, read in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

MEGABYTES: Final = int(os.environ.get("DEMUR_BIG_MB", "100"))
"""Size of the file; ``DEMUR_BIG_MB=2048`` is the 2 GB file of the specification."""
SMALLER: Final = 16
"""Megabytes of the other forms, unless the long run is asked for."""
GROWTH: Final = 12 << 10
"""KiB by which memory may grow over a file of that size, which held in memory takes more than twice as many."""

_CODE: Final = """
import json, resource, sys
from demur.sources import load_source

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux

rows, before = 0, None
options = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
for batch in load_source(sys.argv[1]).read([sys.argv[2]], options):
    before = before or peak()
    rows += batch.num_rows
print(rows, peak() - before)
"""


def _write(path: Path, head: bytes, record: dict[str, object], tail: bytes) -> int:
    """Write records until the file is large enough, and answer how many."""
    line = json.dumps(record).encode()
    block, blocks = 1000, (MEGABYTES << 20) // (len(line) + 1) // 1000 + 1
    with path.open("wb") as file:
        file.write(head + line)
        for _ in range(blocks):
            file.write((b"," + line) * block)
        file.write(tail)
    return blocks * block + 1


@pytest.mark.parametrize(
    ("source", "name", "root"),
    [("facebook", "posts/your_posts_1.json", None), ("instagram", "messages/inbox/b_1/message_1.json", "messages")],
)
def test_a_large_json_file_is_streamed(tmp_path: Path, source: str, name: str, root: str | None) -> None:
    post = {
        "timestamp": 1_500_000_000,
        "data": [{"post": "Sch\u00c3\u00b6n " + "lorem ipsum dolor sit amet " * 80}],
        "sender_name": "Ann Bee",
        "timestamp_ms": 1_500_000_000_000,
        "content": "x" * 500,
    }
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    head = b"[" if root is None else f'{{"participants": [], "{root}": ['.encode()
    written = _write(path, head, post, b"]" if root is None else b"]}")
    command = [sys.executable, "-c", _CODE, source, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, grown = map(int, done.stdout.split())
    path.unlink()
    assert rows == written
    assert grown < min(100, MEGABYTES // 2) * 1024, f"memory grew by {grown >> 10} MiB while {MEGABYTES} MB were read"


class Form(NamedTuple):
    """A file that grows by one record, in whose text ``NUMBER`` stands where an id does."""

    source: str
    name: str
    record: str
    head: str = ""
    between: str = "\n"
    tail: str = "\n"
    beside: Mapping[str, str] = {}
    options: Mapping[str, object] = {}


_WORDS: Final = "a post about knees and roses " * 16
_HTML: Final = f'<p><a class=\\"mention\\" href=\\"/u/ben\\">@ben</a> {_WORDS}</p>'
_NOTE: Final = (
    '{"type": "Create", "actor": "https://h.example/users/ann", "object": {"type": "Note", '
    f'"id": "https://h.example/users/ann/statuses/NUMBER", "to": ["as:Public"], "content": "<p>{_WORDS}</p>"}}}}'
)
_ACTOR: Final = '{"type": "Person", "id": "https://h.example/users/ann", "preferredUsername": "ann"}'
_MAIL: Final = (
    "From ann@town.example Sun Mar  1 10:00:00 2026\nFrom: Ann <ann@town.example>\nMessage-ID: <NUMBER@town.example>\n"
    f"Date: Sun, 1 Mar 2026 10:00:00 +0000\n\n{_WORDS}\n"
)
_SAID: Final = (
    f'{{"id": NUMBER, "type": "message", "date_unixtime": "1772359200", "from_id": "user1", "text": "{_WORDS}"}}'
)
_CHANNEL: Final = (
    '{"guild": {"id": "3"}, "channel": {"id": "5", "type": "GuildTextChat", "name": "town"}, "messages": ['
)
_POSTED: Final = '"username": "ben", "topic_id": 12, "post_number": NUMBER, "created_at": "2026-03-01T10:00:00Z"'
_ROW: Final = f'  <row Id="NUMBER" PostTypeId="1" OwnerUserId="7" Body="&lt;p&gt;{_WORDS}&lt;/p&gt;" />'

FORMS: Final = {
    "JSON with HTML": Form("discourse", "posts.json", f'{{{_POSTED}, "cooked": "{_HTML}"}}', "[", ",", "]"),
    "JSON Lines": Form(
        "reddit",
        "RC_2026-03.jsonl",
        f'{{"id": "NUMBER", "subreddit": "Town", "link_id": "t3_a", "created_utc": 1, "body": "{_WORDS}"}}',
    ),
    "CSV": Form(
        "discourse",
        "user_archive.csv",
        f'No,"{_WORDS}",https://f.example/t/knees/7/NUMBER,2026-03-01 10:00:00 UTC',
        "is_pm,post_raw,url,created_at\n",
        options={"username": "ann"},
    ),
    "XML": Form("stackexchange", "Posts.xml", _ROW, "<posts>\n", tail="\n</posts>\n"),
    "mails": Form("mbox", "town.mbox", _MAIL),
    "lines of a chat": Form("whatsapp", "_chat.txt", f"[01.03.26, 10:00:00] Ann: {_WORDS}"),
    "an object with a list": Form(
        "telegram", "result.json", _SAID, '{"type": "public_channel", "id": 7, "messages": [', ",", "]}"
    ),
}
"""One of each way of reading."""
FURTHER: Final = {
    "a dump in SQL": Form(
        "discourse",
        "dump.sql",
        f"NUMBER\t12\t{_WORDS}",
        "COPY public.posts (post_number, topic_id, raw) FROM stdin;\n",
        tail="\n\\.\n",
    ),
    "mastodon": Form("mastodon", "outbox.json", _NOTE, '{"orderedItems": [', ",", "]}", {"actor.json": _ACTOR}),
    "discord": Form(
        "discord", "a.json", f'{{"id": "NUMBER", "author": {{"id": "1"}}, "content": "{_WORDS}"}}', _CHANNEL, ",", "]}"
    ),
    "slack": Form(
        "slack",
        "general/2026-03-01.json",
        f'{{"type": "message", "user": "U1", "ts": "1NUMBER.000100", "text": "{_WORDS}"}}',
        "[",
        ",",
        "]",
        {"channels.json": '[{"id": "C1", "name": "general"}]', "users.json": "[]"},
    ),
    "x": Form(
        "x",
        "data/tweets.js",
        f'{{"tweet": {{"id_str": "NUMBER", "full_text": "{_WORDS}"}}}}',
        "window.YTD.tweets.part0 = [",
        ",",
        "]",
        {"data/account.js": 'window.YTD.account.part0 = [{"account": {"username": "a"}}]'},
    ),
    "irc": Form("irc", "2026-03-01-#town.log", f"[10:00] <ann> ben: {_WORDS}"),
}
"""The others, which read as one of those does."""


def _grow(folder: Path, form: Form, megabytes: int) -> int:
    """Write an export of a form, and answer how many records it has."""
    for name, content in form.beside.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    path = folder / form.name
    path.parent.mkdir(parents=True, exist_ok=True)
    block = form.between.join(form.record.replace("NUMBER", f"NUMBER{at:03}") for at in range(1000))
    blocks = max(1, (megabytes << 20) // len(block))
    with path.open("w") as file:
        file.write(form.head)
        for number in range(blocks):
            file.write((form.between if number else "") + block.replace("NUMBER", str(100_000 + number)))
        file.write(form.tail)
    return blocks * 1000


def _is_flat(folder: Path, form: Form, megabytes: int) -> None:
    written = _grow(folder, form, megabytes)
    command = [sys.executable, "-c", _CODE, form.source, str(folder), json.dumps(form.options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, grown = map(int, done.stdout.split())
    assert rows == written
    assert grown < GROWTH, f"memory grew by {grown >> 10} MiB while {megabytes} MB were read"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_way_of_reading_takes_no_more_memory_for_more_records(tmp_path: Path, form: Form) -> None:
    _is_flat(tmp_path, form, SMALLER)


@pytest.mark.soak
@pytest.mark.parametrize("form", [*FORMS.values(), *FURTHER.values()], ids=[*FORMS, *FURTHER])
def test_every_source_takes_no_more_memory_for_a_large_file(tmp_path: Path, form: Form) -> None:
    _is_flat(tmp_path, form, MEGABYTES)
