"""Mails by SMTP: what arrives, and what becomes of it where the server is slow, strict, broken or not who it says."""

import json
import logging
import time
from collections import Counter
from datetime import timedelta

import pytest
from mailing import QUICK, Made, change, deliver, lane, mail_policy, statuses
from postbox import Manners, Postbox, bad_server, server

from demur.register import NoticeRecord
from demur.terms import Channel, NoticeStatus
from demur.worker.delivery import Delivery
from demur.worker.depot import Depot
from demur.worker.lanes import drain
from demur.worker.mail_kinds import SingleMails
from demur.worker.transport import Patience


def record_of(depot: Depot, account: str) -> NoticeRecord:
    return depot.register.notices.of(account)[0]


def test_a_notice_arrives_whole_and_its_reader_is_told(made: Made) -> None:
    box = Postbox()
    with server(box) as place:
        depot = made(mail_policy(place), 1)
        assert deliver(depot) == {"sent": 1}
    (mail,) = box.messages()
    assert mail["To"] == "m0@mail.example"
    assert mail["From"] == "Harbour Commons <privacy@harbour.example>"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "en")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "https://object.harbour.example/en/o/" in text.get_content()
    assert "https://object.harbour.example/en/o/" in html.get_content()
    assert "<img" not in html.get_content()
    record = record_of(depot, "forum:m0")
    assert (record.status, record.language) == (NoticeStatus.SENT, "en")
    member = depot.register.members.get("forum:m0")
    assert member is not None
    assert member.told_on is not None


def test_each_reader_gets_one_mail_with_a_message_id_of_its_own(made: Made) -> None:
    box = Postbox()
    with server(box) as place:
        depot = made(mail_policy(place), 57)
        with lane(depot) as notices:
            drain(notices, depot.stop)
    assert box.to() == {f"m{number}@mail.example": 1 for number in range(57)}
    assert len({mail["Message-ID"] for mail in box.messages()}) == 57
    assert statuses(depot) == {NoticeStatus.SENT: 57}


def test_a_mail_that_is_put_off_is_tried_again(made: Made) -> None:
    manners = Manners(defer=3)
    with bad_server(manners) as place:
        depot = made(mail_policy(place), 5)
        assert deliver(depot) == {"sent": 2, "later": 3}
        assert statuses(depot)[NoticeStatus.QUEUED] == 3
        deliver(depot)
    assert Counter(manners.mails) == {f"m{number}@mail.example": 1 for number in range(5)}
    assert statuses(depot) == {NoticeStatus.SENT: 5}


def test_a_mail_that_is_put_off_too_often_counts_as_failed_and_its_reader_as_untold(made: Made) -> None:
    with bad_server(Manners(defer=99)) as place:
        depot = made(mail_policy(place), 1)
        deliver(depot, QUICK.attempts)
    assert statuses(depot) == {NoticeStatus.FAILED: 1}
    member = depot.register.members.get("forum:m0")
    assert member is not None
    assert member.told_on is None


def test_a_connection_that_breaks_within_a_mail_delays_that_mail_and_no_other(made: Made) -> None:
    manners = Manners(drop=4)
    with bad_server(manners) as place:
        depot = made(mail_policy(place), 12)
        assert deliver(depot)["later"] == 4
        deliver(depot)
    assert Counter(manners.mails) == {f"m{number}@mail.example": 1 for number in range(12)}
    assert statuses(depot) == {NoticeStatus.SENT: 12}


def test_a_mail_whose_answer_is_lost_comes_again_with_the_same_message_id(made: Made) -> None:
    manners = Manners(swallow=1)
    with bad_server(manners) as place:
        depot = made(mail_policy(place), 1)
        first = depot.post().notice_id("spring", 7, Channel.MAIL)
        deliver(depot, 2)
        assert depot.post().notice_id("spring", 7, Channel.MAIL) == first
    assert manners.mails == ["m0@mail.example"] * 2  # SMTP can't promise more: docs/delivery.md says so
    assert statuses(depot) == {NoticeStatus.SENT: 1}


def test_a_refused_address_fails_for_good_and_the_others_get_theirs(made: Made) -> None:
    manners = Manners(reject=frozenset({"m2@mail.example"}))
    with bad_server(manners) as place:
        depot = made(mail_policy(place), 5)
        assert deliver(depot) == {"sent": 4, "failed": 1}
        deliver(depot)
    assert len(manners.mails) == 4
    assert record_of(depot, "forum:m2").status is NoticeStatus.FAILED
    member = depot.register.members.get("forum:m2")
    assert member is not None
    assert member.told_on is None


@pytest.mark.parametrize("manners", [Manners(mute=4), Manners(busy=4)], ids=["no greeting", "busy"])
def test_a_server_that_can_not_take_anything_costs_no_notice(made: Made, manners: Manners) -> None:
    with bad_server(manners) as place:
        depot = made(mail_policy(place), 4)
        with lane(depot, Patience(timedelta(0), timedelta(0), 1)) as notices:
            assert notices.turn() >= 1, "the lane rests"
            assert 1 <= notices.counts["closed"] <= 4
            for _ in range(4):
                notices.turn()
    assert statuses(depot) == {NoticeStatus.SENT: 4}


def test_a_server_that_is_not_there_costs_no_notice(made: Made) -> None:
    with bad_server(Manners()) as place:
        pass
    depot = made(mail_policy(place), 30)
    assert 1 <= deliver(depot)["closed"] <= 4, "one for each connection is tried at most, the rest is given back"
    assert statuses(depot) == {NoticeStatus.QUEUED: 30}


def test_an_outage_uses_up_nobody_s_patience(made: Made) -> None:
    with bad_server(Manners()) as gone:
        pass
    manners = Manners(defer=1)
    with bad_server(manners) as place:
        depot = made(mail_policy(gone), 12)
        with lane(depot) as notices:
            for _ in range(2 * QUICK.attempts):
                notices.turn()
            change(depot, mail_policy(place))
            notices.turn()
            assert notices.counts["closed"] > QUICK.attempts
            assert (notices.counts["sent"], notices.counts["later"]) == (9, 1)
            drain(notices, depot.stop)
    assert statuses(depot) == {NoticeStatus.SENT: 12}


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        ("550-5.1.1\r\n550 <{to}> unknown", "5.1.1"),
        ("550 5.1.1<{to}> unknown", "550"),
        ("550 5.{to} unknown", "550"),
        ("550 {to}", "550"),
        ("553 5.7.1", "5.7.1"),
    ],
)
def test_of_a_refusal_only_its_code_is_logged(
    made: Made, caplog: pytest.LogCaptureFixture, refusal: str, cause: str
) -> None:
    caplog.set_level(logging.INFO, "demur.worker")
    with bad_server(Manners(reject=frozenset({"m0@mail.example"}), refusal=refusal)) as place:
        assert deliver(made(mail_policy(place), 1)) == {"failed": 1}
    said = [json.loads(record.message) for record in caplog.records]
    assert [line["cause"] for line in said if line["event"] == "notices.failed"] == [cause]


def test_a_slow_server_gets_every_mail_once(made: Made) -> None:
    manners = Manners(slow_s=0.05)
    with bad_server(manners) as place:
        depot = made(mail_policy(place), 12)
        deliver(depot)
    assert Counter(manners.mails) == {f"m{number}@mail.example": 1 for number in range(12)}


def test_a_letter_is_sent_once_and_what_it_said_is_gone(made: Made) -> None:
    box = Postbox()
    with server(box) as place:
        depot = made(mail_policy(place))
        letters = depot.register.mails
        letters.post("copy-ready", "de", {"url": "https://object.harbour.example/x"}, address="ann@mail.example")
        letters.post("no such", "de", {}, address="ben@mail.example")
        lane = Delivery(depot, SingleMails(depot))
        drain(lane, depot.stop)
        lane.close()
    assert box.to() == {"ann@mail.example": 1}
    assert box.messages()[0]["Content-Language"] == "de"
    assert letters.waiting() == 0
    assert lane.counts == {"sent": 1, "failed": 1}


def test_an_edit_of_the_policy_counts_from_the_next_turn_on(made: Made) -> None:
    box = Postbox()
    with bad_server(Manners()) as gone:
        pass
    depot = made(mail_policy(gone), 3)
    with lane(depot) as notices, server(box) as place:
        notices.turn()
        change(depot, mail_policy(place))
        notices.turn()
    assert len(box.mails) == 3


def test_the_throttle_keeps_its_pace_and_lets_letters_through(made: Made) -> None:
    box = Postbox()
    with server(box) as place:
        depot = made(mail_policy(place, per_second=20), 10)
        began = time.monotonic()
        deliver(depot)
        assert time.monotonic() - began >= 9 / 20
