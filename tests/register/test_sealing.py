"""Sealed details: nothing on disk names anybody, and a destroyed key takes its details with it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from cluster import running
from erasing import erase_details

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register import Delivered, Register, Selection
from demur.register.database.tables import account, attachment, attachment_content, detail, letter, member
from demur.register.database.vault import Vault
from demur.terms import Channel, EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Place, Row

NEEDLES = (
    "annika",
    "beispiel",
    "anni b",
    "ann.sample",
    "ann@social",
    "mail.example",
    "de-de-1996",
    "harbour",
    "social.ex",
    "proof.pdf",
    "quixotic",
    "old handle",
    "sesame",
)


def fill(register: Register, members: "MakeBatch", ann: "Row") -> str:
    register.members.import_all([members(ann, {"account": "x:ben"})])
    register.members.link("x:ben", "irc:harbour")
    statement = {"names": ["Annika Beispiel"], "handles": ["my old handle"], "contact": "annika@mail.example"}
    said = register.objections.lodge(
        ["instagram:ann.sample"], channel="web", reason="I live at the harbour.", statement=statement
    )
    contact(register, said.reference)
    return said.reference


def contact(register: Register, reference: str) -> None:
    """Write to everybody, in every way there is."""
    register.attachments.add(reference, "proof.pdf", "application/pdf", b"a quixotic page " * 1000)
    register.mails.post("receipt", "de-DE-1996", {"name": "Annika"}, account="instagram:ann.sample")
    register.mails.claim(1)
    register.mails.post("confirm", "de", {}, account="instagram:ann.sample", address="anni b@mail.example")
    register.sessions.remember_all([(b"annika", b"r" * 32, '{"account": "instagram:ann.sample"}')])
    register.api_keys.create("platform")
    everybody = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)
    register.campaigns.start("autumn", everybody, list(Channel))
    for channel in Channel:
        for due in register.notices.claim(channel, 9):
            done = Delivered("autumn", due.subject, "de", b"d" * 32, f"{channel}.{due.subject}@here")
            register.notices.sent(channel, [done])
            register.notices.bounced(done.message_id, cause=f"550 no {due.member.names} <annika@mail.example>")
    for number in (1, 2):
        register.mails.failed(number, "Annika Beispiel has moved to the harbour")
    register.mails.post("receipt", "de", {"name": "Annika"}, account="instagram:ann.sample")


def assert_no_needle(folder: Path) -> int:
    """Search every byte of every file, in UTF-8 and UTF-16; how many bytes that were."""
    size = 0
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name != "keys":
            content = path.read_bytes().lower()
            size += len(content)
            for needle in NEEDLES:
                for spelt in (needle.encode(), needle.encode("utf-16-le")):
                    assert spelt not in content, f"{needle} stands in {path.name}"
    return size


def test_no_file_names_anybody(
    sqlite_place: "Place", members: "MakeBatch", ann: "Row", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(sqlite_place.file.parent))
    with sqlite_place.create() as register:
        fill(register, members, ann)
        assert assert_no_needle(sqlite_place.file.parent) > 100_000  # with the write-ahead log
        erase_details(register, "instagram:ann.sample")
        assert_no_needle(sqlite_place.file.parent)
    assert assert_no_needle(sqlite_place.file.parent) > 50_000


def test_what_erasing_destroys_is_gone_from_the_file(sqlite_place: "Place", members: "MakeBatch", ann: "Row") -> None:
    """Not even whoever has the workspace's keys finds the sealed bytes of a letter, an attachment, a profile."""
    with sqlite_place.create() as register:
        fill(register, members, ann)
        tables = (account, detail, member, attachment, attachment_content, letter)
        with register._store.reading() as connection:
            every = [set(connection.scalars(sa.select(table.c.sealed))) for table in tables]
        erase_details(register, "instagram:ann.sample")
        with register._store.reading() as connection:
            left = [set(connection.scalars(sa.select(table.c.sealed))) for table in tables]
    gone = [(before - after - {None}) for before, after in zip(every, left, strict=True)]
    assert [len(each) for each in gone] == [3, 1, 1, 1, 1, 2]  # of three accounts: names, words, profile, ...
    content = b"".join(file.read_bytes() for file in sqlite_place.file.parent.glob("register.db*"))
    assert not any(sealed[:40] in content for each in gone for sealed in each)


def test_a_secret_that_opens_something_stands_nowhere(sqlite_place: "Place") -> None:
    until = datetime.now(UTC) + timedelta(days=1)
    with sqlite_place.create() as register:
        secrets = [
            register.api_keys.create("platform"),
            register.sessions.open("member", 7, 60),
            register.staff.invite("Olga", "officer", until),
        ]
        content = b"".join(file.read_bytes() for file in sqlite_place.file.parent.glob("register.db*"))
    assert b"platform" in content
    assert not any(secret.encode() in content for secret in secrets)


def test_no_row_of_a_server_names_anybody(postgresql: Path, keys: Keys, members: "MakeBatch", ann: "Row") -> None:
    with running(postgresql, durable=False) as cluster:  # the one of all tests has others' words in its log
        cluster.run("CREATE DATABASE demur_search")
        with Register.create(cluster.url("demur_search"), keys) as register:
            fill(register, members, ann)
        cluster.run("CHECKPOINT")
        assert assert_no_needle(cluster.socket / "data" / "base") > 1_000_000
        assert assert_no_needle(cluster.socket / "data" / "pg_wal") > 1_000_000


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "leak").write_bytes("xx HARBOUR xx".encode("utf-16-le"))
    with pytest.raises(AssertionError, match="harbour stands in leak"):
        assert_no_needle(tmp_path)


def test_details_open_with_the_workspaces_keys_only(
    place: "Place", register: Register, members: "MakeBatch", ann: "Row", tmp_path: Path
) -> None:
    reference = fill(register, members, ann)
    assert register.objections.reason(reference) == "I live at the harbour."
    spelt = register.members.identifiers(place.keys.pepper.subject_keys(["irc:harbour", "x:nobody", "x:ben"]))
    assert spelt == ["irc:harbour", None, "x:ben"]
    other = Keys(place.keys.pepper, Keys.create(tmp_path / "other").sealing, place.keys.signing)
    with Register.open(place.url, other) as stranger, pytest.raises(IdentityError, match="can't be opened"):
        stranger.objections.reason(reference)


def test_erasing_a_person_destroys_keys_and_details_of_all_accounts(
    register: Register, members: "MakeBatch", ann: "Row", keys: Keys
) -> None:
    reference = fill(register, members, ann)
    every = ["instagram:ann.sample", "mastodon:@ann@social.example", "mail:annika@mail.example"]
    theirs = keys.pepper.subject_keys(every)
    before = list(register.log.entries())
    assert erase_details(register, "mastodon:ann@social.example") == 3
    assert register.members.identifiers(theirs) == [None] * 3
    assert register.members.get("instagram:ann.sample") is None
    assert register.objections.reason(reference) is None
    assert register.standing.suppressed().tolist() == sorted(theirs.tolist())  # what honours the objection stays
    *others, last = register.log.entries()
    assert others == before
    assert (last.kind, last.payload) == (EntryKind.PERSON_ERASED, {"accounts": 3})
    assert register.members.get("x:ben") is not None
    assert erase_details(register, "x:nobody") == 0


def test_an_erased_key_is_gone_from_the_file(sqlite_place: "Place") -> None:
    with sqlite_place.create() as register:
        receipt = register.objections.lodge(["x:ann"], channel="web", reason="because")
        with register._store.reading() as connection:
            wrapped = connection.scalars(sa.select(account.c.wrapped)).one()
            sealed = connection.scalars(sa.select(detail.c.sealed)).one()
        files = [sqlite_place.file, sqlite_place.file.with_name("register.db-wal")]
        assert any(wrapped in file.read_bytes() for file in files)
        erase_details(register, "x:ann")
        for secret in (wrapped, sealed):
            assert not any(secret in file.read_bytes() for file in files)
        assert register.objections.get(receipt.reference).binding


def test_details_are_unreadable_once_their_key_is_destroyed(
    register: Register, members: "MakeBatch", ann: "Row", keys: Keys
) -> None:
    """Whoever kept a copy of the sealed bytes has nothing without the key, not even with the workspace's own."""
    reference = fill(register, members, ann)
    owner = keys.pepper.subject_key("instagram:ann.sample")
    with register._store.reading() as connection:
        reason = connection.scalars(sa.select(detail.c.sealed)).one()
        profile = connection.scalars(sa.select(member.c.sealed).where(member.c.key == owner)).one()
    erase_details(register, "instagram:ann.sample")
    register.objections.lodge(["instagram:ann.sample"], channel="web", reason="again")  # comes back, with a new key
    with register._store.reading() as connection:
        wrapped = connection.scalars(sa.select(account.c.wrapped).where(account.c.key == owner)).one()
    vault = Vault(keys.sealing)
    for sealed, what in ((reason, "detail"), (profile, "member")):
        with pytest.raises(IdentityError):
            vault.open(wrapped, sealed, what, owner)
    assert register.objections.reason(reference) is None


def test_merging_and_parting_leaves_each_side_its_keys(register: Register) -> None:
    one = register.objections.lodge(["x:a"], channel="web", reason="mine")
    other = register.objections.lodge(["x:b"], channel="web", reason="yours")
    register.members.link("x:a", "x:b")
    assert (register.objections.reason(one.reference), register.objections.reason(other.reference)) == ("mine", "yours")
    register.members.unlink("x:a", "x:b")
    assert erase_details(register, "x:a") == 1
    assert (register.objections.reason(one.reference), register.objections.reason(other.reference)) == (None, "yours")


def test_who_was_erased_may_come_back(register: Register, members: "MakeBatch", ann: "Row", keys: Keys) -> None:
    register.members.import_all([members(ann)])
    erase_details(register, "instagram:ann.sample")
    assert register.members.import_all([members(ann)]).changed == 1
    assert register.members.get("instagram:ann.sample") is not None
    assert register.members.identifiers(keys.pepper.subject_keys(["mastodon:ann@social.example"])) != [None]


def test_a_sealed_value_fits_only_its_place(keys: Keys) -> None:
    vault = Vault(keys.sealing)
    cipher, wrapped = vault.fresh(1)
    sealed = vault.put(cipher, b"Annika", "member", 1)
    assert vault.open(wrapped, sealed, "member", 1) == b"Annika"
    for what, subject in (("reason", 1), ("member", 2)):
        with pytest.raises(IdentityError):
            vault.open(wrapped, sealed, what, subject)
    assert vault.digest(b"row") != Vault(bytes(32)).digest(b"row")
