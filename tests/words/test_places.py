"""Where words are: offsets that lead back through every disguise, and never into a character as a reader sees it."""

import random
import time
import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.words import lexicon
from demur.words.batch import Words
from demur.words.classes import PREPENDED, VIRAMAS
from demur.words.folding import Piece, fold, fold_name, fold_word
from demur.words.keys import WordKeys
from demur.words.letters import folds
from demur.words.shapes import Shape

KEYS = WordKeys(bytes(range(32)))
NAMES = (
    "Steve",
    "Miller",
    "Jürgen",
    "Øystein",
    "Zoë",
    "Łukasz",
    "Brontë",
    "Kowalska",
    "Çağla",
    "ann",
    "Ødegård",
    "Þóra",
)
TWINS = dict(zip("aeopcxyijsABEKMHOPCTX", "аеорсхуіјѕАВЕКМНОРСТХ", strict=True))
WRITTEN = st.text(
    alphabet=st.one_of(
        st.characters(categories=["L", "M", "N", "P", "S", "Z", "Cf"]),
        st.sampled_from("aAsß .-_'’王か가\u1100\u1161\u11a8\u3099\u0301\u200b\u200d\ufe0f🏽👍\u0600\u0e33\u1039က😀"),
    ),
    max_size=30,
)


def plain(pieces: tuple[Piece, ...]) -> list[Piece]:
    return [piece for piece in pieces if not piece.further]


def jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff"


def cuts(text: str, at: int) -> bool:
    """Whether the place is within a character as a reader sees it (UAX #29, rules GB6 to GB9c)."""
    if not 0 < at < len(text):
        return False
    before, behind = text[at - 1], text[at]
    stays = behind in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f" or "\U0001f3fb" <= behind <= "\U0001f3ff"
    stacked = ord(before) in VIRAMAS and behind.isalpha()
    return stays or unicodedata.category(behind)[0] == "M" or ord(before) in PREPENDED or stacked


@given(WRITTEN)
def test_plain_words_are_disjoint_in_order_and_fold_to_themselves(text: str) -> None:
    end = 0
    for number, piece in enumerate(plain(fold(text))):
        assert end <= piece.start < piece.end <= len(text)
        assert piece.place == piece.last == number
        assert piece.folded == folds(text[piece.start : piece.end])[0]
        end = piece.end


@given(WRITTEN)
def test_further_words_hold_the_places_of_plain_ones(text: str) -> None:
    found = fold(text)
    words = plain(found)
    for piece in found:
        assert piece.start == words[piece.place].start
        assert piece.end == words[piece.last].end
        assert (piece.gap, piece.opens) == (words[piece.place].gap, words[piece.place].opens)


@given(WRITTEN)
def test_no_place_cuts_a_character(text: str) -> None:
    for piece in fold(text):
        assert not cuts(text, piece.start), ascii(text)
        assert not cuts(text, piece.end), ascii(text)


@given(WRITTEN, st.lists(st.sampled_from(["\u200b", "\u2060", "\u00ad", "\u202e"]), max_size=3), st.randoms())
def test_what_is_not_seen_changes_no_word(text: str, unseen: list[str], chance: random.Random) -> None:
    """Put between letters of one plain word, where it can't change what stands beside it."""
    words = [
        piece for piece in plain(fold(text)) if piece.end - piece.start > 1 and text[piece.start : piece.end].isascii()
    ]
    for sign in unseen if words else []:
        piece = chance.choice(words)
        at = chance.randrange(piece.start + 1, piece.end)
        disguised = text[:at] + sign + text[at:]
        assert [each.folded for each in fold(disguised)] == [each.folded for each in fold(text)]


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda name, _: name,
    "upper case": lambda name, _: name.upper(),
    "lower case": lambda name, _: name.lower(),
    "decomposed": lambda name, _: unicodedata.normalize("NFD", name),
    "without accents": lambda name, _: fold_word(name)[0].folded.title(),
    "more accents": lambda name, chance: "".join(each + chance.choice("\u0300\u0301\u0308\u0336") for each in name),
    "zero width": lambda name, chance: chance.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad").join(name),
    "turned about": lambda name, chance: chance.choice("\u202d\u2066\u200e") + name + chance.choice("\u202c\u2069"),
    "full width": lambda name, _: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
    "mathematical": lambda name, chance: "".join(
        mathematical(c, chance.choice((0x1D400, 0x1D4D0, 0x1D5D4))) for c in name
    ),
    "in circles": lambda name, _: "".join(chr(0x24D0 + ord(c) - ord("a")) if c in ASCII else c for c in name.lower()),
    "look-alike": lambda name, chance: "".join(TWINS[c] if c in TWINS and chance.random() < 0.7 else c for c in name),
    "between emoji": lambda name, chance: chance.choice("😀🎉❤") + name + chance.choice(("👍🏽", "\u2764\ufe0f")),
    "with a tone": lambda name, _: name + "\U0001f3fd",
}
ASCII = "abcdefghijklmnopqrstuvwxyz"
JOINED: dict[str, Callable[[str, str, random.Random], str]] = {
    "joined": lambda first, last, _: first + last,
    "capitals": lambda first, last, _: (first + last).upper(),
    "dotted": lambda first, last, _: f"{first}.{last}",
    "underscored": lambda first, last, _: f"{first}_{last}",
    "hyphened": lambda first, last, _: f"{first}\u2011{last}",
    "spaced": lambda first, last, chance: chance.choice(" .-*·|").join(first + last),
}


def mathematical(letter: str, capitals: int) -> str:
    if not (letter.isascii() and letter.isalpha()):
        return letter
    return chr(capitals + ord(letter) - ord("A") + (0 if letter.isupper() else 26 - 32))


@pytest.mark.parametrize("disguise", DISGUISES)
def test_names_are_found_through_every_disguise(disguise: str) -> None:
    chance = random.Random(disguise)
    missed = []
    for _ in range(1000):
        name = chance.choice(NAMES)
        before, behind = (
            chance.choice(("", "Hi ", "и ", "(", "😀", "\n")),
            chance.choice(("", ", hi", "!", " и", "\n", "😀")),
        )
        written = DISGUISES[disguise](name, chance)
        text = before + written + behind
        places = [(each.start, each.end) for each in fold(text) if each.folded == fold_name(name)]
        hidden = {at for start, end in places for at in range(start, end)}
        letters = range(len(before), len(before) + len(written))
        if not hidden >= {at for at in letters if text[at].isalnum()}:
            missed.append(text)
    assert not missed, ascii(missed[:3])


@pytest.mark.parametrize("form", JOINED)
def test_joined_and_spaced_names_are_found(form: str) -> None:
    chance = random.Random(form)
    found = 0
    for _ in range(1000):
        first, last = chance.choice(NAMES), chance.choice(NAMES)
        before, behind = chance.choice(("", "Hi ", "I ", "see: ")), chance.choice(("", ", hi", "!", " then"))
        text = before + JOINED[form](first, last, chance) + behind
        found += fold_name(first + last) in {each.folded for each in fold(text)}
    assert found >= 980


def test_words_of_spaced_letters_stay_apart_where_they_are_set_apart() -> None:
    found = {piece.folded for piece in fold("for S t e v e  M i l l e r, S.t.e.v.e  M.i.l.l.e.r")}
    assert {"steve", "miller"} <= found
    assert "stevemiller" not in found


def test_a_disguise_makes_nobody_of_another_word() -> None:
    others = ("steven", "stev", "millers", "mile", "jorgen", "zoe2", "annal", "lucas", "odegar")
    chance = random.Random(1)
    names = {fold_name(name) for name in NAMES}
    for disguise in DISGUISES.values():
        for _ in range(300):
            assert names.isdisjoint(each.folded for each in fold(disguise(chance.choice(others), chance)))


@pytest.mark.parametrize(
    ("text", "adjacent"),
    [
        ("Ann Lee", True),
        ("Ann  Lee", True),
        ("Ann\u00a0Lee", True),
        ("Ann\nLee", True),
        ("Ann-Lee", True),
        ("J. Lee", True),
        ("Dr. Lee", True),
        ("Ann, Lee", False),
        ("Ann. Lee", False),
        ("Ann - Lee", False),
        ("Ann (Lee)", False),
        ("Ann 😀 Lee", False),
        ("Ann--Lee", False),
        ("Ann \u200b Lee", True),
    ],
)
def test_what_sets_words_apart(text: str, *, adjacent: bool) -> None:
    assert [piece.gap for piece in plain(fold(text))] == [True, not adjacent]


def test_what_opens_a_sentence() -> None:
    text = "one two. three four! five\nsix 3.14 J. Lee? seven。八"
    opening = [piece.folded for piece in fold(text) if piece.opens and not piece.further]
    assert opening == ["one", "three", "five", "six", "seven", "八"]


def test_shapes() -> None:
    shapes = {piece.folded: piece.shape for piece in fold("Ann BEA c D 42 eE Ф 王")}
    assert shapes == {
        "ann": Shape.INITIAL_UPPER,
        "bea": Shape.INITIAL_UPPER | Shape.ALL_UPPER,
        "c": Shape.SINGLE,
        "42": Shape.DIGITS,
        "d": Shape.SINGLE | Shape.INITIAL_UPPER,
        "ee": 0,
        "ф": Shape.SINGLE | Shape.INITIAL_UPPER,
        "王": Shape.ALONE,
    }


def test_a_vocabulary_beyond_its_bounds_is_folded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "_MOST_ENTRIES", 50)
    monkeypatch.setattr(lexicon, "_MOST_LONG", 50)
    keys = WordKeys(bytes([7] * 32))
    store = lexicon.lexicon(keys)
    for first in range(0, 2000, 100):
        texts = [f"it's{number} long-long-long-long{number} {'x' * 20}{number}" for number in range(first, first + 100)]
        found = Words.of(pa.array(texts, pa.large_string()), keys)
        wanted = [piece.folded for text in texts for piece in fold(text)]
        assert found.key.tolist() == keys.keys(wanted).tolist()
        assert store.store.size <= 50 + 200


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a.",
        "a b ",
        "a b c, ",
        "é",
        "王",
        "王a",
        "a\u0301",
        "\u0301",
        "\u200b",
        "aа",
        "ab'",
        "'",
        ". ",
        "x1_",
        "s t e v e ",
    ],
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        texts = pa.array([unit * (size // len(unit))], pa.large_string())
        began = time.process_time()
        Words.of(texts, KEYS)
        return time.process_time() - began

    seconds(1000)
    small = seconds(100_000)
    assert min(seconds(400_000) for _ in range(3)) < 16 * max(small, 0.01)  # others' work makes one of them slow
