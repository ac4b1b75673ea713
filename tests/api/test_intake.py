"""The writer of the server: durable before it answers, once whatever happens, and never more in wait than it can do."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demur.errors import IdentityError, UnavailableError
from demur.identity import Keys
from demur.register import Receipt, Register
from demur.register.objections.lodging import Lodging
from demur.web.intake import Intake, IntakeFullError


@pytest.fixture
def file(fast_tmp: Path) -> Path:
    return fast_tmp / "register.db"


@pytest.fixture
def register(file: Path) -> Iterator[Register]:
    with Register.create(f"sqlite:///{file}", Keys.create(file.parent / "keys")) as register:
        yield register


@pytest.fixture
def intake(register: Register) -> Iterator[Intake]:
    intake = Intake(register)
    yield intake
    intake.close()


def on_disk(file: Path) -> set[str]:
    """The references that another process would find now."""
    with sqlite3.connect(file) as connection:
        found = {reference for (reference,) in connection.execute("SELECT reference FROM objection")}
    connection.close()
    return found


class Gate:
    """Something that the register does until it is let go; meanwhile others gather behind it."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def hold(self, _: Register) -> None:
        self.entered.set()
        assert self.open.wait(30)

    async def closed(self, intake: Intake) -> "asyncio.Task[None]":
        task = asyncio.create_task(intake.run(self.hold))
        await asyncio.to_thread(self.entered.wait, 30)
        return task


def record(register: Register, lodgings: Sequence[Lodging]) -> list[Receipt | IdentityError]:
    return register.objections.lodge_all(lodgings)


async def lodge(intake: Intake, account: str) -> Receipt:
    receipt: Receipt = await intake.run_together(record, Lodging([account], channel="api"))
    return receipt


def test_an_acknowledged_objection_is_on_disk(intake: Intake, file: Path) -> None:
    receipt = asyncio.run(lodge(intake, "forum:ann"))
    assert on_disk(file) == {receipt.reference}


def test_everything_that_lodge_takes_reaches_the_register(intake: Intake, register: Register) -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    async def act() -> Receipt:
        said = Lodging(["forum:ann"], channel="letter", received=now.date(), reason="Mine.", confirm_by=now, now=now)
        receipt: Receipt = await intake.run_together(record, said)
        return receipt

    receipt = asyncio.run(act())
    state = register.objections.get(receipt.reference)
    assert (state.channel, state.received, state.lodged) == ("letter", now.date(), now)
    assert state.confirm_by is None, "what an earlier demur gave as a deadline ends nothing"
    assert register.objections.reason(receipt.reference) == "Mine."


def test_what_waits_is_committed_together(register: Register, file: Path) -> None:
    intake, gate = Intake(register), Gate()

    async def act() -> list[Receipt]:
        held = await gate.closed(intake)
        tasks = [asyncio.create_task(lodge(intake, f"forum:u{number}")) for number in range(10)]
        await asyncio.sleep(0)
        gate.open.set()
        await held
        first, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert len(on_disk(file)) == 10  # the first answer came after the commit of all
        assert first
        return await asyncio.gather(*tasks)

    receipts = asyncio.run(act())
    intake.close()
    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 11))


def test_no_answer_comes_before_the_commit(register: Register, file: Path) -> None:
    intake, gate = Intake(register), Gate()

    async def act() -> None:
        task = asyncio.create_task(lodge(intake, "forum:ann"))
        held = await gate.closed(intake)  # either the same transaction, or a later one
        await asyncio.sleep(0.05)
        assert task.done() == (len(on_disk(file)) == 1)
        gate.open.set()
        await asyncio.gather(task, held)
        assert len(on_disk(file)) == 1

    asyncio.run(act())
    intake.close()


def test_one_that_is_malformed_takes_back_only_itself(intake: Intake, file: Path) -> None:
    accounts = [f"forum:u{number}" if number % 3 else "no account" for number in range(12)]

    async def act() -> list[Receipt | BaseException]:
        return await asyncio.gather(*(lodge(intake, account) for account in accounts), return_exceptions=True)

    answers = asyncio.run(act())
    kept = {answer.reference for answer in answers if isinstance(answer, Receipt)}
    assert [isinstance(answer, IdentityError) for answer in answers] == [
        account == "no account" for account in accounts
    ]
    assert on_disk(file) == kept
    assert len(kept) == 8


def test_one_that_breaks_the_transaction_spoils_no_other(register: Register, file: Path) -> None:
    intake, gate = Intake(register), Gate()

    def broken(register: Register) -> None:
        register.objections.lodge(["forum:half"], channel="api")
        raise ZeroDivisionError

    async def act() -> list[object]:
        held = await gate.closed(intake)
        acts = [lodge(intake, "forum:a"), intake.run(broken), lodge(intake, "forum:b")]
        tasks = [asyncio.ensure_future(act) for act in acts]
        await asyncio.sleep(0)
        gate.open.set()
        await held
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    first, second, third = asyncio.run(act())
    intake.close()
    assert isinstance(first, Receipt)
    assert isinstance(second, ZeroDivisionError)
    assert isinstance(third, Receipt)
    assert on_disk(file) == {first.reference, third.reference}


def test_whoever_stops_waiting_is_recorded_once(register: Register, file: Path) -> None:
    intake, gate = Intake(register), Gate()

    async def act() -> None:
        held = await gate.closed(intake)
        gone = asyncio.create_task(lodge(intake, "forum:gone"))
        stays = asyncio.create_task(lodge(intake, "forum:stays"))
        await asyncio.sleep(0)
        gone.cancel()
        gate.open.set()
        receipt = await stays
        await held
        with pytest.raises(asyncio.CancelledError):
            await gone
        found = on_disk(file)
        assert receipt.reference in found
        assert len(found) == 2

    asyncio.run(act())
    intake.close()


def test_more_than_can_wait_is_refused_at_once_and_nothing_of_it_recorded(register: Register, file: Path) -> None:
    intake, gate = Intake(register, capacity=5), Gate()

    async def act() -> list[Receipt | BaseException]:
        held = await gate.closed(intake)
        tasks = [asyncio.create_task(lodge(intake, f"forum:u{number}")) for number in range(8)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [task.done() for task in tasks] == [False] * 5 + [True] * 3
        gate.open.set()
        await held
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(act())
    intake.close()
    assert [type(answer) for answer in answers] == [Receipt] * 5 + [IntakeFullError] * 3
    assert len(on_disk(file)) == 5


def test_a_busy_register_is_told_to_those_who_waited_and_no_others(
    register: Register, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = Intake(register)
    other = sqlite3.connect(file, isolation_level=None)
    register._store._engine.dispose()
    monkeypatch.setattr("demur.register.database.store.PATIENCE_S", 0.1)

    with Register.open(f"sqlite:///{file}", Keys.load(file.parent / "keys")) as impatient:
        intake = Intake(impatient)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="busy"):
            asyncio.run(lodge(intake, "forum:ann"))
        other.execute("ROLLBACK")
        receipt = asyncio.run(lodge(intake, "forum:ben"))
        intake.close()
    other.close()
    assert on_disk(file) == {receipt.reference}


def test_closing_records_what_waits_and_takes_nothing_more(register: Register, file: Path) -> None:
    intake = Intake(register, batch=3)

    async def act() -> None:
        tasks = [asyncio.create_task(lodge(intake, f"forum:u{number}")) for number in range(20)]
        await asyncio.sleep(0)
        intake.close()
        assert len(on_disk(file)) == 20
        assert len(await asyncio.gather(*tasks)) == 20
        with pytest.raises(IntakeFullError):
            await lodge(intake, "forum:late")

    asyncio.run(act())


def test_an_answer_to_a_loop_that_has_ended_harms_nobody(register: Register, file: Path) -> None:
    intake, gate = Intake(register), Gate()

    async def act() -> None:
        await gate.closed(intake)
        left = asyncio.create_task(lodge(intake, "forum:left"))
        await asyncio.sleep(0)
        left.cancel()

    with asyncio.Runner() as runner:
        runner.run(act())
    gate.open.set()
    receipt = asyncio.run(lodge(intake, "forum:next"))
    intake.close()
    assert receipt.reference in on_disk(file)
    assert len(on_disk(file)) == 2
