"""A mail scanner opens every link of every page and of every mail, by GET and by HEAD: nothing changes by that."""

import re
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

from pages import Visitor
from town import ANN, DIETER
from ways import URL, Platform, as_person, by_link, letters, link, state_of, typed

from demur.notices.rendering import Links, render_mail, render_notice
from demur.register import ObjectionState
from demur.register.contact.records import SingleMail
from demur.tokens import Purpose
from demur.web.desk import Desk
from demur.workspace import Workspace

LINK = re.compile(r"""(?:href|src|action)="([^"]*)"|(http://127\.0\.0\.1:8470[^\s"<>]*)""")
"""What a scanner takes for a link: it knows nothing of forms, and asks for their addresses too."""

ENOUGH = 1500
"""Links; a portal without an end would be a fault of its own."""


def links_in(text: str, at: str) -> set[str]:
    """The addresses in a page or a mail, as paths, those of other sites left out."""
    found = {urljoin(URL + at, (one or other).replace("&amp;", "&")) for one, other in LINK.findall(text)}
    inside = {each for each in found if each.startswith(URL)}
    return {urlsplit(each)._replace(scheme="", netloc="", fragment="").geturl() for each in inside}


def crawl(visitor: Visitor, start: Iterable[str]) -> set[str]:
    """Open whatever can be reached, each language's pages by two of them; what was opened."""
    waiting = deque(start)
    seen: set[str] = set()
    while waiting:
        path = waiting.popleft()
        if path in seen or re.match(r"/(?!en|de|static|api|outbox|staff)[a-z]{2}/", path):
            continue
        seen.add(path)
        assert len(seen) < ENOUGH
        assert visitor.client.head(path, follow_redirects=False).content == b""
        answer = visitor.client.get(path, follow_redirects=False)
        assert answer.status_code < 500, path
        assert "set-cookie" not in answer.headers, path
        waiting.extend(links_in(answer.text, path))
        if "location" in answer.headers:
            waiting.extend(links_in(f'href="{answer.headers["location"]}"', path))
    return seen


def mails(desk: Desk, told: Iterable[SingleMail]) -> list[str]:
    """Every mail there is: letters, notices, in text and in HTML."""
    policy = desk.policy()
    rendered = [render_mail(policy, each.template, each.language, each.params) for each in told]
    for account in (ANN, DIETER):
        token = desk.tokens.make(Purpose.OBJECT, desk.keys.pepper.subject_key(account))
        rendered.append(render_notice(policy, desk.register.members.get(account), Links(policy.portal.url, token)))
    return [text for each in rendered for text in (each.text, each.html, each.in_app)]


def standing(desk: Desk) -> tuple[object, list[ObjectionState], int]:
    """Everything that a click could change."""
    states = [
        *desk.register.objections.of(ANN),
        *desk.register.objections.of(DIETER),
        *desk.register.objections.waiting(),
    ]
    return desk.register.log.head(), states, desk.register.mails.waiting()


def test_a_scanner_that_opens_every_link_changes_nothing(visitor: Visitor, workspace: Workspace, desk: Desk) -> None:
    platform = Platform()
    platform.known_to(workspace)
    receipts = [by_link(visitor, desk), typed(visitor, "dieter")]
    receipts += [as_person(visitor, names="Ann", links="@ann", contact="ann@elsewhere.example")]
    receipts += [by_link(visitor, desk, DIETER)]
    visitor.submit(visitor.get(f"{receipts[3].path}/withdraw"))
    reading = desk.tokens.make(Purpose.READ, desk.keys.pepper.subject_key(ANN), expires=desk.now() + timedelta(hours=1))
    desk.register.mails.post("sign-in", "en", {"url": f"{URL}/en/mine/{reading}", "minutes": 60}, address="a@b.example")
    told = letters(desk)
    assert {each.template for each in told} == {"receipt", "confirm", "withdrawn", "sign-in"}
    start = {path for mail in mails(desk, told) for path in links_in(mail, "/")}
    start |= {page.path for page in receipts} | {f"/en/in?token={platform.token()}", "/", "/en/", "/de/"}

    before = standing(desk)
    seen = crawl(visitor, start)
    assert standing(desk) == before

    opened = ("/o/", "/in?token=", "/receipt/", "/confirm/", "/mine/", "/withdraw", "/add", "/object/person", "/status")
    for part in opened:
        assert any(part in path for path in seen), f"the scanner never came to {part}"
    assert not visitor.client.cookies
    assert "The library" in visitor.submit(visitor.get(f"/en/mine/{reading}")).text, "the link was not spent"


def test_a_scanner_does_change_something_where_it_presses_a_button(visitor: Visitor, desk: Desk) -> None:
    """Without this the test above would prove nothing: it would not see a change."""
    before = standing(desk)
    visitor.client.post(link(desk))
    assert standing(desk) != before


def test_other_methods_change_nothing(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    before = standing(desk)
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        for path in (link(desk), receipt.path, f"{receipt.path}/withdraw", "/en/object", "/en/in"):
            assert visitor.client.request(method, path).status_code in {400, 403, 404, 405}, (method, path)
    assert standing(desk) == before


def test_what_another_site_makes_a_browser_send_changes_nothing(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    before = standing(desk)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}):
        for path in (link(desk, DIETER), f"{receipt.path}/withdraw", f"{receipt.path}/add", "/en/object", "/en/in"):
            answer = visitor.client.post(path, data={"account": "dieter"}, headers=headers)
            assert answer.status_code == 403, path
    assert standing(desk) == before
    assert state_of(desk, receipt).binding
