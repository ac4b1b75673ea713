"""The contract that every adapter stands on: finding sources, options, clean text, bounded batches."""

import subprocess
import sys
import unicodedata
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import SourceError
from demur.sources import ItemRow, Media, Options, Source, Span, base, batches, clean, load_source, microseconds
from demur.terms import ITEM

_SECOND = 1_000_000


def _row(**fields: object) -> ItemRow:
    return ItemRow(**{"item": "x:1", "author": "x:ann", "kind": "post", "audience": "public", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["facebook", "instagram"])
def test_a_built_in_source_is_found(name: str) -> None:
    assert isinstance(load_source(name), Source)


def test_a_built_in_source_is_found_without_installed_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "entry_points", lambda group: [])  # noqa: ARG005  # the signature of the original
    assert isinstance(load_source("instagram"), Source)


def test_a_plugin_is_found_by_entry_point_and_can_not_replace_a_built_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = [
        EntryPoint("forum", "demur.sources.facebook:FacebookSource", base.GROUP),
        EntryPoint("instagram", "demur.sources.facebook:FacebookSource", base.GROUP),
    ]
    monkeypatch.setattr(base, "entry_points", lambda group: plugins if group == base.GROUP else [])
    assert type(load_source("forum")).__name__ == "FacebookSource"
    assert type(load_source("instagram")).__name__ == "InstagramSource"


def test_a_plugin_that_can_not_be_imported_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "entry_points", lambda group: [EntryPoint("forum", "no.such:Thing", group)])
    with pytest.raises(SourceError, match=r"'forum' \(no\.such:Thing\) can't be loaded .*: reinstall its package"):
        load_source("forum")


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(SourceError, match=r"^There is no source 'instagran': did you mean 'instagram'\?$"):
        load_source("instagran")
    with pytest.raises(SourceError, match=r"'zzz': known are .*facebook, instagram"):
        load_source("zzz")


class _Colours(Options):
    colour: str | None = None


def test_options_are_checked() -> None:
    assert _Colours.parse("forum", {"colour": "red"}).colour == "red"
    with pytest.raises(SourceError, match=r"\[sources\.forum\]: there is no option 'color': did you mean 'colour'\?"):
        _Colours.parse("forum", {"color": "red"})
    with pytest.raises(SourceError, match=r"\[sources\.forum\]: 'colour' does not fit"):
        _Colours.parse("forum", {"colour": 3})


def test_text_is_cleaned_and_spans_follow() -> None:
    text = "a\x00b\r\nE\u0301va \ud800 @ann\x9f!"
    at = text.index("@ann")
    cleaned, spans = clean(text, [Span(at, at + 4, "mention", "x:ann")])
    assert cleaned == "ab\nÉva \ufffd @ann!"
    assert cleaned[spans[0].start : spans[0].end] == "@ann"


def test_a_span_that_marked_only_removed_characters_stays_empty() -> None:
    cleaned, spans = clean("ab\x01\x02cd", [Span(2, 4, "reshare", "x:ann")])
    assert (cleaned, spans[0][:2]) == ("abcd", (2, 2))


def test_a_combining_mark_belongs_to_the_letter_before_it() -> None:
    cleaned, spans = clean("ne\u0301e", [Span(0, 2, "tag", None), Span(2, 4, "tag", None)])
    assert cleaned == "née"
    assert [cleaned[span.start : span.end] for span in spans] == ["né", "e"]


def test_spans_beyond_the_text_are_clamped() -> None:
    assert clean("abc", [Span(-1, 9, "tag", None), Span(7, 2, "tag", None)])[1] == [
        Span(0, 3, "tag", None),
        Span(3, 3, "tag", None),
    ]


@given(st.lists(st.text(max_size=6), min_size=3, max_size=3))
def test_cleaning_with_spans_gives_the_text_that_cleaning_without_gives(parts: list[str]) -> None:
    text = "".join(parts)
    start, end = len(parts[0]), len(parts[0] + parts[1])
    cleaned, spans = clean(text, [Span(start, end, "mention", None)])
    assert cleaned == clean(text)[0]
    assert unicodedata.is_normalized("NFC", cleaned)
    assert 0 <= spans[0].start <= spans[0].end <= len(cleaned)


@given(st.text("ab\x00\x1f\u0301\u00e9\r\n\ud800 ", max_size=8), st.text("ab\x00\u0301\u1161\u1100\r\n ", max_size=8))
def test_a_span_between_spaces_marks_the_same_words(before: str, marked: str) -> None:
    text = f"{before} [{marked}] rest"
    start = len(before) + 1
    cleaned, spans = clean(text, [Span(start, start + len(marked) + 2, "quote", None)])
    assert cleaned[spans[0].start : spans[0].end] == clean(f"[{marked}]")[0]


def test_batches_are_bounded_in_rows() -> None:
    sizes = [batch.num_rows for batch in batches(_row(item=f"x:{i}") for i in range(base.MAX_ROWS + 5))]
    assert sizes == [base.MAX_ROWS, 5]


def test_batches_are_bounded_in_bytes_and_a_large_item_stands_alone() -> None:
    large = "é" * (base.MAX_BYTES // 2 + 1)
    found = list(batches([_row(text="a"), _row(text=large), _row(text="b"), _row(text="c")]))
    assert [batch.num_rows for batch in found] == [1, 1, 2]
    assert all(batch.schema == ITEM for batch in found)


def test_a_row_arrives_whole() -> None:
    row = _row(
        text="hi @bob",
        created=5 * _SECOND,
        spans=[Span(3, 7, "mention", "x:bob")],
        media=[Media("a.jpg", "image/jpeg", "a\x00 cat", ["x:bob"])],
        rating=4.5,
    )
    (batch,) = batches([row])
    (found,) = batch.to_pylist()
    assert found["spans"] == [{"start": 3, "end": 7, "role": "mention", "account": "x:bob"}]
    assert found["media"] == [{"uri": "a.jpg", "type": "image/jpeg", "alt": "a cat", "tagged": ["x:bob"]}]
    assert (found["created"].timestamp(), found["rating"], found["deleted"]) == (5, 4.5, False)
    assert (found["origin"], found["region"]) == ("first-party", None)


def test_a_lone_surrogate_outside_the_text_is_replaced() -> None:
    (batch,) = batches([_row(author="x:\ud800", media=[Media("\udfff.jpg")], spans=[Span(0, 0, "tag", "x:\ud800")])])
    (found,) = batch.to_pylist()
    assert (found["author"], found["media"][0]["uri"]) == ("x:\ufffd", "\ufffd.jpg")


def test_times_are_checked() -> None:
    assert microseconds("12", "f") == 12 * _SECOND
    assert microseconds(1.5, "f") == 1_500_000
    for wrong in (1_700_000_000_000, -(10**12), float("nan"), float("inf"), "soon", "1e400"):
        with pytest.raises(SourceError, match=r"^f\.json, record 3: the timestamp is no time in seconds"):
            microseconds(wrong, "f.json, record 3")


def test_importing_the_package_loads_no_adapter() -> None:
    code = "import demur.sources, sys; print([m for m in sys.modules if m.startswith('demur.sources.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['demur.sources.limits', 'demur.sources.text', 'demur.sources.base']"
