"""Bodies that are made to cost much: each is refused with a problem, and the API goes on."""

import tracemalloc

import pytest
from starlette.testclient import TestClient

from demur.register import Register

JSON = {"content-type": "application/json"}
DEEP = 100_000
ROUTES = ["/api/objections", "/api/objections/batch", "/api/bounces", "/api/accounts/forum:ann/notices/shown"]


@pytest.mark.parametrize(
    "path", ["/api/objections", "/api/objections/batch", "/api/access", "/api/erasures", "/api/bounces"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"accounts":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"accounts":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"accounts":["forum:ann"],"channel":"api","reason":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"accounts":["forum:ann"],"channel":"api","x":' + b"9" * DEEP + b"}",
        b'{"accounts":["' + b"a" * 200_000 + b'"],"channel":"api"}',
        b'{"accounts":[' + b'"a",' * 50_000 + b'"a"],"channel":"api"}',
        b"{" + b",".join(b'"k%d":1' % number for number in range(20_000)) + b"}",
    ],
    ids=["open", "nested", "objects", "in a field", "in a reason", "number", "string", "accounts", "names"],
)
def test_json_that_is_deep_or_large_is_refused_in_one_sentence(
    refused: TestClient, shared_register: Register, path: str, body: bytes
) -> None:
    before = shared_register.log.head()
    tracemalloc.start()
    answer = refused.post(path, content=body, headers=JSON)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code in {400, 413, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 10_000
    assert peak < 60_000_000
    assert shared_register.log.head() == before
    assert shared_register.objections.in_force() == 0


@pytest.mark.parametrize("said", [True, False])
def test_a_body_over_its_routes_size_is_refused_whatever_is_said_of_its_length(api: TestClient, *, said: bool) -> None:
    body = b'{"accounts":["' + b"a" * 400_000 + b'"],"channel":"api"}'
    content = body if said else iter([body[place : place + 50_000] for place in range(0, len(body), 50_000)])
    assert api.post("/api/objections", content=content, headers=JSON).status_code == 413


def test_whoever_has_no_key_is_refused_before_a_body_is_read(anyone: TestClient) -> None:
    def endless() -> object:
        yield b"{"
        raise AssertionError("more was read")

    assert anyone.post("/api/objections", content=endless(), headers=JSON).status_code == 401  # type: ignore[arg-type]


def test_idempotency_keys_are_kept_for_what_they_answered_and_no_longer(api: TestClient, register: Register) -> None:
    """What grows with them is cleaned by the worker, after seven days."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415  # of this test alone

    for number in range(3):
        body = {"accounts": [f"forum:member{number}"], "channel": "api"}
        assert api.post("/api/objections", json=body, headers={"Idempotency-Key": f"k{number}"}).status_code == 201
        assert api.post("/api/objections", json={}, headers={"Idempotency-Key": f"bad{number}"}).status_code == 422
    assert register.sessions.clean() == 0
    assert register.sessions.clean(now=datetime.now(UTC) + timedelta(days=8)) == 3
