"""Addresses as they come: every one is written to, or refused with a cause, and none gets into a header."""

from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailing import Made, mail_policy
from postbox import Postbox, server

from demur.notices.rendering import render_mail
from demur.worker.mails import BadAddressError, Post, split


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ann@mail.example", "ann@mail.example"),
        ("ann+list@mail.example", "ann+list@mail.example"),
        ("o'hara@mail.example", "o'hara@mail.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@faß.example", "ann@xn--fa-hia.example"),
        ("änn@mail.example", "änn@mail.example"),
    ],
)
def test_an_address_is_written_as_servers_read_it(address: str, written: str) -> None:
    assert "@".join(split(address)) == written


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@mail.example",
        "ann@mail.example\r\nBcc: ben@mail.example",
        "ann@mail.example>, <ben@mail.example",
        "ann@mail.example,ben@mail.example",
        "ann ben@mail.example",
        "ann@ben@mail.example",
        ".ann@mail.example",
        "a..b@mail.example",
        "ann@-mail.example",
        "ann@mail..example",
        "ann@[127.0.0.1]",
        f"{'a' * 65}@mail.example",
        f"ann@{'a' * 64}.example",
        f"ann@{'a.' * 130}example",
        "ann@\u2028.example",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadAddressError):
        split(address)


@given(st.text(max_size=40).map(lambda text: f"{text}@mail.example"))
def test_no_address_brings_anything_else_into_a_mail(address: str) -> None:
    try:
        whole = "@".join(split(address))
    except BadAddressError:
        return
    assert not set(whole) & set('\r\n\0 <>,;:"()[]\\')
    assert whole.count("@") == 1


def test_an_address_that_the_server_can_not_take_fails_and_the_lane_goes_on(made: Made) -> None:
    box = Postbox()
    with server(box, enable_SMTPUTF8=False) as place:
        office = made(mail_policy(place))
        carrier = office.carrier()
        rendered = render_mail(office.policy(), "copy-ready", "en", {"url": "https://object.harbour.example/"})
        for address in ("änn@mail.example", "ben@mail.example"):
            answer = carrier.carry(office.post().mail(rendered, address, "1@harbour.example"))
            assert (answer.fate.value, address) in {("failed", "änn@mail.example"), ("sent", "ben@mail.example")}
        carrier.close()
    assert box.to() == {"ben@mail.example": 1}


def test_an_address_beyond_ascii_is_written_to_where_the_server_can(made: Made) -> None:
    box = Postbox()
    with server(box, enable_SMTPUTF8=True) as place:
        office = made(mail_policy(place))
        carrier = office.carrier()
        rendered = render_mail(office.policy(), "copy-ready", "el", {"url": "https://object.harbour.example/"})
        mail = Post(office.policy(), office.keys).mail(rendered, "änn@bücher.example", "1@harbour.example")
        assert carrier.carry(mail).fate.value == "sent"
        carrier.close()
    assert box.to() == {"änn@xn--bcher-kva.example": 1}
    assert box.messages()[0]["To"] == "änn@xn--bcher-kva.example"


def test_a_subject_is_read_as_it_was_written_wherever_it_is_folded(made: Made) -> None:
    words = "Universit\u00e4t f\u00fcr Fische und Verein zur F\u00f6rderung der K\u00fcste und des Meeres Nord"
    named = mail_policy()
    office = made(named.model_copy(update={"controller": named.controller.model_copy(update={"name": words})}), 1)
    rendered = render_mail(office.policy(), "copy-ready", "de", {"url": "https://object.harbour.example/"})
    for width in range(1, 100):
        subject = f"{'a' * width} was wir \u00fcber Sie wissen, \u00e4ndern und l\u00f6schen"
        mail = office.post().mail(replace(rendered, subject=subject), "ann@mail.example", "1@harbour.example")
        head = message_from_bytes(mail.content)
        assert _read(head["Subject"]) == subject
        assert parseaddr(_read(head["From"])) == (words, "privacy@harbour.example")


def _read(header: str) -> str:
    """A header as a mail program shows it: the line breaks alone go, then what is encoded is read (RFC 2047)."""
    return str(make_header(decode_header(header.replace("\r", "").replace("\n", ""))))
