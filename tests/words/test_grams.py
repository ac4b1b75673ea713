"""Grams: the same words give the same ones, sampled so that a copied run always shares one."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from demur.words.batch import Words
from demur.words.grams import NONE, SIZE, WINDOW, Grams, grams, sampled, whole
from demur.words.keys import WordKeys

KEYS = WordKeys(bytes(range(32)))
FEW_WORDS = st.lists(st.sampled_from(["ab", "cd", "ef", "O'Brien", "gh", "ij", "kl"]), max_size=30)
TEXTS = st.lists(FEW_WORDS.map(" ".join), max_size=5)


def words(texts: list[str], keys: WordKeys = KEYS) -> Words:
    return Words.of(pa.array(texts, pa.large_string()), keys)


def by_row(found: Grams, rows: int) -> list[list[int]]:
    return [found.gram[found.row == row].tolist() for row in range(rows)]


@given(TEXTS)
def test_grams_are_those_of_each_text_by_itself(texts: list[str]) -> None:
    together = by_row(grams(words(texts)), len(texts))
    assert together == [grams(words([text])).gram.tolist() for text in texts]
    assert by_row(sampled(grams(words(texts))), len(texts)) == [
        sampled(grams(words([text]))).gram.tolist() for text in texts
    ]
    assert whole(words(texts)).tolist() == [whole(words([text]))[0] for text in texts]


@given(TEXTS)
def test_a_gram_holds_so_many_plain_words(texts: list[str]) -> None:
    found = words(texts)
    numbers = found.place
    made = grams(found)
    assert (numbers[made.last] - numbers[made.first] == SIZE - 1).all()
    assert (found.row[made.first] == found.row[made.last]).all()
    counts = np.bincount(found.row[found.plain], minlength=len(texts))
    assert len(made) == int(np.maximum(counts - SIZE + 1, 0).sum())


@given(st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(0, 20))
def test_any_run_of_twelve_words_shares_a_sampled_gram(seed: int, before: int, behind: int) -> None:
    chance = np.random.default_rng(seed)

    def made_up(count: int) -> list[str]:
        return [f"w{number}" for number in chance.integers(0, 30, count).tolist()]

    run = made_up(SIZE + WINDOW - 1)
    one = " ".join([*made_up(before), *run, *made_up(behind)])
    other = " ".join([*made_up(behind), *run, *made_up(before)])
    first, second = by_row(sampled(grams(words([one, other]))), 2)
    assert set(first) & set(second)


def test_sampling_keeps_about_a_third() -> None:
    chance = np.random.default_rng(3)
    text = " ".join(f"w{number}" for number in chance.integers(0, 10**6, 20_000).tolist())
    made = grams(words([text]))
    assert 0.30 < len(sampled(made)) / len(made) < 0.37  # 2 / (window + 1) is a third


def test_a_short_text_gives_its_smallest_gram_and_a_shorter_one_none() -> None:
    nine = " ".join("abcdefghi")
    made = grams(words([nine]))
    assert len(made) == 2
    assert sampled(made).gram.tolist() == [made.gram.min()]
    assert len(sampled(grams(words(["so few words"])))) == 0


def test_whole_texts() -> None:
    keys = whole(words(["One two, three!", "one TWO three", "one three two", "one two", "", "😀"])).tolist()
    assert keys[0] == keys[1]
    assert len({*keys}) == 4
    assert keys[4:] == [NONE, NONE]
    assert min(keys[:4]) >= 0


def test_grams_are_keyed() -> None:
    text = ["one two three four five six seven eight nine"]
    mine, other = grams(words(text)), grams(words(text, WordKeys(bytes(32))))
    assert set(mine.gram.tolist()).isdisjoint(other.gram.tolist())
    assert whole(words(text)) != whole(words(text, WordKeys(bytes(32))))
