"""The town's forum on the web, and somebody who visits it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pages import Visitor
from places import copied
from starlette.testclient import TestClient
from town import found_town

from demur.web.app import create_app
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace

NO_HURRY = Rate(10**9, 1.0)
"""A test asks as often as it likes, unless limits are what it is about."""


def patient() -> Limits:
    """Limits that nobody meets."""
    return Limits(
        Rates(page=NO_HURRY, act=NO_HURRY, account=NO_HURRY, question=NO_HURRY, sign_in=NO_HURRY, claim=NO_HURRY)
    )


@pytest.fixture(scope="session")
def founded(registers: str, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  # where its register lies
    """The town's workspace as it was founded; tests work on copies."""
    return found_town(tmp_path_factory.mktemp("founded") / "town").root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    """The town's workspace, for one test."""
    return copied(founded, fast_tmp / "town")


@pytest.fixture
def visit(workspace: Workspace) -> Iterator[Callable[..., Visitor]]:
    """Opens the portal of the town, with limits of the test's own if it wants, from an address and by a scheme."""
    opened: list[TestClient] = []

    def open_portal(
        limits: Limits | None = None, *, base: str = "http://127.0.0.1:8470", address: str = "127.0.0.1"
    ) -> Visitor:
        app = create_app(workspace, limits=limits or patient())
        client = TestClient(app, base_url=base, client=(address, 50000))
        client.__enter__()
        opened.append(client)
        return Visitor(client)

    yield open_portal
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """A visitor at the portal of the town."""
    return visit()


@pytest.fixture
def desk(visitor: Visitor) -> Desk:
    """What the visited portal works with: register, tokens, policy."""
    found = visitor.client.app.state.desk  # type: ignore[attr-defined]  # of the ASGI application
    assert isinstance(found, Desk)
    return found
