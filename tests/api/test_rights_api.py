"""A copy, a deletion and bounced mails over the API, in a town with posts."""

import asyncio
import io
import zipfile
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import orjson
import pytest
from fastapi import FastAPI
from problems import problem
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from town import ANN, DIETER

from demur.register import Delivered, Register, Selection
from demur.terms import Channel, NoticeStatus
from demur.worker.returned import Reading, read_returned
from demur.workspace import Workspace

EVERYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)


def test_a_copy_holds_what_the_person_wrote_and_leaves_no_file(
    api: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    answer = api.post("/api/access", json={"account": ANN})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = orjson.loads(archive.read("copy.json"))
    assert "The library opens at nine." in str(told)
    assert list(tmp_path.rglob("*.zip")) == []


def test_of_an_account_that_nobody_knows_there_is_no_copy(api: TestClient) -> None:
    told = problem(api.post("/api/access", json={"account": "forum:never"}), 404, "not-found")
    assert "Nothing is held of or about forum:never" in told["detail"]
    with zipfile.ZipFile(io.BytesIO(api.post("/api/access", json={"account": DIETER}).content)) as archive:
        assert '<html lang="de"' in archive.read("copy.html").decode(), "the language on file"


def test_a_copy_whose_reader_hangs_up_leaves_no_file(
    app: FastAPI, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    begun = []

    async def lost(scope: Scope, receive: Receive, send: Send) -> None:
        async def hang_up(message: Message) -> None:
            begun.append(message["type"])
            if message["type"] == "http.response.body":
                raise ConnectionResetError
            await send(message)

        await app(scope, receive, hang_up)

    client = TestClient(lost, base_url="http://127.0.0.1:8470", raise_server_exceptions=False)
    client.post("/api/access", json={"account": ANN}, headers={"Authorization": f"Bearer {key}"})
    assert "http.response.body" in begun
    assert list(tmp_path.rglob("*.zip")) == []


def test_a_deletion_is_finished_and_its_objection_binds(api: TestClient, register: Register) -> None:
    told = api.post("/api/erasures", json={"account": DIETER}).json()
    assert told["finished"]
    assert told["own"] == 1
    assert register.objections.get(told["reference"]).binding
    assert register.members.get(DIETER) is None


def test_a_deletion_that_has_to_wait_is_recorded_and_binds(
    api: TestClient, workspace: Workspace, register: Register
) -> None:
    with workspace.writing("import"):
        told = api.post("/api/erasures", json={"account": DIETER}).json()
    assert not told["finished"]
    assert register.objections.get(told["reference"]).binding
    again = api.post("/api/erasures", json={"account": DIETER}).json()
    assert again["finished"]


def test_a_malformed_account_is_told(api: TestClient) -> None:
    for path in ("/api/access", "/api/erasures"):
        problem(api.post(path, json={"account": "dieter"}), 422, "malformed")


def sent(register: Register, message_id: str) -> None:
    register.campaigns.start("autumn", EVERYBODY, [Channel.MAIL])
    due = next(each for each in register.notices.claim(Channel.MAIL, 100) if each.member.account == DIETER)
    register.notices.sent(Channel.MAIL, [Delivered("autumn", due.subject, "de", b"\0" * 32, message_id)])


def test_a_bounce_by_message_id_makes_the_person_untold(api: TestClient, register: Register) -> None:
    sent(register, "a.b@town.example")
    told = api.post("/api/bounces", json={"message_id": "<a.b@town.example>", "cause": "5.1.1"})
    assert told.json() == {"known": 1, "outcome": None}
    assert [each.status for each in register.notices.of(DIETER)] == [NoticeStatus.BOUNCED]
    assert api.post("/api/bounces", json={"message_id": "<other@town.example>"}).json() == {"known": 0, "outcome": None}


def test_a_bounce_as_it_came_by_mail_does_the_same(api: TestClient, register: Register) -> None:
    sent(register, "c.d@town.example")
    original = EmailMessage()
    original["Message-ID"] = "<c.d@town.example>"
    original.set_content("Hello")
    status, recipient = EmailMessage(), EmailMessage()
    status["Reporting-MTA"] = "dns; mail.example"
    recipient["Final-Recipient"], recipient["Action"], recipient["Status"] = "rfc822; d@x.example", "failed", "5.1.1"
    report = MIMEMultipart("report", report_type="delivery-status")
    report.attach(MIMEText("It did not arrive."))
    part = MIMEMultipart()
    part.set_type("message/delivery-status")
    part.set_payload([status, recipient])
    report.attach(part)
    report.attach(MIMEMessage(original))
    content = report.as_bytes()
    answer = api.post("/api/bounces", content=content, headers={"Content-Type": "message/rfc822"})
    assert answer.json() == {"known": 1, "outcome": "returned"}
    assert [each.status for each in register.notices.of(DIETER)] == [NoticeStatus.BOUNCED]


def test_a_bounce_is_read_beside_the_server_s_other_work(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(data: bytes) -> Reading:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return read_returned(data)

    monkeypatch.setattr("demur.web.api.notices.read_returned", read)
    answer = api.post("/api/bounces", content=b"Subject: x\n\n", headers={"Content-Type": "message/rfc822"})
    assert answer.json() == {"known": 0, "outcome": "unclear"}
