"""Somebody without an account asks for a copy and for their erasure: by the reference on their receipt."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from atwork import at_work
from problems import problem
from starlette.testclient import TestClient
from town import DIETER

from demur.objecting.channels import account_by_reference
from demur.register import ObjectionState, Register
from demur.worker.delivery import Delivery
from demur.worker.mail_kinds import SingleMails
from demur.workspace import Workspace

NAME, CONTACT, ADDRESS = "Nora Nameless", "Nora@bücher.example", "nora@xn--bcher-kva.example"


@pytest.fixture
def objected(anyone: TestClient, register: Register) -> dict[str, ObjectionState]:
    """Nora's objections by channel: she names herself, a contact, and an account that is Dieter's."""
    form = {"names": NAME, "links": DIETER, "contact": CONTACT}
    assert anyone.post("/en/object/person", data=form, follow_redirects=False).status_code == 303
    found = {each.channel: each for each in register.objections.waiting()}
    hers = found["no-account"].reference
    register.attachments.add(hers, "note.txt", "text/plain", b"Please.")
    return found


def copied(api: TestClient, reference: str) -> dict[str, Any]:
    answer = api.post("/api/access", json={"reference": reference})
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told: dict[str, Any] = orjson.loads(archive.read("copy.json"))
    return told


def test_the_copy_holds_what_they_said_and_nothing_of_an_account_that_they_named(
    api: TestClient, objected: dict[str, ObjectionState]
) -> None:
    told = copied(api, objected["no-account"].reference)
    (objection,) = told["objections"]
    assert (objection["statement"]["names"], objection["statement"]["contact"]) == ([NAME], CONTACT)
    assert [each["name"] for each in objection["attachments"]] == ["note.txt"]
    assert (told["members"], told["corpus"]["rows"], len(told["accounts"])) == ([], [], 1)
    assert "Dieter Dachs" not in str(told)


def test_a_letter_without_an_account_is_in_its_writer_s_copy_before_anybody_checked_it(
    api: TestClient, register: Register
) -> None:
    account = "person:" + "c" * 32
    lodged = register.objections.lodge([account], channel="letter", statement={"names": [NAME], "text": "No."})
    (objection,) = copied(api, lodged.reference)["objections"]
    assert (objection["unchecked"], objection["statement"]["text"]) == (False, "No.")


def test_an_erasure_destroys_what_they_said_and_what_waits_for_their_contact(
    api: TestClient, register: Register, objected: dict[str, ObjectionState]
) -> None:
    hers, named = objected["no-account"].reference, objected["typed-in"].reference
    register.mails.post("confirm", "en", {"reference": "another"}, address=CONTACT)
    assert register.mails.waiting() == 4, "hers, the question to Dieter, and one that is not about this"
    done = api.post("/api/erasures", json={"reference": hers}).json()
    assert (done["finished"], done["accounts"], done["own"]) == (True, 1, 0)
    assert (register.objections.statement(hers), register.attachments.of(hers)) == (None, [])
    assert register.objections.get(hers).binding
    assert register.objections.statement(named) is not None
    assert register.members.get(DIETER) is not None
    left = [(each.address, each.params["reference"]) for each in register.mails.claim(10)]
    assert sorted(left) == sorted([(CONTACT, "another"), ("dieter@town.example", named)])
    assert "erased" in problem(api.post("/api/erasures", json={"reference": hers}), 409, "conflict")["detail"]
    problem(api.post("/api/access", json={"reference": hers}), 409, "conflict")


def test_an_erasure_removes_the_mails_to_their_contact_that_tell_of_it(
    api: TestClient, workspace: Workspace, register: Register, objected: dict[str, ObjectionState]
) -> None:
    register.mails.post(
        "withdrawn", "en", {"reference": objected["typed-in"].reference}, address=CONTACT, now=datetime.now(UTC)
    )
    with at_work(workspace, register) as depot:
        lane = Delivery(depot, SingleMails(depot))
        lane.turn()
        lane.close()
    assert len(mails(workspace)) == 4
    api.post("/api/erasures", json={"reference": objected["no-account"].reference})
    left = mails(workspace)
    assert len(left) == 2
    assert not any(objected["no-account"].reference.encode() in each for each in left)
    assert sum(ADDRESS.encode() in each.lower() for each in left) == 1, "what does not tell of her objection"


def mails(workspace: Workspace) -> list[bytes]:
    return [path.read_bytes() for path in workspace.outbox_path.rglob("*.eml")]


@pytest.mark.parametrize("channel", ["typed-in", "letter", "api", "signed-link"])
def test_a_reference_opens_and_erases_no_account(api: TestClient, register: Register, channel: str) -> None:
    for accounts in (["forum:silent"], ["person:" + "a" * 32, "forum:silent"], ["person:silent"]):
        reference = register.objections.lodge(accounts, channel=channel, statement={"text": "No."}).reference
        for path in ("/api/access", "/api/erasures"):
            told = problem(api.post(path, json={"reference": reference}), 409, "conflict")
            assert "make sure who asks" in told["detail"]
            assert "--account" in told["detail"]
        assert register.objections.statement(reference) == {"text": "No."}


def test_a_person_s_value_that_somebody_typed_in_opens_nothing(
    api: TestClient, register: Register, objected: dict[str, ObjectionState]
) -> None:
    account = account_by_reference(register, objected["no-account"].reference)
    typed = register.objections.lodge([account], channel="typed-in").reference
    problem(api.post("/api/access", json={"reference": typed}), 409, "conflict")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"account": None},
        {"reference": None},
        {"account": None, "reference": "7KQ2-9XJM-4TPA-C0WD"},
        {"account": "forum:ann", "reference": "7KQ2-9XJM-4TPA-C0WD"},
        {"reference": ""},
        {"reference": 7},
    ],
)
def test_it_is_an_account_or_a_reference_and_one_of_them(api: TestClient, said: dict[str, Any]) -> None:
    for path in ("/api/access", "/api/erasures"):
        problem(api.post(path, json=said), 422, "malformed")


def test_an_unknown_reference_is_not_found(api: TestClient) -> None:
    for typed in ("7KQ2-9XJM-4TPA-C0WE", "nonsense", "\udc80".encode(errors="replace").decode()):
        problem(api.post("/api/access", json={"reference": typed}), 404, "not-found")
