"""The ways in: chooser, forms for others, languages that keep a form, refusals that keep it, search engines."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pages import Page, Visitor
from town import ANN, DIETER, SILENT
from ways import Platform, as_person, by_link, letters, link, state_of, typed

from demur.tokens import Purpose
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace

PLENTY = Rate(10**6, 1)
WAYS = ("/object/link", "/object", "/object/person", "/object/child", "/object/other", "/object/letter")


def limited(**rates: Rate) -> Limits:
    every = {"page": PLENTY, "act": PLENTY, "account": PLENTY, "question": PLENTY, "sign_in": PLENTY}
    return Limits(Rates(**(every | rates)))


def test_the_first_page_offers_every_way(visitor: Visitor) -> None:
    page = visitor.get("/en/")
    (chooser,) = (each for each in page.tree.iter("ul") if each.get("class") == "ways")
    assert [each.get("href") for each in chooser.iter("a")] == [f"/en{path}" for path in WAYS]
    headings = {visitor.get(f"/en{path}").h1 for path in WAYS}
    assert len(headings) == len(WAYS), "each has words of its own"
    assert "/en/object/letter" in visitor.get("/en/notice").links


@pytest.mark.parametrize(
    ("behalf", "heading", "told", "posted"),
    [
        ("child", "Object for a child", "You objected for a child.", "What the child posted is not used"),
        ("other", "Object for somebody else", "You objected for somebody else.", "What this person posted is not used"),
    ],
)
def test_whoever_speaks_for_another_reads_so_from_the_form_to_the_receipt(
    visitor: Visitor, desk: Desk, behalf: str, heading: str, told: str, posted: str
) -> None:
    assert visitor.get(f"/en/object/{behalf}").h1 == heading
    receipt = as_person(visitor, behalf=behalf, names="Zoe", links="@ann", contact="parent@elsewhere.example")
    assert told in receipt.text
    assert posted in receipt.text
    assert "What you posted" not in receipt.text
    assert "your content" not in receipt.text
    (way,) = (each for each in receipt.links if each.endswith("/withdraw"))
    whose = "the child's content" if behalf == "child" else "this person's content"
    assert f"If you withdraw it, {whose} may be used again" in visitor.get(way).text
    statement = desk.register.objections.statement(state_of(desk, receipt).reference)
    assert statement is not None
    assert statement["for"] == behalf
    assert {each.params.get("for") for each in letters(desk)} == {behalf}, "also to the holder of the account"


def test_whoever_speaks_for_themselves_is_told_nothing_of_that(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Zoe", contact="zoe@elsewhere.example")
    assert "for" not in (desk.register.objections.statement(state_of(desk, receipt).reference) or {})
    assert not [each for each in letters(desk) if "for" in each.params]


def test_an_objection_of_before_for_a_child_reads_as_one(visitor: Visitor, desk: Desk) -> None:
    said: dict[str, Any] = {"names": ["Zoe"], "child": True, "accounts": [], "objections": []}
    old = desk.register.objections.lodge(["person:" + "0" * 32], channel="no-account", statement=said)
    page = visitor.submit(visitor.get("/en/status"), {"reference": old.reference})
    assert "You objected for a child." in page.text


def test_a_pasted_link_opens_what_it_leads_to_also_in_pieces(visitor: Visitor, desk: Desk) -> None:
    path = link(desk)
    for pasted in (
        f"http://127.0.0.1:8470{path}",
        f"<{path}>",
        f"> see {path[:20]}\n> {path[20:]}",
        f"{path[:25]}=\n{path[25:]}",
    ):
        page = visitor.submit(visitor.get("/de/object/link"), {"link": pasted})
        assert page.path == path.replace("/en/", "/de/")
    broken = visitor.submit(visitor.get("/en/object/link"), {"link": path[:-2]}, status=422)
    assert list(broken.errors) == ["link"]
    assert broken.forms[0].values["link"] == path[:-2]


@pytest.mark.parametrize("kind", ["o", "receipt", "confirm"])
def test_a_damaged_link_says_what_to_do(visitor: Visitor, desk: Desk, kind: str) -> None:
    purpose = {"o": Purpose.OBJECT, "receipt": Purpose.RECEIPT, "confirm": Purpose.CONFIRM}[kind]
    token = desk.tokens.make(purpose, 1)
    for path in (f"/en/{kind}/{token[:-3]}", f"/en/{kind}/{token[:-1]}!"):
        page = visitor.get(path, 404)
        assert page.h1 == "This link does not work"
        assert "We can't open this link. Copy all of it from the email, up to its end." in page.text
        assert "it is too old" not in page.text, "none of these ends"
        assert "/en/contact" in page.links
        assert "/en/object" in page.links
        assert ("/en/status" in page.links[:4]) == (kind != "o")
        assert visitor.submit(page, {"link": link(desk)}).path == link(desk)
    assert visitor.get(f"/pl/{kind}/{token[:-3]}", 404).language == "pl"
    german = visitor.turn(visitor.get(f"/en/{kind}/x", 404), "de", {"link": "half"})
    assert (german.language, german.forms[0].values["link"]) == ("de", "half")


def test_the_notices_link_says_that_an_objection_by_it_stands_and_nothing_of_other_routes(
    visitor: Visitor, desk: Desk
) -> None:
    fresh = visitor.get(link(desk)).text
    typed(visitor, "ann")
    desk.register.objections.lodge([ANN], channel="letter")
    assert visitor.get(link(desk)).text == fresh, "of other routes it tells nothing"
    receipt = by_link(visitor, desk)
    page = visitor.get(link(desk))
    assert page.h1 == "You have objected already"
    assert str(state_of(desk, receipt).lodged.year) in page.text
    assert visitor.submit(page).path == receipt.path
    desk.register.objections.withdraw(state_of(desk, receipt).reference)
    assert visitor.get(link(desk)).text == fresh


# Languages


FILLED = {
    "/object": {"account": "/ Ärger <b>"},
    "/object/person": {"names": "Ann\nAnnie", "links": "https://x.example/p/1", "contact": "no address"},
    "/object/child": {"names": "", "links": "", "contact": "no address"},
    "/object/other": {"names": "Zoe", "links": "", "contact": ""},
    "/status": {"reference": "AAAA-AAAA"},
    "/object/link": {"link": "not a link"},
    "/mine": {"account": "ann"},
}


def test_another_language_keeps_the_form_and_does_nothing(visitor: Visitor, desk: Desk) -> None:
    head = desk.register.log.head()
    for path, filled in FILLED.items():
        german = visitor.turn(visitor.get(f"/en{path}"), "de", filled)
        assert german.language == "de"
        assert {name: german.forms[0].values[name] for name in filled} == filled
        assert german.forms[0].action == f"/de{path}"
        polish = visitor.turn(german, "pl")
        assert {name: polish.forms[0].values[name] for name in filled} == filled
    assert desk.register.log.head() == head
    assert letters(desk) == [], "nor is a link sent"


def test_it_keeps_a_form_that_came_back_with_errors(visitor: Visitor) -> None:
    page = as_person(visitor, names="", contact="not an address", status=422)
    german = visitor.turn(page, "de")
    assert german.forms[0].values["contact"] == "not an address"
    assert not german.errors, "they are told again when the form is sent again"


def test_a_receipt_keeps_its_reason_in_another_language(visitor: Visitor, desk: Desk) -> None:
    receipt = typed(visitor, "ann")
    german = visitor.turn(receipt, "de", {"reason": "Weil Sansibar."})
    assert german.forms[0].values["reason"] == "Weil Sansibar."
    assert "ann" in german.text.split("Town Forum")[0], "nor does it forget what was typed"
    assert desk.register.attachments.of(state_of(desk, german).reference) == []


def test_the_platforms_page_can_be_read_in_another_language_and_the_token_is_not_spent(
    visitor: Visitor, workspace: Workspace, desk: Desk
) -> None:
    platform = Platform()
    platform.known_to(workspace)
    german = visitor.turn(visitor.get("/en/in", params={"token": platform.token(DIETER)}), "de")
    assert (german.language, desk.register.objections.in_force()) == ("de", 0)
    assert state_of(desk, visitor.submit(german, button="object")).channel == "signed-in"


def test_every_page_can_be_had_in_every_language(visitor: Visitor) -> None:
    for path in ("/object", "/object/person", "/status", "/object/link", "/contact", "/nowhere"):
        page = visitor.get(f"/en{path}", 404 if path == "/nowhere" else 200)
        (choice,) = (each for each in page.tree.iter("details") if each.get("class") == "languages")
        assert len([each for each in choice.iter() if each.get("lang")]) == 26


# What is refused keeps what was typed


def test_too_many_for_one_account_keeps_what_was_typed(visit: Callable[..., Visitor]) -> None:
    visitor = visit(limited(account=Rate(1, 1 / 60)))
    typed(visitor, "ann")
    page = typed(visitor, "ann", status=429)
    assert re.search(r"You can try again in \d+ (seconds|minute)", page.text)
    assert "What you entered is kept on this page." in page.text
    assert page.forms[0].values == {"account": "ann"}
    assert (page.forms[0].action, page.forms[0].method) == ("/en/object", "post")
    german = visitor.turn(page, "de")
    assert (german.language, german.status) == ("de", 200)
    assert german.forms[0].values == {"account": "ann"}


def test_too_many_acts_keep_what_was_typed(visit: Callable[..., Visitor]) -> None:
    visitor = visit(limited(act=Rate(1, 1 / 60)))
    said = {"names": "Ann\nAnnie <b>", "links": "@ann", "contact": ""}
    typed(visitor, "silent")
    page = visitor.post("/en/object/person", said, 429)
    assert page.forms[0].values == said
    assert re.fullmatch(r"[1-5]?\d|60", page.headers["retry-after"])
    receipt = visitor.client.post("/en/receipt/x/add", data={"reason": "Weil"}, files={"file": ("", b"", "")})
    assert receipt.status_code == 429
    assert 'value="Weil"' in receipt.text
    several = visitor.client.post("/en/object/person", data={"names": ["a", "b"]})
    assert several.text.count('name="names"') == 2, "nor is one of several lost"
    assert visitor.post(link(visitor.client.app.state.desk), {}, 429).forms[0].values == {}  # type: ignore[attr-defined]


def test_nothing_typed_elsewhere_comes_back(visit: Callable[..., Visitor]) -> None:
    visitor = visit(limited(act=Rate(1, 1 / 60)))
    typed(visitor, "silent")
    headers = {"sec-fetch-site": "cross-site"}
    answer = visitor.client.post("/en/object", data={"account": "planted"}, headers=headers)
    assert answer.status_code == 403
    assert "planted" not in answer.text


# Search engines


def metas(page: Page) -> dict[str, str]:
    return {each.get("name", ""): each.get("content", "") for each in page.tree.iter("meta")}


def test_the_notice_and_the_forms_can_be_found(visitor: Visitor) -> None:
    for path in ("/", "/notice", *WAYS):
        page = visitor.get(f"/en{path}")
        assert "robots" not in metas(page)
        assert 50 <= len(metas(page)["description"]) <= 200
        links = {(each.get("rel"), each.get("hreflang")): each.get("href") for each in page.tree.iter("link")}
        assert links["canonical", None] == f"http://127.0.0.1:8470/en{path}"
        assert links["alternate", "de"] == f"http://127.0.0.1:8470/de{path}"
        assert links["alternate", "x-default"] == f"http://127.0.0.1:8470/en{path}"
        assert len(links) == 2 + 1 + 26 + 1, "the stylesheet and the icon, too"
        assert visitor.get(f"/en{path}?x=planted").html == page.html, "it repeats nothing of the request"


def test_what_is_somebodys_own_can_not_be_found(visitor: Visitor, desk: Desk) -> None:
    for page in (typed(visitor, "ann"), visitor.get(link(desk)), visitor.get("/en/status"), visitor.get("/en/mine")):
        assert metas(page)["robots"] == "noindex, nofollow"
        assert "description" not in metas(page)


def test_robots_lead_to_the_map_of_the_site_and_that_to_pages(visitor: Visitor) -> None:
    robots = visitor.client.get("/robots.txt")
    assert robots.headers["content-type"].startswith("text/plain")
    assert "Sitemap: http://127.0.0.1:8470/sitemap.xml" in robots.text
    tree = ET.fromstring(visitor.client.get("/sitemap.xml").text)
    places = [each.text or "" for each in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert len(places) == len(set(places)) > 200
    for place in places:
        if "/mt/" in place:
            assert "robots" not in metas(visitor.get(place.removeprefix("http://127.0.0.1:8470")))


def test_public_pages_are_compressed_and_what_holds_a_token_is_not(visitor: Visitor, desk: Desk) -> None:
    receipt = typed(visitor, "ann")

    def packed(path: str, accepted: str = "gzip") -> bool:
        answer = visitor.client.get(path, headers={"accept-encoding": accepted})
        assert answer.text.lstrip()
        return answer.headers.get("content-encoding") == "gzip"

    for path in ("/en/", "/en/notice", "/en/object", "/static/style.css"):
        assert packed(path)
        assert not packed(path, "identity")
        assert not packed(path, "gzip;q=0, identity")
        assert "accept-encoding" in visitor.client.get(path).headers["vary"]
    for path in (receipt.path, link(desk), "/en/status"):
        assert not packed(path), "compressed with a secret, its length would tell of it (BREACH)"
    wrong = visitor.client.post("/en/object", data={"account": "/ /"}, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in wrong.headers, "nor with what somebody else may have typed"


def test_the_form_to_print_bears_the_address_and_is_blank(visitor: Visitor) -> None:
    page = visitor.get("/en/object/letter")
    assert "1 Market Square, Dublin" in page.text
    assert page.forms == []
    assert len([each for each in page.tree.iter("span") if each.get("class") == "blank"]) >= 8


def test_somebody_who_types_nothing_is_asked_and_fields_are_left_as_typed(visitor: Visitor) -> None:
    for path, name in (("/object", "account"), ("/object/person", "links"), ("/status", "reference")):
        page = visitor.get(f"/en{path}")
        (found,) = (each for each in page.tree.iter() if each.get("id") == name)
        wanted = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}
        assert {key: found.get(key) for key in wanted} == wanted


def test_silent_is_known_and_nobody_hears_of_it(visitor: Visitor, desk: Desk) -> None:
    typed(visitor, "silent")
    assert desk.register.objections.of(SILENT)
    assert letters(desk) == []


def test_what_was_typed_is_sent_again_to_this_site_alone(visit: Callable[..., Visitor]) -> None:
    often = Rate(10**9, 1.0)
    few = Limits(Rates(page=often, act=Rate(1, 1 / 3600), account=often, question=often, sign_in=often))
    client = visit(few).client
    client.post("/en/object", data={"account": ""})
    answer = client.post("http://127.0.0.1:8470//evil.example/x", data={"account": "ann"})
    assert answer.status_code == 429
    assert 'action="/evil.example/x"' in answer.text
