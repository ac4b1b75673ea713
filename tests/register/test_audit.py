"""The register checked against its own entries: everything honest passes, every edit by hand is named.

Each test of this folder that asks for `register` ends with the same check (conftest.py), and so do the laws.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import busy
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.identity import Keys, Pepper
from demur.register import Effect, ObjectionPhase, Register, entries
from demur.register.erasing import erased
from demur.register.tables import entry
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import Place

GOLDEN = Path(__file__).parent / "golden" / "f7abe7e.sql"
KEYS = Keys(
    Pepper(bytes(range(32))), bytes(range(32, 64)), Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
)


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


@pytest.fixture
def whole(sqlite_place: "Place") -> Iterator[Register]:
    """Nobody erased: the words are there."""
    with sqlite_place.create() as register:
        busy.fill(register, erasing=False)
        assert findings(register) == []
        yield register


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
    commitments = [each.commitment for each in filled.entries()]
    audited = filled.audit(told.append, [0, 7, len(commitments), 10**6])
    assert audited.head == filled.head()
    assert audited.commitment == commitments[-1]
    assert audited.digests == {
        number: hashlib.sha256(b"".join(commitments[:number])).hexdigest()
        for number in (0, 7, len(commitments), 10**6)
    }


LODGED = "seq = (SELECT max(seq) FROM entry WHERE kind = 'objection.lodged')"
EDITS: dict[str, tuple[str, str]] = {
    "an objection ends": ("UPDATE objection SET active = false WHERE seq = 9", "Objection 9: its active"),
    "a phase": ("UPDATE objection SET phase = 'withdrawn', active = false WHERE seq = 9", "Objection 9: its phase"),
    "a withdrawn one comes back": (
        "UPDATE objection SET phase = 'lodged', active = true WHERE phase = 'withdrawn'",
        "its phase is not what the entries say, 'withdrawn'",
    ),
    "a reference": ("UPDATE objection SET reference = 'AAAA' WHERE seq = 9", "Objection 9: its reference"),
    "a channel": ("UPDATE objection SET channel = 'forged' WHERE seq = 9", "Objection 9: its channel"),
    "a deadline": ("UPDATE objection SET confirm_by = 5 WHERE seq = 9", "Objection 9: its confirm_by"),
    "a day": ("UPDATE objection SET received = 5 WHERE seq = 9", "Objection 9: its received"),
    "a time": ("UPDATE objection SET lodged = lodged + 1 WHERE seq = 9", "Objection 9: its lodged"),
    "a change": ("UPDATE objection SET changed = changed + 1 WHERE seq = 9", "Objection 9: its changed"),
    "an objection is gone": ("DELETE FROM objection WHERE seq = 9", "Objection 9 is missing"),
    "named accounts are gone": ("DELETE FROM objected WHERE objection = 9", "Objection 9 names other accounts"),
    "another account is named": (
        "UPDATE objected SET account = account + 1 WHERE objection = 9",
        "Objection 9 names other accounts",
    ),
    "an objection nobody lodged": (
        "INSERT INTO objection SELECT seq + 1, 'BBBB', phase, active, channel, received, lodged, confirm_by, changed "
        "FROM objection WHERE seq = 9",
        "Objection 10 stands in the register, and no entry lodged it",
    ),
    "an entry's payload": ("UPDATE entry SET payload = '{}' WHERE seq = 9", "Entry 9"),
    "an entry's subjects": ("UPDATE entry SET subjects = salt WHERE seq = 9", "Entry 9"),
    "an entry's effect": ("UPDATE entry SET effect = NULL WHERE seq = 9", "Entry 9"),
    "an entry's effect, no JSON": ("UPDATE entry SET effect = salt WHERE seq = 9", "Entry 9"),
    "an entry's kind": ("UPDATE entry SET kind = 'corpus.honoured' WHERE seq = 9", "Entry 9"),
    "an unknown kind": ("UPDATE entry SET kind = 'quux' WHERE seq = 9", "a kind that this demur does not know"),
    "an entry does not bind": ("UPDATE entry SET binding = false WHERE seq = 9", "Entry 9 does not count as binding"),
    "an entry's time": ("UPDATE entry SET time = time + 1 WHERE seq = 9", "Entry 9"),
    "a time that is none": ("UPDATE entry SET time = 9223372036854775807 WHERE seq = 9", "Entry 9 can't be read"),
    "a commitment": ("UPDATE entry SET commitment = salt WHERE seq = 9", "Entry 9"),
    "a salt": ("UPDATE entry SET salt = commitment WHERE seq = 9", "Entry 9"),
    "salts swapped": (
        "UPDATE entry SET salt = CASE seq WHEN 9 THEN (SELECT salt FROM entry e WHERE e.seq = 13) "
        "ELSE (SELECT salt FROM entry e WHERE e.seq = 9) END WHERE seq IN (9, 13)",
        "Entry 13",
    ),
    "an entry's subject salt": ("UPDATE entry SET subject_salt = salt WHERE seq = 9", "Entry 9"),
    "an entry's format": ("UPDATE entry SET format = NULL WHERE seq = 9", "Entry 9 has the first format"),
    "no salts, as if erased": ("UPDATE entry SET salt = :none, subject_salt = :none WHERE seq = 9", "Entry 9 has no salts"),
    "an entry is gone": ("DELETE FROM entry WHERE seq = 9", "Entry 9 is missing"),
    "entries are gone": ("DELETE FROM entry WHERE seq IN (9, 10, 11)", "Entries 9 to 11 are missing"),
    "an entry of before": ("UPDATE entry SET seq = -3 WHERE seq = 9", "Entry 9 is missing"),
    "a link is taken back": ("UPDATE link SET active = false WHERE active", "against what the entries say"),
    "a link proves": ("UPDATE link SET proven = true WHERE NOT proven", "against what the entries say"),
    "a link comes back": ("UPDATE link SET active = true WHERE NOT active", "against what the entries say"),
    "a link is gone": ("DELETE FROM link", "which the entries made, is missing"),
    "a link nobody made": ("INSERT INTO link VALUES (1, 2, true, true)", "The link of 1 with 2"),
    "an account is another person": ("UPDATE account SET person = key WHERE person <> key", "counts as person"),
    "everybody is one person": ("UPDATE account SET person = 1", "counts as person 1"),
    "an account's row is gone": (
        "DELETE FROM account WHERE key = (SELECT min(account) FROM objected WHERE objection = 9)",
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
    "a notice came back": ("UPDATE notice SET status = 'bounced' WHERE status = 'sent'", "otherwise than the entries say"),
    "a notice did not": ("UPDATE notice SET status = 'sent' WHERE status = 'bounced'", "otherwise than the entries say"),
    "a notice never left": ("UPDATE notice SET status = 'queued' WHERE status = 'sent'", "and stands so no more"),
    "a notice nobody sent": ("UPDATE notice SET status = 'sent', sent = 5 WHERE status = 'cancelled'", "left at once"),
    "words are gone": ("DELETE FROM detail", "is gone, and no erasure says so"),
    "words are replaced": ("UPDATE detail SET sealed = :none", "was replaced"),
    "words are another's": ("UPDATE detail SET account = 3", "Objection"),
    "words nobody said": ("INSERT INTO detail VALUES (1, 1, :none)", "which digests none"),
    "the corpus's mark": ("INSERT INTO state VALUES ('honoured', '1000000')", "marked to honour entry 1000000"),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_by_hand_is_named(whole: Register, name: str) -> None:
    statement, named = EDITS[name]
    edit(whole, statement, **({"none": b""} if ":none" in statement else {}))
    told = findings(whole)
    assert any(named in sentence for sentence in told), told
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in told)
