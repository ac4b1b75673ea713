"""The words of a batch: those of each text by itself, in their places, whatever shares the batch."""

import pickle
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demur.words.batch import Words
from demur.words.folding import fold
from demur.words.keys import WordKeys
from demur.words.shapes import Shape

KEYS = WordKeys(bytes(range(32)))
COLUMNS = ("row", "start", "end", "key", "shape", "gap", "opens", "place", "last")
HARD = (
    *("a", "A", "b", "s", "ß", "'", " ", ".", "-", "_", "\n", ",", "!", "?", "…", "4", "½", "’", "é", "e\u0301"),
    *("王", "か", "か\u3099", "ｱﾞ", "명", "가", "\u1100", "\u1161", "\u11a8", "ก", "\u0e33", "\u0e31", "က", "\u1039"),
    *(
        "\u200b",
        "\u200d",
        "\u0301",
        "\ufe0f",
        "😀",
        "🏽",
        "👍🏽",
        "🅢",
        "𝐒",
        "Ｓ",
        "\u202e",
        "\u0600",
        "٣",
        "ʼ",
        "\u3164",
    ),
    *("с", "а", "е", "о", "М", "х", "ν", "ο", "\0", "\u00ad", "\u2028", "。", "\ufdfa", "ﬁ", "İ", "ı", "ẞ", "\u0345"),
    *("s t e v e", "s.t.e.v.e", "O'Brien", "Ѕtеvе", "Мах", "Anne-Marie", "ann.lee_9", "Δδ", "🇩🇪", "🧑‍🚒"),
)
LONG = st.tuples(st.sampled_from(HARD), st.sampled_from(HARD), st.integers(100, 300)).map(
    lambda parts: (parts[0] + parts[1]) * parts[2]
)
TEXT = st.one_of(LONG, st.lists(st.sampled_from(HARD), max_size=14).map("".join), st.text(max_size=20))


def rows(texts: Sequence[str | None]) -> list[tuple[object, ...]]:
    words = Words.of(pa.array(texts, pa.large_string()), KEYS)
    assert words.rows == len(texts)
    return list(zip(*(getattr(words, name).tolist() for name in COLUMNS), strict=True))


def one_by_one(texts: Sequence[str | None]) -> list[tuple[object, ...]]:
    """What folding each text alone says."""
    found: list[tuple[object, ...]] = []
    number = 0
    for row, text in enumerate(texts):
        pieces = fold(text or "")
        for piece, key in zip(pieces, KEYS.keys([piece.folded for piece in pieces]).tolist(), strict=True):
            flags = (piece.shape, piece.gap, piece.opens)
            found.append((row, piece.start, piece.end, key, *flags, piece.place + number, piece.last + number))
        number += sum(not piece.shape & Shape.ALSO for piece in pieces)
    return found


@pytest.mark.law
@given(st.lists(st.none() | TEXT, max_size=6))
@example(["s t e v e", "v"])
@example(["a", "'b"])
@example(["a." * 256, "a." * 256 + "b", "é’" * 103, "x " + "王-a" * 200 + ". Y"])
def test_a_batch_says_what_each_text_says_by_itself(texts: list[str | None]) -> None:
    assert rows(texts) == one_by_one(texts)


@given(st.lists(TEXT, min_size=1, max_size=6), st.data())
def test_a_slice_says_what_a_fresh_array_says(texts: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(texts)))
    whole = pa.array(texts, pa.large_string())
    sliced = Words.of(whole.slice(first), KEYS)
    assert sliced.key.tolist() == [row[3] for row in rows(texts[first:])]
    assert sliced.start.tolist() == [row[1] for row in rows(texts[first:])]


def test_a_null_with_bytes_below_it_has_no_words() -> None:
    below = pa.array(["Ann", "Bea"], pa.large_string())
    buffers = below.buffers()
    nulled = pa.LargeStringArray.from_buffers(2, buffers[1], buffers[2], pa.py_buffer(b"\x01"))
    assert Words.of(nulled, KEYS).row.tolist() == [0]


def test_no_text_has_no_words() -> None:
    assert len(Words.of(pa.array([], pa.large_string()), KEYS)) == 0
    assert rows(["", "  ", "😀", "\u200b"]) == []


def test_keys_cross_to_another_process_as_their_secret() -> None:
    Words.of(pa.array(["Ann was here"], pa.large_string()), KEYS)
    packed = pickle.dumps(KEYS)
    assert len(packed) < 200
    assert pickle.loads(packed) == KEYS
    assert repr(KEYS) == "WordKeys()"


def test_other_secrets_give_other_keys_that_no_account_has() -> None:
    other = WordKeys(bytes(32))
    assert KEYS.keys(["steve"]).tolist() != other.keys(["steve"]).tolist()
    from demur.identity import Pepper  # noqa: PLC0415

    assert KEYS.keys(["steve"])[0] != Pepper(KEYS.secret).subject_key("word:steve")
