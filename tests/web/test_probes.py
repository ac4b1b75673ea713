"""What those ask for who watch over the server: alive, ready with reasons by name, and figures that name nobody."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from atwork import at_work
from pages import Visitor
from places import keep, ruin
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from demur.corpus.honour import honour
from demur.register import KeyScope
from demur.register.figures import BOUNDS_S
from demur.register.members.rows import MEMBER
from demur.web import probes
from demur.web.desk import Desk
from demur.workspace import Workspace

pytestmark = pytest.mark.either

Found = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_READY_S", 0.0)
    monkeypatch.setattr(probes, "_FIGURES_S", 0.0)


@pytest.fixture
def watcher(visitor: Visitor) -> TestClient:
    return visitor.client


def figures(watcher: TestClient, desk: Desk) -> Found:
    key = desk.register.api_keys.create(f"watch {datetime.now(UTC)}", KeyScope.METRICS)
    answer = watcher.get("/metrics", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    found: Found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_who_is_alive_says_so_without_a_register(watcher: TestClient, desk: Desk) -> None:
    desk.register.close()
    shutil.rmtree(desk.workspace.root)
    assert watcher.get("/healthz").text == "ok\n"
    assert watcher.head("/healthz").status_code == 200


def test_ready_is_who_has_all_parts_and_a_worker(watcher: TestClient, desk: Desk, workspace: Workspace) -> None:
    alone = watcher.get("/readyz")
    assert (alone.status_code, alone.json()) == (503, {"ready": False, "failing": ["worker"]})
    assert watcher.get("/readyz?exclude=worker").json() == {"ready": True, "failing": []}
    with at_work(workspace, desk.register):
        assert watcher.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda at: at.mark_path.unlink(), "mark"),
        (lambda at: at.mark_path.write_bytes(b"{}"), "mark"),
        (lambda at: (at.keys_path / "pepper.key").write_bytes((at.keys_path / "sealing.key").read_bytes()), "keys"),
        (lambda at: (at.keys_path / "sealing.key").unlink(), "keys"),
        (ruin, "register"),
    ],
    ids=["no mark", "another mark", "another key", "no key", "no register"],
)
def test_who_is_not_ready_says_by_name_why(
    harm: Callable[[Workspace], object], named: str, watcher: TestClient, desk: Desk, workspace: Workspace
) -> None:
    assert watcher.get("/readyz?exclude=worker").status_code == 200
    desk.register.close()  # its connections; the next ones find what is there now
    harm(workspace)
    answer = watcher.get("/readyz?exclude=worker")
    assert answer.status_code == 503
    assert answer.json()["failing"] == [named]


def test_a_corpus_of_another_age_is_not_ready(
    watcher: TestClient, desk: Desk, workspace: Workspace, tmp_path: Path
) -> None:
    desk.register.close()
    bring_back = keep(workspace, tmp_path / "older")
    desk.register.objections.lodge(["forum:ann"], channel="form")
    honour(workspace)
    assert watcher.get("/readyz?exclude=worker").status_code == 200
    desk.register.close()
    bring_back()
    assert watcher.get("/readyz?exclude=worker").json()["failing"] == ["corpus"]


def test_a_worker_that_lags_is_named(watcher: TestClient, desk: Desk, workspace: Workspace) -> None:
    honour(workspace)
    with at_work(workspace, desk.register):
        desk.register.objections.lodge(["forum:ann"], channel="form", now=datetime.now(UTC) - timedelta(seconds=800))
        assert watcher.get("/readyz").status_code == 200
        desk.register.objections.lodge(["forum:ewa"], channel="form", now=datetime.now(UTC))
        assert figures(watcher, desk)["demur_objections_unhonoured"] == {(): 2.0}
        assert 800 <= figures(watcher, desk)["demur_objections_unhonoured_age_seconds"][()] < 900
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("demur.health.LATE_S", 700)
            assert watcher.get("/readyz").json()["failing"] == ["worker"]
        honour(workspace)
        assert watcher.get("/readyz").status_code == 200


def test_figures_are_for_a_key_that_is_for_them(watcher: TestClient, desk: Desk) -> None:
    assert watcher.get("/metrics").status_code == 401
    platform = desk.register.api_keys.create("platform")
    refused = watcher.get("/metrics", headers={"authorization": f"Bearer {platform}"})
    assert refused.status_code == 403
    assert "--scope metrics" in refused.json()["detail"]
    key = desk.register.api_keys.create("prometheus", KeyScope.METRICS)
    assert watcher.get("/api/status", headers={"authorization": f"Bearer {key}"}).status_code == 403


def test_figures_tell_what_stands(watcher: TestClient, desk: Desk, workspace: Workspace) -> None:
    register = desk.register
    before = figures(watcher, desk)
    honour(workspace)
    lodged = register.objections.lodge(["forum:ann"], channel="letter", now=datetime.now(UTC) - timedelta(seconds=30))
    register.objections.lodge(["forum:ewa"], channel="letter")
    register.objections.confirm(lodged.reference)
    register.mails.post("copy-ready", "en", {"url": "x"}, address="ann@town.example")
    waiting = figures(watcher, desk)
    assert waiting["demur_objections"]["letter", "confirmed"] == 1
    assert waiting["demur_objections"]["letter", "lodged"] == 1
    assert waiting["demur_waiting"]["mails",] == before["demur_waiting"]["mails",] + 1
    assert waiting["demur_workers"] == {(): 0}
    assert "demur_worker_beat_timestamp_seconds" not in waiting
    honour(workspace)
    (mail, *_) = register.mails.claim(100)
    register.mails.failed(mail.id, "550")
    with at_work(workspace, register):
        after = figures(watcher, desk)
    assert after["demur_failed"]["mails",] == 1
    assert after["demur_workers"] == {(): 1}
    assert after["demur_objections_unhonoured"] == {(): 0}
    counted = after["demur_objection_effect_seconds_count"][()] - before["demur_objection_effect_seconds_count"][()]
    buckets = after["demur_objection_effect_seconds_bucket"]
    assert counted == 2
    assert set(buckets) == {(f"{float(each)}",) for each in BOUNDS_S} | {("+Inf",)}
    assert buckets["+Inf",] - buckets["15.0",] == 1, "the one that had waited for half of a minute"
    assert after["demur_objection_effect_seconds_sum"][()] >= 30
    assert after["demur_corpus_honoured_entry"] == after["demur_register_binding_entry"]


def test_figures_of_the_process_tell_requests_by_part_and_status(watcher: TestClient, desk: Desk) -> None:
    for path in ("/en/object", "/nowhere", "/api/status", "/healthz", "/staff/"):
        watcher.get(path)
    found = figures(watcher, desk)["demur_http_requests_total"]
    assert found["portal", "200"] == 1
    assert found["elsewhere", "404"] == 1
    assert found["api", "401"] == 1
    assert found["probes", "200"] == 1
    assert found["staff", "200"] == 1


def test_figures_name_nobody(watcher: TestClient, desk: Desk, workspace: Workspace) -> None:
    row = {"account": "forum:nonesuch", "names": ["Nona Nonesuch"], "mail": "nona@mail.example"}
    desk.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
    receipt = desk.register.objections.lodge(["forum:nonesuch"], channel="form", reason="Nonesuch says no.")
    honour(workspace)
    key = desk.register.api_keys.create("prometheus", KeyScope.METRICS)
    told = watcher.get("/metrics", headers={"authorization": f"Bearer {key}"}).text + watcher.get("/readyz").text
    assert "nones" not in told.lower()
    assert receipt.reference not in told


def test_many_who_ask_are_answered_by_one_look(
    watcher: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_READY_S", 60.0)
    looks: list[object] = []

    def look(*of: object) -> list[object]:
        looks.append(of)
        return []

    monkeypatch.setattr("demur.health.failing", look)
    for _ in range(50):
        assert watcher.get("/readyz").status_code == 200
    assert len(looks) == 1
    assert desk.answered["probes", 200] == 50
