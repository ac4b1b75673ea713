"""What a piece of JSON would cost is told from its bytes, however they are cut into blocks."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demur.sources import jsonbounds, limits
from demur.sources.jsonbounds import JsonBounds

_TEXT = st.text(st.sampled_from('a[]{}",\\\n\u00e9')) | st.text()
_JSON = st.recursive(
    st.none() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _symbols(text: str) -> int:
    return len(re.findall(r"[\[\]{},]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)))


def _blocks(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _found(text: str, cuts: list[int]) -> list[str]:
    bounds = JsonBounds()
    return [told for block in _blocks(text.encode(), cuts) if (told := bounds.exceeded(block))]


@given(value=_JSON, cuts=st.lists(st.integers(0, 200), max_size=12), escape=st.booleans())
def test_depth_and_values_are_counted_exactly_wherever_the_blocks_end(
    *, value: object, cuts: list[int], escape: bool
) -> None:
    text = json.dumps(value, ensure_ascii=escape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonbounds, "MAX_DEPTH", _depth(value))
        patch.setattr(jsonbounds, "MAX_VALUES", _symbols(text))
        assert _found(text, cuts) == []
        patch.setattr(jsonbounds, "MAX_DEPTH", _depth(value) - 1)
        assert any("deep" in told for told in _found(text, cuts)) == (_depth(value) > 0)
        patch.setattr(jsonbounds, "MAX_DEPTH", 1000)
        if symbols := _symbols(text):
            patch.setattr(jsonbounds, "MAX_VALUES", symbols - 1)
            assert any("values" in told for told in _found(text, cuts))


@given(
    st.integers(1, 3000), st.lists(st.integers(0, 3100), max_size=6), st.sampled_from(["[%s]", '["%s"]', '{"a":%s}'])
)
@example(limits.MAX_DIGITS, [], "[%s]")
@example(limits.MAX_DIGITS + 1, [], "[%s]")
def test_a_number_is_long_and_a_string_of_digits_is_none(digits: int, cuts: list[int], shape: str) -> None:
    told = _found(shape % ("7" * digits), cuts)
    assert bool(told) == (digits > limits.MAX_DIGITS and '"%s"' not in shape)


@given(st.integers(1, 400), st.lists(st.integers(0, 420), max_size=40))
def test_a_string_is_long_however_it_is_cut(length: int, cuts: list[int]) -> None:
    """One that lies within a single block is not looked at: a block is far shorter than the bound."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonbounds, "MAX_STRING", 200)
        assert bool(_found(f'["{"x" * length}","b"]', list(range(420)))) == (length > 200)
        if _found(f'["{"x" * length}","b"]', cuts):
            assert length > 200


def test_what_is_refused_of_a_line_is_what_is_refused_of_blocks() -> None:
    assert jsonbounds.exceeded(b"[" * 201 + b"]" * 201) is not None
    assert jsonbounds.exceeded(b"[" * 200 + b"]" * 200) is None
    assert jsonbounds.exceeded(b'"' + b"[" * 5000 + b'"') is None
