"""`demur notice`: whom it tells, whom it leaves out, when it refuses, and what it records."""

import csv
import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from calling import Demur

from demur.policy import Mail, Policy, Portal, write_policy
from demur.register.contact.records import Delivered
from demur.terms import Channel
from demur.workspace import Workspace, create

Changed = Callable[..., Policy]

MEMBERS: Final[list[dict[str, Any]]] = [
    {"account": "forum:ann", "names": ["Ann"], "locale": "en", "region": "DE", "birth_year": 1980},
    {"account": "forum:ben", "names": ["Ben"], "locale": "de", "region": "IE", "birth_year": 1990},
    {"account": "forum:cem", "names": ["Cem"], "locale": "mt", "region": "MT", "birth_year": 1970},
    {"account": "forum:kim", "names": ["Kim"], "region": "DE", "birth_year": 2020},
    {"account": "forum:liv", "names": ["Liv"], "region": "NO", "birth_year": 1980},
    {"account": "forum:mia", "names": ["Mia"], "region": "DE"},
]
"""Three adults in the policy's countries, a child, somebody elsewhere, and somebody of unknown age."""


@pytest.fixture
def made(fast_tmp: Path, demur: Demur) -> Callable[[Policy], Workspace]:
    """Makes a workspace of a policy, with the members."""

    def make(policy: Policy) -> Workspace:
        workspace = create(fast_tmp / "ws", policy)
        path = fast_tmp / "members.jsonl"
        rows = ({**row, "mail": f"{row['account'][6:]}@mail.example"} for row in MEMBERS)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert demur("members", "-w", workspace.root, path).code == 0
        return workspace

    return make


@pytest.fixture
def later(changed: Changed) -> Policy:
    """The complete policy, in effect in a hundred days."""
    return changed(effective_date=datetime.now(UTC).date() + timedelta(days=100))


def _objects(demur: Demur, workspace: Workspace, account: str) -> None:
    assert demur("object", "-w", workspace.root, "--account", account).code == 0


# Whom


def test_a_campaign_tells_those_whose_content_may_come_in(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy
) -> None:
    workspace = made(later)
    result = demur("notice", "send", "-w", workspace.root, "spring")
    assert result.code == 0
    assert result.err == ""
    assert result.out == (
        "Campaign spring has a notice for 3 people, by mail."
        " Left out because they objected: 0 people; because nothing is known to write to: 0 people.\n"
        "`demur worker` (or `demur serve`) delivers them; `demur notice progress spring` shows how far.\n"
    )
    with workspace.register() as register:
        due = register.notices.claim(Channel.MAIL, 10)
    assert sorted(each.member.account for each in due) == ["forum:ann", "forum:ben", "forum:cem"]


def test_who_objected_is_left_out_and_counted(demur: Demur, made: Callable[[Policy], Workspace], later: Policy) -> None:
    workspace = made(later)
    _objects(demur, workspace, "forum:ann")
    preview = demur("notice", "preview", "--json", "-w", workspace.root, "spring").json
    assert preview["people"] == 2
    assert preview["left_out"] == {"objected": 1, "unreachable": 0, "region": 1, "age": 2}
    assert not preview["queued"]
    told = demur("notice", "send", "-w", workspace.root, "spring")
    assert "for 2 people, by mail. Left out because they objected: 1 person;" in told.out


def test_a_campaign_started_again_adds_nobody_twice(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy
) -> None:
    workspace = made(later)
    for _ in range(2):
        assert "for 3 people" in demur("notice", "send", "-w", workspace.root, "spring").out
    counts = demur("notice", "progress", "--json", "-w", workspace.root, "spring").json["counts"]
    assert counts == [{"channel": "mail", "status": "queued", "number": 3}]


def test_a_platform_that_takes_notices_gets_them_too(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy
) -> None:
    notice = later.notice.model_copy(update={"in_app": "pull"})
    workspace = made(later.model_copy(update={"notice": notice}))
    assert "by mail and in-app." in demur("notice", "send", "-w", workspace.root, "spring").out


# Before it starts


def test_a_dry_run_queues_nothing_and_shows_a_notice(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy
) -> None:
    workspace = made(later)
    result = demur("notice", "preview", "-w", workspace.root, "spring")
    assert result.code == 0
    assert result.out.startswith("Campaign spring would tell 3 people; nothing was queued. Left out")
    assert "Left out by the policy's regions: 1 person; of the others, by its age limit: 2 people.\n" in result.out
    assert "https://object.harbour.example/en/o/EXAMPLE" in result.out
    assert "Your right to object" in result.out
    with workspace.register() as register:
        assert register.campaigns.list() == []
        assert register.notices.claim(Channel.MAIL, 10) == []


def test_an_incomplete_notice_is_not_sent(demur: Demur, made: Callable[[Policy], Workspace], later: Policy) -> None:
    workspace = made(later.model_copy(update={"controller": later.controller.model_copy(update={"contact": ""})}))
    result = demur("notice", "send", "-w", workspace.root, "spring")
    assert result.code == 1
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert "The notice lacks 1 thing that it has to say: fill in demur.toml; `demur notice check`" in result.err
    with workspace.register() as register:
        assert register.campaigns.list() == []
    dry = demur("notice", "preview", "-w", workspace.root, "spring")
    assert dry.code == 0
    assert "set `controller.contact`." in dry.err


@pytest.fixture
def public(later: Policy) -> Policy:
    """The same, where others reach the portal, and no server takes mails."""
    return later.model_copy(update={"portal": Portal(url="https://object.harbour-commons.eu")})


def test_nobody_is_told_by_files_where_others_reach_the_portal(
    demur: Demur, made: Callable[[Policy], Workspace], public: Policy
) -> None:
    workspace = made(public)
    result = demur("notice", "send", "-w", workspace.root, "spring")
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert "set `mail.server`, or try things out with a `portal.url` of this machine." in result.err
    with workspace.register() as register:
        assert register.campaigns.list() == []
    check = demur("notice", "check", "-w", workspace.root)
    assert check.code == 1
    assert check.out.endswith("set `mail.server`.\n")
    dry = demur("notice", "preview", "-w", workspace.root, "spring")
    assert dry.code == 0
    assert "`mail.server` is empty, so that no mail reaches anybody" in dry.err


def test_within_the_platform_people_are_told_without_a_mail_server_and_by_mail_once_there_is_one(
    demur: Demur, made: Callable[[Policy], Workspace], public: Policy
) -> None:
    policy = public.model_copy(update={"notice": public.notice.model_copy(update={"in_app": "pull"})})
    workspace = made(policy)
    assert demur("notice", "check", "-w", workspace.root).code == 0
    result = demur("notice", "send", "-w", workspace.root, "spring")
    assert result.code == 0
    assert "a notice for 3 people, by in-app." in result.out
    assert "people are told within the platform alone, until you set `mail.server`" in result.err
    write_policy(policy.model_copy(update={"mail": Mail(server="smtp.harbour.example:587")}), workspace.policy_path)
    assert "by mail and in-app." in demur("notice", "send", "-w", workspace.root, "spring").out
    counts = demur("notice", "progress", "--json", "-w", workspace.root, "spring").json["counts"]
    assert {each["channel"]: each["number"] for each in counts} == {"mail": 3, "in-app": 3}


def test_a_dry_run_counts_whom_no_mail_reaches(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy, fast_tmp: Path
) -> None:
    workspace = made(later)
    path = fast_tmp / "more.jsonl"
    path.write_text(json.dumps({"account": "forum:tom", "names": ["Tom"], "region": "DE", "birth_year": 1980}))
    assert demur("members", "-w", workspace.root, path).code == 0
    result = demur("notice", "send", "--dry-run", "-w", workspace.root, "spring")
    assert "would tell 4 people; nothing was queued" in result.out
    assert "no mail reaches them: 1 person; they don't count as told" in result.out
    told = demur("notice", "-w", workspace.root, "preview", "spring", "--json").json
    assert (told["people"], told["no_address"]) == (4, 1)
    with workspace.register() as register:
        assert register.campaigns.list() == []


@pytest.mark.parametrize(("days", "noted"), [(10, True), (40, False)])
def test_policy_check_notes_an_effective_date_before_the_notice_period_is_over(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy, days: int, *, noted: bool
) -> None:
    soon = datetime.now(UTC).date() + timedelta(days=days)
    workspace = made(later.model_copy(update={"effective_date": soon}))
    result = demur("policy", "check", "-w", workspace.root)
    assert result.code == 0
    assert ("is less than `notice.period_days` (30) from today" in result.err) is noted


def test_an_early_effective_date_is_noted(demur: Demur, made: Callable[[Policy], Workspace], later: Policy) -> None:
    workspace = made(later.model_copy(update={"effective_date": datetime.now(UTC).date() + timedelta(days=10)}))
    result = demur("notice", "send", "-w", workspace.root, "spring")
    assert result.code == 0
    assert "is less than `notice.period_days` (30) from today" in result.err


def test_check_says_what_is_missing(demur: Demur, made: Callable[[Policy], Workspace], later: Policy) -> None:
    update = {"portal": Portal(), "mail": Mail(server="smtp.harbour.example:587")}
    workspace = made(later.model_copy(update=update))
    result = demur("notice", "check", "-w", workspace.root)
    assert result.code == 1
    assert result.out.startswith("Art. 21(4) GDPR asks for ")
    assert "The notice lacks 1 thing" in result.err


def test_check_is_content_with_a_complete_notice(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy
) -> None:
    result = demur("notice", "check", "--json", "-w", made(later).root)
    assert result.code == 0
    assert result.json == {"lacks": []}


# Afterwards


def test_progress_and_records_tell_where_notices_stand(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy, fast_tmp: Path
) -> None:
    workspace = made(later)
    assert demur("notice", "send", "-w", workspace.root, "spring").code == 0
    with workspace.register() as register:
        first, second, _third = register.notices.claim(Channel.MAIL, 3)
        delivered = [
            Delivered(each.campaign, each.subject, "en", bytes(32), f"<{number}@harbour.example>")
            for number, each in enumerate((first, second))
        ]
        register.notices.sent(Channel.MAIL, delivered)
        assert register.notices.bounced("<1@harbour.example>", cause="5.1.1")
    told = demur("notice", "progress", "-w", workspace.root, "spring").out
    assert [line.split() for line in told.splitlines()[1:]] == [
        ["channel", "status", "notices"],
        ["mail", "bounced", "1"],
        ["mail", "sending", "1"],
        ["mail", "sent", "1"],
    ]
    target = fast_tmp / "records.csv"
    result = demur("notice", "progress", "-w", workspace.root, "spring", "--to", target)
    assert result.out == f"3 notices of campaign spring: {target}\n"
    with target.open(newline="") as file:
        rows = {row["subject"]: row for row in csv.DictReader(file)}
    sent, bounced = rows[f"{first.subject:016x}"], rows[f"{second.subject:016x}"]
    assert (sent["status"], sent["language"], sent["digest"], sent["bounced"]) == ("sent", "en", "00" * 32, "")
    assert sent["queued"] <= sent["sent"]
    assert bounced["status"] == "bounced"
    assert bounced["bounced"] >= bounced["sent"] > ""
    assert {row["opened"] for row in rows.values()} == {"not recorded"}
    assert "mail.example" not in target.read_text()
    assert "forum" not in target.read_text()


@pytest.mark.parametrize("written", [False, True], ids=["counts", "records"])
def test_an_unknown_campaign_is_said(
    demur: Demur, made: Callable[[Policy], Workspace], later: Policy, fast_tmp: Path, *, written: bool
) -> None:
    workspace, target = made(later), fast_tmp / "records.csv"
    to = ("--to", target) if written else ()
    result = demur("notice", "progress", "-w", workspace.root, "autumn", *to)
    assert result.code == 2
    assert "There is no campaign 'autumn'" in result.err
    assert not list(fast_tmp.glob("*records.csv*"))


# The former spelling


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--check", "--campaign", "spring"),
        ("--progress", "a", "--records", "b", "--to", "c.csv"),
        ("--dry-run", "--check"),
        ("--records", "spring"),
        ("--check", "--to", "c.csv"),
    ],
)
def test_options_that_do_not_fit_are_refused(demur: Demur, fast_tmp: Path, arguments: tuple[str, ...]) -> None:
    result = demur("notify", "-w", fast_tmp, *arguments)
    assert result.code == 2
    assert "--records" in result.err


@pytest.mark.parametrize(
    ("former", "now"),
    [
        (["--check"], ["check"]),
        (["--campaign", "spring", "--dry-run"], ["preview", "spring"]),
        (["--campaign", "spring"], ["send", "spring"]),
        (["--progress", "the spring"], ["progress", "the spring"]),
        (["--records", "spring", "--to", "records.csv"], ["progress", "spring", "--to", "records.csv"]),
    ],
    ids=["check", "preview", "send", "progress", "records"],
)
def test_the_former_spelling_does_the_same_and_names_the_new_one(
    demur: Demur,
    made: Callable[[Policy], Workspace],
    later: Policy,
    monkeypatch: pytest.MonkeyPatch,
    former: list[str],
    now: list[str],
) -> None:
    workspace = made(later)
    monkeypatch.chdir(workspace.root)
    assert demur("notice", "send", "spring").code == 0
    meant = demur("notice", *now)
    told = demur("notify", *former)
    hint, _, rest = told.err.partition("\n")
    assert hint == f"`demur notify` goes with the next release: from now on say `demur notice {shlex.join(now)}`."
    assert (told.code, told.out, rest) == meant


def test_the_former_spelling_stands_on_no_page(demur: Demur) -> None:
    assert "notify" not in demur("--help").out
    assert demur("notify", "--help").out.startswith("Usage: demur notify")
