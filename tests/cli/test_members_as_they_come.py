"""Members from the files that platforms have: columns mapped, countries by name, tried first."""

import gzip
import json
from pathlib import Path

import pytest
from calling import Demur

from demur.workspace import find

SECTION = """
[sources.members]
namespace = "forum"
columns.account = "username"
columns.names = ["first", "last"]
columns.region = "country"
columns.birth_year = "dob"
columns.mail = "e-mail"
values.told_on = "2026-09-01"
"""
DUMP = (
    "\ufeffusername;first;last;country;dob;e-mail;locale;last_seen\r\n"
    "jörg;Jörg;Nüßle;Deutschland;01.02.1980;jorg@moos.example;de_AT.UTF-8;45352,4\r\n"
    "ana;Ana;;Španělsko;1971-05-06;;Spanish;\r\n"
)
FAULTY = (
    "username;first;last;country;dob;e-mail;locale\n"
    "one;;;UK;;;\n"
    "two;;;EU;;;\n"
    "three;;;XX;;;\n"
    'four;"two\nlines";;;45352,4;;\n'
    "five;;;;;;Gibberishish\n"
    "six;;;Irland;;;\n"
    "seven;;\n"
    ";;;;;;\n"
)


@pytest.fixture
def forum(workspace: Path) -> Path:
    """A workspace whose policy maps the columns of a forum's dump."""
    policy = workspace / "demur.toml"
    policy.write_text(policy.read_text() + SECTION)
    return workspace


def _written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _member(workspace: Path, account: str) -> tuple[object, ...]:
    with find(workspace).register() as register:
        member = register.members.get(account)
    assert member is not None
    return member.names, member.region, member.birth_year, str(member.told_on), member.locale, member.mail


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", DUMP.encode()),
        ("m.csv", DUMP.lstrip("\ufeff").encode("utf-16")),
        ("m.csv.gz", gzip.compress(DUMP.encode())),
        ("m.tsv", DUMP.replace(";", "\t").encode("utf-16-le")),
        ("m.csv", b"sep=;\r\n" + DUMP.lstrip("\ufeff").encode()),
    ],
    ids=["bom", "utf-16", "gzip", "tabs", "sep"],
)
def test_a_forums_dump_is_read_as_mapped(demur: Demur, forum: Path, name: str, content: bytes) -> None:
    said = demur("members", _written(forum.parent / name, content), "--json", "-w", forum).json
    assert (said["read"], said["changed"], list(said["unused"].values())) == (2, 2, [["last_seen"]])
    assert _member(forum, "forum:jörg") == (("Jörg", "Nüßle"), "DE", 1980, "2026-09-01", "de-AT", "jorg@moos.example")
    assert _member(forum, "forum:ana") == (("Ana",), "ES", 1971, "2026-09-01", "es", None)


def test_a_dry_run_says_what_would_be_taken_and_records_nothing(demur: Demur, forum: Path) -> None:
    one, two = _written(forum.parent / "m.csv", DUMP), _written(forum.parent / "n.csv", FAULTY)
    demur("members", one, "-w", forum)
    _written(one, DUMP.replace("Ana;;", "Anna;;") + "new;;;;;;;\r\nnew;N;;;;;;\r\n")

    told = demur("members", one, two, "--dry-run", "--json", "-w", forum)

    said = json.loads(told.out)
    assert told.code == 1
    assert {key: said[key] for key in ("read", "new", "changed", "unchanged", "refused")} == {
        "read": 5,
        "new": 2,
        "changed": 1,
        "unchanged": 1,
        "refused": 7,
    }
    assert said["columns"][str(one)]["names"] == ["first", "last"]
    places = [" ".join(line.removeprefix(f"{two} ").replace(":", "").split()[:2]) for line in said["why"]]
    assert places == ["line 2", "line 3", "line 4", "line 5", "line 7", "line 9", "line 10"]
    assert "did you mean GB?" in said["why"][0]
    assert "a group of countries" in said["why"][1]
    assert "leave it empty" in said["why"][2]
    assert "what a spreadsheet makes of a date" in said["why"][3]
    assert not any("Gibberishish" in line for line in said["why"])
    with find(forum).register() as register:
        assert register.members.get("forum:new") is None
        assert register.members.get("forum:six") is None
        assert [str(entry.kind) for entry in register.log.entries()].count("members.imported") == 1


def test_a_dry_run_is_told_to_people_too(demur: Demur, forum: Path) -> None:
    path = _written(forum.parent / "m.csv", DUMP)
    told = demur("members", path, "--dry-run", "-w", forum)
    assert told.code == 0
    assert told.out.startswith("2 records read: 2 new, 0 changed, 0 unchanged, 0 refused. Nothing was recorded.\n")
    assert "names from `first` and `last`" in told.out
    assert "not used are `last_seen`" in told.out


def test_a_column_like_a_field_is_never_passed_over(demur: Demur, forum: Path) -> None:
    path = _written(forum.parent / "m.csv", "username,first,last,country,dob,e-mail,mail_verifed\nann,,,,,,true\n")
    told = demur("members", path, "-w", forum)
    assert told.code == 2
    assert "unknown column `mail_verifed`: did you mean `mail_verified`?" in told.err


def test_a_mapped_column_that_is_missing_is_named(demur: Demur, forum: Path) -> None:
    told = demur("members", _written(forum.parent / "m.csv", "user,first\nann,A\n"), "-w", forum)
    assert told.code == 2
    assert "no column `username` for `account`" in told.err


def test_an_ansi_file_is_refused_in_one_sentence_or_read_as_declared(demur: Demur, forum: Path) -> None:
    path = _written(forum.parent / "m.csv", DUMP.lstrip("\ufeff").replace("Španělsko", "Spanien").encode("cp1252"))
    told = demur("members", path, "-w", forum)
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert 'encoding = "windows-1252"' in told.err
    policy = forum / "demur.toml"
    policy.write_text(policy.read_text() + 'encoding = "windows-1252"\n')
    assert demur("members", path, "-w", forum).code == 0
    assert _member(forum, "forum:jörg")[0] == ("Jörg", "Nüßle")


def test_countries_are_known_by_short_names_and_without_accents(demur: Demur, forum: Path) -> None:
    names = {"Peru": "PE", "Kuba": "CU", "Iran": "IR", "ΓΕΡΜΑΝΙΑ": "DE", "Großbritannien": "GB", "Cote d'Ivoire": "CI"}
    rows = "".join(f'u{number};;;"{name}";;\n' for number, name in enumerate(names))
    path = _written(forum.parent / "m.csv", "username;first;last;country;dob;e-mail\n" + rows)
    assert demur("members", path, "-w", forum).code == 0
    assert [_member(forum, f"forum:u{number}")[1] for number in range(len(names))] == list(names.values())


def test_a_mail_address_is_read_bare_and_what_is_none_is_refused(demur: Demur, forum: Path) -> None:
    head = "username;first;last;country;dob;e-mail\n"
    path = _written(forum.parent / "m.csv", head + 'ann;;;;;"Ann B. <ann@moos.example>"\n')
    assert demur("members", path, "-w", forum).code == 0
    assert _member(forum, "forum:ann")[-1] == "ann@moos.example"
    told = demur("members", _written(path, head + "ben;;;;;ben@\n"), "-w", forum)
    assert told.code == 2
    assert "`mail` has to be a mail address, like ann@example.org" in told.err
