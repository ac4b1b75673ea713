"""Folding of letters: what disguises a word, and what makes another one of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.words.letters import LONGEST, fold_letters, folds

BLOCKS = ((0x80, 0x3000), (0xA640, 0xAC00), (0xF900, 0x10000), (0x1D400, 0x1D800), (0x1F100, 0x1F200))
LETTERS = [chr(point) for block in BLOCKS for point in range(*block)]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Müller", "muller"),
        ("Mu\u0308ller", "muller"),
        ("STRAẞE", "strasse"),
        ("Øystein", "oystein"),
        ("Łukasz", "lukasz"),
        ("Đurđević", "durdevic"),
        ("Þór", "thor"),
        ("Guðrún", "gudrun"),
        ("Œuvray", "oeuvray"),
        ("İpek", "ipek"),
        ("Işık", "isik"),
        ("Nguyễn", "nguyen"),
        ("Семён", "семен"),
        ("Σταῦρος", "σταυροσ"),
        ("أحمد", "احمد"),
        ("𝐒𝓽𝔢𝕧𝖊", "steve"),
        ("Ｓｔｅｖｅ", "steve"),
        ("ⓢⓣⓔⓥⓔ", "steve"),
        ("🅢🅣🅔🅥🅔", "steve"),
        ("🆂🆃🅴🆅🅴", "steve"),
        ("ꜱᴛᴇᴠᴇ", "steve"),
        ("ˢᵗᵉᵛᵉ", "steve"),
        ("S\u0336t\u0336e\u0336v\u0336e\u0336", "steve"),
        ("St\u200beve\u2060", "steve"),
        ("S\u00adte\u202eve", "steve"),
        ("St\u3164eve", "steve"),
        ("ann٤٢", "ann42"),
        ("ﬁona", "fiona"),
        ("が", "が"),
        ("か\u3099", "が"),
        ("\u1100\u1161\u11a8", "각"),
        ("\u200b", ""),
    ],
)
def test_a_disguise_folds_to_what_a_reader_sees(written: str, folded: str) -> None:
    assert fold_letters(written) == folded


@pytest.mark.parametrize(
    ("written", "ways"),
    [
        ("Ѕtеvе", ("steve",)),  # t and v have no twin in Cyrillic
        ("аnn", ("ann",)),
        ("Пaвел", ("павел",)),  # its a is Latin
        ("Мах", ("мах", "max")),  # wholly Cyrillic, and nobody sees it
        ("сам", ("сам",)),  # a Latin m looks otherwise
        ("Тоmаs", ("томаѕ", "tomas")),  # both can be meant
        ("Anna", ("anna",)),
        ("Анна", ("анна",)),
    ],
)
def test_scripts_that_mix_are_read_in_the_one_that_takes_all_letters(written: str, ways: tuple[str, ...]) -> None:
    assert folds(written) == ways


def test_folding_a_fold_changes_nothing_whatever_the_letter() -> None:
    for letter in LETTERS:
        for word in (letter, "a" + letter, "а" + letter + "б"):
            for folded in folds(word):
                assert fold_letters(folded) == folded, ascii(word)
                assert all(each.isalnum() or unicodedata.category(each)[0] == "M" for each in folded), ascii(word)


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "Cf"]), max_size=LONGEST + 2))
def test_folding_a_fold_changes_nothing(word: str) -> None:
    for folded in folds(word):
        assert fold_letters(folded) == folded


@given(st.text(alphabet=st.characters(categories=["L", "N", "M"]), max_size=10))
def test_composed_and_decomposed_fold_alike(word: str) -> None:
    assert folds(unicodedata.normalize("NFC", word)) == folds(unicodedata.normalize("NFD", word))
