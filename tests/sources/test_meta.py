"""What Instagram's and Facebook's exports share: double encoding, ids, handles, labels."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import SourceError
from demur.sources.jsonstream import Record
from demur.sources.meta import common, labels
from demur.sources.meta.common import Ids, checked, entries, field, handles, iso_time, joined, labelled, repaired


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_meta_broke_is_repaired(text: str) -> None:
    broken = text.encode().decode("latin-1")
    assert repaired({broken: [broken, {"deep": broken}], "n": 3}) == {text: [text, {"deep": text}], "n": 3}


@pytest.mark.parametrize("text", ["plain", "Grüße", "Søg", "emoji 🙂", "Ã alone", "Â£ \u20ac", "naïve"])
def test_right_text_stays_as_it_is(text: str) -> None:
    assert repaired(text) == text


def test_a_record_too_deep_to_repair_is_one_sentence() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(SourceError, match=r"^f, record 1 is nested too deeply"):
        checked(Record(deep, "f, record 1"))
    while isinstance(deep, list):  # taken apart by hand: CPython frees a nest this deep by recursion
        deep = deep.pop()


def test_a_field_of_the_wrong_type_is_one_sentence() -> None:
    with pytest.raises(SourceError, match=r"^f, record 1: 'title' is not text: export the data again, as JSON\.$"):
        field({"title": 3}, "title", str, "f, record 1")
    with pytest.raises(SourceError, match="'n' is not a whole number"):
        field({"n": True}, "n", int, "f")
    assert field({"title": ""}, "title", str, "f") is None
    with pytest.raises(SourceError, match=r"^f is no object"):
        checked(Record([1], "f"))


def test_ids_are_stable_numbered_and_the_account_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first, again, other = Ids("x", "x:ann"), Ids("x", "x:ann"), Ids("x", "x:bob")
    made = [first.numbered("c", 5), first.numbered("c", 5), first.numbered("c", 6)]
    assert made == [again.numbered("c", 5), again.numbered("c", 5), again.numbered("c", 6)]
    assert len({*made, other.numbered("c", 5)}) == 4
    assert first.shared("group", "g") == other.shared("group", "g")
    monkeypatch.setattr(common, "_RECENT", 2)
    for n in range(10):
        again.numbered("d", n)
    assert len(again._recent) == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ann_b.c. and (@bob)!", ["ann_b.c", "bob"]),
        ("thanks.@bob", ["bob"]),
        ("write to me@mail.example or @@x", []),
        ("@ann@host.example is elsewhere", []),
        ("see https://x.example/@ann", []),
        ("@" + "a" * 31, []),
        ("@né @ok", ["ok"]),
    ],
)
def test_handles_become_mentions(text: str, names: list[str]) -> None:
    spans = handles(text, "instagram")
    assert [text[span.start : span.end] for span in spans] == [f"@{name}" for name in names]
    assert [span.account for span in spans] == [f"instagram:{name}" for name in names]


def test_labels_are_read_from_both_layouts_and_nested_ones_passed_over() -> None:
    record = {
        "string_map_data": {"Opmerking": {"value": "Hoi", "timestamp": 3}},
        "label_values": [
            {"title": "Owner", "dict": [{"label": "Caption", "value": "inner"}]},
            {"label": "Bijschrift", "value": "outer"},
            {"label": "URL", "href": "https://x.example"},
            "stray",
        ],
    }
    found = entries(record)
    assert labelled(found, labels.COMMENT) == "Hoi"
    assert labelled(found, labels.TEXT) == "outer"
    assert [entry.link for entry in found if entry.link] == ["https://x.example"]
    assert entries({"string_map_data": 3, "label_values": {}}) == []


def test_no_word_means_yes_and_no() -> None:
    assert not labels.YES & labels.NO
    assert not labels.PUBLIC & labels.FRIENDS
    assert not labels.PUBLIC & labels.ONLY_ME
    assert not labels.FRIENDS & labels.ONLY_ME


def test_times_in_iso_8601() -> None:
    assert iso_time("1970-01-01T01:00:00.5+01:00", "f") == iso_time("1970-01-01T00:00:00.5", "f") == 500_000
    with pytest.raises(SourceError, match=r"^f: 'soon' is no time"):
        iso_time("soon", "f")


def test_texts_are_joined_once_each() -> None:
    assert joined("a", None, " ", "b", "a") == "a\n\nb"
    assert joined(None, "") is None
