"""Archives of mailing lists become items."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]


def mail(number: int, body: str, sender: str = "Ann Berg <ann@town.example>", **headers: str) -> bytes:
    named = {
        "From": sender,
        "Date": f"Sun, 01 Mar 2026 10:00:0{number} +0100",
        "Message-ID": f"<{number}@town.example>",
    }
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in named.items())
    return f"From ann@town.example Sun Mar  1 10:00:00 2026\n{head}\n{body}\n\n".encode()


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]]


def read(items: Items, folder: Export, *mails: bytes, **options: object) -> list[dict[str, Any]]:
    return items("mbox", folder({"list.mbox": b"".join(mails)}) + "/list.mbox", **options)


def test_mails_and_replies(items: Items, folder: Export) -> None:
    reply = mail(2, "Yes.", "ben@town.example", In_Reply_To="<1@town.example>", List_Id="Garden <garden.town.example>")

    rows = read(items, folder, mail(1, "Hello"), reply, audience="public")

    assert [(row["item"], row["author"], row["kind"], row["audience"], row["text"].strip()) for row in rows] == [
        ("mbox:1@town.example", "mail:ann@town.example", "post", "public", "Hello"),
        ("mbox:2@town.example", "mail:ben@town.example", "comment", "public", "Yes."),
    ]
    assert rows[0]["created"] == datetime(2026, 3, 1, 9, 0, 1, tzinfo=UTC)
    assert (rows[1]["parent"], rows[1]["thread"]) == ("mbox:1@town.example", "mbox:1@town.example")
    assert rows[1]["group"] == "mbox:garden.town.example"


def test_nobody_knows_who_reads_a_list_unless_it_is_said(items: Items, folder: Export) -> None:
    assert read(items, folder, mail(1, "x"))[0]["audience"] is None
    assert read(items, folder, mail(1, "x", X_No_Archive="Yes"), audience="public")[0]["audience"] == "group"


@pytest.mark.parametrize(
    ("over", "account"),
    [
        ("On Sun, 1 Mar 2026, Cleo Dorn <cleo@town.example> wrote:", "mail:cleo@town.example"),
        ("Am 01.03.26 um 10:00 schrieb Ann Berg:", "mail:ann@town.example"),
        ("", "mail:ann@town.example"),
    ],
)
def test_quoted_lines_are_of_whom_the_words_over_them_name(
    items: Items, folder: Export, over: str, account: str
) -> None:
    body = f"{over}\n> My knee is well.\n> It was long.\n\nGlad."

    row = read(items, folder, mail(1, "x"), mail(2, body, "ben@town.example", In_Reply_To="<1@town.example>"))[1]

    assert ("> My knee is well.\n> It was long.", "quote", account) in marked(row)
    assert not [span for span in marked(row) if "Glad" in span[0]]


def test_quotes_within_quotes(items: Items, folder: Export) -> None:
    body = "cleo@town.example wrote:\n> dora@town.example wrote:\n>> deep\n> less\n\nnone"

    (row,) = read(items, folder, mail(1, body))

    assert {(words.splitlines()[-1], account) for words, role, account in marked(row) if role == "quote"} == {
        (">> deep", "mail:dora@town.example"),
        ("> less", "mail:cleo@town.example"),
    }


@pytest.mark.parametrize(
    ("headers", "author"),
    [
        ({"sender": "Ann via Garden <garden@lists.example>", "X_Original_From": "ann@x.example"}, "mail:ann@x.example"),
        ({"sender": "Ann via Garden <garden@lists.example>", "Reply_To": "Ann <ann@x.example>"}, "mail:ann@x.example"),
        ({"sender": "Garden <garden@lists.example>"}, None),
        ({"sender": "ann at x.example (Ann Berg)"}, "mail:ann@x.example"),
        ({"sender": "=?utf-8?q?Ann_B=C3=A9?= <ann@x.example>"}, "mail:ann@x.example"),
        ({"sender": "nobody"}, None),
    ],
)
def test_the_author_is_never_the_list(
    items: Items, folder: Export, headers: dict[str, str], author: str | None
) -> None:
    (row,) = read(items, folder, mail(1, "x", List_Post="<mailto:garden@lists.example>", **headers))

    assert row["author"] == author


def test_bodies_are_decoded(items: Items, folder: Export) -> None:
    parts = (
        '--b\nContent-Type: text/html\n\n<p>no</p>\n--b\nContent-Type: text/plain; charset="iso-8859-1"\n'
        "Content-Transfer-Encoding: quoted-printable\n\nSch=F6n\n--b\n"
        'Content-Type: text/plain; name="a.txt"\nContent-Disposition: attachment; filename="a.txt"\n\nsecret\n--b--\n'
    )
    rows = read(
        items, folder,
        mail(1, parts, Content_Type='multipart/alternative; boundary="b"'),
        mail(2, "<p>Dear <b>all</b></p>", Content_Type="text/html"),
        mail(3, "x", Content_Type="text/plain; charset=no-such"),
        mail(4, "", Content_Type="application/pdf"),
        mail(5, ">From here on\nFrom there on"),
    )  # fmt: skip

    assert [row["text"].strip() for row in rows] == ["Schön", "Dear all", "x", "", "From here on\nFrom there on"]


def test_folders_of_packed_files(items: Items, folder: Export) -> None:
    tree = {"2026-March.txt.gz": gzip.compress(mail(1, "one")), "b/c.mbox": mail(2, "two"), "notes.md": b"no mail"}

    assert sorted(row["text"].strip() for row in items("mbox", folder(tree))) == ["one", "two"]


def test_a_mail_without_id_or_date_is_named_by_what_it_is(items: Items, folder: Export) -> None:
    bare = b"From a Sun Mar  1 10:00:00 2026\nFrom: ann@x.example\nDate: Sun, 99 Foo 2026\n\nhi\n"

    (row,) = read(items, folder, bare)

    assert row["item"].startswith("mbox:sha256-")
    assert row["created"] is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello\n", "line 1 begins no mail"),
        (mail(1, "x", Content_Type="multipart/mixed;" + " a=b;" * 5000), "without end"),
        (
            mail(1, "".join(f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(900))),
            "without end",
        ),
        (gzip.compress(mail(1, "x" * 9999))[:-30], "damaged"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Export, content: bytes, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        read(items, folder, content)
