"""The staff's door with a passkey, and what stands behind it, in a real browser with a virtual authenticator."""

from collections.abc import Callable

import pytest
from browsing import NARROW, WIDE, Walk, Way
from passkeys_in_browser import give_passkeys
from running import Site, invited


def lodge(visitor: Walk, site: Site) -> None:
    """An objection that waits for its confirmation."""
    visitor.page.goto(f"{site.url}/en/object")
    visitor.page.fill("#account", site.person("en").handle)
    with visitor.page.expect_navigation():
        visitor.page.click("main form .button")


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_an_officer_joins_signs_in_and_sees_queue_and_coverage(
    walk: Callable[..., Walk], site: Site, width: int
) -> None:
    visitor = walk("en", Way(width))
    lodge(visitor, site)
    page = visitor.page
    give_passkeys(page)
    visitor.open(invited(site, f"Olga {width}", "officer"))
    visitor.press("#answer-button")
    for link in page.locator(".staff-bar a").all():
        path = link.get_attribute("href")
        assert path
        visitor.open(path)
    visitor.open("/staff/objections")
    visitor.follow("table a")
    visitor.press(".staff-bar .button")
    visitor.press("#answer-button")
    assert page.locator(".staff-bar").count() == 1, "signed in by the passkey"


def test_without_scripts_the_door_says_what_it_needs(walk: Callable[..., Walk]) -> None:
    visitor = walk("en", Way(scripts=False))
    visitor.open("/staff/")
    assert visitor.page.locator("noscript").count() == 1
    assert "JavaScript" in visitor.texts[-1]
