"""Debian's Prometheus scrapes a running server by the configuration and the alerts of docs/operations.md."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from desk import write_posts
from making import open_policy
from served import Served

from demur.cli import run
from demur.register import KeyScope
from demur.workspace import Workspace, create

PATIENCE_S = 60


def written(root: Path, folder: Path, target: str) -> Path:
    """The files that the page shows, with this test's places in them; the configuration."""
    page = (root / "docs" / "operations.md").read_text()
    for name, content in re.findall(r"```yaml\n# (\S+)\n(.*?)```", page, re.DOTALL):
        text = content.replace("/etc/prometheus/demur.key", str(folder / "demur.key")).replace("15s", "1s")
        (folder / name).write_text(text.replace("127.0.0.1:8470", target))
    return folder / "prometheus.yml"


@contextmanager
def watching(programs: Path, config: Path) -> Iterator[str]:
    """A Prometheus; where it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    options = {"config.file": config, "storage.tsdb.path": config.parent / "tsdb", "web.listen-address": place}
    command = [str(programs / "prometheus"), *(f"--{name}={value}" for name, value in options.items())]
    with (config.parent / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield f"http://{place}"
        finally:
            process.kill()
            process.wait()


def asked(prometheus: str, query: str) -> dict[str, float]:
    """What a query gives, by its only label."""
    try:
        found = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}).json()["data"]["result"]
    except (httpx.TransportError, KeyError, ValueError):
        return {}
    return {",".join(sorted(each["metric"].values())): float(each["value"][1]) for each in found}


def becomes(prometheus: str, query: str, wanted: dict[str, float]) -> None:
    until = time.monotonic() + PATIENCE_S
    while (found := asked(prometheus, query)) != wanted and time.monotonic() < until:
        time.sleep(0.2)
    assert found == wanted


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    workspace = create(fast_tmp / "w", open_policy())
    posts = write_posts(fast_tmp / "posts.jsonl")
    assert run(["import", "table", str(posts), "-w", str(workspace.root)]) == 0
    return workspace


def test_prometheus_scrapes_what_stands(prometheus: Path, workspace: Workspace, root: Path, fast_tmp: Path) -> None:
    with workspace.register() as register:
        key = register.api_keys.create("prometheus", KeyScope.METRICS)
        register.objections.lodge(["forum:ann"], channel="letter")
    (fast_tmp / "demur.key").write_text(key)
    server = Served(workspace)
    try:
        config = written(root, fast_tmp, server.url.removeprefix("http://"))
        assert subprocess.run([prometheus / "promtool", "check", "config", config], check=False).returncode == 0
        with watching(prometheus, config) as at:
            becomes(at, "max(demur_workers)", {"": 1})
            becomes(at, "sum by (channel) (demur_objections)", {"letter": 1})
            becomes(at, "max(demur_objections_unhonoured)", {"": 0})
            becomes(at, "max(demur_objection_effect_seconds_count)", {"": 1})
            assert asked(at, "time() - max(demur_worker_beat_timestamp_seconds)")[""] < 60
            # A scrape is counted once it is answered, so the first one does not yet tell of itself.
            becomes(at, 'sum(demur_http_requests_total{part="probes",status="200"}) >= bool 1', {"": 1})
        text = server.get("/metrics", authorization=f"Bearer {key}").text
        linted = subprocess.run(
            [prometheus / "promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")
        assert server.get("/metrics").status_code == 401
    finally:
        server.stop()
