"""Law 3: nothing slips past publishing, however fast objections come in meanwhile."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from making import batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import Session
from demur.kernel.rules import Rules
from demur.register import Register
from demur.terms import EntryKind
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.versions.states import rows_of

PEOPLE = 60
ACCOUNTS = [f"forum:user{number}" for number in range(PEOPLE)]


@pytest.fixture
def workspace(fast_tmp: Path) -> workspaces.Workspace:
    made = workspaces.create(fast_tmp / "w", open_policy())
    items = [
        item(f"{author}-{number}", ACCOUNTS[author], f"see @user{(author * 7 + number) % PEOPLE}")
        for author in range(PEOPLE)
        for number in range(4)
    ]
    import_items(made, "table", iter([batch(items)]))
    return made


def people_in(workspace: workspaces.Workspace, name: str) -> set[int]:
    """Every subject key that a version's rows are by or about."""
    return {
        key
        for rows in rows_of(workspace, name)
        for row in rows.to_pylist()
        for key in (row["author"], *row["subjects"], *(s["subject"] for s in row["spans"]))
    }


def lodged_before(register: Register, name: str) -> Iterator[int]:
    """The sequence numbers of the objections acknowledged before a version's entry."""
    (entry,) = (e for e in register.log.entries(EntryKind.VERSION_PUBLISHED) if e.payload["name"] == name)
    return (e.seq for e in register.log.entries(EntryKind.OBJECTION_LODGED) if e.seq < entry.seq)


def test_a_version_honours_every_objection_acknowledged_before_its_entry(workspace: workspaces.Workspace) -> None:
    acknowledged: dict[int, set[int]] = {}
    finished = threading.Event()

    def lodge_on_and_on() -> None:
        with workspace.register() as register:
            for account in ACCOUNTS[: PEOPLE - 5]:
                receipt = register.objections.lodge([account], channel="api")
                acknowledged[receipt.seq] = set(receipt.subjects.tolist())
                if finished.wait(0.02):
                    return

    lodging = threading.Thread(target=lodge_on_and_on)
    lodging.start()
    try:
        for number in range(6):
            publish(workspace, f"v{number}")
    finally:
        finished.set()
        lodging.join()
    assert len(acknowledged) > 3
    with workspace.register() as register:
        for number in range(6):
            before = {key for seq in lodged_before(register, f"v{number}") for key in acknowledged[seq]}
            assert not before & people_in(workspace, f"v{number}")
            assert verify(workspace, f"v{number}").ok


@pytest.mark.parametrize("times", [1, 2, 3, 5])
def test_an_objection_in_the_middle_of_a_round_is_honoured_or_the_round_is_repeated(
    workspace: workspaces.Workspace, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The worst moment, right after the rules were read: twice a round, and three rounds come before the lock."""
    waiting = iter(ACCOUNTS[:times])
    real = Session.rules

    def rules_then_objection(session: Session) -> tuple[Rules, int]:
        answer = real(session)
        if account := next(waiting, None):
            with workspace.register() as other:
                other.objections.lodge([account], channel="api")
        return answer

    monkeypatch.setattr(Session, "rules", rules_then_objection)
    publish(workspace, "v1")
    keys = workspace.keys().pepper.subject_keys(ACCOUNTS[:times])
    with workspace.register() as register:
        before = len(list(lodged_before(register, "v1")))
    assert before > 0
    assert not set(keys[:before].tolist()) & people_in(workspace, "v1")
    assert verify(workspace, "v1").ok
