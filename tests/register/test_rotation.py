"""The log's keys on record: it is opened once, its key is rotated once and for all, and a kill loses neither key."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.canonical import canonical_json
from demur.errors import CheckFailed, RegisterError, UsageError
from demur.identity import Keys, read_signing_key
from demur.objecting.receipts import STATEMENT, receipt
from demur.register import Register
from demur.register.database.folder import write_log
from demur.register.database.mark import Mark
from demur.register.database.proving import Opened, Proving
from demur.register.database.tables import checkpoint
from demur.terms import BINDING
from demur.transparency.note import NoteKey, is_signed, signers_of
from demur.transparency.rotation import Rotation, read_all

if TYPE_CHECKING:
    from tests.register.conftest import Place

ROTATE = """
import os, sys
from pathlib import Path
from demur.identity import Keys
from demur.register import Register
from demur.register.database.mark import Mark
url, folder, mark, where = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
die = lambda *_, **__: os.kill(os.getpid(), 9)
with Register.open(url, Keys.load(folder), mark) as register:
    following = Keys.load(folder).next_log()
    if where == "before":
        die()
    if where == "noted":
        Mark.append = die
    register.rotate_log(following)
    die()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of keys."""
    Keys.create(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def open_(place: "Place", folder: Path, tmp_path: Path) -> Callable[[], Register]:
    """Opens a register that has a mark, with the keys that lie there then."""
    mark = tmp_path / "register.mark"
    Register.begin(place.url, Keys.load(folder), mark).close()
    return lambda: Register.open(place.url, Keys.load(folder), mark)


def log_key(folder: Path) -> Ed25519PrivateKey:
    """The private half of the key that lies there."""
    found = Keys.load(folder).log
    assert found is not None
    return found


def rotate(register: Register, folder: Path) -> Rotation:
    made = register.rotate_log(Keys.load(folder).next_log())
    Keys.settle_log(folder)
    return made


def lodge(register: Register, name: str) -> None:
    register.objections.lodge([f"x:{name}"], channel="web")


def signed_by(register: Register) -> list[tuple[int, list[bytes]]]:
    """Each checkpoint's size, and the public keys that signed it."""
    keys = [each.key for each in register.proving.history.spans]
    with register._store.reading() as connection:
        rows = connection.execute(sa.select(checkpoint).order_by(checkpoint.c.size)).all()
    return [(size, [key.public for key in signers_of(note.encode(), keys)]) for size, note in rows]


def findings(register: Register) -> list[str]:
    found: list[str] = []
    register.audit(found.append)
    return found


def test_a_log_is_opened_once_under_each_name(open_: Callable[[], Register], folder: Path) -> None:
    keys = Keys.load(folder)
    with open_() as first, open_() as second:
        assert first.open_log(keys) == 1
        assert [each.open_log(keys) for each in (first, second)] == [None, None]
        (opened,) = first.log.entries()
        assert opened.kind not in BINDING
        assert opened.payload == {
            "keys": {
                "log": first.proving.key.text,
                "manifests": keys.signing.public_key().public_bytes_raw().hex(),
            },
            "origin": first.proving.key.name,
            "pepper": hashlib.sha256((folder / "pepper.key").read_bytes()).hexdigest(),
        }
        shown = first.proving.opening()
        assert (shown.proof.index, json.loads(shown.entry)["payload"]) == (0, opened.payload)
        assert findings(first) == []


def test_a_register_of_before_gets_it_next_and_one_that_lacks_an_entry_does_not(
    open_: Callable[[], Register], folder: Path
) -> None:
    keys = Keys.load(folder)
    with open_() as register:
        for name in ("a", "b", "c"):
            lodge(register, name)
        with register._store._engine.begin() as connection:
            connection.execute(sa.text("UPDATE entry SET commitment = salt WHERE seq = 2"))
    with open_() as register:
        with pytest.raises(RegisterError, match="its tree has another root"):
            register.open_log(keys)
        assert register.log.head().seq == 3
        assert len(list(register.log.entries())) == 3, "it can be read"


def test_one_of_before_is_opened_behind_what_it_has(open_: Callable[[], Register], folder: Path) -> None:
    with open_() as register:
        lodge(register, "a")
        assert register.open_log(Keys.load(folder)) == 2
        assert findings(register) == []
        made = rotate(register, folder)
        assert made.size == 3
        assert findings(register) == []


def test_both_keys_sign_where_one_follows_the_other(open_: Callable[[], Register], folder: Path) -> None:
    with open_() as register:
        register.open_log(Keys.load(folder))
        lodge(register, "a")
        old = register.proving.key
        made = rotate(register, folder)
        lodge(register, "b")
        new = register.proving.key
        assert (made.old, made.new, made.size) == (old, new, 3)
        assert signed_by(register) == [
            (1, [old.public]),
            (2, [old.public]),
            (3, [old.public, new.public]),
            (4, [new.public]),
        ]
        assert findings(register) == []
        assert register.proving.rotations() == [made] == [Rotation.read(made.json)]
    assert NoteKey.of(old.name, log_key(folder)) == new
    assert not (folder / "log.next.key").exists()
    with open_() as register:
        rotate(register, folder)
        assert [each.first for each in register.proving.history.spans] == [0, 3, 5]
        assert findings(register) == []
        with pytest.raises(UsageError, match="is the one in use"):
            register.rotate_log(log_key(folder))


def test_a_log_as_files_says_how_its_key_was_rotated(
    open_: Callable[[], Register], folder: Path, tmp_path: Path
) -> None:
    with open_() as register:
        lodge(register, "a")
        assert write_log(register.proving, tmp_path / "log").before is None
        assert not (tmp_path / "log" / "rotations.json").exists()
        made = rotate(register, folder)
        lodge(register, "b")
        assert write_log(register.proving, tmp_path / "log").before == 1
        assert read_all(json.loads((tmp_path / "log" / "rotations.json").read_bytes())) == [made]


def test_a_process_that_runs_takes_up_the_key_that_another_one_brought(
    open_: Callable[[], Register], folder: Path
) -> None:
    with open_() as serving, open_() as fresh:
        lodge(serving, "a")
        with open_() as command:
            made = rotate(command, folder)
        assert serving.proving.key == made.new
        assert serving.proving.open(1).proof.index == 0
        lodge(serving, "b")
        lodge(fresh, "c")
        assert [keys for _, keys in signed_by(serving)][2:] == [[made.new.public]] * 2
        assert findings(serving) == []


def test_a_server_that_lacks_the_key_signs_nothing_until_it_is_copied(
    place: "Place", open_: Callable[[], Register], folder: Path, tmp_path: Path
) -> None:
    theirs, mark = tmp_path / "theirs", tmp_path / "their.mark"
    shutil.copytree(folder, theirs)
    with open_() as first:
        instance = first.instance
        assert instance is not None
        Mark.prepare(mark, Keys.load(theirs), instance, first.point(0)).establish()
        with Register.open(place.url, Keys.load(theirs), mark) as second:
            lodge(second, "a")
            rotate(first, folder)
            for _ in range(2):
                with pytest.raises(RegisterError, match=r"copy keys/log\.key from the server"):
                    lodge(second, "b")
            assert first.log.head().seq == 2
            shutil.copy(folder / "log.key", theirs / "log.next.key")
            lodge(second, "b")
            lodge(first, "c")
        assert findings(first) == []
    with Register.open(place.url, Keys.load(theirs), mark) as second:
        assert not (theirs / "log.next.key").exists()
        assert (theirs / "log.key").read_bytes() == (folder / "log.key").read_bytes()


@pytest.mark.parametrize(("where", "rotated"), [("before", False), ("noted", True), ("files", True)])
def test_a_kill_leaves_the_old_key_or_the_new_one(
    where: str,
    rotated: bool,  # noqa: FBT001  # a column
    place: "Place",
    open_: Callable[[], Register],
    folder: Path,
    tmp_path: Path,
) -> None:
    with open_() as register:
        lodge(register, "a")
        old = register.proving.key
    arguments = [place.url, str(folder), str(tmp_path / "register.mark"), where]
    done = subprocess.run([sys.executable, "-c", ROTATE, *arguments], env=dict(os.environ), check=False)
    assert done.returncode == -9
    following = (folder / "log.next.key").read_bytes()
    with open_() as register:
        lodge(register, "b")
        assert (register.proving.key != old) is rotated
        assert (folder / "log.next.key").exists() is not rotated
        assert findings(register) == []
        assert register.proving.open(1).proof.index == 0
        again = rotate(register, folder)  # a key that was made and never used is used now
        lodge(register, "c")
        assert findings(register) == []
    if not rotated:
        assert (folder / "log.key").read_bytes() == following
        assert again.old == old


def test_a_rotation_that_fails_changes_nothing(
    open_: Callable[[], Register], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_() as register:
        lodge(register, "a")
        old = register.proving.key
        following = Keys.load(folder).next_log()
        with monkeypatch.context() as patch:
            patch.setattr("demur.register.continuity.logs.instance.write", lambda *_: 1 // 0)
            with pytest.raises(ZeroDivisionError):
                register.rotate_log(following)
        lodge(register, "b")
        assert register.proving.key == old
        assert [len(keys) for _, keys in signed_by(register)] == [1, 1]


def test_the_old_key_counts_no_more(open_: Callable[[], Register], folder: Path) -> None:
    before = log_key(folder)
    with open_() as register:
        lodge(register, "a")
        rotate(register, folder)
        lodge(register, "b")
        history = register.proving.history
        newest = history.read(register.proving.checkpoint().encode())
    with pytest.raises(CheckFailed, match="does not count there"):
        history.read(newest.sign(before).encode())
    assert history.read(replace(newest, size=2).sign(before).encode()).size == 2
    with pytest.raises(CheckFailed, match="does not count there"):
        history.read(replace(newest, size=1).sign(log_key(folder)).encode())


def test_whoever_reads_an_older_state_does_not_put_the_retired_key_back(
    open_: Callable[[], Register], folder: Path
) -> None:
    with open_() as register:
        lodge(register, "a")
        old = register.proving.key
        with register._store.reading() as connection:
            connection.execute(sa.select(checkpoint)).all()  # a reader's state of before
            shutil.copy(folder / "log.key", folder.parent / "old.key")
            made = rotate(register, folder)
            shutil.copy(folder / "log.key", folder.parent / "new.key")
            shutil.copy(folder.parent / "old.key", folder / "log.key")  # a finder that finds the old one, too
            signer = register._store.signer
            assert signer is not None
            assert signer.key(connection) == old
            shutil.copy(folder.parent / "new.key", folder / "log.key")
        lodge(register, "b")
        assert register.proving.key == made.new
        assert signed_by(register)[-1] == (3, [made.new.public])
        assert findings(register) == []


def test_a_receipt_that_is_made_across_a_rotation_is_by_the_newest_key_of_its_checkpoint(
    open_: Callable[[], Register], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_() as register:
        done = register.objections.lodge(["x:a"], channel="web")
        state, open_entry, times = register.objections.get(done.reference), Proving.open, list[int]()

        def opened(self: Proving, seq: int) -> Opened:
            found = open_entry(self, seq)
            times.append(seq)
            if len(times) == 1:
                rotate(register, folder)
            return found

        monkeypatch.setattr(Proving, "open", opened)
        document = json.loads(receipt(register, state))
        new = register.proving.key
    assert len(times) == 2
    assert document["key"] == new.text
    message = STATEMENT + canonical_json(document["signed"])
    assert is_signed(new, base64.b64decode(document["signature"]), message)


def test_a_running_server_gives_the_new_key_its_name(open_: Callable[[], Register], folder: Path) -> None:
    with open_() as serving:
        lodge(serving, "a")
        with open_() as command:
            command.rotate_log(Keys.load(folder).next_log())  # and dies before it renames the file
        following = (folder / "log.next.key").read_bytes()
        lodge(serving, "b")
        assert not (folder / "log.next.key").exists()
        assert (folder / "log.key").read_bytes() == following


def test_a_key_that_is_renamed_while_it_is_looked_for_is_found(
    open_: Callable[[], Register], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_() as serving:
        lodge(serving, "a")
        with open_() as command:
            made = command.rotate_log(Keys.load(folder).next_log())

        def read(path: Path) -> Ed25519PrivateKey:
            found = read_signing_key(path)
            Keys.settle_log(folder)  # another process, after this one read the old key
            return found

        monkeypatch.setattr("demur.register.database.logkeys.read_signing_key", read)
        lodge(serving, "b")
        assert signed_by(serving)[-1][1] == [made.new.public]


@pytest.mark.parametrize("stray", [b"", b"half", bytes(32)])
def test_a_stray_next_key_does_not_stop_an_opening(stray: bytes, open_: Callable[[], Register], folder: Path) -> None:
    (folder / "log.next.key").write_bytes(stray)
    with open_() as register:
        lodge(register, "a")
        assert findings(register) == []
    assert (folder / "log.next.key").read_bytes() == stray
