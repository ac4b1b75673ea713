"""Servers and workers under load while one is killed, the database restarts and connections are dropped.

Two servers and two workers on one PostgreSQL register, people who object all the time, and a campaign whose mails leave
meanwhile. No objection that was acknowledged is lost, none is recorded twice, everybody gets their notice, and none
comes twice but what was in flight where a worker was killed. Nobody has to start anything again but what was killed.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psycopg
import pytest
from cluster import Cluster, running
from crowding import Crowd, free_port, serving
from mailing import campaign, mail_policy
from postbox import Manners, bad_server

from demur.policy.model import RegisterPlace
from demur.register import Register
from demur.terms import NoticeStatus
from demur.worker.transport import GROUP
from demur.workspace import Workspace, create

DATABASE: Final = "drill"
PEOPLE: Final = 250
"""Who get a notice."""
PATIENCE_S: Final = 90
STEP: Final = 10
"""Objections and mails between one blow and the next."""


class Drill:
    """What is under load, and what is done to it."""

    def __init__(
        self, stack: ExitStack, cluster: Cluster, workspace: Workspace, crowd: Crowd, manners: Manners
    ) -> None:
        self.cluster, self.workspace, self.crowd, self.manners = cluster, workspace, crowd, manners
        self.killed_workers = 0
        self._stack = stack
        self._servers = [self._served(port) for port in crowd.ports]
        self._workers = [self._worker(), self._worker()]

    def kill_a_server(self) -> None:
        self._servers[0].kill()
        self._servers[0].wait()
        self.goes_on()  # on the other one
        self._servers[0] = self._served(self.crowd.ports[0])

    def kill_a_worker(self) -> None:
        self.killed_workers += 1
        self._workers[0].kill()
        self._workers[0].wait()
        self._workers[0] = self._worker()

    def restart_the_database(self) -> None:
        self.cluster.crash()

    def drop_connections(self) -> None:
        with psycopg.connect(f"host={self.cluster.socket} user=demur dbname=postgres", autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [DATABASE])

    def goes_on(self) -> None:
        """Wait until objections are acknowledged and mails leave again."""
        objections, mails = len(self.crowd.acknowledged) + STEP, min(len(self.manners.mails) + STEP, PEOPLE)
        eventually(lambda: len(self.crowd.acknowledged) >= objections and len(set(self.manners.mails)) >= mails)

    def all_run(self) -> bool:
        return all(each.poll() is None for each in (*self._servers, *self._workers))

    def _served(self, port: int) -> "subprocess.Popen[bytes]":
        return self._stack.enter_context(serving(self.workspace, port))

    def _worker(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "demur", "worker", "-w", str(self.workspace.root)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, f"it did not go on within {PATIENCE_S} s"
        time.sleep(0.02)


def told(register: Register) -> bool:
    return all(record.status is NoticeStatus.SENT for _, record in register.notices.records("spring"))


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_restarts_lose_no_acknowledgement(postgresql: Path, tmp_path: Path, rounds: int) -> None:
    manners = Manners(slow_s=0.005)
    with ExitStack() as stack:
        cluster = stack.enter_context(running(postgresql))
        cluster.create(DATABASE)
        place = stack.enter_context(bad_server(manners))
        policy = mail_policy(place).model_copy(update={"register_": RegisterPlace(url=cluster.url(DATABASE))})
        workspace = create(tmp_path / "w", policy)
        campaign(workspace, PEOPLE)
        with workspace.register() as register:
            crowd = Crowd((free_port(), free_port()), register.api_keys.create("forum"), pause=0.1)
        drill = Drill(stack, cluster, workspace, crowd, manners)
        threads = crowd.start()
        stack.callback(crowd.stop.set)
        drill.goes_on()
        for _ in range(rounds):
            for blow in (drill.drop_connections, drill.restart_the_database, drill.kill_a_worker, drill.kill_a_server):
                blow()
                drill.goes_on()
        crowd.stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        with workspace.register() as register:
            eventually(lambda: told(register))
            assert drill.all_run(), "whatever was not killed is still the same process"
            acknowledged = crowd.acknowledged
            for account, reference in acknowledged.items():
                assert [each.reference for each in register.objections.of(account)] == [reference]
            assert register.objections.in_force() == len(acknowledged)
        assert len(set(manners.mails)) == PEOPLE
        assert len(manners.mails) <= PEOPLE + GROUP * drill.killed_workers
        told_wrong: list[str] = []
        with workspace.register() as register:
            register.audit(told_wrong.append)
        assert told_wrong == []
