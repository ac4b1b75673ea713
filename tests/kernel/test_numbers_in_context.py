"""Phone numbers and addresses told from other numbers by what stands around them (docs/identifiers.md)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import NOW, batch, item, open_policy, rules
from numbered import Case, cases

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.kernel.govern import govern
from demur.kernel.identifiers import MASKS, Category, find_identifiers
from demur.kernel.identifiers.find import scan
from demur.policy import Identifiers, Policy
from demur.register.members.rows import MEMBER

ALL = frozenset(Category)
CATEGORIES = {"phone": Category.PHONE, "ip": Category.IP, "iban": Category.IBAN}
SPANISH = "mejor 612 34 56 78, o no?"


def found(text: str, region: str | None) -> list[tuple[int, int, Category]]:
    hits = find_identifiers(pa.array([text], type=pa.large_string()), ALL, [region])
    return list(zip(hits.start.tolist(), hits.end.tolist(), map(Category, hits.category.tolist()), strict=True))


def masked(text: str, region: str | None) -> str:
    for start, end, category in reversed(found(text, region)):
        text = text[:start] + MASKS[category] + text[end:]
    return text


def test_the_table_is_as_long_as_promised_in_both_directions() -> None:
    table = cases()
    assert len({(case.region, case.text) for case in table}) == len(table) >= 600
    assert Counter(case.category == "none" for case in table).most_common()[-1][1] >= 250
    assert all(bool(case.spans) == (case.category != "none") for case in table)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.region}: {case.text}")
def test_finds_what_is_marked_and_nothing_else(case: Case) -> None:
    category = CATEGORIES.get(case.category)
    assert found(case.text, case.region) == [(start, end, category) for start, end in case.spans]


PIECES = st.sampled_from(
    [piece for case in cases() for piece in (case.text, case.text[: len(case.text) // 2])]
    + ["Tel ", "call ", "ip ", "version ", " and ", ", ", "\n", "[ip]", "[phone]", "1.2.3.4", "8.8.8.8", ".", "/24"]
)


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(PIECES, max_size=6),
    between=st.sampled_from(["", " ", ", "]),
    region=st.sampled_from([None, "DE", "ES", "US"]),
)
@example(pieces=["ip 1.2.3.4"] + ["1.2.3.4"] * 12, between=" ", region=None)
@example(pieces=["Tel. 555-0142-77"] + ["555-0142-77"] * 12, between=", ", region=None)
def test_nothing_is_left_once_masked_and_the_gate_loses_nothing(
    pieces: list[str], between: str, region: str | None
) -> None:
    text = between.join(pieces)
    assert found(text, region) == [hit[:3] for hit in scan(text, region, ALL)]
    assert found(masked(text, region), region) == []


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Tel. " + "601 234 567, " * 12 + "later", "Tel. " + "[phone], " * 12 + "later"),
        ("ip 1.2.3.4 " + "and 1.2.3.5 " * 12 + "later", "ip [ip] " + "and [ip] " * 12 + "later"),
    ],
)
def test_a_long_list_is_masked_one_by_one(text: str, after: str) -> None:
    """What follows it stays: no list takes more passes than a text that is made to escape."""
    assert masked(text, None) == after


@pytest.mark.parametrize(
    "piece", ["Tel 1", "+1 ", "call 030 ", "1.2.3.4 ", "ip ", "2001:", "0171 1234567 ", "(0", "00 "]
)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    assert found(masked(text, "DE"), "DE") == []


@pytest.mark.parametrize(
    ("changes", "members", "region", "expected"),
    [
        ({}, {}, None, SPANISH),
        ({}, {}, "ES", "mejor [phone], o no?"),
        ({}, {"forum:ann": {"region": "ES"}}, None, "mejor [phone], o no?"),
        ({}, {"forum:ann": {"region": "ES"}}, "DE", SPANISH),
        (
            {"regions": ("ES",), "door": open_policy().door.model_copy(update={"unknown_region": "use"})},
            {},
            None,
            "mejor [phone], o no?",
        ),
        ({"identifiers": Identifiers(region="ES")}, {}, None, "mejor [phone], o no?"),
        ({"identifiers": Identifiers(region="ES")}, {"forum:ann": {"region": "DE"}}, None, SPANISH),
        ({"identifiers": Identifiers(region="ES", phone="keep")}, {}, None, SPANISH),
    ],
)
def test_the_country_is_the_rows_or_the_members_or_the_policys(
    changes: dict[str, Any], members: dict[str, Any], region: str | None, expected: str
) -> None:
    under = rules(open_policy(**changes), members=members)
    picture = {"uri": "1.jpg", "type": "image/jpeg", "alt": SPANISH, "tagged": []}
    kept = govern(batch([item("1", text=SPANISH, region=region, media=[picture])]), under).kept
    assert kept.column("text").to_pylist() == [expected]
    assert kept.column("media").to_pylist()[0][0]["alt"] == expected
    assert govern(kept, under).kept.equals(kept)


def test_a_row_at_rest_is_governed_like_one_that_comes_in() -> None:
    plain, told = rules(), rules(members={"forum:ann": {"region": "ES"}})
    items = batch([item(str(number), text=case.text) for number, case in enumerate(cases())])
    at_rest = govern(items, rules(open_policy(identifiers=Identifiers(phone="keep", ip="keep", iban="keep")))).kept
    for under in (plain, told):
        assert govern(at_rest, under).kept.column("text").equals(govern(items, under).kept.column("text"))


def test_a_members_country_masks_what_was_imported_before_it_was_known(tmp_path: Path) -> None:
    texts = []
    for order in ("member first", "item first"):
        workspace = workspaces.create(tmp_path / order.split()[0], open_policy())
        steps = [lambda w=workspace: _tell(w), lambda w=workspace: _read(w)]
        for step in steps if order == "member first" else reversed(steps):
            step()
        with reading(workspace, NOW) as session:
            texts.append([row["text"] for part in session.corpus.batches() for row in part.to_pylist()])
    assert texts == [["mejor [phone], o no?"]] * 2


def _tell(workspace: workspaces.Workspace) -> None:
    member = {"account": "forum:ann", "region": "ES"}
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([member], schema=MEMBER)], now=NOW)
    honour(workspace, now=NOW)


def _read(workspace: workspaces.Workspace) -> None:
    import_items(workspace, "table", iter([batch([item("1", text=SPANISH)])]), now=NOW)


def test_a_policy_of_one_country_has_that_one() -> None:
    assert open_policy().home is None
    assert open_policy(regions=("DE",)).home == "DE"
    assert open_policy(regions=("DE", "FR")).home is None
    assert open_policy(regions=("DE", "FR"), identifiers=Identifiers(region="FR")).home == "FR"
    with pytest.raises(ValueError, match="ISO 3166-1"):
        Policy.model_validate({"effective_date": NOW.date(), "identifiers": {"region": "UK"}})
