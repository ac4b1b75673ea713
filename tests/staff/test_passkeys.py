"""The staff's door: invitations, passkeys and sessions, and whoever may not come in."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import html5lib
import pytest
from authenticator import Authenticator
from pages import Page, flaws, text_of
from staffdoor import Door
from starlette.testclient import TestClient

from demur.errors import UsageError
from demur.register import Entry
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.web.staff.passkeys import CHALLENGE, Ceremony, Site

Entries = Callable[[EntryKind], list[Entry]]


def test_an_invitation_makes_a_passkey_that_signs_in(door: Door, entries: Entries) -> None:
    door.join("officer")
    assert door.visitor.get("/staff/objections").h1 == "Objections to review"
    door.out()
    door.sign_in()
    assert door.visitor.get("/staff/").path == "/staff/objections"
    (joined,), (signed_in,) = entries(EntryKind.STAFF_JOINED), entries(EntryKind.STAFF_SIGNED_IN)
    assert (joined.payload["staff"], signed_in.payload) == (1, {"staff": 1})


def test_only_the_two_pages_of_the_door_may_run_our_script(door: Door) -> None:
    for path in ("/staff/", door.invite("officer")):
        assert "script-src 'self'" in door.client.get(path).headers["content-security-policy"]
    door.join("officer")
    assert "script-src" not in door.client.get("/staff/objections").headers["content-security-policy"]
    script = door.client.get("/static/passkey.js")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")


def test_the_pages_of_the_door_have_no_other_flaw(door: Door) -> None:
    for path in ("/staff/", door.invite("officer")):
        answer = door.client.get(path)
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(answer.text)
        found = list(flaws(Page(path, 200, answer.text, answer.headers, tree)))
        assert [each for each in found if not each.startswith(("<script>", "the policy for content"))] == []
        assert "needs JavaScript" in text_of(tree)


def test_looking_at_an_invitation_does_not_use_it_up(door: Door) -> None:
    path = door.invite("officer")
    for _ in range(3):
        door.client.get(path)
    door.answer(path, door.passkey.make(door.options(path)))


def test_an_invitation_works_once(door: Door) -> None:
    path = door.invite("officer")
    door.answer(path, door.passkey.make(door.options(path)))
    door.out()
    assert door.client.get(path).status_code == 404
    door.answer(path, "{}", 404)


def test_two_answers_to_one_invitation_make_one_passkey(door: Door) -> None:
    path = door.invite("officer")
    first, second = door.passkey.make(door.options(path)), Authenticator().make(door.options(path))
    door.answer(path, first)
    door.answer(path, second, 404)


def test_an_invitation_expires(door: Door) -> None:
    path = door.invite("officer", within=timedelta(seconds=-1))
    assert door.client.get(path).status_code == 404
    assert door.client.get("/staff/join/never-made").status_code == 404


def test_an_invitation_of_somebody_removed_is_none(door: Door) -> None:
    path = door.invite("officer")
    options = door.options(path)
    door.register.staff.remove(1)
    door.answer(path, door.passkey.make(options), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://localhost:8470"},
        {"origin": "http://localhost:8471"},
        {"host": "evil.example"},
        {"verified": False},
    ],
    ids=str,
)
def test_a_passkey_of_another_site_or_without_its_user_is_refused(door: Door, wrong: dict[str, object]) -> None:
    path = door.invite("officer")
    door.answer(path, Authenticator(**wrong).make(door.options(path)), 403)  # type: ignore[arg-type]  # as parametrised
    door.answer(path, door.passkey.make(door.options(path)))
    door.out()
    for name, value in wrong.items():
        setattr(door.passkey, name, value)
    door.sign_in(403)
    assert door.visitor.client.get("/staff/objections", follow_redirects=False).status_code == 303


def test_a_challenge_is_ours_for_one_purpose_and_used_once(door: Door) -> None:
    path, other = door.invite("officer"), door.invite("engineer", "Emil Engineer")
    for foreign in (door.options("/staff/"), door.options(other)):
        options = json.loads(door.options(path)) | {"challenge": json.loads(foreign)["challenge"]}
        door.answer(path, door.passkey.make(json.dumps(options)), 403)
    invented = json.loads(door.options(path)) | {"challenge": "AAAAAAAAAAAAAAAAAAAAAA"}
    door.answer(path, door.passkey.make(json.dumps(invented)), 403)
    door.answer(path, door.passkey.make(door.options(path)))
    door.out()
    options = door.options("/staff/")
    overheard = door.passkey.use(options)
    door.answer("/staff/", overheard)
    door.out()
    door.answer("/staff/", overheard, 403)
    door.answer("/staff/", door.passkey.use(options), 403)


def test_a_challenge_expires(door: Door, desk: Desk) -> None:
    door.join("officer")
    site, now = Site.of("http://localhost:8470", "Town"), datetime.now(UTC)
    asked = Ceremony(site, desk.tokens, desk.register, now - CHALLENGE).entering()
    door.out()
    door.answer("/staff/", door.passkey.use(asked), 403)


def test_a_count_that_goes_back_is_a_copied_passkey(door: Door) -> None:
    door.join("officer")
    door.out()
    door.sign_in()
    door.out()
    door.passkey.count -= 1
    door.sign_in(403)


def test_a_passkey_that_nobody_has_is_refused(door: Door) -> None:
    door.join("officer")
    door.out()
    stranger = Authenticator(handle=door.passkey.handle)
    door.answer("/staff/", stranger.use(door.options("/staff/")), 403)
    forged = Authenticator(handle=door.passkey.handle, identifier=door.passkey.identifier)
    door.answer("/staff/", forged.use(door.options("/staff/")), 403)
    door.passkey.handle = (2).to_bytes(8, "big")
    door.sign_in(403)


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "\0", "{" * 9000, '{"id": 1}', "\ud800".encode("utf-8", "replace").decode()]
)
def test_what_is_no_answer_is_refused_in_one_sentence(door: Door, answer: str) -> None:
    door.answer("/staff/", answer, 403)
    door.answer(door.invite("officer"), answer, 403)


def test_whoever_is_removed_is_out_at_once(door: Door) -> None:
    door.join("officer")
    door.register.staff.remove(1)
    assert door.client.get("/staff/objections", follow_redirects=False).headers["location"] == "/staff/"
    door.sign_in(403)


def test_signing_in_begins_a_fresh_session_and_ends_the_one_before(door: Door) -> None:
    door.cookie = "fixed-beforehand"
    door.join("officer")
    joined = door.cookie
    assert joined != "fixed-beforehand"
    door.out()
    answer = door.passkey.use(door.options("/staff/"))
    door.cookie = joined
    header = door.client.post("/staff/", data={"answer": answer}, follow_redirects=False).headers["set-cookie"]
    assert all(part in header for part in ("HttpOnly", "SameSite=strict", "Max-Age=28800", "Path=/"))
    assert door.cookie not in {"", joined}
    door.cookie = joined
    assert door.client.get("/staff/objections", follow_redirects=False).status_code == 303


def test_a_session_lasts_a_working_day(door: Door, desk: Desk) -> None:
    door.join("officer")
    secret = door.cookie.partition(".")[0]
    now = datetime.now(UTC)
    assert desk.register.sessions.find(secret, "staff", now=now + timedelta(hours=7, minutes=59)) == 1
    assert desk.register.sessions.find(secret, "staff", now=now + timedelta(hours=8, minutes=1)) is None


def test_signing_out_ends_the_session(door: Door) -> None:
    door.join("officer")
    kept = door.cookie
    door.client.post("/staff/out", data=door.visitor.get("/staff/objections").forms[0].values)
    door.cookie = kept
    assert door.client.get("/staff/objections", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("officer", {"objections", "letters", "coverage", "status"}),
        ("engineer", {"coverage", "status"}),
        ("auditor", {"objections", "coverage", "status", "people"}),
    ],
)
def test_a_role_sees_its_own_pages_and_no_others(door: Door, role: str, allowed: set[str]) -> None:
    door.join(role)
    for name in ("objections", "letters", "coverage", "status", "people"):
        page = door.visitor.get(f"/staff/{name}", 200 if name in allowed else 403)
        assert (page.h1 == "This is not for your role") == (name not in allowed)


@pytest.mark.parametrize("path", ["objections", "objections/1", "letters", "coverage", "status", "people"])
def test_nobody_sees_a_page_of_the_staff_without_signing_in(client: TestClient, path: str) -> None:
    answer = client.get(f"/staff/{path}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/")


@pytest.mark.parametrize(
    ("portal", "origin"),
    [
        ("http://127.0.0.1:8470", "http://localhost:8470"),
        ("http://[::1]:8470", "http://localhost:8470"),
        ("https://objection.town.example", "https://objection.town.example"),
        ("https://town.example/privacy", "https://town.example"),
    ],
)
def test_the_site_of_passkeys_is_that_of_the_portal(portal: str, origin: str) -> None:
    assert Site.of(portal, "Town").origin == origin


@pytest.mark.parametrize("portal", ["http://town.example", "https://192.0.2.1", "http://192.0.2.1:8470", ""])
def test_where_browsers_make_no_passkeys_it_is_said(portal: str) -> None:
    with pytest.raises(UsageError, match="need a name and https"):
        Site.of(portal, "Town")


def test_an_address_instead_of_the_name_is_told_apart(door: Door) -> None:
    shown = door.client.get("http://127.0.0.1:8470/staff/")
    assert "http://localhost:8470/staff/ instead" in shown.text
