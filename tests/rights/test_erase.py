"""Erasure takes a person out of a workspace, down to the bytes, and leaves everybody else's rows as they are."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from atwork import at_work
from dossier import (
    ALIAS,
    FLORA,
    LATER,
    MAIL,
    NEEDLES,
    OTHERS,
    REASON,
    SAID,
    everything,
    items,
    sealed,
    settle,
    settled_again,
    settled_aside,
    traces,
)
from keysharing import with_keys_of
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.find import find
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading, writing
from demur.errors import IdentityError, WorkspaceError
from demur.objecting.channels import Route
from demur.policy import write_policy
from demur.policy.model import Mail
from demur.register import MEMBER
from demur.register.persons import Persons
from demur.rights.erasing import erase, finish, request
from demur.terms import EntryKind
from demur.versions.publish import publish, retire_in
from demur.versions.states import states
from demur.worker.maintenance import maintain
from demur.worker.upkeep import Upkeep
from demur.workspace import Workspace


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    return workspaces.create(fast_tmp / "w", open_policy())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a settled workspace was made, once."""
    root = tmp_path_factory.mktemp("settled") / "w"
    return settled_aside(root, open_policy(), exports=root / "exports" / "v1")


@pytest.fixture
def settled(place: Path) -> Iterator[Workspace]:
    with settled_again(place) as workspace:
        yield workspace


def rows(workspace: Workspace) -> list[dict[str, Any]]:
    with reading(workspace, LATER) as session:
        found = [row for part in session.corpus.batches() for row in part.drop_columns(["_rowaddr"]).to_pylist()]
    return sorted(found, key=lambda row: bytes(row["item"]))


def mail_to(workspace: Workspace, address: str, name: str) -> Path:
    path = workspace.outbox_path / f"{name}.eml"
    path.write_text(f"From: dpo@forum.example\nTo: =?utf-8?q?Fl=C3=B6ra?= <{address}>\nSubject: Notice\n\nHello\n")
    return path


def needles(workspace: Workspace) -> list[bytes]:
    with workspace.register() as register:
        keys = register.persons.own(FLORA).tolist()
    return [*(needle.encode() for needle in NEEDLES), *sealed(workspace, keys)]


def test_the_search_finds_her_while_she_is_there(settled: Workspace) -> None:
    mail_to(settled, MAIL, "notice")
    with settled.register() as register:
        register.objections.lodge([FLORA], channel="letter", reason=REASON, now=NOW)
    found = {needle for _, needle in traces(settled.root, needles(settled))}
    assert {text.encode() for text in (*SAID, MAIL)} <= found
    assert len([needle for needle in found if needle in sealed(settled, keys_of(settled, FLORA))]) >= 4


def keys_of(workspace: Workspace, account: str) -> list[int]:
    with workspace.register() as register:
        found: list[int] = register.persons.own(account).tolist()
        return found


def test_no_byte_of_a_person_is_left(settled: Workspace) -> None:
    theirs, other = mail_to(settled, MAIL.upper(), "notice"), mail_to(settled, "ben@post.example", "other")
    with settled.register() as register:
        register.objections.lodge([ALIAS], channel="letter", reason=REASON, now=NOW)
    wanted = needles(settled)
    erased = erase(settled, FLORA, now=LATER)
    assert traces(settled.root, wanted) == []
    assert erased.overwritten
    assert not theirs.exists()
    assert other.exists()
    assert erased.mails == 1
    assert [name for name, data in everything(settled.root) if OTHERS[0].encode() in data], "the search reads rows"


def test_the_answer_says_what_was_done(settled: Workspace) -> None:
    erased = erase(settled, FLORA, now=LATER)
    assert (erased.accounts, erased.own, erased.about, erased.claimed) == (3, 3, 4, 0)
    assert erased.retired == ("v1", "v2")
    assert [(each.version, each.path) for each in erased.recalls] == [("v1", str(settled.root / "exports" / "v1"))]
    assert erased.unchecked == ()
    with settled.register() as register:
        (entry,) = register.log.entries(EntryKind.PERSON_ERASED)
        assert entry.payload == {"about": 4, "accounts": 3, "own": 3, "versions": ["v1", "v2"]}
        assert register.objections.get(erased.reference).binding
        assert register.persons.erasures() == []


def test_holders_of_an_export_are_told_which_rows_to_remove(settled: Workspace) -> None:
    erased = erase(settled, FLORA, now=LATER)
    assert erased.recalls[0].rows is not None
    with Path(erased.recalls[0].rows).open(newline="") as file:
        listed = list(csv.DictReader(file))
    pepper = settled.keys().pepper
    expected = {pepper.item_key(f"forum:{number}").hex() for number in range(1, 8)}
    assert {line["item"] for line in listed} == expected


def test_a_second_person_in_a_retired_versions_export_is_listed_too(settled: Workspace) -> None:
    erase(settled, FLORA, now=LATER)
    erased = erase(settled, "forum:u3", now=LATER)
    assert erased.retired == ()
    assert [each.version for each in erased.recalls] == ["v1"]
    assert erased.recalls[0].rows is not None
    text = Path(erased.recalls[0].rows).read_text()
    pepper = settled.keys().pepper
    assert all(pepper.item_key(f"forum:{name}").hex() in text for name in ("1", "4", "n3", "n10"))


def test_an_export_that_was_moved_away_is_told_of(settled: Workspace) -> None:
    with writing(settled, "retire", LATER) as session:
        retire_in(session, "v1")
    (settled.root / "exports" / "v1").rename(settled.root / "exports" / "elsewhere")
    erased = erase(settled, FLORA, now=LATER)
    assert [each.version for each in erased.unchecked] == ["v1"]
    assert erased.recalls == ()


def test_the_corpus_is_the_one_that_would_be_without_the_person(settled: Workspace, fast_tmp: Path) -> None:
    erase(settled, FLORA, now=LATER)
    bare = with_keys_of(settled, fast_tmp / "bare")
    with bare.register() as register:
        register.objections.lodge([FLORA, ALIAS], channel="letter", now=NOW)
    import_items(bare, "table", iter([batch(items(with_her=False))]), now=NOW)
    assert rows(settled) == rows(bare)
    assert len(rows(settled)) > 60


def test_nothing_comes_back_with_the_next_import(settled: Workspace) -> None:
    erase(settled, FLORA, now=LATER)
    before = rows(settled)
    wanted = [needle.encode() for needle in NEEDLES]
    import_items(settled, "table", iter([batch(items())]), now=LATER)
    assert rows(settled) == before
    maintain(settled, now=LATER)
    assert traces(settled.root, wanted) == []


def test_a_version_without_the_person_stays(workspace: Workspace) -> None:
    import_items(workspace, "table", iter([batch([item("8", "forum:cem", OTHERS[0])])]), now=NOW)
    publish(workspace, "before", now=NOW)
    settle(workspace)
    erased = erase(workspace, FLORA, now=LATER)
    assert erased.retired == ("v1", "v2")
    with reading(workspace, LATER) as session:
        assert [(state.name, state.stale) for state in states(session) if not state.retired] == [("before", 0)]


@pytest.mark.parametrize(("server", "letters"), [("smtp.forum.example:587", 1), ("", 0)])
def test_the_person_is_told_by_mail_where_mail_leaves_the_workspace(
    settled: Workspace, server: str, letters: int
) -> None:
    write_policy(open_policy(mail=Mail(server=server, sender="dpo@forum.example")), settled.policy_path)
    wanted = needles(settled)
    with settled.register() as register:
        register.mails.post("confirm", "en", {"reference": "r"}, account=FLORA, now=NOW)
        assert register.mails.waiting() == 1
    erased = erase(settled, FLORA, now=LATER)
    assert traces(settled.root, wanted) == [], "a letter is sealed"
    with settled.register() as register:
        found = register.mails.claim(10, now=LATER)
    assert [(each.template, each.address, each.params) for each in found] == [
        ("erased", MAIL, {"reference": erased.reference, "account": "flora.quince"})
    ] * letters


@pytest.mark.parametrize(
    ("known", "written"),
    [
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
        ("Zoe@BÜCHER.example", "zoe@xn--bcher-kva.example"),
        ("zoe@bu\u0308cher.example", "zoe@xn--bcher-kva.example"),
        ("zoe@xn--bcher-kva.example", "zoe@XN--BCHER-KVA.example"),
        ("zoe@faß.example", "zoe@xn--fa-hia.example"),
    ],
)
def test_mails_to_an_address_are_found_however_its_domain_is_written(
    workspace: Workspace, known: str, written: str
) -> None:
    row = {"account": "forum:zoe", "names": ["Zoe Zander"], "mail": known}
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)], now=NOW)
    hers, other = mail_to(workspace, written, "hers"), mail_to(workspace, "zoe@bucher.example", "other")
    assert erase(workspace, "forum:zoe", now=LATER).mails == 1
    assert (hers.exists(), other.exists()) == (False, True)


def test_a_second_erasure_of_the_same_person_finds_nothing_and_says_so(settled: Workspace) -> None:
    first = erase(settled, FLORA, now=LATER)
    again = erase(settled, ALIAS, now=LATER)
    assert (again.own, again.about, again.retired, again.mails) == (0, 0, (), 0)
    assert again.reference == first.reference
    with settled.register() as register:
        assert len([*register.log.entries(EntryKind.OBJECTION_LODGED)]) == 1


def test_an_account_that_nobody_knows_gets_the_same_answer(settled: Workspace) -> None:
    before = rows(settled)
    erased = erase(settled, "forum:never.heard.of", now=LATER)
    assert (erased.accounts, erased.own, erased.about, erased.retired) == (1, 0, 0, ())
    assert rows(settled) == before
    with settled.register() as register:
        assert register.objections.get(erased.reference).binding


def test_a_malformed_account_is_refused_before_anything_is_recorded(settled: Workspace) -> None:
    with pytest.raises(IdentityError):
        erase(settled, "no namespace", now=LATER)
    with settled.register() as register:
        assert register.persons.erasures() == []


def test_an_objection_that_is_confirmed_is_enough(settled: Workspace) -> None:
    with settled.register() as register:
        reference = register.objections.lodge([FLORA], channel="mail", now=NOW).reference
        register.objections.confirm(reference, now=NOW)
    assert erase(settled, FLORA, now=LATER).reference == reference


def test_what_a_stranger_may_withdraw_is_not_what_keeps_the_content_out(settled: Workspace) -> None:
    with settled.register() as register:
        typed = register.objections.lodge([FLORA], channel=Route.TYPED, now=NOW).reference
        register.objections.confirm(typed, now=NOW)  # by its holder; but whoever typed it has the receipt
    erased = erase(settled, FLORA, now=LATER)
    with settled.register() as register:
        register.objections.withdraw(typed, now=LATER)
        assert register.objections.get(erased.reference).binding


def test_an_objection_that_may_still_lapse_is_not_enough(settled: Workspace) -> None:
    with settled.register() as register:
        reference = register.objections.lodge([FLORA], channel="form", confirm_by=LATER, now=NOW).reference
    erased = erase(settled, FLORA, now=LATER)
    assert erased.reference != reference
    with settled.register() as register:
        register.objections.lapse(reference, cause="denied", now=LATER)
    import_items(settled, "table", iter([batch(items())]), now=LATER)
    assert find(settled, FLORA, now=LATER).own == 0


def test_rows_that_were_honoured_before_are_gone_from_the_files_too(settled: Workspace) -> None:
    with settled.register() as register:
        register.objections.lodge([FLORA], channel="letter", reason=REASON, now=NOW)
    honour(settled, now=NOW)
    wanted = needles(settled)
    erased = erase(settled, FLORA, now=LATER)
    assert erased.retired == ("v1", "v2")
    assert traces(settled.root, wanted) == []


def test_while_another_process_writes_one_sentence_says_so_and_maintenance_finishes(settled: Workspace) -> None:
    wanted = needles(settled)
    with (
        settled.writing("import"),
        pytest.raises(WorkspaceError, match=r"is recorded.*demur maintain.*Another demur") as told,
    ):
        erase(settled, FLORA, now=LATER)
    assert "\n" not in str(told.value)
    assert traces(settled.root, wanted)
    assert maintain(settled, now=LATER).erased == 1
    assert traces(settled.root, wanted) == []


def test_a_reader_of_the_register_delays_the_overwriting_and_maintenance_does_it(
    settled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demur.rights.erasing._PATIENCE_S", 0.1)
    wanted = needles(settled)
    with settled.register() as reader, reader._store.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM entry").all()
        assert not erase(settled, FLORA, now=LATER).overwritten
        assert traces(settled.root, wanted), "what the log still holds"
    maintain(settled, now=LATER)
    assert traces(settled.root, wanted) == []


def test_several_that_wait_are_finished_in_one_go(settled: Workspace) -> None:
    for account in (FLORA, "forum:u1", "forum:u2"):
        request(settled, account, now=LATER)
    erased = finish(settled, now=LATER)
    assert [each.own for each in erased] == [3, 9, 9]
    assert finish(settled, now=LATER) == []


def test_what_an_objection_merely_named_is_not_erased(settled: Workspace) -> None:
    with settled.register() as register:
        register.objections.lodge(["forum:u1", FLORA], channel="form", now=NOW)
    before = needles(settled)
    erased = erase(settled, "forum:u1", now=LATER)
    assert (erased.accounts, erased.claimed) == (1, 1)
    assert erased.own == 9
    with settled.register() as register:
        assert register.members.get(FLORA) is not None
    assert sealed(settled, keys_of(settled, FLORA))
    assert set(sealed(settled, keys_of(settled, FLORA))) <= set(before)


def test_an_address_that_was_merely_typed_leads_to_nothing_of_its_holder(settled: Workspace) -> None:
    theirs = mail_to(settled, MAIL, "notice")
    with settled.register() as register:
        typed = {"account": "forum:u1", "mail": MAIL}
        register.members.import_all([pa.RecordBatch.from_pylist([typed], schema=MEMBER)], now=NOW)
    erased = erase(settled, "forum:u1", now=LATER)
    assert (erased.accounts, erased.own, erased.mails) == (1, 9, 0)
    assert theirs.exists()
    with settled.register() as register:
        assert register.members.get(FLORA) is not None
        assert register.members.get("forum:u1") is None
        assert register.persons.covered(register.persons.subject(FLORA)), "the objection covers, until it is withdrawn"


@pytest.mark.parametrize("prove", ["staff", "import"])
def test_a_named_account_is_erased_once_it_is_proven(
    settled: Workspace, prove: str, members_of: Callable[..., Any]
) -> None:
    with settled.register() as register:
        register.objections.lodge(["forum:u1", "forum:u2"], channel="form", now=NOW)
        assert len(register.persons.own("forum:u1")) == 1
        if prove == "staff":
            register.members.link("forum:u1", "forum:u2", now=NOW)
        else:
            register.members.import_all([members_of("forum:u1", ["forum:u2"])], now=NOW)
        assert len(register.persons.own("forum:u2")) == 2
        register.objections.lodge(["forum:u1", "forum:u2"], channel="form", now=NOW)
        assert len(register.persons.own("forum:u2")) == 2, "naming them again takes nothing away"
    assert erase(settled, "forum:u1", now=LATER).accounts == 2


@pytest.fixture
def members_of() -> Callable[..., Any]:
    return lambda account, linked: pa.RecordBatch.from_pylist([{"account": account, "linked": linked}], schema=MEMBER)


def test_the_worker_finishes_what_waits(settled: Workspace) -> None:
    wanted = needles(settled)
    request(settled, FLORA, now=LATER)
    with settled.register() as register, at_work(settled, register) as depot:
        upkeep = Upkeep(depot)
        upkeep.turn()
    assert upkeep.counts["erased"] == 1
    assert traces(settled.root, wanted) == []


def test_one_that_is_asked_for_again_while_it_is_finished_is_not_lost(
    settled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [needle.encode() for needle in NEEDLES]
    scrub = Persons.scrub

    def asked_again(persons: Persons) -> bool:
        monkeypatch.setattr(Persons, "scrub", scrub)
        with settled.register() as register:
            register.objections.lodge([FLORA], channel="form", reason=REASON, now=LATER)
        request(settled, FLORA, now=LATER)
        return scrub(persons)

    monkeypatch.setattr(Persons, "scrub", asked_again)
    erase(settled, FLORA, now=LATER)
    left = sealed(settled, keys_of(settled, FLORA))
    assert left, "what was said meanwhile"
    assert len(finish(settled, now=LATER)) == 1
    assert traces(settled.root, [*wanted, *left]) == []
