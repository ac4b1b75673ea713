"""A register goes back in time: it is refused, a witness knows, a receipt shows it, and the receipts lodge it again.

All people are invented.
"""

import base64
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from calling import Demur
from making import open_policy

from demur import backup as backups
from demur.canonical import canonical_json
from demur.errors import CheckFailed, DemurError, RegisterError, UsageError
from demur.identity import Keys
from demur.objecting.receipts import STATEMENT, receipt
from demur.objecting.relodging import read, relodge
from demur.policy.model import LogPlace, RegisterPlace
from demur.register import Register
from demur.witnessing.asking import Said, Wanted, ask
from demur.witnessing.serving import Server
from demur.witnessing.state import Witness
from demur.workspace import Workspace, create

PEOPLE: Final = 100
HELD: Final = 5
"""Entries of the backup: the log's opening, three objections, and the policy in force."""


@dataclass
class Lost:
    """A workspace that was backed up, and in which everybody objected since."""

    folder: Path
    witness: Witness
    url: str
    references: list[str]

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.folder / "community")

    def put_back(self, name: str) -> Workspace:
        """A copy of the workspace as it was at the backup, with its own mark."""
        shutil.copytree(self.folder / "then", self.folder / name)
        return Workspace(self.folder / name)

    def begun_anew(self, name: str) -> Workspace:
        """The same, whose log has ended: another one has begun."""
        workspace = self.put_back(name)
        begin_anew(workspace)
        return workspace

    @property
    def receipts(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "receipts").iterdir())]


def begin_anew(workspace: Workspace) -> None:
    workspace.mark_path.rename(workspace.root / "away.mark")
    assert workspace.renew_mark().lost


def lodge(register: Register, names: range) -> list[str]:
    return [register.objections.lodge([f"forum:u{name}"], channel="form").reference for name in names]


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """Three objected before the backup, a hundred since; a witness saw them all."""
    folder = tmp_path_factory.mktemp("lost")
    witness = Witness.create(folder / "witness", "w.example/1")
    server = Server(("127.0.0.1", 0), witness)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    mark = RegisterPlace(mark="")
    create(folder / "community", open_policy(register=mark, log=LogPlace(witnesses="witnesses.txt")))
    (folder / "community" / "witnesses.txt").write_text(f"witness w1 {witness.key.text} {url}\nquorum w1\n")
    made = Lost(folder, witness, url, [])
    with made.workspace.register() as register:
        lodge(register, range(1000, 1003))
        witness.add(register.proving.key)
    backups.back_up(made.workspace, folder / "backup", "four words nobody guesses")
    shutil.copytree(folder / "community", folder / "then")
    (folder / "receipts").mkdir()
    with made.workspace.register() as register:
        made.references = lodge(register, range(PEOPLE))
        for number, reference in enumerate(made.references):
            file = folder / "receipts" / f"{number:03}.json"
            file.write_bytes(receipt(register, register.objections.get(reference)))
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def test_beside_the_newer_mark_it_is_refused_with_the_number(lost: Lost) -> None:
    workspace = lost.put_back("beside-the-mark")
    shutil.copy(lost.workspace.mark_path, workspace.mark_path)
    with pytest.raises(
        RegisterError, match=rf"ends at entry {HELD}, {PEOPLE} before entry {HELD + PEOPLE}, which was ack"
    ):
        workspace.register()


def test_a_witness_answers_409_and_the_number_is_said(lost: Lost, demur: Demur) -> None:
    assert demur("log", "cosign", "-w", lost.workspace.root).code == 0
    workspace = lost.put_back("wholly-back")
    with workspace.register() as register:  # all parts are of one older moment, the mark, too
        note = register.proving.checkpoint()
        size = register.proving.history.read(note.encode()).size
        reply = ask(lost.url, lost.witness.key, Wanted(note, 0, []), int(time.time()))
        assert (reply.status, reply.said, reply.size) == (409, Said.BEYOND, PEOPLE + HELD)
    told = demur("log", "cosign", "-w", workspace.root)
    assert told.code == 1
    assert f"w1 has cosigned {PEOPLE + HELD} entries of this log, and the register ends at entry {size}" in told.err
    assert f"{PEOPLE} before: it is an older one" in told.err
    with workspace.register() as register:  # it goes on, in another way: a fork
        lodge(register, range(2000, 2000 + PEOPLE))
    told = demur("log", "cosign", "-w", workspace.root)
    assert told.code == 1
    assert "w1 says that the log does not go on from what it cosigned" in told.err
    assert any((lost.witness.folder / "evidence").iterdir()), "the witness keeps what the log's key signed"


def test_without_mark_and_witness_a_receipt_shows_the_loss(lost: Lost, demur: Demur) -> None:
    workspace = lost.put_back("nobody-knows")
    told = demur("relodge", "--check", lost.folder / "receipts", "-w", workspace.root)
    assert told.code == 1
    assert f"({PEOPLE} missing, 0 refused, of {PEOPLE} receipts)" in told.err
    assert f"is MISSING: the register ends at entry {HELD}" in told.err
    with workspace.register() as register:
        assert register.log.head().seq == HELD, "looking changes nothing"


def test_after_restoring_without_the_mark_every_receipt_lodges_again_and_binds(lost: Lost, demur: Demur) -> None:
    root = lost.folder / "restored"
    secret = lost.folder / "passphrase"
    secret.write_text("four words nobody guesses\n")
    told = demur("restore", lost.folder / "backup", "--passphrase-file", secret, "-w", root)
    assert told.code == 0
    assert "No mark was found" in told.err
    told = demur("relodge", lost.folder / "receipts", "-w", root)
    assert (told.code, told.err) == (0, "")
    assert f"{PEOPLE} lodged again, 0 on record, 0 had ended." in told.out
    with Workspace(root).register() as register:
        states = [register.objections.get(reference) for reference in lost.references]
        assert all(state.binding for state in states), "by the references that people have"
        keys = register.pepper.subject_keys([f"forum:u{name}" for name in range(PEOPLE)])
        assert set(keys.tolist()) <= set(register.standing.suppressed().tolist())
        for number, reference in enumerate(lost.references):
            assert register.objections.reference_in(1, number + HELD + 1) == reference, "links of before lead there"
        problems: list[str] = []
        register.audit(problems.append)
        assert problems == []
        end = register.log.head().seq
    again = demur("relodge", lost.folder / "receipts", "-w", root)
    assert f"0 lodged again, {PEOPLE} on record, 0 had ended." in again.out
    with Workspace(root).register() as register:
        assert register.log.head().seq == end
        later = receipt(register, register.objections.get(lost.references[0]))
        assert relodge(register, later).said == "kept"


def test_the_mark_leaves_nothing_for_receipts_to_do(lost: Lost, demur: Demur) -> None:
    root, secret = lost.folder / "with-the-mark", lost.folder / "passphrase"
    secret.write_text("four words nobody guesses\n")
    mark = lost.workspace.mark_path
    assert demur("restore", lost.folder / "backup", "--passphrase-file", secret, "--mark", mark, "-w", root).code == 0
    told = demur("relodge", lost.folder / "receipts", "-w", root)
    assert f"0 lodged again, {PEOPLE} on record, 0 had ended." in told.out


def test_what_is_no_receipt_of_this_workspace_lodges_nothing(lost: Lost, tmp_path: Path) -> None:
    good = lost.receipts[7]
    workspace = lost.begun_anew("forged")
    create(tmp_path / "other", open_policy())
    with Workspace(tmp_path / "other").register() as other:
        foreign = receipt(other, other.objections.get(lodge(other, range(1))[0]))
    with workspace.register() as register:
        end = register.log.head().seq
        for raw, kind, said in (
            (b"{}", UsageError, "It is no receipt"),
            (b"\xff", UsageError, "It is no receipt"),
            (foreign, UsageError, "another workspace"),
            (good.replace(b'"phase": "lodged"', b'"phase": "confirmed"'), CheckFailed, "did not sign"),
        ):
            with pytest.raises(kind, match=said):
                relodge(register, raw)
        for at in (0, 1):  # what lodges another's objection, put into this receipt
            other_again = lost.receipts[8 + at].split(b'"again": "')[1].split(b'"')[0]
            mine = good.split(b'"again": "')[1].split(b'"')[0]
            with pytest.raises(DemurError, match="can't be opened"):
                relodge(register, good.replace(mine, other_again))
        assert register.log.head().seq == end
        withdrawn = lost.references[9]
        with lost.workspace.register() as newest:
            newest.objections.withdraw(withdrawn)
            ended = receipt(newest, newest.objections.get(withdrawn))
        assert relodge(register, ended).said == "ended"
        assert register.log.head().seq == end
        assert relodge(register, good).said == "lodged"


def test_what_was_lodged_is_told_and_honoured_though_another_receipt_is_refused(lost: Lost, demur: Demur) -> None:
    root, some = lost.begun_anew("one-refused").root, lost.folder / "some"
    some.mkdir()
    (some / "1.json").write_bytes(lost.receipts[1])
    (some / "2.json").write_bytes(lost.receipts[2].replace(b'"again": "', b'"again": "\xc3\xa9'))
    told = demur("relodge", some, "-w", root)
    assert "1 lodged again, 0 on record, 0 had ended." in told.out
    assert told.code
    assert "can't be opened" in told.err
    assert "(0 missing, 1 refused, of 2 receipts)" in told.err


def test_a_confirmed_objection_is_lodged_and_confirmed_or_neither(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    with lost.workspace.register() as newest:
        newest.objections.confirm(lost.references[20])
        confirmed = receipt(newest, newest.objections.get(lost.references[20]))
    with lost.begun_anew("cut-off").register() as register:
        end = register.log.head().seq

        def cut_off(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(type(register.objections), "confirm", cut_off)
            with pytest.raises(KeyboardInterrupt):
                relodge(register, confirmed)
        assert register.log.head().seq == end
        assert relodge(register, confirmed).said == "lodged"
        assert register.objections.get(lost.references[20]).phase == "confirmed"


def test_a_log_that_parted_from_a_receipt_of_its_name_takes_it_once_another_log_has_begun(lost: Lost) -> None:
    workspace = lost.put_back("parted")
    with workspace.register() as register:
        end = register.log.head().seq
        with pytest.raises(UsageError, match="begin another log with `demur mark renew`"):
            relodge(register, lost.receipts[30])
        assert register.log.head().seq == end
        assert relodge(register, lost.receipts[30], look=True).said == "missing"
    begin_anew(workspace)
    with workspace.register() as register:
        assert relodge(register, lost.receipts[30]).said == "lodged"
        assert register.objections.reference_in(1, HELD + 31) == lost.references[30]


def test_a_receipt_of_a_later_log_that_was_lost_lodges_again(lost: Lost) -> None:
    later = lost.begun_anew("later")
    with later.register() as register:
        reference = lodge(register, range(3000, 3001))[0]
        made = receipt(register, register.objections.get(reference))
        number = register.objections.get(reference).seq
    with lost.put_back("earlier").register() as register:
        lodge(register, range(4000, 4003))
        assert register.objections.reference_in(2, number) is None
        assert relodge(register, made).said == "lodged"
        assert register.objections.reference_in(2, number) == reference


def test_a_statement_is_by_the_newest_key_of_its_checkpoint(lost: Lost) -> None:
    workspace = lost.put_back("rotated")
    with workspace.register() as register:
        reference = lodge(register, range(5000, 5001))[0]
        old = json.loads(receipt(register, register.objections.get(reference)))
        register.rotate_log(Keys.load(workspace.keys_path).next_log())
        assert read(register, json.dumps(old).encode()).entry
        signed = register.proving.sign(STATEMENT + canonical_json(old["signed"]))
        mixed = {**old, "signature": base64.b64encode(signed).decode()}
        with pytest.raises(CheckFailed, match="did not sign"):
            read(register, json.dumps(mixed).encode())
