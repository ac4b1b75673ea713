"""Two servers on one register, each given the same act at the same moment: it is done once.

Each server has connections, a writer and caches of its own, as two `demur serve` behind one address have. Both get the
act from threads that wait for each other; what they answer and what the register holds afterwards is compared. What
somebody types is left out: a form that is sent twice makes two objections, by one server as by two, since nothing in
it tells a second press from a second person.
"""

import itertools
import sys
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pyarrow as pa
import pytest
from cluster import postgresql_database
from silence import doubted
from starlette.testclient import TestClient
from town import town_policy
from ways import FAR, Platform

from demur.policy.model import RegisterPlace
from demur.register import MEMBER, ObjectionPhase, ObjectionState, Register
from demur.rights.erasing import request as erase
from demur.terms import EntryKind
from demur.tokens import Purpose
from demur.web.app import create_app
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace, create

# FastAPI silences it where a route is first used, by a switch of the whole process: two servers in one turn it back.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")

NO_HURRY: Final = Rate(10**9, 1.0)
BASE: Final = "http://127.0.0.1:8470"

Act = Callable[[TestClient], Any]
ROUNDS: Final = pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.soak)])


@dataclass
class Servers:
    """Two servers of one workspace, and a platform that both trust."""

    workspace: Workspace
    clients: tuple[TestClient, TestClient]
    desk: Desk
    """The first one's."""
    platform: Platform
    key: str
    """Of the API."""
    pool: ThreadPoolExecutor
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def register(self) -> Register:
        return self.desk.register

    def member(self) -> str:
        """Somebody new, who can be written to."""
        name = f"m{next(self._numbers)}"
        row = {"account": f"forum:{name}", "names": ["M"], "locale": "en", "mail": f"{name}@town.example"}
        self.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
        return row["account"]  # type: ignore[return-value]  # a text

    def both(self, act: Act, other: Act | None = None) -> tuple[Any, Any]:
        """Have both do it at once; their answers."""
        gate = threading.Barrier(2)

        def do(client: TestClient, what: Act) -> Any:  # noqa: ANN401  # of the act
            gate.wait()
            return what(client)

        first, second = (
            self.pool.submit(do, client, what) for client, what in zip(self.clients, (act, other or act), strict=True)
        )
        return first.result(60), second.result(60)

    def token(self, purpose: Purpose, number: int) -> str:
        return self.desk.tokens.make(purpose, number)

    def subject(self, account: str) -> int:
        return self.desk.keys.pepper.subject_key(account)

    def letters(self) -> Counter[str]:
        """What waits to be mailed, by template; taken out of the box."""
        found = self.register.mails.claim(100)
        self.register.mails.sent([each.id for each in found])
        return Counter(each.template for each in found)

    def only(self, account: str) -> ObjectionState:
        """The one objection there ever was for an account."""
        (state,) = self.register.objections.of(account)
        return state


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demur-")))
        url = ""
        if request.param == "postgresql":
            url = stack.enter_context(postgresql_database(request.getfixturevalue("postgresql")))
        workspace = create(folder / "w", town_policy(register_=RegisterPlace(url=url)))
        platform = Platform()
        platform.known_to(workspace)
        rates = Rates(page=NO_HURRY, act=NO_HURRY, account=NO_HURRY, question=NO_HURRY, key=NO_HURRY)
        apps = [create_app(workspace, limits=Limits(rates)) for _ in range(2)]
        one, other = (stack.enter_context(TestClient(app, base_url=BASE, follow_redirects=False)) for app in apps)
        desk: Desk = apps[0].state.desk
        key = desk.register.api_keys.create("forum")
        pool = stack.enter_context(ThreadPoolExecutor(2))
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-4)
        yield Servers(workspace, (one, other), desk, platform, key, pool)


def posted(path: str, **form: str) -> Act:
    """A button that is pressed."""
    return lambda client: client.post(path, data=form)


def called(servers: Servers, path: str, body: Any = None, key: str = "") -> Act:  # noqa: ANN401  # JSON
    """A call of the API."""
    headers = {"authorization": f"Bearer {servers.key}"} | ({"idempotency-key": key} if key else {})
    return lambda client: client.post(f"/api{path}", json=body, headers=headers)


def codes(answers: tuple[httpx.Response, httpx.Response]) -> list[int]:
    return sorted(each.status_code for each in answers)


@ROUNDS
def test_a_link_objects_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        answers = servers.both(posted(f"/en/o/{servers.token(Purpose.OBJECT, servers.subject(account))}"))
        assert codes(answers) == [303, 303]
        assert answers[0].headers["location"] == answers[1].headers["location"], "both read the one receipt"
        assert servers.only(account).binding
        assert servers.letters() == {"receipt": 1}


@ROUNDS
def test_a_token_of_the_platform_acts_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        token = servers.platform.token(account, jti=uuid.uuid4().hex)
        assert codes(servers.both(posted("/en/in", token=token, act="object"))) == [303, 403]
        assert servers.only(account).binding
        assert servers.letters() == {"receipt": 1}


@ROUNDS
def test_a_token_of_the_platform_begins_one_session_or_objects(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        token = servers.platform.token(servers.member(), jti=uuid.uuid4().hex)
        acts = (posted("/en/in", token=token, act=each) for each in ("mine", "object"))
        assert codes(servers.both(*acts)) == [303, 403]
        servers.letters()


@ROUNDS
def test_two_tokens_of_one_member_object_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        tokens = [servers.platform.token(account, jti=uuid.uuid4().hex) for _ in range(2)]
        acts = (posted("/en/in", token=token, act="object") for token in tokens)
        assert codes(servers.both(*acts)) == [303, 303]
        assert servers.only(account).binding
        assert servers.letters() == {"receipt": 1}


@ROUNDS
def test_a_link_that_opens_a_session_does_so_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        subject, expires = servers.subject(servers.member()), servers.desk.now() + timedelta(hours=1)
        token = servers.desk.tokens.make(Purpose.READ, subject, expires=expires)
        assert codes(servers.both(posted(f"/en/mine/{token}"))) == [303, 404]


@ROUNDS
def test_a_call_with_one_key_is_done_once(servers: Servers, rounds: int) -> None:
    for number in range(rounds):
        account = servers.member()
        body = {"accounts": [account]} | ({"reason": "No."} if number % 2 else {})
        one, other = servers.both(called(servers, "/objections", body, uuid.uuid4().hex))
        assert codes((one, other)) == [201, 201]
        assert one.json() == other.json()
        assert servers.only(account).reference == one.json()["reference"]


@ROUNDS
def test_a_key_of_two_different_calls_does_one_of_them(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        accounts, key = [servers.member(), servers.member()], uuid.uuid4().hex
        calls = (called(servers, "/objections", {"accounts": [each]}, key) for each in accounts)
        assert codes(servers.both(*calls)) == [201, 422]
        assert sum(len(servers.register.objections.of(each)) for each in accounts) == 1


@ROUNDS
def test_a_batch_with_one_key_is_done_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        accounts = [servers.member() for _ in range(3)]
        body = {"objections": [{"accounts": [each]} for each in accounts]}
        one, other = servers.both(called(servers, "/objections/batch", body, uuid.uuid4().hex))
        assert codes((one, other)) == [200, 200]
        assert one.json() == other.json()
        assert all(servers.only(each).binding for each in accounts)


@ROUNDS
@pytest.mark.parametrize("route", ["api", "receipt"])
def test_a_withdrawal_is_recorded_and_told_once(servers: Servers, rounds: int, route: str) -> None:
    for _ in range(rounds):
        account = servers.member()
        receipt = servers.register.objections.lodge([account], channel="signed-link", statement={"accounts": [account]})
        if route == "api":
            act, code = called(servers, f"/objections/{receipt.reference}/withdraw"), 200
        else:
            act, code = posted(f"/en/receipt/{servers.token(Purpose.RECEIPT, receipt.seq)}/withdraw"), 303
        assert codes(servers.both(act)) == [code, code]
        ended = list(servers.register.log.entries(EntryKind.OBJECTION_WITHDRAWN, after=receipt.seq))
        assert [each.payload["objection"] for each in ended] == [receipt.seq]
        assert servers.letters() == {"withdrawn": 1}


@ROUNDS
def test_of_two_answers_to_one_question_the_last_counts(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        receipt = servers.register.objections.lodge([account], channel="typed-in", statement={"accounts": [account]})
        path = f"/en/confirm/{servers.token(Purpose.CONFIRM, receipt.seq)}"
        servers.both(posted(path, answer="yes"), posted(path, answer="no"))
        phases = [each.phase for each in servers.register.objections.of(account)]
        assert phases in ([ObjectionPhase.CONFIRMED], [ObjectionPhase.WITHDRAWN])  # "yes" came last, or "no" did
        servers.letters()


@ROUNDS
def test_a_late_answer_brings_an_objection_back_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        receipt = servers.register.objections.lodge([account], channel="typed-in", statement={"accounts": [account]})
        servers.register.objections.lapse(receipt.reference, cause="denied")
        path = f"/en/confirm/{servers.token(Purpose.CONFIRM, receipt.seq)}"
        assert codes(servers.both(posted(path, answer="yes"))) == [303, 303]
        states = servers.register.objections.of(account)
        assert [each.phase for each in states] == [ObjectionPhase.CONFIRMED]
        assert len(list(servers.register.log.entries(EntryKind.OBJECTION_REVIVED, after=receipt.seq))) == 1


@ROUNDS
def test_an_erasure_lodges_one_objection(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        one, other = servers.both(lambda _: erase(servers.workspace, account))  # noqa: B023  # it is done at once
        assert one.reference == other.reference == servers.only(account).reference
        assert [each.subject for each in servers.register.persons.erasures()].count(one.subject) == 1


@ROUNDS
def test_what_is_overdue_lapses_once(servers: Servers, rounds: int) -> None:
    for _ in range(rounds):
        account = servers.member()
        receipt = servers.register.objections.lodge([account], channel="typed-in")
        doubted(servers.register, receipt.reference, servers.desk.now())
        desks: list[Desk] = [client.app.state.desk for client in servers.clients]  # type: ignore[attr-defined]  # ASGI
        by_client = dict(zip(servers.clients, desks, strict=True))
        one, other = servers.both(lambda client: by_client[client].register.objections.lapse_overdue(FAR))  # noqa: B023  # the same
        assert sorted([*one, *other]) == [receipt.reference]
