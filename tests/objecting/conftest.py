"""The town's forum with everybody by whom something happens to an objection: a visitor, an officer, the platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from channels import Town
from pages import Visitor
from places import copied
from staffdoor import Door
from starlette.testclient import TestClient
from town import found_town
from ways import Platform

from demur.web.app import create_app
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace

NO_HURRY = Rate(10**9, 1.0)
ADDRESS = ("127.0.0.1", 50000)


@pytest.fixture(scope="session")
def founded(registers: str, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001  # where its register lies
    """The town's workspace as it was founded; tests work on copies."""
    return found_town(tmp_path_factory.mktemp("founded") / "town").root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    """The town's workspace, for one test."""
    return copied(founded, fast_tmp / "town")


@pytest.fixture
def town(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Iterator[Town]:
    """The town, its portal open and an officer signed in; what opening that recorded and posted is past."""
    platform = Platform()
    platform.known_to(workspace)
    app = create_app(workspace, limits=Limits(Rates(*[NO_HURRY] * 7)))
    with TestClient(app, base_url="http://127.0.0.1:8470", client=ADDRESS) as client:
        desk: Desk = app.state.desk
        officer = Door(TestClient(app, base_url="http://localhost:8470", client=ADDRESS), desk.register)
        officer.join("officer")
        key = desk.register.api_keys.create("platform")
        yield Town(desk, Visitor(client), officer, platform, key, capsys)
