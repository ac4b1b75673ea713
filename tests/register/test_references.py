"""References: safe on the phone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import RegisterError
from demur.register.objections.references import _SYMBOLS, new_reference, read_reference

references = st.builds(new_reference)


@given(references)
def test_reads_what_it_writes_however_it_is_typed(reference: str) -> None:
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", reference)
    sloppy = reference.replace("-", " ").replace("0", "o").replace("1", "l").lower()
    assert read_reference(f" {sloppy}\u2011") == read_reference(reference) == reference


@given(references)
def test_notices_every_wrong_symbol_and_every_swap(reference: str) -> None:
    plain = reference.replace("-", "")
    wrong = {plain[:n] + symbol + plain[n + 1 :] for n in range(16) for symbol in _SYMBOLS}
    swapped = {plain[:n] + plain[n + 1] + plain[n] + plain[n + 2 :] for n in range(13)}
    for slip in (wrong | swapped) - {plain}:
        with pytest.raises(RegisterError, match="typing error"):
            read_reference(slip)


@pytest.mark.parametrize("typed", ["", "7KQ2-9XJM-4TPA", "7KQ2-9XJM-4TPA-C0VU", "7KQ2-9XJM-4TPA-C0V\u00e9", "x" * 99])
def test_what_is_no_reference(typed: str) -> None:
    with pytest.raises(RegisterError, match="is no reference"):
        read_reference(typed)


def test_no_two_are_alike() -> None:
    assert len({new_reference() for _ in range(2000)}) == 2000
