"""Sealed details: nothing on disk names anybody, and a destroyed key takes its details with it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register import Register
from demur.register.tables import account, detail, member
from demur.register.vault import Vault

if TYPE_CHECKING:
    from tests.register.conftest import Cluster, MakeBatch, Place, Row

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
)


def fill(register: Register, members: "MakeBatch", ann: "Row") -> str:
    register.import_members([members(ann, {"account": "x:ben"})])
    register.link("x:ben", "irc:harbour")
    return register.lodge(["instagram:ann.sample"], channel="web", reason="I live at the harbour.").reference


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
    assert assert_no_needle(sqlite_place.file.parent) > 50_000


def test_no_row_of_a_server_names_anybody(cluster: "Cluster", keys: Keys, members: "MakeBatch", ann: "Row") -> None:
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
    assert register.reason(reference) == "I live at the harbour."
    spelt = register.identifiers(place.keys.pepper.subject_keys(["irc:harbour", "x:nobody", "x:ben"]))
    assert spelt == ["irc:harbour", None, "x:ben"]
    other = Keys(place.keys.pepper, Keys.create(tmp_path / "other").sealing, place.keys.signing)
    with Register.open(place.url, other) as stranger, pytest.raises(IdentityError, match="can't be opened"):
        stranger.reason(reference)


def test_erasing_a_person_destroys_keys_and_details_of_all_accounts(
    register: Register, members: "MakeBatch", ann: "Row", keys: Keys
) -> None:
    reference = fill(register, members, ann)
    both = keys.pepper.subject_keys(["instagram:ann.sample", "mastodon:@ann@social.example"])
    entries = list(register.entries())
    assert register.erase_details("mastodon:ann@social.example") == 2
    assert register.identifiers(both) == [None, None]
    assert register.member("instagram:ann.sample") is None
    assert register.reason(reference) is None
    assert register.suppressed().tolist() == sorted(both.tolist())  # what honours the objection stays
    assert list(register.entries()) == entries
    assert register.member("x:ben") is not None
    assert register.erase_details("x:nobody") == 0


def test_an_erased_key_is_gone_from_the_file(sqlite_place: "Place") -> None:
    with sqlite_place.create() as register:
        receipt = register.lodge(["x:ann"], channel="web", reason="because")
        with register._store.reading() as connection:
            wrapped = connection.scalars(sa.select(account.c.wrapped)).one()
            sealed = connection.scalars(sa.select(detail.c.sealed)).one()
        files = [sqlite_place.file, sqlite_place.file.with_name("register.db-wal")]
        assert any(wrapped in file.read_bytes() for file in files)
        register.erase_details("x:ann")
        for secret in (wrapped, sealed):
            assert not any(secret in file.read_bytes() for file in files)
        assert register.objection(receipt.reference).binding


def test_details_are_unreadable_once_their_key_is_destroyed(
    register: Register, members: "MakeBatch", ann: "Row", keys: Keys
) -> None:
    """Whoever kept a copy of the sealed bytes has nothing without the key, not even with the workspace's own."""
    reference = fill(register, members, ann)
    owner = keys.pepper.subject_key("instagram:ann.sample")
    with register._store.reading() as connection:
        reason = connection.scalars(sa.select(detail.c.sealed)).one()
        profile = connection.scalars(sa.select(member.c.sealed).where(member.c.key == owner)).one()
    register.erase_details("instagram:ann.sample")
    register.lodge(["instagram:ann.sample"], channel="web", reason="again")  # comes back, with a new key
    with register._store.reading() as connection:
        wrapped = connection.scalars(sa.select(account.c.wrapped).where(account.c.key == owner)).one()
    vault = Vault(keys.sealing)
    for sealed, what in ((reason, "reason"), (profile, "member")):
        with pytest.raises(IdentityError):
            vault.open(wrapped, sealed, what, owner)
    assert register.reason(reference) is None


def test_merging_and_parting_leaves_each_side_its_keys(register: Register) -> None:
    one = register.lodge(["x:a"], channel="web", reason="mine")
    other = register.lodge(["x:b"], channel="web", reason="yours")
    register.link("x:a", "x:b")
    assert (register.reason(one.reference), register.reason(other.reference)) == ("mine", "yours")
    register.unlink("x:a", "x:b")
    assert register.erase_details("x:a") == 1
    assert (register.reason(one.reference), register.reason(other.reference)) == (None, "yours")


def test_who_was_erased_may_come_back(register: Register, members: "MakeBatch", ann: "Row", keys: Keys) -> None:
    register.import_members([members(ann)])
    register.erase_details("instagram:ann.sample")
    assert register.import_members([members(ann)]).changed == 1
    assert register.member("instagram:ann.sample") is not None
    assert register.identifiers(keys.pepper.subject_keys(["mastodon:ann@social.example"])) != [None]


def test_a_sealed_value_fits_only_its_place(keys: Keys) -> None:
    vault = Vault(keys.sealing)
    cipher, wrapped = vault.fresh(1)
    sealed = vault.put(cipher, b"Annika", "member", 1)
    assert vault.open(wrapped, sealed, "member", 1) == b"Annika"
    for what, subject in (("reason", 1), ("member", 2)):
        with pytest.raises(IdentityError):
            vault.open(wrapped, sealed, what, subject)
    assert vault.digest(b"row") != Vault(bytes(32)).digest(b"row")
