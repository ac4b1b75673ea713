"""The lane that asks witnesses: what they sign is kept and handed on, and nobody waits for one that does not answer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from mailing import Made, mail_policy

from demur.errors import RegisterError, UsageError
from demur.objecting.receipts import receipt
from demur.policy import Policy
from demur.policy.model import LogPlace
from demur.transparency.cosignature import cosigned
from demur.witnessing import asking
from demur.witnessing.serving import Server
from demur.witnessing.state import Witness
from demur.worker import cosigning
from demur.worker.cosigning import Cosigning, ask_all, witnesses_of
from demur.worker.depot import Depot


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[Callable[[], tuple[Witness, str]]]:
    """Makes a witness that serves, and its address."""
    with ExitStack() as stack:

        def make() -> tuple[Witness, str]:
            number = len(list(tmp_path.iterdir()))
            made = Witness.create(tmp_path / f"w{number}", f"w.example/{number}")
            server = stack.enter_context(Server(("127.0.0.1", 0), made))
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return made, f"http://127.0.0.1:{server.server_address[1]}"

        yield make


def policy() -> Policy:
    return mail_policy().model_copy(update={"log": LogPlace(witnesses="witnesses.txt")})


def listed(depot: Depot, *named: tuple[Witness, str]) -> None:
    lines = [f"witness w{number} {witness.key.text} {url}" for number, (witness, url) in enumerate(named, 1)]
    names = " ".join(f"w{number}" for number in range(1, len(named) + 1))
    text = "\n".join([*lines, f"group all-of-them all {names}", "quorum all-of-them", ""])
    (depot.workspace.root / "witnesses.txt").write_text(text)


def lodge(depot: Depot, name: str) -> str:
    return depot.register.objections.lodge([f"forum:{name}"], channel="form").reference


def told(depot: Depot) -> dict[str, str]:
    found = witnesses_of(depot.workspace, depot.policy())
    assert found is not None
    return {each.name: each.said for each in ask_all(depot.register, found.witnesses, again=True)}


def findings(depot: Depot) -> list[str]:
    found: list[str] = []
    depot.register.audit(found.append)
    return found


def test_what_witnesses_sign_is_in_what_is_handed_out(made: Made, witnesses: Callable[[], tuple[Witness, str]]) -> None:
    depot, one, other = made(policy()), witnesses(), witnesses()
    listed(depot, one, other)
    for witness, _ in (one, other):
        witness.add(depot.register.proving.key)
    reference = lodge(depot, "ann")
    lane = Cosigning(depot)
    lane.turn()
    assert lane.counts == {"cosigned": 2}
    keys = [one[0].key, other[0].key]
    proving = depot.register.proving
    assert cosigned(proving.checkpoint().encode(), keys).keys() == set(keys)
    lodge(depot, "bob")
    assert cosigned(proving.checkpoint().encode(), keys) == {}, "the newest is not cosigned yet"
    state = depot.register.objections.get(reference)
    assert b"w.example" in receipt(depot.register, state), "a receipt has the newest that is cosigned and covers it"
    assert b"w.example" not in receipt(depot.register, depot.register.objections.get(lodge(depot, "eve")))
    lane.turn()
    assert lane.counts == {"cosigned": 2}, "they are not asked with every commit"
    assert told(depot) == {"w1": "cosigned", "w2": "cosigned"}
    assert set(proving.reached().values()) == {proving.history.read(proving.checkpoint().encode()).size}
    assert findings(depot) == []
    for statement in (
        "UPDATE cosignature SET line = 'x'",
        "UPDATE cosignature SET size = 2",
        "DELETE FROM cosignature",
    ):
        with depot.register._store._engine.begin() as connection:
            connection.execute(sa.text(statement + " WHERE size = (SELECT min(size) FROM cosignature)"))
        named = [each for each in findings(depot) if each.startswith("A cosignature of the checkpoint of ")]
        assert bool(named) is not statement.startswith("DELETE")


def test_one_that_answers_counts_while_another_does_not(
    made: Made, witnesses: Callable[[], tuple[Witness, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_PATIENCE_S", 0.5)
    depot, one, strange = made(policy()), witnesses(), witnesses()
    one[0].add(depot.register.proving.key)
    with silent() as mute, dripping() as slow:
        second, third = Witness.create(one[0].folder.parent / "a", "a"), Witness.create(one[0].folder.parent / "b", "b")
        listed(depot, one, strange, (second, mute), (third, slow))
        lodge(depot, "ann")
        began = time.monotonic()
        asked = threading.Thread(target=lambda: results.append(told(depot)))
        results: list[dict[str, str]] = []
        asked.start()
        for number in range(20):
            lodge(depot, f"u{number}")  # nobody who objects waits for a witness
        lodged = time.monotonic() - began
        asked.join(20)
    assert results == [{"w1": "cosigned", "w2": "refused", "w3": "unreachable", "w4": "unreachable"}]
    assert lodged < 15


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def dripping() -> Iterator[str]:
    """A server that answers a byte at a time, for ever."""
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n")
                while not over.wait(0.1):
                    connection.sendall(b"x")
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
    thread.join()


def test_two_that_ask_at_once_alarm_nobody(made: Made, witnesses: Callable[[], tuple[Witness, str]]) -> None:
    """A worker and `demur log cosign`: the witness has seen what the other one asked of it."""
    depot, one = made(policy()), witnesses()
    listed(depot, one)
    one[0].add(depot.register.proving.key)
    said = list[str]()

    def ask_often(name: str) -> None:
        for number in range(5):
            lodge(depot, f"{name}{number}")
            said.extend(told(depot).values())

    threads = [threading.Thread(target=ask_often, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 15
    assert set(said) <= {"cosigned", "unreachable"}


def test_a_list_that_is_none_is_one_sentence(made: Made) -> None:
    depot = made(policy())
    with pytest.raises(UsageError, match=r"the list of witnesses .* can't be read"):
        witnesses_of(depot.workspace, depot.policy())
    (depot.workspace.root / "witnesses.txt").write_text("witness\n")
    with pytest.raises(UsageError, match=r"witnesses\.txt: Line 1 of the policy"):
        Cosigning(depot).turn()


def test_without_a_list_nobody_is_asked(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    depot = made(mail_policy())
    monkeypatch.setattr(cosigning, "ask_all", lambda *_: 1 // 0)
    assert Cosigning(depot).turn() > 0
    assert witnesses_of(depot.workspace, depot.policy()) is None


def test_trouble_of_the_register_is_told_and_none_without_a_checkpoint(
    made: Made, witnesses: Callable[[], tuple[Witness, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    depot = made(policy())
    listed(depot, witnesses())
    with monkeypatch.context() as patch:
        patch.setattr("demur.register.database.signing.newest", lambda _: None)
        assert Cosigning(depot).turn() > 0
    lodge(depot, "ann")
    with depot.register._store._engine.begin() as connection:
        connection.execute(sa.text("UPDATE checkpoint SET note = replace(note, '=', '')"))
    with pytest.raises(RegisterError):
        Cosigning(depot).turn()
