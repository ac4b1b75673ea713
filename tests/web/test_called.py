"""Other names that somebody is called by: asked for once, taken from whoever has shown whose the objection is."""

import pytest
from pages import Page, Visitor
from places import content
from town import ANN, DIETER, SILENT
from ways import as_person, bound, by_link, letters, path_in, state_of, typed

from demur.people.compiled import Compiler
from demur.people.locale import languages_of
from demur.policy import Others
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.words.keys import WordKeys

NOW = "Spellings of names that we look for now: "
WAITS = "Spellings of names that wait until they are confirmed: "
LINK = "/called"


def called(visitor: Visitor, receipt: Page, status: int = 200, **said: str) -> Page:
    (path,) = (each for each in receipt.links if each.endswith(LINK))
    return visitor.submit(visitor.get(path), said, status=status)


def searched(desk: Desk, name: str) -> bool:
    compiled = Compiler(WordKeys(desk.register.pepper.secret)).name(name, languages_of(name, None))
    return compiled.to_bytes() in {each.to_bytes() for _, each in desk.register.names.entries()}


def offered(page: Page) -> bool:
    return any(each.endswith(LINK) for each in page.links)


def test_whoever_came_by_the_notices_link_adds_names_that_count_at_once(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk, DIETER)
    before = desk.register.names.kept(desk.register.objections.covered_by(state_of(desk, receipt).reference))
    assert f"{NOW}{before.searched}" in receipt.text
    page = called(visitor, receipt, names="Didi\nDieter D.", former="Dieter Maus")
    assert page.path.startswith(receipt.path)
    assert "We have added it to your objection." in page.text
    assert f"{NOW}{before.searched + 3}" in page.text
    assert WAITS not in page.text
    assert all(searched(desk, each) for each in ("Didi", "Dieter D.", "Dieter Maus"))
    (entry,) = desk.register.log.entries(EntryKind.OBJECTION_NAMED)
    assert entry.payload == {"names": 3, "objection": state_of(desk, receipt).seq}


def test_nothing_of_a_name_is_shown_again_or_in_the_clear(visitor: Visitor, desk: Desk) -> None:
    page = called(visitor, by_link(visitor, desk), names="Zebedee Quince")
    assert "Zebedee" not in page.html
    stored = content(desk.workspace)
    assert b"Zebedee" not in stored


def test_handles_and_links_bind_at_once_and_have_a_receipt_of_their_own(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    links = "@silly@far.example\nforum:silent\n@annie77\nhttps://far.example/posts/7"
    page = called(visitor, receipt, links=links)
    assert bound(desk, ANN, SILENT, "mastodon:@silly@far.example")
    assert not bound(desk, "forum:annie77"), "a handle elsewhere is no account of this forum"
    assert searched(desk, "annie77")
    (other,) = (each for each in page.links if each.startswith("/en/receipt/") and receipt.path not in each)
    assert "We look at the other links ourselves." in visitor.get(other).text
    assert desk.register.members.covered_with(SILENT).size == 1, "what is typed links no accounts"


def test_an_empty_answer_and_too_many_lines_come_back_with_what_was_typed(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    head = desk.register.log.head()
    assert list(called(visitor, receipt, status=422).errors) == ["names"]
    links = "\n".join(f"@a{number}@far.example" for number in range(51))
    page = called(visitor, receipt, status=422, names="Annie", links=links)
    assert list(page.errors) == ["links"]
    assert page.forms[0].values["names"] == "Annie"
    assert desk.register.log.head() == head


def test_the_question_turns_its_language_and_keeps_the_answer(visitor: Visitor, desk: Desk) -> None:
    (path,) = (each for each in by_link(visitor, desk).links if each.endswith(LINK))
    page = visitor.turn(visitor.get(path), "pl", {"names": "Ania"})
    assert (page.language, page.forms[0].values["names"]) == ("pl", "Ania")
    assert page.h1 == "Inne imiona i nazwiska, którymi Cię nazywają"


@pytest.mark.parametrize("answer", ["", "yes"])
def test_whoever_typed_an_account_adds_nothing_to_it_and_learns_nothing(
    visitor: Visitor, desk: Desk, answer: str
) -> None:
    receipt = typed(visitor, "ann")
    if answer:
        visitor.submit(visitor.get(path_in(letters(desk)[0])), button=answer)
    page = visitor.get(receipt.path)
    assert not offered(page)
    assert NOW not in page.text
    assert "/en/object/person" in page.links
    head = desk.register.log.head()
    visitor.post(f"{receipt.path}/called", {"names": "Dieter Dachs"})
    assert desk.register.log.head() == head


def test_names_of_somebody_without_an_account_wait_for_their_mail(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Zoe Zander", former="Zoe Quist", contact="zoe@elsewhere.example")
    assert f"{WAITS}2" in receipt.text
    assert not offered(receipt)
    assert not searched(desk, "Zoe Quist")
    (asked,) = (each for each in letters(desk) if each.template == "confirm")
    visitor.submit(visitor.get(path_in(asked)), button="yes")
    assert f"{NOW}2" in visitor.get(receipt.path).text
    assert searched(desk, "Zoe Quist")


def test_one_that_has_ended_takes_no_names(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    (path,) = (each for each in receipt.links if each.endswith(LINK))
    asked = visitor.get(path)
    desk.register.objections.withdraw(state_of(desk, receipt).reference)
    head = desk.register.log.head()
    assert visitor.submit(asked, {"names": "Annie"}).h1 == "Your objection is withdrawn"
    assert desk.register.log.head() == head


def test_nobody_is_asked_for_names_where_none_are_looked_for(visitor: Visitor, desk: Desk) -> None:
    path = desk.workspace.policy_path
    assert Others().names == "mask"
    path.write_text(path.read_text().replace('names = "mask"', 'names = "keep"', 1))
    receipt = by_link(visitor, desk)
    assert desk.policy().others.names == "keep"
    assert not offered(receipt)
    assert NOW not in receipt.text
    assert "We do not look for your name in plain text." in receipt.text


def test_a_damaged_token_beside_a_receipt_leads_nowhere(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    page = visitor.get(f"{receipt.path}?added=1&also={'A' * 36}")
    assert "have a receipt of their own" not in page.text
