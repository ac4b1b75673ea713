"""Claims over the API: recorded once, looked up, refused in one sentence where they can't be kept."""

import pytest
from modelling import trained
from problems import problem
from starlette.testclient import TestClient
from town import ANN, DIETER, EWA, KARMENU, SILENT

from demur.objecting.channels import Route
from demur.register import Register
from demur.rights.access import copy_of
from demur.workspace import Workspace

BODY = {"output": "Ann lives at 7 Harbour Row.", "prompt": "Where?", "account": ANN, "contact": "ann@town.example"}


def test_it_is_recorded_sealed_and_looked_up(api: TestClient, register: Register) -> None:
    answer = api.post("/api/claims", json=BODY)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["status"], told["outcome"]) == ("lodged", None)
    assert told["answer_by"] > told["received"]
    assert answer.headers["location"] == f"/api/claims/{told['reference']}"
    assert api.get(f"/api/claims/{told['reference'].lower()}").json() == told
    assert register.claims.get(told["reference"]).channel == Route.API
    said = register.claims.said(told["reference"])
    assert said is not None
    assert (said.output, said.account) == (BODY["output"], ANN)
    assert api.get(told["page_url"].removeprefix("http://127.0.0.1:8470")).status_code == 200


def test_sent_twice_with_a_key_it_is_recorded_once(api: TestClient, register: Register) -> None:
    first, second = (api.post("/api/claims", json=BODY, headers={"Idempotency-Key": "k1"}).json() for _ in range(2))
    assert first == second
    assert len(register.claims.listed()) == 1
    other = {**BODY, "output": "Other."}
    assert api.post("/api/claims", json=other, headers={"Idempotency-Key": "k1"}).status_code == 422


def test_the_model_is_one_that_is_known(api: TestClient, workspace: Workspace, register: Register) -> None:
    order = [workspace.keys().pepper.subject_key(each) for each in (KARMENU, SILENT, DIETER, ANN, EWA)]
    trained(workspace, order, "helper")
    told = api.post("/api/claims", json={"output": "x", "model": "helper"}).json()
    assert register.claims.get(told["reference"]).run == "helper"
    problem(api.post("/api/claims", json={"output": "x", "model": "helpr"}), 422, "malformed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"output": ""},
        {"output": "x\u0000"},
        {"output": "x", "prompt": "\u001b[2J"},
        {"output": "x" * 10_001},
        {"output": "x", "contact": "nobody"},
        {"output": "x", "account": "no namespace"},
        {"output": "x", "proof": "y"},
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_sentence(
    api: TestClient, register: Register, body: dict[str, str]
) -> None:
    problem(api.post("/api/claims", json=body), 422, "malformed")
    assert register.claims.listed() == []


def test_a_megabyte_is_too_large_and_an_unknown_reference_is_not_found(api: TestClient) -> None:
    problem(api.post("/api/claims", json={"output": "x", "prompt": "y" * (1 << 20)}), 413, "too-large")
    problem(api.get("/api/claims/0000-0000-0000-0000"), 404, "not-found")


def test_their_copy_holds_what_the_platform_passed_on_and_not_what_anybody_typed(
    api: TestClient, register: Register, workspace: Workspace
) -> None:
    import zipfile  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    from demur.register.claims import Said  # noqa: PLC0415

    api.post("/api/claims", json=BODY)
    register.claims.lodge(Said("Typed by a stranger."), ANN, channel=Route.TYPED)
    copy = copy_of(workspace, ANN)
    with zipfile.ZipFile(copy.path) as archive:
        told = orjson.loads(archive.read("copy.json"))["claims"]
        page = archive.read("copy.html").decode()
    copy.discard()
    assert [each["output"] for each in told] == [BODY["output"], None]
    assert [each["unchecked"] for each in told] == [False, True]
    assert told[1]["reference"] is None
    assert "Your reports of what a model said" in page
    assert "7 Harbour Row" in page
    assert "stranger" not in page
    api.post("/api/erasures", json={"account": ANN})
    assert all(register.claims.said(each.reference) is None for each in register.claims.listed())
