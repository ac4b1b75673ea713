"""The index of names: built, kept in a file, joined, and asked."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naming import COMPILER, KEYS, Scene, compiled, index_of, key, page_of

from demur.errors import RegisterError
from demur.people.context import Context, no_pairs, pairs
from demur.people.find import find_people
from demur.people.index import PeopleIndex
from demur.words.columns import shortened

PEOPLE = {1: ["Steve Brennick", "@night_owl"], 2: ["Anna Kowalczyk"], 3: ["Sean O'Dwellan"], 4: ["@starfishy"]}
TEXTS = [
    "Steve Brennick met Anna Kowalczyk",
    "ask night_owl, or starfishy",
    "Sean O'Dwellan and S. Brennick",
    "nobody is named in this one",
]


def finds_of(index: PeopleIndex, texts: list[str] = TEXTS) -> list[tuple[int, ...]]:
    finds = find_people(page_of(texts), index, Context())
    return [tuple(map(int, each)) for each in zip(finds.row, finds.start, finds.end, finds.subject, strict=True)]


def test_a_saved_index_finds_the_same_and_crosses_as_its_path(tmp_path: Path) -> None:
    built = index_of(PEOPLE)
    built.save(tmp_path / "people")
    loaded = PeopleIndex.load(tmp_path / "people")
    assert finds_of(built) == finds_of(loaded) != []
    crossed = pickle.dumps(loaded)
    assert len(crossed) < 300  # a path, not the arrays
    assert finds_of(pickle.loads(crossed)) == finds_of(built)  # our own
    assert finds_of(pickle.loads(pickle.dumps(built))) == finds_of(built)


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda _: b"", lambda data: b"demur-people 9" + data[14:]])
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    path = tmp_path / "people"
    index_of(PEOPLE).save(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(RegisterError, match="made anew"):
        PeopleIndex.load(path)


def test_an_index_of_nobody_finds_nobody(tmp_path: Path) -> None:
    nobody = PeopleIndex.build([])
    nobody.save(tmp_path / "people")
    assert finds_of(PeopleIndex.load(tmp_path / "people")) == []
    assert not nobody.candidates(np.array([key("steve")])).any()
    assert [len(halved) for halved in nobody.asked(np.array([1]))] == [0, 0]


def test_joined_finds_what_one_index_of_all_finds() -> None:
    one, other = ({who: PEOPLE[who] for who in half} for half in ((1, 2), (3, 4)))
    assert finds_of(index_of(one).joined(index_of(other))) == finds_of(index_of(PEOPLE))
    assert index_of(one).joined(index_of(other)).subjects.tolist() == [1, 2, 3, 4]


def test_candidates_are_words_of_names_without_letters_and_particles() -> None:
    index = index_of({1: ["Ludwig van Brennick"]})
    words = ["ludwig", "brennick", "ludwigbrennick", "van", "l", "table"]
    keys = np.array([key(word) for word in words])
    assert index.candidates(keys).tolist() == [True, True, True, False, False, False]


@given(st.lists(st.integers(0, 2**63 - 1), max_size=50))
def test_the_gate_turns_away_every_word_of_no_name(keys: list[int]) -> None:
    index = index_of(PEOPLE)
    own = {key for table in index.tables for key in table.keys.tolist()}
    asked = [*keys, key("brennick")]
    assert index.candidates(np.array(asked)).tolist() == [each in own for each in asked]


def test_what_is_asked_for_tells_words_that_count_alone() -> None:
    asked = index_of(PEOPLE).asked(np.array([1]), pairs(np.array([1, 2]), np.array([key("stevo"), key("ania")])))

    def holds(words: np.ndarray, word: str) -> bool:
        return bool(np.isin(shortened(np.array([key(word)])), words)[0])

    assert all(holds(asked.alone, word) for word in ("brennick", "nightowl", "stevebrennick"))
    assert all(holds(asked.within, word) for word in ("steve", "stevo", "brennick"))  # a thread tells surnames, too
    assert not any(holds(asked.alone, word) for word in ("steve", "kowalczyk"))
    assert not any(holds(asked.within, word) for word in ("ania", "anna", "s"))


WORDS = st.sampled_from(
    ["Steve", "Brennick", "S.", "Anna", "night_owl", "hi", "Peter", "I", "said", "Mr", ",", ":", "\n"]
)


@given(
    st.lists(WORDS, max_size=10), st.sampled_from([[], [1, 2]]), st.sampled_from([[], [1, 2]]), st.sampled_from([1, 2])
)
def test_rows_that_change_because_of_a_person_hold_a_word_that_is_asked_for(
    words: list[str], taking_part: list[int], named: list[int], who: int
) -> None:
    text = " ".join(words)
    learnt = {1: ["stevo"], 2: ["ania"]}
    scene = Scene(PEOPLE, taking_part, learnt=learnt, named=named)
    index = index_of(PEOPLE)
    asked = index.asked(np.array([who]), scene.context.learnt)
    held = shortened(scene.page(text).words.key)
    found = who in scene.finds(text).subject
    within = bool(taking_part or named) or who in find_people(scene.page(text), index, Context(no_pairs())).subject
    assert not found or np.isin(held, asked.alone).any() or (within and np.isin(held, asked.within).any())


def test_equal_parts_are_kept_once() -> None:
    few = PeopleIndex.build((who, compiled("Steve Brennick")) for who in range(3))
    many = PeopleIndex.build((who, COMPILER.name("Steve Brennick")) for who in range(300))
    (one,), (other,) = few.tables, many.tables
    surnames = [np.count_nonzero(table.part == 4) for table in (one, other)]  # names.NameRole.SURNAME
    assert surnames[0] == surnames[1] == 1


def test_a_letter_is_no_word_of_a_name_whoever_else_is_in_the_index() -> None:
    letters = KEYS.keys(list("abcdefghijklmnopqrstuvwxyz"))
    names = [f"{given} {surname}" for given in ("Ann", "Bea", "Cyd", "Dag") for surname in ("Arn", "Bly", "Coe", "Dov")]
    for people in range(1, len(names) + 1):
        (table,) = index_of({number: [name] for number, name in enumerate(names[:people])}).tables
        assert (table.exact(letters) >= 0).any()
        assert (table.ranks(letters) == -1).all()
