"""The staff's way in, in a real browser: Chromium with a virtual authenticator (WebAuthn, section 11)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from town import ANN

from demur.terms import EntryKind
from demur.workspace import Workspace


@pytest.fixture
def page(chromium: Path) -> Iterator[Page]:
    """A page of a browser that has an authenticator with a user who is always there."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        opened = browser.new_page()
        session = opened.context.new_cdp_session(opened)
        session.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield opened
        browser.close()


def test_an_officer_is_invited_makes_a_passkey_signs_in_and_reviews(site: tuple[Workspace, str], page: Page) -> None:
    workspace, url = site
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    with workspace.register() as register:
        secret = register.staff.invite("Olga Officer", "officer", datetime.now(UTC) + timedelta(hours=1))
        seq = register.objections.lodge([ANN], channel="typed-in", reason="I say no").seq
    page.goto(f"{url}/staff/join/{secret}")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url(f"{url}/staff/objections")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{url}/staff/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{url}/staff/objections")
    page.get_by_role("link", name=str(seq)).click()
    page.get_by_role("button", name="Open what was said").click()
    assert page.get_by_text("I say no").is_visible()
    page.get_by_role("button", name="Confirm", exact=True).click()
    assert page.get_by_text("confirmed", exact=True).is_visible()
    assert told == []
    with workspace.register() as register:
        kinds = [each.kind for each in register.log.entries() if each.payload.get("staff") == 1]
    assert kinds == [
        EntryKind.STAFF_INVITED,
        EntryKind.STAFF_JOINED,
        EntryKind.STAFF_SIGNED_IN,
        EntryKind.DATA_READ,
        EntryKind.STAFF_ACTED,
    ]


def test_without_a_passkey_the_page_says_so(site: tuple[Workspace, str], page: Page) -> None:
    _, url = site
    page.goto(f"{url}/staff/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("No passkey was used").wait_for(timeout=15_000)
    assert page.url == f"{url}/staff/"


def test_the_tables_stand_beside_the_plots_at_320_pixels(site: tuple[Workspace, str], page: Page) -> None:
    workspace, url = site
    with workspace.register() as register:
        secret = register.staff.invite("Aud Auditor", "auditor", datetime.now(UTC) + timedelta(hours=1))
        register.objections.lodge([ANN], channel="typed-in")
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{url}/staff/join/{secret}")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url(f"{url}/staff/objections")
    for name in ("objections", "coverage", "status", "people"):
        page.goto(f"{url}/staff/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
    page.goto(f"{url}/staff/coverage")
    assert page.get_by_role("img", name="Objections by day").is_visible()
