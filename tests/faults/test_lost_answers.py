"""The line to PostgreSQL breaks while a transaction commits: nobody knows whether it did, and nothing is lost or twice.

A real server of demur, and people who send their objection again until it is acknowledged, by the link of a notice or
through the platform; each commit is cut off before it arrives, on its way, or before its answer arrives. The same for
the commit of a version.
"""

import http.client
import json
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import pytest
from cluster import Cluster
from crowding import free_port, serving
from cutting import MOMENTS, Line, line
from making import batch, item
from promises import Promises, require_kept
from town import town_policy

from demur.corpus.importing import import_items
from demur.errors import UnavailableError, UsageError
from demur.policy.model import RegisterPlace
from demur.tokens import Purpose, Tokens
from demur.versions.publish import publish
from demur.workspace import Workspace, create

Request = tuple[str, str, str, dict[str, str]]
PATIENCE: Final = 10
"""How often the same is sent."""


@dataclass
class Office:
    """A workspace whose register is at the other end of the line."""

    workspace: Workspace
    line: Line
    told: Promises


@pytest.fixture
def office(cluster: Cluster, tmp_path: Path) -> Iterator[Office]:
    name = f"demur_lost_{uuid.uuid4().hex}"
    cluster.create(name)
    with tempfile.TemporaryDirectory(prefix="demur-line-") as folder, line(Path(folder), cluster.socket) as between:
        url = f"postgresql://demur@/{name}?host={folder}"
        workspace = create(tmp_path / "w", town_policy(register_=RegisterPlace(url=url)))
        import_items(workspace, "table", [batch(item(f"i{n}", f"forum:m{n}", f"Post {n}") for n in range(60))])
        yield Office(workspace, between, Promises())


def ways(office: Office) -> Iterator[tuple[str, Request]]:
    """Somebody new each time, and how they object: by the link of a notice, the next one through the platform."""
    pepper = office.workspace.keys().pepper
    with office.workspace.register() as register:
        key, tokens = register.api_keys.create("forum"), Tokens.of(office.workspace.keys(), register.incarnation)
    for number in range(60):
        account = f"forum:m{number}"
        if number % 2:
            token = tokens.make(Purpose.OBJECT, pepper.subject_key(account))
            yield account, ("POST", f"/en/o/{token}", "", {})
        else:
            headers = {"Content-Type": "application/json", "Idempotency-Key": account, "Authorization": f"Bearer {key}"}
            yield account, ("POST", "/api/objections", json.dumps({"accounts": [account]}), headers)


def objects(port: int, request: Request) -> None:
    """Send the same until it is acknowledged, which the first time it is not."""
    statuses = [send(port, *request)]
    while statuses[-1] not in (201, 303):
        assert statuses[-1] == 503
        assert len(statuses) < PATIENCE
        statuses.append(send(port, *request))
    assert len(statuses) > 1, "a commit of which nobody knows is not acknowledged"


def send(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def checkpoint(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/log/checkpoint")
    note = connection.getresponse().read().decode()
    connection.close()
    return note


@pytest.mark.parametrize("number", [4, pytest.param(50, marks=pytest.mark.soak)])
def test_a_commit_whose_answer_is_lost_is_found_or_done_again(office: Office, number: int) -> None:
    port = free_port()
    with serving(office.workspace, port):
        for at, (account, request) in enumerate(islice(ways(office), number)):
            office.line.cut(MOMENTS[(at + at // 2) % len(MOMENTS)])
            objects(port, request)
            office.told.accounts.append(account)
            office.told.checkpoints.append(checkpoint(port))
    assert office.line.cuts == number
    office.line.mend()
    require_kept(office.workspace, office.told, next_version="v1")


def told_by(office: Office, name: str) -> str:
    """What publishing says; nothing where it worked."""
    try:
        publish(office.workspace, name)
    except (UnavailableError, UsageError) as told:
        return str(told)
    return ""


@pytest.mark.parametrize("number", [1, pytest.param(12, marks=pytest.mark.soak)])
def test_a_version_whose_commit_lost_its_answer_is_there_or_not(office: Office, number: int) -> None:
    """It is published as a whole, or the same name publishes it."""
    with office.workspace.register() as register:
        register.objections.lodge(["forum:m0"], channel="letter")
    office.told.accounts.append("forum:m0")
    for at in range(number):
        name = f"v{at}"
        office.line.cut(MOMENTS[::-1][at % len(MOMENTS)], after=at // len(MOMENTS))
        said = told_by(office, name)
        assert said == "" or "nobody knows whether that was recorded" in said
        office.line.mend()
        said = told_by(office, name)
        assert said == "" or f"There is, or was, a version {name}" in said
        office.told.versions.append(name)
    assert office.line.cuts
    require_kept(office.workspace, office.told, next_version="last")
