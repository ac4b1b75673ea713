"""What a restore brings back, what it tells, and what publishing waits for. All people are invented."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
from making import NOW, batch, item, open_policy
from modelling import trained

from demur import workspace as workspaces
from demur.backup import Restored, back_up, restore
from demur.backup.restoring import Source
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CorpusError, DemurError, IdentityError, RegisterError, UsageError, WorkspaceError
from demur.identity import Keys
from demur.objecting.receipts import receipt
from demur.objecting.relodging import relodge
from demur.policy.model import RegisterPlace
from demur.register import MEMBER, ObjectionPhase
from demur.register.access.staff import StaffRole
from demur.register.continuity.loss import undecided
from demur.register.database.folder import write_log
from demur.rights.erasing import erase
from demur.runs.entries import note_destroyed, note_replayed
from demur.runs.listing import waits
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.tree import leaf_hash
from demur.versions.leave import export
from demur.versions.publish import publish, retire
from demur.workspace import Workspace

ANN, BEN, CEM, DIA = "forum:ann", "forum:ben", "forum:cem", "forum:dia"
LATER: Final = NOW + timedelta(days=1)


class Desk:
    """A workspace, its mark and its backups on another disk, and the disk's loss."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.other = folder / "other"
        self.other.mkdir()
        self.workspace = workspaces.create(folder / "w", open_policy(register=RegisterPlace(mark="../other/the.mark")))
        shutil.copytree(self.workspace.keys_path, self.other / "keys")
        self.read()

    @property
    def mark(self) -> Path:
        return self.other / "the.mark"

    def read(self, source: str = "table", number: int = 1) -> None:
        posts = [item(f"{who[6:]}-{number}", who, f"{who[6:]} said {number}") for who in (ANN, BEN, CEM, DIA)]
        import_items(self.workspace, source, [batch(posts)])

    def back_up(self, name: str = "b1") -> Path:
        back_up(self.workspace, self.other / name, None)
        return self.other / name

    def lose(self) -> None:
        shutil.rmtree(self.workspace.root)

    def restore(self, name: str = "b1", **changes: Any) -> Restored:  # noqa: ANN401  # of a Source
        return restore(Source(self.other / name, **({"keys": self.other / "keys"} | changes)), self.workspace.root)

    def texts(self) -> list[str]:
        with reading(self.workspace) as session:
            return sorted(text for part in session.corpus.batches(["text"]) for text in part["text"].to_pylist())

    def restored_entries(self) -> list[Any]:
        with self.workspace.register() as register:
            return [entry.payload for entry in register.log.entries(EntryKind.REGISTER_RESTORED)]


@pytest.fixture
def desk(fast_tmp: Path) -> Desk:
    return Desk(fast_tmp)


def one_sentence(error: BaseException) -> bool:
    told = str(error)
    return told.endswith(".") and "\n" not in told


# What is done again


def test_every_step_of_an_objection_is_done_again(desk: Desk) -> None:
    with desk.workspace.register() as register:
        before = register.objections.lodge([ANN], channel="web", now=NOW).reference
    desk.back_up()
    with desk.workspace.register() as register:
        register.objections.confirm(before, now=LATER)
        lodged = register.objections.lodge([BEN], channel="mail", reason="because", now=LATER).reference
        both = register.objections.lodge([CEM, "x:new"], channel="api", confirm_by=LATER, now=NOW).reference
        gone = register.objections.lodge([DIA], channel="web", now=LATER).reference
        register.objections.withdraw(gone, now=LATER)
        denied = register.objections.lodge([DIA], channel="web", now=LATER).reference
        register.objections.lapse(denied, cause="denied", now=LATER)
        expected = {each: register.objections.get(each) for each in (before, lodged, both, gone, denied)}
        accounts = {each: register.objections.lodged_for(each).tolist() for each in expected}
        links = {each: state.seq for each, state in expected.items()}
    desk.lose()
    restored = desk.restore()
    assert (restored.loss, restored.missing) == ("", 0)
    with desk.workspace.register() as register:
        for reference, was in expected.items():
            now = register.objections.get(reference)
            assert (now.phase, now.channel, now.lodged) == (was.phase, was.channel, was.lodged)
            assert register.objections.lodged_for(reference).tolist() == accounts[reference]
            assert register.objections.reference_in(1, links[reference]) == reference
        assert register.objections.get(both).confirm_by is None, (
            "nobody is known to have been asked, so it does not lapse"
        )
        assert register.objections.reason(lodged) is None
        assert register.objections.reference_in(1, 10_000) is None
        assert register.objections.lapse_overdue(LATER + timedelta(days=400)) == []
        problems: list[str] = []
        register.audit(problems.append)
    assert problems == []
    assert desk.texts() == ["dia said 1"]


def test_a_doubt_is_done_again_only_where_every_mail_about_it_left(desk: Desk) -> None:
    desk.back_up()
    until = LATER + timedelta(days=28)
    with desk.workspace.register() as register:
        references = [
            register.objections.lodge([each], channel="typed-in", now=NOW).reference for each in (ANN, BEN, CEM)
        ]
        asked, unsent, revived = references
        for reference in references:
            register.objections.doubt(reference, "Two people claim it.", days=28, now=LATER)
            said = {"reference": reference, "confirm_url": "https://x.example/1", "confirm_by": None}
            register.mails.post("confirm", "en", said, address="x@town.example", now=LATER)
        register.mails.sent([each.id for each in register.mails.claim(9, now=LATER)], now=LATER)
        register.objections.reminded(unsent, 1, now=LATER)
        register.objections.lapse(revived, cause="denied", now=LATER)
        register.objections.revive(revived, now=LATER)
    desk.lose()
    desk.restore()
    with desk.workspace.register() as register:
        states = [register.objections.get(each) for each in references]
        assert [each.binding for each in states] == [True, True, True]
        assert [each.confirm_by for each in states] == [until, None, None]
        assert register.objections.doubts(asked) == [(LATER, None)], "its reason is in no journal"
        assert register.objections.lapse_overdue(until + timedelta(days=400)) == [], "nobody was reminded"
        problems: list[str] = []
        register.audit(problems.append)
    assert problems == []


def test_no_doubt_ends_an_objection_where_its_answer_may_be_lost(desk: Desk) -> None:
    with desk.workspace.register() as register:
        reference = register.objections.lodge([ANN], channel="typed-in", now=NOW).reference
        register.objections.doubt(reference, "Two people claim it.", days=28, now=NOW)
        for number in (1, 2):
            register.objections.reminded(reference, number, now=NOW)
    desk.back_up()
    with desk.workspace.register() as register:
        register.objections.confirm(reference, now=LATER)
    desk.lose()
    desk.mark.unlink()
    assert desk.restore().missing is None
    with desk.workspace.register() as register:
        assert register.objections.get(reference).doubted is None
        assert register.objections.lapse_overdue(LATER + timedelta(days=400)) == []
        problems: list[str] = []
        register.audit(problems.append)
    assert problems == []


def test_links_and_consents_are_done_again(desk: Desk) -> None:
    with desk.workspace.register() as register:
        register.members.link(ANN, BEN)
    desk.back_up()
    with desk.workspace.register() as register:
        register.members.unlink(ANN, BEN)
        register.members.link(CEM, "x:cem")
        register.members.consent([DIA], given=True)
        register.members.consent([ANN], given=True)
        register.members.consent([ANN], given=False)
        register.objections.lodge(["x:cem"], channel="web")
        facts = {
            key: bool(said)
            for key, said in zip(
                register.standing.facts().keys.tolist(), register.standing.facts().consented, strict=True
            )
        }
    desk.lose()
    desk.restore()
    with desk.workspace.register() as register:
        assert len(register.members.covered_with(ANN)) == 1
        assert len(register.members.covered_with(CEM)) == 2
        again = register.standing.facts()
        assert {key: bool(said) for key, said in zip(again.keys.tolist(), again.consented, strict=True)} == facts
        problems: list[str] = []
        register.audit(problems.append)
    assert problems == []
    assert desk.texts() == ["ann said 1", "ben said 1", "dia said 1"]


def test_an_erasure_erases_the_accounts_that_it_erased_and_no_others(desk: Desk) -> None:
    """A link that was made after the erasure takes nobody else into it."""
    desk.back_up()
    erase(desk.workspace, ANN)
    with desk.workspace.register() as register:
        register.members.link(ANN, DIA)
    desk.lose()
    assert desk.restore().erased == 1
    with desk.workspace.register() as register:
        assert register.persons.objections(register.persons.own(ANN))
        payload = [entry.payload for entry in register.log.entries(EntryKind.PERSON_ERASED)]
        assert [(each["accounts"], each["own"], "replayed" in each) for each in payload] == [(1, 1, True)]


def test_a_version_that_was_retired_stays_so_and_an_export_is_not_forgotten(desk: Desk) -> None:
    publish(desk.workspace, "v1")
    desk.back_up()
    export(desk.workspace, "v1", desk.other / "export")
    retire(desk.workspace, "v1")
    desk.lose()
    desk.restore()
    with desk.workspace.register() as register:
        assert [entry.payload["name"] for entry in register.log.entries(EntryKind.VERSION_RETIRED)] == ["v1"]
        assert [entry.payload["path"] for entry in register.log.entries(EntryKind.VERSION_EXPORTED)] == [
            str(desk.other / "export")
        ]
    with pytest.raises(UsageError, match="was retired"):
        export(desk.workspace, "v1", desk.other / "again")


def test_a_model_that_was_replaced_stays_so_and_the_older_one_serves_nobody_who_objected(desk: Desk) -> None:
    pepper = desk.workspace.keys().pepper
    model = trained(desk.workspace, [pepper.subject_key(account) for account in (ANN, BEN, CEM, DIA)])
    under_way = model.run.begin_model()
    desk.back_up()
    assert not (desk.other / "b1/workspace/models/irc" / under_way.number).exists()
    with desk.workspace.register() as register:
        register.objections.lodge([BEN], channel="letter")
        gone = np.array([pepper.subject_key(BEN)])
        note_replayed(register, under_way, {"certificate": "ab" * 32}, gone=gone)
        note_destroyed(register, model, checkpoints=3, gone=gone)
    desk.lose()
    done = desk.restore()
    assert done.replayed["run.replayed"] == done.replayed["run.destroyed"] == 1
    pointer = read_pointer(model.run)
    assert pointer is not None
    assert (pointer.model, pointer.checkpoint) == ("0001", 1)
    assert waits(model.run)
    with desk.workspace.register() as register:
        entries = register.log.concerning([EntryKind.RUN_DESTROYED, EntryKind.RUN_REPLAYED], gone)
        assert [entry.kind for entry in entries] == ["run.replayed", "run.destroyed"]


def test_who_was_shut_out_stays_out(desk: Desk) -> None:
    with desk.workspace.register() as register:
        key = register.api_keys.create("shop", now=NOW)
        register.staff.invite("Olga", StaffRole.OFFICER, LATER, now=NOW)
        numbers = [each.id for each in register.staff.list()]
    desk.back_up()
    with desk.workspace.register() as register:
        register.api_keys.revoke("shop")
        for number in numbers:
            register.staff.remove(number)
    desk.lose()
    desk.restore()
    with desk.workspace.register() as register:
        assert register.api_keys.check(key) is None
        assert [each.removed is None for each in register.staff.list()] == [False]


def test_a_second_loss_is_restored_from_the_same_backup(desk: Desk) -> None:
    desk.back_up()
    with desk.workspace.register() as register:
        first = register.objections.lodge([ANN], channel="web")
    desk.read("other", 2)
    desk.lose()
    assert "1 import (other)" in desk.restore().loss
    with desk.workspace.register() as register:
        second = register.objections.lodge([BEN], channel="web")
        number = register.objections.get(first.reference).seq
    desk.lose()
    restored = desk.restore()
    assert restored.incarnation == 3
    assert "1 import (other)" in restored.loss, "what the first restore lost is lost still"
    with desk.workspace.register() as register:
        for receipt in (first, second):
            assert register.objections.get(receipt.reference).binding
        assert (
            register.objections.reference_in(1, first.seq)
            == register.objections.reference_in(2, number)
            == first.reference
        )
        assert register.objections.reference_in(2, second.seq) == second.reference
    assert desk.texts() == ["cem said 1", "dia said 1"]


def test_an_older_backup_goes_with_the_mark_in_the_newer_one(desk: Desk) -> None:
    desk.back_up("b1")
    with desk.workspace.register() as register:
        first = register.objections.lodge([ANN], channel="web").reference
    desk.back_up("b2")
    with desk.workspace.register() as register:
        second = register.objections.lodge([BEN], channel="web").reference
    shutil.copytree(desk.other, desk.folder / "kept")
    desk.lose()
    alone = desk.restore("b1")
    assert alone.missing
    assert "unknown" in alone.loss
    desk.lose()
    shutil.rmtree(desk.other)
    (desk.folder / "kept").rename(desk.other)
    both = desk.restore("b1", marks=(desk.other / "b2" / "register.mark",))
    assert (both.missing, both.loss) == (0, "")
    with desk.workspace.register() as register:
        assert all(register.objections.get(each).binding for each in (first, second))


# What is told, and what waits for it


def test_what_was_read_since_is_told_by_number_and_read_again(desk: Desk) -> None:
    desk.back_up()
    desk.read("letters", 2)
    desk.read("letters", 3)
    rows = pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | {"account": ANN}], schema=MEMBER)
    with desk.workspace.register() as register:
        register.members.import_all([rows])
    publish(desk.workspace, "v1")
    desk.lose()
    restored = desk.restore()
    assert restored.versions == ["v1"]
    assert "2 imports (letters) and 1 import of members" in restored.loss
    with pytest.raises(RegisterError, match="2 imports"):
        publish(desk.workspace, "v2")
    desk.read("letters", 2)
    with pytest.raises(RegisterError, match="1 import "):
        publish(desk.workspace, "v2")
    desk.read("letters", 3)
    with desk.workspace.register() as register:
        register.members.import_all([rows])
    with pytest.raises(UsageError, match="is, or was, a version v1"):
        publish(desk.workspace, "v1")
    publish(desk.workspace, "v2")
    with desk.workspace.register() as register:
        assert not [*register.log.entries(EntryKind.LOSS_ACCEPTED)]


def test_a_policy_that_is_lost_has_to_be_in_force_again(desk: Desk) -> None:
    desk.back_up()
    policy = desk.workspace.policy_path
    before = policy.read_text()
    changed = before.replace("minimum_age = 18", "minimum_age = 21")
    assert changed != before
    policy.write_text(changed)
    desk.read("table", 2)
    desk.lose()
    assert "a change of demur.toml" in desk.restore().loss
    policy.write_text(changed)
    desk.read("table", 2)
    publish(desk.workspace, "v1")


def test_without_a_mark_the_loss_is_unknown_until_it_is_accepted(desk: Desk) -> None:
    publish(desk.workspace, "v1")
    desk.back_up()
    desk.lose()
    desk.mark.unlink()
    assert desk.restore().missing is None
    for act in (lambda: publish(desk.workspace, "v2"), lambda: export(desk.workspace, "v1", desk.folder / "out")):
        with pytest.raises(RegisterError, match="unknown") as told:
            act()
        assert one_sentence(told.value)
    publish(desk.workspace, "v2", accept_loss=True)
    export(desk.workspace, "v2", desk.folder / "out")
    with desk.workspace.register() as register:
        assert [entry.payload["unknown"] for entry in register.log.entries(EntryKind.LOSS_ACCEPTED)] == [True]
        assert undecided(register.log) is None


def test_where_nothing_is_lost_nothing_waits(desk: Desk) -> None:
    desk.back_up()
    desk.lose()
    assert desk.restore().loss == ""
    publish(desk.workspace, "v1")
    publish(desk.workspace, "v3", accept_loss=True)
    with desk.workspace.register() as register:
        assert not [*register.log.entries(EntryKind.LOSS_ACCEPTED)], "there was nothing to accept"


# What does not belong together


def test_old_parts_and_new_ones_refuse_each_other(desk: Desk) -> None:
    desk.back_up()
    with desk.workspace.register() as register:
        register.objections.lodge([ANN], channel="web")
    desk.read("table", 2)
    publish(desk.workspace, "v1")
    shutil.copytree(desk.workspace.root, desk.folder / "old")
    shutil.copy(desk.mark, desk.folder / "old.mark")
    desk.lose()
    desk.restore()
    new = desk.workspace
    with pytest.raises(RegisterError, match="incarnation"):
        Workspace(desk.folder / "old").register()
    shutil.copy(desk.mark, desk.folder / "new.mark")
    shutil.copy(desk.folder / "old.mark", desk.mark)
    with pytest.raises(RegisterError, match="incarnation"):
        new.register()
    shutil.copy(desk.folder / "new.mark", desk.mark)
    shutil.copy(desk.folder / "old" / "versions" / "v1.json", new.versions_path)
    with pytest.raises(RegisterError, match="does not know the version v1"):
        new.register()
    (new.versions_path / "v1.json").unlink()
    shutil.rmtree(new.corpus_path)
    shutil.copytree(desk.folder / "old" / "corpus.lance", new.corpus_path)
    with pytest.raises((CorpusError, RegisterError)):
        publish(new, "v9")


def test_a_corpus_from_after_the_backup_is_refused_by_its_imports(desk: Desk) -> None:
    """Nothing binding came since, so that only the number of the import tells."""
    desk.back_up()
    desk.read("table", 2)
    shutil.copytree(desk.workspace.corpus_path, desk.folder / "newer.lance")
    desk.lose()
    desk.restore()
    shutil.rmtree(desk.workspace.corpus_path)
    shutil.copytree(desk.folder / "newer.lance", desk.workspace.corpus_path)
    with pytest.raises(CorpusError, match="from after the backup"):
        desk.read("table", 3)


def test_a_mark_from_before_a_restore_is_not_mixed_in(desk: Desk) -> None:
    desk.back_up("b1")
    with desk.workspace.register() as register:
        register.objections.lodge([ANN], channel="web")
    shutil.copy(desk.mark, desk.folder / "old.mark")
    desk.lose()
    desk.restore("b1")
    desk.back_up("b2")
    desk.lose()
    with pytest.raises(RegisterError, match="a restore came between"):
        desk.restore("b2", marks=(desk.folder / "old.mark",))
    assert not desk.workspace.root.exists()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _edit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", [_cut, _edit, Path.unlink])
@pytest.mark.parametrize("file", ["backup.json", "register.db", "workspace/demur.toml", "corpus"])
def test_a_backup_that_is_not_whole_is_refused_in_one_sentence(desk: Desk, file: str, harm: Any) -> None:  # noqa: ANN401  # a function
    backup = desk.back_up()
    harm(next((backup / "workspace").rglob("data/*.lance")) if file == "corpus" else backup / file)
    desk.lose()
    with pytest.raises(DemurError) as told:
        desk.restore()
    assert one_sentence(told.value)
    assert not desk.workspace.root.exists()


def test_another_workspaces_keys_or_mark_are_refused(desk: Desk, tmp_path: Path) -> None:
    desk.back_up()
    (tmp_path / "foreign").mkdir()
    foreign = Desk(tmp_path / "foreign")
    desk.lose()
    with pytest.raises(WorkspaceError, match="another key"):
        desk.restore(keys=foreign.workspace.keys_path)
    with pytest.raises(RegisterError, match="no mark of this workspace"):
        desk.restore(marks=(foreign.mark,))
    assert desk.restore().loss == ""


def test_the_keys_open_with_their_passphrase_alone(desk: Desk) -> None:
    secret = desk.workspace.keys_path / "smtp.password"
    secret.write_text("swordfish")
    made = back_up(desk.workspace, desk.other / "locked", "a passphrase of some words")
    assert made.keys
    assert b"swordfish" not in b"".join(
        path.read_bytes() for path in (desk.other / "locked").rglob("*") if path.is_file()
    )
    assert {path.stat().st_mode & 0o077 for path in (desk.other / "locked").rglob("*")} == {0}
    desk.lose()
    with pytest.raises(IdentityError, match="passphrase does not open"):
        desk.restore("locked", keys=None, passphrase="another one")
    with pytest.raises(WorkspaceError, match="encrypted"):
        desk.restore("locked", keys=None)
    desk.restore("locked", keys=None, passphrase="a passphrase of some words")
    assert secret.read_text() == "swordfish"
    assert secret.stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(desk: Desk) -> None:
    desk.back_up()
    with pytest.raises(WorkspaceError, match="workspace already"):
        desk.restore()
    with pytest.raises(WorkspaceError, match="exists already"):
        desk.back_up()
    with pytest.raises(WorkspaceError, match="lies in the workspace"):
        back_up(desk.workspace, desk.workspace.root / "b", None)
    desk.lose()
    desk.workspace.root.mkdir()
    (desk.workspace.root / "mine.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="is not empty"):
        desk.restore()
    assert [path.name for path in desk.workspace.root.iterdir()] == ["mine.txt"]


# The mark


def test_a_lost_mark_is_renewed_and_publishing_waits(desk: Desk) -> None:
    with pytest.raises(RegisterError, match="there and fits"):
        desk.workspace.renew_mark()
    lost = desk.mark.read_bytes()
    desk.mark.unlink()
    with pytest.raises(RegisterError, match="demur mark renew"):
        desk.workspace.register()
    assert desk.workspace.renew_mark().lost
    with pytest.raises(RegisterError, match="--accept-loss"):
        publish(desk.workspace, "v1")
    publish(desk.workspace, "v1", accept_loss=True)
    desk.mark.write_bytes(lost)
    with pytest.raises(RegisterError, match="incarnation"):
        desk.workspace.register()
    assert not desk.workspace.renew_mark().lost, "the register holds all that it notes"
    desk.workspace.register().close()
    assert desk.texts()


def test_objections_of_a_journal_bind_however_they_stood(desk: Desk) -> None:
    """Phases come from the entries; nothing that was in force is out of it."""
    desk.back_up()
    with desk.workspace.register() as register:
        reference = register.objections.lodge([ANN], channel="web").reference
        register.objections.confirm(reference)
    desk.lose()
    desk.restore()
    with desk.workspace.register() as register:
        assert register.objections.get(reference).phase is ObjectionPhase.CONFIRMED


def test_the_log_goes_on_under_another_name(desk: Desk) -> None:
    """What the old one had signed and the restored register lacks is no fork of the new one, and stays evidence."""
    with desk.workspace.register() as register:
        lodged = register.objections.lodge([ANN], channel="web")
    desk.back_up()
    with desk.workspace.register() as register:
        register.objections.lodge([BEN], channel="web")
        register.log.append(EntryKind.CORPUS_HONOURED, {})
        before = Checkpoint.read(register.proving.checkpoint().encode(), [register.proving.key])
    desk.lose()
    desk.restore()
    with desk.workspace.register() as register:
        key = register.proving.key
        after = Checkpoint.read(register.proving.checkpoint().encode(), [key])
        assert (before.origin[-2:], after.origin[-2:]) == ("/1", "/2")
        assert after.size == register.log.head().seq
        proof = register.proving.open(lodged.seq).proof
        assert proof.check(leaf_hash(register.point(lodged.seq).commitment), [key]) == after
        told: list[str] = []
        register.audit(told.append)
        assert told == []
        folder = desk.folder / "log"
        folder.mkdir()
        (folder / "checkpoint").write_text(before.sign(desk.workspace.keys().log or pytest.fail("no key")))
        with pytest.raises(UsageError, match="no checkpoint of this log"):
            write_log(register.proving, folder)


@pytest.mark.parametrize("newer", [False, True])
def test_after_a_rotation_the_log_begins_anew_by_the_key_that_is_at_hand(
    desk: Desk,
    newer: bool,  # noqa: FBT001  # whether the keys are of after it
) -> None:
    desk.back_up()
    with desk.workspace.register() as register:
        old = register.proving.key.public
        register.rotate_log(desk.workspace.keys().next_log())
        Keys.settle_log(desk.workspace.keys_path)
        new = register.proving.key.public
        reference = register.objections.lodge([ANN], channel="web").reference
        kept = receipt(register, register.objections.get(reference))
    if newer:
        shutil.copytree(desk.workspace.keys_path, desk.other / "newer")
    desk.lose()
    restored = desk.restore(keys=desk.other / ("newer" if newer else "keys"))
    assert restored.lost.get("log.rotated") == 1
    assert "log.opened" not in restored.lost
    with desk.workspace.register() as register:
        assert register.proving.key.public == (new if newer else old)
        assert [str(each.payload["origin"])[-2:] for each in register.log.entries(EntryKind.LOG_OPENED)] == ["/1", "/2"]
        assert register.objections.get(reference).binding
        told: list[str] = []
        register.audit(told.append)
        assert told == []
        assert relodge(register, kept).said == "kept", "it brings the rotation along that the register lost"
        register.rotate_log(desk.workspace.keys().next_log())
        Keys.settle_log(desk.workspace.keys_path)
        register.objections.lodge([BEN], channel="web")
        register.audit(told.append)
        assert told == []
