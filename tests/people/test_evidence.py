"""Who is called what: what texts say by how they are signed, and by whom they address."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naming import KEYS, key

from demur.kernel.evidence import EVIDENCE
from demur.people.context import pairs
from demur.people.evidence import called_in, evidence_of, signed_by
from demur.words.page import Writing

WORDS = [
    "steve",
    "jana",
    "ania",
    "aniu",
    "peter",
    "marek",
    "ilse",
    "zoltan",
    "mihai",
    "jelena",
    "nikos",
    "olha",
    "petra",
    "joao",
    "lena",
    "karel",
    "juha",
    "liis",
    "janis",
    "rasa",
    "maja",
    "luka",
    "thandor",
    "brennick",
    "wizzlebit",
    "anna",
    "ivan",
]


def said(text: str, *, answers: bool = True) -> tuple[set[str], set[str]]:
    """The words that a text is signed with, and those that it calls its parent's author."""
    one = np.array([1])
    writing = Writing(one, one, one, one if answers else np.array([-1]))
    known = {key(word): word for word in WORDS}
    signs, calls = evidence_of(pa.array([text], pa.large_string()), writing, KEYS)
    return {known.get(each, "?") for each in signs[1].tolist()}, {known.get(each, "?") for each in calls[1].tolist()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("that works.\n\n-- Steve", {"steve"}),
        ("Merci beaucoup.\nCordialement, Anna\u00a0!", {"anna"}),
        ("that works.\n-- steve", {"steve"}),
        ("It works — mostly.\n— Ilse", {"ilse"}),
        ("See you then.\n\nBest regards,\nSteve Brennick", {"steve", "brennick"}),
        ("fine by me. Cheers, Steve", {"steve"}),
        ("Das geht so.\nGruß, Jana", {"jana"}),
        ("Das geht so.\n\nViele Grüße\nJana\n", {"jana"}),
        ("tak zrób.\npozdrawiam\nAnia", {"ania"}),
        ("Mejor así.\nUn saludo, Petra", {"petra"}),
        ("Voilà.\nCordialement,\nPetra.", {"petra"}),
        ("Kész.\nÜdv, Zoltán", {"zoltan"}),
        ("Gata.\nCu stimă,\nMihai", {"mihai"}),
        ("Gotovo.\nLijep pozdrav, Jelena", {"jelena"}),
        ("Έτοιμο.\nΧαιρετισμούς,\nPetra", {"petra"}),
        ("Готово.\nЗ повагою,\nPetra", {"petra"}),
        ("Done so.\nMed vänliga hälsningar\nPetra", {"petra"}),
        ("Selvä.\nTerveisin Petra", {"petra"}),
        ("Works now.\n\nthanks\nPeter", {"peter"}),
        ("Works now.\nPeter", {"peter"}),
    ],
)
def test_signatures(text: str, words: set[str]) -> None:
    assert said(text)[0] == words


@pytest.mark.parametrize(
    "text",
    [
        "I like it. Best of all is that it works",
        "Thanks, Steve",  # whom it thanks
        "See below\n- ubuntu",
        "so we need\nServer",
        "all the best for everybody",
        "love the server",
        "-- sent from my phone",
        "Regards",
        "",
    ],
)
def test_what_is_no_signature(text: str) -> None:
    assert said(text)[0] == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hi Steve, how are you?", {"steve"}),
        ("hello Steve\nthat works", {"steve"}),
        ("Cześć Aniu, dzięki", {"aniu"}),
        ("Hallo Jana! Das geht.", {"jana"}),
        ("Bonjour Petra, merci", {"petra"}),
        ("Guten Morgen Petra, so geht es", {"petra"}),
        ("Привет, Petra! Да", {"petra"}),
        ("Marek: see this", {"marek"}),
        ("thandor: see this", {"thandor"}),
        ("Marek, see this", {"marek"}),
        ("Thanks Steve, that works", {"steve"}),
        ("That works. Thanks Steve!", {"steve"}),
        ("What do you think, Steve?", {"steve"}),
    ],
)
def test_calls(text: str, words: set[str]) -> None:
    assert said(text)[1] == words
    assert said(text, answers=False)[1] == set()


@pytest.mark.parametrize(
    "text",
    [
        "However, it works",
        "Note: it works",
        "Hi all, see this",
        "Thanks for that",
        "thandor, see this",
        "hello world",
        "[person]: thanks",
    ],
)
def test_what_calls_nobody(text: str) -> None:
    assert said(text)[1] == set()


Line = tuple[int, int, int, list[str], list[str]]
"""Item, author, parent, signs and calls of an item in thread 1."""


def rows(*lines: Line) -> pa.Table:
    """A thread's evidence."""
    columns = {
        "item": [line[0] for line in lines],
        "thread": [1] * len(lines),
        "author": [line[1] for line in lines],
        "parent": [line[2] for line in lines],
        "signs": [[key(word) for word in line[3]] for line in lines],
        "calls": [[key(word) for word in line[4]] for line in lines],
        "named": [[] for _ in lines],
    }
    return pa.table(columns, schema=EVIDENCE)


def learnt(here: pa.Table, signed: pa.Table | None = None) -> set[tuple[int, int]]:
    signed = EVIDENCE.empty_table() if signed is None else signed
    called = called_in(here)
    assert len(called.there) == len(called.word)
    both = [signed_by([here, signed.select(["author", "signs"])]), pairs(called.subject, called.word)]
    return {(int(one), int(other)) for one, other in np.concatenate(both)}


def test_what_somebody_signs_with_counts_anywhere() -> None:
    assert learnt(rows((1, 7, -1, ["steve"], []))) == {(7, key("steve"))}
    assert learnt(rows((1, 7, -1, [], [])), rows((9, 7, -1, ["steve"], []))) == {(7, key("steve"))}


def test_what_others_call_somebody_counts_from_two_of_them() -> None:
    first: Line = (1, 7, -1, [], [])
    one: Line = (2, 8, 1, [], ["steve"])
    other: Line = (3, 9, 1, [], ["steve"])
    assert learnt(rows(first, one)) == set()
    assert learnt(rows(first, one, (4, 8, 1, [], ["steve"]))) == set()
    assert learnt(rows(first, one, other)) == {(7, key("steve"))}
    assert learnt(rows(first, one, (3, 7, 1, [], ["steve"]))) == set()  # who calls themselves
    assert learnt(rows(one, other)) == set()  # who was answered is not known


@given(st.lists(st.text(max_size=60), max_size=6), st.data())
def test_a_row_says_the_same_whatever_stands_beside_it(texts: list[str], data: st.DataObject) -> None:
    parents = data.draw(st.lists(st.integers(-1, 3), min_size=len(texts), max_size=len(texts)))
    count = np.arange(len(texts))
    both = evidence_of(
        pa.array(texts, pa.large_string()), Writing(count, count, count, np.array(parents, np.int64)), KEYS
    )
    for row, text in enumerate(texts):
        alone = evidence_of(
            pa.array([text], pa.large_string()), Writing(*(np.array([n]) for n in (row, row, row, parents[row]))), KEYS
        )
        for told, own in zip(both, alone, strict=True):
            assert told[1][told[0] == row].tolist() == own[1].tolist()


def test_a_long_text_costs_what_a_short_one_does() -> None:
    def cost(text: str) -> float:
        texts = pa.array([text] * 50, pa.large_string())
        many = np.arange(50)
        began = time.process_time()
        evidence_of(texts, Writing(many, many, many, many), KEYS)
        return time.process_time() - began

    cost("warm")
    assert cost("-- " * 60_000 + "Steve") < 20 * cost("-- " * 600 + "Steve") + 0.5
