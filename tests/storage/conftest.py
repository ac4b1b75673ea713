"""Object stores on loopback, for the tests beside this file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from making import open_policy
from objects import AZURE, azure_server, azurite

from demur import workspace as workspaces
from demur.workspace import Workspace


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
