"""What is kept of everybody in a file: it says what the register says, or it is not believed."""

import atexit
import os
import shutil
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from threading import Thread

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from erasing import erase_details
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from demur.errors import RegisterError
from demur.identity import Keys
from demur.register import MEMBER, Register, Snapshot
from demur.register.database import kept as keeping
from demur.register.database.clock import day
from demur.register.database.records import Head
from demur.register.database.tables import doubt, objection
from demur.register.members.standing import FILE, Reader
from demur.register.objections.objections import Objections

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PEOPLE = st.sampled_from([f"forum:p{number}" for number in range(6)])


@pytest.fixture(autouse=True)
def _little_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is kept of one key already, and written anew after two changed ones."""
    monkeypatch.setattr(keeping, "_MANY", 1)


class Workspace:
    """A register with a mark, and the folder in which something of it is kept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keys = Keys.load(root / "keys")
        self.url = f"sqlite:///{root}/register.db"

    @classmethod
    def begin(cls, root: Path) -> "Workspace":
        """A new one."""
        Register.begin(f"sqlite:///{root}/register.db", Keys.create(root / "keys"), root / "register.mark").close()
        return cls(root)

    @property
    def file(self) -> Path:
        return self.root / FILE

    @contextmanager
    def opened(self, kept: Path | None = None) -> Iterator[Register]:
        """The register as a new process has it."""
        with Register.open(self.url, self.keys, self.root / "register.mark", kept=kept or self.root) as register:
            yield register

    def answer(self) -> Snapshot:
        """As a new process gives it."""
        with self.opened() as register:
            return register.standing.snapshot()

    def lodge(self, *accounts: str) -> None:
        with self.opened() as register:
            for each in accounts:
                register.objections.lodge([each], channel="api", now=NOW)


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return Workspace.begin(tmp_path)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ends of the log at which everything was read, and no file believed."""
    found: list[int] = []
    whole = Reader._read  # what must not be called again

    def counted(self: Reader, connection: object, head: Head) -> Snapshot:
        found.append(head.seq)
        return whole(self, connection, head)  # type: ignore[arg-type]  # its own

    monkeypatch.setattr(Reader, "_read", counted)
    return found


def said(answer: Snapshot) -> dict[str, object]:
    """All that an answer says, to be compared."""
    columns = {name: column.tolist() for name, column in vars(answer.facts).items()}
    return {"head": answer.head, "suppressed": answer.suppressed.tolist(), "alike": answer.alike.tolist(), **columns}


def counts(objections: Objections) -> tuple[object, ...]:
    """How many there are, each way of asking."""
    pending = [objections.pending(proven=proven) for proven in ((), ("api",))]
    return objections.in_force(), objections.by_day(), *((each.days, each.lapsing) for each in pending)


def counts_of(connection: sa.Connection) -> tuple[object, ...]:
    """The same by reading every row, one by one."""
    rows = connection.execute(sa.select(objection)).all()
    force = sum(row.phase in {"lodged", "confirmed"} for row in rows)
    doubts = set(connection.scalars(sa.select(doubt.c.objection).where(doubt.c.stands.is_(True))))

    def day_of(micros: int) -> date:
        return datetime.fromtimestamp(micros // 1_000_000, UTC).date()

    def waits(proven: tuple[str, ...]) -> tuple[list[tuple[date, int]], int]:
        waiting = [row for row in rows if row.phase == "lodged" and row.channel not in proven]
        came = [day(row.received) if row.received is not None else day_of(row.lodged) for row in waiting]
        return sorted(Counter(came).items()), sum(row.seq in doubts and row.confirm_by is not None for row in waiting)

    return force, sorted(Counter(day_of(row.lodged) for row in rows).items()), waits(()), waits(("api",))


def of_nothing(made: Workspace) -> Snapshot:
    """What the register says without any file."""
    with made.opened() as register, register._store.reading() as connection:  # the very transaction
        return Reader().snapshot(connection, keep=False)


@cache
def _new() -> Path:
    """The folder of a new workspace, to be copied: making one takes longer than a whole sequence."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Workspace.begin(folder)
    return folder


def _set(many: int) -> None:
    """How much is much; no fixture reaches a machine."""
    setattr(keeping, "_MANY", many)  # noqa: B010  # it is final to all others


class Sequences(RuleBasedStateMachine):
    """Whatever happens, in whatever order: what new processes read through the file is what they read without it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        shutil.copytree(_new(), self._folder.name, dirs_exist_ok=True)
        self._before = keeping._MANY  # no fixture reaches a machine
        self.references: list[str] = []

    @initialize(many=st.sampled_from([0, 1, 3]))
    def make(self, many: int) -> None:
        _set(many)
        self.made = Workspace(Path(self._folder.name))
        self.running = self.made.opened()
        self.register = self.running.__enter__()

    def teardown(self) -> None:
        self.read()
        self.running.__exit__(None, None, None)
        _set(self._before)
        self._folder.cleanup()

    @rule(
        who=st.lists(PEOPLE, min_size=1, max_size=3, unique=True),
        channel=st.sampled_from(["typed-in", "api", "letter"]),
        came=st.sampled_from([None, date(2026, 11, 2)]),
        days=st.integers(0, 2),
    )
    def lodge(self, who: list[str], channel: str, came: date | None, days: int) -> None:
        when = NOW + timedelta(days=days)
        receipt = self.register.objections.lodge(who, channel=channel, received=came, now=when)
        self.references.append(receipt.reference)

    @rule(which=st.integers(0, 20))
    def doubt(self, which: int) -> None:
        if self.references:
            with suppressed_errors():
                self.register.objections.doubt(self.references[which % len(self.references)], "why", days=30, now=NOW)

    @rule(which=st.integers(0, 20), how=st.sampled_from(["confirm", "withdraw", "revive", "lapse"]))
    def settle(self, which: int, how: str) -> None:
        if self.references:
            reference = self.references[which % len(self.references)]
            call = getattr(self.register.objections, how)
            with suppressed_errors():
                call(reference, cause="denied", now=NOW) if how == "lapse" else call(reference, now=NOW)

    @rule(one=PEOPLE, other=PEOPLE, how=st.sampled_from(["link", "unlink"]))
    def link(self, one: str, other: str, how: str) -> None:
        with suppressed_errors():
            getattr(self.register.members, how)(one, other, now=NOW)

    @rule(who=PEOPLE, year=st.sampled_from([None, 1990, 2015]), region=st.sampled_from([None, "DE", "FR"]))
    def member(self, who: str, year: int | None, region: str | None) -> None:
        row = dict.fromkeys(MEMBER.names) | {"account": who, "birth_year": year, "region": region}
        row["told_on"] = date(2026, 1, 1) if year else None
        self.register.members.import_all([pa.RecordBatch.from_pylist([row], MEMBER)], now=NOW)

    @rule(who=PEOPLE, given=st.booleans())
    def consent(self, who: str, *, given: bool) -> None:
        self.register.members.consent([who], given=given, now=NOW)

    @rule(who=PEOPLE)
    def alike(self, who: str) -> None:
        pairs = np.array([[self.made.keys.pepper.subject_key(who), len(who) + 4711]], np.int64)
        self.register.members.note_alike(pairs, now=NOW)

    @rule(who=PEOPLE)
    def erase(self, who: str) -> None:
        erase_details(self.register, who)

    @rule()
    def read(self) -> None:
        """In a new process, and in the one that runs, which remembers."""
        with self.made.opened() as anew, anew._store.reading() as connection:  # without the file
            expected = said(Reader().snapshot(connection, keep=False))
            assert said(anew.standing.snapshot()) == expected
            numbers = counts_of(connection)
            assert counts(anew.objections) == numbers
        assert said(self.register.standing.snapshot()) == expected
        assert counts(self.register.objections) == numbers

    @rule()
    def start_anew(self) -> None:
        self.running.__exit__(None, None, None)
        self.running = self.made.opened()
        self.register = self.running.__enter__()


@contextmanager
def suppressed_errors() -> Iterator[None]:
    """What the register refuses changes nothing."""
    try:
        yield
    except RegisterError:
        return


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


def test_a_new_process_goes_on_from_the_file(made: Workspace, reads: list[int]) -> None:
    made.lodge("x:a", "x:b", "x:c")
    first = made.answer()
    assert reads == [3]
    made.lodge("x:d")
    assert len(made.answer().suppressed) == len(first.suppressed) + 1
    assert reads == [3]


def test_is_written_anew_once_more_has_changed(made: Workspace) -> None:
    made.lodge("x:a", "x:b", "x:c")
    made.answer()
    before = made.file.stat().st_ino
    made.lodge("x:d")
    made.answer()
    assert made.file.stat().st_ino == before
    made.lodge("x:e")
    made.answer()
    assert made.file.stat().st_ino != before


def test_is_for_its_owner_alone(made: Workspace) -> None:
    made.lodge("x:a", "x:b")
    before = os.umask(0)
    try:
        made.answer()
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600


def test_holds_no_secret(made: Workspace) -> None:
    made.lodge("x:a", "x:b")
    made.answer()
    held = made.file.read_bytes()
    assert made.keys.pepper.secret not in held
    assert made.keys.sealing not in held


def _changed(at: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        place = int(at * (len(data) - 1))
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return change


@pytest.mark.parametrize(
    "harm",
    [lambda _: b"", lambda data: data[:20], lambda data: data[:-1], lambda data: data + b"\0", lambda _: b"x" * 5000]
    + [_changed(at / 12) for at in range(13)],
)
def test_a_file_that_is_not_whole_is_made_anew(
    made: Workspace, reads: list[int], harm: Callable[[bytes], bytes]
) -> None:
    made.lodge("x:a", "x:b", "x:c")
    before, sound = said(made.answer()), made.file.read_bytes()
    made.file.write_bytes(harm(sound))
    assert said(made.answer()) == before
    assert reads == [3, 3]
    assert made.file.read_bytes() == sound


def test_no_file_of_another_workspace_is_believed(tmp_path: Path, reads: list[int]) -> None:
    places = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        places.append(Workspace.begin(tmp_path / name))
    one, other = places
    one.lodge("x:a", "x:b")
    other.lodge("x:c", "x:d")
    one.answer()
    expected = said(other.answer())
    shutil.copyfile(one.file, other.file)
    assert said(other.answer()) == expected
    assert reads == [2, 2, 2]


def test_a_file_from_a_later_register_is_not_believed(made: Workspace, tmp_path: Path, reads: list[int]) -> None:
    """The older database is back, with its mark, and goes another way: its third entry is another one."""
    made.lodge("x:a", "x:b")
    kept = tmp_path / "backup"
    kept.mkdir()
    for name in ("register.db", "register.mark"):
        shutil.copyfile(made.root / name, kept / name)
    made.lodge("x:c")
    made.answer()
    for name in ("register.db", "register.mark"):
        shutil.copyfile(kept / name, made.root / name)
    for name in ("register.db-wal", "register.db-shm"):
        (made.root / name).unlink(missing_ok=True)
    assert len(made.answer().suppressed) == 2
    made.lodge("x:d")
    assert made.keys.pepper.subject_key("x:d") in made.answer().suppressed
    assert reads[:2] == [3, 2]


def test_an_older_file_goes_on_from_where_it_ends(made: Workspace, reads: list[int]) -> None:
    made.lodge("x:a", "x:b")
    made.answer()
    older = made.file.read_bytes()
    made.lodge("x:c", "x:d", "x:e")
    expected = said(made.answer())
    made.file.write_bytes(older)
    assert said(made.answer()) == expected
    assert reads == [2]


def test_what_was_erased_leaves_the_file_with_the_next_answer(made: Workspace) -> None:
    rows = [{"account": f"x:{each}", "region": "DE", "birth_year": 1961 + each} for each in range(4)]
    with made.opened() as register:
        batch = pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | row for row in rows], MEMBER)
        register.members.import_all([batch], now=NOW)
        register.standing.snapshot()
        assert np.int16(1963).tobytes() in made.file.read_bytes()
        erase_details(register, "x:2")
        assert register.standing.snapshot().facts.birth_year.tolist().count(0) == 1
    assert np.int16(1963).tobytes() not in made.file.read_bytes()


def test_a_folder_that_takes_no_file_costs_the_file_alone(made: Workspace, tmp_path: Path) -> None:
    made.lodge("x:a", "x:b")
    with made.opened(kept=tmp_path / "nowhere") as register:
        assert len(register.standing.snapshot().suppressed) == 2


def test_whoever_reads_while_others_write_it_reads_a_whole_one(made: Workspace) -> None:
    """Four writers of the file, and objections all the while: every answer is of its own entry."""
    made.lodge("x:a", "x:b")
    wrong: list[object] = []

    def read() -> None:
        for _ in range(20):
            answer = made.answer()
            if len(answer.suppressed) != answer.head.binding:
                wrong.append(answer)

    readers = [Thread(target=read) for _ in range(4)]
    for each in readers:
        each.start()
    for number in range(30):
        made.lodge(f"y:{number}", f"z:{number}")
    for each in readers:
        each.join()
    assert not wrong
    assert said(made.answer()) == said(of_nothing(made))
    assert not list(made.root.glob(f".{FILE}.*"))
