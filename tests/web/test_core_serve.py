"""`demur serve`: a real process, on loopback, that ends when it is told to."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from served import Served

from demur.cli import run
from demur.workspace import Workspace

Serve = Callable[..., Served]


@pytest.fixture
def serve(workspace: Workspace) -> Iterator[Serve]:
    started: list[Served] = []

    def start(*options: str) -> Served:
        started.append(Served(workspace, *options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.stop(signal.SIGKILL)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_stop(serve: Serve, by: signal.Signals) -> None:
    served = serve("--no-worker")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", served.url)
    answer = served.get("/en/")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    head = httpx.head(served.url + "/en/")
    assert (head.status_code, head.content) == (200, b"")
    code, said = served.stop(by)
    assert code == 0
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["status"] for line in lines] == [200, 200]
    assert "127.0.0.1" not in said


def test_what_a_proxy_says_is_believed_only_behind_one(serve: Serve) -> None:
    said = {"x_forwarded_for": "192.0.2.7", "x_forwarded_proto": "https"}
    alone, behind = serve("--no-worker"), serve("--no-worker", "--behind-proxy")
    assert "strict-transport-security" not in alone.get("/en/", **said).headers
    assert "strict-transport-security" in behind.get("/en/", **said).headers
    assert behind.get("/outbox", **said).status_code == 404


def test_the_worker_starts_with_the_server_and_ends_with_it(serve: Serve, workspace: Workspace) -> None:
    served = serve()
    until = time.monotonic() + 30
    while not (workspace.root / ".worker").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert _workers(workspace), "it runs as a child"
    assert served.stop()[0] == 0
    assert not _workers(workspace)


def _workers(workspace: Workspace) -> list[int]:
    """Processes that run `demur worker` on the workspace."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = each.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"worker" in arguments and os.fsencode(workspace.root) in arguments:
            found.append(int(each.parent.name))
    return found


def test_plain_http_to_a_network_has_to_be_asked_for(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for host in ("0.0.0.0", "192.0.2.7", "town.example", "::"):
        assert run(["serve", "-w", str(workspace.root), "--host", host]) == 2
        said = capsys.readouterr().err
        assert "--behind-proxy" in said
        assert "--insecure" in said


def test_without_the_extra_it_says_what_to_install(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["serve", "-w", str(workspace.root)]) == 2
    assert "demur[web]" in capsys.readouterr().err
