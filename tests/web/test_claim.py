"""A report of what a model said, on the portal: anybody sends one, sees how it stands, and objects with one button."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from pages import Page, Visitor
from town import ANN
from ways import asked_for, bound, demanded, letters

from demur.claims.answering import answer
from demur.register import ClaimPhase, Outcome
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace

OUTPUT = "Zebedee Quince lives at 7 Harbour Row, and his cat is called Xanthippe."
NO_HURRY = Rate(10**9, 1.0)


def reported(visitor: Visitor, language: str = "en", status: int = 200, **said: str) -> Page:
    return visitor.submit(visitor.get(f"/{language}/claim"), {"output": OUTPUT, **said}, status=status)


def sent(visitor: Visitor, status: int = 200, **said: str) -> Page:
    """The form as a browser sends it: in parts, so that no script makes it longer than it is."""
    return visitor.post("/en/claim", files={name: (None, text) for name, text in said.items()}, status=status)


def wrong(visitor: Visitor, **said: str) -> set[str]:
    """The fields that a form comes back with as wrong; it is longer than a page may be that nobody filled in."""
    answer = visitor.client.post("/en/claim", files={name: (None, text) for name, text in said.items()})
    assert answer.status_code == 422
    return set(re.findall(r'id="([a-z]+-error)"', answer.text))


def test_anybody_reports_with_one_line_and_gets_a_page_to_come_back_to(visitor: Visitor, desk: Desk) -> None:
    page = reported(visitor)
    assert page.h1 == "We have received your report"
    (state,) = desk.register.claims.listed()
    assert (state.phase, state.channel, state.run) == (ClaimPhase.LODGED, "no-account", None)
    said = desk.register.claims.said(state.reference)
    assert said is not None
    assert (said.output, said.prompt, said.language) == (OUTPUT, "", "en")
    assert state.reference in page.text
    assert OUTPUT not in page.html
    assert visitor.get(page.path).text == page.text
    assert visitor.submit(visitor.get("/de/status"), {"reference": state.reference.lower()}).path == page.path.replace(
        "/en/", "/de/"
    )
    assert letters(desk) == []


def test_nothing_but_the_words_is_asked_for_and_every_page_leads_there(visitor: Visitor) -> None:
    page = visitor.get("/en/claim")
    assert demanded(page) == []
    assert asked_for(page) == {"output", "prompt", "account", "contact"}
    assert "/en/claim" in visitor.get("/en/").links


def test_nothing_of_it_lies_in_the_clear(visitor: Visitor, desk: Desk, workspace: Workspace) -> None:
    reported(visitor, prompt="Where does Zebedee live?", contact="quince@mail.example", account="zebedee")
    content = b"".join(each.read_bytes() for each in workspace.root.rglob("*") if each.is_file())
    for word in (b"Zebedee", b"Xanthippe", b"quince@", b"zebedee"):
        assert word not in content
    assert "Zebedee" not in str([entry.payload for entry in desk.register.log.entries(EntryKind.CLAIM_LODGED)])


def test_whose_account_it_was_objects_with_one_button(visitor: Visitor, desk: Desk) -> None:
    page = reported(visitor, account="ann")
    assert not bound(desk, ANN)
    receipt = visitor.submit(page)
    assert receipt.h1 == "We have received your objection"
    assert bound(desk, ANN)
    (letter,) = letters(desk)
    assert (letter.template, letter.address) == ("confirm", "ann@town.example")
    (state,) = desk.register.claims.of(desk.register.persons.own(ANN))
    assert state.channel == "typed-in"


def test_without_an_account_the_page_leads_to_the_ways_to_object(visitor: Visitor) -> None:
    page = reported(visitor)
    assert page.forms == []
    assert "/en/object" in page.links


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_answer_stands_on_the_page_with_what_was_looked_at(visitor: Visitor, desk: Desk, outcome: Outcome) -> None:
    page = reported(visitor, contact="zoe@mail.example")
    (state,) = desk.register.claims.listed()
    desk.register.claims.tested(state.reference, outcome, {"asked": 20}, np.zeros(0, np.int64))
    assert visitor.get(page.path).h1 == "We have received your report", "an officer answers"
    answer(desk.register, state.reference, desk.office(), note="We took <b>it</b> out.")
    told = visitor.get(page.path)
    assert told.h1 == "Our answer to your report"
    assert "We took <b>it</b> out." in told.text
    assert ("said the same again." in told.text.split("It did not")[0]) == (outcome is Outcome.REPRODUCED)
    assert ("This is no proof that it never says it." in told.text) == (outcome is not Outcome.REPRODUCED)
    assert ("We also asked the model." in told.text) == (outcome is not Outcome.REPRODUCED)
    (letter,) = letters(desk)
    assert (letter.template, letter.address, letter.language) == ("claim", "zoe@mail.example", "en")
    assert visitor.get(str(letter.params["url"]).removeprefix("http://127.0.0.1:8470")).path == page.path


def test_what_is_missing_or_too_long_comes_back_with_what_was_typed(visitor: Visitor, desk: Desk) -> None:
    assert list(reported(visitor, output=" \n", status=422).errors) == ["output"]
    assert set(reported(visitor, contact="nobody", account="https://", status=422).errors) == {"contact", "account"}
    assert {"output-error", "prompt-error"} <= wrong(visitor, output="ж" * 10_001, prompt="x" * 10_001)
    assert desk.register.claims.listed() == []


def test_texts_of_the_longest_kind_are_taken_in_any_script_and_controls_fall_away(visitor: Visitor, desk: Desk) -> None:
    sent(visitor, output="漢" * 10_000, prompt="a\x00b\x1b[2J\r\nc")
    (state,) = desk.register.claims.listed()
    said = desk.register.claims.said(state.reference)
    assert said is not None
    assert (len(said.output), said.prompt) == (10_000, "ab[2J\nc")


def test_a_megabyte_is_refused_in_one_sentence(visitor: Visitor, desk: Desk) -> None:
    page = sent(visitor, output="x", prompt="x" * (1 << 20), status=413)
    assert page.h1 == "That is too large"
    assert wrong(visitor, output="x", prompt="x" * (1 << 16)) == {"prompt-error"}
    assert desk.register.claims.listed() == []


def test_it_turns_its_language_and_keeps_what_was_typed(visitor: Visitor, desk: Desk) -> None:
    page = visitor.turn(visitor.get("/en/claim"), "pl", {"output": OUTPUT, "contact": "zoe@mail.example"})
    assert (page.language, page.forms[0].values["output"]) == ("pl", OUTPUT)
    assert desk.register.claims.listed() == []


def test_too_many_from_one_place_are_told_to_come_back(visit: Callable[..., Visitor]) -> None:
    visitor = visit(Limits(Rates(page=NO_HURRY, act=NO_HURRY, claim=Rate(1, 1 / 60))))
    reported(visitor)
    assert reported(visitor, status=429).forms[0].values["output"] == OUTPUT


def test_a_link_of_something_else_opens_nothing(visitor: Visitor, desk: Desk) -> None:
    page = reported(visitor)
    token = page.path.rpartition("/")[2]
    visitor.get(f"/en/claim/{token[:-3]}", 404)
    visitor.get(f"/en/receipt/{token}", 404)
    assert desk.register.claims.at(1, 0) is None, "nor does one of an earlier incarnation"
