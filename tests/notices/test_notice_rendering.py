"""Notices and letters as they leave: the right to object first, nothing loaded, nothing injected, fast enough.

The golden mails are what `DEMUR_GOLDEN=write pytest tests/notices` writes: read each change of them.
"""

import hashlib
import os
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import html5lib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demur.notices.languages import LANGUAGES
from demur.notices.mails import MAILS
from demur.notices.rendering import Links, Notices, Rendered, render_mail, render_notice
from demur.notices.templating import greeting, line
from demur.policy import Notice, Policy, Wording
from demur.register import JSON, Member

GOLDEN: Final = Path(__file__).parent / "golden"
LINKS: Final = Links("https://object.harbour.example", "AQEAexampleToken_-")
PARAMS: Final[Mapping[str, JSON]] = {
    "reference": "D7QX-3K2M-9VTB",
    "receipt_url": "https://object.harbour.example/en/receipt/AQMAexample",
    "confirm_url": "https://object.harbour.example/en/confirm/AQIAexample",
    "url": "https://object.harbour.example/en/mine/AQQAexample",
    "lodged": datetime(2027, 1, 5, 12, tzinfo=UTC).isoformat(),
    "confirm_by": datetime(2027, 2, 4, 12, tzinfo=UTC).isoformat(),
    "minutes": 60,
    "outcome": "held",
    "asked": 20,
    "number": 1,
}
UNSEEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
Changed = Callable[..., Policy]

hostile = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("\r\n\u2028\u202e\u2066\u200f\x00<>&\"'%{}@/.:\\ a\u05d0\u0301"), max_size=40),
    st.sampled_from(
        [
            "Ann\r\nBcc: everybody@mail.example",
            "<script>alert(1)</script>",
            "{{ 7 * 7 }}",
            "%(controller)s",
            "\x00token\x00",
            "\u202egnp.exe",
            "Win at www.prize.example",
            "a" * 10_000,
            "\u0301" * 10_000,
        ]
    ),
)


@pytest.fixture(scope="module")
def fixed() -> Policy:
    """A policy that all examples of a property share."""
    words = Wording(interests="To offer answers.", recipients="Nobody.")
    return Policy(effective_date=date(2027, 2, 1), notice=Notice(wording={"en": words}))


def _same(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("DEMUR_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def _tree(html: str) -> Any:  # noqa: ANN401  # an ElementTree
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def _checked(rendered: Rendered) -> None:
    """A mail is valid HTML in a language, with one heading, loads nothing and measures nothing."""
    tree = _tree(rendered.html)
    assert tree.get("lang") == rendered.language
    assert tree.get("dir") == "ltr"
    assert len(tree.findall(".//h1")) == 1
    assert tree.find(".//title").text == rendered.subject
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not tags & {"img", "script", "link", "iframe", "object", "form", "table", "base", "svg", "video"}
    assert not re.search(r"url\(|@import|src=|background=|http-equiv|<style", rendered.html)
    assert "\n" not in rendered.subject
    for text in (rendered.text, rendered.html, rendered.in_app):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\n{3}", text)


# Golden mails


def test_the_notice_in_english(policy: Policy, ann: Member) -> None:
    rendered = render_notice(policy, ann, LINKS)
    _checked(rendered)
    _same("notice.txt", rendered.text)
    _same("notice.html", rendered.html)
    _same("in-app.txt", rendered.in_app)
    assert rendered.digest == hashlib.sha256(rendered.text.encode()).digest()
    assert rendered.in_app_digest == hashlib.sha256(rendered.in_app.encode()).digest()


@pytest.mark.parametrize("template", MAILS)
def test_the_letters_in_english(policy: Policy, template: str) -> None:
    rendered = render_mail(policy, template, "en", PARAMS)
    _checked(rendered)
    _same(f"{template}.txt", rendered.text)
    _same(f"{template}.html", rendered.html)
    assert rendered.in_app == ""


# What every mail does


@pytest.mark.parametrize("template", MAILS)
@pytest.mark.parametrize("more", [{}, {"account": "en17"}, {"named": True, "accounts": True}, {"for": "child"}])
def test_a_mail_says_who_writes_and_the_same_as_text_and_as_html(
    policy: Policy, template: str, more: dict[str, JSON]
) -> None:
    rendered = render_mail(policy, template, "en", {**PARAMS, **more})
    heading, first, *_ = [line for line in rendered.text.splitlines() if line]
    assert rendered.subject == f"Harbour Commons: {heading}"
    body = _tree(rendered.html).find("body")
    shown = " ".join("".join(text for text in _shown(body)).split())
    said = [each for each in rendered.text.splitlines() if each and not each.startswith("https://object.")]
    assert [each for each in said if each.removesuffix(":") not in shown] == []
    assert "%(" not in rendered.text
    for named in ("en17",) if "account" in more else ():
        assert rendered.text.splitlines()[4] == f"This email is about your account {named} at Harbour Commons."
        assert named not in first


def _shown(element: Any) -> list[str]:  # noqa: ANN401  # an ElementTree
    """The texts of an element, without its comments."""
    if not isinstance(element.tag, str):
        return []
    inner = (text for child in element for text in [*_shown(child), child.tail or ""])
    return [element.text or "", *inner]


@pytest.mark.parametrize("template", ["receipt", "confirm", "sign-in", "withdrawn", "copy-ready"])
def test_a_mail_has_a_button_that_needs_no_style_sheet(policy: Policy, template: str) -> None:
    rendered = render_mail(policy, template, "en", PARAMS)
    (link,) = _tree(rendered.html).findall(".//a[@class='button']")
    style = dict(each.split(": ") for each in link.get("style").split("; "))
    assert (style["padding"], style["display"]) == ("12px 24px", "inline-block")
    assert style["color"] != style["background-color"], "both are said, so that a dark mode changes both or none"
    words = "".join(_shown(link))
    assert f"\n{words}:\n{link.get('href')}\n" in rendered.text
    assert rendered.html.count("<!--[if mso]>") == 2, "Outlook for Windows leaves out the padding of a link"


@pytest.mark.parametrize(
    ("behalf", "subject", "first"),
    [
        ("self", "We have received your objection", "Your objection applies from"),
        ("child", "We have received your objection for a child", "Your objection for a child applies from"),
        ("other", "We have received your objection for somebody else", "Your objection for somebody else applies"),
    ],
)
def test_a_receipt_says_for_whom_it_is(policy: Policy, behalf: str, subject: str, first: str) -> None:
    rendered = render_mail(policy, "receipt", "en", {**PARAMS, "for": behalf})
    assert rendered.subject == f"Harbour Commons: {subject}"
    assert rendered.text.splitlines()[2].startswith(first)
    assert ("you posted" in rendered.text, "your content" in rendered.text) == (behalf == "self",) * 2


def test_times_are_words(policy: Policy) -> None:
    assert "It expires in 60 minutes." in render_mail(policy, "sign-in", "en", PARAMS).text
    assert "in 60 Minuten" in render_mail(policy, "sign-in", "de", PARAMS).text
    assert not re.search(r"(Minutes|Days|Tage|Minuten)[^.]*: ?\d", render_mail(policy, "sign-in", "de", PARAMS).text)


def test_an_account_that_looks_like_a_link_is_no_link(policy: Policy) -> None:
    rendered = render_mail(policy, "withdrawn", "en", {**PARAMS, "account": "https://prize.example/<b>"})
    links = [each.get("href") for each in _tree(rendered.html).iter("a")]
    assert not [each for each in links if "prize" in each]
    assert "<b>" not in rendered.html


def test_a_long_name_leaves_room_for_what_is_said(changed: Changed) -> None:
    rendered = render_mail(changed("controller", name="Quay " * 50), "withdrawn", "en", PARAMS)
    assert rendered.subject.endswith("…: Your objection is withdrawn")


# What every notice does


def test_the_right_to_object_stands_first_with_its_link(policy: Policy, ann: Member) -> None:
    rendered = render_notice(policy, ann, LINKS)
    link = f"{LINKS.portal}/en/o/{LINKS.token}"
    for text in (rendered.text, rendered.html, rendered.in_app):
        assert text.index("You can object at any time") < text.index(link) < text.index("What is used")
        assert text.count(link) == 1
    assert rendered.object_url == link
    first = _tree(rendered.html).find(".//div[@class='first']")
    assert first.find(".//a").get("href") == link


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_mails(changed: Changed, ann: Member, language: str) -> None:
    policy = changed("notice", languages=(language, "en"))
    notice = render_notice(policy, replace(ann, locale=language), LINKS)
    assert notice.language == language
    assert "%(" not in notice.text + notice.in_app
    _checked(notice)
    for template in MAILS:
        rendered = render_mail(policy, template, language, PARAMS)
        assert rendered.language == language
        _checked(rendered)


def test_a_reader_of_a_language_that_is_not_signed_off_is_led_to_it(policy: Policy, ann: Member) -> None:
    rendered = render_notice(policy, replace(ann, locale="mt"), LINKS)
    assert rendered.language == "en"
    assert f"{LINKS.portal}/mt/o/{LINKS.token}" in rendered.text
    line_of_theirs = _tree(rendered.html).find(".//p[@lang='mt']")
    assert line_of_theirs.find("a").get("href") == f"{LINKS.portal}/mt/notice"
    assert "/mt/notice" in rendered.in_app


def test_words_in_another_language_are_marked(changed: Changed, ann: Member) -> None:
    policy = changed("notice", languages=("en", "mt"))
    rendered = render_notice(policy, replace(ann, locale="mt"), LINKS)
    marked = [element.text for element in _tree(rendered.html).findall(".//span[@lang='en']")]
    assert "To offer answers in the languages of our members." in marked


def test_a_notice_to_nobody_in_particular_leads_to_the_form(policy: Policy) -> None:
    rendered = render_notice(policy, None, Links(LINKS.portal))
    assert f"{LINKS.portal}/en/object\n" in rendered.text
    assert "This link is yours" not in rendered.text
    assert "\nHello,\n" in rendered.text


def test_a_policy_that_changed_makes_another_notice(policy: Policy, changed: Changed, ann: Member) -> None:
    before = render_notice(policy, ann, LINKS)
    after = render_notice(changed("retention", versions_days=7), ann, LINKS)
    assert before.digest != after.digest
    assert render_notice(policy, ann, LINKS) == before


def test_a_letter_in_an_unknown_language_is_in_the_default_one(policy: Policy) -> None:
    assert render_mail(policy, "confirm", "zh", PARAMS).language == "en"
    assert render_mail(policy, "confirm", "pt-BR", PARAMS).language == "pt"


def test_an_unknown_letter_and_a_missing_value_are_errors(policy: Policy) -> None:
    with pytest.raises(KeyError):
        render_mail(policy, "prize", "en", PARAMS)
    with pytest.raises(KeyError):
        render_mail(policy, "receipt", "en", {"reference": "D7QX"})


# Hostile names and values


@given(name=hostile)
def test_no_name_breaks_a_notice(fixed: Policy, name: str) -> None:
    member = Member("forum:ann", (name,), "en", None, "DE", None, None, consented=False)
    rendered = render_notice(fixed, member, LINKS)
    _checked(rendered)
    greeted = rendered.text.splitlines()[2]
    assert greeted.startswith("Hello")
    assert greeted.endswith(",")
    assert len(greeted) <= 70
    tree = _tree(rendered.html)
    nameless = _tree(render_notice(fixed, replace(member, names=()), LINKS).html)
    assert [each.tag for each in tree.iter()] == [each.tag for each in nameless.iter()]
    assert next(each.get("href") for each in tree.iter("a")) == f"{LINKS.portal}/en/o/{LINKS.token}"
    assert "".join(tree.find(".//p").itertext()) == greeted


@given(name=hostile)
def test_no_name_breaks_a_header(fixed: Policy, name: str) -> None:
    policy = fixed.model_copy(update={"controller": fixed.controller.model_copy(update={"name": name})})
    for rendered in (render_notice(policy, None, LINKS), render_mail(policy, "withdrawn", "en", {"reference": name})):
        message = EmailMessage()
        message["Subject"] = rendered.subject
        message["From"] = line(name) + " <privacy@harbour.example>" if line(name).isalnum() else "p@harbour.example"
        assert message.keys() == ["Subject", "From"]
        _checked(rendered)


@example(text="A\u202a\u0300")
@given(text=hostile)
def test_a_line_is_one_line_of_what_can_be_seen(text: str) -> None:
    found = line(text)
    assert len(found) <= 200
    assert not {unicodedata.category(char) for char in found.replace("\u200c", "").replace("\u200d", "")} & UNSEEN
    assert found == found.strip()
    assert line(found) == found


@pytest.mark.parametrize(
    ("names", "greeted"),
    [
        (("Ann",), "Ann"),
        (("Zoë  van  den Berg", "zoe"), "Zoë van den Berg"),
        (("J. R. Quay",), "J. R. Quay"),
        (("נועה",), "נועה"),
        ((), ""),
        (("",), ""),
        (("Win at www.prize.example",), ""),
        (("https://prize.example",), ""),
        (("ann@mail.example",), ""),
        (("<b>Ann</b>",), ""),
        (("I <3 boats",), "I <3 boats"),
        (("a" * 100,), "a" * 59 + "…"),
    ],
)
def test_nobody_is_greeted_by_a_link(names: tuple[str, ...], greeted: str) -> None:
    assert greeting(names) == greeted


def test_markup_in_the_controllers_words_stays_text(changed: Changed, ann: Member) -> None:
    rendered = render_notice(changed("controller", name="<img src=x onerror=y>", address='"><b>'), ann, LINKS)
    tree = _tree(rendered.html)
    assert not tree.findall(".//img")
    assert not tree.findall(".//b")


# Speed


def test_a_thousand_notices_take_less_than_a_second(policy: Policy) -> None:
    notices = Notices(policy)
    notices.render("en", "DE", "Ann", LINKS)  # the first of its kind is made from templates
    begun = time.process_time()
    for number in range(1000):
        notices.render("en", "DE", f"Ann {number}", replace(LINKS, token=f"token{number}"))
    assert time.process_time() - begun < 1


def test_what_is_kept_does_not_grow_with_readers(policy: Policy) -> None:
    notices = Notices(policy)
    for number in range(500):
        notices.render(f"x{number}", f"X{number % 10}", f"Ann {number}", replace(LINKS, token=f"token{number}"))
    assert len(notices._made) == 1
