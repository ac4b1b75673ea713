"""An export is loaded only with a head to follow: the workspace's own, or what its portal signs; and only by that."""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from loads import ALWAYS, TEXTS, objects, texts
from making import open_policy
from served import Thread
from starlette.testclient import TestClient

import demur
from demur.corpus.importing import import_items
from demur.errors import CheckFailed, CorpusError, RegisterError, UnavailableError, UsageError
from demur.loading import Loader
from demur.loading.statement import Statement
from demur.register import KeyScope
from demur.suppression.signed import file_digest
from demur.versions.export import export_rows
from demur.versions.leave import recall
from demur.versions.publish import publish, retire
from demur.versions.states import manifest_of, rows_of
from demur.web.app import create_app
from demur.web.server.crowd import Bounds
from demur.workspace import Workspace, create

MASKED = ["see [person] there", "I met [person] today", *TEXTS[3:]]


def local(exported: Path, workspace: Workspace, **changes: Any) -> Loader:  # noqa: ANN401  # arguments of load
    asked: dict[str, Any] = {"head": workspace.root, "check_every": ALWAYS}
    return demur.load(exported, **(asked | changes))


# the workspace's own head


def test_without_a_head_an_export_is_refused(exported: Path) -> None:
    with pytest.raises(UsageError, match=r"is an export, and nothing in it can say who has objected since: pass head="):
        demur.load(exported)
    with pytest.raises(UsageError, match=r"^.* holds the version v1, not v2: name another folder\.$"):
        demur.load(exported, "v2", head="anywhere")


def test_an_export_gives_the_rows_of_its_version(exported: Path, workspace: Workspace) -> None:
    assert list(local(exported, workspace)) == list(demur.load(workspace.root, "v1"))
    assert texts(local(exported, workspace, columns=["text"]).share(1, 2, block=2)) == texts(
        demur.load(workspace.root, "v1").share(1, 2, block=2)
    )


def test_a_stale_export_is_refused_unless_what_is_stale_is_to_be_left_out(exported: Path, workspace: Workspace) -> None:
    rows = iter(local(exported, workspace))
    next(rows)
    objects(workspace, "forum:ann")
    assert texts(rows) == MASKED  # one that was current when it was opened goes on without her
    with pytest.raises(CheckFailed, match=r"is stale: 3 of its rows .* or pass stale='leave-out' to load the rest\.$"):
        local(exported, workspace)
    assert texts(local(exported, workspace, stale="leave-out")) == MASKED


def test_an_export_goes_on_where_it_was(exported: Path, workspace: Workspace) -> None:
    loader = local(exported, workspace)
    for start in range(6):
        state = loader.state_dict() | {"position": start}
        loader.load_state_dict(state)
        assert texts(loader) == texts(local(exported, workspace))[start:]


def test_places_are_told_in_any_order(exported: Path, workspace: Workspace) -> None:
    loader = local(exported, workspace)
    objects(workspace, "forum:ann")
    batch, places = loader.at(np.array([0, 2, 4]))
    assert (batch.column("text").to_pylist(), places.tolist()) == ([MASKED[1], TEXTS[4]], [2, 4])
    assert loader.places().tolist() == [1, 2, 3, 4]


def test_a_head_of_another_workspace_is_refused(exported: Path, workspace: Workspace, fast_tmp: Path) -> None:
    other = create(fast_tmp / "other", open_policy())
    with pytest.raises(UsageError, match="There is no version v1"):
        local(exported, other)
    import_items(other, "table", [])
    publish(other, "v1")
    with pytest.raises(CorpusError, match="is not the manifest whose digest the register holds"):
        local(exported, other)
    assert len(list(local(exported, workspace))) == 5


def test_a_retired_version_is_refused(exported: Path, workspace: Workspace) -> None:
    retire(workspace, "v1")
    with pytest.raises(UsageError, match="Version v1 was retired"):
        local(exported, workspace)


@pytest.mark.parametrize("name", ["manifest.json", "files.json"])
def test_what_was_changed_is_refused(exported: Path, workspace: Workspace, name: str) -> None:
    path = exported / name
    document = json.loads(path.read_bytes())
    document["signed"]["name"] = "v9"
    path.write_text(json.dumps(document))
    with pytest.raises(CorpusError, match="changed after it was signed"):
        local(exported, workspace)


def test_a_shard_that_was_changed_is_refused_before_its_first_row(exported: Path, workspace: Workspace) -> None:
    (shard,) = (exported / "data").iterdir()
    table = pq.read_table(shard)
    shard.chmod(0o600)
    pq.write_table(table.take([0, 0, 1, 2, 3]), shard)
    with pytest.raises(CorpusError, match="was changed after it was signed: export the version again"):
        next(iter(local(exported, workspace)))
    shard.unlink()
    with pytest.raises(CorpusError, match="can't be read"):
        local(exported, workspace)


def test_many_shards_are_one_version(workspace: Workspace, fast_tmp: Path) -> None:
    from demur.corpus.session import reading  # noqa: PLC0415  # as publishing does it

    with reading(workspace) as session:
        manifest = manifest_of(session, "v1")
        data = (workspace.versions_path / "v1.json").read_bytes()
        export_rows(rows_of(workspace, "v1"), manifest, data, fast_tmp / "two", session.keys, shard_rows=2)
    loader = local(fast_tmp / "two", workspace)
    for start in range(6):
        loader.load_state_dict(loader.state_dict() | {"position": start})
        assert texts(loader) == texts(demur.load(workspace.root, "v1"))[start:]
    objects(workspace, "forum:ann")
    assert texts(loader) == MASKED


# what a portal signs


@pytest.fixture
def app(workspace: Workspace) -> Iterator[FastAPI]:
    made = create_app(workspace)
    yield made
    made.state.desk.close()


@pytest.fixture
def key(app: FastAPI) -> str:
    made: str = app.state.desk.register.api_keys.create("trainer", KeyScope.LOAD)
    return made


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    with Thread(app, Bounds()).running() as server:
        yield f"http://127.0.0.1:{server.port}/api"


def remote(exported: Path, url: str, key: str | None, **changes: Any) -> Loader:  # noqa: ANN401  # the same
    return demur.load(exported, **({"head": url, "key": key, "check_every": ALWAYS} | changes))


def test_over_http_what_is_stale_is_left_out(
    exported: Path, workspace: Workspace, url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert texts(remote(exported, url, key)) == texts(demur.load(workspace.root, "v1"))
    monkeypatch.setenv("DEMUR_API_KEY", key)
    rows = iter(loader := remote(exported, url, None))
    next(rows)
    objects(workspace, "forum:ann")
    assert texts(rows) == TEXTS[3:]  # nothing here can rewrite what names her
    assert (loader.left_out, loader.rewritten) == (3, 0)
    with pytest.raises(CheckFailed, match="is stale: 3 of its rows"):
        remote(exported, url, key)
    assert texts(remote(exported, url, key, stale="leave-out")) == TEXTS[3:]


def test_the_portal_names_what_a_recall_lists_and_nobody_else(
    workspace: Workspace, app: FastAPI, key: str, fast_tmp: Path
) -> None:
    client = TestClient(app, base_url="http://127.0.0.1:8470", headers={"Authorization": f"Bearer {key}"})
    asked = {"version": "v1", "manifest": file_digest(workspace.versions_path / "v1.json"), "nonce": "0f" * 16}
    none = client.post("/api/head", json=asked).json()
    assert (none["items"], none["signed"]["stale"], none["signed"]["nonce"]) == ([], 0, "0f" * 16)
    objects(workspace, "forum:ann", "forum:nobody-here")
    told = client.post("/api/head", json=asked).json()
    report = recall(workspace, "v1", fast_tmp / "recall.csv")
    listed = [line.partition(",")[0].strip('"') for line in report.path.read_text().splitlines()[1:]]
    assert told["items"] == sorted(listed)
    keys = workspace.keys().pepper.subject_keys(["forum:ann", "forum:nobody-here"])
    assert not [each for each in keys.tolist() if f"{each:016x}" in json.dumps(told)]
    again = client.post("/api/head", json=asked | {"known": told["signed"]["digest"]}).json()
    assert (again["items"], again["signed"]["digest"]) == (None, told["signed"]["digest"])
    objects(workspace, "forum:also-nowhere")  # who has no row in it changes nothing but the head
    later = client.post("/api/head", json=asked).json()
    changed = {name for name, value in later["signed"].items() if value != told["signed"][name]}
    assert changed <= {"seq", "commitment", "binding", "time"}
    assert later["items"] == told["items"]


def test_the_portal_refuses_what_is_not_there(workspace: Workspace, app: FastAPI, key: str) -> None:
    client = TestClient(app, base_url="http://127.0.0.1:8470", headers={"Authorization": f"Bearer {key}"})
    asked = {"version": "v1", "manifest": file_digest(workspace.versions_path / "v1.json"), "nonce": "0f" * 16}

    def status(**changes: object) -> tuple[int, str]:
        answer = client.post("/api/head", json=asked | changes)
        return answer.status_code, answer.json()["detail"]

    assert status(version="v9")[0] == 404
    assert status(manifest="00" * 32)[0] == 409
    seen = {"instance": "0" * 32, "incarnation": 1, "seq": 1, "commitment": "00" * 32}
    assert "of another register" in status(after=seen)[1]
    assert status(nonce="short")[0] == 422
    retire(workspace, "v1")
    assert status() == (404, "Version v1 was retired: publish a new one.")


def test_a_key_that_does_not_open_this_is_refused(exported: Path, app: FastAPI, url: str) -> None:
    keys = app.state.desk.register.api_keys
    over = datetime.now(UTC) - timedelta(seconds=1)
    for secret, words in [
        ("demur_wrong", "is unknown, was revoked or has expired"),
        (keys.create("over", KeyScope.LOAD, expires=over), "has expired"),
        (keys.create("platform"), "is for something else"),
    ]:
        with pytest.raises(UsageError, match=rf"^http://127.0.0.1:\d+/api refuses the key: .*{words}"):
            remote(exported, url, secret)
    with pytest.raises(UsageError, match="takes a key: pass key="):
        remote(exported, url, None)
    with pytest.raises(UsageError, match=r"is not reached over TLS, and a key would be: write https://\.$"):
        remote(exported, "http://portal.example/api", "demur_x")


def test_a_portal_that_goes_away_stops_the_loader_once_that_is_too_long(
    exported: Path, app: FastAPI, key: str, clock: list[float]
) -> None:
    with Thread(app, Bounds()).running() as server:
        url = f"http://127.0.0.1:{server.port}/api"
        rows = iter(remote(exported, url, key, max_staleness=timedelta(minutes=1)))
        next(rows)
    clock[0] += 50
    next(rows)
    clock[0] += 20
    with pytest.raises(UnavailableError, match=r"^Loading has stopped: http://.* out of reach for 70 s, .*reached"):
        next(rows)
    with pytest.raises(UnavailableError, match="can't be reached"):
        remote(exported, url, key)


class Liar:
    """Somebody who answers in the place of a portal, with whatever a test wants."""

    def __init__(self, workspace: Workspace, exported: Path) -> None:
        self.keys = workspace.keys()
        manifest = json.loads((exported / "manifest.json").read_bytes())["signed"]
        self.facts: dict[str, Any] = {
            "version": "v1",
            "manifest": file_digest(exported / "manifest.json"),
            "time": "2026-11-29T12:00:00Z",
            "instance": manifest["instance"],
            "incarnation": 1,
            "seq": 1000,
            "commitment": "ab" * 32,
            "binding": 900,
            "stale": 0,
            "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        }
        self.nonce: str | None = None
        self.items: list[bytes] | None = []
        self.status, self.headers, self.raw = 200, dict[str, str](), b""

    def answer(self, asked: dict[str, Any]) -> bytes:
        nonce = self.nonce or asked["nonce"]
        return self.raw or Statement(**{**self.facts, "nonce": nonce}).sign(self.keys, self.items)


@pytest.fixture
def liar(workspace: Workspace, exported: Path) -> Iterator[tuple[Liar, str]]:
    lying = Liar(workspace, exported)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = lying.answer(orjson.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(lying.status)
            for name, value in {"Content-Length": str(len(body)), **lying.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield lying, f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_not_the_signed_answer_to_this_question_is_refused(
    exported: Path, liar: tuple[Liar, str], tmp_path: Path
) -> None:
    lying, url = liar
    assert len(list(remote(exported, url, "k"))) == 5
    cases: list[tuple[str, Any, str]] = [
        ("version", "v2", "speaks of another version"),
        ("manifest", "00" * 32, "speaks of another version"),
        ("instance", "0" * 32, "has another register than the version's"),
        ("binding", 0, "is older than the version"),
        ("stale", 1, "names other rows than were signed"),
        ("digest", "00" * 32, "names other rows than were signed"),
    ]
    for name, value, words in cases:
        kept = lying.facts[name]
        lying.facts[name] = value
        with pytest.raises(RegisterError, match=words):
            remote(exported, url, "k")
        lying.facts[name] = kept
    lying.nonce = "00" * 16
    with pytest.raises(RegisterError, match="gave a statement of an earlier time"):
        remote(exported, url, "k")
    lying.nonce, lying.items = None, [bytes(16)]
    lying.facts |= {"stale": 1, "digest": "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb"}
    with pytest.raises(RegisterError, match="names rows that this export does not have"):
        remote(exported, url, "k")
    lying.items = None
    with pytest.raises(RegisterError, match="does not say which rows are stale"):
        remote(exported, url, "k")
    lying.items, lying.keys = [], lying.keys.create(tmp_path / "keys")
    with pytest.raises(RegisterError, match="changed after it was signed, or signed with another key"):
        remote(exported, url, "k")


def test_a_head_that_is_older_than_one_seen_before_stops_the_loader(exported: Path, liar: tuple[Liar, str]) -> None:
    lying, url = liar
    cases: list[tuple[dict[str, Any], str]] = [
        ({"seq": 999}, r"older than the head seen before \(entry 999, not 1000\)"),
        ({"commitment": "cd" * 32}, "or another one"),
        ({"incarnation": 2}, "was restored since: load again"),
    ]
    for change, words in cases:
        kept = dict(lying.facts)
        rows = iter(loader := remote(exported, url, "k"))
        next(rows)
        state = loader.state_dict()
        lying.facts |= change
        with pytest.raises(RegisterError, match=words):
            next(rows)
        with pytest.raises(RegisterError, match=words):  # in another process too
            remote(exported, url, "k").load_state_dict(state)
        lying.facts = kept


def test_answers_that_are_no_statement_are_refused_or_waited_out(exported: Path, liar: tuple[Liar, str]) -> None:
    lying, url = liar
    for raw in (b"<html>", b"{}", b"[1]", b"\xff", b'{"signed": {"format": 9}, "signature": "00"}'):
        lying.raw = raw
        with pytest.raises(RegisterError, match=r"^What http"):
            remote(exported, url, "k")
    lying.raw = b"x" * (1 << 17)
    with pytest.raises(RegisterError, match="answers with more than the version's rows can make"):
        remote(exported, url, "k")
    lying.raw, lying.status = b"busy", 503
    with pytest.raises(UnavailableError, match=r"can't answer at the moment \(503\)"):
        remote(exported, url, "k")
    lying.status, lying.headers = 302, {"Location": "http://127.0.0.1:9/api/head"}
    with pytest.raises(UsageError, match=r"can't say who objected since \(302\)"):
        remote(exported, url, "k")
    lying.status, lying.raw = 409, b'{"detail": "The head is of another register."}'
    with pytest.raises(RegisterError, match=r"refuses to go on: The head is of another register\.$"):
        remote(exported, url, "k")


def test_a_pinned_key_is_what_counts(exported: Path, liar: tuple[Liar, str], tmp_path: Path) -> None:
    lying, url = liar
    mine = json.loads((exported / "manifest.json").read_bytes())["public_key"]
    assert len(list(remote(exported, url, "k", public_key=mine))) == 5
    other = lying.keys.create(tmp_path / "keys")
    forged = shutil.copytree(exported, tmp_path / "forged")
    document = json.loads((forged / "manifest.json").read_bytes())
    from demur.suppression.signed import envelope  # noqa: PLC0415  # what a forger does

    (forged / "manifest.json").chmod(0o600)
    (forged / "manifest.json").write_bytes(envelope(document["signed"], other.signing))
    with pytest.raises(CorpusError, match="signed with another key"):
        remote(forged, url, "k", public_key=mine)
