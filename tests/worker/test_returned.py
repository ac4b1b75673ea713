"""What servers write over mails that came back, by kind, and over those that did not; all invented, but for the last.

The last test reads real mails of a public collection beside this repository; what each of them says was decided by
reading it.
"""

import base64
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from demur.worker.returned import Verdict, read_returned

NAME: Final = "c0ffee" * 6 + "beef"
ID: Final = f"{NAME}@harbour.example"
ORIGINAL: Final = (
    f"Received: from harbour.example\nMessage-ID: <{ID}>\nFrom: privacy@harbour.example\nSubject: AI\n\nHello.\n"
)


def mail(text: str, *fields: str, sender: str = "MAILER-DAEMON@mx.example", subject: str = "Returned mail") -> bytes:
    """A mail in one text."""
    return "\n".join(
        [f"From: {sender}", "To: privacy@harbour.example", f"Subject: {subject}", *fields, "", text]
    ).encode()


def report(
    *parts: tuple[str, str], kind: str = "report; report-type=delivery-status", subject: str = "Undeliverable"
) -> bytes:
    """A mail of several parts, each with its fields and its text."""
    body = "".join(f"--b\n{fields}\n\n{text}\n" for fields, text in parts) + "--b--\n"
    return mail(body, "MIME-Version: 1.0", f'Content-Type: multipart/{kind}; boundary="b"', subject=subject)


def fields(action: str = "failed", status: str = "5.1.1") -> str:
    """The fields of a report for one recipient (RFC 3464)."""
    return (
        "Reporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; ann@mx.example\nAction: {action}\nStatus: {status}\n"
    )


def coded(text: str) -> str:
    """As base64."""
    return base64.encodebytes(text.encode()).decode()


PLAIN: Final = ("Content-Type: text/plain", "See below.")
STATUS: Final = "Content-Type: message/delivery-status"
GLOBAL: Final = "Content-Type: message/global-delivery-status"
GIVEN_BACK: Final = ("Content-Type: message/rfc822", ORIGINAL)
QMAIL: Final = (
    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
    "following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<ann@mx.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
    "--- Below this line is a copy of the message.\n\n"
)
RETURNED: Final = {
    "for a recipient of RFC 6531": report(
        PLAIN, (GLOBAL, fields()), ("Content-Type: message/global-headers", ORIGINAL)
    ),
    "the same as base64": report(PLAIN, (f"{GLOBAL}\nContent-Transfer-Encoding: base64", coded(fields())), GIVEN_BACK),
    "fields as quoted-printable": report(
        PLAIN,
        (f"{STATUS}\nContent-Transfer-Encoding: quoted-printable", fields().replace("5.1.1", "5.=\n1.1")),
        GIVEN_BACK,
    ),
    "with a comment": report(PLAIN, (STATUS, fields("failed (bad user)")), GIVEN_BACK),
    "given up after days": report(PLAIN, (STATUS, fields(status="4.4.7")), GIVEN_BACK),
    "a word of a server's own": report(PLAIN, (STATUS, fields("expired", "")), GIVEN_BACK),
    "without an action": report(PLAIN, (STATUS, "Final-Recipient: rfc822; a@mx.example\nStatus: 5.3.0\n"), GIVEN_BACK),
    "mixed": report(PLAIN, (STATUS, fields()), GIVEN_BACK, kind="mixed"),
    "mixed, fields in the text": report(
        ("Content-Type: text/plain", f"Technical report:\n\n{fields()}"),
        GIVEN_BACK,
        kind="mixed",
        subject="Notification",
    ),
    "within another part": report(
        ('Content-Type: multipart/report; boundary="c"', f"--c\n\n\nx\n--c\n{STATUS}\n\n{fields()}\n--c--"), GIVEN_BACK
    ),
    "boundaries that are not its own": report(PLAIN, (STATUS, fields()), GIVEN_BACK).replace(b"\n--b", b"\n--other"),
    "a report without fields": report(
        ("Content-Type: text/plain", "Delivery to the following recipients failed permanently:\n\n * ann@mx.example"),
        GIVEN_BACK,
    ),
    "CR alone": report(PLAIN, (STATUS, fields()), GIVEN_BACK).replace(b"\n", b"\r"),
    "CR alone, one text": mail(QMAIL + ORIGINAL, subject="failure notice").replace(b"\n", b"\r"),
    "QSBMF": mail(QMAIL + ORIGINAL, subject="failure notice"),
    "QSBMF in base64": mail(coded(QMAIL + ORIGINAL), "Content-Transfer-Encoding: base64", "Content-Type: text/plain"),
    "X-Failed-Recipients": mail(
        "The following address(es) failed:\n\n  ann@mx.example\n", "X-Failed-Recipients: ann@mx.example"
    ),
    "only the subject": mail("", subject="Undelivered Mail Returned to Sender"),
    "a full mailbox": mail(
        "Your mail\ncould not be delivered to:\n<ann@mx.example>\nAs their mailbox is full.\n" + ORIGINAL
    ),
    "a robot, in plain words": mail(
        f"Could not be delivered to <ann@mx.example>.\n{ORIGINAL}", sender="no-reply@mx.example", subject="Mail"
    ),
    "a session": mail(
        f"While talking to mx.example:\n>>> RCPT To:<ann@mx.example>\n<<< 550 No.\n\n{ORIGINAL}", subject="Notice"
    ),
    "in German": mail(
        "Ihre Nachricht konnte den folgenden Empf\u00e4ngern nicht zugestellt werden:\nann@mx.example\n",
        "Content-Type: text/plain; charset=utf-8",
        subject="Hinweis",
    ),
    "in French": mail(
        "Votre message n'a pas pu \u00eatre distribu\u00e9 \u00e0 ann@mx.example.\n",
        "Content-Type: text/plain; charset=utf-8",
        subject="Avis",
    ),
    "in Russian": mail(
        "\u041f\u0438\u0441\u044c\u043c\u043e \u043d\u0435 "
        "\u0434\u043e\u0441\u0442\u0430\u0432\u043b\u0435\u043d\u043e.\n",
        "Content-Type: text/plain; charset=utf-8",
        subject="!",
    ),
    "in Japanese": mail(
        "\u3053\u306e\u30e1\u30fc\u30eb\u306f\u9001\u4fe1\u3067\u304d\u307e\u305b\u3093\u3067\u3057\u305f\u3002\n",
        "Content-Type: text/plain; charset=utf-8",
        subject="!",
    ),
    "as HTML": mail("<p>Delivery has <b>failed</b> to these recipients: ann@mx.example</p>", "Content-Type: text/html"),
    "a relay's JSON": mail(
        '{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"status":"5.1.1"}]}}',
        sender="no-reply@sns.example",
        subject="Notification",
    ),
}


@pytest.mark.parametrize("kind", RETURNED)
def test_a_mail_that_was_given_up_is_returned_however_a_server_says_it(kind: str) -> None:
    reading = read_returned(RETURNED[kind])
    assert reading.verdict is Verdict.RETURNED
    assert reading.cause[0] in "45"


NOT_RETURNED: Final = {
    "a feedback report": (
        report(
            PLAIN,
            ("Content-Type: message/feedback-report", "Feedback-Type: abuse\nVersion: 1\n"),
            GIVEN_BACK,
            kind="report; report-type=feedback-report",
            subject="Delivery failure",
        ),
        Verdict.COMPLAINT,
    ),
    "one without its type": (
        report(PLAIN, ("Content-Type: text/plain", "Feedback-Type: abuse\n"), GIVEN_BACK, kind="mixed"),
        Verdict.COMPLAINT,
    ),
    "a complaint with the mail alone": (
        report(GIVEN_BACK, kind="mixed", subject="complaint about message from 192.0.2.1"),
        Verdict.COMPLAINT,
    ),
    "a relay's complaint": (
        mail('{"notificationType":"Complaint","complaint":{}}', sender="no-reply@sns.example"),
        Verdict.COMPLAINT,
    ),
    "a delay": (
        report(PLAIN, (STATUS, fields("delayed", "4.4.1")), GIVEN_BACK, subject="Delivery Status Notification (Delay)"),
        Verdict.DELAYED,
    ),
    "a warning in words": (
        mail(
            "THIS IS A WARNING MESSAGE ONLY.\nIt could not be delivered for more than 4 hours.\n"
            "Will keep trying until it is 5 days old.\n" + ORIGINAL,
            subject="Warning: could not send message",
        ),
        Verdict.DELAYED,
    ),
    "a delay of yet another": (
        mail(
            "Your message could not be delivered for 2 hours. It will be retried until it is 5 days old.",
            subject="Delayed Mail (still being retried)",
        ),
        Verdict.DELAYED,
    ),
    "a success": (
        report(PLAIN, (STATUS, fields("delivered", "2.0.0")), subject="Delivery Status Notification (Success)"),
        Verdict.DELAYED,
    ),
    "out of office": (
        mail(
            "I am away. My old address is no longer valid.",
            "Auto-Submitted: auto-replied",
            "Return-Path: <>",
            sender="ann@mx.example",
            subject="Re: AI",
        ),
        Verdict.AUTOMATIC,
    ),
    "out of office, by its subject": (
        mail(
            "This mailbox is full of love. I can't receive mail.",
            sender="ann@mx.example",
            subject="Automatic reply: AI",
        ),
        Verdict.AUTOMATIC,
    ),
    "out of office, with an empty envelope": (
        mail(
            "User unknown? No, on holiday, ben@mx.example, knows more.",
            "Return-Path: <>",
            sender="ann@mx.example",
            subject="Re: AI",
        ),
        Verdict.UNCLEAR,
    ),
    "left the company": (
        mail(
            "Ann no longer works here: this mailbox is disabled, your mail was not delivered.",
            "Precedence: auto_reply",
            sender="ann@mx.example",
            subject="Re: AI",
        ),
        Verdict.AUTOMATIC,
    ),
    "a receipt of reading": (
        report(
            PLAIN,
            (
                "Content-Type: message/disposition-notification",
                "Disposition: manual-action/MDN-sent-manually; displayed",
            ),
            kind="report; report-type=disposition-notification",
            subject="Read: AI",
        ),
        Verdict.AUTOMATIC,
    ),
    "a person": (
        mail(
            "I can't send you my passport, ann@mx.example, is mine. I object.",
            sender="ann@mx.example",
            subject="Re: AI",
        ),
        Verdict.UNCLEAR,
    ),
    "a person at an address of an office": (
        mail("I will not send you a proof. I object.", sender="admin@ann.example", subject="Re: AI"),
        Verdict.UNCLEAR,
    ),
    "a person who passes a report on": (
        mail("Is that right?\n\n> could not be delivered", sender="ann@mx.example", subject="Fwd: Undeliverable: AI"),
        Verdict.UNCLEAR,
    ),
    "held for a moderator": (
        mail(
            "Your mail is being held until the list moderator can review it.",
            sender="town-bounces@lists.example",
            subject="Your message awaits moderator approval",
        ),
        Verdict.UNCLEAR,
    ),
    "empty": (b"", Verdict.UNCLEAR),
}


@pytest.mark.parametrize("kind", NOT_RETURNED)
def test_complaints_delays_and_replies_are_told_apart_and_never_returned(kind: str) -> None:
    data, verdict = NOT_RETURNED[kind]
    assert read_returned(data).verdict is verdict


def test_what_the_mail_itself_said_speaks_for_nobody() -> None:
    bounced = report(PLAIN, (STATUS, fields()))
    assert (
        read_returned(report(("Content-Type: message/rfc822", bounced.decode()), subject="x")).verdict
        is not Verdict.COMPLAINT
    )
    inner = (
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nHello.\n--x\nContent-Type: message/rfc822\n\n" + bounced
    )
    assert read_returned(b"From: ann@mx.example\nSubject: Re: AI\n" + inner + b"\n--x--\n").verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    "data",
    [
        report(PLAIN, (STATUS, fields()), GIVEN_BACK),
        report(
            PLAIN,
            (STATUS, fields()),
            ("Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64", coded(ORIGINAL)),
        ),
        report(PLAIN, (STATUS, fields()), GIVEN_BACK)
        .replace(ID.encode(), b"relay.1@relay.example")
        .replace(b"Subject: AI", f"X-Demur-Mail: <{ID}>".encode()),
        report(PLAIN, (STATUS, fields()), GIVEN_BACK)
        .replace(f"<{ID}>".encode(), b"<relay.1@relay.example>")
        .replace(b"Subject: AI", f'Content-Type: multipart/alternative; boundary="=_{NAME}"'.encode()),
        mail(QMAIL + ORIGINAL),
        mail(coded(QMAIL + ORIGINAL), "Content-Transfer-Encoding: base64", "Content-Type: text/plain"),
        mail("Delivery failed.", f"In-Reply-To: <{ID}>"),
        mail(f"Delivery failed. The message identifier is: {ID}"),
    ],
    ids=["original", "base64", "our field", "boundary", "text", "coded text", "reply", "sentence"],
)
def test_what_came_back_is_named_wherever_its_name_stands(data: bytes) -> None:
    assert any(each.startswith(NAME) for each in read_returned(data).names)


def test_the_address_that_it_came_back_to_is_told() -> None:
    data = report(PLAIN, (STATUS, "X-Postfix-Sender: rfc822; bounce+three@harbour.example\n\n" + fields()))
    data = data.replace(b"To: privacy@", b"Delivered-To: bounce+two@harbour.example\nTo: bounce+one@")
    assert read_returned(data).addresses == (
        "bounce+one@harbour.example",
        "bounce+two@harbour.example",
        "bounce+three@harbour.example",
    )


@pytest.mark.parametrize("text", [",", "a@", "not ", "user x is ", "no such a ", "return-path:", "x\n", "\u9001", "<"])
@pytest.mark.parametrize("broken", [True, False])
def test_no_text_takes_long(text: str, *, broken: bool) -> None:
    whole = text * (1_000_000 // len(text.encode()))
    lines = "\n".join(whole[at : at + 400] for at in range(0, len(whole), 400)) if broken else whole
    began = time.perf_counter()
    read_returned(mail(lines, subject=whole[:400].replace("\n", " ")))
    assert time.perf_counter() - began < 4


@pytest.mark.parametrize("text", ["user", "mail", "delivery to", "could", "not be"])
@pytest.mark.parametrize("space", ["\n", " \n", "\u2003\n"])
def test_empty_lines_without_end_take_no_time(text: str, space: str) -> None:
    began = time.perf_counter()
    read_returned(mail(text + space * (32_000 // len(space)) + "x"))
    assert time.perf_counter() - began < 0.4


# Real ones

DELAYED: Final = frozenset(
    [
        "lhost-amazonses-13",
        "lhost-exim-41",
        "lhost-gmail-09",
        "lhost-gmail-17",
        "lhost-messagingserver-07",
        "lhost-opensmtpd-13",
        "lhost-opensmtpd-15",
        "lhost-sendmail-29",
        "lhost-sendmail-55",
        "rfc3464-07",
        "rfc3464-09",
        "rfc3464-55",
    ]
)
"""They say that the server goes on trying, and one that it has delivered."""
UNCLEAR: Final = frozenset({"lhost-fml-03", "lhost-postfix-75"})
"""A list that saw a Message-ID twice, and a server that tells its keeper of a session: nothing of a mail given up."""


def label(name: str) -> Verdict:
    """What a mail of the collection says, as its reader found."""
    if name.startswith("arf-") or name == "lhost-amazonses-11":
        return Verdict.COMPLAINT
    if name.startswith("rfc3834-"):
        return Verdict.AUTOMATIC
    if name in DELAYED:
        return Verdict.DELAYED
    return Verdict.UNCLEAR if name in UNCLEAR else Verdict.RETURNED


def test_of_real_mails_nearly_all_that_came_back_are_found_and_no_other(shared: Path) -> None:
    folder = shared / "bounces"
    if not folder.is_dir():
        pytest.skip(f"no returned mails at {folder}: the collection is named in the issue")
    paths = sorted(folder.glob("*.eml"))
    counts = Counter((label(path.stem), read_returned(path.read_bytes()).verdict) for path in paths)
    found = counts[Verdict.RETURNED, Verdict.RETURNED]
    there = sum(number for (said, _), number in counts.items() if said is Verdict.RETURNED)
    wrong = sum(number for (said, read), number in counts.items() if read is Verdict.RETURNED is not said)
    assert (there, wrong) == (307, 0)
    assert found >= 0.95 * there, f"{found} of {there} found"
    for other in (Verdict.COMPLAINT, Verdict.DELAYED, Verdict.AUTOMATIC):
        assert {read for (said, read) in counts if said is other} == {other}
