"""`demur object --from`: many objections in one start, all or none, and none twice."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from calling import Demur

from demur.register import ObjectionPhase, ObjectionState
from demur.terms import EntryKind
from demur.workspace import find

LETTER = "From: {name} <{name}@mail.example>\nSubject: No\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n\nI object, {name}.\n"


@pytest.fixture
def forum(workspace: Path) -> Path:
    """The workspace of a platform whose accounts are those of the forum."""
    policy = workspace / "demur.toml"
    policy.write_text(policy.read_text().replace('namespace = ""', 'namespace = "forum"'))
    return workspace


@pytest.fixture
def table(fast_tmp: Path) -> Callable[..., Path]:
    def write(*lines: str, encoding: str = "utf-8") -> Path:
        path = fast_tmp / "letters.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return write


def _states(root: Path) -> list[ObjectionState]:
    with find(root).register() as register:
        entries = list(register.log.entries(EntryKind.OBJECTION_LODGED))
        found = [register.objections.reference_of(entry.seq) for entry in entries]
        return [register.objections.get(each) for each in found if each]


def _suppressed(root: Path) -> set[int]:
    with find(root).register() as register:
        return set(register.standing.suppressed().tolist())


def _keys(root: Path, *accounts: str) -> set[int]:
    return set(find(root).keys().pepper.subject_keys(accounts).tolist())


def test_a_table_is_recorded_in_one_start(demur: Demur, forum: Path, table: Callable[..., Path]) -> None:
    path = table(
        "account,channel,received,reason",
        "forum:ann,letter,2026-10-20,She writes for herself",
        '@ben,,,"Two lines,\nin one cell"',
        "mastodon:@cem@social.example,form,,",
        "",
    )
    result = demur("object", "--from", path, "--channel", "ticket", "-w", forum)
    assert result.code == 0
    assert result.out.startswith(f"3 objections of {path} are recorded.\nThe corpus follows:")
    assert result.err == "@ben is taken for the account forum:ben.\n"
    assert _suppressed(forum) == _keys(forum, "forum:ann", "forum:ben", "mastodon:@cem@social.example")
    states = _states(forum)
    assert [(each.channel, each.received) for each in states] == [
        ("letter", date(2026, 10, 20)),
        ("ticket", None),
        ("form", None),
    ]
    with find(forum).register() as register:
        assert register.objections.reason(states[1].reference) == "Two lines,\nin one cell"


def test_started_again_it_records_none_twice(demur: Demur, forum: Path, table: Callable[..., Path]) -> None:
    path = table("account", "forum:ann", "forum:ben", "forum:ann")
    first = demur("object", "--from", path, "--json", "-w", forum).json
    assert (first["recorded"], first["already"]) == (2, 1)
    assert list(first["objections"]) == ["line 2", "line 3"]
    demur("withdraw", first["objections"]["line 2"][0], "-w", forum)
    again = demur("object", "--from", path, "-w", forum)
    assert again.out.startswith(f"1 objection of {path} is recorded. On record already: 2.\n")  # and Ann's binds anew
    assert _suppressed(forum) == _keys(forum, "forum:ann", "forum:ben")


def test_wrong_lines_are_told_one_by_one_and_nothing_is_recorded(
    demur: Demur, workspace: Path, table: Callable[..., Path]
) -> None:
    path = table(
        "account;received;channel",
        "forum:ann;2026-10-20;letter",
        "nobody;;",
        ";2026-10-20;",
        "forum:ben;20.10.2026;",
        "forum:cem;2999-01-01;",
        "forum:dan;;pigeon",
        "forum:eva;;;;",
    )
    result = demur("object", "--from", path, "-w", workspace)
    assert (result.code, result.out) == (2, "")
    told = result.err.splitlines()
    assert [line.partition(":")[0] for line in told[:-1]] == [f"line {n}" for n in range(3, 9)]
    assert told[-1].startswith(f"Nothing of {path} is recorded, as 6 lines can't be: correct that")
    assert all(line.count(".") >= 1 and line.endswith(".") for line in told)
    assert _states(workspace) == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"name\nann\n", "has no column account"),
        (b"account,chanel\nforum:ann,letter\n", "has an unknown column 'chanel': did you mean 'channel'?"),
        (b"account,account\nx:a,x:b\n", "has a column twice"),
        (b"account\nforum:\xff\n", "is not in UTF-8"),
        (b'account\n"forum:ann\n', "is no CSV"),
    ],
)
def test_what_is_no_such_table_is_told(
    demur: Demur, workspace: Path, fast_tmp: Path, content: bytes, part: str
) -> None:
    path = fast_tmp / "list.csv"
    path.write_bytes(content)
    result = demur("object", "--from", path, "-w", workspace)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert part in result.err


def test_a_table_as_spreadsheets_save_it(demur: Demur, workspace: Path, table: Callable[..., Path]) -> None:
    path = table("Account\tReason", "forum:zoë\tno", encoding="utf-16")
    assert demur("object", "--from", path, "--confirmed", "-w", workspace).code == 0
    assert [each.phase for each in _states(workspace)] == [ObjectionPhase.CONFIRMED]
    assert _suppressed(workspace) == _keys(workspace, "forum:zoë")


def test_a_folder_of_letters(demur: Demur, workspace: Path, fast_tmp: Path) -> None:
    folder = fast_tmp / "inbox"
    (folder / "october").mkdir(parents=True)
    for name in ("ann", "ben"):
        (folder / "october" / f"{name}.eml").write_text(LETTER.format(name=name))
    (folder / "readme.txt").write_text("no letter")
    said = demur("object", "--from", folder, "--json", "-w", workspace).json
    assert (said["recorded"], said["already"]) == (2, 0)
    assert _suppressed(workspace) == _keys(workspace, "mail:ann@mail.example", "mail:ben@mail.example")
    assert {(each.channel, each.received) for each in _states(workspace)} == {("mail", date(2026, 11, 2))}
    (folder / "cem.eml").write_text(LETTER.format(name="cem"))
    again = demur("object", "--from", folder, "--json", "-w", workspace).json
    assert (again["recorded"], again["already"]) == (1, 2)
    (folder / "broken.eml").write_bytes(b"\0\1 no mail")
    refused = demur("object", "--from", folder, "-w", workspace)
    assert (refused.code, refused.err.count("\n")) == (2, 2)
    assert f"{folder / 'broken.eml'}: This file is no mail" in refused.err


def test_a_list_goes_with_nothing_that_says_whose_it_is(
    demur: Demur, workspace: Path, table: Callable[..., Path]
) -> None:
    result = demur("object", "--from", table("account", "x:a"), "--account", "x:b", "-w", workspace)
    assert result.code == 2
    assert _states(workspace) == []
