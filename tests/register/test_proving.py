"""What outsiders get of the log: it fits together, it names nobody, and a folder shows a fork."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from demur.errors import CheckFailed, RegisterError, UsageError
from demur.identity import Keys
from demur.register import Register
from demur.register.database.folder import write_log
from demur.terms import EntryKind
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.tiles import Piece, pieces_of
from demur.transparency.tree import leaf_hash, root_of

if TYPE_CHECKING:
    from tests.register.conftest import Place


@pytest.fixture
def begun(place: "Place", tmp_path: Path) -> Callable[[], Register]:
    """Opens a register that has a mark."""
    Register.begin(place.url, place.keys, tmp_path / "register.mark").close()
    return lambda: Register.open(place.url, place.keys, tmp_path / "register.mark")


def append(register: Register, count: int) -> None:
    register.log.append_all(EntryKind.IMPORT_FINISHED, [{"number": number} for number in range(count)])


def edit(register: Register, statement: str, **values: object) -> None:
    with register._store._engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def content(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def said(register: Register) -> Checkpoint:
    return Checkpoint.read(register.proving.checkpoint().encode(), [register.proving.key])


def test_an_entry_is_opened_with_its_proof_and_names_nobody(begun: Callable[[], Register]) -> None:
    with begun() as register:
        receipt = register.objections.lodge(["forum:ann", "forum:bob"], channel="web", reason="mine alone")
        append(register, 300)
        opened = register.proving.open(receipt.seq)
        (first, *_) = register.log.entries()
        assert opened.proof.check(leaf_hash(first.commitment), [register.proving.key]) == said(register)
        assert register.proving.opens(receipt.seq)
        keys = register.objections.covered_by(receipt.reference).tolist()
        for told in ("forum", "mine alone", receipt.reference, *map(str, keys)):
            assert told not in opened.entry


def test_what_is_not_there_not_signed_or_emptied_is_not_opened(begun: Callable[[], Register]) -> None:
    with begun() as register:
        with pytest.raises(RegisterError, match="no entry 1"):
            register.proving.open(1)
        with pytest.raises(RegisterError, match="has no checkpoint yet"):
            register.proving.checkpoint()
        append(register, 3)
        assert not register.proving.opens(4)
        edit(register, "UPDATE entry SET salt = :none WHERE seq = 1", none=b"")
        edit(register, "UPDATE entry SET format = NULL WHERE seq = 2")
        edit(register, "UPDATE entry SET payload = '{}' WHERE seq = 3")
        for seq, why in ((1, "destroyed by an erasure"), (2, "can't be opened"), (3, "not what its commitment says")):
            with pytest.raises(RegisterError, match=why):
                register.proving.open(seq)
        assert [register.proving.opens(seq) for seq in (1, 2)] == [False, False]


def test_what_no_checkpoint_covers_waits(begun: Callable[[], Register], place: "Place") -> None:
    with begun() as register:
        append(register, 2)
        with place.open() as unmarked:
            append(unmarked, 1)
        with pytest.raises(RegisterError, match="No checkpoint covers entry 3 yet"):
            register.proving.open(3)
        assert not register.proving.opens(3)
        assert register.proving.piece(Piece(0, 0, 3)) is None
        append(register, 1)
        assert register.proving.open(3).proof.index == 2


def test_pieces_are_those_of_the_newest_checkpoint(begun: Callable[[], Register]) -> None:
    with begun() as register:
        append(register, 300)
        whole = [each.commitment for each in register.log.entries()]
        tile = register.proving.piece(Piece(0, 1, 44))
        assert tile == b"".join(map(leaf_hash, whole[256:]))
        assert register.proving.piece(Piece(0, 1, 10)) == tile[:320]
        assert register.proving.piece(Piece(1, 0, 1)) == root_of(whole[:256])
        assert register.proving.piece(Piece(None, 1, 44)) == b"".join(b"\0\x20" + leaf for leaf in whole[256:])
        beyond = (Piece(0, 1), Piece(0, 1, 45), Piece(0, 2, 1), Piece(1, 0, 2), Piece(2, 0, 1), Piece(None, 9))
        assert [register.proving.piece(each) for each in beyond] == [None] * 6


def test_the_log_is_written_as_files_and_gone_on_with(begun: Callable[[], Register], tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with begun() as register:
        with pytest.raises(RegisterError, match="has no checkpoint yet"):
            write_log(register.proving, folder)
        append(register, 300)
        written = write_log(register.proving, folder)
        assert (written.size, written.files, written.before) == (300, 6, None)
        paths = {piece.path for piece in pieces_of(300)}
        assert content(folder).keys() == paths | {"checkpoint"}
        for path in paths:
            piece = Piece.at(path)
            assert piece is not None
            assert content(folder)[path] == register.proving.piece(piece)
        assert folder.joinpath("checkpoint").read_text() == register.proving.checkpoint()
        before = content(folder)
        append(register, 300)
        written = write_log(register.proving, folder)
        assert (written.size, written.before) == (600, 300)
        after = content(folder)
        assert {path: after[path] for path in before if path != "checkpoint"} == {
            path: before[path] for path in before if path != "checkpoint"
        }
        assert write_log(register.proving, folder).files == 1


def test_a_folder_that_is_not_its_beginning_shows_a_fork(begun: Callable[[], Register], tmp_path: Path) -> None:
    """The log's own key signed both: the register went back and went on in another way."""
    folder = tmp_path / "log"
    with begun() as register:
        append(register, 5)
        write_log(register.proving, folder)
        kept = tmp_path / "kept"
        shutil.copytree(folder, kept)
        private = register._store.signer._pair.private  # type: ignore[union-attr]  # a marked one's
        origin = register.proving.key.name
        (folder / "checkpoint").write_text(Checkpoint(origin, 4, bytes(32)).sign(private))
        with pytest.raises(CheckFailed, match=r"does not go on from .*one of the two is a fork"):
            write_log(register.proving, folder)
        (folder / "checkpoint").write_text(Checkpoint(origin, 99, bytes(32)).sign(private))
        with pytest.raises(CheckFailed, match="of 99 entries, and the register's log has 5"):
            write_log(register.proving, folder)
        (folder / "checkpoint").write_bytes((kept / "checkpoint").read_bytes())
        (folder / "tile/0/000.p/5").write_bytes(bytes(160))
        with pytest.raises(CheckFailed, match="has another content than the log"):
            write_log(register.proving, folder)


def test_the_folder_of_another_log_is_left_alone(begun: Callable[[], Register], tmp_path: Path) -> None:
    other = Keys.create(tmp_path / "others")
    url = f"sqlite:///{tmp_path}/other.db"
    Register.begin(url, other, tmp_path / "other.mark").close()
    with begun() as register, Register.open(url, other, tmp_path / "other.mark") as another:
        append(register, 5)
        append(another, 5)
        write_log(another.proving, tmp_path / "log")
        before = content(tmp_path / "log")
        with pytest.raises(UsageError, match="is no checkpoint of this log"):
            write_log(register.proving, tmp_path / "log")
        assert content(tmp_path / "log") == before
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="name another folder"):
            write_log(register.proving, tmp_path / "file")
