"""What a link covers and what it proves: an address that somebody typed into a profile covers, and opens nothing."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from demur.identity import Keys
from demur.register import Delivered, Register, Selection
from demur.register.database import schema
from demur.register.database.tables import link, member
from demur.terms import Channel, EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Place

ADDRESS = "dieter@town.example"
DIETER, MALLORY, SECOND, MAIL = "forum:dieter", "forum:mallory", "forum:mallory2", f"mail:{ADDRESS}"


@pytest.fixture
def town(register: Register, members: "MakeBatch") -> Register:
    """Dieter, whose address is verified, and Mallory, who typed it, and has a second account with her own address."""
    dieter = {"account": DIETER, "names": ["Dieter"], "locale": "de", "mail": ADDRESS, "mail_verified": True}
    mallory = {"account": MALLORY, "names": ["Mallory"], "locale": "fr", "mail": ADDRESS}
    hers = {"account": SECOND, "linked": [MALLORY], "mail": "mallory@evil.example", "mail_verified": True}
    register.members.import_all([members(dieter, mallory, hers)])
    return register


def own(register: Register, account: str) -> set[str | None]:
    return set(register.members.identifiers(register.persons.own(account)))


def test_an_unverified_address_covers_and_opens_nothing(town: Register) -> None:
    everybody = {DIETER, MALLORY, SECOND, MAIL, "mail:mallory@evil.example"}
    assert set(town.members.identifiers(town.members.covered_with(MALLORY))) == everybody
    assert own(town, MALLORY) == own(town, SECOND) == {MALLORY, SECOND, "mail:mallory@evil.example"}
    assert own(town, DIETER) == own(town, MAIL) == {DIETER, MAIL}
    receipt = town.objections.lodge([MALLORY], channel="web")
    assert len(receipt.subjects) == len(town.standing.suppressed()) == len(everybody)
    assert town.persons.covered(town.persons.subject(DIETER))
    assert not town.persons.covered(town.persons.subject("forum:nobody"))


def test_objections_are_shown_to_those_who_are_proven_theirs(town: Register) -> None:
    his = town.objections.lodge([DIETER], channel="web").reference
    hers = town.objections.lodge([MALLORY], channel="web").reference
    assert [each.reference for each in town.objections.of(MAIL)] == [his]
    assert [each.reference for each in town.objections.of(SECOND)] == [hers]
    for each, reference in ((DIETER, his), (SECOND, hers)):
        (told,) = town.persons.objections(town.persons.own(each))
        assert told.state.reference == reference


def test_a_mail_goes_where_the_holder_of_the_account_reads_it(town: Register, keys: Keys, members: "MakeBatch") -> None:
    def contact(account: str) -> tuple[str | None, str | None]:
        subject = keys.pepper.subject_key(account)
        return town.mails.address_of(subject), town.mails.language_of(subject)

    assert contact(MAIL) == contact(DIETER) == (ADDRESS, "de"), "never Mallory's, nor her language"
    assert contact(MALLORY) == (ADDRESS, "fr"), "it is what she said of this account"
    assert contact(SECOND) == ("mallory@evil.example", "fr")
    town.members.import_all([members({"account": DIETER, "locale": "de"})])
    assert (contact(MAIL), contact(DIETER)) == ((ADDRESS, "de"), (None, "de"))


def test_an_address_of_a_profile_is_one_to_write_to_for_its_own_account(
    register: Register, keys: Keys, members: "MakeBatch"
) -> None:
    register.members.import_all([members({"account": MALLORY, "locale": "fr", "mail": f" {ADDRESS.upper()}"})])
    subject = keys.pepper.subject_key(MAIL)
    assert register.mails.address_of(subject) == f" {ADDRESS.upper()}"
    assert len(register.persons.own_of(subject)) == 1
    register.members.import_all([members({"account": MALLORY, "mail": "other@evil.example"})])
    assert register.mails.address_of(subject) is None, "an old link leads no mail to a new address"


def test_notices_are_shown_to_those_who_are_proven_theirs(town: Register) -> None:
    town.campaigns.start(
        "first", Selection(None, unknown_region=True, born_by=None, unknown_age=True), [Channel.IN_APP]
    )
    addressed = [subject for subject, _ in town.notices.records("first")]
    assert len(addressed) == 2, "a notice each: nothing proves that they are one person"
    for account in (DIETER, MALLORY):
        (theirs,) = np.intersect1d(addressed, town.persons.own(account))
        assert [each.subject for each in town.notices.pending(account)] == [theirs]
        assert len(town.notices.of(account)) == 1


def test_a_later_import_proves_what_stands_and_nothing_that_was_unlinked(
    register: Register, members: "MakeBatch"
) -> None:
    rows = [{"account": f"x:{name}", "mail": f"{name}@a.example"} for name in ("ann", "ben", "cem")]
    register.members.import_all([members(*rows)])
    register.members.unlink("x:ben", "mail:ben@a.example")
    assert [len(register.persons.own(row["account"])) for row in rows] == [1, 1, 1]
    again = [rows[0] | {"mail_verified": True}, *(row | {"linked": [f"mail:{row['mail']}"]} for row in rows[1:])]
    register.members.import_all([members(*again, rows[0])])
    assert [len(register.persons.own(row["account"])) for row in rows] == [2, 1, 2]
    register.members.import_all([members(*rows)])
    assert len(register.persons.own("x:ann")) == 2, "an import takes no proof back"
    imports = [entry.payload for entry in register.log.entries(EntryKind.MEMBERS_IMPORTED)]
    assert [(said["linked"], said["proven"]) for said in imports] == [(3, 0), (0, 2), (0, 0)]


def test_staff_prove_a_link_that_only_covered_and_it_is_on_record(town: Register) -> None:
    head = town.log.head().seq
    assert town.members.link(MALLORY, MAIL) == head + 1
    assert own(town, DIETER) == set(town.members.identifiers(town.members.covered_with(DIETER)))
    assert town.members.link(MAIL, MALLORY) is None
    town.members.unlink(MALLORY, MAIL)
    assert own(town, DIETER) == {DIETER, MAIL}
    town.members.link(MALLORY, MAIL)
    assert MALLORY in own(town, DIETER)


def test_an_erasure_takes_what_is_proven_and_leaves_the_other_his_address(town: Register) -> None:
    hers = town.persons.own(MALLORY)
    assert town.persons.addresses(hers) == {"mallory@evil.example"}
    town.persons.destroy(hers)
    assert own(town, DIETER) == {DIETER, MAIL}
    his = town.members.get(DIETER)
    assert his is not None
    assert his.mail == ADDRESS
    assert (town.members.get(MALLORY), town.members.identifiers(hers)) == (None, [None] * 3)


def test_an_address_that_only_the_erased_gave_is_erased_with_them(register: Register, members: "MakeBatch") -> None:
    shared = [{"account": f"x:{name}", "mail": "two@a.example"} for name in ("ann", "ben")]
    register.members.import_all([members(*shared, {"account": "x:cem", "mail": "cem@a.example"})])
    register.members.import_all([members({"account": "x:dan", "mail": "dan@a.example"})])
    register.objections.lodge(["mail:dan@a.example"], channel="web", reason="his own")
    left = {"x:ann": "mail:two@a.example", "x:ben": None, "x:cem": None, "x:dan": "mail:dan@a.example"}
    gone = {"x:ann": set[str](), "x:ben": {"two@a.example"}, "x:cem": {"cem@a.example"}, "x:dan": set[str]()}
    for account, stays in left.items():
        keys = register.persons.own(account)
        member = register.members.get(account)
        assert member is not None
        assert register.persons.addresses(keys) == gone[account]
        register.persons.destroy(keys)
        (address,) = register.members.identifiers(register.persons.own(f"mail:{member.mail}"))
        assert address == stays
    assert [register.objections.reason(each.reference) for each in register.objections.of("mail:dan@a.example")] == [
        "his own"
    ]


def test_links_of_an_older_register_prove_nothing_until_they_are_said_again(
    place: "Place", members: "MakeBatch", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    shutil.copytree(schema.MIGRATIONS, older)
    for revision in schema.revisions()[2:]:
        next((older / "versions").glob(f"r{revision}_*.py")).unlink()
    low, high = sorted(place.keys.pepper.subject_keys(["x:ann", "x:ben"]).tolist())
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", older)
        with place.create() as register, register._store.writing() as connection:
            connection.execute(sa.text(f"INSERT INTO account (key, person) VALUES ({low}, {low}), ({high}, {low})"))
            connection.execute(sa.text(f"INSERT INTO link (low, high, active) VALUES ({low}, {high}, true)"))
    with place.open() as register:
        with register._store.reading() as connection:
            assert [tuple(row) for row in connection.execute(sa.select(link))] == [(low, high, True, False)]
        assert len(register.persons.own("x:ann")) == 1
        register.members.import_all([members({"account": "x:ann", "linked": ["x:ben"]})])
        assert len(register.persons.own("x:ann")) == 2


def test_a_register_that_told_by_coverage_tells_by_proof_when_it_is_opened(
    place: "Place", members: "MakeBatch", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As revision 0005 left it: who typed the address of another was told with them."""
    until = tmp_path / "until"
    shutil.copytree(schema.MIGRATIONS, until)
    for revision in schema.revisions()[6:]:  # what they add is there already
        next((until / "versions").glob(f"r{revision}_*.py")).unlink()
    with place.create() as register:
        rows = [{"account": f"x:{name}", "mail": "ann@mail.example"} for name in ("ann", "eve", "joe")]
        register.members.import_all([members(*rows, {"account": "x:zoe"})])
        register.campaigns.start(
            "first", Selection(None, unknown_region=True, born_by=None, unknown_age=True), [Channel.MAIL]
        )
        (due, *_) = register.notices.claim(Channel.MAIL, 9)
        register.notices.sent(Channel.MAIL, [Delivered("first", due.subject, "de", b"d" * 32, "<1@here>")])
        register.members.link("x:zoe", due.member.account)
        with register._store.writing() as connection:
            connection.execute(sa.update(member).values(noticed_on=connection.scalar(sa.func.min(member.c.noticed_on))))
            drops = (
                "DROP INDEX account_holder",
                "ALTER TABLE account DROP COLUMN holder",
                "ALTER TABLE notice DROP COLUMN tried",
            )
            for step in drops:
                connection.execute(sa.text(step))
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0005'"))
    monkeypatch.setattr(schema, "MIGRATIONS", until)
    with place.open() as register:
        reached = {due.member.account, "x:zoe"}
        every = [row["account"] for row in rows] + ["x:zoe"]
        told = {account for account in every if (found := register.members.get(account)) and found.told_on}
        assert told == reached
        (entry,) = register.log.entries(EntryKind.NOTICES_REGROUPED)
        untold = register.pepper.subject_keys(sorted(set(every) - reached))
        assert np.array_equal(np.sort(untold), register.standing.changes(entry.seq - 1).subjects)
        wrong: list[str] = []
        register.audit(wrong.append)
        assert wrong == []
    with place.open() as register:
        assert len(list(register.log.entries(EntryKind.NOTICES_REGROUPED))) == 1
