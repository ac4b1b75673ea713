"""What everybody may read, generated from demur.toml."""

from collections.abc import Callable
from datetime import date

import places
import pytest
from pages import Page, Visitor
from town import town_policy

from demur.notices.languages import LANGUAGES
from demur.policy import Controller, Door, LegalBasis, Notice, Policy
from demur.terms import Kind
from demur.workspace import Workspace

PAGES = ("", "notice", "notice/without-account", "policy", "contact", "accessibility")


@pytest.fixture
def decide(workspace: Workspace) -> Callable[[Policy], None]:
    """Writes another policy into demur.toml, as somebody with an editor would."""

    def write(policy: Policy) -> None:
        places.decide(workspace, policy)

    return write


Decide = Callable[[Policy], None]


def sections(page: Page) -> list[str]:
    return ["".join(each.itertext()).strip() for each in page.tree.iter("h2")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_information_is_there_in_every_language(visitor: Visitor, language: str) -> None:
    for name in PAGES:
        assert visitor.get(f"/{language}/{name}").language == language


@pytest.mark.parametrize("path", ["/en/", "/en/notice"])
def test_the_right_to_object_stands_first_with_its_button(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert sections(page)[0] == "Your right to object"
    main = next(page.tree.iter("main"))
    first = next(link for link in main.iter("a"))
    assert first.get("href") == "/en/object"


def test_the_start_says_what_is_used_and_why_on_one_page(visitor: Visitor) -> None:
    page = visitor.get("/en/")
    assert "1 February 2026" in page.text
    assert "comments" in page.text
    assert "We train an assistant that answers questions about the town." in page.text
    assert "legitimate interests" in page.text


def test_the_pages_follow_demur_toml_without_a_restart(visitor: Visitor, decide: Decide) -> None:
    assert "reviews" in visitor.get("/en/policy").text
    decide(town_policy(door=Door(kinds=(Kind.POST,), unknown_age="use"), effective_date=date(2026, 9, 1)))
    page = visitor.get("/en/policy")
    assert "reviews" not in page.text
    assert "1 September 2026" in page.text


def test_in_the_middle_of_an_edit_the_last_policy_that_holds_is_shown(
    visitor: Visitor, workspace: Workspace, decide: Decide
) -> None:
    whole = workspace.policy_path.read_text()
    workspace.policy_path.write_text("[door\nkinds = ")
    assert "reviews" in visitor.get("/en/policy").text
    workspace.policy_path.write_text(whole)
    decide(town_policy(door=Door(kinds=(Kind.POST,), unknown_age="use")))
    assert "reviews" not in visitor.get("/en/policy").text


def test_an_assessment_that_nobody_signed_is_said_to_be_unsigned(visitor: Visitor, decide: Decide) -> None:
    assert "10 January 2026" in visitor.get("/en/policy").text
    decide(town_policy(basis=LegalBasis()))
    text = visitor.get("/en/policy").text
    assert "not signed yet" in text
    assert "10 January 2026" not in text


def test_the_days_until_the_first_use_are_told_where_a_notice_is_owed(visitor: Visitor, decide: Decide) -> None:
    said = "Time between this notice and the first use of your content:"
    assert said not in visitor.get("/en/policy").text
    decide(town_policy(notice=Notice(required=True, period_days=45)))
    assert f"{said} 45 days" in visitor.get("/en/policy").text


def test_what_the_controller_is_called_is_text_and_nothing_else(visitor: Visitor, decide: Decide) -> None:
    name = "<script>alert(1)</script> & \"Sons'"
    decide(town_policy(controller=Controller(name=name, contact="hello@town.example", address="<b>1</b> Square")))
    for path in PAGES:
        page = visitor.get(f"/en/{path}")
        assert page.title.endswith(name)
        assert name in " ".join(page.tree.itertext())


def test_a_controller_without_a_name_has_pages_all_the_same(visitor: Visitor, decide: Decide) -> None:
    decide(town_policy(controller=Controller()))
    for path in PAGES:
        assert visitor.get(f"/de/{path}").h1


def test_whom_to_write_to_and_where_to_complain(visitor: Visitor) -> None:
    page = visitor.get("/de/contact")
    assert "hello@town.example" in page.text
    assert "mailto:dpo@town.example" in page.links
    assert "https://www.dataprotection.ie/" in page.links, "of the controller's country"
    assert "https://uodo.gov.pl/" in page.links
    assert "Polen" in page.text, "countries have the names of the reader's language"


def test_words_in_another_language_than_the_page_say_so(visitor: Visitor) -> None:
    page = visitor.get("/pl/notice")
    foreign = [each for each in page.tree.iter("span") if each.get("lang") == "en"]
    assert any("questions about the town" in "".join(each.itertext()) for each in foreign)


def test_the_accessibility_statement_says_what_was_not_tested_and_claims_no_conformance(visitor: Visitor) -> None:
    text = visitor.get("/en/accessibility").text
    assert "What was not tested" in text
    for claim in ("conform", "complian", "fully accessible", "certif"):
        assert claim not in text.lower()


def test_only_pages_of_information_may_be_found_by_search_engines(visitor: Visitor) -> None:
    def hidden(path: str) -> bool:
        tree = visitor.get(path).tree
        return any(each.get("name") == "robots" and "noindex" in each.get("content", "") for each in tree.iter("meta"))

    assert not any(hidden(f"/en/{path}") for path in PAGES)
    assert hidden("/en/mine")


def test_people_without_an_account_have_a_notice_of_their_own(visitor: Visitor, decide: Decide) -> None:
    """What of theirs may be held, from where (Art. 14(2)(f) GDPR), and why they are told in public (Art. 14(5)(b))."""
    assert "/en/notice/without-account" in visitor.get("/en/notice").links
    page = visitor.get("/en/notice/without-account")
    assert page.links.index("/en/object/person") < page.links.index("https://www.dataprotection.ie/"), "objecting first"
    for said in (
        "You need no account and no proof.",
        "What you wrote elsewhere, if others quoted it or shared it here",
        "We did not get it from you. Public posts on this forum. Others posted it. Sources: our own service",
        "Who could see it: everyone",
        "Art. 14(5)(b) GDPR",
        "Legal basis: legitimate interests",
        "hello@town.example",
    ):
        assert said in page.text, said
    assert "another organisation" in page.text
    decide(town_policy(door=Door(kinds=(Kind.POST,), origins=("first-party", "Quay Reviews"))))
    page = visitor.get("/en/notice/without-account")
    assert "another organisation" not in page.text
    assert "Sources: our own service and Quay Reviews" in page.text
