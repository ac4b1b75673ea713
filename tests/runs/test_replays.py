"""The worker replays by itself, where demur.toml says so and once objections were gathered."""

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from atwork import at_work
from modelling import trained
from town import ANN, found_town, town_policy

from demur.policy import Training
from demur.runs.folder import ModelFolder
from demur.runs.listing import waits
from demur.worker.lanes import drain
from demur.worker.replays import Replays
from demur.workspace import Workspace

NOTES = "import sys; from pathlib import Path; Path(sys.argv[3], sys.argv[1]).touch()"
FAILS = "import sys; print('No torch here.', file=sys.stderr); sys.exit(2)"


def founded(tmp_path: Path, **training: Any) -> tuple[Workspace, ModelFolder]:  # noqa: ANN401  # fields of the policy
    town = found_town(tmp_path / "town", town_policy(training=Training(**training)))
    order = [town.keys().pepper.subject_key(f"forum:{name}") for name in ("karmenu", "silent", "dieter", "ann", "ewa")]
    return town, trained(town, order)


@pytest.fixture
def lane(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Workspace, ModelFolder, Replays]]:
    town, model = founded(tmp_path, **request.param)
    with town.register() as register, at_work(town, register) as depot:
        lane = Replays(depot)
        lane.command = (sys.executable, "-c", NOTES)
        yield town, model, lane
        lane.close()


def lodge(town: Workspace) -> None:
    with town.register() as register:
        register.objections.lodge([ANN], channel="letter", now=datetime.now(UTC) - timedelta(hours=2))


@pytest.mark.parametrize("lane", [{"replay": "worker", "replay_after_hours": 0}], indirect=True)
def test_a_run_that_waits_is_replayed(lane: tuple[Workspace, ModelFolder, Replays]) -> None:
    town, model, replays = lane
    drain(replays, threading.Event())
    assert not waits(model.run)
    assert replays.counts == {}
    lodge(town)
    assert waits(model.run)
    replays.turn()
    while replays._under_way:
        replays.turn()
    assert (town.root / "irc").exists()
    assert replays.counts == {"replayed": 1}


@pytest.mark.parametrize(
    "lane", [{}, {"replay": "worker", "replay_after_hours": 24}], indirect=True, ids=["by-hand", "gathering"]
)
def test_nothing_is_replayed_by_hand_or_while_objections_are_gathered(
    lane: tuple[Workspace, ModelFolder, Replays],
) -> None:
    town, model, replays = lane
    lodge(town)
    assert waits(model.run)
    drain(replays, threading.Event())
    assert not (town.root / "irc").exists()


@pytest.mark.parametrize("lane", [{"replay": "worker", "replay_after_hours": 0}], indirect=True)
def test_one_that_fails_is_told_of_and_rests(
    lane: tuple[Workspace, ModelFolder, Replays], caplog: pytest.LogCaptureFixture
) -> None:
    town, _, replays = lane
    replays.command = (sys.executable, "-c", FAILS)
    lodge(town)
    with caplog.at_level("INFO", "demur.worker"):
        drain(replays, threading.Event())
    assert replays.counts == {"failed": 1}
    assert "No torch here." in caplog.text
