"""Mails as files, hostile ones among them: each is read for what it is, or refused in one sentence."""

import time
from datetime import UTC, date, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import SourceError
from demur.objecting.eml import MOST_BYTES, TEXT_LENGTH, read_letter
from demur.objecting.mail_bounds import FIELD_BYTES, Bounds, exceeded

HEAD: Final = b"From: Ann <ann@town.example>\r\nSubject: No\r\nDate: Mon, 06 Jan 2025 23:30:00 -0500\r\n"


def _typed(header: bytes, body: bytes) -> bytes:
    return HEAD + header + b"\r\n\r\n" + body


def test_a_plain_mail_is_read() -> None:
    mail = read_letter(HEAD + b"\r\nI object.\r\n")
    assert (mail.sender, mail.account) == ("Ann <ann@town.example>", "mail:ann@town.example")
    assert mail.text == "From: Ann <ann@town.example>\nSubject: No\n\nI object."
    assert (mail.date, mail.attachments) == (date(2025, 1, 7), ())


def test_html_is_read_as_text_where_there_is_no_other() -> None:
    html = _typed(b"Content-Type: text/html", b"<p>I <b>object</b></p><script>alert(1)</script>")
    assert read_letter(html).text.endswith("\n\nI object")
    both = b'Content-Type: multipart/alternative; boundary="b"'
    parts = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--b--"
    )
    assert read_letter(_typed(both, parts)).text.endswith("\n\nplain")


@pytest.mark.parametrize(
    ("header", "account"),
    [
        (b"From: =?utf-8?q?Ann=0d=0aBcc:_x@evil.example?= <ann@town.example>", "mail:ann@town.example"),
        (b"From: =?utf-8?q?=3Cx@evil.example=3E?= <ann@town.example>", "mail:ann@town.example"),
        (b'From: "x@evil.example" <ann@town.example>', "mail:ann@town.example"),
        (b"From: ann@town.example, ben@town.example", "mail:ann@town.example"),
        (b"From: Ann", None),
        (b"From: <>", None),
        (b"From: " + b"(" * 100_000, None),
        (b"From: \xff\xfe", None),
        (b"X: none", None),
    ],
)
def test_the_sender_is_the_address_and_nothing_that_hides_in_its_name(header: bytes, account: str | None) -> None:
    mail = read_letter(header + b"\r\n\r\nI object")
    assert mail.account == account
    assert "\n" not in mail.sender
    assert mail.text.splitlines()[-1] == "I object"


@pytest.mark.parametrize(
    "charset", ["nonsense", "zlib", "idna", "undefined", "unicode_escape", "punycode", '""', "a b"]
)
def test_a_broken_charset_costs_no_more_than_itself(charset: str) -> None:
    header = f"Content-Type: text/plain; charset={charset}".encode()
    assert "object" in read_letter(_typed(header, b"I object")).text


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Thu, 02 Jan 2025 10:00:00 +0100", date(2025, 1, 2)),
        ("Thu, 02 Jan 2999 10:00:00 +0100", None),
        ("Mon, 01 Jan 1900 10:00:00 +0000", None),
        ("Mon, 99 Foo 99999 10:00:00 +9999", None),
        ("1 Jan 2024 10:00:00 +99999999", None),
        ("", None),
    ],
)
def test_a_date_is_a_hint(said: str, read: date | None) -> None:
    mail = read_letter(
        f"From: ann@town.example\r\nDate: {said}\r\n\r\nx".encode(), now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert mail.date == read


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b.pdf", 'x".exe', "\u202efdp.exe", "..", "", "a" * 500])
def test_an_attachment_has_a_harmless_name(name: str) -> None:
    header = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''" + "".join(
        f"%{each:02x}" for each in name.encode()
    )
    (file,) = read_letter(_typed(header.encode(), b"%PDF-")).attachments
    assert file.name
    assert len(file.name) <= 100
    assert not set('/\\"\u202e') & set(file.name)
    assert not file.name.startswith(".")
    assert file.content == b"%PDF-"


@pytest.mark.parametrize("charset", ["undefined", "idna", "punycode", "\x00", "nonsense"])
def test_a_broken_charset_of_a_name_costs_no_more_than_the_name(charset: str) -> None:
    header = f"Content-Type: text/plain\r\nContent-Disposition: attachment; filename*={charset}''%ff"
    mail = read_letter(_typed(header.encode(), b"I object"))
    assert [(bool(each.name), each.content) for each in mail.attachments] == [(True, b"I object")]
    with pytest.raises(SourceError, match="is broken where"):
        read_letter(_typed(b"Content-Type: multipart/mixed; boundary*=undefined''%ff", b"I object"))


def test_a_mail_within_a_mail_is_an_attachment() -> None:
    (file,) = read_letter(_typed(b"Content-Type: message/rfc822", HEAD + b"\r\ninner")).attachments
    assert file.type == "message/rfc822"
    assert b"inner" in file.content


def _nested(depth: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (each, each) for each in range(depth)
    )
    return HEAD + opened + b"\r\nx"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"<html></html>",
        b"Subject: " + b"a" * 10_000_000,
        HEAD + b"x: y\r\n" * 100_000 + b"\r\n",
        HEAD + b"a" * MOST_BYTES,
        _nested(500),
        _nested(4000),
        _nested(25),
        _nested(300) + b"\n" * 1_000_000,
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 25,
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 250,
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5000,
        _typed(b"Content-Type: message/delivery-status", b"\n" * 400_000),
        _typed(b"Content-Type: text/plain" + b";a" * 80_000, b"x"),
        _typed(b'Content-Type: multipart/mixed; boundary="b"', b"--b\rContent-Disposition: a" + b";\r\ta" * 5000),
        HEAD.replace(b"\r\n", b"\r") + b"Content-Type: multipart/mixed; boundary=q\r\r" + b"--q\r\rx\r" * 30_000,
        _typed(b'Content-Type: multipart/mixed; boundary="b"', b"--b\r\n\r\nx\r\n" * 400),
        _typed(b'Content-Type: multipart/mixed; boundary="b"', b"--b\r\n\r\nx\r\n" * 500_000),
        _typed(b'Content-Type: multipart/mixed; boundary="b"', b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 30),
    ],
    ids=lambda content: content[-20:].hex(),
)
def test_what_cannot_be_read_is_one_sentence_and_soon(content: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(SourceError, match=r"\A[^.]*record what it says as text\.\Z|\AThis file is no mail: .*text\.\Z"):
        read_letter(content)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("content", "most"),
    [
        (b"\r\n\r\n\n", Bounds(lines=3, parts=0, work=0)),
        (b"\r\r\r", Bounds(lines=3, parts=0, work=0)),
        (b"--a\n--a\r--a\r\n--a", Bounds(lines=3, parts=3, work=0)),
        (b'multipart/mixed; BOUNDARY\n *0* =a multipart/digest; boundary="b"\n', Bounds(lines=2, parts=0, work=8)),
        (b"Multipart/mixed message/rfc822 Message/partial\n", Bounds(lines=1, parts=0, work=2)),
        (b"Content-Type: message/delivery-status\n", Bounds(lines=1, parts=0, work=51)),
    ],
)
def test_what_parsing_costs_is_told_before(content: bytes, most: Bounds) -> None:
    assert exceeded(content, most) is None
    for name, value in vars(most).items():
        if value:
            assert exceeded(content, Bounds(**{**vars(most), name: value - 1})), name


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_content_field_is_as_long_as_a_file_name_and_no_longer(end: bytes) -> None:
    most = Bounds(lines=10**9, parts=10**9, work=10**9)
    folded = b"x:" + end + b"Content-Disposition: attachment;" + end + b" filename="
    room = FIELD_BYTES - len(folded) + len(b"x:" + end)
    assert exceeded(folded + b"a" * room + end + b"X: y", most) is None
    assert exceeded(folded + b"a" * (room + 1) + end, most)
    assert exceeded(b"Content-Type: a/b" + (b"; a=b" + end + b"\t") * 101, most)


def test_a_thread_of_mails_with_attachments_is_no_bomb() -> None:
    """A mail of 8 MB that passes five others on, each with text, HTML, a picture and a file of its own."""
    alternative = b"Content-Type: multipart/alternative; boundary=a\n\n--a\n\nplain\n--a\nContent-Type: text/html\n\n"
    related = b"Content-Type: multipart/related; boundary=r\n\n--r\n" + alternative + b"<p>html\n--a--\n--r--\n"
    file = b"--%d\nContent-Type: a/b\nContent-Transfer-Encoding: base64\n\n" + (b"QUJD" * 19 + b"\n") * 20_000
    passed = b"".join(
        b"--m\nContent-Type: message/rfc822\n\nFrom: x@y.example\nContent-Type: multipart/mixed; boundary=%d\n\n"
        b"--%d\n" % (n, n) + related + file % n + b"--%d--\n" % n
        for n in range(5)
    )
    content = HEAD + b"Content-Type: multipart/mixed; boundary=m\n\n--m\n\nSee below.\n" + passed + b"--m--\n"
    mail = read_letter(content)
    assert mail.text.endswith("See below.")
    assert len(mail.attachments) == 5


def test_html_is_read_no_further_than_it_could_be_kept() -> None:
    """Tags within tags take a second for each 300 KB: parts share what one may have."""
    parts = b"".join(b"--b\nContent-Type: text/html\n\n%d<!--%s-->\n" % (n, b"a" * 3 * TEXT_LENGTH) for n in range(3))
    assert read_letter(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + parts).text.endswith("\n\n0\n\n1")


def test_a_long_text_is_cut_and_says_so() -> None:
    text = read_letter(HEAD + b"\r\n" + b"no " * TEXT_LENGTH).text
    assert text.endswith("[The rest of this text was cut off.]")
    assert len(text) < TEXT_LENGTH + 100


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", HEAD, HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"]),
)
def test_whatever_comes_is_read_or_refused(content: bytes, head: bytes) -> None:
    try:
        mail = read_letter(head + content)
    except SourceError:
        return
    mail.text.encode()
    assert "\x00" not in mail.text


@pytest.mark.parametrize(
    "address", ["jana@müller.example", "Jána <jana@mu\u0308ller.example>", "jana@xn--mller-kva.example"]
)
def test_fields_may_be_utf_8(address: str) -> None:
    letter = read_letter(f"From: {address}\nSubject: Einspruch für immer\n\nI object.\n".encode())

    assert (letter.account, letter.subject) == ("mail:jana@müller.example", "Einspruch für immer")
    assert read_letter("From: a@x.example\nSubject: Réponse automatique : x\n\nAway.\n".encode()).automatic
