"""Mails that came back: which notice or letter they were, what that changes, and that nothing read can do harm."""

import base64
import io
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope, Session
from hypothesis import given
from hypothesis import strategies as st
from mailing import EVERYBODY, Made, mail_policy, member_rows
from postbox import Postbox, server
from silence import doubted

from demur.cli import run
from demur.errors import PolicyError
from demur.policy import Portal
from demur.policy.fields import LONGEST_CODE
from demur.terms import Channel, NoticeStatus
from demur.worker.delivery import Delivery
from demur.worker.mail_kinds import MailNotices, SingleMails
from demur.worker.mails import NAMED, Post, code_of, mail_of, name_of
from demur.worker.returned import LARGEST_BYTES, Verdict, read_returned

pytestmark = pytest.mark.either

ID = "1f2e@harbour.example"
RECEIPT = {"reference": "R", "receipt_url": "https://x.example/1", "lodged": "2027-02-01T00:00:00+00:00"}


def dsn(message_id: str = ID, action: str = "failed", status: str = "5.1.1", original: str = "message/rfc822") -> bytes:
    """A notification as RFC 3464 has it, in its appendix B."""
    lines = (
        "From: MAILER-DAEMON@mail.example",
        "To: privacy@harbour.example",
        "Subject: Undelivered Mail Returned to Sender",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "I'm sorry to have to inform you.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mail.example",
        "",
        "Final-Recipient: rfc822; ann@mail.example",
        f"Action: {action}",
        f"Status: {status}",
        "Diagnostic-Code: smtp; 550 5.1.1 ann@mail.example unknown",
        "",
        "--b",
        f"Content-Type: {original}",
        "",
        "From: privacy@harbour.example",
        f"Message-ID: <{message_id}>",
        "Subject: AI training",
        "",
        "text",
        "--b--",
        "",
    )
    return "\r\n".join(lines).encode()


def returned(data: bytes) -> tuple[str, str] | None:
    """The mail that came back for good, and why."""
    reading = read_returned(data)
    return (reading.names[0], reading.cause) if reading.verdict is Verdict.RETURNED else None


@pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers", "message/global-headers"])
def test_a_mail_that_failed_for_good_is_known_by_the_original_s_message_id(original: str) -> None:
    assert returned(dsn(original=original)) == (ID, "5.1.1")


@pytest.mark.parametrize("written", ["s\u00e4nne@mail.example", "s\\x{E4}nne@mail.example"])
def test_an_address_in_unicode_is_read_as_it_is_or_escaped(written: str) -> None:
    report = dsn().replace(b"message/delivery-status", b"message/global-delivery-status")
    reading = read_returned(report.replace(b"rfc822; ann@mail.example", f"utf-8; {written}".encode()))
    assert (reading.verdict, reading.failed) == (Verdict.RETURNED, ("s\u00e4nne@mail.example",))


@pytest.mark.parametrize(
    ("action", "status", "verdict"),
    [
        ("delayed", "4.4.1", Verdict.DELAYED),
        ("relayed", "2.0.0", Verdict.DELAYED),
        ("delivered", "2.0.0", Verdict.DELAYED),
        ("failed", "4.4.7", Verdict.RETURNED),
        ("failed (bad user)", "5.1.1", Verdict.RETURNED),
        ("Failed", "5.1.1 (mailbox disabled)", Verdict.RETURNED),
    ],
)
def test_failed_is_given_up_whatever_its_code_and_a_delay_or_a_success_is_not(
    action: str, status: str, verdict: Verdict
) -> None:
    reading = read_returned(dsn(action=action, status=status))
    assert reading.verdict is verdict
    assert reading.cause == (status[:5] if verdict is Verdict.RETURNED else "")


def nested(depth: int) -> bytes:
    """Multiparts within each other, each of which compares every line that follows."""
    return b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"From: ann@mail.example\r\nSubject: Re: AI\r\n\r\nI object.",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
        dsn() + b"x" * LARGEST_BYTES,
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"Content-Type: multipart/report; charset=\xff\xfe; boundary*0*=x''%%\r\n\r\n",
        nested(300) + b"\n" * 1_000_000,
        b"From: a@mail.example\nContent-Type: multipart/report" + b";a" * 80_000 + b"\n\nx\n",
        b"Content-Type: multipart/report; boundary=b\r\r" + b"--b\r\r" * 100_000,
        dsn().replace(b"Reporting-MTA", b"\n" * 1_000_000 + b"Reporting-MTA"),
    ],
    ids=[
        "empty",
        "reply",
        "boundaries",
        "large",
        "nested",
        "broken",
        "lines",
        "params",
        "returns",
        "blank",
    ],
)
def test_anything_else_is_ignored_and_soon(data: bytes) -> None:
    began = time.perf_counter()
    assert returned(data) is None
    assert time.perf_counter() - began < 5


def test_what_lies_encoded_in_the_original_is_not_parsed() -> None:
    """The headers that came back may be base64: what is in there nobody has counted."""
    bomb = base64.encodebytes(f"Message-ID: <{ID}>\n".encode() + nested(300) + b"\n" * 100_000)
    headers = b"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    head, _, _ = dsn().partition(b"Content-Type: message/rfc822")
    began = time.perf_counter()
    assert returned(head + headers + bomb + b"\r\n--b--\r\n") == (ID, "5.1.1")
    assert time.perf_counter() - began < 5


def test_an_original_of_two_megabytes_is_within_bounds() -> None:
    head, mark, rest = dsn().partition(b"\r\ntext\r\n")
    whole = head + b"\r\n" + (b"QUJD" * 19 + b"\r\n") * 26_000 + mark + rest
    assert len(whole) < LARGEST_BYTES
    assert returned(whole) == (ID, "5.1.1")


@given(st.data())
def test_whatever_is_read_raises_nothing(data: st.DataObject) -> None:
    whole = dsn()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    read_returned(whole[:start] + data.draw(st.binary(max_size=60)) + whole[end:])


def test_bounce_makes_whoever_was_not_reached_untold(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office = made(mail_policy(), 2)
    lane = Delivery(office, MailNotices(office))
    lane.turn()
    lane.close()
    path = next(each for each in office.workspace.outbox_path.iterdir() if b"To: m1@" in each.read_bytes())
    report = tmp_path / "report.eml"
    report.write_bytes(dsn(path.name.removesuffix(".eml")))
    other = tmp_path / "other.eml"
    other.write_bytes(b"Subject: hello\r\n\r\n")
    assert run(["bounce", "-w", str(office.workspace.root), str(report), str(other)]) == 0
    said = capsys.readouterr()
    assert said.out == "1 mail came back.\n1 not understood: see above.\n"
    assert "other.eml: no report of a mail server" in said.err
    assert office.register.notices.of("forum:m1")[0].status is NoticeStatus.BOUNCED
    assert office.register.notices.of("forum:m0")[0].status is NoticeStatus.SENT
    member = office.register.members.get("forum:m1")
    assert member is not None
    assert member.told_on is None
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(dsn("none@of.ours"))))
    assert run(["bounce", "-w", str(office.workspace.root)]) == 0
    assert "none of ours" in capsys.readouterr().err


class Hasty(Postbox):
    """A server whose mails come back before it has said that it takes them."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take one, and send it back."""
        answer = await super().handle_DATA(server, session, envelope)
        report = self._root / "report.eml"
        report.write_bytes(dsn(str(self.messages()[-1]["Message-ID"]).strip("<>")))
        assert run(["bounce", "-w", str(self._root / "w"), str(report)]) == 0
        return answer


def test_a_mail_that_comes_back_at_once_reached_nobody(made: Made, fast_tmp: Path) -> None:
    box = Hasty(fast_tmp)
    with server(box) as place:
        office = made(mail_policy(place), 1)
        until = datetime.now(UTC) + timedelta(days=14)
        receipt = office.register.objections.lodge(["forum:m0"], channel="typed-in")
        doubted(office.register, receipt.reference, until)
        said = {"reference": receipt.reference, "confirm_url": "https://x.example/1", "confirm_by": None}
        office.register.mails.post("confirm", "en", said, account="forum:m0")
        office.register.members.import_all([member_rows(2)])
        office.register.campaigns.start("spring", EVERYBODY, [Channel.MAIL])
        for kind in (SingleMails(office), MailNotices(office)):
            lane: Delivery = Delivery(office, kind)  # type: ignore[type-arg]  # of either
            lane.turn()
            lane.close()
            assert lane.counts == {"sent": 1}
    (record,) = office.register.notices.of("forum:m1")
    member = office.register.members.get("forum:m1")
    assert member is not None
    assert (record.status, member.told_on) == (NoticeStatus.BOUNCED, None)
    assert office.register.objections.lapse_overdue(until + timedelta(days=400)) == []
    assert office.register.objections.get(receipt.reference).binding


def test_a_question_that_comes_back_leaves_its_objection_standing(made: Made, tmp_path: Path) -> None:
    office = made(mail_policy().model_copy(update={"portal": Portal()}), 2)
    until = datetime.now(UTC) + timedelta(days=14)
    lodged = {name: office.register.objections.lodge([name], channel="typed-in") for name in ("forum:m0", "x:b")}
    for name, receipt in lodged.items():
        doubted(office.register, receipt.reference, until)
        said = {"reference": receipt.reference, "confirm_url": "https://x.example/1", "confirm_by": None}
        office.register.mails.post("confirm", "en", said, account=name, address="m0@mail.example")
    lane = Delivery(office, SingleMails(office))
    lane.turn()
    lane.close()
    paths = sorted(office.workspace.outbox_path.iterdir())
    sent = next(each for each in paths if mail_of(office.keys, each.name.removesuffix(".eml")) == 1)
    report = tmp_path / "report.eml"
    report.write_bytes(dsn(sent.name.removesuffix(".eml")))
    for _ in range(2):
        assert run(["bounce", "-w", str(office.workspace.root), str(report)]) == 0
    lapsed = office.register.objections.lapse_overdue(until + timedelta(days=15))
    assert lapsed == [lodged["x:b"].reference]
    assert office.register.objections.get(lodged["forum:m0"].reference).confirm_by is None


RELAYED = b"Message-ID: <0102-ab@relay.example>"
"""What a relay puts in the place of ours."""


def replaced(content: bytes) -> bytes:
    """The header of a mail of ours, as a relay sends it on."""
    head = content.partition(b"\r\n\r\n")[0]
    return b"\r\n".join(RELAYED if line.startswith(b"Message-ID:") else line for line in head.split(b"\r\n"))


def test_a_mail_is_known_though_a_relay_replaced_its_message_id(made: Made, tmp_path: Path) -> None:
    office = made(mail_policy(), 2)
    lane = Delivery(office, MailNotices(office))
    lane.turn()
    lane.close()
    left = [path.read_bytes() for path in office.workspace.outbox_path.iterdir()]
    contents = {name: next(each for each in left if f"To: {name}@".encode() in each) for name in ("m0", "m1")}
    head, _, _ = dsn().partition(b"From: privacy@harbour.example\r\nMessage-ID")
    for number, (account, content) in enumerate(contents.items()):
        header = replaced(content)
        without = (
            header.replace(f"{NAMED}:".encode(), b"X-Other:") if number else header.replace(b"boundary=", b"other=")
        )
        assert (ID.encode() in without, RELAYED in without) == (False, True)
        report = tmp_path / f"{account}.eml"
        report.write_bytes(head + without + b"\r\n\r\n--b--\r\n")
        assert run(["bounce", "-w", str(office.workspace.root), str(report)]) == 0
        assert [each.status for each in office.register.notices.of(f"forum:{account}")] == [NoticeStatus.BOUNCED]


@pytest.mark.parametrize("tagged", [True, False])
def test_the_recipient_tells_which_notice_it_was_only_where_nothing_else_can(
    made: Made, tmp_path: Path, *, tagged: bool
) -> None:
    office = made(mail_policy(**({"bounce_address": "back+{code}@harbour.example"} if tagged else {})), 2)
    lane = Delivery(office, MailNotices(office))
    lane.turn()
    lane.close()
    of_ours = dsn("relay.1@relay.example").replace(b"rfc822; ann@", b"rfc822; M1@")
    report = tmp_path / "report.eml"
    others = (
        of_ours.replace(b"From: privacy@", b"From: other@"),
        of_ours.replace(b"rfc822; M1@", b"rfc822; nobody@"),
        of_ours.replace(b"Action: failed", b"Action: delayed"),
    )
    for content in others:
        report.write_bytes(content)
        assert run(["bounce", "-w", str(office.workspace.root), str(report)]) == 0
    assert [each.status for each in office.register.notices.of("forum:m1")] == [NoticeStatus.SENT]
    report.write_bytes(of_ours)
    assert run(["bounce", "-w", str(office.workspace.root), str(report)]) == 0
    expected = NoticeStatus.SENT if tagged else NoticeStatus.BOUNCED
    assert [each.status for each in office.register.notices.of("forum:m1")] == [expected]
    assert [each.status for each in office.register.notices.of("forum:m0")] == [NoticeStatus.SENT]


class Returning(Postbox):
    """A server that keeps the addresses to which mails are to come back."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: list[tuple[str, str]] = []

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Take one."""
        self.senders.append((envelope.rcpt_tos[0], envelope.mail_from or ""))
        return await super().handle_DATA(server, session, envelope)


def test_a_mail_is_known_by_the_address_alone_that_it_came_back_to(
    made: Made, fast_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Returning()
    with server(box) as place:
        office = made(mail_policy(place, bounce_address="Back+{code}@Harbour.example"), 1)
        office.register.mails.post("receipt", "en", RECEIPT, account="forum:m0")
        for kind in (SingleMails(office), MailNotices(office)):
            lane: Delivery = Delivery(office, kind)  # type: ignore[type-arg]  # of either
            lane.turn()
            lane.close()
    assert [told for told, _ in box.senders] == ["m0@mail.example"] * 2
    report = fast_tmp / "report.eml"
    text = "From: MAILER-DAEMON@mail.example\r\nTo: {}\r\nSubject: failure notice\r\n\r\nUser unknown.\r\n"
    for sender in (box.senders[0][1].upper(), box.senders[1][1]):
        report.write_bytes(text.format(sender).encode())
        assert run(["bounce", "-w", str(office.workspace.root), str(report)]) == 0
    assert capsys.readouterr().out == "1 mail came back.\n" * 2
    assert [each.status for each in office.register.notices.of("forum:m0")] == [NoticeStatus.BOUNCED]


def test_the_address_that_mails_come_back_to_is_one_that_servers_take(made: Made) -> None:
    office = made(mail_policy(bounce_address="back+{code}@b\u00fccher.example"), 1)
    assert office.post().named([], [f"BACK+{code_of('0f' * 20)}@xn--bcher-kva.example"])[0].startswith("0f" * 20)
    with pytest.raises(PolicyError, match="bounce_address"):
        Post(mail_policy(bounce_address="back+{code}@-.example"), office.keys)


@pytest.mark.parametrize("name", ["0f" * 20, "0f" * 28])
def test_a_code_is_short_plain_and_says_the_name_again(name: str) -> None:
    code = code_of(f"{name}@harbour.example")
    assert (code.isalnum(), code.islower(), len(code) <= LONGEST_CODE) == (True, True, True)
    assert name_of(code.upper()) == name
    assert [name_of(each) for each in ("", code[1:], code + "a", "1" * len(code), "\u00e9")] == [None] * 5


def test_each_kind_is_counted_apart_with_a_sentence(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = made(mail_policy(), 1)
    kinds = {
        "unknown": dsn("none@of.ours"),
        "delayed": dsn(action="delayed", status="4.4.1"),
        "complaint": dsn().replace(b"message/delivery-status", b"message/feedback-report"),
        "automatic": b"From: ann@mail.example\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n",
        "unclear": b"From: ann@mail.example\r\n\r\nI object.\r\n",
    }
    files = []
    for name, content in kinds.items():
        files.append(tmp_path / f"{name}.eml")
        files[-1].write_bytes(content)
    assert run(["bounce", "--json", "-w", str(office.workspace.root), *map(str, files)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"recorded": 0, "ignored": 5, "returned": 0} | dict.fromkeys(kinds, 1)
    sentences = said.err.splitlines()
    assert [line.partition(".eml: ")[0].rpartition("/")[2] for line in sentences] == list(kinds)
    assert len({line.partition(": ")[2] for line in sentences}) == 5
    assert "demur object --eml" in sentences[-1]


def test_a_letter_is_known_by_its_message_id_alone_and_a_forged_one_is_not(made: Made) -> None:
    office = made(mail_policy())
    message_id = office.post().mail_id(7)
    assert [mail_of(office.keys, each) for each in (message_id, f"<{message_id}>")] == [7, 7]
    for place in range(56):
        changed = message_id[:place] + ("0" if message_id[place] != "0" else "1") + message_id[place + 1 :]
        assert mail_of(office.keys, changed) is None
    assert mail_of(office.keys, office.post().notice_id("spring", 7, Channel.MAIL)) is None
