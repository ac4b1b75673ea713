"""Many phrases are found in one text as a regular expression of them all would find them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from demur.sources.phrases import Phrases

_PIECE = st.text(st.sampled_from("ab@. A-"), min_size=1, max_size=14)


@given(phrases=st.lists(_PIECE, max_size=6), text=st.text(st.sampled_from("ab@. A-"), max_size=60), fold=st.booleans())
def test_the_longest_phrases_are_those_of_a_regular_expression(*, phrases: list[str], text: str, fold: bool) -> None:
    found, end = [], 0
    for start, here in Phrases(phrases, around=r"\w@", fold=fold).found(text):
        if start >= end:
            end = start + len(here[0])
            found.append((start, end))

    anyone = "|".join(re.escape(each) for each in sorted(phrases, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w@])(?:{anyone})(?![\w@])", re.IGNORECASE if fold else 0)
    assert found == ([hit.span() for hit in pattern.finditer(text)] if phrases else [])


@given(st.lists(_PIECE, max_size=6), st.text(st.sampled_from("ab@. A-"), max_size=40))
def test_every_phrase_is_found_at_every_place(phrases: list[str], text: str) -> None:
    found = {(start, each) for start, here in Phrases(phrases, around=r"\w").found(text) for each in here}

    expected = {
        (start, each)
        for each in phrases
        for start in range(len(text))
        if re.compile(rf"(?<!\w){re.escape(each)}(?!\w)").match(text, start)
    }
    assert found == expected
