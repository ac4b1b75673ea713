"""The town's forum with staff: an officer, an engineer and an auditor, each with a passkey in software."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from staffdoor import Door
from starlette.testclient import TestClient
from town import found_town, town_policy

from demur.policy import Portal
from demur.register import Entry
from demur.terms import EntryKind
from demur.web.app import create_app
from demur.web.desk import Desk
from demur.workspace import Workspace, find


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's workspace as it was founded; tests work on copies."""
    return found_town(tmp_path_factory.mktemp("founded") / "town").root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    """The town's workspace, for one test."""
    return find(Path(shutil.copytree(founded, fast_tmp / "town")))


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    """A browser at the site, by the name that passkeys are made for."""
    with TestClient(create_app(workspace), base_url="http://localhost:8470", client=("127.0.0.1", 50000)) as opened:
        yield opened


@pytest.fixture
def desk(client: TestClient) -> Desk:
    """What the site works with."""
    found = client.app.state.desk  # type: ignore[attr-defined]  # of the ASGI application
    assert isinstance(found, Desk)
    return found


@pytest.fixture
def door(client: TestClient, desk: Desk) -> Door:
    """Somebody at the door."""
    return Door(client, desk.register)


@pytest.fixture
def officer(door: Door) -> Door:
    """An officer, signed in."""
    door.join("officer")
    return door


@pytest.fixture
def entries(desk: Desk) -> Callable[[EntryKind], list[Entry]]:
    """Reads the entries of a kind."""
    return lambda kind: list(desk.register.log.entries(kind))


@pytest.fixture
def site(fast_tmp: Path) -> Iterator[tuple[Workspace, str]]:
    """The town's site, served on loopback under the name that passkeys need."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        workspace = found_town(fast_tmp / "town", town_policy(portal=Portal(namespace="forum", url=url)))
        server = uvicorn.Server(uvicorn.Config(create_app(workspace), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield workspace, url.replace("127.0.0.1", "localhost")
        server.should_exit = True
        thread.join()
