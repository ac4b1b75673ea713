"""A kill -9 of the server under load loses no objection that it acknowledged, and records none twice.

The real server on a real socket; eight clients that each keep a connection, and send what got no answer again, with
its Idempotency-Key, to the server that comes next. Afterwards the register is opened and compared with the answers.
"""

import os
import random
import signal
import time
from pathlib import Path
from typing import Final

import pytest
from cluster import postgresql_database
from crowding import Crowd, free_port, serving
from making import open_policy

from demur.policy import Policy
from demur.policy.model import RegisterPlace
from demur.workspace import create

SOAKED: Final = int(os.environ.get("DEMUR_KILLS", "300")) // 10


def check_kills(root: Path, policy: Policy, kills: int) -> None:
    """Lets a crowd object while the server is killed and started again, and compares."""
    workspace = create(root, policy)
    with workspace.register() as register:
        key = register.api_keys.create("forum")
    crowd = Crowd((free_port(),), key)
    threads = crowd.start()
    counts = []
    try:
        for _ in range(kills):
            with serving(workspace, crowd.ports[0]) as server:
                before = len(crowd.acknowledged)
                while len(crowd.acknowledged) < before + 20:
                    time.sleep(0.005)
                time.sleep(random.random() / 5)  # any moment
                server.send_signal(signal.SIGKILL)
                server.wait()
            counts.append(len(crowd.acknowledged))
            with workspace.register() as register:
                for reference in list(crowd.acknowledged.values()):
                    assert register.objections.get(reference).binding
        with serving(workspace, crowd.ports[0]):
            crowd.stop.set()
            for thread in threads:
                thread.join(60)
    finally:
        crowd.stop.set()
    assert len(set(counts)) == kills  # each server took something in
    with workspace.register() as register:
        assert register.objections.in_force() == len(crowd.acknowledged)
        assert len(set(crowd.acknowledged.values())) == len(crowd.acknowledged)
        assert register.standing.suppressed().tolist() == sorted(
            workspace.keys().pepper.subject_keys(crowd.acknowledged).tolist()
        )
    assert crowd.tries > len(crowd.acknowledged)  # some were under way when it was killed


def test_no_acknowledged_objection_is_lost_to_a_kill(fast_tmp: Path) -> None:
    check_kills(fast_tmp / "w", open_policy(), 1)


@pytest.mark.soak
def test_no_acknowledged_objection_is_lost_to_many_kills(tmp_path: Path) -> None:
    check_kills(tmp_path / "w", open_policy(), SOAKED)


@pytest.mark.soak
def test_no_acknowledged_objection_is_lost_to_many_kills_on_postgresql(tmp_path: Path, postgresql: Path) -> None:
    with postgresql_database(postgresql) as url:
        check_kills(tmp_path / "w", open_policy(register_=RegisterPlace(url=url)), SOAKED)
