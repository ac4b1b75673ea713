"""Law 3 as people see it: whoever was told before a version was begun is not in it, and each version gets done.

A crowd objects over HTTP while one version after the other is published; only what its clients were told counts, and
when. 10,000 against 50 in `make soak`, where the server is a process of its own.
"""

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from crowding import free_port, serving
from making import batch, item, span
from promises import findings
from served import Thread
from town import town_policy

from demur.corpus.importing import import_items
from demur.versions import publish as publishing
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.versions.states import rows_of
from demur.web.app import create_app
from demur.web.server.crowd import Bounds
from demur.workspace import Workspace, create

CLIENTS = 8
ROUNDS = 4


class Crowd:
    """People who object as they are let in, and remember when they were told that it is done."""

    def __init__(self, port: int, secret: str, people: int) -> None:
        self.told: dict[str, float] = {}
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._people = iter(range(people))
        self._port = port
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._threads = [threading.Thread(target=self._object) for _ in range(CLIENTS)]
        self.failed: list[str] = []
        for each in self._threads:
            each.start()

    def let_in(self, number: int) -> None:
        for _, person in zip(range(number), self._people, strict=False):  # which takes nobody in vain
            self._waiting.put(f"forum:u{person}")

    def finish(self) -> None:
        for _ in self._threads:
            self._waiting.put(None)
        for each in self._threads:
            each.join()

    def _object(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)) as connection:
            while (account := self._waiting.get()) is not None:
                for _ in range(2):
                    with suppress(OSError, http.client.HTTPException):
                        if self._send(connection, account):
                            break
                    connection.close()  # the server hung up on somebody who was quiet for long
                else:
                    self.failed.append(account)

    def _send(self, connection: http.client.HTTPConnection, account: str) -> bool:
        headers = self._headers | {"Idempotency-Key": account}
        connection.request("POST", "/api/objections", json.dumps({"accounts": [account]}), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == http.client.CREATED:
            self.told[account] = time.monotonic()
        return answer.status == http.client.CREATED


def posts(people: int) -> Iterator[dict[str, object]]:
    """One of everybody's, which mentions somebody else."""
    for number in range(people):
        other = f"u{(number * 7 + 1) % people}"
        mention = span(0, len(other) + 1, "mention", f"forum:{other}")
        yield item(f"i{number}", f"forum:u{number}", f"@{other} wrote", spans=[mention])


def people_in(workspace: Workspace, name: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """The subject keys that a version's rows are by or about, sorted."""
    found = [np.zeros(0, np.int64)]
    for rows in rows_of(workspace, name):
        columns = rows["author"], pc.list_flatten(rows["subjects"])
        found += [each.drop_null().to_numpy(zero_copy_only=False) for each in columns]
    return np.unique(np.concatenate(found))


@pytest.mark.law
@pytest.mark.parametrize(("people", "versions"), [(200, 3), pytest.param(10_000, 50, marks=pytest.mark.soak)])
def test_whoever_was_told_before_is_not_in_a_version(
    people: int, versions: int, fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = create(fast_tmp / "w", town_policy())
    import_items(workspace, "table", [batch(posts(people))])
    with workspace.register() as register:
        secret = register.api_keys.create("forum")
    began, rounds = dict[str, float](), dict[str, int]()
    attempt: Callable[..., object] = publishing._attempt
    with ExitStack() as stack:
        if people > 1000:
            port = free_port()
            stack.enter_context(serving(workspace, port))
        else:
            port = stack.enter_context(Thread(create_app(workspace), Bounds()).running()).port
        crowd = Crowd(port, secret, people)

        def counted(session: object, name: str) -> object:
            rounds[name] = rounds.get(name, 0) + 1
            crowd.let_in(-(-people // versions // ROUNDS))
            return attempt(session, name)

        monkeypatch.setattr(publishing, "_attempt", counted)
        stack.callback(crowd.finish)
        for number in range(versions):
            began[f"v{number}"] = time.monotonic()
            publish(workspace, f"v{number}")
        crowd.let_in(people)
    assert crowd.failed == []
    assert len(crowd.told) == people
    assert max(rounds.values()) <= ROUNDS
    assert max(rounds.values()) > 1, "nobody objected while a version was made"
    pepper = workspace.keys().pepper
    for name, when in began.items():
        before = [account for account, told in crowd.told.items() if told < when]
        assert not np.isin(pepper.subject_keys(before), people_in(workspace, name)).any()
    assert verify(workspace, f"v{versions - 1}").ok
    with workspace.register() as register:
        assert findings(register) == []
        assert register.objections.in_force() == people
