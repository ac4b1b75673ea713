"""Objections, links, consents and members from the command line, on a real register."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from calling import Demur

from demur.errors import CorpusError, SourceError
from demur.kernel.rules import Facts
from demur.register import MEMBER
from demur.sources.base import MAX_ROWS
from demur.sources.tables.members import member_batches
from demur.sources.values import ACCEPTED
from demur.terms import EntryKind
from demur.workspace import find

ANN, BEN = "instagram:ann", "mastodon:@ben@social.example"


def _suppressed(workspace: Path) -> set[int]:
    with find(workspace).register() as register:
        return set(register.standing.suppressed().tolist())


def _keys(workspace: Path, *accounts: str) -> set[int]:
    return set(find(workspace).keys().pepper.subject_keys(accounts).tolist())


def _kinds(workspace: Path) -> list[EntryKind]:
    """What was recorded, beside that the log was opened."""
    with find(workspace).register() as register:
        return [entry.kind for entry in register.log.entries() if entry.kind is not EntryKind.LOG_OPENED]


# Objections


def test_an_objection_binds_and_says_so(demur: Demur, workspace: Path) -> None:
    result = demur("object", "-w", workspace, "--account", ANN, "--channel", "letter", "--received", "2026-01-02")
    assert result.code == 0
    assert "is recorded and binds 1 account.\nThe corpus follows: 0 rows deleted, 0 rows rewritten" in result.out
    assert ANN not in result.out
    assert _suppressed(workspace) == _keys(workspace, ANN)


def test_accounts_given_together_are_all_covered(demur: Demur, workspace: Path) -> None:
    result = demur("object", "--json", "-w", workspace, "--account", ANN, "--account", BEN, "--reason", "I say no")
    assert result.json["accounts"] == 2
    assert result.json["honoured"]["deleted"] == 0
    assert result.json["confirm_by"] is None
    assert _suppressed(workspace) == _keys(workspace, ANN, BEN)


def test_an_unconfirmed_objection_binds_until_it_is_denied(demur: Demur, workspace: Path) -> None:
    said = demur("object", "--json", "--unconfirmed", "-w", workspace, "--account", ANN).json
    assert said["confirm_by"] is None
    silence = demur("lapse", said["reference"], "--cause", "unconfirmed", "-w", workspace)
    assert silence.code == 2
    assert "does not end because nobody has answered" in silence.err
    assert _suppressed(workspace) == _keys(workspace, ANN)
    lapsed = demur("lapse", "--json", said["reference"], "--cause", "denied", "-w", workspace)
    assert (lapsed.json["state"], lapsed.json["cause"]) == ("lapsed", "denied")
    assert _suppressed(workspace) == set()
    assert demur("revive", said["reference"], "-w", workspace).out.startswith(f"Objection {said['reference']} binds")
    assert _suppressed(workspace) == _keys(workspace, ANN)


def test_an_objection_is_confirmed_and_withdrawn(demur: Demur, workspace: Path) -> None:
    reference = demur("object", "--json", "--unconfirmed", "-w", workspace, "--account", ANN).json["reference"]
    assert demur("confirm", reference, "-w", workspace).out.startswith(f"Objection {reference} is confirmed.")
    assert demur("withdraw", reference, "-w", workspace).out.startswith(f"Objection {reference} is withdrawn;")
    assert _suppressed(workspace) == set()


@pytest.mark.parametrize("command", [("confirm",), ("lapse", "--cause", "denied"), ("withdraw",)])
def test_an_unknown_reference_is_told(demur: Demur, workspace: Path, command: tuple[str, ...]) -> None:
    result = demur(*command, "XXXX-XXXX-XXXX-XXXX", "-w", workspace)
    assert result.code == 2
    assert result.out == ""
    assert result.err.count("\n") == 1


def test_a_malformed_account_is_told_and_nothing_is_recorded(demur: Demur, workspace: Path) -> None:
    result = demur("object", "-w", workspace, "--account", "ann")
    assert result.code == 2
    assert "namespace:value" in result.err
    assert _kinds(workspace) == []


def test_an_objection_from_the_future_is_a_slip(demur: Demur, workspace: Path) -> None:
    result = demur("object", "-w", workspace, "--account", ANN, "--received", "2999-01-01")
    assert result.code == 2
    assert "2999-01-01 has not come yet" in result.err


def test_a_running_import_does_not_make_an_objection_wait(demur: Demur, workspace: Path) -> None:
    with find(workspace).writing("import"):
        result = demur("object", "--json", "-w", workspace, "--account", ANN)
    assert result.code == 0
    assert result.json["honoured"] is None
    assert "the next command that writes honours it" in result.err
    assert _suppressed(workspace) == _keys(workspace, ANN)


def test_what_waits_is_told_with_who_honours_it(demur: Demur, workspace: Path) -> None:
    with find(workspace).writing("import"):
        alone = demur("object", "-w", workspace, "--account", ANN)
        with find(workspace).delivering():
            watched = demur("confirm", alone.out.split(" ")[1], "-w", workspace)
    assert "`demur maintain` for instance" in alone.err
    assert "the worker that runs honours it as soon as it can" in watched.err


def test_what_is_recorded_is_told_though_the_corpus_fails(
    demur: Demur, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_workspace: object) -> None:
        raise CorpusError("The corpus is damaged: restore it.")

    (workspace / "corpus.lance").mkdir()
    monkeypatch.setattr("demur.corpus.honour.honour", damaged)
    result = demur("object", "-w", workspace, "--account", ANN)
    assert result.code == 2
    assert "is recorded and binds 1 account." in result.out
    assert result.err == "The corpus is damaged: restore it.\n"


# How an account is written


@pytest.fixture
def forum(workspace: Path) -> Path:
    """The workspace of a platform whose accounts are those of the forum."""
    policy = workspace / "demur.toml"
    policy.write_text(policy.read_text().replace('namespace = ""', 'namespace = "forum"'))
    return workspace


@pytest.mark.parametrize("typed", ["user3", "@user3", " user3 "])
def test_a_bare_name_is_an_account_of_the_platform(demur: Demur, forum: Path, typed: str) -> None:
    result = demur("object", "--json", "-w", forum, "--account", typed)
    assert result.code == 0
    assert result.err == f"{typed} is taken for the account forum:user3.\n"
    assert _suppressed(forum) == _keys(forum, "forum:user3")


@pytest.mark.parametrize("typed", ["forum:user3", ANN, "mail:user3@mail.example", BEN])
def test_an_account_with_its_namespace_is_left_as_it_is(demur: Demur, forum: Path, typed: str) -> None:
    result = demur("object", "-w", forum, "--account", typed)
    assert (result.code, result.err) == (0, "")
    assert _suppressed(forum) == _keys(forum, typed)


def test_every_command_that_takes_an_account_takes_a_bare_name(demur: Demur, forum: Path) -> None:
    assert demur("link", "user3", "@user4", "-w", forum).err.count(" is taken for the account forum:user") == 2
    assert demur("object", "--account", "@user3", "-w", forum).code == 0
    assert _suppressed(forum) == _keys(forum, "forum:user3", "forum:user4")
    found = demur("find", "--account", "user4", "--json", "-w", forum)
    assert (found.json["accounts"], found.json["objected"]) == (2, True)
    assert demur("unlink", "user3", "user4", "-w", forum).code == 0
    assert demur("consent", "give", "--account", "user4", "-w", forum).code == 0
    assert set(_facts(forum).keys[_facts(forum).consented].tolist()) == _keys(forum, "forum:user4")


# Accounts and consents


def test_linked_accounts_share_an_objection(demur: Demur, workspace: Path) -> None:
    demur("object", "-w", workspace, "--account", ANN)
    assert demur("link", ANN, BEN, "-w", workspace).code == 0
    assert _suppressed(workspace) == _keys(workspace, ANN, BEN)
    assert demur("unlink", ANN, BEN, "-w", workspace).code == 0
    assert _suppressed(workspace) == _keys(workspace, ANN)


def test_consents_are_given_and_withdrawn(demur: Demur, workspace: Path) -> None:
    given = demur("consent", "give", "--json", "--account", ANN, "--account", BEN, "-w", workspace)
    assert (given.json["given"], given.json["accounts"]) == (True, 2)
    withdrawn = demur("consent", "withdraw", "--account", ANN, "-w", workspace)
    assert withdrawn.out.startswith("It is recorded that 1 account withdrew consent.")
    facts = _facts(workspace)
    consented = set(facts.keys[facts.consented].tolist())
    assert consented == _keys(workspace, BEN)


# Members


def _facts(workspace: Path) -> Facts:
    with find(workspace).register() as register:
        return register.standing.facts()


ROWS: list[dict[str, object]] = [
    {
        "account": ANN,
        "names": ["Ann Example", "Annie"],
        "locale": "de",
        "region": "DE",
        "birth_year": 1990,
        "told_on": "2026-01-02",
        "linked": [BEN],
        "consented": True,
        "mail": "ann@example.org",
        "mail_verified": True,
    },
    {"account": "instagram:cem", "region": "fr"},
]


def _csv(path: Path) -> None:
    path.write_text(
        "\ufeffaccount,names,locale,region,birth_year,told_on,linked,consented,mail,mail_verified\n"
        f'{ANN},"Ann Example|Annie",de,DE,1990,2026-01-02,{BEN},Yes,ann@example.org,true\n'
        "instagram:cem,,,fr,,,,,,\n",
        "utf-8",
    )


def _jsonl(path: Path) -> None:
    path.write_text("\n\n".join(map(json.dumps, ROWS)), "utf-8")


def _parquet(path: Path) -> None:
    days = [datetime.fromisoformat(str(row["told_on"])) if "told_on" in row else None for row in ROWS]
    rows = [{**row, "told_on": day} for row, day in zip(ROWS, days, strict=True)]
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.mark.parametrize(
    ("name", "write"), [("m.csv", _csv), ("m.jsonl", _jsonl), ("m.ndjson", _jsonl), ("m.parquet", _parquet)]
)
def test_members_are_read_from_every_format(
    demur: Demur, workspace: Path, name: str, write: Callable[[Path], None]
) -> None:
    path = workspace.parent / name
    write(path)
    said = demur("members", path, "--json", "-w", workspace).json
    assert (said["read"], said["changed"]) == (2, 2)
    facts = _facts(workspace)
    known = dict(
        zip(facts.keys.tolist(), zip(facts.region, facts.birth_year, facts.consented, strict=True), strict=True)
    )
    (ann,), (cem,) = _keys(workspace, ANN), _keys(workspace, "instagram:cem")
    assert tuple(known[ann]) == (b"DE", 1990, True)
    assert tuple(known[cem]) == (b"FR", 0, False)
    with find(workspace).register() as register:
        assert len(register.persons.own(ANN)) == len(register.members.covered_with(ANN)) == 3
    assert demur("members", path, "-w", workspace).out.startswith("2 members read, 0 of them new or changed.")


def test_a_table_that_says_nothing_of_verified_addresses_proves_none(demur: Demur, workspace: Path) -> None:
    path = workspace.parent / "m.csv"
    path.write_text(f"account,mail\n{ANN},ann@example.org\n")
    assert demur("members", path, "-w", workspace).code == 0
    with find(workspace).register() as register:
        assert (len(register.persons.own(ANN)), len(register.members.covered_with(ANN))) == (1, 2)


def test_linked_members_share_an_objection(demur: Demur, workspace: Path) -> None:
    _jsonl(workspace.parent / "m.jsonl")
    demur("members", workspace.parent / "m.jsonl", "-w", workspace)
    demur("object", "-w", workspace, "--account", ANN)
    assert _suppressed(workspace) == _keys(workspace, ANN, BEN, "mail:ann@example.org")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.txt", b"x", "m.txt is none of .parquet, .csv, .tsv, .jsonl, .ndjson: convert it to one of these."),
        (
            "m.csv",
            b"account,birthyear\nx:a,1990\n",
            "m.csv has an unknown column `birthyear`: did you mean `birth_year`?",
        ),
        ("m.csv", b"names\nAnn\n", "m.csv has no column `account`: add it, with values like instagram:ann."),
        ("m.csv", b"", "m.csv has no column `account`: add it, with values like instagram:ann."),
        ("m.csv", b"account,account\nx:a,x:b\n", "m.csv has a column twice: name each once."),
        (
            "m.csv",
            b"account,region\nx:a,DE\nx:b\n",
            "m.csv line 3 has another number of fields than the first line.",
        ),
        (
            "m.csv",
            b"account,birth_year\nx:a,1990\nx:b,ninety\n",
            "m.csv line 3: `birth_year` has to be a year, like 1990.",
        ),
        (
            "m.csv",
            b"account,told_on\nx:a,02/01/2026\n",
            f"m.csv line 2: `told_on` has to be a day, like 2026-12-31; read are {ACCEPTED}.",
        ),
        ("m.csv", b"account,consented\nx:a,maybe\n", "m.csv line 2: `consented` has to be true or false."),
        ("m.jsonl", b'{"account": "x:a"}\n{"acc', "m.jsonl line 2 is no valid JSON in UTF-8: write one object a line."),
        ("m.jsonl", b"[1]", "m.jsonl line 1 is no JSON object: write one object a line."),
        (
            "m.jsonl",
            b'{"account": "x:a", "names": 3}',
            "m.jsonl line 1: `names` has to be a list of texts (in CSV with | between them).",
        ),
        (
            "m.jsonl",
            b'{"account": "x:a", "birth_year": true}',
            "m.jsonl line 1: `birth_year` has to be a year, like 1990.",
        ),
        (
            "m.jsonl",
            b"[" * 100_000,
            "m.jsonl, line 1 has objects and lists within each other more than 200 deep: correct it or leave it out.",
        ),
    ],
)
def test_a_broken_file_is_told_and_nothing_is_imported(
    demur: Demur, workspace: Path, name: str, content: bytes, sentence: str
) -> None:
    path = workspace.parent / name
    path.write_bytes(content)
    result = demur("members", path, "-w", workspace)
    assert (result.code, result.out) == (2, "")
    assert result.err.replace(f"{path.parent}/", "") == sentence + "\n"
    assert _kinds(workspace) == []


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("m.csv", b"account\nx:\xff\n", "m.csv is no valid CSV in UTF-8"),
        ("m.parquet", b"PAR1 but not really", "m.parquet is no valid Parquet file"),
        ("m.csv", b"account,region\nx:a,Nowhere\n", "m.csv line 2: `region` is no country that demur knows"),
        ("m.csv", b"account,region\n,DE\n", "m.csv line 2: `account` is empty"),
        ("m.csv", b"account,birth_year\nx:a,1650\n", "m.csv line 2: `birth_year` is outside 1900"),
    ],
)
def test_a_value_without_meaning_is_told_too(
    demur: Demur, workspace: Path, name: str, content: bytes, part: str
) -> None:
    path = workspace.parent / name
    path.write_bytes(content)
    result = demur("members", path, "-w", workspace)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert part in result.err
    assert _kinds(workspace) == []


def test_a_missing_file_is_told(demur: Demur, workspace: Path) -> None:
    result = demur("members", "nowhere.csv", "-w", workspace)
    assert (result.code, result.err) == (2, "nowhere.csv is no file: check the path.\n")


def test_members_come_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("account\n" + "".join(f"forum:{n}\n" for n in range(MAX_ROWS + 1)))
    batches = list(member_batches(path))
    assert [batch.num_rows for batch in batches] == [MAX_ROWS, 1]
    assert all(batch.schema == MEMBER for batch in batches)


def test_reading_starts_with_the_first_batch(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("account\n" + "forum:ann\n" * MAX_ROWS + "a,b,c\n")
    batches = member_batches(path)
    assert next(batches).num_rows == MAX_ROWS
    with pytest.raises(SourceError, match="another number of fields"):
        next(batches)


# Policy


def test_the_check_names_the_lines_to_fill_in(demur: Demur, workspace: Path) -> None:
    result = demur("policy", "check", "-w", workspace)
    assert result.code == 1
    assert "holds together, but something is missing" in result.out
    assert "line 71 of demur.toml (basis.legitimate_interests.document)" in result.err


def test_the_check_passes_when_the_basis_is_signed(demur: Demur, workspace: Path) -> None:
    path = workspace / "demur.toml"
    text = path.read_text("utf-8")
    head, table, rest = text.partition("[basis.legitimate_interests]")
    for key in ("document", "date", "signed_by"):
        rest = rest.replace(f'{key} = ""', f'{key} = "2026-01-01"', 1)
    head = head.replace('name = ""', 'name = "Example"').replace('contact = ""', 'contact = "a@b.example"')
    path.write_text(head + table + rest, "utf-8")
    result = demur("policy", "check", "--json", "-w", workspace)
    assert result.code == 0
    assert result.json["missing"] == []


def test_a_password_is_not_shown(demur: Demur, workspace: Path) -> None:
    path = workspace / "demur.toml"
    text = path.read_text("utf-8").replace(
        'database".\nurl = ""', 'database".\nurl = "postgresql://app:s3cr@t@localhost/demur"'
    )
    path.write_text(text, "utf-8")
    for arguments in ((), ("--json",)):
        shown = demur("policy", "show", "-w", workspace, *arguments).out
        assert "postgresql://app:***@localhost/demur" in shown
        assert "s3cr" not in shown


def test_the_environment_names_the_workspace(demur: Demur, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMUR_WORKSPACE", str(workspace))
    assert demur("policy", "show").code == 0
    assert demur("policy", "show", "-w", workspace.parent).code == 2


def test_a_broken_policy_stops_every_command(demur: Demur, workspace: Path) -> None:
    path = workspace / "demur.toml"
    path.write_text(path.read_text("utf-8").replace("minimum_age", "minimal_age"), "utf-8")
    for command in (("policy", "show"), ("policy", "check"), ("object", "--account", ANN)):
        result = demur(*command, "-w", workspace)
        assert result.code == 2
        assert "did you mean `minimum_age`?" in result.err
    assert find(workspace).policy_path == path
