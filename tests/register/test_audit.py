"""The register checked against its own entries: everything honest passes, every edit by hand is named.

Each test of this folder that asks for `register` ends with the same check (conftest.py), and so do the laws.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import busy
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.identity import Keys, Pepper
from demur.register import Effect, Register
from demur.register.database import entries
from demur.register.database.tables import entry
from demur.register.persons import erased
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import Place

GOLDEN = Path(__file__).parent / "golden" / "f7abe7e.sql"
KEYS = Keys(Pepper(bytes(range(32))), bytes(range(32, 64)), Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96))))


def findings(register: Register) -> list[str]:
    told: list[str] = []
    register.audit(told.append)
    return told


def edit(register: Register, statement: str, **values: Any) -> None:  # noqa: ANN401  # of columns
    with register._store.writing() as connection:
        assert connection.execute(sa.text(statement), values).rowcount > 0, "the edit changed something"


@pytest.fixture
def filled(place: "Place") -> Iterator[Register]:
    with place.create() as register:
        busy.fill(register)
        yield register


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register with words in it, and one in which somebody was erased."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("whole", "erased"):
        with Register.create(f"sqlite:///{folder}/{name}.db", KEYS) as register:
            busy.fill(register, erasing=name == "erased")
            assert findings(register) == []
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Iterator[Callable[[str], Register]]:
    """Opens a copy of one of them."""
    with ExitStack() as stack:

        def opened(name: str) -> Register:
            shutil.copy(made / f"{name}.db", tmp_path)
            return stack.enter_context(Register.open(f"sqlite:///{tmp_path}/{name}.db", KEYS))

        yield opened


@pytest.fixture
def whole(copied: Callable[[str], Register]) -> Register:
    return copied("whole")


@pytest.fixture
def gone(copied: Callable[[str], Register]) -> Register:
    return copied("erased")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Register]:
    """A register that f7abe7e made."""
    with sqlite3.connect(tmp_path / "register.db") as database:
        database.executescript(GOLDEN.read_text())
    database.close()
    with Register.open(f"sqlite:///{tmp_path}/register.db", KEYS) as register:
        yield register


def test_a_register_to_which_everything_happened_passes(filled: Register) -> None:
    assert findings(filled) == []


def test_a_register_of_before_passes_and_goes_on(old: Register) -> None:
    assert findings(old) == []
    busy.fill(old)
    assert findings(old) == []
    with old._store.reading() as connection:
        formats = connection.scalars(sa.select(entry.c.format).order_by(entry.c.seq)).all()
    assert (formats[0], formats[-1]) == (None, 2)


def test_says_which_end_it_saw_and_what_manifests_pin_down(filled: Register) -> None:
    told: list[str] = []
    commitments = [each.commitment for each in filled.log.entries()]
    audited = filled.audit(told.append, [0, 7, len(commitments), 10**6])
    assert audited.head == filled.log.head()
    assert audited.commitment == commitments[-1]
    assert audited.digests == {
        number: hashlib.sha256(b"".join(commitments[:number])).hexdigest() for number in (0, 7, len(commitments), 10**6)
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE doubt SET stands = false",
        "UPDATE doubt SET reminded = 2",
        "UPDATE doubt SET days = 1",
        "UPDATE doubt SET objection = 13",
        "DELETE FROM doubt",
        "INSERT INTO doubt SELECT entry + 1, objection, stands, days, reminded FROM doubt",
    ],
)
def test_an_edited_doubt_is_named(whole: Register, statement: str) -> None:
    receipt = whole.objections.lodge(["x:doubted"], channel="typed-in")
    whole.objections.doubt(receipt.reference, "Two people claim it.", days=28)
    whole.objections.reminded(receipt.reference, 1)
    assert findings(whole) == []
    edit(whole, statement)
    assert [told for told in findings(whole) if told.startswith("What stands of the doubt that entry ")]


EDITS: dict[str, tuple[str, str]] = {
    "an objection ends": ("UPDATE objection SET active = false WHERE seq = 13", "Objection 13: its active"),
    "a phase": ("UPDATE objection SET phase = 'withdrawn', active = false WHERE seq = 13", "Objection 13: its phase"),
    "a withdrawn one comes back": (
        "UPDATE objection SET phase = 'lodged', active = true WHERE phase = 'withdrawn'",
        "its phase is not what the entries say, 'withdrawn'",
    ),
    "a reference": ("UPDATE objection SET reference = 'AAAA' WHERE seq = 13", "Objection 13: its reference"),
    "a channel": ("UPDATE objection SET channel = 'forged' WHERE seq = 13", "Objection 13: its channel"),
    "a deadline": ("UPDATE objection SET confirm_by = 5 WHERE seq = 13", "Objection 13: its confirm_by"),
    "a day": ("UPDATE objection SET received = 5 WHERE seq = 13", "Objection 13: its received"),
    "a time": ("UPDATE objection SET lodged = lodged + 1 WHERE seq = 13", "Objection 13: its lodged"),
    "a change": ("UPDATE objection SET changed = changed + 1 WHERE seq = 13", "Objection 13: its changed"),
    "an objection is gone": ("DELETE FROM objection WHERE seq = 13", "Objection 13 is missing"),
    "named accounts are gone": ("DELETE FROM objected WHERE objection = 13", "Objection 13 names other accounts"),
    "another account is named": (
        "UPDATE objected SET account = account + 1 WHERE objection = 13",
        "Objection 13 names other accounts",
    ),
    "an objection nobody lodged": (
        "INSERT INTO objection SELECT 1, 'BBBB', phase, active, channel, 1, lodged, 1, changed FROM objection LIMIT 1",
        "Objection 1 stands in the register, and no entry lodged it",
    ),
    "an entry's payload": ("UPDATE entry SET payload = '{}' WHERE seq = 13", "Entry 13"),
    "an entry's subjects": ("UPDATE entry SET subjects = salt WHERE seq = 13", "Entry 13"),
    "an entry's effect": ("UPDATE entry SET effect = NULL WHERE seq = 13", "Entry 13"),
    "an entry's effect, no JSON": ("UPDATE entry SET effect = salt WHERE seq = 13", "Entry 13"),
    "an entry's kind": ("UPDATE entry SET kind = 'corpus.honoured' WHERE seq = 13", "Entry 13"),
    "an unknown kind": ("UPDATE entry SET kind = 'quux' WHERE seq = 13", "a kind that this demur does not know"),
    "an entry does not bind": ("UPDATE entry SET binding = false WHERE seq = 13", "Entry 13 does not count as binding"),
    "an entry's time": ("UPDATE entry SET time = time + 1 WHERE seq = 13", "Entry 13"),
    "a time that is none": ("UPDATE entry SET time = 9223372036854775807 WHERE seq = 13", "Entry 13 can't be read"),
    "a commitment": ("UPDATE entry SET commitment = salt WHERE seq = 13", "Entry 13"),
    "a salt": ("UPDATE entry SET salt = commitment WHERE seq = 13", "Entry 13"),
    "another entry's salt": (
        "UPDATE entry SET salt = (SELECT salt FROM entry WHERE seq = 12) WHERE seq = 13",
        "Entry 13",
    ),
    "salts swapped": ("UPDATE entry SET salt = subject_salt, subject_salt = salt WHERE seq = 13", "Entry 13"),
    "an entry's subject salt": ("UPDATE entry SET subject_salt = salt WHERE seq = 13", "Entry 13"),
    "an entry's format": ("UPDATE entry SET format = NULL WHERE seq = 13", "Entry 13 has the first format"),
    "no salts, as if erased": (
        "UPDATE entry SET salt = :none, subject_salt = :none WHERE seq = 13",
        "Entry 13 has no salts",
    ),
    "an entry is gone": ("DELETE FROM entry WHERE seq = 13", "Entry 13 is missing"),
    "entries are gone": ("DELETE FROM entry WHERE seq IN (13, 14, 15)", "Entries 13 to 15 are missing"),
    "an entry of before": ("UPDATE entry SET seq = -3 WHERE seq = 13", "Entry 13 is missing"),
    "a link is taken back": ("UPDATE link SET active = false WHERE active", "against what the entries say"),
    "a link proves": ("UPDATE link SET proven = true WHERE NOT proven", "against what the entries say"),
    "a link comes back": ("UPDATE link SET active = true WHERE NOT active", "against what the entries say"),
    "a link is gone": ("DELETE FROM link", "which the entries made, is missing"),
    "a link nobody made": ("INSERT INTO link VALUES (1, 2, true, true)", "The link of 1 with 2"),
    "an account is another person": ("UPDATE account SET person = key WHERE person <> key", "counts as person"),
    "everybody is one person": ("UPDATE account SET person = 1", "counts as person 1"),
    "an account's row is gone": (
        "DELETE FROM account WHERE key = (SELECT min(account) FROM objected WHERE objection = 13)",
        "of which the register has no row",
    ),
    "a sealed identifier": ("UPDATE account SET sealed = wrapped WHERE sealed IS NOT NULL", "can't be opened"),
    "a recorded consent": ("UPDATE member SET recorded_consent = NOT recorded_consent", "the recorded consent"),
    "a consent nobody recorded": ("UPDATE member SET recorded_consent = true", "the recorded consent"),
    "an imported consent": ("UPDATE member SET imported_consent = true", "is not what was imported last"),
    "a region": ("UPDATE member SET region = 'US'", "is not what was imported last"),
    "a birth year": ("UPDATE member SET birth_year = 1950", "is not what was imported last"),
    "a day of notice": ("UPDATE member SET told_on = 5", "is not what was imported last"),
    "a sealed profile": ("UPDATE member SET sealed = wrapped WHERE sealed IS NOT NULL", "profile can't be opened"),
    "a member is gone": ("DELETE FROM member WHERE digest IS NOT NULL", "was imported, and is missing"),
    "a day told": ("UPDATE member SET noticed_on = 5 WHERE noticed_on > 5", "counts as told from another day"),
    "a notice came back": (
        "UPDATE notice SET status = 'bounced' WHERE status = 'sent'",
        "otherwise than the entries say",
    ),
    "a notice did not": (
        "UPDATE notice SET status = 'sent' WHERE status = 'bounced'",
        "otherwise than the entries say",
    ),
    "a notice never left": ("UPDATE notice SET status = 'queued' WHERE status = 'sent'", "and stands so no more"),
    "a notice nobody sent": (
        "INSERT INTO notice SELECT 1,'mail',1,'sent',1,1,1,1,1,'de',salt,'n','c',false,NULL FROM entry LIMIT 1",
        "1 notices left at once",
    ),
    "a mark": ("INSERT INTO state VALUES ('honoured', '1000000000')", "a mark 'honoured', which demur does not set"),
    "words are gone": ("DELETE FROM detail", "is gone, and no erasure says so"),
    "words are replaced": ("UPDATE detail SET sealed = :none", "was replaced"),
    "words are another's": ("UPDATE detail SET account = 3", "sealed by an account that it does not name"),
    "words nobody said": ("INSERT INTO detail (seq, account, sealed) VALUES (1, 1, :none)", "which digests none"),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_by_hand_is_named(whole: Register, name: str) -> None:
    statement, named = EDITS[name]
    edit(whole, statement, **({"none": b""} if ":none" in statement else {}))
    told = findings(whole)
    assert any(named in sentence for sentence in told), told
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in told)


# Erasures: an excuse for what they name, and for nothing else


def emptied(register: Register) -> list[int]:
    with register._store.reading() as connection:
        return list(connection.scalars(sa.select(entry.c.seq).where(sa.func.length(entry.c.salt) == 0)))


def erasure(register: Register) -> int:
    (found,) = register.log.entries(EntryKind.PERSON_ERASED)
    return found.seq


def test_an_erasure_destroys_the_salts_of_what_held_words_and_no_others(gone: Register) -> None:
    assert emptied(gone) == [12]
    with gone._store.reading() as connection:
        row = connection.execute(sa.select(entry).where(entry.c.seq == 12)).one()
    assert (row.salt, row.subject_salt, len(row.subjects) > 0, len(row.effect) > 0) == (b"", b"", True, True)
    assert gone.objections.of("x:ann")[0].binding


def test_what_somebody_else_said_keeps_its_salts(gone: Register) -> None:
    """Ann was named with objection 13, which Ben's account seals."""
    assert emptied(gone) == [12]
    with gone._store.reading() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM detail WHERE seq = 13")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        "subjects = substr(subjects, 1, 8)",
        "effect = NULL",
        "payload = replace(payload, 'mail', 'form')",
        "kind = 'data.read', binding = false",
        "time = time + 1",
        "detail_digest = NULL",
        "commitment = zeroblob(32)",
    ],
)
def test_an_emptied_entry_is_pinned_down_by_the_erasure(gone: Register, changed: str) -> None:
    edit(gone, f"UPDATE entry SET {changed} WHERE seq = 12")
    assert f"Entry 12 was changed since erasure {erasure(gone)} destroyed its salts." in findings(gone)


def test_salts_that_come_back_are_seen(gone: Register) -> None:
    edit(gone, "UPDATE entry SET salt = zeroblob(32), subject_salt = zeroblob(32) WHERE seq = 12")
    told = findings(gone)
    assert f"Entry 12 has salts, which erasure {erasure(gone)} destroyed." in told


def test_words_that_come_back_are_seen(gone: Register) -> None:
    edit(gone, "INSERT INTO detail (seq, account, sealed) SELECT 12, account, sealed FROM detail WHERE seq = 13")
    assert any("objection 12" in sentence for sentence in findings(gone))


def test_an_insider_without_the_key_can_blame_no_erasure(whole: Register) -> None:
    """Entry 13 says something else, has no salts, and an entry with a commitment that holds says that it was erased."""
    stranger = Ed25519PrivateKey.generate()
    with whole._store.writing() as connection:
        connection.execute(sa.text("DELETE FROM detail WHERE seq = 13"))
        keys = Effect.read(connection.scalar(sa.select(entry.c.effect).where(entry.c.seq == 13))).keys
        effect = erased(connection, keys, stranger)
        assert 13 in effect.emptied
        time = 1_800_000_000_000_000
        seq = entries.append(connection, EntryKind.PERSON_ERASED, {"accounts": 1}, time, subjects=keys, effect=effect)
    told = findings(whole)
    assert f"Entry {seq} is an erasure that this workspace did not sign." in told
    assert "Entry 13 has no salts, and no erasure names it." in told


def test_an_insider_can_blame_no_erasure_of_before(whole: Register) -> None:
    """Those named no entries; but none of their format can follow on one of the second."""
    with whole._store.writing() as connection:
        subjects = connection.scalar(sa.select(entry.c.subjects).where(entry.c.seq == 13))
        last = entries.head(connection).seq + 1
        bare = entries.Stored(
            last,
            "person.erased",
            False,  # noqa: FBT003  # the fields in their order
            1,
            "{}",
            bytes(32),
            b"",
            None,
            subjects,
            None,
            None,
            None,
        )
        forged = bare._replace(commitment=entries.commitment(bare))
        connection.execute(sa.insert(entry).values(**forged._asdict()))
        connection.execute(sa.text("DELETE FROM detail WHERE seq = 13"))
    assert f"Entry {last} has the first format, among entries of the second." in findings(whole)


def test_an_erasure_that_a_register_of_before_recorded_explains_what_is_gone(old: Register) -> None:
    assert emptied(old) == []
    with old._store.reading() as connection:
        first = connection.scalar(sa.text("SELECT detail_digest FROM entry WHERE seq = 12"))
        assert first is not None
        assert connection.scalar(sa.text("SELECT count(*) FROM detail WHERE seq = 12")) == 0
    edit(old, "DELETE FROM detail WHERE seq = (SELECT max(seq) FROM detail)")
    assert any("is gone, and no erasure says so" in sentence for sentence in findings(old))


def test_asking_again_destroys_the_salts_that_a_demur_of_before_left(old: Register) -> None:
    old.persons.destroy(old.persons.own("x:ann"))
    assert emptied(old) == [12]
    assert findings(old) == []


# A register of before: what its entries say is compared, and no more

OLD_EDITS: dict[str, tuple[str, str]] = {
    "an objection ends": ("UPDATE objection SET active = false WHERE seq = 13", "Objection 13: its active"),
    "an account is not named any more": (
        "DELETE FROM objected WHERE account = (SELECT min(account) FROM objected WHERE objection = 13)",
        "Objection 13 names other accounts",
    ),
    "an entry's subjects": ("UPDATE entry SET subjects = zeroblob(8) WHERE seq = 13", "Entry 13"),
    "an entry's kind": ("UPDATE entry SET kind = 'data.read', binding = false WHERE seq = 13", "Entry 13"),
    "a salt": ("UPDATE entry SET salt = zeroblob(32) WHERE seq = 13", "Entry 13"),
    "an entry is made one of the second format": ("UPDATE entry SET format = 2 WHERE seq = 13", "Entry 13"),
    "links are taken back": ("UPDATE link SET active = false", "is taken back, and no entry says so"),
    "links are gone": ("DELETE FROM link", "links, and 0 are on record"),
    "a link nobody made": ("INSERT INTO link VALUES (1, 2, true, true)", "and no entry made it"),
    "somebody is apart": ("UPDATE account SET person = key", "counts as person"),
    "a consent": ("UPDATE member SET recorded_consent = NOT recorded_consent", "the recorded consent"),
    "a day told": ("UPDATE member SET noticed_on = 5 WHERE noticed_on > 5", "counts as told from another day"),
}


@pytest.mark.parametrize("name", OLD_EDITS)
def test_edits_of_a_register_of_before_are_named(old: Register, name: str) -> None:
    statement, named = OLD_EDITS[name]
    edit(old, statement)
    assert any(named in sentence for sentence in findings(old)), findings(old)


def test_who_was_joined_in_a_register_of_before_can_not_be_parted_with_the_links(old: Register) -> None:
    """The links, the persons and even the count of links fit each other; the entries still say who belongs together."""
    edit(old, "UPDATE account SET person = key")
    edit(old, "UPDATE link SET active = false, proven = false")
    assert any("were made one person, and are apart" in sentence for sentence in findings(old))
