"""Notices: who gets one, who was told by it, and what stays on record, whatever is interrupted."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from erasing import erase_details

from demur.errors import RegisterError
from demur.identity import Keys
from demur.register import Campaign, Delivered, Due, Preview, Register, Selection
from demur.register.contact import campaigns
from demur.register.contact.notices import code
from demur.register.database.tables import notice
from demur.terms import Channel, EntryKind, NoticeStatus

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Place, Row

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
ANYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)
ADULTS = Selection(regions=frozenset({"DE", "NO"}), unknown_region=False, born_by=2008, unknown_age=False)
MAIL, IN_APP = Channel.MAIL, Channel.IN_APP


def who(*regions: str, born_by: int | None = None, unknown_region: bool = True, unknown_age: bool = True) -> Selection:
    return Selection(frozenset(regions) or None, unknown_region, born_by, unknown_age)


@pytest.fixture
def three(register: Register, members: "MakeBatch") -> Register:
    """A register with Ann, who has two accounts, Ben and Cem."""
    ann = {"names": ["Ann"], "mail": "ann@mail.example", "mail_verified": True}
    rows = [{"account": "x:ann", **ann}, {"account": "forum:ann", **ann}, {"account": "x:ben"}, {"account": "x:cem"}]
    register.members.import_all([members(*rows)], now=NOON)
    return register


def start(register: Register, *channels: Channel, name: str = "autumn", selection: Selection = ANYBODY) -> Campaign:
    return register.campaigns.start(name, selection, channels or (MAIL,), now=NOON)


def deliver(register: Register, due: Sequence[Due], now: datetime = NOON, channel: Channel = MAIL) -> None:
    done = [Delivered(d.campaign, d.subject, "de", b"d" * 32, f"<{d.campaign}.{d.subject}@here>") for d in due]
    register.notices.sent(channel, done, now=now)


def accounts(due: Sequence[Due]) -> set[str]:
    return {each.member.account for each in due}


def told(register: Register, account: str) -> date | None:
    member = register.members.get(account)
    assert member is not None
    return member.told_on


def counts(register: Register, name: str = "autumn") -> dict[tuple[str, str], int]:
    return {(each.channel, each.status): each.number for each in register.campaigns.progress(name)}


def test_one_notice_for_each_person_and_channel(three: Register) -> None:
    campaign = start(three, MAIL, IN_APP)
    assert (campaign.people, campaign.channels, campaign.started) == (3, (MAIL, IN_APP), NOON)
    assert three.campaigns.list() == [campaign]
    assert counts(three) == {("mail", "queued"): 3, ("in-app", "queued"): 3}
    due = three.notices.claim(MAIL, 100)
    assert len(due) == 3
    assert len(accounts(due) & {"x:ann", "forum:ann"}) == 1
    assert {each.attempt for each in due} == {1}
    assert three.notices.claim(MAIL, 100) == []


def test_the_notice_goes_to_the_smallest_key_of_which_a_profile_is_known(three: Register, keys: Keys) -> None:
    start(three)
    (ann,) = (each for each in three.notices.claim(MAIL, 9) if each.member.mail)
    assert ann.subject == min(keys.pepper.subject_keys(["x:ann", "forum:ann"]).tolist())


def test_a_mail_goes_to_the_address_on_file_of_any_account(
    register: Register, members: "MakeBatch", keys: Keys
) -> None:
    first, second = sorted(("forum:p1", "forum:p2"), key=keys.pepper.subject_key)
    rows: list[Row] = [
        {"account": first, "names": ["Pia"], "locale": "pl"},
        {"account": second, "locale": "de", "mail": "p@mail.example", "linked": [first]},
        {"account": "x:q", "mail": "q@mail.example"},
    ]
    register.members.import_all([members(*rows)])
    assert start(register, MAIL, IN_APP).people == 2
    found = {each.member.account: each.member for each in register.notices.claim(MAIL, 9)}
    assert {account: (each.locale, each.mail) for account, each in found.items()} == {
        first: ("pl", "p@mail.example"),
        "x:q": (None, "q@mail.example"),
    }
    assert found[first].names == ("Pia",)
    shown = next(each for each in register.notices.claim(IN_APP, 9) if each.member.account == first)
    assert shown.member.mail is None, "the platform shows it to the account"


def test_the_language_on_file_of_any_account_is_that_of_the_mail(
    register: Register, members: "MakeBatch", keys: Keys
) -> None:
    first, second = sorted(("forum:p1", "forum:p2"), key=keys.pepper.subject_key)
    one: Row = {"account": first, "mail": "first@mail.example"}
    two: Row = {"account": second, "locale": "mt", "mail": "second@mail.example", "linked": [first]}
    register.members.import_all([members(one, two)])
    start(register)
    (due,) = register.notices.claim(MAIL, 9)
    assert (due.member.locale, due.member.mail) == ("mt", "first@mail.example")


def test_starting_again_tries_once_more_what_nobody_refused_for_good(three: Register, members: "MakeBatch") -> None:
    start(three)
    due = {each.member.account: each.subject for each in three.notices.claim(MAIL, 9)}
    ann = next(each for account, each in due.items() if "ann" in account)
    three.notices.failed(MAIL, "autumn", ann, cause="550 5.1.1")
    three.notices.failed(MAIL, "autumn", due["x:ben"], cause="no mail address")
    three.notices.failed(MAIL, "autumn", due["x:cem"], cause="4.7.1")
    start(three, IN_APP)
    assert counts(three)["mail", "failed"] == 3
    three.members.import_all([members({"account": "x:ben", "mail": "ben@mail.example"})])
    three.objections.lodge(["x:cem"], channel="web")
    assert start(three).people == 3
    (again,) = three.notices.claim(MAIL, 9)
    assert (again.member.mail, again.attempt) == ("ben@mail.example", 1)
    assert counts(three)["mail", "failed"] == 1


def test_starting_again_gives_nobody_a_second_mail_who_was_linked_since(
    register: Register, members: "MakeBatch"
) -> None:
    pairs = (("x:a", "x:b"), ("x:c", "x:d"), ("x:e", "x:f"))
    register.members.import_all([members(*({"account": account} for pair in pairs for account in pair))])
    start(register)
    due = {each.member.account: each for each in register.notices.claim(MAIL, 9)}
    deliver(register, [due["x:a"]])
    for account, cause in (("x:b", "no-address"), ("x:c", "451"), ("x:d", "451"), ("x:e", "550"), ("x:f", "451")):
        register.notices.failed(MAIL, "autumn", due[account].subject, cause=cause)
    for pair in pairs:
        register.members.link(*pair)
    start(register)
    again = accounts(register.notices.claim(MAIL, 9))
    assert again in ({"x:c", "x:f"}, {"x:d", "x:f"})


def test_starting_again_for_others_leaves_what_failed(three: Register) -> None:
    start(three)
    for each in three.notices.claim(MAIL, 9):
        three.notices.failed(MAIL, "autumn", each.subject, cause="451")
    start(three, selection=ADULTS)
    assert counts(three) == {("mail", "failed"): 3}


def test_starting_again_adds_only_who_is_new(three: Register, members: "MakeBatch") -> None:
    start(three)
    deliver(three, three.notices.claim(MAIL, 2))
    hers = {"mail": "ann@mail.example", "mail_verified": True}
    rows = [{"account": "x:dan"}, *({"account": f"x:ann{n}", **hers} for n in range(8))]
    three.members.import_all([members(*rows)])  # of Ann's new accounts one surely has a smaller key
    assert start(three, MAIL, IN_APP).people == 4
    assert counts(three) == {("mail", "sent"): 2, ("mail", "queued"): 2, ("in-app", "queued"): 4}
    kinds = [entry.kind for entry in three.log.entries()]
    assert kinds.count(EntryKind.CAMPAIGN_STARTED) == 2
    assert len(three.campaigns.list()) == 1


def test_an_interrupted_start_is_finished_by_the_next(
    register: Register, members: "MakeBatch", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "_PIECE_ROWS", 7)
    register.members.import_all([members(*({"account": f"x:m{n}", "linked": [f"x:h{n // 3}"]} for n in range(90)))])
    seen = []

    def interrupt(looked: int) -> None:
        seen.append(looked)
        if looked > 40:  # of 90
            raise KeyboardInterrupt

    people = register.campaigns.preview(ANYBODY).people
    with pytest.raises(KeyboardInterrupt):
        register.campaigns.start("autumn", ANYBODY, [MAIL], progress=interrupt)
    assert seen == [7, 14, 21, 28, 35, 42]
    assert 0 <= sum(counts(register).values()) < people
    assert start(register).people == people == sum(counts(register).values())


def test_whoever_objected_gets_none(three: Register) -> None:
    three.objections.lodge(["mail:ann@mail.example"], channel="web")
    assert three.campaigns.preview(ANYBODY) == Preview(people=2, objected=1, unreachable=0)
    assert start(three).people == 2
    three.objections.lodge(["x:ben"], channel="web")
    assert accounts(three.notices.claim(MAIL, 9)) == {"x:cem"}
    assert counts(three) == {("mail", "cancelled"): 1, ("mail", "sending"): 1}


def test_whoever_withdrew_an_objection_gets_one(three: Register) -> None:
    three.objections.withdraw(three.objections.lodge(["x:ben"], channel="web").reference)
    assert start(three).people == 3


def test_selects_by_region_and_age(register: Register, members: "MakeBatch") -> None:
    rows: list[Row] = [
        {"account": "x:old", "region": "DE", "birth_year": 1990},
        {"account": "x:oldest", "region": "NO", "birth_year": 2008},
        {"account": "x:child", "region": "DE", "birth_year": 2009},
        {"account": "x:elsewhere", "region": "US", "birth_year": 1990},
        {"account": "x:unborn", "region": "DE"},
        {"account": "x:nowhere", "birth_year": 1990},
    ]
    register.members.import_all([members(*rows)], now=NOON)
    for number, (selection, expected) in enumerate(
        (
            (ADULTS, {"x:old", "x:oldest"}),
            (who(born_by=2008), {"x:old", "x:oldest", "x:elsewhere", "x:unborn", "x:nowhere"}),
            (who("US", unknown_age=False), {"x:elsewhere", "x:nowhere"}),
            (who(born_by=2008, unknown_region=False, unknown_age=False), {"x:old", "x:oldest", "x:elsewhere"}),
            (Selection(frozenset(), unknown_region=False, born_by=None, unknown_age=True), set()),
        )
    ):
        assert register.campaigns.preview(selection).people == len(expected)
        start(register, name=f"n{number}", selection=selection)
        assert accounts(register.notices.claim(MAIL, 99)) == expected


def test_a_person_is_selected_with_any_account_and_never_with_a_child_among_them(
    register: Register, members: "MakeBatch"
) -> None:
    grown, young = {"mail": "a@mail.example", "birth_year": 1990}, {"mail": "b@mail.example", "birth_year": 1990}
    rows: list[Row] = [
        *({"account": f"x:a{n}", "region": "US", **grown} for n in range(4)),
        {"account": "forum:a", "region": "DE", **grown},
        {"account": "x:b", "region": "DE", **young},
        {"account": "forum:b", "region": "DE", **young, "birth_year": 2012},
    ]
    register.members.import_all([members(*rows)], now=NOON)
    start(register, selection=ADULTS)
    (due,) = register.notices.claim(MAIL, 9)
    assert due.member.mail == "a@mail.example"


def test_who_is_known_by_keys_alone_is_out_of_reach(three: Register) -> None:
    erase_details(three, "x:ben")
    three.members.consent(["x:new"], given=True)
    assert three.campaigns.preview(ANYBODY) == Preview(people=2, objected=0, unreachable=2)
    assert start(three).people == 2


def test_who_is_erased_meanwhile_gets_none(three: Register) -> None:
    start(three)
    erase_details(three, "forum:ann")
    assert accounts(three.notices.claim(MAIL, 9)) == {"x:ben", "x:cem"}
    assert [each.status for each in three.notices.of("x:ann")] == [NoticeStatus.CANCELLED]


def test_sent_tells_every_account_of_the_person(three: Register, keys: Keys) -> None:
    start(three)
    due = [each for each in three.notices.claim(MAIL, 9) if each.member.mail]
    before = three.standing.snapshot()
    deliver(three, due)
    assert told(three, "x:ann") == told(three, "forum:ann") == NOON.date()
    assert told(three, "x:ben") is None
    *_, entry = three.log.entries(EntryKind.NOTICE_SENT)
    assert entry.payload == {"campaign": "autumn", "channel": "mail", "people": 1}
    both = sorted(keys.pepper.subject_keys(["x:ann", "forum:ann"]).tolist())
    assert three.standing.changes(before.head.seq).subjects.tolist() == both
    facts = three.standing.facts()  # patched from the snapshot before
    days = (NOON.date() - date(1970, 1, 1)).days
    assert facts.keys[facts.told_on == days].tolist() == both


def test_what_is_sent_twice_counts_once(three: Register) -> None:
    start(three)
    due = three.notices.claim(MAIL, 9)
    deliver(three, due)
    head = three.log.head()
    deliver(three, due, LATER)
    three.notices.sent(MAIL, [])
    assert three.log.head() == head
    assert told(three, "x:ben") == NOON.date()


def test_a_bounce_untells_unless_another_notice_stands(three: Register) -> None:
    for name, day in (("autumn", NOON), ("winter", LATER)):
        start(three, name=name)
        deliver(three, three.notices.claim(MAIL, 9), day)
    subject, _ = next(three.notices.records("autumn"))
    account = three.members.identifiers(np.array([subject]))[0] or ""
    assert told(three, account) == NOON.date()
    seq = three.log.head().seq
    assert three.notices.bounced(f"autumn.{subject}@here", cause="550 5.1.1 <ann@mail.example> unknown")
    assert told(three, account) == LATER.date()
    assert subject in three.standing.changes(seq).subjects
    assert three.notices.bounced(f"<winter.{subject}@here>", cause="mailbox-full")
    assert told(three, account) is None
    assert [entry.payload["cause"] for entry in three.log.entries(EntryKind.NOTICE_BOUNCED)] == [
        "5.1.1",
        "mailbox-full",
    ]
    assert three.notices.bounced(f"winter.{subject}@here", cause="5.1.1")
    assert three.log.head().seq == seq + 2
    assert not three.notices.bounced("nobody@nowhere", cause="5.1.1")


def name(campaign: str, subject: int) -> str:
    """A notice's Message-ID."""
    return f"<{campaign}.{subject}@here>"


def test_a_bounce_that_comes_before_the_record_of_sending_stands(three: Register) -> None:
    start(three)
    due = three.notices.claim(MAIL, 9, named=name)
    ben = next(each for each in due if each.member.account == "x:ben")
    assert three.notices.bounced(f"autumn.{ben.subject}@here", cause="550 5.1.1", now=NOON)
    deliver(three, due, LATER)
    assert told(three, "x:ben") is None
    assert told(three, "x:cem") == LATER.date()
    (record,) = three.notices.of("x:ben")
    assert (record.status, record.sent, record.language) == (NoticeStatus.BOUNCED, LATER, "de")
    (sent,) = three.log.entries(EntryKind.NOTICE_SENT)
    assert sent.payload["people"] == 2
    head = three.log.head()
    deliver(three, due, LATER)
    assert three.log.head() == head


def test_a_bounce_of_what_an_ended_worker_had_handed_over_ends_its_delivery(three: Register) -> None:
    start(three)
    due = three.notices.claim(MAIL, 9, named=name)
    three.notices.requeue_interrupted()
    assert three.notices.bounced(name("autumn", due[0].subject), cause="5.1.1")
    assert {each.subject for each in three.notices.claim(MAIL, 9)} == {each.subject for each in due[1:]}
    assert three.notices.bounced(name("autumn", due[0].subject), cause="5.1.1"), "it is one of ours, once more"
    assert len(list(three.log.entries(EntryKind.NOTICE_BOUNCED))) == 1


def test_a_bounce_alone_tells_nobody_and_changes_no_other(three: Register) -> None:
    start(three)
    (one, *_others) = three.notices.claim(MAIL, 9, named=name)
    three.notices.bounced(name("autumn", one.subject), cause="5.1.1")
    three.notices.retry(MAIL, "autumn", one.subject, NOON)
    three.notices.failed(MAIL, "autumn", one.subject, cause="550")
    assert counts(three) == {("mail", "bounced"): 1, ("mail", "sending"): 2}


def test_importing_again_does_not_undo_what_notices_did(three: Register, members: "MakeBatch") -> None:
    start(three)
    deliver(three, three.notices.claim(MAIL, 9))
    three.members.import_all([members({"account": "x:ben", "region": "DE"})])
    assert told(three, "x:ben") == NOON.date()
    three.members.import_all([members({"account": "x:ben", "told_on": date(2026, 1, 2)})])
    assert told(three, "x:ben") == date(2026, 1, 2)
    three.members.import_all([members({"account": "x:ben", "told_on": date(2027, 1, 2)})])
    assert told(three, "x:ben") == NOON.date()


def test_a_new_account_of_somebody_who_was_told_is_told(three: Register, members: "MakeBatch") -> None:
    start(three)
    deliver(three, three.notices.claim(MAIL, 9))
    hers = {"account": "y:ann", "mail": "ann@mail.example", "mail_verified": True}
    three.members.import_all([members(hers, {"account": "y:ben"})])
    assert told(three, "y:ann") == NOON.date()
    assert told(three, "y:ben") is None
    seq = three.members.link("x:ben", "y:ben") or 0
    assert told(three, "y:ben") == NOON.date()
    assert len(three.standing.changes(seq - 1).subjects) == 2
    three.members.unlink("x:ben", "y:ben")
    assert told(three, "y:ben") is None
    assert told(three, "x:ben") == NOON.date()


def test_who_types_the_address_of_another_takes_nobodys_notice_away(register: Register, members: "MakeBatch") -> None:
    """By whichever of the keys is the smaller one: each has an account that nobody links with the other's by proof."""
    own = {"mail": "ben@mail.example", "mail_verified": True}
    typists = [{"account": f"x:eve{n}", "mail": "ben@mail.example"} for n in range(4)]
    register.members.import_all([members({"account": "x:ben", **own}, {"account": "y:ben", **own}, *typists)])
    assert register.campaigns.preview(ANYBODY).people == 5
    assert start(register, MAIL, IN_APP).people == 5
    for channel in (MAIL, IN_APP):
        due = register.notices.claim(channel, 9)
        assert len(accounts(due) & {"x:ben", "y:ben"}) == 1
        assert len(due) == 5
        deliver(register, [each for each in due if each.member.account.startswith("x:eve")], channel=channel)
    assert [told(register, account) for account in ("x:ben", "y:ben")] == [None, None]
    assert told(register, "x:eve0") == NOON.date()
    register.members.link("x:ben", "x:eve0")
    assert told(register, "y:ben") == NOON.date(), "a proof tells"


def test_an_import_that_proves_tells_and_says_of_whom(register: Register, members: "MakeBatch") -> None:
    rows = [{"account": f"x:ann{n}", "mail": "ann@mail.example"} for n in range(2)]
    register.members.import_all([members(*rows)])
    start(register)
    (first, *_) = register.notices.claim(MAIL, 9)
    deliver(register, [first])
    assert sorted(told(register, row["account"]) is None for row in rows) == [False, True]
    before = register.log.head().seq
    register.members.import_all([members(*(row | {"mail_verified": True} for row in rows))])
    assert [told(register, row["account"]) for row in rows] == [NOON.date()] * 2
    (untold,) = register.pepper.subject_keys([f"x:ann{n}" for n in range(2) if f"x:ann{n}" != first.member.account])
    assert untold in register.standing.changes(before).subjects


def test_a_notice_that_is_tried_again_comes_when_it_is_due(three: Register) -> None:
    start(three)
    due = three.notices.claim(MAIL, 9, now=NOON)
    ben = next(each for each in due if each.member.account == "x:ben")
    three.notices.retry(MAIL, "autumn", ben.subject, LATER)
    assert three.notices.claim(MAIL, 9, now=NOON) == []
    (again,) = three.notices.claim(MAIL, 9, now=LATER)
    assert (again.subject, again.attempt) == (ben.subject, 2)
    three.notices.failed(MAIL, "autumn", ben.subject, cause="no such mailbox")
    assert counts(three) == {("mail", "failed"): 1, ("mail", "sending"): 2}
    assert told(three, "x:ben") is None
    three.notices.retry(MAIL, "autumn", ben.subject, LATER)
    assert three.notices.claim(MAIL, 9, now=LATER) == []


def test_what_was_in_hand_is_given_back_when_a_worker_starts(three: Register) -> None:
    start(three)
    deliver(three, three.notices.claim(MAIL, 1))
    three.notices.claim(MAIL, 1)
    assert three.notices.requeue_interrupted() == 1
    assert counts(three) == {("mail", "queued"): 2, ("mail", "sent"): 1}
    assert {each.attempt for each in three.notices.claim(MAIL, 9)} == {1}


def test_only_what_was_answered_is_an_attempt(three: Register) -> None:
    start(three)
    for _ in range(40):
        for each in three.notices.claim(MAIL, 9, now=NOON):
            three.notices.retry(MAIL, "autumn", each.subject, NOON, tried=False)
    due = three.notices.claim(MAIL, 9, now=NOON)
    assert {each.attempt for each in due} == {1}
    three.notices.retry(MAIL, "autumn", due[0].subject, NOON)
    (again,) = three.notices.claim(MAIL, 9, now=NOON)
    assert again.attempt == 2


def test_what_waits_in_the_platform(three: Register) -> None:
    start(three, MAIL, IN_APP)
    (due,) = three.notices.pending("forum:ann")
    assert (due.campaign, due.member.mail) == ("autumn", "ann@mail.example")
    deliver(three, [due], channel=IN_APP)
    assert three.notices.pending("x:ann") == []
    assert told(three, "forum:ann") == NOON.date()
    three.objections.lodge(["x:ben"], channel="web")
    assert three.notices.pending("x:ben") == three.notices.pending("x:nobody") == []


def test_the_record_of_each_notice(three: Register) -> None:
    start(three, MAIL, IN_APP)
    deliver(three, three.notices.claim(MAIL, 2), LATER)
    records = dict(three.notices.records("autumn"))
    assert len(list(three.notices.records("autumn"))) == 6
    (sent, *_) = (record for record in records.values() if record.status == "sent")
    assert (sent.language, sent.digest, sent.queued, sent.sent, sent.changed) == ("de", b"d" * 32, NOON, LATER, LATER)
    assert {record.channel for record in three.notices.of("x:ann")} == {MAIL, IN_APP}
    assert three.notices.of("x:nobody") == []


def test_records_come_in_pages_without_a_gap(
    register: Register, members: "MakeBatch", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demur.register.contact.notices._PAGE", 7)
    register.members.import_all([members(*({"account": f"x:m{n}"} for n in range(20)))])
    start(register, MAIL, IN_APP)
    assert len({(key, record.channel) for key, record in register.notices.records("autumn")}) == 40


def test_coverage_by_region_and_day(register: Register, members: "MakeBatch") -> None:
    rows = [{"account": f"x:m{n}", "region": region} for n, region in enumerate(("DE", "DE", "NO", None))]
    register.members.import_all([members(*rows)])
    start(register)
    due = register.notices.claim(MAIL, 9, now=NOON)
    deliver(register, [each for each in due if each.member.region == "DE"], LATER)
    assert register.campaigns.coverage("autumn") == [
        ("", NOON.date(), NoticeStatus.SENDING, 1),
        ("DE", LATER.date(), NoticeStatus.SENT, 2),
        ("NO", NOON.date(), NoticeStatus.SENDING, 1),
    ]


def test_a_campaign_that_does_not_exist(three: Register) -> None:
    for use in (three.campaigns.progress, three.campaigns.coverage, lambda name: list(three.notices.records(name))):
        with pytest.raises(RegisterError, match="no campaign 'spring'"):
            use("spring")
    with pytest.raises(RegisterError, match="needs a name and a channel"):
        three.campaigns.start(" ", ANYBODY, [MAIL])
    with pytest.raises(RegisterError, match="needs a name and a channel"):
        three.campaigns.start("spring", ANYBODY, [])


def test_a_start_inside_the_lock_is_part_of_it(three: Register) -> None:
    with suppress(ZeroDivisionError), three.locked():
        assert start(three).people == 3
        raise ZeroDivisionError
    assert three.campaigns.list() == []


@pytest.mark.parametrize(
    ("cause", "kept"),
    [
        ("550 5.1.1 <ann@mail.example>: no such user", "5.1.1"),
        ("552 ann is full", "552"),
        ("timed-out", "timed-out"),
        ("ann@mail.example is unknown", "other"),
        ("ann muster moved", "other"),
        ("", "other"),
    ],
)
def test_a_cause_is_kept_as_a_code(cause: str, kept: str) -> None:
    assert code(cause) == kept


def test_the_index_finds_what_is_due(sqlite_place: "Place") -> None:
    """A million notices wait at times: what a worker and a second start ask for must not read them all."""
    waiting = (notice.c.channel == "mail", notice.c.status == "queued", notice.c.due <= 5)
    new = campaigns._new_notices(1, MAIL, 5).where(*campaigns._selected(ADULTS))
    with sqlite_place.create() as register, register._store.reading() as connection:

        def plan(asked: sa.Select[*tuple[object, ...]]) -> str:
            sql = str(asked.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
            return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all())

        due = plan(sa.select(notice.c.subject).where(*waiting).order_by(notice.c.due).limit(5))
        assert "notice_due" in due
        assert "TEMP B-TREE" not in due
        assert "notice_subject" in plan(new)
        assert "SEARCH notice USING INDEX notice_due" not in plan(new)


@pytest.mark.parametrize("message_id", ["", "<>", " <<>> "])
def test_a_bounce_without_a_message_id_untells_nobody(three: Register, message_id: str) -> None:
    start(three, IN_APP)
    shown = three.notices.pending("x:ben")
    three.notices.sent(IN_APP, [Delivered(d.campaign, d.subject, "de", b"d" * 32, "") for d in shown], now=NOON)
    assert not three.notices.bounced(message_id, cause="5.1.1")
    assert told(three, "x:ben") == NOON.date()
