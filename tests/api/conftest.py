"""A forum's API, called as its platform would: in this process, without a network."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient
from town import found_town

from demur.register import Register
from demur.web.app import create_app
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace, find

BASE = "http://127.0.0.1:8470"
NO_HURRY = Rate(10**9, 1.0)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's workspace as it was founded; tests work on copies."""
    return found_town(tmp_path_factory.mktemp("founded") / "town").root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    return find(Path(shutil.copytree(founded, fast_tmp / "town")))


@contextmanager
def _serving(workspace: Workspace) -> Iterator[FastAPI]:
    """The application, for callers whom no limit meets."""
    made = create_app(workspace, limits=Limits(Rates(page=NO_HURRY, key=NO_HURRY)))
    yield made
    made.state.desk.close()


@pytest.fixture
def app(workspace: Workspace) -> Iterator[FastAPI]:
    with _serving(workspace) as made:
        yield made


@pytest.fixture(scope="module")
def shared_app(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """One application for many calls that it has to refuse, each without a trace in the register."""
    with _serving(find(Path(shutil.copytree(founded, tmp_path_factory.mktemp("shared") / "town")))) as made:
        yield made


@pytest.fixture(scope="module")
def shared_register(shared_app: FastAPI) -> Register:
    found = shared_app.state.desk.register
    assert isinstance(found, Register)
    return found


@pytest.fixture(scope="module")
def shared_key(shared_register: Register) -> str:
    return shared_register.api_keys.create("forum")


@pytest.fixture
def refused_anyone(shared_app: FastAPI) -> TestClient:
    """Somebody without a key, at the shared application."""
    return TestClient(shared_app, base_url=BASE)


@pytest.fixture
def refused(refused_anyone: TestClient, shared_key: str) -> TestClient:
    """The forum with its key, at the shared application."""
    refused_anyone.headers["Authorization"] = f"Bearer {shared_key}"
    return refused_anyone


@pytest.fixture
def desk(app: FastAPI) -> Desk:
    found = app.state.desk
    assert isinstance(found, Desk)
    return found


@pytest.fixture
def register(desk: Desk) -> Register:
    return desk.register


@pytest.fixture
def key(register: Register) -> str:
    return register.api_keys.create("forum")


@pytest.fixture
def anyone(app: FastAPI) -> TestClient:
    """Somebody without a key."""
    return TestClient(app, base_url=BASE)


@pytest.fixture
def api(app: FastAPI, key: str) -> TestClient:
    """The forum, with its key."""
    return TestClient(app, base_url=BASE, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """Where the forum's portal answers, on a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client_module(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401  # a module outside the package
    """The Python client, as a platform copies it."""
    monkeypatch.syspath_prepend(str(root / "clients" / "python"))
    sys.modules.pop("demur_client", None)
    return import_module("demur_client")
