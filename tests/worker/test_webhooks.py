"""Messages to the platform: signed, in order, at least once, naming nobody, and never in the way of mails."""

import base64
from collections import Counter

import pytest
from endpoint import Platform, listening
from mailing import Made, mail_policy

from demur.errors import WorkspaceError
from demur.policy import Portal
from demur.terms import Channel, EntryKind, NoticeStatus
from demur.worker.delivery import Delivery
from demur.worker.platform_lanes import MARK, Events, InAppNotices
from demur.worker.webhooks import TOLERANCE_S, key_of, sign, verify, webhook_key


def test_the_signature_is_that_of_the_specification() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # the example of standardwebhooks.com and its libraries
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_events_come_signed_in_order_and_name_nobody(made: Made) -> None:
    platform = Platform()
    with listening(platform) as url:
        office = made(mail_policy(hook=url))
        receipt = office.register.objections.lodge(["forum:ann"], channel="form", reason="my own words")
        office.register.objections.confirm(receipt.reference)
        office.register.log.append(EntryKind.COPY_GIVEN, {})
        office.register.log.append(EntryKind.PERSON_ERASED, {})
        Events(office).turn()
        Events(office).turn()
    assert [body["type"] for body in platform.bodies] == ["objection.lodged", "objection.confirmed", "person.erased"]
    assert [body["data"].get("reference") for body in platform.bodies] == [receipt.reference] * 2 + [None]
    key = webhook_key(office.workspace)
    assert all(verify(key, *message) for message in platform.got)
    assert len({headers["webhook-id"] for headers, _ in platform.got}) == 3
    everything = b"".join(body for _, body in platform.got)
    assert b"forum:" not in everything
    assert b"words" not in everything


def test_what_was_changed_replayed_late_or_signed_by_others_does_not_verify(made: Made) -> None:
    platform = Platform()
    with listening(platform) as url:
        office = made(mail_policy(hook=url))
        office.register.objections.lodge(["forum:ann"], channel="form")
        Events(office).turn()
    (headers, body), key = platform.got[0], webhook_key(office.workspace)
    stamp = int(headers["webhook-timestamp"])
    assert verify(key, headers, body, stamp)
    assert not verify(key, headers, body + b" ", stamp)
    assert not verify(key, headers, body, stamp + TOLERANCE_S + 1)
    assert not verify(bytes(32), headers, body, stamp)
    assert not verify(key, headers | {"webhook-id": "entry_99"}, body, stamp)
    assert not verify(key, {}, body, stamp)


@pytest.mark.parametrize("status", [500, 404, 302, 429])
def test_a_message_that_is_not_taken_comes_again_with_the_same_id(made: Made, status: int) -> None:
    platform = Platform(answers=[204, status])
    with listening(platform) as url:
        office = made(mail_policy(hook=url))
        lodged = [office.register.objections.lodge([f"forum:{name}"], channel="form").seq for name in ("a", "b", "c")]
        events = Events(office)
        assert events.turn() >= 1, "it rests"
        assert int(office.register.state(MARK) or 0) == lodged[0]
        events.turn()
    ids = [headers["webhook-id"] for headers, _ in platform.got]
    assert ids == [f"entry_{lodged[which]}" for which in (0, 1, 1, 2)]


def test_a_platform_that_is_not_there_does_not_hold_up_mails(made: Made) -> None:
    with listening(Platform()) as url:
        pass
    office = made(mail_policy(hook=url), 3)
    office.register.objections.lodge(["forum:ann"], channel="form")
    assert Events(office).turn() >= 1
    assert int(office.register.state(MARK) or 0) < office.register.log.head().seq


def test_in_app_notices_are_sent_to_the_platform_once_and_count_as_told(made: Made) -> None:
    platform = Platform(answers=[410])
    with listening(platform) as url:
        office = made(mail_policy(in_app="webhook", hook=url), 12, (Channel.IN_APP,))
        lane = Delivery(office, InAppNotices(office))
        lane.turn()
        lane.turn()
        lane.close()
    accounts = Counter(body["data"]["account"] for body in platform.bodies)
    assert accounts == {f"forum:m{number}": 1 for number in range(12)}
    assert all("/o/" in body["data"]["object_url"] for body in platform.bodies)
    counted = Counter(record.status for _, record in office.register.notices.records("spring"))
    assert counted == {NoticeStatus.SENT: 11, NoticeStatus.FAILED: 1}


def test_in_app_notices_go_on_where_the_portal_is_public_and_no_mail_leaves(made: Made) -> None:
    platform = Platform()
    with listening(platform) as url:
        policy = mail_policy(in_app="webhook", hook=url)
        portal = Portal(url="https://object.harbour-commons.eu")
        office = made(policy.model_copy(update={"portal": portal}), 2, (Channel.IN_APP,))
        lane = Delivery(office, InAppNotices(office))
        lane.turn()
        lane.close()
    assert len(platform.got) == 2
    assert {record.status for _, record in office.register.notices.records("spring")} == {NoticeStatus.SENT}


def test_a_key_is_made_where_there_is_none_and_a_bad_one_is_said(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    office = made(mail_policy())
    assert webhook_key(office.workspace) == webhook_key(office.workspace)
    assert (office.workspace.keys_path / "webhook.secret").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("DEMUR_WEBHOOK_SECRET", f"whsec_{base64.b64encode(b'short').decode()}")
    with pytest.raises(WorkspaceError, match="fix it"):
        webhook_key(office.workspace)
