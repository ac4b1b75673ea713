"""The embedded outbox: the same mails as files, each once, for their owner alone."""

from collections import Counter
from datetime import datetime
from email import message_from_bytes, policy

import pyarrow as pa
import pytest
from erasing import erase_details
from mailing import EVERYBODY, Made, change, lane, mail_policy, statuses
from postbox import Postbox, server

from demur.policy import Portal
from demur.register import MEMBER
from demur.terms import Channel, NoticeStatus
from demur.worker.delivery import Delivery
from demur.worker.depot import Depot
from demur.worker.lanes import drain
from demur.worker.mail_kinds import MailNotices, SingleMails


def delivered(depot: Depot, kind: type[MailNotices] | type[SingleMails]) -> Counter[str]:
    lane: Delivery = Delivery(depot, kind(depot))  # type: ignore[type-arg]  # of either
    drain(lane, depot.stop)
    lane.close()
    return lane.counts


def test_each_notice_is_one_file_that_others_can_not_read(made: Made) -> None:
    depot = made(mail_policy(), 23)
    assert delivered(depot, MailNotices) == {"sent": 23}
    files = list(depot.workspace.outbox_path.iterdir())
    read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    assert Counter(str(mail["To"]) for mail in read) == {f"m{number}@mail.example": 1 for number in range(23)}
    assert {path.name for path in files} == {f"{mail['Message-ID'].strip('<>')}.eml" for mail in read}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("url", ["https://object.harbour-commons.eu", "https://[2001:db8::1]", "http://192.0.2.1"])
def test_nobody_is_told_or_asked_by_a_file_where_the_portal_is_public(
    made: Made, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "demur.worker")
    depot = made(mail_policy().model_copy(update={"portal": Portal(url=url)}), 3)
    depot.register.mails.post("receipt", "en", {}, address="ann@mail.example")
    assert delivered(depot, MailNotices) == delivered(depot, SingleMails) == {}
    assert not list(depot.workspace.outbox_path.iterdir())
    assert depot.register.mails.waiting() == 1
    assert [(count.status, count.number) for count in depot.register.campaigns.progress("spring")] == [("queued", 3)]
    assert caplog.text.count("mail.server is empty") == 2, "each of the two lanes says it once"


def test_notices_wait_while_somebody_has_taken_the_server_out_of_the_policy(made: Made) -> None:
    here = {"portal": Portal(url="https://object.harbour-commons.eu")}
    with server(Postbox()) as place:
        depot = made(mail_policy(place).model_copy(update=here), 3)
        with lane(depot) as notices:
            change(depot, mail_policy().model_copy(update=here))
            notices.turn()
            assert statuses(depot) == {NoticeStatus.QUEUED: 3}
            change(depot, mail_policy(place).model_copy(update=here))
            notices.turn()
    assert statuses(depot) == {NoticeStatus.SENT: 3}
    assert not list(depot.workspace.outbox_path.iterdir())


def test_a_repeat_overwrites(made: Made) -> None:
    depot = made(mail_policy(), 3)
    due = MailNotices(depot)
    for one in due.claim(3, 0):
        due.carry(one)
    before = {path.name for path in depot.workspace.outbox_path.iterdir()}
    assert depot.register.notices.requeue_interrupted() == 3
    delivered(depot, MailNotices)
    assert {path.name for path in depot.workspace.outbox_path.iterdir()} == before


def test_what_a_killed_worker_left_half_written_is_removed(made: Made) -> None:
    depot = made(mail_policy(), 1)
    left = depot.workspace.outbox_path / ".abc@harbour.example.eml.partial"
    left.write_bytes(b"To: some")
    delivered(depot, MailNotices)
    assert not left.exists()


def test_the_letter_to_somebody_erased_leaves_no_file(made: Made) -> None:
    depot = made(mail_policy())
    params = {"reference": "DMR-1"}
    depot.register.mails.post("erased", "en", params, address="ann@mail.example")
    assert delivered(depot, SingleMails) == {"failed": 1}
    assert not list(depot.workspace.outbox_path.iterdir())
    assert depot.register.mails.waiting() == 0


def asked(depot: Depot) -> tuple[str, datetime | None]:
    """A question that became a file: its text, and until when the objection waits for an answer."""
    receipt = depot.register.objections.lodge(["forum:m0"], channel="typed-in")
    depot.register.objections.doubt(receipt.reference, "Two people claim it.", days=30)
    said = {"reference": receipt.reference, "confirm_url": "https://x.example/1", "confirm_by": None}
    depot.register.mails.post("confirm", "en", said, account="forum:m0")
    assert delivered(depot, SingleMails) == {"sent": 1}
    (path,) = depot.workspace.outbox_path.iterdir()
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    text = mail.get_body(("plain",))
    assert text is not None
    return text.get_content(), depot.register.objections.get(receipt.reference).confirm_by


def test_on_one_s_own_machine_a_question_in_the_outbox_counts(made: Made) -> None:
    text, until = asked(made(mail_policy().model_copy(update={"portal": Portal()}), 1))
    assert until is not None
    assert "if nobody answers" in text


def test_whoever_was_erased_gets_none(made: Made) -> None:
    depot = made(mail_policy(), 1)
    erase_details(depot.register, "forum:m0")
    assert delivered(depot, MailNotices) == {}


def test_whoever_has_no_address_has_failed_and_is_not_told(made: Made) -> None:
    depot = made(mail_policy())
    row = {"account": "forum:ann", "names": ["Ann"]}
    depot.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
    depot.register.campaigns.start("spring", EVERYBODY, [Channel.MAIL])
    assert delivered(depot, MailNotices) == {"failed": 1}
    member = depot.register.members.get("forum:ann")
    assert member is not None
    assert member.told_on is None
