"""Tests of what the extra ``train`` makes possible (`make test-train`): without torch none of them is collected."""

import importlib.util
from pathlib import Path

import pytest
import trainable
from trainable import Community

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]


@pytest.fixture(scope="session")
def community(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A workspace with a finished run `one`; copied where a test changes it."""
    return trainable.community(tmp_path_factory.mktemp("community"))


@pytest.fixture
def own(community: Community, tmp_path: Path) -> Community:
    """A copy of it."""
    return community.copied(tmp_path / "own")
