"""The log's tree and its signature: tiles are the tree's, every commit has its checkpoint, and no fork is signed."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import Keys
from demur.register import Register
from demur.register.database import signing, tree
from demur.register.database.mark import Group, Mark
from demur.register.database.tables import checkpoint, entry, tile
from demur.terms import EntryKind
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.tiles import Piece, pieces_of
from demur.transparency.tree import check_consistency, consistency_proof, leaf_hash, root_of

if TYPE_CHECKING:
    from tests.register.conftest import Place

NAME = "register.mark"


@pytest.fixture
def begun(place: "Place", tmp_path: Path) -> Callable[[], Register]:
    """Opens a register that has a mark."""
    Register.begin(place.url, place.keys, tmp_path / NAME).close()
    return lambda: Register.open(place.url, place.keys, tmp_path / NAME)


def append(register: Register, count: int) -> None:
    register.log.append_all(EntryKind.IMPORT_FINISHED, [{"number": number} for number in range(count)])


def leaves(register: Register) -> list[bytes]:
    return [each.commitment for each in register.log.entries()]


def rows(register: Register, table: sa.Table) -> list[tuple[object, ...]]:
    with register._store.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))]


def checkpoints(register: Register) -> list[Checkpoint]:
    return [Checkpoint.read(str(note).encode(), [register.proving.key]) for _, note in rows(register, checkpoint)]


def findings(register: Register) -> list[str]:
    found: list[str] = []
    register.audit(found.append)
    return found


def edit(register: Register, statement: str, **values: object) -> None:
    with register._store._engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def test_tiles_are_inserted_with_the_entries_that_complete_them(register: Register) -> None:
    for count, tiles in ((255, 0), (1, 1), (100, 1), (500, 3), (1, 3)):
        append(register, count)
        assert len(rows(register, tile)) == tiles
    hashed = list(map(leaf_hash, leaves(register)))
    for level, n, root, hashes in rows(register, tile):
        begin = 256 * int(str(n))
        assert (level, hashes) == (0, b"".join(hashed[begin : begin + 256]))
        assert root == root_of(leaves(register)[begin : begin + 256])


def test_an_entry_that_was_taken_back_completes_no_tile(register: Register) -> None:
    append(register, 250)
    with register.locked():
        with suppress(ZeroDivisionError), register.locked():
            append(register, 10)
            raise ZeroDivisionError
        append(register, 3)
    assert rows(register, tile) == []
    append(register, 3)
    assert len(rows(register, tile)) == 1


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700])
def test_the_right_edge_is_computed(register: Register, size: int) -> None:
    append(register, size)
    with register._store.reading() as connection:
        assert tree.edge(connection, size).root() == root_of(leaves(register))
        assert tree.edge(connection, size // 2).root() == root_of(leaves(register)[: size // 2])
        for piece in pieces_of(size):
            assert len(tree.hashes_of(connection, piece)) == piece.width


def test_tiles_of_tiles(sqlite_place: "Place") -> None:
    """More than 65,536 entries make a full tile of the next level."""
    with sqlite_place.create() as register:
        append(register, 65_000)
        append(register, 1_000)
        whole = leaves(register)
        with register._store.reading() as connection:
            assert connection.scalar(sa.select(sa.func.count()).where(tile.c.level == 1)) == 1
            assert tree.edge(connection, 65_536).root() == root_of(whole[:65_536])
            assert tree.edge(connection, 66_000).root() == root_of(whole)
            assert len(tree.hashes_of(connection, Piece(2, 0, 1))) == 1
            nodes = tree.nodes(connection, 66_000)
            proof = consistency_proof(nodes, 300, 66_000)
        check_consistency(300, 66_000, proof, root_of(whole[:300]), root_of(whole))
        assert findings(register) == []


def test_a_register_of_before_gets_its_tiles(place: "Place") -> None:
    with place.create() as register:
        append(register, 600)
        before = rows(register, tile)
        edit(register, "DROP TABLE tile")
        edit(register, "DROP TABLE checkpoint")
        edit(register, "DROP TABLE cosignature")
        edit(register, "UPDATE alembic_version SET version_num = '0012'")
    with place.open() as register:
        assert rows(register, tile) == before
        append(register, 200)
        assert len(rows(register, tile)) == 3


def test_a_register_of_before_that_lacks_an_entry_opens_and_goes_on_nowhere(place: "Place") -> None:
    with place.create() as register:
        append(register, 700)
        edit(register, "DELETE FROM entry WHERE seq = 300")
        edit(register, "DROP TABLE tile")
        edit(register, "DROP TABLE checkpoint")
        edit(register, "DROP TABLE cosignature")
        edit(register, "UPDATE alembic_version SET version_num = '0012'")
    with place.open() as register:
        assert len(rows(register, tile)) == 1
        assert "Entry 300 is missing." in findings(register)
        with register._store.reading() as connection, pytest.raises(RegisterError, match="lacks tile 1 of level 0"):
            tree.edge(connection, 700)


def test_every_commit_is_signed_and_goes_on_from_the_one_before(begun: Callable[[], Register]) -> None:
    for _ in range(3):
        with begun() as register:
            register.objections.lodge(["x:a", "x:b"], channel="web")
            append(register, 120)
            register.members.link("x:a", "x:b")
    with begun() as register:
        signed, whole = checkpoints(register), leaves(register)
        assert [each.size for each in signed] == [1, 121, 122, 123, 243, 244, 364]
        for each in signed:
            assert each.root == root_of(whole[: each.size])
        with register._store.reading() as connection:
            nodes = tree.nodes(connection, len(whole))
            for one, other in pairwise(signed):
                proof = consistency_proof(nodes, one.size, other.size)
                check_consistency(one.size, other.size, proof, one.root, other.root)
        assert register.mark is not None
        newest = register.mark.newest()
        assert newest.checkpoint == rows(register, checkpoint)[-1][1]
        assert (newest.end.seq, newest.end.commitment) == (len(whole), whole[-1])
        assert findings(register) == []


def test_what_fails_is_not_signed(begun: Callable[[], Register]) -> None:
    with begun() as register:
        append(register, 3)
        with suppress(ZeroDivisionError), register.locked():
            append(register, 2)
            raise ZeroDivisionError
        assert [each.size for each in checkpoints(register)] == [3]
        append(register, 1)
        assert [each.size for each in checkpoints(register)] == [3, 4]
        with register.locked():
            pass
        assert len(checkpoints(register)) == 2


def test_two_servers_and_their_threads_sign_one_history(
    place: "Place", tmp_path: Path, begun: Callable[[], Register]
) -> None:
    """Each has a mark of its own, as two servers on one database have."""
    with begun() as first:
        instance = first.instance
        assert instance is not None
        other = tmp_path / "other.mark"
        Mark.prepare(other, place.keys, instance, first.point(0)).establish()
        with Register.open(place.url, place.keys, other) as second:
            lodgers = [
                threading.Thread(target=lodge, args=(register, f"{name}{thread}"))
                for name, register in (("a", first), ("b", second))
                for thread in range(3)
            ]
            for each in lodgers:
                each.start()
            for each in lodgers:
                each.join()
        whole = leaves(first)
        signed = checkpoints(first)
        assert len(whole) == 60
        assert [each.root for each in signed] == [root_of(whole[: each.size]) for each in signed]


def lodge(register: Register, name: str) -> None:
    for number in range(10):
        register.objections.lodge([f"x:{name}{number}"], channel="web")


def test_an_entry_that_was_changed_is_not_built_upon(begun: Callable[[], Register]) -> None:
    """It stands before the end that the mark names: reading shows it, appending signs nothing."""
    with begun() as register:
        append(register, 10)
        edit(register, "UPDATE entry SET commitment = :other WHERE seq = 4", other=bytes(32))
    with begun() as register:
        with pytest.raises(RegisterError, match=r"up to entry 10 its tree has another root.*nothing is signed"):
            register.objections.lodge(["x:a"], channel="web")
        with pytest.raises(RegisterError, match="another root"):
            register.require_mark()
        assert register.log.head().seq == 10
        found = findings(register)
        assert "Entry 4, import.finished, is not what its commitment says." in found
        assert "The checkpoint of 10 entries is of another tree than the entries make." in found


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM entry WHERE seq > 7", "entry 10 is missing or another one"),
        ("DELETE FROM entry WHERE seq = 10", "entry 10 is missing or another one"),
        ("UPDATE entry SET commitment = (SELECT commitment FROM entry WHERE seq = 1) WHERE seq = 10", "another one"),
        ("UPDATE entry SET seq = 12 WHERE seq = 10", "entry 10 is missing or another one"),
    ],
)
def test_a_register_that_was_put_back_under_a_running_server_signs_nothing(
    begun: Callable[[], Register], statement: str, said: str
) -> None:
    with begun() as register:
        append(register, 10)
        edit(register, statement)
        end = register.log.head().seq
        with pytest.raises(RegisterError, match=said):
            append(register, 5)
        assert register.log.head().seq == end
        assert [each.size for each in checkpoints(register)] == [10]


@pytest.mark.parametrize("more", [1, 5])
def test_what_another_process_signed_binds_this_one(begun: Callable[[], Register], more: int) -> None:
    """Both have one mark. The register goes back behind what the other one acknowledged, and not behind this one."""
    with begun() as register, begun() as other:
        append(register, 5)
        append(other, 5)
        append(register, 1)
        append(other, 2)
        edit(register, "DELETE FROM entry WHERE seq > 11")
        edit(register, "DELETE FROM checkpoint WHERE size > 11")
        for _ in range(2):
            said = "up to entry 13 its tree" if more == 5 else "end at entry 12, before"
            with pytest.raises(RegisterError, match=said):
                append(register, more)
        assert register.log.head().seq == 11


def test_a_process_from_before_a_new_mark_signs_nothing(
    begun: Callable[[], Register], place: "Place", tmp_path: Path
) -> None:
    with begun() as register:
        append(register, 2)
        (tmp_path / NAME).unlink()
        assert Register.renew_mark(place.url, place.keys, tmp_path / NAME).lost
        with pytest.raises(RegisterError, match=r"of incarnation 2, and this process of 1: .* start it again"):
            append(register, 1)
    with begun() as register:
        append(register, 1)
        assert register.proving.checkpoint().startswith(f"{register.proving.key.name}\n4\n")


def test_a_gap_beyond_what_was_signed_is_not_signed(begun: Callable[[], Register]) -> None:
    with begun() as register:
        append(register, 10)
        with pytest.raises(RegisterError, match="lacks entry 11"):
            append_without_the_first(register)
        assert register.log.head().seq == 10


def append_without_the_first(register: Register) -> None:
    with register.locked():
        append(register, 2)
        with register._store.writing() as connection:
            connection.execute(sa.delete(entry).where(entry.c.seq == 11))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM tile", "Tile 0 of level 0 of the log is missing."),
        ("UPDATE tile SET root = hashes", "Tile 0 of level 0 of the log is not what the entries make."),
        ("UPDATE tile SET n = 5", "The log has 1 tiles on record, and its entries make 0."),
        (
            "UPDATE checkpoint SET size = 999 WHERE size = 300",
            "A checkpoint of 999 entries is on record",
        ),
        ("UPDATE checkpoint SET note = 'x' WHERE size = 300", "The checkpoint of 300 entries is none that this log"),
    ],
)
def test_an_edited_tree_is_named(begun: Callable[[], Register], statement: str, said: str) -> None:
    with begun() as register:
        append(register, 300)
        append(register, 1)
        edit(register, statement)
        assert any(said in each for each in findings(register)), findings(register)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Keys.create(tmp_path / "mine")
    return tmp_path / "mine"


def test_a_workspace_of_before_gets_a_key_for_its_log_once(place: "Place", folder: Path, tmp_path: Path) -> None:
    (folder / "log.key").unlink()
    old = Keys.load(folder)
    Register.begin(place.url, old, tmp_path / NAME).close()
    Register.open(place.url, old, tmp_path / NAME).close()
    made = (folder / "log.key").read_bytes()
    assert (folder / "log.key").stat().st_mode & 0o777 == 0o600
    with Register.open(place.url, old, tmp_path / NAME) as register:
        append(register, 1)
        assert [each.size for each in checkpoints(register)] == [1]
    assert (folder / "log.key").read_bytes() == made
    (folder / "log.key").unlink()
    with pytest.raises(IdentityError, match=r"keys/log\.key is missing"):
        Register.open(place.url, Keys.load(folder), tmp_path / NAME)
    assert not (folder / "log.key").exists()
    (folder / "log.key").write_bytes(bytes(32))
    with pytest.raises(IdentityError, match=r"keys/log\.key is not the key"):
        Register.open(place.url, Keys.load(folder), tmp_path / NAME)


def test_a_mark_of_before_is_read_and_followed(begun: Callable[[], Register], monkeypatch: pytest.MonkeyPatch) -> None:
    line = Mark._line
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "_line", lambda mark, group: line(mark, replace(group, checkpoint="")))
        with begun() as register:
            append(register, 4)
    with begun() as register:
        assert register.mark is not None
        assert register.mark.newest().checkpoint == ""
        append(register, 1)
        assert register.mark.newest().checkpoint
        register.begin_journal(register.point(5))
        assert register.mark.newest() == Group(register.point(5), (), {}, str(rows(register, checkpoint)[-1][1]))
    with begun() as register:
        append(register, 1)
        assert [each.size for each in checkpoints(register)] == [4, 5, 6]


def test_a_register_outside_a_workspace_signs_nothing(register: Register) -> None:
    append(register, 3)
    assert rows(register, checkpoint) == []
    with register._store.reading() as connection:
        assert signing.newest(connection) is None
