"""The ground truth: it knows every reason, and no planted violation escapes it."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache, partial
from typing import Any

import pytest

from demur.demo.community import Community
from demur.demo.items import Fate, Form, Item, Piece, Wave
from demur.demo.loop import demo_policy
from demur.demo.meant import Verdict
from demur.demo.residual import Finder, Residual
from demur.demo.story import Import, Link, Members, Object, Withdraw, story
from demur.demo.truth import Tally, Truth, shown
from demur.identity import Pepper
from demur.policy import LegalBasis, Others, Policy
from demur.terms import Basis, Reason, Role

TODAY = date(2026, 11, 22)
PEPPER = Pepper(b"demo pepper of thirty-two bytes!")

Row = dict[str, Any]


@pytest.fixture(scope="module")
def community() -> Community:
    return Community.generate(1000, seed=5, today=TODAY)


def told(community: Community, policy: Policy | None = None) -> tuple[Truth, Counter[Reason]]:
    truth, left_out = Truth(community, policy or demo_policy(TODAY)), Counter[Reason]()
    for step in story(community):
        tally = truth.observe(step)
        if tally is not None:
            assert tally.read == tally.kept + tally.left_out.total()
            left_out += tally.left_out
    return truth, left_out


@pytest.fixture(scope="module")
def truth(community: Community) -> Truth:
    return told(community)[0]


def key(account: str) -> str:
    return f"{PEPPER.subject_key(account):016x}"


def masked(pieces: tuple[Piece, ...], becomes: Callable[[Piece], Verdict]) -> str:
    return "".join("[person]" if becomes(piece) is Verdict.GOES else piece.text for piece in pieces)


def faithful(truth: Truth) -> Iterator[tuple[Item, Row]]:
    """What an export without fault would hold, by the pieces that the generator put together."""
    for first in truth.community.everything():
        item, at, reason = truth.verdict(first)
        if reason is None and item.author:
            media = shown(item, truth.gone_since(at))
            becomes = partial(truth.becomes, item=item, at=at)
            yield (
                item,
                {
                    "item": PEPPER.item_key(item.item).hex(),
                    "author": key(item.author),
                    "kind": str(item.kind),
                    "audience": str(item.audience),
                    "language": item.language,
                    "rating": item.rating,
                    "text": masked(item.pieces, becomes),
                    "spans": [],
                    "subjects": [],
                    "media": [{"alt": masked(media.alt, becomes), "tagged": [key(a) for a in media.tagged]}]
                    if media
                    else [],
                },
            )


@pytest.fixture(scope="module")
def clean(truth: Truth) -> list[tuple[Item, Row]]:
    return list(faithful(truth))


def findings(truth: Truth, rows: list[Row]) -> list[str]:
    return list(Residual(truth, PEPPER).of(rows))


@cache
def reader(truth: Truth) -> Residual:
    """One for all plants: it begins with the key of every item."""
    return Residual(truth, PEPPER)


def planted(truth: Truth, clean: list[tuple[Item, Row]], change: Row, which: Callable[[Item], bool]) -> list[str]:
    """The findings once the first row of a fitting item says something else, and all others were read without one."""
    row = next(row for item, row in clean if which(item))
    residual = reader(truth)
    residual._seen[:] = True
    residual._seen[residual._places([row])] = False
    return list(residual.of([row | change]))


def with_piece(truth: Truth, test: Callable[[Piece, Callable[[str], bool]], bool]) -> Callable[[Item], bool]:
    def which(item: Item) -> bool:
        gone = truth.gone_since(truth.verdict(truth.community.item(item.person, item.slot))[1])
        return any(test(piece, gone) for piece in item.pieces)

    return which


def test_an_export_without_fault_has_no_residual(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    assert len(clean) > 10_000
    assert findings(truth, [row for _, row in clean]) == []


def test_every_reason_occurs(community: Community) -> None:
    policy = demo_policy(TODAY)
    masks = {Reason.QUOTE, Reason.MENTION, Reason.NAME, Reason.NO_CONSENT}
    assert set(told(community, policy)[1]) == set(Reason) - masks
    dropping = policy.model_copy(update={"others": Others(mentions="drop", quotes="drop", names="drop", copies="drop")})
    assert set(told(community, dropping)[1]) == set(Reason) - {Reason.NO_CONSENT}
    asking = policy.model_copy(update={"basis": LegalBasis(use=Basis.CONSENT)})
    assert set(told(community, asking)[1]) == set(Reason) - {Reason.QUOTE, Reason.MENTION, Reason.NAME}


def test_reasons_at_the_end(truth: Truth, community: Community) -> None:
    for first in community.everything():
        item, _, reason = truth.verdict(first)
        if first.fate is Fate.DELETED:
            assert reason is Reason.DELETED
        elif item.author in truth.suppressed():
            assert reason is not None


def test_a_withdrawal_brings_nothing_back_before_the_next_import(community: Community) -> None:
    truth = Truth(community, demo_policy(TODAY))
    truth.observe(Members(corrections=False))
    truth.observe(Import("forum", Wave.FIRST))
    first = next(i for i in community.last_readings(Wave.FIRST, "forum") if truth.verdict(i)[2] is None)
    assert first.author
    truth.observe(Object((first.author,), "mail"))
    assert truth.verdict(first)[2] is Reason.OBJECTED
    truth.observe(Withdraw(0))
    assert truth.suppressed() == set()
    assert truth.verdict(first)[2] is Reason.OBJECTED
    truth.observe(Import("mastodon", Wave.AGAIN))
    assert truth.verdict(first)[2] is Reason.OBJECTED
    truth.observe(Import("forum", Wave.AGAIN))
    assert truth.verdict(first)[2] is None


def test_a_link_found_later_is_covered(community: Community) -> None:
    truth = Truth(community, demo_policy(TODAY))
    truth.observe(Members(corrections=False))
    person = next(p for p in community.people if len(p.accounts) > 1 and not p.linked)
    truth.observe(Object(person.accounts[:1], "mail"))
    assert truth.suppressed() == set(person.accounts[:1])
    truth.observe(Link(*person.accounts[:2]))
    assert truth.suppressed() == set(person.accounts[:2])


def test_before_any_import_nothing_is_in(community: Community) -> None:
    truth = Truth(community, demo_policy(TODAY))
    assert findings(truth, []) == []


def test_a_tally_counts_older_readings(community: Community) -> None:
    truth = Truth(community, demo_policy(TODAY))
    truth.observe(Members(corrections=False))
    tally = truth.observe(Import("forum", Wave.MORE))
    assert isinstance(tally, Tally)
    assert tally.read == sum(1 for _ in community.readings(Wave.MORE, "forum"))
    assert tally.left_out[Reason.SUPERSEDED] == sum(1 for _ in community.drafts("forum"))


@pytest.mark.parametrize("reason", [Reason.OBJECTED, Reason.MINOR, Reason.DELETED, Reason.AUDIENCE, Reason.RESHARE])
def test_a_row_that_should_be_out(truth: Truth, clean: list[tuple[Item, Row]], reason: Reason) -> None:
    items = truth.community.everything()
    first = next(item for item in items if truth.verdict(item)[2] is reason and item.author)
    row = clean[0][1] | {"item": PEPPER.item_key(first.item).hex()}
    assert f"{first.item} should have been left out ({reason})" in findings(truth, [*(r for _, r in clean), row])


def test_a_row_that_is_missing(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    assert findings(truth, [row for _, row in clean[1:]]) == [f"{clean[0][0].item} is missing"]


def test_a_row_twice(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    rows = [row for _, row in clean]
    assert findings(truth, [*rows, rows[0]]) == [f"{clean[0][0].item} stands there twice"]


def test_a_row_of_nobody(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    found = findings(truth, [*(row for _, row in clean), clean[0][1] | {"item": "00" * 16}])
    assert found == ["a row stands for no item of the community"]


def test_a_quote_put_back(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    which = with_piece(truth, lambda piece, gone: piece.role is Role.QUOTE and gone(piece.account or ""))
    item = next(item for item, _ in clean if which(item))
    assert planted(truth, clean, {"text": item.text}, which) == [
        f"{item.item} shows a quote of somebody who is suppressed in its text"
    ]


def test_a_name_put_back(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    which = with_piece(
        truth, lambda piece, gone: piece.role is Role.MENTION and not piece.direct and gone(piece.account or "")
    )
    item = next(item for item, _ in clean if which(item))
    assert planted(truth, clean, {"text": item.text}, which) == [
        f"{item.item} shows the name of somebody who is suppressed in its text"
    ]


@pytest.mark.parametrize("form", [form for form in Form if form not in {Form.TRAP, Form.SIGNED}])
def test_words_put_back(truth: Truth, clean: list[tuple[Item, Row]], form: Form) -> None:
    which = becoming(truth, form, Verdict.GOES)
    item = next(item for item, _ in clean if which(item))
    assert planted(truth, clean, {"text": item.text}, which) == [
        f"{item.item} shows of somebody who is suppressed: {form} in its text"
    ]


@pytest.mark.parametrize("form", [Form.TRAP, Form.SIGNED, Form.FULL, Form.CALLED, Form.COPY])
def test_words_that_were_to_stay(truth: Truth, clean: list[tuple[Item, Row]], form: Form) -> None:
    which = becoming(truth, form, Verdict.STAYS)
    item, row = next((item, row) for item, row in clean if which(item))
    said = next(piece.text for piece in item.pieces if piece.form is form)
    text = row["text"].replace(said, "[person]")
    assert text != row["text"]
    assert planted(truth, clean, {"text": text}, which) == [f"{item.item} reads otherwise than it should in its text"]


def test_a_doubt_may_be_masked_or_stand(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    which = becoming(truth, Form.SURNAME, Verdict.MAY_GO)
    item, row = next((item, row) for item, row in clean if which(item))
    said = next(piece.text for piece in item.pieces if piece.form is Form.SURNAME)
    assert said in row["text"]
    assert planted(truth, clean, {"text": row["text"].replace(said, "[person]")}, which) == []


def test_a_strangers_handle_may_lose_the_name_in_it_and_no_more(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    """It spells the full name of somebody withheld who is called alike."""
    which = becoming(truth, Form.HANDLE, Verdict.MAY_GO)
    item, row = next((item, row) for item, row in clean if which(item))
    said = next(piece.text for piece in item.pieces if piece.form is Form.HANDLE)
    name, _, number = said.rpartition("-")
    assert said in row["text"]
    assert planted(truth, clean, {"text": row["text"].replace(said, f"[person]-{number}")}, which) == []
    for wrong in ("[person]", f"[person]-{number}0", f"{name}-[person]"):
        assert planted(truth, clean, {"text": row["text"].replace(said, wrong)}, which) == [
            f"{item.item} reads otherwise than it should in its text"
        ]


def test_a_word_that_was_changed_in_a_copy_may_stand(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    which = becoming(truth, Form.COPY, Verdict.GOES, changed=True)
    item, row = next((item, row) for item, row in clean if which(item))
    changed = next(piece.changed for piece in item.pieces if piece.changed)
    text = row["text"].replace("[person]", f"[quote] {changed} [quote]", 1)
    assert planted(truth, clean, {"text": text}, which) == []
    left = text.replace(f" {changed} ", f" {changed} too ")
    assert planted(truth, clean, {"text": left}, which) == [f"{item.item} reads otherwise than it should in its text"]


def becoming(truth: Truth, form: Form, verdict: Verdict, *, changed: bool = False) -> Callable[[Item], bool]:
    def which(item: Item) -> bool:
        at = truth.verdict(truth.community.item(item.person, item.slot))[1]
        pieces = (piece for piece in item.pieces if piece.form is form and (piece.changed or not changed))
        return any(truth.becomes(piece, item, at) is verdict for piece in pieces)

    return which


@pytest.mark.parametrize(
    ("what", "test"),
    [
        ("a handle", lambda piece, _: piece.direct and piece.account and piece.role is not None),
        ("a handle", lambda piece, _: piece.direct and piece.account and piece.role is None),
        ("a direct identifier", lambda piece, _: piece.direct and not piece.account),
    ],
)
def test_an_identifier_put_back(
    truth: Truth, clean: list[tuple[Item, Row]], what: str, test: Callable[[Piece, Callable[[str], bool]], bool]
) -> None:
    which = with_piece(truth, test)
    item = next(item for item, _ in clean if which(item))
    assert planted(truth, clean, {"text": item.text}, which) == [f"{item.item} shows {what} in its text"]


def test_a_handle_in_an_alternative_text(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    def which(item: Item) -> bool:
        return item.media is not None and any(piece.direct for piece in item.media.alt) and bool(row_of[item.item])

    row_of = {item.item: row["media"] for item, row in clean}
    item = next(item for item, _ in clean if which(item))
    assert item.media
    alt = "".join(piece.text for piece in item.media.alt)
    assert planted(truth, clean, {"media": [{"alt": alt, "tagged": []}]}, which) == [
        f"{item.item} shows a handle in its alternative text"
    ]


def test_a_picture_of_somebody_suppressed(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    pictures = {item.item for item, row in clean if item.media and not row["media"]}
    found = planted(truth, clean, {"media": [{"alt": "", "tagged": []}]}, lambda item: item.item in pictures)
    assert [finding.partition(" ")[2] for finding in found] == ["shows a picture of somebody who is suppressed"]


@pytest.mark.parametrize("where", ["spans", "subjects", "media"])
def test_a_key_left_behind(truth: Truth, clean: list[tuple[Item, Row]], where: str) -> None:
    account = next(iter(sorted(truth.suppressed())))
    changes: dict[str, Row] = {
        "spans": {"spans": [{"start": 0, "end": 1, "role": "mention", "subject": key(account)}]},
        "subjects": {"subjects": [key(account)]},
        "media": {"media": [{"alt": None, "tagged": [key(account)]}]},
    }
    found = planted(truth, clean, changes[where], lambda item: item.media is None)
    assert f"{clean_item(clean)} still holds the key of somebody who is suppressed" in found


def clean_item(clean: list[tuple[Item, Row]]) -> str:
    return next(item.item for item, _ in clean if item.media is None)


def test_an_edit_that_was_not_taken_over(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    def which(item: Item) -> bool:
        plain = not any(piece.account or piece.form for piece in item.pieces)
        return item.fate is Fate.EDITED and len(item.pieces) == 2 and plain  # what it said, and the edit

    item = next(item for item, _ in clean if which(item))
    found = planted(truth, clean, {"text": item.pieces[0].text}, which)
    assert found == [f"{item.item} reads otherwise than it should in its text"]


def test_half_a_handle(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    which = with_piece(truth, lambda piece, _: piece.direct)
    item, row = next((item, row) for item, row in clean if which(item))
    found = planted(truth, clean, {"text": row["text"].replace("[person]", "[person]ann7")}, which)
    assert found == [f"{item.item} reads otherwise than it should in its text"]


@pytest.mark.parametrize("name", ["author", "kind", "audience", "language", "rating"])
def test_another_field(truth: Truth, clean: list[tuple[Item, Row]], name: str) -> None:
    found = planted(truth, clean, {name: "0" * 16}, lambda _: True)
    assert found == [f"{clean[0][0].item} has another {name}"]


def test_findings_repeat_no_text_and_no_identifier(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    raw = [row | {"text": item.text} for item, row in clean]
    found = findings(truth, raw)
    assert len(found) > 100
    secrets = {piece.secret for item, _ in clean for piece in item.pieces if piece.direct}
    assert not any(secret in finding for finding in found[:100] for secret in secrets)


def test_examples_are_of_four_languages_and_in_a_fixed_order(truth: Truth, clean: list[tuple[Item, Row]]) -> None:
    orders = [clean, clean[::-1]]
    found = []
    for rows in orders:
        finder = Finder(truth, PEPPER)
        for _, row in rows:
            finder.see(row)
        found.append(finder.examples)
    assert found[0] == found[1]
    assert [example.what.split()[-1] for example in found[0]] == [
        *("objected", "them", "is", "(English)", "(German)", "(Polish)", "(Greek)", "quote", "stay")
    ]
    *masked, trap = found[0]
    assert all("[person]" in example.after and example.before != example.after for example in masked)
    assert trap.before == trap.after
    assert finder.account not in truth.suppressed()
