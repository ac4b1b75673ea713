"""Who may call the API, how often, and what whoever may not is told."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from problems import problem
from starlette.testclient import TestClient
from town import ANN

from demur.register import ApiKey, KeyScope, Register
from demur.web.api.root import ROUTES
from demur.web.app import create_app
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace

PATHS = [(method, route.path) for route in ROUTES for method in sorted(route.methods)]  # type: ignore[attr-defined]  # API routes


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer demur_wrong", "Basic YTpi", "Bearer \xe9"])
def test_no_route_works_without_a_key_that_holds(
    refused_anyone: TestClient, shared_register: Register, method: str, path: str, header: str | None
) -> None:
    before = shared_register.log.head()
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = refused_anyone.request(method, path, headers=headers)  # type: ignore[arg-type]  # bytes, as on the wire
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert shared_register.log.head() == before


def test_a_revoked_key_stops_working(api: TestClient, register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.web.api.routing._FRESH_S", 0.0)
    assert api.get("/api/status").status_code == 200
    register.api_keys.revoke("forum")
    problem(api.get("/api/status"), 401, "unauthorized")


def test_a_key_that_held_is_asked_for_once_in_a_second(
    api: TestClient, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    check = register.api_keys.check

    def counted(secret: str) -> ApiKey | None:
        asked.append(secret)
        return check(secret)

    monkeypatch.setattr(register.api_keys, "check", counted)
    monkeypatch.setattr("demur.web.api.routing._FRESH_S", 60.0)
    for _ in range(5):
        assert api.get("/api/status").status_code == 200
    assert len(asked) == 1


def test_a_key_opens_what_it_is_for_and_nothing_else(anyone: TestClient, register: Register) -> None:
    trainers = {"Authorization": f"Bearer {register.api_keys.create('trainer', KeyScope.LOAD)}"}
    platforms = {"Authorization": f"Bearer {register.api_keys.create('platform')}"}
    for method, path in PATHS:
        wrong = platforms if path == "/api/head" else trainers
        detail = problem(anyone.request(method, path, headers=wrong), 403, "forbidden")["detail"]
        assert f"--scope {'load' if wrong is platforms else 'platform'}" in detail


def test_an_expired_key_stops_working(anyone: TestClient, register: Register) -> None:
    over = datetime.now(UTC) - timedelta(seconds=1)
    headers = {"Authorization": f"Bearer {register.api_keys.create('over', expires=over)}"}
    assert "has expired" in problem(anyone.get("/api/status", headers=headers), 401, "unauthorized")["detail"]
    soon = datetime.now(UTC) + timedelta(hours=1)
    headers = {"Authorization": f"Bearer {register.api_keys.create('soon', expires=soon)}"}
    assert anyone.get("/api/status", headers=headers).status_code == 200


def test_who_calls_too_often_is_told_when_to_come_back(workspace: Workspace) -> None:
    app = create_app(workspace, limits=Limits(Rates(key=Rate(3, 0.01))))
    key = app.state.desk.register.api_keys.create("busy")
    client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    assert [client.get("/api/status").status_code for _ in range(3)] == [200] * 3
    refused = client.get("/api/status")
    problem(refused, 429, "too-many")
    assert int(refused.headers["retry-after"]) > 0
    app.state.desk.close()


def test_who_tries_keys_is_slowed_by_address(workspace: Workspace) -> None:
    app = create_app(workspace, limits=Limits(Rates(page=Rate(3, 0.01))))
    client = TestClient(app)
    answers = [client.get("/api/status", headers={"Authorization": f"Bearer demur_{n}"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429]
    app.state.desk.close()


def test_when_too_many_wait_the_answer_is_to_come_back(api: TestClient, app: FastAPI, register: Register) -> None:
    app.state.desk.intake._capacity = 0
    refused = api.post("/api/objections", json={"accounts": [ANN]})
    problem(refused, 503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert register.objections.in_force() == 0


def test_what_is_not_there_is_a_problem_too(anyone: TestClient) -> None:
    problem(anyone.get("/api/nothing"), 404, "not-found")
    problem(anyone.get("/api/"), 404, "not-found")
    refused = anyone.put("/api/objections")
    problem(refused, 405, "not-allowed")
    assert refused.headers["allow"] == "POST"


def test_the_status_says_where_the_register_stands(api: TestClient, register: Register) -> None:
    register.objections.lodge([ANN], channel="mail")
    told = api.get("/api/status").json()
    assert (told["entries"], told["binding"], told["in_force"]) == (
        register.log.head().seq,
        register.log.head().binding,
        1,
    )


def test_a_head_is_answered_without_a_body(api: TestClient) -> None:
    answer = api.head("/api/status")
    assert (answer.status_code, answer.content) == (200, b"")
