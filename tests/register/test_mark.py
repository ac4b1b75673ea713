"""The mark: what was acknowledged is in it, a cut-off line is not, and no other register passes for this one."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import IdentityError, RegisterError, UnavailableError
from demur.identity import Keys
from demur.register import Register
from demur.register.database import journal
from demur.register.database.instance import Instance
from demur.register.database.journal import MOST_UNNOTED
from demur.register.database.mark import Group, Mark, Point
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import Place

LODGE = """
import sys
from pathlib import Path
from demur.identity import Keys
from demur.register import Register
url, keys, mark, name = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
with Register.open(url, Keys.load(keys), mark) as register:
    for number in range(30):
        register.objections.lodge([f"x:{name}{number}"], channel="web")
"""


def group(seq: int) -> Group:
    """A group whose last entry has this number."""
    return Group(Point(seq, seq.to_bytes(32, "big")), [{"seq": seq}], {"data.read": 1})


@pytest.fixture
def fresh(tmp_path: Path, keys: Keys) -> Mark:
    """A mark that begins with a register."""
    mark = Mark.prepare(tmp_path / "register.mark", keys, Instance.begin(keys), Point(0, b""))
    mark.establish()
    return mark


@pytest.fixture
def begun(place: "Place", tmp_path: Path) -> Callable[[], Register]:
    """Opens a register that has a mark."""
    Register.begin(place.url, place.keys, tmp_path / "register.mark").close()
    return lambda: Register.open(place.url, place.keys, tmp_path / "register.mark")


def test_what_was_noted_is_read_again(fresh: Mark) -> None:
    for seq in (1, 2, 5):
        fresh.append(group(seq))
    assert fresh.end() == group(5).end
    assert [each.end.seq for each in fresh.groups()] == [1, 2, 5]
    assert list(fresh.groups())[2] == group(5)
    assert fresh.path.stat().st_mode & 0o777 == 0o600


def test_processes_that_overtake_each_other_are_put_in_order(fresh: Mark) -> None:
    for seq in (3, 1, 2):
        fresh.append(group(seq))
    assert fresh.end().seq == 3
    assert [each.end.seq for each in fresh.groups()] == [1, 2, 3]


@given(cut=st.integers(1, 10_000))
def test_a_line_that_was_cut_off_is_as_if_it_had_never_been(
    cut: int, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("mark") / "register.mark"
    mark = Mark.prepare(path, keys, Instance.begin(keys), Point(0, b""))
    mark.establish()
    mark.append(group(1))
    whole = path.read_bytes()
    mark.append(group(2))
    line = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + line[: cut % len(line)])
    assert mark.end().seq == 1
    mark.append(group(3))
    assert mark.end().seq == 3
    assert [each.end.seq for each in mark.groups()] == [1, 3]


def test_no_line_of_another_instance_passes(fresh: Mark, tmp_path: Path, keys: Keys) -> None:
    other = Mark.prepare(tmp_path / "other.mark", keys, Instance.begin(keys), Point(0, b""))
    other.establish()
    other.append(group(9))
    fresh.append(group(1))
    with fresh.path.open("ab") as file:
        file.write(b"\n" + other.path.read_bytes().splitlines()[1])
    assert fresh.end().seq == 1
    fresh.path.write_bytes(other.path.read_bytes())
    with pytest.raises(RegisterError, match="is no mark of this workspace"):
        fresh.end()


def test_the_journal_names_nobody_and_is_sealed(begun: Callable[[], Register], tmp_path: Path) -> None:
    with begun() as register:
        reference = register.objections.lodge(["forum:ann"], channel="letter", reason="mine alone").reference
    text = (tmp_path / "register.mark").read_bytes()
    assert b"forum:ann" not in text
    assert b"mine alone" not in text
    assert reference.encode() not in text


def test_the_journal_begins_anew_and_keeps_what_goes_beyond(fresh: Mark) -> None:
    for seq in (1, 2, 3):
        fresh.append(group(seq))
    fresh.begin_again(group(2).end, 2)
    assert (fresh.head().incarnation, fresh.head().begin) == (2, group(2).end)
    assert [each.end.seq for each in fresh.groups()] == [3]
    fresh.append(group(4))
    assert fresh.end().seq == 4


def test_whoever_writes_while_it_begins_anew_loses_no_line(fresh: Mark, keys: Keys) -> None:
    with_others = [Mark(fresh.path, keys, fresh._instance) for _ in range(3)]

    def write(mark: Mark, first: int) -> None:
        for seq in range(first, first + 200):
            mark.append(group(seq), durable=False)

    threads = [threading.Thread(target=write, args=(mark, 1_000 * n)) for n, mark in enumerate(with_others, 1)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        fresh.begin_again(Point(0, b""), 1)
    for thread in threads:
        thread.join()
    assert len(list(fresh.groups())) == 600


def test_every_commit_is_noted_before_it_is_answered(
    begun: Callable[[], Register], tmp_path: Path, place: "Place"
) -> None:
    with begun() as register:
        instance = register.instance
        assert instance is not None
        mark = Mark(tmp_path / "register.mark", place.keys, instance)
        for number in range(3):
            receipt = register.objections.lodge([f"x:{number}"], channel="web")
            assert mark.end().seq >= receipt.seq
        assert register.point(mark.end().seq) == mark.end()
        register.members.link("x:1", "x:2")
        assert mark.end() == register.point(register.log.head().seq)


def test_a_commit_that_cannot_be_noted_is_not_acknowledged(begun: Callable[[], Register], tmp_path: Path) -> None:
    with begun() as register:
        (tmp_path / "register.mark").rename(tmp_path / "elsewhere")
        with pytest.raises(UnavailableError, match="nothing may be acknowledged"):
            register.objections.lodge(["x:a"], channel="web")
        (tmp_path / "elsewhere").rename(tmp_path / "register.mark")
        register.objections.lodge(["x:a"], channel="web")
    begun().close()


def test_who_goes_on_notes_what_was_committed_and_not_noted(
    begun: Callable[[], Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill between the commit and the mark leaves it."""
    with begun() as register:
        register.objections.lodge(["x:a"], channel="web")
        _unnoted(register, monkeypatch, "x:b")
        _unnoted(register, monkeypatch, "x:c")
    with begun() as register:
        assert register.mark is not None
        assert register.mark.end().seq == 1
        register.log.append(EntryKind.IMPORT_FINISHED, {"number": 1, "source": "table"})
        noted = list(register.mark.groups())
        assert [(each.end, len(each.entries)) for each in noted] == [(register.point(seq), 1) for seq in (1, 2, 3, 4)]
        assert [each.checkpoint.split("\n")[1] for each in noted] == ["1", "2", "3", "4"]


def test_who_is_told_of_what_stands_finds_it_noted(
    begun: Callable[[], Register], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A request that is sent again is answered from what the register holds, and appends nothing."""
    with begun() as register:
        _unnoted(register, monkeypatch, "x:a")
        (tmp_path / "register.mark").rename(tmp_path / "elsewhere")
        with pytest.raises(UnavailableError, match="nothing may be acknowledged"), register.locked():
            assert register.objections.in_force() == 1
        (tmp_path / "elsewhere").rename(tmp_path / "register.mark")
        with register.locked():
            assert register.objections.in_force() == 1
        assert register.mark is not None
        assert register.mark.end() == register.point(1)


def _unnoted(register: Register, monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    """An objection that is committed; then its process dies."""
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "append", lambda *_, **__: _die())
        with pytest.raises(KeyboardInterrupt):
            register.objections.lodge([account], channel="web")


def _die() -> None:
    raise KeyboardInterrupt


def test_what_was_not_noted_is_not_noted_as_another(
    begun: Callable[[], Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint that lies in the register has to be this log's."""
    with begun() as register:
        register.objections.lodge(["x:a"], channel="web")
        _unnoted(register, monkeypatch, "x:b")
        with register._store._engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 1) WHERE size = 2"
            )
        with pytest.raises(RegisterError, match="another root"):
            register.objections.lodge(["x:c"], channel="web")
        assert register.mark is not None
        assert register.mark.end().seq == 1


def test_each_of_two_marks_holds_what_both_servers_took_in(
    begun: Callable[[], Register], place: "Place", tmp_path: Path
) -> None:
    with begun() as first:
        assert first.instance is not None
        other = Mark.prepare(tmp_path / "other.mark", place.keys, first.instance, first.point(0))
        other.establish()
        with Register.open(place.url, place.keys, tmp_path / "other.mark") as second:
            for number, register in enumerate([first, first, second, first, second, second] * 3):
                register.objections.lodge([f"x:{number}"], channel="web")
            first.objections.lodge(["x:last"], channel="web")
        for mark in (first.mark, other):
            assert mark is not None
            noted = [each["seq"] for group in mark.groups() for each in group.entries]
            assert noted == list(range(1, mark.end().seq + 1))
        assert (first.mark and first.mark.end().seq, other.end().seq) == (19, 18)


def test_a_mark_from_long_ago_takes_in_the_newest_alone(
    begun: Callable[[], Register], place: "Place", tmp_path: Path
) -> None:
    """What is further back stands in the mark of whoever appended it, or went on from it."""
    with begun() as first:
        assert first.instance is not None
        other = Mark.prepare(tmp_path / "other.mark", place.keys, first.instance, first.point(0))
        other.establish()
        for number in range(MOST_UNNOTED + 9):
            first.objections.lodge([f"x:{number}"], channel="web")
        with Register.open(place.url, place.keys, tmp_path / "other.mark") as second:
            second.objections.lodge(["x:last"], channel="web")
    assert len(list(other.groups())) == MOST_UNNOTED + 1


def test_several_processes_note_side_by_side(begun: Callable[[], Register], tmp_path: Path, place: "Place") -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    secrets = {"pepper": place.keys.pepper.secret, "sealing": place.keys.sealing}
    secrets["signing"] = place.keys.signing.private_bytes_raw()
    assert place.keys.log is not None
    secrets["log"] = place.keys.log.private_bytes_raw()
    for name, secret in secrets.items():
        (folder / f"{name}.key").write_bytes(secret)
    command = [sys.executable, "-c", LODGE, place.url, str(folder), str(tmp_path / "register.mark")]
    running = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    with begun() as register:
        instance = register.instance
        assert instance is not None
        mark = Mark(tmp_path / "register.mark", place.keys, instance)
        noted = [entry["seq"] for each in mark.groups() for entry in each.entries]
        assert noted == [entry.seq for entry in register.log.entries()]


def test_a_register_without_its_last_entries_is_refused(begun: Callable[[], Register], place: "Place") -> None:
    with begun() as register:
        for number in range(5):
            register.objections.lodge([f"x:{number}"], channel="web")
        with register._store.writing() as connection:
            for table in ("objected WHERE objection", "objection WHERE seq", "entry WHERE seq"):
                connection.exec_driver_sql(f"DELETE FROM {table} > 2")
    with pytest.raises(RegisterError, match=r"ends at entry 2, 3 before entry 5, which was acknowledged"):
        begun()
    with Register.open(place.url, place.keys) as register:
        for number in range(4):
            register.objections.lodge([f"y:{number}"], channel="web")
    with pytest.raises(RegisterError, match=r"its entry 5 is another one"):
        begun()


def test_a_register_in_use_becomes_no_second_workspace(
    begun: Callable[[], Register], place: "Place", tmp_path: Path
) -> None:
    """Two workspaces on one PostgreSQL database: the second one's pepper would find none of its objections."""
    with begun() as register:
        register.objections.lodge(["x:a"], channel="web")
    others = Keys.create(tmp_path / "others")
    with pytest.raises(RegisterError, match="holds the register of another workspace"):
        Register.begin(place.url, others, tmp_path / "other.mark")
    assert not (tmp_path / "other.mark").exists()
    with pytest.raises(IdentityError, match=r"keys/pepper\.key is not the key"):
        Register.open(place.url, others, tmp_path / "register.mark")
    begun().close()


def test_a_kill_between_register_and_mark_is_finished(
    place: "Place", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.mark"

    def killed(_: Mark) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Mark, "establish", killed)
        with pytest.raises(KeyboardInterrupt):
            Register.begin(place.url, place.keys, path)
    assert not path.exists()
    with Register.open(place.url, place.keys, path) as register:
        register.objections.lodge(["x:a"], channel="web")
    assert path.exists()


def test_a_link_of_a_lost_objection_opens_nobody_elses_after_the_mark_was_renewed(
    begun: Callable[[], Register], tmp_path: Path, place: "Place"
) -> None:
    with begun() as register:
        kept = register.objections.lodge(["x:kept"], channel="web")
    (tmp_path / "register.mark").rename(tmp_path / "away")
    assert Register.renew_mark(place.url, place.keys, tmp_path / "register.mark").lost
    with begun() as register:
        other = register.objections.lodge(["x:other"], channel="web")
        assert register.objections.reference_in(1, kept.seq) == kept.reference
        assert register.objections.reference_in(1, other.seq) is None, "what had that number is lost"
        assert register.objections.reference_in(2, other.seq) == other.reference


def test_what_is_noted_of_an_entry_reads_no_name_that_was_typed_since(
    begun: Callable[[], Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    with begun() as register:
        receipt = register.objections.lodge(["x:a"], channel="web")
        for name in ("Ann Example", "Ann Marie Example", "Annie Example"):
            register.objections.add_names(receipt.reference, [name])
        seen = list[bytes | None]()

        def text(value: bytes | None) -> str | None:
            seen.append(value)
            return None

        monkeypatch.setattr(journal, "_text", text)
        with register._store.reading() as connection:
            assert journal.noted(connection, receipt.seq + 1)
            assert len(seen) == 3, "subjects, effect and the name that was typed with it"
