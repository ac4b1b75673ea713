"""Members: what an import brings, what it leaves alone, and what it refuses."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from demur.errors import IdentityError, SourceError
from demur.identity import Keys
from demur.kernel.rules import NEVER
from demur.register import MEMBER, Register
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Place, Row

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fact(register: Register, keys: Keys, account: str) -> tuple[object, ...]:
    facts = register.standing.facts()
    place = facts.keys.tolist().index(keys.pepper.subject_key(account))
    columns = (facts.region, facts.birth_year, facts.told_on, facts.consented)
    return tuple(column[place].item() for column in columns)


def test_brings_facts_profile_and_links(register: Register, keys: Keys, members: "MakeBatch", ann: "Row") -> None:
    done = register.members.import_all([members(ann)], now=NOW)
    assert (done.seq, done.read, done.changed) == (1, 1, 1)
    days = (date(2026, 9, 1) - date(1970, 1, 1)).days
    assert fact(register, keys, "instagram:ann.sample") == (b"DE", 1990, days, False)
    member = register.members.get("instagram:ANN.sample")
    assert member is not None
    assert member.names == ("Annika Beispiel", "Anni B.")
    assert (member.account, member.locale, member.mail) == ("instagram:ann.sample", "de-DE-1996", "annika@mail.example")
    assert (member.region, member.birth_year, member.told_on) == ("DE", 1990, date(2026, 9, 1))
    register.objections.lodge(["mastodon:ann@social.example"], channel="web")
    assert keys.pepper.subject_key("instagram:ann.sample") in register.standing.suppressed()


def test_entry_says_how_many_and_whose(register: Register, keys: Keys, members: "MakeBatch", ann: "Row") -> None:
    register.members.import_all([members(ann, {"account": "x:ben"})])
    (entry,) = register.log.entries(EntryKind.MEMBERS_IMPORTED)
    assert {name: entry.payload[name] for name in ("read", "changed", "linked")} == {
        "read": 2,
        "changed": 2,
        "linked": 2,
    }
    accounts = ["instagram:ann.sample", "mastodon:@ann@social.example", "mail:annika@mail.example", "x:ben"]
    assert register.standing.changes(0).subjects.tolist() == sorted(keys.pepper.subject_keys(accounts).tolist())


def test_unknown_stays_unknown(register: Register, keys: Keys, members: "MakeBatch") -> None:
    register.members.import_all([members({"account": "x:ben"})])
    assert fact(register, keys, "x:ben") == (b"", 0, NEVER, False)
    member = register.members.get("x:ben")
    assert member is not None
    assert (member.names, member.region, member.birth_year, member.told_on) == ((), None, None, None)
    assert register.members.get("x:nobody") is None


def test_the_same_rows_again_change_nothing(register: Register, members: "MakeBatch", ann: "Row") -> None:
    register.members.import_all([members(ann)])
    first = register.standing.snapshot()
    done = register.members.import_all([members(ann)])
    assert (done.read, done.changed) == (1, 0)
    assert register.standing.changes(done.seq - 1).subjects.size == 0
    assert register.log.head().binding == done.seq
    again = register.standing.snapshot()
    assert again.facts.keys.tolist() == first.facts.keys.tolist()
    digests = [entry.payload["digest"] for entry in register.log.entries()]
    assert digests[0] == digests[1]


def test_a_new_name_changes_the_member_but_not_their_standing(
    register: Register, members: "MakeBatch", ann: "Row"
) -> None:
    register.members.import_all([members(ann)])
    done = register.members.import_all([members({**ann, "names": ["Annika Muster"], "linked": None})])
    assert done.changed == 1
    assert register.standing.changes(done.seq - 1).subjects.size == 0
    member = register.members.get("instagram:ann.sample")
    assert member is not None
    assert member.names == ("Annika Muster",)


@pytest.mark.parametrize(
    "change", [{"region": "FR"}, {"birth_year": 1991}, {"told_on": None}, {"consented": True}, {"region": None}]
)
def test_a_new_fact_names_the_key(
    register: Register, keys: Keys, members: "MakeBatch", ann: "Row", change: "Row"
) -> None:
    register.members.import_all([members(ann, {"account": "x:ben"})])
    done = register.members.import_all([members({**ann, **change}, {"account": "x:ben"})])
    assert done.changed == 1
    assert register.standing.changes(done.seq - 1).subjects.tolist() == [
        keys.pepper.subject_key("instagram:ann.sample")
    ]


def test_the_last_row_of_an_account_wins(register: Register, keys: Keys, members: "MakeBatch") -> None:
    rows = [{"account": "X:Ben", "region": "DE"}, {"account": "x:ben", "region": "AT", "birth_year": 1980}]
    done = register.members.import_all([members(*rows), members({"account": "x:BEN", "region": "FR"})])
    assert (done.read, done.changed) == (3, 1)
    assert fact(register, keys, "x:ben") == (b"FR", 0, NEVER, False)


def test_many_batches_and_chunks(register: Register, members: "MakeBatch") -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        for start, end in ((0, 10_500), (10_500, 11_000)):
            yield members(*({"account": f"x:user{n}", "region": "DE"} for n in range(start, end)))

    assert register.members.import_all(batches()).changed == 11_000
    assert len(register.standing.facts().keys) == 11_000
    assert register.members.import_all([members()]).read == 0
    assert register.members.import_all([]).read == 0


def test_links_of_an_import_merge_chains(register: Register, keys: Keys, members: "MakeBatch") -> None:
    names = [f"x:c{n}" for n in range(60)]
    register.objections.lodge([names[0]], channel="web")
    rows = [{"account": one, "linked": [other, one, None]} for one, other in zip(names[1:], names[:-1], strict=True)]
    register.members.import_all([members(*reversed(rows))])
    assert register.standing.suppressed().tolist() == sorted(keys.pepper.subject_keys(names).tolist())


def test_an_import_does_not_undo_an_unlinking(register: Register, members: "MakeBatch", ann: "Row") -> None:
    register.members.import_all([members(ann)])
    register.objections.lodge(["instagram:ann.sample"], channel="web")
    register.members.unlink("instagram:ann.sample", "mastodon:ann@social.example")
    register.members.import_all([members({**ann, "locale": "de-AT"})])
    assert len(register.standing.suppressed()) == 2  # with the mail address
    register.members.link("instagram:ann.sample", "mastodon:ann@social.example")
    assert len(register.standing.suppressed()) == 3


def test_a_mail_address_is_an_account_that_members_share(
    register: Register, keys: Keys, members: "MakeBatch", ann: "Row"
) -> None:
    other = {"account": "forum:anni", "mail": " Annika@Mail.Example "}
    done = register.members.import_all([members({**ann, "linked": None}, other, {"account": "x:ben"})])
    accounts = ["instagram:ann.sample", "forum:anni", "mail:annika@mail.example"]
    everybody = sorted(keys.pepper.subject_keys(accounts).tolist())
    assert register.members.covered_with("forum:anni").tolist() == everybody
    assert register.objections.lodge(["mail:annika@mail.example"], channel="web").subjects.tolist() == everybody
    assert register.members.import_all([members(ann, other)]).changed == 1  # ann, for the link
    register.members.unlink("forum:anni", "mail:ANNIKA@mail.example")
    register.members.import_all([members({**other, "locale": "de"})])
    assert keys.pepper.subject_key("forum:anni") not in register.standing.suppressed()
    assert next(register.log.entries(EntryKind.MEMBERS_IMPORTED)).payload["linked"] == 2
    assert done.changed == 3


@pytest.mark.parametrize(
    "mail", ["annika", "@mail.example", "annika@", "Ann <ann@mail.example>", "a b@mail.example", ""]
)
def test_what_is_no_mail_address_links_nobody(register: Register, members: "MakeBatch", mail: str) -> None:
    register.members.import_all([members({"account": "x:ann", "mail": mail}, {"account": "x:ben", "mail": mail})])
    assert len(register.members.covered_with("x:ann")) == 1
    member = register.members.get("x:ann")
    assert member is not None
    assert member.mail == mail


def test_consent_is_recorded_and_withdrawn(register: Register, keys: Keys) -> None:
    seq = register.members.consent(["x:ann", "x:ben", "x:Ann"], given=True, now=NOW)
    assert fact(register, keys, "x:ann")[-1] is fact(register, keys, "x:ben")[-1] is True
    assert register.standing.changes(seq - 1).subjects.tolist() == sorted(
        keys.pepper.subject_keys(["x:ann", "x:ben"]).tolist()
    )
    register.members.consent(["x:ben"], given=False)
    assert fact(register, keys, "x:ben")[-1] is False
    kinds = [entry.kind for entry in register.log.entries()]
    assert kinds == [EntryKind.CONSENT_GIVEN, EntryKind.CONSENT_WITHDRAWN]
    with pytest.raises(IdentityError, match="at least one"):
        register.members.consent([], given=True)


@pytest.mark.parametrize(
    ("imports_before", "recorded", "import_after", "result"),
    [
        ([True], False, True, False),  # the same export again does not undo a withdrawal
        ([True], False, None, False),
        ([True, False], False, True, True),  # it says something new
        ([], True, None, True),  # it says nothing
        ([], True, False, False),  # it says no
        ([False], True, False, True),  # it said so before the consent
        ([False], None, True, True),
        ([True], None, None, False),
    ],
)
def test_consent_of_imports_and_records(
    register: Register,
    keys: Keys,
    members: "MakeBatch",
    imports_before: list[bool],
    recorded: bool | None,  # noqa: FBT001  # a case of the table
    import_after: bool | None,  # noqa: FBT001  # the same
    result: bool,  # noqa: FBT001  # the same
) -> None:
    for first in imports_before[:1]:
        register.members.import_all([members({"account": "x:ann", "consented": first})])
    if recorded is not None:
        register.members.consent(["x:ann"], given=recorded)
    for said in (*imports_before[1:], import_after):
        before = fact(register, keys, "x:ann")
        done = register.members.import_all([members({"account": "x:ann", "consented": said, "locale": "de"})])
        after = fact(register, keys, "x:ann")
        assert register.standing.changes(done.seq - 1).subjects.size == (before != after)
    assert fact(register, keys, "x:ann")[-1] is result


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"account": None}, "column account is empty"),
        ({"account": "ben"}, "column account is no account identifier"),
        ({"account": "x:ben", "linked": ["x:ok", "mail"]}, "column linked is no account identifier"),
        ({"account": "x:ben", "region": "de"}, "column region is no ISO 3166-1"),
        ({"account": "x:ben", "region": "DEU"}, "column region is no ISO 3166-1"),
        ({"account": "x:ben", "region": "UK"}, r"column region is UK, .* \(did you mean GB\?\)"),
        ({"account": "x:ben", "region": "XX"}, "column region is XX, which means no country: leave it empty"),
        ({"account": "x:ben", "birth_year": 1899}, r"column birth_year is outside 1900\.\.2026"),
        ({"account": "x:ben", "birth_year": 2027}, r"column birth_year is outside 1900\.\.2026"),
    ],
)
def test_a_bad_row_is_named_and_changes_nothing(
    register: Register, members: "MakeBatch", ann: "Row", row: "Row", told: str
) -> None:
    good = members(ann, {"account": "x:cem"})
    rows = [{"account": "x:dan"}, row]
    schema = pa.schema([field.with_nullable(True) for field in MEMBER])  # noqa: FBT003  # Arrow's way
    bad = pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | dict(each) for each in rows], schema=schema)
    with pytest.raises(SourceError, match=f"^Row 4 of the members: the {told}") as raised:
        register.members.import_all([good, bad], now=NOW)
    assert "ben" not in str(raised.value)
    assert register.log.head().seq == 0
    assert register.standing.facts().keys.size == 0
    assert register.members.import_all([good], now=NOW).changed == 2


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("birth_year", ["1990", "soon"], "Row 2 .* column birth_year is no int16"),
        ("birth_year", [1990, 70000], "Row 2 .* column birth_year is no int16"),
        ("told_on", ["2026-01-01", "2026-13-01"], "Row 2 .* column told_on is no date32"),
        ("names", [{"a": 1}, {"a": 2}], "Row 1 .* column names is no list"),
        ("consented", ["true", "perhaps"], "Row 2 .* column consented is no bool"),
    ],
)
def test_a_wrong_type_is_named(
    register: Register, members: "MakeBatch", column: str, values: list[Any], told: str
) -> None:
    batch = members({"account": "x:ann"}, {"account": "x:ben"})
    bad = batch.set_column(batch.schema.get_field_index(column), column, pa.array(values))
    with pytest.raises(SourceError, match=told):
        register.members.import_all([bad], now=NOW)


def test_types_that_fit_are_cast(register: Register, keys: Keys, members: "MakeBatch") -> None:
    batch = members({"account": "x:ann", "region": "DE"})
    wide = pa.array(["x:ann"], pa.large_string())
    batch = batch.set_column(0, "account", wide)
    batch = batch.set_column(batch.schema.get_field_index("birth_year"), "birth_year", pa.array([1980], pa.int64()))
    register.members.import_all([batch.select(sorted(batch.schema.names))])
    assert fact(register, keys, "x:ann")[:2] == (b"DE", 1980)


def test_columns_must_be_the_members(register: Register, members: "MakeBatch") -> None:
    batch = members({"account": "x:ann"})
    with pytest.raises(SourceError, match="lack the column told_on"):
        register.members.import_all([batch.drop_columns(["told_on"])])
    with pytest.raises(SourceError, match="a column shoe_size too many"):
        register.members.import_all([batch.append_column("shoe_size", pa.array([44]))])
    with pytest.raises(SourceError, match="a column mail too many"):
        register.members.import_all([batch.append_column("mail", pa.array(["m"]))])


def test_within_the_lock_an_import_is_part_of_it(
    place: "Place", register: Register, members: "MakeBatch", ann: "Row"
) -> None:
    with suppress(ZeroDivisionError), register.locked() as held:
        held.members.import_all([members(ann)])
        assert len(held.standing.facts().keys) == 1
        raise ZeroDivisionError
    assert register.standing.facts().keys.size == 0
    with place.open() as other:
        assert other.members.import_all([members(ann)]).seq == 1


def test_a_bad_row_within_the_lock_spares_the_rest(register: Register, members: "MakeBatch", ann: "Row") -> None:
    with register.locked():
        register.objections.lodge(["x:a"], channel="web")
        with pytest.raises(SourceError):
            register.members.import_all([members(ann, {"account": "broken"})])
        register.members.import_all([members(ann)])
    assert [entry.kind for entry in register.log.entries()] == ["objection.lodged", "members.imported"]


def test_while_an_import_is_read_others_may_write(
    place: "Place", register: Register, members: "MakeBatch", ann: "Row"
) -> None:
    def slow() -> Iterator[pa.RecordBatch]:
        yield members(ann)
        with place.open() as other:
            other.objections.lodge(["instagram:ann.sample"], channel="web", reason="meanwhile")
        yield members({"account": "x:ben"})

    assert register.members.import_all(slow()).seq == 2
    (entry,) = register.log.entries(EntryKind.OBJECTION_LODGED)
    assert entry.seq == 1
    assert len(register.standing.suppressed()) == 3
    assert None not in register.members.identifiers(register.standing.suppressed())
