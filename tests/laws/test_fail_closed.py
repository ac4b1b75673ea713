"""Law 4, fail closed: what is unknown, null or malformed is *not used*, and never an error.

Batches with any field null in any row, at any depth, with words that no enumeration knows, accounts that name nobody
and spans that lie nowhere go through the kernel. Its answer is judged by the law, not by another implementation:
who may not come in does not, each row is counted once, what is kept has the schema to the letter, and neither the
batch's size nor its order nor the neighbours have a say.
"""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import NOW, PEPPER, batch, open_policy, rules

from demur.errors import IdentityError
from demur.kernel import schema
from demur.kernel.door import KEPT, REASONS
from demur.kernel.govern import Answer, govern
from demur.policy import Door, Identifiers, LegalBasis, Notice, Others, Policy
from demur.terms import Audience, Basis, Kind, Reason, Role

pytestmark = pytest.mark.law

HALF: Final = max(settings().max_examples // 2, 1)
PEOPLE: Final = ("forum:ann", "forum:bob", "forum:cyd", "forum:dag")
MALFORMED: Final = ("", ":", "forum:", ":ann", "ann", "for um:ann", "\U0001f642")
KEYS: Final = set(PEPPER.subject_keys((*PEOPLE, "mail:dag@mail.example")).tolist())
ROLES: Final = {*Role, schema.WITHHELD_QUOTE, schema.WITHHELD_MENTION, schema.WITHHELD_NAME, schema.WITHHELD_COPY}
"""What a span at rest may say; a text that says [person] within a mention's place leaves a trace, too."""
ENDS: Final = st.one_of(st.integers(-3, 30), st.sampled_from((-(2**31), 2**31 - 1)), st.none())


def some(*values: object) -> st.SearchStrategy[Any]:
    """One of some values, or null, or what nobody expects."""
    return st.one_of(st.sampled_from(values), st.none(), st.sampled_from(("", "?", " ", values[0])))


accounts = st.one_of(st.sampled_from(PEOPLE), st.none(), st.sampled_from(MALFORMED))
words = st.lists(
    st.sampled_from(
        ("hello", "«é»", "🙂", "@ann", "@bob:", "[person]", "[quote]", "[ip]", "dag@mail.example", "\n", "")
    ),
    max_size=6,
)
spans = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"start": ENDS, "end": ENDS, "role": some(*map(str, Role)), "account": accounts},
    ),
)
pictures = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "uri": some("https://forum.example/ann/1.jpg", "x"),
            "type": some("image/jpeg"),
            "alt": st.one_of(st.none(), words.map(" ".join)),
            "tagged": st.one_of(st.none(), st.lists(accounts, max_size=3)),
        }
    ),
)
names = some("forum:1", "forum:2", "nowhere")
items = st.fixed_dictionaries(
    {
        "item": st.sampled_from(("forum:1", "forum:2", "forum:3", "forum:4", "1", "", ":")),
        "author": accounts,
        "kind": some(*map(str, Kind)),
        "audience": some(*map(str, Audience)),
        "region": some("NO", "US", "NOR", "no", "ÆØ", "É"),
        "created": st.sampled_from((NOW, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), None)),
        "language": some("nb", "en-IE"),
        "text": st.one_of(st.none(), words.map(" ".join)),
        "spans": st.one_of(st.none(), st.lists(spans, max_size=4)),
        "parent": names,
        "thread": names,
        "group": names,
        "rating": st.sampled_from((None, 0.0, -1.5, float("inf"))),
        "media": st.one_of(st.none(), st.lists(pictures, max_size=2)),
        "origin": some("first-party", "broker"),
        "deleted": st.sampled_from((None, *[False] * 6, True)),
    }
)
usual = st.fixed_dictionaries(
    {"author": st.sampled_from(PEOPLE), "kind": st.just("post"), "audience": st.just("public")}
    | {"origin": st.just("first-party"), "deleted": st.sampled_from((None, False))}
)
"""What lets an item pass the door, so that nulls elsewhere are met behind it, too."""
mostly_usual = st.builds(
    lambda odd, plain, strange: odd | {name: value for name, value in plain.items() if name != strange},
    items,
    usual,
    st.one_of(st.none(), st.sampled_from(("author", "kind", "audience", "origin", "deleted"))),
)
batches = st.lists(st.one_of(items, mostly_usual, mostly_usual), min_size=1, max_size=8)

strict = st.builds(
    open_policy,
    regions=st.sampled_from(("any", ("NO",), ("NO", "US"))),
    basis=st.sampled_from((open_policy().basis, LegalBasis(use=Basis.CONSENT))),
    notice=st.builds(Notice, required=st.booleans(), period_days=st.sampled_from((0, 30))),
    door=st.builds(
        Door,
        kinds=st.sampled_from((("post",), ("post", "comment", "photo"))),
        audiences=st.sampled_from((("public",), ("public", "group"))),
        origins=st.sampled_from(("any", ("first-party",))),
        since=st.sampled_from((None, date(2020, 1, 1))),
        unknown_region=st.sampled_from(("use", "leave-out")),
        unknown_age=st.sampled_from(("use", "leave-out")),
    ),
    others=st.builds(Others, mentions=st.sampled_from(("mask", "drop")), quotes=st.sampled_from(("mask", "drop"))),
    identifiers=st.builds(
        Identifiers,
        **{name: st.sampled_from(("replace", "keep")) for name in ("handles", "profile_urls", "mail", "phone", "ip")},
    ),
)
facts = st.fixed_dictionaries(
    {},
    optional={
        "region": st.sampled_from(("NO", "US")),
        "birth_year": st.sampled_from((1980, 2007, 2008, 2015)),
        "told_on": st.sampled_from((NOW.date() - timedelta(days=40), NOW.date(), date(2100, 1, 1))),
        "consented": st.booleans(),
    },
)
loose = st.builds(
    open_policy,
    others=st.builds(Others, mentions=st.sampled_from(("mask", "drop")), quotes=st.sampled_from(("mask", "drop"))),
    identifiers=st.builds(Identifiers, handles=st.sampled_from(("replace", "keep"))),
)
"""Policies that ask for little, so that much is met behind the door."""
policies = st.one_of(strict, loose)
everybody = st.dictionaries(st.sampled_from(PEOPLE), facts)
objectors = st.sets(st.sampled_from(PEOPLE), max_size=2)


def outcome(answer: Answer) -> list[tuple[int, Any]]:
    """Per row of the batch: its code, and the row that is kept."""
    kept = iter(answer.kept.to_pylist())
    return [(code, next(kept) if code == KEPT else None) for code in answer.codes.tolist()]


def may_come_in(item: dict[str, Any], policy: Policy, told: dict[str, Any]) -> bool:
    """Whether everything that the policy asks of an item is known of it; ``told`` is what its author says."""
    door = policy.door
    region = item["region"] if item["region"] in {"NO", "US"} else told.get("region")
    asked = (
        _names_somebody(item["author"]),
        item["kind"] in door.kinds,
        item["audience"] in door.audiences,
        item["origin"] is not None if door.origins == "any" else item["origin"] in door.origins,
        door.since is None or item["created"] is not None,
        policy.regions == "any" or (door.unknown_region == "use" and region is None) or region in policy.regions,
        door.unknown_age == "use" or "birth_year" in told,
        not policy.notice.required or "told_on" in told,
        policy.basis.use != "consent" or told.get("consented") is True,
    )
    return all(asked) and item["deleted"] is not True


def _names_somebody(account: str | None) -> bool:
    try:
        return account is not None and bool(PEPPER.subject_key(account))
    except IdentityError:
        return False


def check_schema(kept: pa.RecordBatch) -> None:
    """The rows have the schema to the letter: types, and no null where none is allowed, at any depth."""
    assert kept.schema.equals(schema.ROW)
    kept.validate(full=True)
    for field in schema.ROW:
        assert field.nullable or kept.column(field.name).null_count == 0
    for row in kept.to_pylist():
        assert all(0 <= one["start"] <= one["end"] <= len(row["text"]) for one in row["spans"])
        assert all(one["role"] in ROLES for one in row["spans"])
        tagged = {subject for picture in row["media"] for subject in picture["tagged"]}
        named = {one["subject"] for one in row["spans"]}
        assert row["subjects"] == sorted((tagged | named) - {None})
        assert set(row["subjects"]) <= KEYS, "a key that is nobody's"


@given(batches, policies, everybody, objectors)
@settings(max_examples=HALF)
def test_what_is_unknown_is_left_out_and_what_is_kept_is_whole(
    readings: list[dict[str, Any]], policy: Policy, members: dict[str, dict[str, Any]], objected: set[str]
) -> None:
    answer = govern(batch(readings), rules(policy, objected, members))
    assert len(answer.codes) == len(answer.items) == len(readings) == len(answer.kept) + len(answer.left_out)
    assert answer.items.to_pylist() == [PEPPER.item_key(reading["item"]) for reading in readings]
    reasons = [str(REASONS[code]) for code in answer.codes.tolist() if code != KEPT]
    assert answer.left_out.column("reason").to_pylist() == reasons
    check_schema(answer.kept)
    for reading, code in zip(readings, answer.codes.tolist(), strict=True):
        if not may_come_in(reading, policy, members.get(reading["author"], {})) or reading["author"] in objected:
            assert code != KEPT
        if reading["deleted"] is not True and not _names_somebody(reading["author"]):
            assert REASONS[code] == Reason.UNKNOWN_AUTHOR


@given(batches, policies, everybody, objectors, st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=HALF)
def test_the_answer_for_an_item_depends_on_that_item_and_the_rules_alone(
    readings: list[dict[str, Any]],
    policy: Policy,
    members: dict[str, dict[str, Any]],
    objected: set[str],
    chance: Random,
    size: int,
) -> None:
    governing = rules(policy, objected, members)
    whole = outcome(govern(batch(readings), governing))
    order = list(range(len(readings)))
    chance.shuffle(order)
    shuffled = [
        found
        for start in range(0, len(order), size)
        for found in outcome(govern(batch(readings[at] for at in order[start : start + size]), governing))
    ]
    assert shuffled == [whole[at] for at in order]
    sliced = batch([*readings, *readings]).slice(len(readings))  # offsets of a slice are not those of its buffers
    assert outcome(govern(sliced, governing)) == whole


@given(batches, policies, everybody, objectors, st.sampled_from((None, *PEOPLE)))
@settings(max_examples=HALF)
def test_what_is_kept_goes_through_again_unchanged(
    readings: list[dict[str, Any]],
    policy: Policy,
    members: dict[str, dict[str, Any]],
    objected: set[str],
    later: str | None,
) -> None:
    governing = rules(policy, objected, members)
    kept = govern(batch(readings), governing).kept
    again = govern(kept, governing)
    assert (again.codes == KEPT).all()
    assert again.kept.to_pylist() == kept.to_pylist()
    if later is not None:
        check_forgotten(govern(kept, rules(policy, {*objected, later}, members)), later)


def check_forgotten(answer: Answer, account: str) -> None:
    """Rows at rest hold nothing by or about somebody who objects later, whatever was null in them."""
    check_schema(answer.kept)
    key = PEPPER.subject_key(account)
    assert not [row for row in answer.kept.to_pylist() if row["author"] == key or key in row["subjects"]]


@given(batches)
def test_rules_that_know_nothing_let_nothing_in(readings: list[dict[str, Any]]) -> None:
    knowing_nothing = rules(open_policy(regions=("NO",), notice=Notice(required=True), door=Door()), (), {})
    assert len(govern(batch(readings), knowing_nothing).kept) == 0
