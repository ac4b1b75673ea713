"""A kill -9 of the server under load loses no objection that it acknowledged, and records none twice.

The real server on a real socket; eight clients that each keep a connection, and send what got no answer again, with
its Idempotency-Key, to the server that comes next. Afterwards the register is opened and compared with the answers.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from cluster import postgresql_database
from making import open_policy

from demur.policy import Policy
from demur.policy.model import RegisterPlace
from demur.workspace import Workspace, create

CLIENTS: Final = 8
SOAKED: Final = int(os.environ.get("DEMUR_KILLS", "300")) // 10


@dataclass
class Crowd:
    """People who object, each until somebody acknowledges it."""

    port: int
    key: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Account -> reference."""
    tries: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._object) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def _object(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.stop.is_set():
            with self._lock:
                self._next += 1
                account = f"forum:member_{self._next}"
            while account not in self.acknowledged:
                self.tries += 1
                try:
                    self._send(connection, account)
                except (OSError, http.client.HTTPException):
                    connection.close()
                    time.sleep(0.02)
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, account: str) -> None:
        body = json.dumps({"accounts": [account]})
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": account,
        }
        connection.request("POST", "/api/objections", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 201, told
        self.acknowledged[account] = told["reference"]


@contextmanager
def serving(workspace: Workspace, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, listening."""
    command = [sys.executable, "-m", "demur", "serve", "-w", str(workspace.root), "--port", str(port), "--no-worker"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not listening(port):
                assert server.poll() is None
                time.sleep(0.02)
            yield server
        finally:
            server.kill()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_kills(root: Path, policy: Policy, kills: int) -> None:
    """Lets a crowd object while the server is killed and started again, and compares."""
    workspace = create(root, policy)
    with workspace.register() as register:
        key = register.api_keys.create("forum")
    crowd = Crowd(free_port(), key)
    threads = crowd.start()
    counts = []
    try:
        for _ in range(kills):
            with serving(workspace, crowd.port) as server:
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
        with serving(workspace, crowd.port):
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
    check_kills(fast_tmp / "w", open_policy(), 2)


@pytest.mark.soak
def test_no_acknowledged_objection_is_lost_to_many_kills(tmp_path: Path) -> None:
    check_kills(tmp_path / "w", open_policy(), SOAKED)


@pytest.mark.soak
def test_no_acknowledged_objection_is_lost_to_many_kills_on_postgresql(tmp_path: Path, postgresql: Path) -> None:
    with postgresql_database(postgresql) as url:
        check_kills(tmp_path / "w", open_policy(register_=RegisterPlace(url=url)), SOAKED)
