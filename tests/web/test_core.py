"""The frame of every page: languages, errors, the stylesheet, and the checker that reads them."""

from importlib.resources import files
from typing import Any

import pytest
from pages import LARGEST, Page, Visitor, flaws

from demur.notices.languages import LANGUAGES
from demur.web.pages import address, stylesheet


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("tlh, de-AT;q=0.9, en;q=0.5", "de"),
        ("mt-MT,mt;q=0.9,en;q=0.8", "mt"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("zh-Hant", "en"),
        ("", "en"),
        ("de;q=0, fr", "fr"),
        (";;;,=,q", "en"),
    ],
)
def test_the_front_door_leads_to_the_language_that_the_browser_prefers(
    visitor: Visitor, accepted: str, language: str
) -> None:
    assert visitor.get("/", headers={"accept-language": accepted}).path == f"/{language}/"
    assert "accept-language" in visitor.client.get("/", follow_redirects=False).headers["vary"]


def test_a_path_says_its_language_and_the_browser_does_not(visitor: Visitor) -> None:
    assert visitor.get("/pl/notice", headers={"accept-language": "de"}).language == "pl"


def test_a_language_without_its_slash_leads_to_its_first_page(visitor: Visitor) -> None:
    assert visitor.get("/mt").path == "/mt/"


@pytest.mark.parametrize("path", ["/xx/", "/EN/", "/nn/", "/de-AT/", "/en/nowhere", "/nowhere", "/en//", "/en/../etc"])
def test_what_is_no_page_says_so_and_leads_back(visitor: Visitor, path: str) -> None:
    page = visitor.get(path, status=404, headers={"accept-language": "en"})
    assert page.h1 == "Page not found"
    assert "/en/" in page.links


def test_an_error_is_told_in_the_language_of_the_path(visitor: Visitor) -> None:
    assert visitor.get("/sv/nowhere", status=404, headers={"accept-language": "de"}).language == "sv"


def test_the_choice_of_languages_leads_to_the_same_page(visitor: Visitor) -> None:
    page = visitor.get("/en/contact")
    assert {address(language, "/contact") for language in LANGUAGES} <= set(page.links)
    assert not visitor.get("/en/nowhere", status=404).links.count("/de/nowhere"), "there is none in German either"


def test_the_stylesheet_is_small_and_kept_for_ever(visitor: Visitor) -> None:
    content, where = stylesheet()
    answer = visitor.client.get(where)
    assert answer.content == content
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert len(content) < 15 * 1024
    assert len(content.splitlines()) < 600
    assert b"url(" not in content, "it loads nothing"
    assert b"@import" not in content


def test_no_template_is_marked_safe_or_lets_a_value_through_unescaped() -> None:
    folder = files("demur.web").joinpath("templates")
    for template in folder.iterdir():
        text = template.read_text()
        assert "| safe" not in text, template.name
        assert "|safe" not in text, template.name
        assert "autoescape" not in text, template.name


def flawed(page: Page, before: str, after: str) -> list[str]:
    """What the checker says of a page that was changed."""
    import html5lib  # noqa: PLC0415  # one test's tool

    assert before in page.html
    html = page.html.replace(before, after, 1)
    tree: Any = html5lib.HTMLParser(namespaceHTMLElements=False).parse(html)
    return list(flaws(Page(page.path, page.status, html, page.headers, tree)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<!doctype html>", ""),
        ('lang="en" dir', 'lang="de" dir'),
        ("<h1>", "<h1>Twice</h1><h1>"),
        ("</h1>", "</h1><h3>Skipped</h3>"),
        ("<title>", "<title>Error: "),
        ("<title>", "<title></title><title>"),
        ('id="main"', 'id="other"'),
        ('<input id="account"', '<p id="account"></p><input id="account"'),
        ('for="account"', 'for="nobody"'),
        ('<input id="account"', '<input aria-describedby="nobody" id="account"'),
        ("<button", "<span"),
        ('method="post"', ""),
        ("<main", '<main style="color: red"'),
        ("<main", '<main onclick="x()"'),
        ("<h1>", "<script>1</script><h1>"),
        ("<h1>", '<img src="https://elsewhere.example/x.png" alt=""><h1>'),
        ("<h1>", '<a href="javascript:x()">x</a><h1>'),
        ('action="/en/mine"', 'action="https://elsewhere.example/"'),
        ("<h1>", "<p>" + "x" * LARGEST + "</p><h1>"),
    ],
)
def test_the_checker_sees_what_is_wrong(visitor: Visitor, before: str, after: str) -> None:
    assert flawed(visitor.get("/en/mine"), before, after)


def test_the_checker_sees_broken_html_and_dead_links(visitor: Visitor) -> None:
    answer = visitor.client.get("/en/mine")
    answer._content = answer.content.replace(b"<h1>", b"<h1><p></h2>")
    with pytest.raises(Exception, match=r"Unexpected|seen too early"):
        visitor._page(answer, 200)
    answer = visitor.client.get("/en/mine")
    answer._content = answer.content.replace(b'href="/en/contact"', b'href="/en/nowhere"')
    with pytest.raises(AssertionError, match="answers 404"):
        visitor._page(answer, 200)
