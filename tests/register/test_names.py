"""Under which names withheld people are looked for: from when, of which accounts, until when; on both databases."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from busy import rows
from erasing import erase_details
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import RegisterError
from demur.people.compiled import Compiled, Compiler
from demur.people.locale import languages_of
from demur.register import Receipt, Register
from demur.register.continuity.replay import Noted
from demur.register.database import journal
from demur.register.database.tables import kept_name, member
from demur.register.members.called import folded_word
from demur.terms import EntryKind
from demur.words.folding import fold_name
from demur.words.keys import WordKeys

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ANN = {"account": "forum:ann_s", "names": ["Annika Beispiel", "Anni B."], "locale": "de", "linked": ["irc:annika77"]}
TYPED = {"names": ["Annika Probst"], "former": ["Annika Muster"]}


def compiled(register: Register, *names: str, locale: str | None = None) -> set[bytes]:
    compiler = Compiler(WordKeys(register.pepper.secret))
    return {compiler.name(name, languages_of(name, locale)).to_bytes() for name in names}


def handles(register: Register, *accounts: str) -> set[bytes]:
    return {Compiler(WordKeys(register.pepper.secret)).handle(account).to_bytes() for account in accounts}


def told(entries: Iterable[tuple[int, Compiled]]) -> dict[int, set[bytes]]:
    found: dict[int, set[bytes]] = {}
    for subject, each in entries:
        found.setdefault(subject, set()).add(each.to_bytes())
    return found


def names_of(register: Register, account: str) -> set[bytes]:
    return told(register.names.entries()).get(register.persons.subject(account), set())


def lodge(register: Register, account: str = "forum:new", *, sure: bool = False, **said: Any) -> Receipt:  # noqa: ANN401  # of a statement
    statement = {**TYPED, **said, **({"sure": True} if sure else {})}
    return register.objections.lodge([account], channel="typed-in", statement=statement, now=NOW)


def own(register: Register) -> set[bytes]:
    """The names that Ann and her accounts have of themselves."""
    return compiled(register, "Annika Beispiel", "Anni B.", locale="de") | handles(
        register, "forum:ann_s", "irc:annika77"
    )


# Whose names


def test_a_members_names_and_handles_count_for_each_account_that_is_covered(register: Register) -> None:
    register.members.import_all([rows(ANN, {"account": "forum:ben", "names": ["Ben Sample"]})], now=NOW)
    assert (register.names.head(), told(register.names.entries())) == (0, {})
    register.objections.lodge(["irc:annika77"], channel="api", now=NOW)
    keys = [register.persons.subject(each) for each in ("forum:ann_s", "irc:annika77")]
    assert told(register.names.entries()) == dict.fromkeys(keys, own(register))
    assert register.names.head() == register.log.head().binding


def test_addresses_numbers_and_random_accounts_are_no_names(register: Register) -> None:
    for account in ("mail:ann@mail.example", "discord:8812345", f"person:{'0f' * 16}", "tel:+49301234567"):
        register.objections.lodge([account], channel="api", now=NOW)
    assert list(register.names.entries()) == []


def test_a_known_minors_names_count_without_an_objection(register: Register) -> None:
    register.members.import_all([rows({"account": "forum:kim", "names": ["Kim Sample"]})], now=NOW)
    minors = np.array([register.persons.subject("forum:kim")])
    assert register.names.head(minors) > 0
    expected = compiled(register, "Kim Sample") | handles(register, "forum:kim")
    assert told(register.names.entries(minors=minors)) == {int(minors[0]): expected}


def test_unlinking_parts_the_names(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    register.objections.lodge(["irc:annika77"], channel="api", now=NOW)
    register.names.keep_compiled()
    register.members.unlink("forum:ann_s", "irc:annika77", now=NOW)
    assert told(register.names.entries()) == {
        register.persons.subject("irc:annika77"): handles(register, "irc:annika77")
    }


# From when


@pytest.mark.parametrize("keep", [False, True])
def test_what_somebody_typed_waits_for_a_confirmation(register: Register, keep: bool) -> None:  # noqa: FBT001
    typed = compiled(register, "Annika Probst", "Annika Muster")
    receipt = lodge(register)
    if keep:
        register.names.keep_compiled()
    assert names_of(register, "forum:new") == handles(register, "forum:new")
    head = register.names.head()
    register.objections.confirm(receipt.reference, now=NOW)
    assert names_of(register, "forum:new") == typed | handles(register, "forum:new")
    changed = register.standing.changes(head).subjects.tolist()
    assert changed == [register.persons.subject("forum:new")], "a binding entry names whose names count now"
    assert told(register.names.entries(head)) == told(register.names.entries())


def test_what_the_holder_typed_counts_at_once(register: Register) -> None:
    lodge(register, sure=True)
    assert compiled(register, "Annika Probst", "Annika Muster") < names_of(register, "forum:new")


def test_names_are_added_to_an_objection_and_end_with_it(register: Register) -> None:
    receipt = register.objections.lodge(["forum:new"], channel="signed-link", now=NOW)
    head = register.names.head()
    register.objections.add_names(receipt.reference, ["Annika Probst"], former=["Annika Muster"], now=NOW)
    register.objections.add_names(receipt.reference, [" "], now=NOW)
    assert compiled(register, "Annika Probst", "Annika Muster") < names_of(register, "forum:new")
    assert register.names.head() == head + 1
    assert register.standing.changes(head).subjects.tolist() == [register.persons.subject("forum:new")]
    assert register.objections.statement(receipt.reference) == TYPED
    register.objections.withdraw(receipt.reference, now=NOW)
    assert (register.names.head(), list(register.names.entries())) == (0, [])
    with pytest.raises(RegisterError, match="lodge a new one"):
        register.objections.add_names(receipt.reference, ["Annika"], now=NOW)


def test_a_later_import_adds_a_name_and_says_so(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    register.objections.lodge(["irc:annika77"], channel="api", now=NOW)
    register.names.keep_compiled()
    head = register.names.head()
    register.members.import_all([rows({**ANN, "names": ["Annika Neumann"]})], now=NOW)
    both = [register.persons.subject(each) for each in ("forum:ann_s", "irc:annika77")]
    assert register.standing.changes(head).subjects.tolist() == sorted(both)
    for found in (told(register.names.entries()), told(register.names.entries(head))):
        assert sorted(found) == sorted(both)
        assert compiled(register, "Annika Neumann", locale="de") < found[both[0]]
        assert not compiled(register, "Annika Beispiel", locale="de") & found[both[0]]


def test_a_minors_new_name_is_told(register: Register) -> None:
    kim = {"account": "forum:kim", "names": ["Kim Sample"], "birth_year": 2012}
    old = {"account": "forum:ulf", "names": ["Ulf Sample"], "birth_year": 1970}
    register.members.import_all([rows(kim, old)], now=NOW)
    head = register.log.head().binding
    renamed = ({**each, "names": ["Toni Sample"]} for each in (kim, old))
    register.members.import_all([rows(*renamed)], now=NOW)
    assert register.standing.changes(head).subjects.tolist() == [register.persons.subject("forum:kim")]


def test_what_is_kept_is_what_is_made(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    lodge(register, "forum:ann_s", sure=True)
    before = told(register.names.entries())
    assert register.names.keep_compiled() == 2
    assert register.names.keep_compiled() == 0
    assert told(register.names.entries()) == before
    assert register.names.kept(register.persons.own("forum:ann_s")).searched == len(before.popitem()[1])


# What survives, and until when


def test_names_survive_an_erasure_and_end_with_the_objection(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    receipt = lodge(register, "forum:ann_s", sure=True)
    register.objections.add_names(receipt.reference, ["Annika Dritt"], now=NOW)
    before = told(register.names.entries())
    erase_details(register, "forum:ann_s", now=NOW)
    assert register.objections.statement(receipt.reference) is None
    assert told(register.names.entries()) == before
    register.objections.withdraw(receipt.reference, now=NOW)
    with register._store.reading() as connection:
        assert connection.execute(sa.select(kept_name.c.compiled).where(kept_name.c.compiled.is_not(None))).all() == []
    register.objections.lodge(["forum:ann_s"], channel="api", now=NOW)
    assert names_of(register, "irc:annika77") == handles(register, "forum:ann_s"), "nothing came back"


def test_who_was_erased_and_is_a_member_again_has_the_names_of_before_too(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    register.objections.lodge(["forum:ann_s"], channel="api", now=NOW)
    erase_details(register, "forum:ann_s", now=NOW)
    register.members.import_all([rows({**ANN, "names": ["Annika Neumann"]})], now=NOW)
    found = names_of(register, "forum:ann_s")
    assert found == own(register) | compiled(register, "Annika Neumann", locale="de")
    erase_details(register, "forum:ann_s", now=NOW)
    assert names_of(register, "forum:ann_s") == found


def test_an_erasure_of_somebody_without_an_objection_leaves_no_name(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    erase_details(register, "forum:ann_s", now=NOW)
    register.objections.lodge_for_key(register.persons.subject("forum:ann_s"), channel="link", now=NOW)
    assert list(register.names.entries()) == []


def test_what_was_typed_comes_back_with_the_objection(register: Register) -> None:
    receipt = lodge(register, sure=True)
    before = names_of(register, "forum:new")
    register.objections.lapse(receipt.reference, cause="denied", now=NOW)
    assert names_of(register, "forum:new") == set()
    register.objections.revive(receipt.reference, now=NOW)
    assert names_of(register, "forum:new") == before
    register.names.keep_compiled()
    assert names_of(register, "forum:new") == before


def test_no_letter_of_a_name_stands_in_the_clear(register: Register) -> None:
    register.members.import_all([rows(ANN)], now=NOW)
    lodge(register, "forum:ann_s", sure=True)
    register.names.keep_compiled()
    with register._store.reading() as connection:
        kept = connection.execute(sa.select(kept_name)).all()
        stored = b"".join(bytes(value) for row in kept for value in row if isinstance(value, bytes | memoryview))
        payloads = " ".join(str(dict(each.payload)) for each in register.log.entries())
    assert len(kept) == 3
    for word in ("nnika", "eispiel", "robst", "uster", "ann_s"):
        assert word not in payloads
        assert word.encode() not in stored


# What officers decided


def test_an_officer_says_that_an_item_does_not_mean_somebody(register: Register) -> None:
    subject = int(lodge(register).subjects[0])
    head = register.log.head().binding
    seq = register.names.clear(77, subject, by="7", now=NOW)
    assert register.names.clear(77, subject, by="8", now=NOW) is None
    assert register.names.cleared().tolist() == [(77, subject)]
    (entry,) = register.log.entries(EntryKind.NAME_CLEARED)
    assert (entry.seq, dict(entry.payload)) == (seq, {"by": "7"})
    assert register.log.head().binding == head


# Restore


def noted(register: Register) -> list[Noted]:
    """All entries as a mark's journal holds them."""
    with register._store.reading() as connection:
        found = journal.appended(connection, 1)
    assert found is not None
    return [Noted.read(each) for each in found[0].entries]


def test_a_restore_repeats_what_was_typed_and_decided(register: Register, tmp_path: Any) -> None:  # noqa: ANN401  # a path
    waiting, sure = lodge(register), lodge(register, "forum:sure", sure=True)
    register.objections.add_names(sure.reference, ["Annika Dritt"], now=NOW)
    register.objections.confirm(waiting.reference, now=NOW)
    register.names.clear(77, int(sure.subjects[0]), by="7", now=NOW)
    told_: list[str] = []
    with Register.create(f"sqlite:///{tmp_path}/other.db", keys_of(register)) as other:
        done = other.replay(noted(register), 1, "erasure", held=other.log.head().seq)
        assert not done.lost
        nameless = handles(register, "forum:new", "forum:sure")  # identifiers are in no journal
        for account in ("forum:new", "forum:sure"):
            assert names_of(other, account) == names_of(register, account) - nameless
        assert other.names.cleared().tolist() == register.names.cleared().tolist()
        other.audit(told_.append)
    assert told_ == []


def keys_of(register: Register) -> Any:  # noqa: ANN401  # Keys
    from demur.identity import Keys  # noqa: PLC0415

    return Keys(register.pepper, register._vault._sealing, register.persons._signing)


# The check of the register


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kept_name SET compiled = (SELECT compiled FROM kept_name WHERE entry = -1) WHERE entry > 0",
        "DELETE FROM kept_name WHERE entry = -1",
        "DELETE FROM kept_name WHERE entry > 0",
        "UPDATE kept_name SET objection = 1 WHERE entry > 1",
        "INSERT INTO cleared VALUES (5, 5)",
    ],
)
def test_an_edit_by_hand_is_told(sqlite_place: Any, statement: str) -> None:  # noqa: ANN401  # a place
    with sqlite_place.create() as register:
        register.objections.lodge(["forum:first"], channel="api", now=NOW)
        register.members.import_all([rows(ANN)], now=NOW)
        lodge(register, "forum:ann_s", sure=True)
        erase_details(register, "forum:ann_s", now=NOW)
        found: list[str] = []
        register.audit(found.append)
        assert found == []
        with register._store.writing() as connection:
            assert connection.execute(sa.text(statement)).rowcount > 0
        register.audit(found.append)
        assert found


# What members are called


def called(register: Register, account: str) -> set[int]:
    found = register.members.bears(np.array([register.persons.subject(account)]))
    return set(found["other"].tolist())


def keyed(register: Register, *words: str) -> set[int]:
    return set(WordKeys(register.pepper.secret).keys(words).tolist())


def test_a_member_is_called_by_given_names_and_a_handle_for_ever(register: Register) -> None:
    ann = {"account": "forum:ann.s", "names": ["Anne-Marie Beispiel", "Ännchen"], "locale": "de"}
    register.members.import_all([rows(ann, {"account": "forum:x9"})], now=NOW)
    first = keyed(register, "annemarie", "annchen", "anns")
    assert called(register, "forum:ann.s") == first
    assert called(register, "forum:x9") == set()
    register.members.import_all([rows({**ann, "names": ["Nagy Ilona", "Zoé"], "locale": "hu"})], now=NOW)
    assert called(register, "forum:ann.s") == first | keyed(register, "nagy", "ilona", "zoe")
    erase_details(register, "forum:ann.s", now=NOW)
    assert called(register, "forum:ann.s") > first


@given(st.text(st.characters(max_codepoint=0x24F), max_size=12))
def test_a_word_is_folded_as_words_of_texts_are(word: str) -> None:
    assert folded_word(word) in {fold_name(word), ""}


# A register of before


def test_a_register_of_before_learns_its_names_when_it_is_opened(place: Any) -> None:  # noqa: ANN401  # a place
    with place.create() as register:
        register.members.import_all([rows(ANN)], now=NOW)
        receipt = lodge(register)
        expected = (called(register, "forum:ann_s"), told(register.names.entries()))
        with register._store.writing() as connection:
            connection.execute(sa.delete(kept_name))
            connection.execute(sa.update(member).values(bears=None))
        register.set_state("unread-names", "1")
    with place.open() as register:
        assert (called(register, "forum:ann_s"), told(register.names.entries())) == expected
        register.objections.confirm(receipt.reference, now=NOW + timedelta(days=1))
        assert compiled(register, "Annika Probst") < names_of(register, "forum:new")
        found: list[str] = []
        register.audit(found.append)
    assert found == []
