"""Objections over the API: recorded before they are answered, once, each by itself, with no reason demanded."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from problems import problem
from starlette.testclient import TestClient
from town import ANN, ANNS_OTHER, DIETER

from demur.objecting.channels import PROVEN
from demur.register import MEMBER, ObjectionPhase, Register
from demur.register.objections.names import Kept
from demur.tokens import Purpose
from demur.web.desk import Desk

NOWHERE = "0000-0000-0000-0000"


def lodged(api: TestClient, *accounts: str, **said: object) -> Mapping[str, Any]:
    answer = api.post("/api/objections", json={"accounts": accounts or [ANN], **said})
    assert answer.status_code == 201, answer.text
    found: Mapping[str, Any] = answer.json()
    return found


def test_an_objection_binds_when_it_is_answered(api: TestClient, register: Register) -> None:
    told = lodged(api)
    state = register.objections.get(told["reference"])
    assert state.phase is ObjectionPhase.LODGED
    assert state.channel == "api"
    assert register.members.covered_with(ANN).tolist() == register.standing.suppressed().tolist()


def test_it_covers_every_account_of_the_person(api: TestClient, register: Register) -> None:
    told = lodged(api, ANN)
    assert told["covers"] == len(register.members.covered_with(ANNS_OTHER)) > 1


def test_accounts_given_together_are_covered_and_not_linked(api: TestClient, register: Register) -> None:
    assert lodged(api, "forum:new", "x:new")["covers"] == 2
    assert len(register.members.covered_with("x:new")) == 1  # naming two accounts together proves nothing
    assert len(register.standing.suppressed()) == 2


def test_what_is_said_is_kept(api: TestClient, register: Register) -> None:
    told = lodged(api, DIETER, reason="Meins.", channel="letter", received="2026-11-01")
    state = register.objections.get(told["reference"])
    assert (state.channel, str(state.received)) == ("letter", "2026-11-01")
    assert register.objections.reason(told["reference"]) == "Meins."


def test_a_reason_is_never_asked_for_and_may_be_empty(api: TestClient) -> None:
    assert lodged(api, ANN)
    assert lodged(api, ANN, reason="")
    assert lodged(api, ANN, reason=None)


def test_an_unconfirmed_one_waits_for_an_officer_and_has_no_deadline(api: TestClient, register: Register) -> None:
    told = lodged(api, ANN, unconfirmed=True)
    state = register.objections.get(told["reference"])
    assert (told["confirm_by"], state.confirm_by, state.channel) == (None, None, "api-unconfirmed")
    assert state in register.objections.waiting(proven=PROVEN)
    assert register.objections.lapse_overdue(datetime(2099, 1, 1, tzinfo=UTC)) == []
    problem(api.post(f"/api/objections/{told['reference']}/lapse", json={"cause": "unconfirmed"}), 409, "conflict")
    assert register.objections.get(told["reference"]).binding


def test_an_unconfirmed_one_keeps_the_channel_that_is_named(api: TestClient, register: Register) -> None:
    told = lodged(api, ANN, unconfirmed=True, channel="form")
    assert register.objections.get(told["reference"]).channel == "form"


def test_the_receipt_link_opens_that_receipt(api: TestClient, desk: Desk) -> None:
    told = lodged(api, ANN)
    start, _, token = told["receipt_url"].rpartition("/")
    assert start == f"{desk.policy().portal.url}/en/receipt"
    seq = desk.tokens.read(token, Purpose.RECEIPT).number
    assert desk.register.objections.reference_of(seq) == told["reference"]


@pytest.mark.parametrize("accounts", [[DIETER], ["forum:nobody", DIETER]])
def test_the_receipt_link_is_in_the_language_of_the_person(api: TestClient, accounts: list[str]) -> None:
    """One by one, in a batch, and when the same is sent again."""
    one = {"accounts": accounts}
    key = {"Idempotency-Key": "again"}
    batch = {"objections": [one, {"accounts": ["forum:nobody"]}]}
    first, again = (api.post("/api/objections", json=one, headers=key).json() for _ in range(2))
    told = [each["objection"] for each in api.post("/api/objections/batch", json=batch).json()["results"]]
    assert [each["receipt_url"].split("/")[3] for each in (first, again, *told)] == ["de", "de", "de", "en"]


def test_the_answer_says_where_the_objection_is(api: TestClient) -> None:
    answer = api.post("/api/objections", json={"accounts": [ANN]})
    assert api.get(answer.headers["location"]).json()["reference"] == answer.json()["reference"]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({}, "/accounts"),
        ({"accounts": []}, "/accounts"),
        ({"accounts": ["forum:ann"] * 51}, "/accounts"),
        ({"accounts": ["forum:a\0b"]}, "/accounts/0"),
        ({"accounts": ["forum:" + "a" * 500]}, "/accounts/0"),
        ({"accounts": [7]}, "/accounts/0"),
        ({"accounts": "forum:ann"}, "/accounts"),
        ({"accounts": ["forum:ann"], "reason": "a\0b"}, "/reason"),
        ({"accounts": ["forum:ann"], "reason": "x" * 10_001}, "/reason"),
        ({"accounts": ["forum:ann"], "channel": "pigeon"}, "/channel"),
        ({"accounts": ["forum:ann"], "received": "2999-01-01"}, "/received"),
        ({"accounts": ["forum:ann"], "received": 5}, "/received"),
        ({"accounts": ["forum:ann"], "unconfirmed": "no"}, "/unconfirmed"),
        ({"accounts": ["forum:ann"], "proof": "passport"}, "/proof"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place(
    api: TestClient, register: Register, said: Mapping[str, object], place: str
) -> None:
    told = problem(api.post("/api/objections", json=said), 422, "malformed")
    assert place in [each["pointer"] for each in told["errors"]]
    assert register.objections.in_force() == 0


def test_an_account_that_is_none_is_told_in_a_sentence(api: TestClient) -> None:
    told = problem(api.post("/api/objections", json={"accounts": ["just ann"]}), 422, "malformed")
    assert "namespace:value" in told["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{",
        b"[" * 200_000,
        b'{"accounts":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"accounts": ["forum:\\ud800"]}',
        b'{"accounts": ["forum:ann"], "received": ' + b"9" * 100_000 + b"}",
        b'{"accounts": ["forum:ann"], "received": 1e999999}',
        b'{"accounts": [NaN]}',
    ],
)
def test_hostile_json_is_malformed_and_no_fault_of_ours(api: TestClient, body: bytes) -> None:
    answer = api.post("/api/objections", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422, "malformed")


def test_a_body_that_is_too_long_is_refused(api: TestClient) -> None:
    body = b'{"accounts": ["forum:ann"], "reason": "' + b"x" * 300_000 + b'"}'
    problem(api.post("/api/objections", content=body, headers={"Content-Type": "application/json"}), 413, "too-large")


def test_something_else_than_json_is_refused(api: TestClient) -> None:
    problem(api.post("/api/objections", data={"accounts": ANN}), 415, "media-type")


# Once


def test_the_same_key_and_body_get_the_same_answer(api: TestClient, register: Register) -> None:
    answers = [
        api.post("/api/objections", json={"accounts": [ANN]}, headers={"Idempotency-Key": "a"}) for _ in range(3)
    ]
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {201}
    assert register.objections.in_force() == 1


def test_the_same_key_with_another_body_is_refused(api: TestClient, register: Register) -> None:
    headers = {"Idempotency-Key": '"quoted"'}
    assert api.post("/api/objections", json={"accounts": [ANN]}, headers=headers).status_code == 201
    problem(api.post("/api/objections", json={"accounts": [DIETER]}, headers=headers), 422, "key-reused")
    assert register.objections.in_force() == 1


@pytest.mark.parametrize("written", ['"half', 'half"', '"', '""'])
def test_a_quote_on_one_side_alone_is_no_key(api: TestClient, register: Register, written: str) -> None:
    answer = api.post("/api/objections", json={"accounts": [ANN]}, headers={"Idempotency-Key": written})
    assert answer.status_code == 422
    assert register.objections.in_force() == 0


def test_keys_of_two_callers_are_two_keys(api: TestClient, anyone: TestClient, register: Register) -> None:
    headers = {"Idempotency-Key": "same"}
    other = {**headers, "Authorization": f"Bearer {register.api_keys.create('shop')}"}
    first = api.post("/api/objections", json={"accounts": [ANN]}, headers=headers)
    second = anyone.post("/api/objections", json={"accounts": [DIETER]}, headers=other)
    assert second.status_code == 201
    assert first.json()["reference"] != second.json()["reference"]


def test_what_failed_may_be_tried_again_with_its_key(api: TestClient) -> None:
    headers = {"Idempotency-Key": "again"}
    problem(api.post("/api/objections", json={"accounts": ["ann"]}, headers=headers), 422, "malformed")
    assert api.post("/api/objections", json={"accounts": [ANN]}, headers=headers).status_code == 201


def test_many_that_arrive_at_once_with_one_key_are_one(api: TestClient, register: Register) -> None:
    answers: list[str] = []

    def send() -> None:
        headers = {"Idempotency-Key": "race"}
        answers.append(api.post("/api/objections", json={"accounts": [ANN]}, headers=headers).json()["reference"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert register.objections.in_force() == 1


@pytest.mark.parametrize("given", ["", "x" * 256, "two words"])
def test_a_key_that_is_none_is_refused(api: TestClient, given: str) -> None:
    answer = api.post("/api/objections", json={"accounts": [ANN]}, headers={"Idempotency-Key": given})
    problem(answer, 422, "malformed")


# Many


def test_of_many_each_is_recorded_or_refused_by_itself(api: TestClient, register: Register) -> None:
    said = [{"accounts": [account]} for account in ("forum:a", "no account", "forum:b")]
    answer = api.post("/api/objections/batch", json={"objections": said})
    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert second["objection"] is None
    assert second["problem"]["status"] == 422
    assert register.objections.in_force() == 2
    for each in (first, third):
        assert register.objections.get(each["objection"]["reference"]).binding


def test_a_thousand_are_taken_at_once_and_one_more_is_not(api: TestClient, register: Register) -> None:
    said = [{"accounts": [f"forum:user{number}"]} for number in range(1001)]
    problem(api.post("/api/objections/batch", json={"objections": said}), 422, "malformed")
    assert register.objections.in_force() == 0
    results = api.post("/api/objections/batch", json={"objections": said[:1000]}).json()["results"]
    assert len({each["objection"]["reference"] for each in results}) == 1000
    assert register.objections.in_force() == 1000


def test_many_sent_again_with_their_key_are_recorded_once(api: TestClient, register: Register) -> None:
    said = {"objections": [{"accounts": [f"forum:user{number}"]} for number in range(120)]}
    headers = {"Idempotency-Key": "nightly"}
    first, second = (api.post("/api/objections/batch", json=said, headers=headers) for _ in range(2))
    assert first.text == second.text
    assert register.objections.in_force() == 120
    other = {"objections": said["objections"][:1]}
    problem(api.post("/api/objections/batch", json=other, headers=headers), 422, "key-reused")


# What comes of it


def test_an_objection_is_found_however_its_reference_is_typed(api: TestClient) -> None:
    told = lodged(api, DIETER, channel="mail")
    typed = told["reference"].lower().replace("-", " ")
    found = api.get(f"/api/objections/{typed}").json()
    assert found["reference"] == told["reference"]
    assert (found["status"], found["binding"], found["channel"]) == ("lodged", True, "mail")
    assert DIETER not in str(found)


@pytest.mark.parametrize("reference", [NOWHERE, "7KQ2-9XJM-4TPA-C0VE", "x", "%20", "a" * 60])
@pytest.mark.parametrize("act", ["", "/withdraw", "/confirm"])
def test_an_unknown_reference_is_not_found(api: TestClient, reference: str, act: str) -> None:
    path = f"/api/objections/{reference}{act}"
    problem(api.post(path) if act else api.get(path), 404, "not-found")


def test_a_withdrawn_one_binds_no_more_and_stays_withdrawn(api: TestClient, register: Register) -> None:
    reference = lodged(api)["reference"]
    for _ in range(2):
        answer = api.post(f"/api/objections/{reference}/withdraw")
        assert (answer.status_code, answer.json()["status"], answer.json()["binding"]) == (200, "withdrawn", False)
    problem(api.post(f"/api/objections/{reference}/confirm"), 409, "conflict")
    assert register.objections.in_force() == 0


def test_a_withdrawal_says_how_many_stay(api: TestClient) -> None:
    first, _ = lodged(api), lodged(api)
    assert api.post(f"/api/objections/{first['reference']}/withdraw").json()["others"] == 1


def test_a_confirmed_one_does_not_lapse(api: TestClient) -> None:
    reference = lodged(api, ANN, unconfirmed=True)["reference"]
    assert api.post(f"/api/objections/{reference}/confirm").json()["status"] == "confirmed"
    problem(api.post(f"/api/objections/{reference}/lapse", json={"cause": "denied"}), 409, "conflict")


def test_one_that_its_holder_denies_lapses(api: TestClient) -> None:
    reference = lodged(api, ANN, unconfirmed=True)["reference"]
    problem(api.post(f"/api/objections/{reference}/lapse", json={"cause": "bored"}), 422, "malformed")
    assert api.post(f"/api/objections/{reference}/lapse", json={"cause": "denied"}).json()["status"] == "lapsed"


def test_the_switch_knows_every_account_of_the_person(api: TestClient) -> None:
    def standing(account: str) -> Mapping[str, Any]:
        told: Mapping[str, Any] = api.get(f"/api/accounts/{account}/objection").json()
        return told

    assert standing(ANN) == {"in_force": False, "objections": []}
    reference = lodged(api, ANN)["reference"]
    assert standing(ANNS_OTHER)["in_force"]
    api.post(f"/api/objections/{reference}/withdraw")
    assert not standing(ANN)["in_force"]
    assert [each["status"] for each in standing(ANN)["objections"]] == ["withdrawn"]


def test_the_switch_lists_no_objection_of_somebody_who_may_be_another(api: TestClient, register: Register) -> None:
    typed = {"account": "forum:mallory", "mail": "dieter@town.example"}
    register.members.import_all([pa.RecordBatch.from_pylist([typed], schema=MEMBER)])
    lodged(api, DIETER)
    assert api.get("/api/accounts/forum:mallory/objection").json() == {"in_force": True, "objections": []}
    assert len(api.get("/api/accounts/mail:dieter@town.example/objection").json()["objections"]) == 1


def test_an_account_with_slashes_can_be_asked_for(api: TestClient) -> None:
    account = "web:https://example.org/~ann/objection"
    lodged(api, account)
    answer = api.get(f"/api/accounts/{account.replace('/', '%2F')}/objection")
    assert answer.json()["in_force"]


def test_names_count_at_once_and_of_an_unconfirmed_one_they_wait(api: TestClient, register: Register) -> None:
    sure = lodged(api, "x:new", names=["Annie"], former=["Ann Mills"], links=["https://far.example/p/1"])
    covered = register.objections.covered_by(sure["reference"])
    assert register.names.kept(covered) == Kept(3, 0), "the account's own name is the third"
    waits = lodged(api, "x:other", names=["Zoe Zander"], unconfirmed=True)
    assert register.names.kept(register.objections.covered_by(waits["reference"])).waiting == 1
    api.post(f"/api/objections/{waits['reference']}/confirm")
    assert register.names.kept(register.objections.covered_by(waits["reference"])).waiting == 0


def test_names_are_added_to_an_objection_that_stands(api: TestClient) -> None:
    reference = lodged(api, "x:new")["reference"]
    path = f"/api/objections/{reference}/names"
    answer = api.post(path, json={"names": ["Annie", "annie77"], "former": ["Ann Mills"]})
    assert (answer.status_code, answer.json()) == (200, {"reference": reference, "searched": 4, "waiting": 0})
    assert api.post(path, json={"names": ["Annie"]}).json()["searched"] == 4, "each counts once"
    assert api.post(path, json={}).json()["searched"] == 4
    assert "Annie" not in answer.text


def test_what_nobody_has_confirmed_or_has_ended_takes_no_names(api: TestClient) -> None:
    reference = lodged(api, ANN, unconfirmed=True)["reference"]
    path, said = f"/api/objections/{reference}/names", {"names": ["Dieter Dachs"]}
    problem(api.post(path, json=said), 409, "conflict")
    api.post(f"/api/objections/{reference}/confirm")
    assert api.post(path, json=said).status_code == 200
    api.post(f"/api/objections/{reference}/withdraw")
    problem(api.post(path, json=said), 409, "conflict")
    problem(api.post(f"/api/objections/{NOWHERE}/names", json=said), 404, "not-found")
