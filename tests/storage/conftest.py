"""Object stores on loopback, for the tests beside this file."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from making import open_policy
from objects import AZURE, S3, Bucket, azure_server, azurite, moto, request, s3_server

from demur import workspace as workspaces
from demur.workspace import Workspace


@pytest.fixture(scope="session")
def s3(root: Path, missing: Callable[[str], NoReturn]) -> Iterator[str]:
    """The address of an S3 server."""
    python = moto(root / ".venv" / ".s3", root / "requirements" / "s3.txt") or missing("moto, which pip installs")
    with s3_server(python) as url:
        yield url


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Makes buckets on it; the environment has what opens them."""
    for name, value in S3.items():
        monkeypatch.setenv(name, value)

    def make() -> str:
        name = f"demur-{uuid.uuid4().hex}"
        assert request(s3, "PUT", f"/{name}") == 200
        return name

    return make


@pytest.fixture(scope="session")
def azure(root: Path, tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Iterator[str]:
    """The address of an Azure server."""
    program = azurite(root / ".venv" / ".azurite") or missing("azurite, which npm installs")
    with ExitStack() as stack:
        yield stack.enter_context(azure_server(program, tmp_path_factory.mktemp("azurite")))


@pytest.fixture
def azure_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What opens it."""
    for name, value in AZURE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def template(tmp_path: Path) -> Workspace:
    """A workspace with keys and register, whose corpus does not exist yet."""
    return workspaces.create(tmp_path / "template", open_policy())
