# ruff: noqa: ANN401 - the client is a module outside the package
"""The Python client against a real server: every call, and what it does when the server asks it to come back."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from town import ANN, DIETER

from demur.register import Register, Selection
from demur.terms import Channel

EVERYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)


@pytest.fixture
def demur(client_module: Any, address: str, key: str) -> Any:
    return client_module.Demur(address, key)


def test_an_objection_from_beginning_to_end(demur: Any, register: Register) -> None:
    receipt = demur.object([ANN], reason="Mine.", unconfirmed=True)
    reference = receipt["reference"]
    assert register.objections.reason(reference) == "Mine."
    assert demur.objection(reference)["status"] == "lodged"
    assert demur.standing(ANN)["in_force"]
    assert demur.confirm(reference)["status"] == "confirmed"
    assert demur.withdraw(reference)["status"] == "withdrawn"
    other = demur.object([DIETER], unconfirmed=True)
    assert demur.lapse(other["reference"], "denied")["status"] == "lapsed"
    assert demur.status()["in_force"] == 0


def test_somebody_without_an_account_is_named_by_reference(demur: Any, register: Register) -> None:
    said = register.objections.lodge(["person:" + "a" * 32], channel="no-account", statement={"names": ["Nora"]})
    assert demur.access(reference=said.reference).startswith(b"PK")
    assert demur.erase(reference=said.reference)["finished"]
    assert register.objections.statement(said.reference) is None


def test_many_at_once(demur: Any) -> None:
    good, bad = demur.object_many([{"accounts": ["forum:a"]}, {"accounts": ["ben"]}])
    assert good["objection"]["reference"]
    assert bad["problem"]["status"] == 422


def test_notices_are_shown_and_bounces_reported(demur: Any, register: Register) -> None:
    register.campaigns.start("autumn", EVERYBODY, [Channel.IN_APP])
    waiting = demur.notices(ANN)
    assert [each["campaign"] for each in waiting] == ["autumn"]
    assert demur.shown(ANN, waiting) == 1
    assert demur.notices(ANN) == []
    assert demur.shown(ANN, waiting) == 0
    assert not demur.bounced("<nobody@forum.example>", "5.1.1")


def test_a_problem_says_what_is_wrong(demur: Any, client_module: Any) -> None:
    with pytest.raises(client_module.Problem, match="namespace:value") as caught:
        demur.object(["ann"])
    assert (caught.value.status, caught.value.type) == (422, "urn:demur:problem:malformed")


class Moody(BaseHTTPRequestHandler):
    """Hangs up on the first call, is too busy for the second, and answers the third."""

    seen: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.headers["Idempotency-Key"])
        if len(self.seen) == 1:
            return
        busy = len(self.seen) == 2
        self.send_response(503 if busy else 201)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def test_what_got_no_answer_is_sent_again_with_its_key(client_module: Any) -> None:
    Moody.seen = []
    with HTTPServer(("127.0.0.1", 0), Moody) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        demur = client_module.Demur(f"http://127.0.0.1:{server.server_port}", "key")
        assert demur.object(["forum:ann"]) == {}
        server.shutdown()
        thread.join()
    assert len(Moody.seen) == 3
    assert len(set(Moody.seen)) == 1
