"""IRC logs become items; whom a line speaks to is a mention."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError
from demur.sources.chats.nicks import Nicks, Talking, is_word
from demur.sources.meter import watching

Items = Callable[..., list[dict[str, Any]]]
Folder = Callable[..., str]

LOG = b"""=== carol [~c@host.example]  has joined #garden
[09:14] <Ann> Bob: hello there
[09:15] <bob> ann, carol: hi both
=== dave is now known as eve
[09:16]  * Ann waves at bob
[09:17] -bob:#garden- a notice for all
[09:18] -serv- a notice for one
[09:19] (carol/#other) said elsewhere
[09:20] <bur[n] er> eve, got it
[09:21] <Ann>\x20
=== ann waves again
nonsense
"""


def marked(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["text"][s["start"] : s["end"]], s["account"]) for s in row["spans"]]


def known(text: str, **options: bool) -> list[str]:
    nicks = Nicks(["Ann", "bob", "|QuaD-", "[optik]", "bur[n]er", "EriC^^", "the"], **options)
    return [text[span.start : span.end] for span in nicks.mentions(text)]


def test_every_line_that_somebody_wrote_is_an_item(items: Items, folder: Folder) -> None:
    rows = items("irc", folder({"2004-12-25.log": LOG}))

    assert [(row["author"], row["kind"], row["audience"], row["text"]) for row in rows] == [
        ("irc:Ann", "post", "public", "Bob: hello there"),
        ("irc:bob", "post", "public", "ann, carol: hi both"),
        ("irc:Ann", "post", "public", "waves at bob"),
        ("irc:bob", "post", "public", "a notice for all"),
        ("irc:serv", "message", "direct", "a notice for one"),
        ("irc:carol", "post", "public", "said elsewhere"),
        ("irc:bur[n]er", "post", "public", "eve, got it"),
        ("irc:Ann", "post", "public", ""),
    ]


def test_items_have_id_time_and_channel(items: Items, folder: Folder) -> None:
    first, *_, private, _, _, _ = items("irc", folder({"old/2004-12-25.raw.txt": LOG}), language="en")

    assert first["item"] == "irc:old/2004-12-25.raw/2"
    assert first["created"] == datetime(2004, 12, 25, 9, 14, tzinfo=UTC)
    assert (first["group"], first["language"], private["group"]) == ("irc:#garden", "en", None)


def test_whom_a_line_speaks_to_is_a_mention(items: Items, folder: Folder) -> None:
    rows = items("irc", folder({"2004-12-25.log": LOG}))

    assert [marked(row) for row in rows] == [
        [("Bob", "irc:Bob")],
        [("ann", "irc:ann"), ("carol", "irc:carol")],
        [],
        [],
        [],
        [],
        [("eve", "irc:eve")],
        [],
    ]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("ann: hi", ["ann"]),
        ("ANN, hi", ["ANN"]),
        ("ann hi", ["ann"]),
        ("ann", ["ann"]),
        ("ann's box", ["ann"]),
        ("<ann> hi", ["ann"]),
        ("@ann: hi", ["@ann"]),
        ("[ann] hi", ["ann"]),
        ("`ann` hi", ["ann"]),
        ("ann-- hi", ["ann"]),
        ("  ann: hi", ["ann"]),
        ("|quad- hi", ["|quad-"]),
        ("[optik] : hola", ["[optik]"]),
        ("bur[n] er: hi", ["bur[n] er"]),
        ("eric^^; hi", ["eric^^"]),
        ("ann, bob: hi", ["ann", "bob"]),
        ("ann/bob: hi", ["ann", "bob"]),
        ("ann and bob: hi", ["ann", "bob"]),
        ("ann, zoe: hi", ["ann", "zoe"]),
        ("ann: bob: hi", ["ann", "bob"]),
        ("ann: error: no such file", ["ann"]),
        ("ann, bob is away", ["ann"]),
        ("zoe: hi", ["zoe"]),
        ("zoe : hi", ["zoe"]),
        ("well, yes", []),
        ("annabel is here", []),
        ("E: unable to locate", []),
        ("http://ann.example", []),
        ("10: ten", []),
        ("ask @bob or bob: now", ["@bob", "bob"]),
        ("mail bob@host.example or http://bob:80/", []),
        ("!hi | zoe", ["zoe"]),
        ("ann: !grub > zoe", ["ann", "zoe"]),
        ("!grub", []),
        ("", []),
        (":)", []),
    ],
)
def test_mentions(text: str, mentions: list[str]) -> None:
    assert known(text) == mentions


def test_those_who_only_come_and_go_are_addressed_with_a_mark(items: Items, folder: Folder) -> None:
    log = b"=== ok [~o@host.example]  has joined #garden\n[00:00] <ann> ok then\n[00:01] <ann> ok: then\n"

    assert [marked(row) for row in items("irc", folder({"a.log": log}))] == [[], [("ok", "irc:ok")]]


def test_words_that_are_nicks_may_be_left_alone() -> None:
    assert known("the box") == ["the"]
    assert known("the box", unmarked=False) == []
    assert known("the: box", unmarked=False) == ["the"]


@pytest.mark.parametrize("nick", ["the", "i", "lol", "sure", "linux"])
def test_a_nick_that_is_a_word_needs_a_colon_or_a_mark_and_a_bearer_who_just_spoke(nick: str) -> None:
    nicks = Nicks([nick, "zorvan"])
    just, long_ago = Talking().heard(nick), Talking().heard(nick)
    for _ in range(20):
        long_ago.heard("zorvan")

    def marked_in(text: str, talking: Talking) -> list[str]:
        return [text[span.start : span.end] for span in nicks.mentions(text, talking)]

    assert marked_in(f"{nick}: hello", long_ago) == [nick]
    assert marked_in(f"{nick}, hello", just) == [nick]
    assert marked_in(f"{nick}, hello", long_ago) == []
    assert marked_in(f"{nick} box", just) == []
    assert marked_in("zorvan hello", Talking()) == ["zorvan"]


def test_a_nick_that_is_a_given_name_is_no_word() -> None:
    assert not is_word("steve")
    assert not is_word("rose")
    assert not is_word("zorvan")


def test_a_nick_learnt_in_one_log_is_known_in_all(items: Items, folder: Folder) -> None:
    logs = {"2004-01-01.log": b"[00:00] <ann> bob ping\n", "2004-01-02.log": b"[00:00] <bob> hi\n"}

    assert marked(items("irc", folder(logs))[0]) == [("bob", "irc:bob")]


def test_formatting_codes_and_control_characters_do_not_hide_a_nick(items: Items, folder: Folder) -> None:
    log = b"[00:00] <ann> \x0304,12\x02bob\x0f: hi\x08 there\n[00:01] <bob> hi\n"

    row = items("irc", folder({"a.log": log}))[0]

    assert (row["text"], marked(row)) == ("bob: hi there", [("bob", "irc:bob")])


def test_broken_utf_8_costs_only_its_line(items: Items, folder: Folder) -> None:
    log = "[00:00] <ann> grün\n".encode() + "[00:01] <ann> blüht\r\n".encode("latin-1") + b"[00:02] <ann> \x81\n"

    assert [row["text"] for row in items("irc", folder({"a.log": log}))] == ["grün", "blüht", "\ufffd"]


def test_a_date_that_is_none_is_unknown(items: Items, folder: Folder) -> None:
    log = b"[00:00] <ann> a\n[25:61] <ann> b\n"
    rows = items("irc", folder({"2004-13-45.log": log, "2004-01-01.log": log, "a.log": log}))

    assert [row["created"] for row in rows] == [datetime(2004, 1, 1, tzinfo=UTC), None, None, None, None, None]


def test_the_clock_may_stand_in_another_time_zone(items: Items, folder: Folder) -> None:
    row = items("irc", folder({"2004-07-01.log": b"[12:30:15] <ann> a\n"}), timezone="Europe/Berlin")[0]

    assert row["created"] == datetime(2004, 7, 1, 10, 30, 15, tzinfo=UTC)


def test_channel_and_audience_may_be_set(items: Items, folder: Folder) -> None:
    row = items("irc", folder({"a.log": LOG}), channel="#closed", audience="group")[0]

    assert (row["group"], row["audience"]) == ("irc:#closed", "group")


def test_other_files_of_a_folder_are_passed_over(items: Items, folder: Folder) -> None:
    logs = {"a.raw.txt": LOG, "a.annotation.txt": b"1000 1001 -\n", "LICENSE.txt": b"text\n", "x.bin": b"[00:00] <a> b"}

    assert {row["item"].rpartition("/")[0] for row in items("irc", folder(logs))} == {"irc:a.raw"}


@pytest.mark.parametrize(
    ("logs", "options", "sentence"),
    [
        ({"a.txt": b"no log\n"}, {}, r"no line reads"),
        ({"a.pdf": b"no log\n"}, {}, r"there is no \.log or \.txt file"),
        ({"a.log": b"x" * (17 * 2**20)}, {}, "a line has more than 64 KB"),
        ({"a.log": LOG}, {"chanel": "#x"}, "did you mean 'channel'"),
        ({"a.log": LOG}, {"timezone": "Mars/Olympus"}, "is no time zone"),
        ({"a.log": LOG}, {"audience": "everyone"}, "'audience' does not fit"),
    ],
)
def test_bad_input_is_one_sentence(
    items: Items, folder: Folder, logs: dict[str, bytes], options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("irc", folder(logs), **options)


def test_two_logs_of_one_name_are_refused(items: Items, folder: Folder) -> None:
    paths = [f"{folder({'a.log': LOG}, name)}/a.log" for name in ("one", "two")]

    with pytest.raises(SourceError, match="have the same name"):
        items("irc", *paths)


def test_a_missing_path_is_told(items: Items, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        items("irc", str(tmp_path / "nowhere"))


IRSSI = b"""--- Log opened Mon Sep 30 00:00:44 2026
16:59 < nele> ben: shall we sail
17:01 <@ben> aye
17:02  * nele waves
17:03 -!- carol [~c@host.example] has joined #garden
17:04 -!- carol is now known as cleo
17:05 -ben:#garden- for all
17:06 -ben(~b@host.example)- for one
17:06 -!- Irssi: #garden: Total of 3 nicks
--- Day changed Tue Oct 01 2026
00:01:07 <+nele> cleo, hi
--- Log closed Tue Oct 01 00:02:00 2026
"""
WEECHAT = (
    b'2026-09-30 16:59:01\t--\tTopic for #garden is "<x> y"\n'
    b"2026-09-30 16:59:02\tnele\tben: shall we sail\n"
    b"2026-09-30 17:01:03\t@ben\taye\n"
    b"2026-09-30 17:02:04\t *\tnele waves\n"
    b"2026-09-30 17:03:05\t-->\tcarol (~c@host.example) has joined #garden\n"
    b"2026-09-30 17:04:06\t<--\tcarol (~c@host.example) has quit (bye)\n"
    b"2026-09-30 17:05:07\t--\tNotice(ben) -> #garden: for all\n"
    b"2026-09-30 17:06:08\t--\tNotice(ben): for one\n"
    b"2026-10-01 00:01:09\t+nele\tcarol, hi\n"
)
HEXCHAT = (
    b"**** BEGIN LOGGING AT Thu Dec 31 23:58:00 2026\n\n"
    b"Dec 31 23:58:01 *\tNow talking on #garden\n"
    b"Dec 31 23:58:02 *\tTopic for #garden is: roses\n"
    b"Dec 31 23:58:03 *\tcarol (~c@host.example) has joined\n"
    b"Dec 31 23:59:57 <nele>\tben: shall we sail\n"
    b"Jan 01 00:00:01 <@ben>\taye\n"
    b"Jan 01 00:00:02 *\tnele waves\n"
    b"Jan 01 00:00:03 *\tcarol has quit (bye)\n"
    b"Jan 01 00:00:04 *\tben sets mode +o on #garden\n"
    b"Jan 01 00:00:05 -ben/#garden-\tfor all\n"
    b"Jan 01 00:00:06 -ben-\tfor one\n"
    b"**** ENDING LOGGING AT Fri Jan 01 00:01:00 2027\n"
)
SAID = [
    ("irc:nele", "public", "ben: shall we sail"),
    ("irc:ben", "public", "aye"),
    ("irc:nele", "public", "waves"),
    ("irc:ben", "public", "for all"),
    ("irc:ben", "direct", "for one"),
]


@pytest.mark.parametrize(
    ("name", "log", "count", "last"),
    [
        ("irssi.log", IRSSI, 6, datetime(2026, 10, 1, 0, 1, 7, tzinfo=UTC)),
        ("irc.town.#garden.weechatlog", WEECHAT, 6, datetime(2026, 10, 1, 0, 1, 9, tzinfo=UTC)),
        ("town-#garden.log", HEXCHAT, 5, datetime(2027, 1, 1, 0, 0, 6, tzinfo=UTC)),
    ],
)
def test_logs_of_other_clients_are_read(
    items: Items, folder: Folder, name: str, log: bytes, count: int, last: datetime
) -> None:
    rows = items("irc", folder({name: log}))

    assert [(row["author"], row["audience"], row["text"]) for row in rows[:5]] == SAID
    assert (len(rows), rows[-1]["created"], rows[0]["group"]) == (count, last, "irc:#garden")
    assert marked(rows[0]) == [("ben", "irc:ben")]
    assert count == 5 or len(marked(rows[5])) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"[2026-03-01T09:00:00.250Z] <ann> hi\n",
        b"[2026-03-01T10:00:00.250+0100] <ann> hi\n",
        b"2026-03-01T09:00:00.250+00:00 <@ann> hi\n",
        b"2026-03-01 09:00:00.25  <ann> hi\n",
        b"2026-03-01 10:00:00.25 +0100\t@ann\thi\n",
        b"2026-03-01T09:00:00.250Z\tann\thi\n",
    ],
)
def test_times_may_be_those_of_iso_8601(items: Items, folder: Folder, line: bytes) -> None:
    (row,) = items("irc", folder({"a.log": line}))

    assert (row["author"], row["text"]) == ("irc:ann", "hi")
    assert row["created"] == datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=UTC)


def test_a_session_of_mirc_says_its_day(items: Items, folder: Folder) -> None:
    (row,) = items("irc", folder({"a.log": b"Session Start: Sun Mar 01 10:00:00 2026\n[10:01] <ann> hi\n"}))

    assert row["created"] == datetime(2026, 3, 1, 10, 1, tzinfo=UTC)


def test_the_colour_of_a_nick_is_no_part_of_it(items: Items, folder: Folder) -> None:
    rows = items("irc", folder({"a.log": b"[10:00] <\x0304,01@ann\x03> ben: hi\n[10:01] <\x02ben\x02> ann: aye\n"}))

    assert [row["author"] for row in rows] == ["irc:ann", "irc:ben"]
    assert [marked(row) for row in rows] == [[("ben", "irc:ben")], [("ann", "irc:ann")]]


def test_lines_in_a_legacy_encoding_are_told_and_read_as_declared(items: Items, folder: Folder) -> None:
    logs = folder({"a.log": "[10:00] <нелли> привет\n".encode("koi8-r")})
    with watching() as meter:
        items("irc", logs)
    assert "lines that are not UTF-8 are read as CP1252" in meter.told[0]
    assert items("irc", logs, encoding="koi8-r")[0]["author"] == "irc:нелли"
    with pytest.raises(SourceError, match="'klingon' is no encoding of text"):
        items("irc", logs, encoding="klingon")


def test_without_a_year_a_date_is_that_of_the_name_or_unknown(items: Items, folder: Folder) -> None:
    line = b"Jun 18 12:59:57 <nele>\thi\n"
    rows = items("irc", folder({"a-2026-06-18.log": line, "b.log": line}))

    assert [row["created"] for row in rows] == [datetime(2026, 6, 18, 12, 59, 57, tzinfo=UTC), None]


def test_the_channel_may_stand_in_the_name_of_a_log(items: Items, folder: Folder) -> None:
    line = b"16:59 <nele> hi\n"
    rows = items("irc", folder({"town/#garden.log": line, "#roses-2026-09-30.log": line}))

    assert sorted(row["group"] for row in rows) == ["irc:#garden", "irc:#roses"]


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("town/ben.log", b"16:59 <nele> psst\n17:00 <Ben> aye\n"),
        ("irc.town.ben.weechatlog", b"2026-09-30 16:59:01\tnele\tpsst\n2026-09-30 16:59:02\tben\taye\n"),
    ],
)
def test_a_log_that_is_called_by_a_nick_is_direct(items: Items, folder: Folder, name: str, log: bytes) -> None:
    rows = items("irc", folder({name: log}))

    assert [(row["kind"], row["audience"], row["group"]) for row in rows] == [("message", "direct", None)] * 2


def test_a_log_of_somebody_who_does_not_answer_is_direct(items: Items, folder: Folder) -> None:
    logs = {"#garden.log": b"16:58 <ben> hi\n", "ben.log": b"16:59 <nele> psst\n"}

    assert [row["audience"] for row in items("irc", folder(logs))] == ["public", "direct"]


def test_the_ubuntu_logs_are_read_whole(items: Items, shared: Path) -> None:
    """Every line that a person wrote is an item, and none opens with a nick that is neither marked nor a word."""
    lines = [line for log in shared.glob("irc/*.raw.txt") for line in log.read_text(encoding="utf-8").split("\n")]
    spoken = [match for line in lines if (match := re.match(r"\[\d\d:\d\d\] <([^>]*)>", line))]
    others = sum(bool(re.match(r"\[\d\d:\d\d\]  ?[*(-]", line)) for line in lines)

    rows = items("irc", str(shared / "irc"))

    assert len(spoken) == 196_146
    assert len(rows) == len(spoken) + others == len({row["item"] for row in rows})
    assert all(row["created"] is not None for row in rows)
    nicks = {match[1].replace(" ", "").casefold() for match in spoken}
    names = {nick for nick in nicks if not is_word(nick)}
    opening = re.compile(r"[^\s:,]+")
    for row in rows:
        first = opening.match(row["text"])
        if first and first[0].casefold() in names:
            assert row["spans"], row["item"]
            assert row["spans"][0]["start"] == 0, row["item"]
