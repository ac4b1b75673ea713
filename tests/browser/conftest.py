"""The town's portal, running, and a real browser; one of each for a test process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browsing import Walk, Way, browser_of, walking
from playwright.sync_api import Browser, sync_playwright
from running import Site, running

from demur.notices.languages import SOURCE


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The portal of a town where everybody got a notice."""
    with running(tmp_path_factory.mktemp("site") / "town") as site:
        yield site


@pytest.fixture(scope="module")  # no longer: Playwright's loop would stand in the way of everybody else's
def browser(chromium: Path) -> Iterator[Browser]:
    """A browser that all visitors share; each has a context of their own."""
    with sync_playwright() as playwright, browser_of(playwright, chromium) as browser:
        yield browser


@pytest.fixture
def walk(site: Site, browser: Browser) -> Iterator[Callable[..., Walk]]:
    """Sends a visitor on their way."""
    with ExitStack() as stack:

        def begin(language: str = SOURCE, way: Way | None = None, **options: Any) -> Walk:  # noqa: ANN401  # of a context
            return stack.enter_context(walking(browser, site.url, language, way or Way(), **options))

        yield begin
