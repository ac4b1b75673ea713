"""What the demo ends with can be tried as its page says: a mail, its link, one click, and nothing is left of them."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pages import Visitor
from starlette.testclient import TestClient

from demur.corpus.find import find as find_rows
from demur.corpus.honour import honour
from demur.demo.community import Community
from demur.demo.loop import demo_policy
from demur.demo.page import render
from demur.demo.report import Report
from demur.notices.lacking import lacks
from demur.terms import NoticeStatus
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.web.app import create_app
from demur.workspace import Workspace, find


@pytest.fixture(scope="module")
def outcome(outcome: Report, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The run, in a copy of its workspace that may be changed."""
    told, to = outcome.told, tmp_path_factory.mktemp("portal") / "workspace"
    shutil.copytree(outcome.folder, to)

    def copied(path: Path) -> Path:
        return to / path.relative_to(outcome.folder)

    told = replace(told, outbox=copied(told.outbox), mail=told.mail and copied(told.mail))
    return replace(outcome, folder=to, export=copied(outcome.export), told=told)


@pytest.fixture(scope="module")
def workspace(outcome: Report) -> Workspace:
    return find(outcome.folder)


@pytest.fixture
def visitor(workspace: Workspace, outcome: Report) -> Iterator[Visitor]:
    portal = outcome.told.portal
    with TestClient(create_app(workspace), base_url=portal, client=("127.0.0.1", 50000)) as client:
        yield Visitor(client)


def read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def test_the_notice_of_the_demo_lacks_nothing() -> None:
    assert lacks(demo_policy(Community.generate(1).today)) == []


def test_there_is_a_mail_for_each_whose_address_is_on_file(outcome: Report, workspace: Workspace) -> None:
    told = outcome.told
    with workspace.register() as register:
        counts = {count.status: count.number for count in register.campaigns.progress(told.campaign)}
    assert counts == {NoticeStatus.SENT: told.mails, NoticeStatus.FAILED: told.unreached}
    assert told.mails == len(list(told.outbox.glob("*.eml"))) > outcome.people / 2


def test_mails_go_to_nobody_but_invented_members_in_their_languages(outcome: Report) -> None:
    mails = [read(path) for path in outcome.told.outbox.glob("*.eml")]
    addresses = {person.mail for person in Community.generate(outcome.people, outcome.seed).people}
    assert {str(mail["To"]) for mail in mails} <= addresses
    assert {str(mail["Content-Language"]) for mail in mails} == {"en", "de", "fr", "pl"}


def test_telling_changes_nothing_of_what_was_published(outcome: Report, workspace: Workspace) -> None:
    assert list(verify(workspace, "v3", export=outcome.export, current=True).lines()) == []


def test_the_page_shows_the_mail_and_its_link_only_where_there_is_one(outcome: Report) -> None:
    told = outcome.told
    assert told.mail
    assert f"{told.portal}/outbox/{told.mail.name}" in render(outcome)
    assert told.link in render(outcome)
    without = render(replace(outcome, account="", told=replace(told, mail=None, link="")))
    assert "/o/" not in without
    assert "demur find" not in without


def test_a_mail_its_link_and_one_click_leave_no_row_of_theirs(
    outcome: Report, workspace: Workspace, visitor: Visitor
) -> None:
    told = outcome.told
    assert told.mail
    assert told.mail.name in visitor.get("/outbox").html or told.mails > len(visitor.get("/outbox").links)
    shown = visitor.get(f"/outbox/{told.mail.name}")
    assert told.link in shown.html
    held = find_rows(workspace, outcome.account)
    assert held.own > 0
    assert not held.objected

    page = visitor.get(urlsplit(told.link).path)
    assert [len(form.buttons) for form in page.forms] == [1]
    receipt = visitor.submit(page)
    assert "/receipt/" in receipt.path
    honour(workspace)

    left = find_rows(workspace, outcome.account)
    assert (left.objected, left.own, left.about) == (True, 0, 0)
    assert publish(workspace, "v4").content.rows < outcome.versions[-1].rows
