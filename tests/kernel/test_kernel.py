"""The kernel on single items: what comes in, what stays out and why, what the text says afterwards."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest
from making import PEPPER, batch, item, open_policy, rules, span

from demur.kernel.door import KEPT, REASONS
from demur.kernel.govern import govern
from demur.kernel.rules import Rules
from demur.policy import Door, Identifiers, LegalBasis, Notice, Others
from demur.terms import Basis, Reason


def reason_of(row: Mapping[str, Any], under: Rules) -> Reason | None:
    code = int(govern(batch([row]), under).codes[0])
    return None if code == KEPT else REASONS[code]


def kept(row: Mapping[str, Any], under: Rules) -> dict[str, Any]:
    (only,) = govern(batch([row]), under).kept.to_pylist()
    assert isinstance(only, dict)
    return only


def key(account: str) -> int:
    return PEPPER.subject_key(account)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deleted": True}, Reason.DELETED),
        ({"author": None}, Reason.UNKNOWN_AUTHOR),
        ({"author": "no namespace"}, Reason.UNKNOWN_AUTHOR),
        ({"kind": None}, Reason.UNKNOWN_KIND),
        ({"kind": "poem"}, Reason.UNKNOWN_KIND),
        ({"kind": "message"}, Reason.KIND),
        ({"audience": None}, Reason.UNKNOWN_AUDIENCE),
        ({"audience": "everyone"}, Reason.UNKNOWN_AUDIENCE),
        ({"audience": "followers"}, Reason.AUDIENCE),
        ({"audience": "direct"}, Reason.AUDIENCE),
        ({"origin": "acme"}, Reason.ORIGIN),
        ({"origin": None}, Reason.ORIGIN),
        ({"text": ""}, Reason.EMPTY),
        ({"text": None}, Reason.EMPTY),
        ({"text": " \n\t"}, Reason.EMPTY),
        ({}, None),
    ],
)
def test_the_door_names_the_first_reason(changes: dict[str, Any], reason: Reason | None) -> None:
    assert reason_of(item("1") | changes, rules()) is reason


@pytest.mark.parametrize(
    ("door", "changes", "reason"),
    [
        (Door(unknown_age="use", since=date(2026, 1, 1)), {"created": None}, Reason.UNKNOWN_DATE),
        (
            Door(unknown_age="use", since=date(2026, 1, 1)),
            {"created": datetime(2025, 12, 31, 23, 59, tzinfo=UTC)},
            Reason.BEFORE_SINCE,
        ),
        (Door(unknown_age="use", since=date(2026, 1, 1)), {"created": datetime(2026, 1, 1, tzinfo=UTC)}, None),
        (Door(unknown_age="use", origins=("first-party", "acme")), {"origin": "acme"}, None),
        (Door(unknown_age="use", origins="any"), {"origin": None}, Reason.ORIGIN),
        (Door(unknown_age="use", origins="any"), {"origin": "whoever"}, None),
        (Door(), {}, Reason.UNKNOWN_AGE),
    ],
)
def test_the_policy_moves_the_door(door: Door, changes: dict[str, Any], reason: Reason | None) -> None:
    assert reason_of(item("1") | changes, rules(open_policy(door=door))) is reason


@pytest.mark.parametrize(
    ("stated", "member", "unknown", "reason"),
    [
        (None, None, "leave-out", Reason.UNKNOWN_REGION),
        (None, None, "use", None),
        ("US", None, "leave-out", Reason.REGION),
        ("US", None, "use", Reason.REGION),
        (None, "NO", "leave-out", None),
        ("NO", "US", "leave-out", None),
        ("DE", None, "leave-out", None),
        ("Germany", None, "leave-out", Reason.UNKNOWN_REGION),
    ],
)
def test_regions(
    stated: str | None, member: str | None, unknown: Literal["use", "leave-out"], reason: Reason | None
) -> None:
    policy = open_policy(regions=("DE", "NO"), door=Door(unknown_age="use", unknown_region=unknown))
    members = {"forum:ann": {"region": member}} if member else {}
    assert reason_of(item("1", region=stated), rules(policy, members=members)) is reason


@pytest.mark.parametrize(
    ("year", "reason"),
    [(2010, Reason.MINOR), (2008, Reason.MINOR), (2007, None), (1950, None), (0, Reason.UNKNOWN_AGE)],
)
def test_an_author_is_of_age_only_when_the_whole_year_of_birth_is(year: int, reason: Reason | None) -> None:
    under = rules(open_policy(door=Door()), members={"forum:ann": {"birth_year": year}})
    assert reason_of(item("1"), under) is reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, Reason.NOT_TOLD),
        ({"told_on": date(2026, 5, 17)}, Reason.NOTICE_PERIOD),
        ({"told_on": date(2026, 5, 16)}, None),
    ],
)
def test_only_who_was_told_a_notice_period_ago_comes_in(told: dict[str, Any], reason: Reason | None) -> None:
    policy = open_policy(notice=Notice(required=True, period_days=30))
    assert reason_of(item("1"), rules(policy, members={"forum:ann": told})) is reason


def test_consent_as_basis_turns_the_door_around() -> None:
    policy = open_policy(basis=LegalBasis(use=Basis.CONSENT))
    assert reason_of(item("1"), rules(policy)) is Reason.NO_CONSENT
    assert reason_of(item("1"), rules(policy, members={"forum:ann": {"consented": True}})) is None
    both = rules(policy, objected=["forum:ann"], members={"forum:ann": {"consented": True}})
    assert reason_of(item("1"), both) is Reason.OBJECTED


def test_what_a_suppressed_person_wrote_is_dropped_and_their_reshares_too() -> None:
    under = rules(objected=["forum:ann"])
    assert reason_of(item("1"), under) is Reason.OBJECTED
    shared = item("2", "forum:bob", "hers", spans=[span(0, 0, "reshare", "forum:ann")])
    assert reason_of(shared, under) is Reason.RESHARE
    assert reason_of(shared, rules()) is None


def test_a_quote_is_masked_and_the_rest_stays() -> None:
    text = "Ärger: 'no way' she said 🙂 @bob"
    quoted = item("1", "forum:cyd", text, spans=[span(7, 15, "quote", "forum:ann")])
    assert kept(quoted, rules())["text"] == "Ärger: 'no way' she said 🙂 [person]"
    row = kept(quoted, rules(objected=["forum:ann"]))
    assert row["text"] == "Ärger: [quote] she said 🙂 [person]"
    (mention,) = row["spans"]
    assert row["text"][mention["start"] : mention["end"]] == "[person]"
    assert row["subjects"] == [key("forum:bob")]


def test_a_mention_of_an_objector_says_no_more_than_any_other() -> None:
    text = "ann: and bob: hello"
    row = item("1", "irc:cyd", text, spans=[span(0, 3, "mention", "irc:Ann"), span(9, 12, "mention", "irc:bob")])
    assert kept(row, rules())["text"] == "[person]: and [person]: hello"
    masked = kept(row, rules(objected=["irc:ANN"]))
    assert masked["text"] == "[person]: and [person]: hello"
    assert masked["subjects"] == [key("irc:bob")]
    keeping = open_policy(identifiers=Identifiers(handles="keep"))
    assert kept(row, rules(keeping, objected=["irc:ann"]))["text"] == "[person]: and bob: hello"


def test_a_policy_may_drop_instead_of_mask() -> None:
    policy = open_policy(others=Others(mentions="drop", quotes="drop"))
    under = rules(policy, objected=["forum:ann"])
    assert reason_of(item("1", "forum:bob", "q", spans=[span(0, 1, "quote", "forum:ann")]), under) is Reason.QUOTE
    assert reason_of(item("1", "forum:bob", "hi @ann"), under) is Reason.MENTION
    assert reason_of(item("1", "forum:bob", "hi @cyd"), under) is None


@pytest.mark.parametrize("text", ["see there", "", " \n"])
@pytest.mark.parametrize(
    ("role", "reason"), [("quote", Reason.QUOTE), ("mention", Reason.MENTION), ("tag", Reason.MENTION)]
)
def test_a_trace_that_stands_in_the_markup_alone_drops_the_item_too(text: str, role: str, reason: Reason) -> None:
    picture: list[dict[str, Any]] = [{"uri": "a.jpg", "type": "image/jpeg", "alt": None, "tagged": []}]
    dropping = open_policy(others=Others(mentions="drop", quotes="drop"))
    row = item("1", "forum:bob", text, spans=[span(0, len(text) if text.isspace() else 0, role, "forum:ann")])
    row |= {"media": picture}
    stored = govern(batch([row]), rules(dropping)).kept
    masked = govern(stored, rules(objected=["forum:ann"])).kept
    assert masked.to_pylist()[0]["text"] == text
    assert masked.to_pylist()[0]["subjects"] == []
    assert reason_of(row, rules(dropping, objected=["forum:ann"])) is reason
    for rest in (stored, masked):  # objected before the policy was tightened, or after
        assert REASONS[govern(rest, rules(dropping, objected=["forum:ann"])).codes[0]] is reason


PLACES: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "one place": (
        "said: @bob !",
        [span(6, 10, "quote", "forum:ann"), span(6, 10, "mention", "forum:bob")],
        "said: Q !",
    ),
    "quote crossed by a mention": (
        "abcdefghij",
        [span(0, 6, "quote", "forum:ann"), span(3, 9, "mention", "forum:bob")],
        "QPj",
    ),
    "mention crossed by a quote": (
        "abcdefghij",
        [span(0, 6, "mention", "forum:bob"), span(3, 9, "quote", "forum:ann")],
        "PQj",
    ),
    "mention that begins a quote": (
        "abcdefghij",
        [span(0, 6, "quote", "forum:ann"), span(0, 3, "mention", "forum:bob")],
        "Qghij",
    ),
    "quote within a mention": (
        "abcdefghij",
        [span(0, 6, "mention", "forum:bob"), span(2, 4, "quote", "forum:ann")],
        "Pghij",
    ),
    "quote within a quote over a tag": (
        "abcdefghij",
        [span(0, 6, "tag", "forum:bob"), span(0, 6, "quote", "forum:ann"), span(2, 4, "quote", "forum:dag")],
        "Qghij",
    ),
    "three levels": (
        "abcdefghij",
        [span(0, 9, "tag", "forum:dag"), span(1, 8, "quote", "forum:ann"), span(3, 5, "mention", "forum:bob")],
        "aQij",
    ),
    "no words within a quote": (
        "abcdefghij",
        [span(0, 6, "quote", "forum:ann"), span(3, 3, "tag", "forum:bob")],
        "Qghij",
    ),
}
"""Text, spans, and the text once ann and bob have objected, with Q and P for the masks."""


@pytest.mark.parametrize("handles", ["keep", "replace"])
@pytest.mark.parametrize("dropped", [None, "mentions", "quotes"])
def test_nested_places_end_alike_in_whatever_order_people_object(
    dropped: str | None, handles: Literal["keep", "replace"]
) -> None:
    rows = batch(item(place, "forum:cyd", text, spans=spans) for place, (text, spans, _) in PLACES.items())
    policy = open_policy(identifiers=Identifiers(handles=handles))
    others = Others().model_copy(update={dropped: "drop"} if dropped else {})
    final = policy.model_copy(update={"others": others})
    both = rules(final, objected=["forum:ann", "forum:bob"])
    masked = [text.replace("Q", "[quote]").replace("P", "[person]") for *_, text in PLACES.values()]
    expected = [] if dropped else masked
    ends = [govern(rows, both)]
    for before in (policy, final):  # the policy is tightened at the end, or stood so from the beginning
        for first in ("forum:ann", "forum:bob"):
            kept_then = govern(govern(rows, rules(before)).kept, rules(before, objected=[first])).kept
            ends.append(govern(kept_then, both))
            ends.append(govern(govern(kept_then, rules(before, objected=["forum:ann", "forum:bob"])).kept, both))
    assert [end.kept.column("text").to_pylist() for end in ends] == [expected] * len(ends)
    assert all(end.kept.to_pylist() == ends[0].kept.to_pylist() for end in ends)


@pytest.mark.parametrize("objector", ["forum:bob", "forum:cyd"])
def test_of_two_people_named_at_one_place_either_one_drops_the_item(objector: str) -> None:
    dropping = open_policy(others=Others(mentions="drop"))
    row = item("1", "forum:ann", "@bob hi", spans=[span(0, 4, "mention", who) for who in ("forum:bob", "forum:cyd")])
    assert reason_of(row, rules(dropping, objected=[objector])) is Reason.MENTION
    stored = govern(batch([row]), rules(dropping)).kept
    assert REASONS[govern(stored, rules(dropping, objected=[objector])).codes[0]] is Reason.MENTION
    masked = govern(stored, rules(objected=[objector])).kept
    assert masked.to_pylist()[0]["subjects"] == []
    assert REASONS[govern(masked, rules(dropping)).codes[0]] is Reason.MENTION


def test_spans_inside_a_masked_quote_stay_in_its_mask_without_words_until_their_people_object() -> None:
    text = "she: 'ask @bob' ok"
    row = item("1", "forum:cyd", text, spans=[span(5, 15, "quote", "forum:ann")])
    assert kept(row, rules())["subjects"] == sorted([key("forum:ann"), key("forum:bob")])
    masked = kept(row, rules(objected=["forum:ann"]))
    (mention,) = masked["spans"]
    assert masked["text"][mention["start"] - 1 :] == "[quote] ok"
    assert mention["end"] == mention["start"]
    assert (mention["role"], masked["subjects"]) == ("mention", [key("forum:bob")])
    both = kept(row, rules(objected=["forum:ann", "forum:bob"]))
    assert both["text"] == masked["text"]
    assert [(each["role"], each["subject"]) for each in both["spans"]] == [("withheld-mention", None)]
    assert both["subjects"] == []
    half = kept(row, rules(objected=["forum:bob"]))
    assert (half["text"], half["subjects"]) == ("she: 'ask [person]' ok", [key("forum:ann")])


def test_spans_that_cross_are_cut_and_both_masked_whole() -> None:
    spans = [span(0, 6, "quote", "forum:ann"), span(4, 10, "quote", "forum:bob"), span(8, 12, "mention", "forum:cyd")]
    row = item("1", "forum:dag", "abcdefghijklm", spans=spans)
    keeping = open_policy(identifiers=Identifiers(handles="keep"))
    assert kept(row, rules(keeping, objected=["forum:ann"]))["text"] == "[quote]ghijklm"
    assert kept(row, rules(keeping, objected=["forum:bob"]))["text"] == "abcd[quote][quote]klm"
    assert kept(row, rules(keeping, objected=["forum:ann", "forum:bob"]))["text"] == "[quote][quote]klm"
    assert kept(row, rules(keeping, objected=["forum:cyd"]))["text"] == "abcdefgh[person][person]m"


def test_a_mask_over_blanks_is_no_word() -> None:
    assert reason_of(item("1", text=" \n", spans=[span(0, 4, "mention", "forum:ann")]), rules()) is Reason.EMPTY
    picture: list[dict[str, Any]] = [{"uri": "a.jpg", "type": "image/jpeg", "alt": None, "tagged": ["forum:cyd"]}]
    row = item("1", text=" \n", spans=[span(0, 4, "mention", "forum:bob")], media=picture)
    shown = govern(batch([row]), rules()).kept
    assert shown.to_pylist()[0]["text"] == " \n"
    assert REASONS[govern(shown, rules(objected=["forum:cyd"])).codes[0]] is Reason.EMPTY
    assert reason_of(row, rules(objected=["forum:cyd"])) is Reason.EMPTY


def test_a_reshare_inside_a_mask_is_still_a_reshare() -> None:
    spans = [span(1, 3, "reshare", "forum:ann"), span(0, 12, "quote", "forum:dag")]
    row = item("1", "forum:bob", "@cyd says: oh", spans=spans)
    masked = govern(batch([row]), rules(objected=["forum:dag", "forum:cyd"])).kept
    assert masked.to_pylist()[0]["text"] == "[quote]h"
    assert key("forum:ann") in masked.to_pylist()[0]["subjects"]
    assert REASONS[govern(masked, rules(objected=["forum:ann"])).codes[0]] is Reason.RESHARE


def test_an_item_masked_before_the_policy_was_tightened_is_dropped_after() -> None:
    dropping = open_policy(others=Others(mentions="drop", quotes="drop"))
    for role, reason in (("mention", Reason.MENTION), ("quote", Reason.QUOTE)):
        row = item("1", "forum:bob", "abc def", spans=[span(0, 3, role, "forum:ann")])
        masked = govern(batch([row]), rules(objected=["forum:ann"])).kept
        assert REASONS[govern(masked, rules(dropping, objected=["forum:ann"])).codes[0]] is reason
        assert reason_of(row, rules(dropping, objected=["forum:ann"])) is reason


def test_a_picture_that_shows_or_describes_a_suppressed_person_or_a_minor_goes() -> None:
    def picture(uri: str, alt: str | None, *tagged: str) -> dict[str, Any]:
        return {"uri": uri, "type": "image/jpeg", "alt": alt, "tagged": list(tagged)}

    media = [
        picture("a.jpg", None, "forum:ann"),
        picture("b.jpg", "with @ann on the beach"),
        picture("c.jpg", "with @bob", "forum:cyd"),
        picture("d.jpg", None, "forum:kid"),
    ]
    under = rules(objected=["forum:ann"], members={"forum:kid": {"birth_year": 2015}})
    row = kept(item("1", "forum:bob", "us", kind="photo", media=media), under)
    (left,) = row["media"]
    assert left["alt"] == "with [person]"
    assert left["tagged"] == sorted([key("forum:bob"), key("forum:cyd")])
    assert left["uri"] == PEPPER.item_key("c.jpg").hex() + ".jpg"
    assert row["subjects"] == left["tagged"]
    assert reason_of(item("2", "forum:bob", "", kind="photo", media=media[:1]), under) is Reason.EMPTY


def test_a_person_tagged_twice_is_tagged_once_whatever_else_is_in_the_batch() -> None:
    twice = [{"uri": "a.jpg", "type": "image/jpeg", "alt": None, "tagged": ["forum:cyd", "forum:cyd"]}]
    row = item("1", "forum:bob", "us", kind="photo", media=twice)
    other = item("2", "forum:dag", "me", kind="photo", media=[twice[0] | {"alt": "with @ann"}])
    (alone,) = govern(batch([row]), rules()).kept.to_pylist()
    assert alone["media"][0]["tagged"] == [key("forum:cyd")]
    assert govern(batch([row, other]), rules()).kept.to_pylist()[0] == alone


def test_direct_identifiers_of_anyone_are_replaced() -> None:
    text = "write ann@example.org, +47 22 22 55 55 or https://www.instagram.com/ann_x"
    row = kept(item("1", text=text), rules())
    assert row["text"] == "write [person], [phone] or [person]"
    assert row["subjects"] == sorted([key("mail:ann@example.org"), key("instagram:ann_x")])
    keeping = Identifiers(handles="keep", profile_urls="keep", mail="keep", phone="keep", iban="keep", ip="keep")
    row = kept(item("1", text=text), rules(open_policy(identifiers=keeping)))
    assert row["text"] == text
    assert row["subjects"] == sorted([key("mail:ann@example.org"), key("instagram:ann_x")])
    row = kept(item("1", text=text), rules(open_policy(identifiers=keeping), objected=["mail:ann@example.org"]))
    assert row["text"] == text.replace("ann@example.org", "[person]")


def test_a_bare_handle_belongs_to_the_authors_server() -> None:
    row = kept(item("mastodon:1", "mastodon:@ann@one.example", "hi @bob and @cyd@two.example"), rules())
    assert row["subjects"] == sorted([key("mastodon:@bob@one.example"), key("mastodon:@cyd@two.example")])


def test_no_raw_identifier_is_left_in_a_row() -> None:
    raw = item("1", "forum:ann", "hello", parent="forum:p1", thread="forum:t1", group="forum:g1")
    row = kept(raw, rules())
    assert row["item"] == PEPPER.item_key("forum:1")
    assert (row["author"], row["source"]) == (key("forum:ann"), "forum")
    assert [row[name] for name in ("parent", "thread", "group")] == [
        PEPPER.item_key(f"forum:{name}") for name in ("p1", "t1", "g1")
    ]


def test_spans_that_make_no_sense_are_dropped_or_clipped() -> None:
    wrong = [span(-1, 2, "mention", "forum:bob"), span(3, 2, "mention", "forum:bob"), span(1, 3, "nod", "forum:bob")]
    row = kept(item("1", text="hello", spans=[*wrong, span(3, 99, "quote", "forum:ann")]), rules())
    assert [(s["start"], s["end"], s["role"]) for s in row["spans"]] == [(3, 5, "quote")]
    assert (
        kept(item("1", "forum:bob", "hello", spans=[span(3, 99, "quote", "forum:ann")]), rules(objected=["forum:ann"]))[
            "text"
        ]
        == "hel[quote]"
    )
