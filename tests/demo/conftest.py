"""One run of the demo for everybody who looks at what it left: it takes longer than all of their looking."""

import pytest

from demur.demo.loop import run
from demur.demo.report import Report

PEOPLE = 120
SEED = 3


@pytest.fixture(scope="session")
def told() -> list[str]:
    """What the run said while it went on."""
    return []


@pytest.fixture(scope="session")
def outcome(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> Report:
    """What the run found; nobody changes what lies in its folder."""
    return run(tmp_path_factory.mktemp("demo") / "workspace", people=PEOPLE, seed=SEED, report=told.append)
