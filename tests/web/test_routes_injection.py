"""HTML, headers, templates and databases: what is put into any field comes out as text, or not at all."""

from email import message_from_bytes
from email.policy import SMTP
from urllib.parse import quote

import pytest
from pages import Page, Visitor
from ways import as_person, by_link, letters, link, state_of, typed

from demur.notices.rendering import render_mail
from demur.web.desk import Desk

HOSTILE = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</textarea></form><h1>Hello</h1>",
    "{{ 7919 * 7919 }}{% raw %}",
    "%(name)s %s %% ${x}",
    "ann\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "ann\nBcc: victim@elsewhere.example",
    "javascript:alert(1)",
    "'; DROP TABLE objection; --",
    "\x00\x01\x1b[31m\x7f",
    "\u202egnp.exe \u2066x\ufeff",
    "\ud83d\ude00" * 50,
    "x" * 9_000,
    "../../../etc/passwd",
)


def harmless(page: Page) -> None:
    """The visitor has parsed the page strictly and found nothing inline; what was said stands there as text at most."""
    assert "<script" not in page.html
    assert "onerror=" not in page.html.replace("onerror=alert(1)&gt;", "")
    assert page.h1 != "Hello"
    assert str(7919 * 7919) not in page.text
    assert "set-cookie" not in page.headers


def sent(text: str) -> str:
    """What a form can carry: a browser never sends half a character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


@pytest.mark.parametrize("said", HOSTILE)
def test_in_every_field_of_every_form(visitor: Visitor, desk: Desk, said: str) -> None:
    text = sent(said)
    for path, field in (
        ("/en/object", "account"),
        ("/en/object/person", "names"),
        ("/en/object/person", "links"),
        ("/en/object/person", "contact"),
        ("/en/status", "reference"),
        ("/en/mine", "account"),
    ):
        answer = visitor.client.post(path, data={field: text})
        assert answer.status_code in {200, 422}, (path, field)
        harmless(visitor._page(answer, answer.status_code))
    receipt = by_link(visitor, desk)
    harmless(visitor.post(receipt.forms[0].action, {"reason": text}, files={"file": ("", b"", "")}))
    assert not [each for each in letters(desk) if "victim" in each.address]


@pytest.mark.parametrize("said", HOSTILE)
def test_in_every_path_and_query(visitor: Visitor, desk: Desk, said: str) -> None:
    token = quote(sent(said), safe="")[:1500]
    for path in ("o", "receipt", "confirm", "mine", "object", "status"):
        answer = visitor.client.get(f"/en/{path}/{token}")
        assert answer.status_code in {404, 405}
        harmless(visitor._page(answer, answer.status_code))
    harmless(visitor.get(f"/en/in?token={token}", 403))
    harmless(visitor.get(f"{by_link(visitor, desk).path}?added={token}"))
    harmless(visitor.get(f"{link(desk)}?x={token}"))


def test_what_was_typed_is_shown_again_as_it_was_and_escaped(visitor: Visitor) -> None:
    said = "https://instagram.com/p/<b>&\"'"
    page = typed(visitor, said, status=422)
    assert page.forms[0].values == {"account": said}
    assert "<b>" not in page.html


def test_a_contact_can_not_add_a_header_or_a_second_address(visitor: Visitor, desk: Desk) -> None:
    for contact in (
        "ann@elsewhere.example\r\nBcc: victim@elsewhere.example",
        "ann@elsewhere.example,victim@elsewhere.example",
        "ann@elsewhere.example victim@elsewhere.example",
        "Ann <ann@elsewhere.example>",
        "ann@elsewhere.example;victim@elsewhere.example",
        '"x y"@elsewhere.example',
        "<ann@elsewhere.example>",
    ):
        as_person(visitor, names="Ann", contact=contact, status=422)
    assert letters(desk) == []


def test_no_mail_holds_anything_that_was_typed(visitor: Visitor, desk: Desk) -> None:
    """Nobody can have us send their words to somebody else."""
    bait = "Click-evil-example"
    as_person(visitor, names=bait, links=f"@ann\nhttps://evil.example/p/{bait}", contact="victim@elsewhere.example")
    typed(visitor, "ann")
    told = letters(desk)
    assert len(told) == 4
    for each in told:
        rendered = render_mail(desk.policy(), each.template, each.language, each.params)
        for text in (rendered.subject, rendered.text, rendered.html):
            assert bait not in text
            assert "evil.example" not in text
        assert len(message_from_bytes(f"Subject: {rendered.subject}\r\n\r\n".encode(), policy=SMTP).keys()) == 1


def test_a_receipt_repeats_accounts_to_whoever_typed_them_and_nothing_else(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Zebedee Quince", links="@zebquince", contact="zeb@quince.example")
    single = typed(visitor, "zebquince")
    for page in (receipt, single):
        assert "For the user name zebquince on Town Forum." in page.text
        again = visitor.submit(visitor.get("/en/status"), {"reference": state_of(desk, page).reference})
        assert "zebquince" not in again.html, "a reference is written on paper"
        for detail in ("Zebedee", "quince.example"):
            assert detail not in page.html
            assert detail not in again.html
