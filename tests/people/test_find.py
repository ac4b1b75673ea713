"""Whom a text names: what speaks for it and against it, by the thread that the text stands in."""

import time
import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming import NOWHERE, Scene, index_of, key, masks, page_of, tiers_of

from demur.people.context import Context, pairs
from demur.people.explaining import explained
from demur.people.find import Search, adds, find_people
from demur.people.finding.full import COUNTS
from demur.people.finding.reasons import WORDS as PHRASES
from demur.people.finding.tiers import TIERS, WEIGHTS, Reason
from demur.people.finds import Tier
from demur.words.columns import word_lists
from demur.words.page import Page

PEOPLE = {
    1: ["Steve Brennick", "@night_owl"],
    2: ["Anna Kowalczyk"],
    3: ["Rose Hollinwell"],
    4: ["@owl"],
    5: ["@starfishy"],
    6: ["Jürgen Achternbusch"],
}
STRANGER = 50
HALF = max(settings().max_examples // 2, 1)
"""Examples where each of them looks for people ten times and more."""


def alone(text: str) -> str:
    """Where nothing is known of the thread."""
    return Scene(PEOPLE).masked(text)


def together(text: str, **known: object) -> str:
    """Where all of them take part, and somebody else."""
    return Scene(PEOPLE, takes_part=[*PEOPLE, STRANGER], **known).masked(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "I met [Steve Brennick] there",
        "I met [steve brennick] there",
        "[STEVE BRENNICK] IS HERE",
        "[Brennick, Steve] and others",
        "[Brennick Steve] is here",
        "[Steve K. Brennick] is here",
        "[Steve Karl Brennick] is here",
        "[S. Brennick] is here",
        "ask [stevebrennick] or [SteveBrennick]",
        "ask [s t e v e b r e n n i c k] there",
        "ask [Ѕtеvе Brennick] there",
        "with [Jürgen Achternbusch], [Juergen Achternbusch] and [Jurgen Achternbusch]",
        "[Steve\nBrennick] is here",
        "([Steve Brennick])",
        "[Steve Brennick]'s idea",
        "ask [night_owl], [nightowl], [night-owl] or [NightOwl]",
        "that was [starfishy], I think",
    ],
)
def test_named_whatever_is_known(text: str) -> None:
    assert alone(text.replace("[", "").replace("]", "")) == text


@pytest.mark.parametrize(
    "text",
    [
        "Hi Steve, how are you?",
        "Steve and Anna were there",
        "an owl is here",
        "a rose in the garden",
        "J. S. Brennick is another",
        "Peter S. Brennick is another",
        "Peter Brennick is another",
        "[person] Brennick is another",
        "Brennick Street is near",
        "in Brennick we saw it",
        "the Brennick Institute",
        "brennick in lower case",
        "anna is a palindrome",
        "will steve come?",
    ],
)
def test_not_meant_where_nothing_is_known(text: str) -> None:
    assert alone(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Hi [Steve], how are you?",
        "thanks [steve]",
        "I asked [Steve] yesterday",
        "What do you think, [Steve]?",
        "[Steve]'s idea was good",
        "[Brennick] knows that",
        "Mr [Brennick] knows that",
        "[Steve B]. knows that",
        "[Rose] knows that",
        "Thanks [Rose]!",
        "thanks, [rose]!",
        "[owl]: see this",
        "hi [owl], see this",
        "thanks [owl]!",
        "[Steve] and [Anna] were there",
        "as [Anna] said, and as [anna] said",
    ],
)
def test_meant_by_those_who_take_part(text: str) -> None:
    marked = text.replace("[", "").replace("]", "")
    assert together(marked) == text


@pytest.mark.parametrize(
    "text",
    [
        "Steve Jobs knows that. Ask Steve, the other one",
        "Steve Wunderley knows that",
        "Steve [person] knows that",
        "Steve K. knows that",
        "Peter Brennick knows that, said Brennick",
        "Anna Brennick knows that",
        "[person] Brennick knows that",
        "Brennick Street is near",
        "a rose in the garden",
        "an owl is here",
        "steve.conf is empty",
        "see /home/steve/x",
        "that works.\n-- Steve",
        "that works.\nCheers, Steve",
    ],
)
def test_not_meant_by_those_who_take_part(text: str) -> None:
    assert together(text) == text


@pytest.mark.parametrize("text", ["Hi Steve, how are you?", "I asked Steve", "thanks steve"])
def test_two_bearers_in_a_thread(text: str) -> None:
    for known in ({"bears": {STRANGER: ["steve"]}}, {"learnt": {STRANGER: ["steve"]}}):
        assert together(text, **known) == text
    assert "[" in together(text, bears={51: ["steve"]})  # who does not take part
    assert "[" in together(text, bears={1: ["steve"]})  # who is meant


def test_a_reply_says_which_of_two_bearers_is_called() -> None:
    answered = Scene(PEOPLE, [1, STRANGER], bears={STRANGER: ["steve"]}, answers=1)
    assert answered.masked("Hi Steve, how are you?") == "Hi [Steve], how are you?"
    other = Scene(PEOPLE, [1, STRANGER], bears={STRANGER: ["steve"]}, answers=STRANGER)
    assert other.masked("Hi Steve, how are you?") == "Hi Steve, how are you?"


def test_two_withheld_bearers_are_both_masked() -> None:
    two = {1: ["Steve Brennick"], 7: ["Steve Hallworthy"]}
    scene = Scene(two, [1, 7], bears={1: ["steve"], 7: ["steve"]})
    assert sorted(scene.finds("Hi Steve, how are you?").subject.tolist()) == [1, 7]


def test_nobody_is_named_by_the_author_of_a_text() -> None:
    assert Scene(PEOPLE, author=1).masked("I, Steve, am here") == "I, Steve, am here"


def test_named_in_full_in_the_thread_or_the_text() -> None:
    text = "I asked Steve and Brennick"
    assert alone(text) == text
    assert Scene(PEOPLE, named=[1]).masked(text) == "I asked [Steve] and [Brennick]"
    assert alone("Steve Brennick was there. I asked Steve") == "[Steve Brennick] was there. I asked [Steve]"


def test_learnt_names_count_where_somebody_is_addressed() -> None:
    scene = Scene(PEOPLE, [4], learnt={4: ["thandor"]})
    assert scene.masked("Hi Thandor, how are you?") == "Hi [Thandor], how are you?"
    assert scene.masked("We saw Thandor in a film") == "We saw Thandor in a film"
    assert scene.hangs("Hi Thandor, how are you?")
    assert Scene(PEOPLE, [5], learnt={4: ["thandor"]}).masked("Hi Thandor, how are you?") == "Hi Thandor, how are you?"


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("Steve Brennick", Tier.FULL_NAME),
        ("S. Brennick", Tier.INITIAL_SURNAME),
        ("ask Brennick", Tier.SURNAME_IN_CONTEXT),
        ("ask Steve now", Tier.GIVEN_IN_CONTEXT),
        ("Hi Steve, hello", Tier.VOCATIVE),
        ("ask starfishy", Tier.HANDLE),
    ],
)
def test_tiers(text: str, tier: Tier) -> None:
    scene = Scene(PEOPLE, [1, 5])
    assert tiers_of(scene.finds(text))[0] == tier
    whole = Search(scene.page(text), index_of(PEOPLE)).whole
    assert whole.subject[whole.score >= COUNTS].tolist() == [1] * (tier in {Tier.FULL_NAME, Tier.INITIAL_SURNAME})


@pytest.mark.parametrize(
    ("name", "language", "texts"),
    [
        (
            "Anna Kowalczyńska",
            "pl",
            ["z [Anną Kowalczyńską] i", "[Anny Kowalczyńskiej] nie ma", "pani Kowalczyńskiej nie ma"],
        ),
        ("Pavel Dvořáček", "cs", ["s [Pavlem Dvořáčkem] a", "u [Pavla Dvořáčka] doma"]),
        (
            "Ludwig van Brennick",
            "de",
            [
                "mit [Ludwig van Brennick] und",
                "[Ludwig v. Brennick] war da",
                "[Ludwigs] Idee von [Ludwig van Brennick]",
            ],
        ),
        (
            "Sean O'Dwellan",
            "en",
            [
                "with [Sean O'Dwellan] and",
                "with [Sean O’Dwellan] and",
                "with [Sean ODwellan] and",
                "with [seanodwellan] and",
            ],
        ),
        (
            "Anne-Marie Lefontaine",
            "fr",
            ["avec [Anne-Marie Lefontaine] et", "avec [Anne Marie Lefontaine] et", "avec [Annemarie Lefontaine] et"],
        ),
        (
            "María García Olmedilla",
            "es",
            ["con [María García Olmedilla] y", "con [María Olmedilla] y", "con [María García] y"],
        ),
    ],
)
def test_names_as_they_are_written(name: str, language: str, texts: list[str]) -> None:
    for text in texts:
        plain = text.replace("[", "").replace("]", "")
        assert Scene({1: [name]}, languages=[language]).masked(plain) == text


def test_a_name_does_not_cross_the_edge_of_a_quote() -> None:
    text = "Steve Brennick said"
    quotes = (np.array([0]), np.array([0]), np.array([5]))
    for where, count in ((NOWHERE, 1), (quotes, 0)):
        search = Search(page_of([text], quotes=where), index_of(PEOPLE))
        assert len(search.whole.row) == np.count_nonzero(search.found(Context()).tier == Tier.FULL_NAME) == count


def test_explanations_say_what_adds_up_to_the_score() -> None:
    scene = Scene(PEOPLE, [1, STRANGER], bears={STRANGER: ["steve"]})
    (found,) = explained(scene.page("Hi Steve, how are you?"), index_of(PEOPLE), scene.context)
    assert found.tier is Tier.VOCATIVE
    assert sum(int(reason.split()[-1]) for reason in found.reasons) == found.score
    assert any("bears" in reason for reason in found.reasons)


def test_every_reason_has_a_weight_and_words() -> None:
    assert set(WEIGHTS) == set(PHRASES) == set(Reason)
    assert set(TIERS) <= set(Reason)


PARTS = st.sampled_from(
    [
        "Steve",
        "Brennick",
        "steve",
        "brennick",
        "S.",
        "S",
        "Anna",
        "Kowalczyk",
        "Rose",
        "rose",
        "Hollinwell",
        "owl",
        "Owl",
        "night_owl",
        "nightowl",
        "starfishy",
        "Peter",
        "Karl",
        "hi",
        "Hi",
        "thanks",
        "Thanks",
        "Mr",
        "the",
        "in",
        "van",
        ",",
        ".",
        ":",
        "\n",
        "--",
        "[person]",
        "[quote]",
        "Street",
        "GmbH",
        "I",
        "said",
        "s",
        "t",
        "v",
        "e",
        "é́",
        "👩‍💻",
        "'",
        "stevebrennick",
    ]
)
TEXTS = st.lists(PARTS, max_size=12).map(" ".join) | st.lists(PARTS, max_size=8).map("".join) | st.text(max_size=30)
SUBJECTS = st.lists(st.sampled_from([*PEOPLE, STRANGER]), max_size=5)
CONTEXTS = st.builds(
    lambda part, called, learnt, named, answers: Scene(
        PEOPLE,
        [*part, *([answers] if answers > 0 else [])],
        {who: ["steve", "anna", "owl"] for who in called},
        {who: ["stevo", "karl", "peter"] for who in learnt},
        named,
        answers,
    ),
    SUBJECTS,
    SUBJECTS,
    SUBJECTS,
    SUBJECTS,
    st.sampled_from([-1, 1, STRANGER]),
)


def places(scene: Scene, text: str) -> list[tuple[int, ...]]:
    finds = scene.finds(text)
    columns = (finds.start, finds.end, finds.subject, finds.tier, finds.score)
    return [tuple(map(int, each)) for each in zip(*columns, strict=True)]


@given(TEXTS, CONTEXTS)
@settings(max_examples=150)
def test_rows_that_need_no_context_have_the_same_finds_under_every_one(text: str, scene: Scene) -> None:
    page, index = scene.page(text), index_of(PEOPLE)
    with_it, without = find_people(page, index, scene.context), find_people(page, index, Context())
    if not Search(page, index).hangs()[0]:
        assert [column.tolist() for column in vars(with_it).values()] == [
            each.tolist() for each in vars(without).values()
        ]
    full = [each.take(each.tier == Tier.FULL_NAME) for each in (with_it, without)]
    assert [column.tolist() for column in vars(full[0]).values()] == [each.tolist() for each in vars(full[1]).values()]


@given(TEXTS, CONTEXTS)
@settings(max_examples=150)
def test_rows_without_a_word_of_somebody_in_their_thread_get_no_find_by_it(text: str, scene: Scene) -> None:
    page, index = scene.page(text), index_of(PEOPLE)
    with_it, without = find_people(page, index, scene.context), find_people(page, index, Context())
    if not adds(scene.context, index, page.writing.thread, words_of(page))[0]:
        assert max(with_it.score, default=0) <= max(without.score, default=0)


def test_a_thread_adds_finds_by_words_of_who_writes_or_is_named_in_it() -> None:
    index = index_of(PEOPLE)
    one = next(iter(PEOPLE))
    for scene, text, expected in (
        (Scene(PEOPLE), "Hi Steve", False),
        (Scene(PEOPLE, [STRANGER]), "Hi Steve", False),
        (Scene(PEOPLE, [one]), "Hi Steve", True),
        (Scene(PEOPLE, [one]), "Hi Anna", False),
        (Scene(PEOPLE, [one]), "Steve's", True),
        (Scene(PEOPLE, [one], learnt={one: ["anna"]}), "Hi Anna", True),
        (Scene(PEOPLE, named=[one]), "Hi Steve", True),
        (Scene(PEOPLE, named=[one]), "", False),
    ):
        page = scene.page(text, text)
        threads = np.array([page.writing.thread[0], page.writing.thread[0] + 1])
        assert adds(scene.context, index, threads, words_of(page)).tolist() == [expected, False]


def words_of(page: Page) -> pa.ListArray:
    return word_lists(len(page.texts), (page.words.row, page.words.key))


@given(TEXTS, CONTEXTS)
def test_places_are_in_the_text_and_cut_no_grapheme(text: str, scene: Scene) -> None:
    for start, end, _, _, score in places(scene, text):
        assert 0 <= start < end <= len(text)
        assert 0 <= score <= 100  # per cent
        for at in (start, end):
            behind = text[at : at + 1]
            assert not behind or not (unicodedata.combining(behind) or behind == "\u200d")
            assert not text[:at].endswith("\u200d")


@given(TEXTS, CONTEXTS)
@settings(max_examples=HALF)
def test_finds_of_a_person_hang_on_nobody_else_in_the_index(text: str, scene: Scene) -> None:
    for who, names in PEOPLE.items():
        one = Scene({who: names}, scene.takes_part, {}, scene.learnt, scene.named, scene.answers)
        all_of_them = Scene(PEOPLE, scene.takes_part, {}, scene.learnt, scene.named, scene.answers)
        assert places(one, text) == [place for place in places(all_of_them, text) if place[2] == who]


@given(st.lists(TEXTS, max_size=5), CONTEXTS)
def test_rows_are_found_in_whatever_batch(texts: list[str], scene: Scene) -> None:
    together = scene.finds(*texts)
    for row, text in enumerate(texts):
        here = together.take(together.row == row)
        columns = (here.start, here.end, here.subject, here.tier, here.score)
        assert [tuple(map(int, each)) for each in zip(*columns, strict=True)] == places(scene, text)


@settings(max_examples=HALF)
@given(
    CONTEXTS, st.permutations(["Steve Brennick", "Anna Kowalczyk", "starfishy", "Rose", "Brennick", "Steve", "Anna"])
)
def test_the_order_in_which_people_are_withheld_does_not_show(scene: Scene, names: list[str]) -> None:
    """Where people's names don't touch: the same words are masked at once and one after the other."""
    text = ", then I asked ".join(["we", *names]) + " and left"
    groups = [[1], [2], [3, 4, 5, 6]]
    at_once = masked(Scene(PEOPLE, scene.takes_part, {}, {}, scene.named, scene.answers), text)
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        step = text
        for group in order:
            withheld = {who: PEOPLE[who] for who in groups[group]}
            step = masked(Scene(withheld, scene.takes_part, {}, {}, scene.named, scene.answers), step)
        assert step == at_once


HEADS = ("starfishy", "Starfishy", "Brennick", "Steve", "Steve Brennick", "Anna", "Anna Kowalczyk")
"""Who is spoken to at the beginning of a line, and who is spoken of; below, what stands between."""
ADDRESSED = st.builds(
    lambda head, mark, words, who, end: head + mark + words.format(who) + end,
    st.sampled_from(HEADS),
    st.sampled_from((": ", ", ", "! ", " - ", ":\n", " > ")),
    st.sampled_from(("see above", "{} said so", "thanks {}!", "ask {} about it", "Hi {}", "{}", "{}: yes", "{}, yes")),
    st.sampled_from(("Anna", "Steve", "Brennick", "starfishy")),
    st.sampled_from(("", "\nAnna: see above", "\nstarfishy, Steve said so", "\nBrennick: and Anna")),
)


@settings(max_examples=HALF)
@given(st.lists(ADDRESSED, min_size=1, max_size=40), st.permutations([1, 2, 5]), st.sampled_from([-1, 1]))
def test_a_mask_at_the_beginning_of_a_line_hides_nobody_from_the_next(
    texts: list[str], order: list[int], answers: int
) -> None:
    """As people write in a chat: whoever is masked first, the same words are masked in the end."""
    at_once = all_masked(Scene(PEOPLE, order, {}, {}, [], answers), texts)
    step = texts
    for who in order:
        step = all_masked(Scene({who: PEOPLE[who]}, order, {}, {}, [], answers), step)
    assert step == at_once
    assert all_masked(Scene(PEOPLE, order, {}, {}, [], answers), step) == step


def all_masked(scene: Scene, texts: list[str]) -> list[str]:
    """Several texts with the masks that the kernel writes."""
    finds = scene.finds(*texts)
    finds = finds.take(finds.score >= 50)
    found = list(texts)
    for row, text in enumerate(texts):
        here = finds.take(finds.row == row)
        for start, end in reversed(merged(list(zip(here.start.tolist(), here.end.tolist(), strict=True)))):
            found[row] = found[row][:start] + "[person]" + found[row][end:]
        assert found[row] == text or "[person]" in found[row]
    return found


def masked(scene: Scene, text: str) -> str:
    """With the masks that the kernel writes."""
    found = [(start, end) for start, end, _, _, score in places(scene, text) if score >= 50]  # names_from
    for start, end in reversed(merged(found)):
        text = text[:start] + "[person]" + text[end:]
    return text


def merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    whole: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if whole and start < whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    assert all(one[1] <= other[0] for one, other in pairwise(whole))
    return whole


@pytest.mark.parametrize(
    "unit",
    [
        "Steve Brennick ",
        "S. Brennick, Steve ",
        "Steve Anna Karl ",
        "s t e v e ",
        "hi owl, ",
        "Brennick ",
        "[person] Steve ",
        "owl: x\n",
    ],
)
def test_the_time_is_linear(unit: str) -> None:
    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        scene = Scene(PEOPLE, [1, 2, 4, STRANGER], bears={STRANGER: ["anna"]})
        page, index, context = scene.page(text), index_of(PEOPLE), scene.context
        began = time.process_time()
        find_people(page, index, context)
        return time.process_time() - began

    cost(10_000)
    few, many = cost(40_000), cost(400_000)
    assert many < 25 * few + 0.3


def test_masks_are_told_from_other_words() -> None:
    assert masks(["[person] a [quote]"])[1].tolist() == [0, 11]
    assert key("steve") != key("anna")
    assert len(pairs(np.array([1]), np.array([2]))) == 1


@pytest.mark.parametrize(
    "text",
    ["Brennick\nSteve", "so i.e. brennick", "Brennick S. Wunderley"],
)
def test_what_looks_like_two_parts_of_a_name(text: str) -> None:
    finds = Scene({1: ["Steve Brennick"]}).finds(text)
    assert not (finds.tier[finds.score >= 50] <= Tier.INITIAL_SURNAME).any()  # names_from


def test_what_stands_within_a_name_does_not_hang_on_others_names() -> None:
    for text in ("I met Mia van Hollinwell", "I met mia quickly hollinwell", "I met mia Xanthe hollinwell"):
        found = {
            Scene({1: ["Mia Hollinwell"], **others}).masked(text)
            for others in ({}, {2: ["Jan van den Berg"]}, {2: ["@quickly"]}, {2: ["Xanthe Quickly"]})
        }
        assert len({each.count("hollinwell]") for each in found}) == 1, found


def test_the_widest_place_of_a_person_counts_by_its_surest_reason() -> None:
    told = Scene({1: ["Xavier O'Neil"]}, takes_part=[1])
    assert told.masked("I asked o'neil again") == "I asked [o'neil] again"
    assert told.masked("I asked Lisa o'neil again") == "I asked Lisa [o'neil] again"
    assert told.masked("O'Neil I think") == "[O'Neil] I think"
