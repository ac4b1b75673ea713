"""What stands before the routes: headers, limits, other sites, large bodies, and what the log says."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pages import Visitor
from town import ANN

from demur.errors import CorpusError, IdentityError, PolicyError, RegisterError, UnavailableError, WorkspaceError
from demur.web.desk import Desk
from demur.web.gate import FORM_BYTES
from demur.web.intake import IntakeFullError
from demur.web.server.headers import CSP
from demur.web.server.limits import Limits, Rate, Rates

Visit = Callable[..., Visitor]

HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def few(**rates: Rate) -> Limits:
    """Limits that are met soon."""
    plenty = Rate(10**6, 1.0)
    return Limits(Rates(**({"page": plenty, "act": plenty, "account": plenty, "question": plenty} | rates)))


@pytest.mark.parametrize("path", ["/en/", "/", "/nowhere", "/en/mine/forged", "/static/nothing.css", "/outbox/x"])
def test_every_answer_carries_the_headers(visitor: Visitor, path: str) -> None:
    answer = visitor.client.get(path, follow_redirects=False)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in answer.headers


def test_https_is_remembered_and_binds_the_cookie_to_the_host(visit: Visit, workspace: Any) -> None:  # noqa: ANN401, ARG001  # the town
    visitor = visit(base="https://town.example")
    desk = visitor.client.app.state.desk  # type: ignore[attr-defined]
    visitor.post("/en/mine", {"account": "ann"})
    (letter,) = desk.register.mails.claim(10)
    answer = visitor.client.post(str(letter.params["url"]).partition("8470")[2], follow_redirects=False)
    assert "max-age=" in answer.headers["strict-transport-security"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-member=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_plain_http_promises_no_https(visitor: Visitor) -> None:
    assert "strict-transport-security" not in visitor.client.get("/en/").headers


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8470"},
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(
    visitor: Visitor, desk: Desk, headers: dict[str, str]
) -> None:
    page = visitor.post("/en/mine", {"account": "ann"}, status=403, headers=headers)
    assert page.h1 == "That came from another website"
    assert desk.register.mails.waiting() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8470"},
    ],
)
def test_what_our_own_pages_and_programs_send_is_taken(visitor: Visitor, headers: dict[str, str]) -> None:
    assert visitor.post("/en/mine", {"account": "ann"}, headers=headers).path == "/en/mine/asked"


def test_a_link_from_another_site_may_be_followed(visitor: Visitor) -> None:
    visitor.get("/en/", headers={"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"})


def test_a_body_that_is_said_to_be_large_is_refused_unread(visitor: Visitor) -> None:
    page = visitor.post("/en/mine", {"account": "a" * FORM_BYTES}, status=413)
    assert page.h1 == "That is too large"


def test_a_body_that_turns_out_large_is_refused_while_it_comes(visitor: Visitor) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"a" * 10_000

    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = visitor.client.post("/en/mine", content=endless(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "٣", "99999999999999999999"])
def test_a_length_that_is_none_is_refused(visitor: Visitor, length: str) -> None:
    headers = [(b"content-length", length.encode()), (b"content-type", b"application/x-www-form-urlencoded")]
    answer = visitor.client.post("/en/mine", content=b"", headers=headers)
    assert answer.status_code == 413


def test_too_many_requests_from_one_address_are_told_when_to_return(visit: Visit) -> None:
    visitor = visit(few(page=Rate(3, 0.1)))
    for _ in range(3):
        visitor.client.get("/en/notice")
    answer = visitor.client.get("/en/notice")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["retry-after"] in answer.text
    assert answer.headers["content-security-policy"] == CSP


def test_acts_have_a_limit_of_their_own(visit: Visit) -> None:
    visitor = visit(few(act=Rate(1, 0.01)))
    assert visitor.client.post("/en/mine", data={"account": "ann"}, follow_redirects=False).status_code == 303
    assert visitor.client.post("/en/mine", data={"account": "ewa"}).status_code == 429
    assert visitor.client.get("/en/notice").status_code == 200


def test_one_account_gets_so_many_mails_whoever_asks_and_the_answer_stays_the_same(visit: Visit) -> None:
    """Questions and links to sign in with are counted apart: who uses up the one does not take the other away."""
    visitor = visit(few(question=Rate(1, 0.001), sign_in=Rate(2, 0.001)))
    for _ in range(3):
        visitor.post("/en/object", {"account": "ann"})
    desk = visitor.client.app.state.desk  # type: ignore[attr-defined]
    assert desk.register.mails.waiting() == 1
    answers = {visitor.post("/en/mine", {"account": "ann"}).html for _ in range(5)}
    assert len(answers) == 1
    assert desk.register.mails.waiting() == 3


def test_a_limit_refills_with_time() -> None:
    time = [0.0]
    limits = Limits(Rates(page=Rate(2, 0.5)), clock=lambda: time[0])
    assert [limits.wait("page", "a") for _ in range(3)] == [0, 0, 2]
    assert limits.wait("page", "b") == 0, "another address"
    assert limits.wait("act", "a") == 0, "another bucket"
    time[0] = 2.0
    assert limits.wait("page", "a") == 0


def test_the_limits_remember_no_more_than_their_size() -> None:
    limits = Limits(size=10)
    for number in range(100):
        limits.wait("page", f"address {number}")
    assert len(limits._buckets) == 10
    assert not any(b"address" in key for key in limits._buckets)


def test_an_ipv6_network_is_one_address(visit: Visit) -> None:
    limits = few(page=Rate(1, 0.01))
    one = visit(limits, address="2001:db8::1")
    other = visit(limits, address="2001:db8:0:0:ffff::2")
    assert one.client.get("/en/notice").status_code == 200
    assert other.client.get("/en/notice").status_code == 429


def test_ipv4_visitors_are_told_apart_where_a_socket_shows_them_as_ipv6(visit: Visit) -> None:
    limits = few(page=Rate(1, 0.01))
    assert visit(limits, address="::ffff:192.0.2.1").client.get("/en/notice").status_code == 200
    assert visit(limits, address="::ffff:203.0.113.77").client.get("/en/notice").status_code == 200
    assert visit(limits, address="192.0.2.1").client.get("/en/notice").status_code == 429


@pytest.fixture
def broken(visitor: Visitor) -> Visitor:
    """A portal one of whose pages fails."""
    app = visitor.client.app
    assert isinstance(app, FastAPI)

    @app.get("/en/broken")
    async def fail() -> None:
        msg = f"a detail of {ANN}"
        raise ValueError(msg)

    return visitor


def test_an_error_says_one_sentence_and_no_detail(broken: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    page = broken.get("/en/broken", status=500)
    assert page.h1 == "Something went wrong on our side"
    assert "ValueError" not in page.html
    assert ANN not in page.html + caplog.text, "the log says where, and not what"
    assert "test_security.py" in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (IdentityError, 404),
        (RegisterError, 404),
        (UnavailableError, 503),
        (WorkspaceError, 503),
        (CorpusError, 503),
        (IntakeFullError, 503),
        (PolicyError, 500),
        (KeyError, 500),
    ],
)
def test_what_goes_wrong_on_purpose_has_its_page(visitor: Visitor, error: type[Exception], status: int) -> None:
    app = visitor.client.app
    assert isinstance(app, FastAPI)

    @app.post("/en/wrong")
    async def fail() -> None:
        raise error(ANN)

    page = visitor.post("/en/wrong", status=status)
    assert ANN not in page.html
    assert ("retry-after" in page.headers) == (status == 503)


def test_the_log_holds_no_address_no_token_and_no_query(
    visitor: Visitor, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "demur.web")
    visitor.post("/en/mine", {"account": "ann"})
    (letter,) = desk.register.mails.claim(10)
    path = str(letter.params["url"]).partition("8470")[2]
    visitor.get(path + "?secret=query")
    visitor.client.get("/nowhere/" + path)
    lines = [json.loads(record.message) for record in caplog.records if record.name == "demur.web"]
    told = json.dumps(lines)
    assert {"method", "route", "status", "ms", "from"} <= set(lines[0])
    assert "/mine/{token}" in told
    for secret in ("127.0.0.1", path.rpartition("/")[2], "secret", "ann"):
        assert secret not in told


def test_a_head_is_answered_as_a_get_without_a_body(visitor: Visitor) -> None:
    answer = visitor.client.head("/en/notice")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_other_methods_are_no_pages(visitor: Visitor) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert visitor.client.request(method, "/en/notice").status_code == 405


def test_the_outbox_is_for_this_machine_only(visit: Visit) -> None:
    assert visit().client.get("/outbox").status_code == 200
    assert visit(address="192.0.2.7").client.get("/outbox").status_code == 404
    assert visit(base="http://evil.example:8470").client.get("/outbox").status_code == 404, "a name that leads here"
    proxied = visit().client.get("/outbox", headers={"x-forwarded-for": "192.0.2.7"})
    assert proxied.status_code == 404


@pytest.mark.parametrize("name", ["..%2Fdemur.toml", "%2e%2e", "demur.toml", ".hidden.eml", "a%00.eml", "nothing.eml"])
def test_the_outbox_shows_mails_and_no_other_file(visitor: Visitor, name: str) -> None:
    assert visitor.client.get(f"/outbox/{name}").status_code == 404


def test_a_mail_of_the_outbox_runs_nothing(visitor: Visitor, desk: Desk) -> None:
    mail = (
        "Subject: =?utf-8?q?=3Cscript=3Ealert(1)=3C/script=3E?=\nTo: ann@town.example\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\n\n<img src=x onerror=alert(1)> http://127.0.0.1:8470/en/ ok\n"
    )
    (desk.workspace.outbox_path / "0001.eml").write_text(mail)
    assert "<script>" in visitor.get("/outbox").text
    page = visitor.get("/outbox/0001.eml")
    assert "onerror" in page.text
    assert "http://127.0.0.1:8470/en/" in page.links
