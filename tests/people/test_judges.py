"""The judges of the finder: what they claim of their own texts holds, and they score as they say."""

import unicodedata
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from people import disguise, traps
from people.cases import Forum, Found, Person, Post, Trap, Truth, blind
from people.exact import exact
from people.forum import generate
from people.hard import HardCase, failures, hard_cases
from people.naming import Character, key
from people.scoring import Rate, Score, judge, lines, score
from people.tables import INFLECTED, languages


@pytest.fixture(scope="module")
def forum() -> Forum:
    return generate(seed=1, posts=8000, people=250, spellings=5)


def everything(_people: Sequence[Person], _members: Sequence[Person], posts: Sequence[Post]) -> list[Found]:
    return [Found(post.item, 0, len(post.text), "forum:anybody") for post in posts]


def nothing(_people: Sequence[Person], _members: Sequence[Person], _posts: Sequence[Post]) -> list[Found]:
    return []


def _plain(text: str) -> str:
    """The letters of a text, as someone reads them who overlooks every disguise of characters."""
    shown = "".join(letter for letter in text if letter not in disguise.ZERO_WIDTHS and letter != " ")
    return disguise.stripped(unicodedata.normalize("NFKC", shown)).casefold()


def _parts(post: Post) -> list[str]:
    """What stands at a post's truths and traps."""
    places = [(truth.start, truth.end) for truth in post.truths] + [(trap.start, trap.end) for trap in post.traps]
    return [post.text[start:end] for start, end in places]


class TestForum:
    def test_same_arguments_give_the_same_forum(self) -> None:
        assert generate(7, 300, 20, 1) == generate(7, 300, 20, 1)

    def test_another_seed_gives_another(self) -> None:
        assert generate(7, 300, 20, 1).posts != generate(8, 300, 20, 1).posts

    def test_every_truth_and_trap_stands_where_it_says(self, forum: Forum) -> None:
        for post in forum.posts:
            assert list(post.truths) == sorted(post.truths, key=lambda truth: truth.start)
            for left, right in zip(post.truths, post.truths[1:], strict=False):
                assert left.end <= right.start
            for text in _parts(post):
                assert text == text.strip() != "", post.text

    def test_plain_names_are_cut_exactly_out_of_the_text(self, forum: Forum) -> None:
        objectors = {person.account: person for person in forum.people}
        seen = 0
        for post in forum.posts:
            for truth in post.truths:
                if truth.person in objectors and truth.form in {"full", "handle"}:
                    person = objectors[truth.person]
                    spelled = {"full": (person.names[0], *person.former), "handle": person.handles}[truth.form]
                    vocative = post.language in {"pl", "cs", "bg"} and truth.form == "full"
                    seen += post.text[truth.start : truth.end] in spelled
                    assert vocative or post.text[truth.start : truth.end] in spelled
        assert seen > 200

    def test_no_letter_of_a_name_stands_beside_its_truth(self, forum: Forum) -> None:
        for post in forum.posts:
            for truth in post.truths:
                assert not post.text[truth.start - 1 : truth.start].isalnum()
                assert not post.text[truth.end : truth.end + 1].isalnum()

    def test_markup_covers_the_sign_and_the_handle(self, forum: Forum) -> None:
        spans = [(post, span) for post in forum.posts for span in post.spans]
        assert spans
        for post, (start, end, role, account) in spans:
            assert post.text[start] == "@"
            assert role == "mention"
            assert any((truth.start, truth.end, truth.person) == (start + 1, end, account) for truth in post.truths)

    def test_every_language_occurs_with_truths(self, forum: Forum) -> None:
        assert {post.language for post in forum.posts if post.truths} == set(languages())
        assert set(languages()) > INFLECTED | {"en", "fr", "es"}

    def test_every_trap_occurs(self, forum: Forum) -> None:
        assert {trap.kind for post in forum.posts for trap in post.traps} == set(traps.KINDS)

    def test_every_shape_and_every_disguise_occurs(self, forum: Forum) -> None:
        words = {word for post in forum.posts for truth in post.truths for word in truth.form.split()}
        shapes = {"full", "reversed", "given", "surname", "initial", "nick", "signed", "former", "handle", "@handle"}
        assert words >= shapes | set(disguise.WAYS) | {"inflected", "alone", "word"}

    def test_names_alone_are_rare(self, forum: Forum) -> None:
        forms = [truth.form.split() for post in forum.posts for truth in post.truths]
        assert 0 < sum("alone" in form for form in forms) < len(forms) / 50

    def test_objectors_take_part_in_some_threads_and_not_in_others(self, forum: Forum) -> None:
        authors = {(post.thread, post.author) for post in forum.posts}
        named = {(post.thread, truth.person) for post in forum.posts for truth in post.truths}
        objecting = {one for one in named if one[1] in {person.account for person in forum.people}}
        assert objecting & authors
        assert objecting - authors

    def test_objectors_are_no_members_and_accounts_and_handles_are_ones_own(self, forum: Forum) -> None:
        everyone = (*forum.people, *forum.members)
        assert len({person.account for person in everyone}) == len(everyone)
        handles = [handle for person in everyone for handle in person.handles]
        assert len(handles) == len(set(handles))

    def test_nobody_bears_the_name_of_another_in_any_letters(self, forum: Forum) -> None:
        names = [key(name) for person in forum.people for name in (person.names[0], *person.former)]
        names += [key(person.names[0]) for person in forum.members if " " in person.names[0]]
        assert len(names) == len(set(names))
        assert key("Γιώργος Μακρής") == key("MAKRIS Giorgos")

    @pytest.mark.parametrize("spellings", [0, 1, 5])
    def test_people_declare_as_many_spellings_as_asked_for(self, spellings: int) -> None:
        counts = {len(person.names) for person in generate(3, 10, 100, spellings).people}
        assert max(counts) == spellings
        assert min(counts) == min(spellings, 4) or min(counts) > 2

    def test_bad_arguments_say_what_to_ask_for(self) -> None:
        with pytest.raises(ValueError, match="ask for 0, 1 or 5"):
            generate(1, 10, 3, 2)
        with pytest.raises(ValueError, match="ask for fewer people"):
            generate(1, 10, 100_000, 1)
        with pytest.raises(ValueError, match="at least 1"):
            generate(1, 10, 0, 1)

    @settings(max_examples=25)
    @given(st.integers(), st.integers(0, 60), st.integers(1, 12))
    def test_any_size_works(self, seed: int, posts: int, people: int) -> None:
        made = generate(seed, posts, people, 1)
        assert (len(made.posts), len(made.people)) == (posts, people)

    def test_a_finder_sees_no_truth(self, forum: Forum) -> None:
        for post, hidden in zip(forum.posts, blind(forum.posts), strict=True):
            assert (hidden.text, hidden.item, hidden.truths, hidden.traps) == (post.text, post.item, (), ())


class TestTables:
    def test_there_are_many_sentences_and_none_twice(self) -> None:
        sentences = [
            (words.language, text)
            for words in languages().values()
            for kind in words.sentences.values()
            for text in kind
        ]
        assert len(sentences) >= 450
        assert len(set(sentences)) == len(sentences)

    def test_every_slot_is_a_case_of_the_language(self) -> None:
        for words in languages().values():
            cases = set(words.given[0].forms)
            for kind in ("greet", "about", "sign"):
                for text in words.sentences[kind]:
                    slots = {part.split("}")[0] for part in text.split("{")[1:]}
                    assert len(slots) == 1, (words.language, text)
                    assert slots <= cases, (words.language, text)

    def test_traps_are_bound_to_names_of_their_language(self) -> None:
        for words in languages().values():
            names = {given.forms["nom"] for given in words.given}
            names |= {given.nick["nom"] for given in words.given if given.nick}
            names |= {forms["nom"] for surname in words.surnames for forms in surname.values()}
            assert set(words.traps) <= names, words.language
            assert {kind for kinds in words.traps.values() for kind in kinds} <= set(traps.SENTENCES)

    def test_no_trap_is_the_full_name_of_somebody_who_may_object(self) -> None:
        for words in languages().values():
            lures = [text for kinds in words.traps.values() for texts in kinds.values() for text in texts]
            parts = {text.split("{")[1].split("}")[0] for text in lures}
            for bearer, surname in product(words.given, words.surnames):
                who = Character(words, bearer, surname[bearer.sex], Person("", (), ("",)))
                assert not {who.spelled(shape, case) for shape in ("full", "reversed") for case in bearer.forms} & parts

    def test_forms_share_their_beginning_with_the_name(self) -> None:
        """A slip of the row shows as a form of some other name."""
        for words in languages().values():
            rows = [given.forms for given in words.given] + [given.nick for given in words.given if given.nick]
            rows += [forms for surname in words.surnames for forms in surname.values()]
            for forms in rows:
                first = disguise.stripped(forms["nom"])[: 2 if len(forms["nom"]) > 3 else 1]
                assert all(disguise.stripped(form).startswith(first) for form in forms.values()), forms


class TestDisguises:
    @pytest.mark.parametrize(
        "way", ["joined", "spaced", "zero-width", "fullwidth", "decomposed", "stripped", "capitals"]
    )
    def test_it_is_still_read_as_the_name(self, way: str) -> None:
        assert disguise.apply(way, "Zoe Müller", "de") != "Zoe Müller" or way == "fullwidth"
        assert _plain(disguise.apply(way, "Zoe Müller", "de")) == "zoemuller"

    def test_homoglyphs_go_both_ways(self) -> None:
        latin, cyrillic = disguise.homoglyphs("Cope"), disguise.homoglyphs("\u0421\u043e\u0440\u0435")
        assert latin == "\u0421\u043e\u0440\u0435"
        assert cyrillic == "Cope"

    @pytest.mark.parametrize(
        ("language", "name", "latin"),
        [
            ("ru", "Юлия Щербакова", "Yuliya Shcherbakova"),
            ("uk", "Григорій Шевченко", "Hryhorii Shevchenko"),
            ("bg", "Димитър Ангелов", "Dimitar Angelov"),
            ("el", "Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos"),
            ("pl", "Łukasz Kos", "Łukasz Kos"),
        ],
    )
    def test_transliteration(self, language: str, name: str, latin: str) -> None:
        assert disguise.transliterated(name, language) == latin


class TestExact:
    def test_every_way_occurs_often_enough_to_be_judged(self) -> None:
        made = exact(seed=1, posts=4000, people=200)
        forms = [truth.form for post in made.posts for truth in post.truths]
        assert {form.removeprefix("full ") for form in forms} >= set(disguise.WAYS) - {"umlaut"}
        assert min(forms.count(f"full {way}") for way in ("joined", "spaced", "homoglyph", "zero-width", "small")) > 80
        assert len(forms) >= 2000
        assert {truth.person for post in made.posts for truth in post.truths} == {one.account for one in made.people}
        assert {trap.kind for post in made.posts for trap in post.traps} == {"same given", "same surname"}

    def test_offsets(self) -> None:
        for post in exact(seed=2, posts=500, people=50).posts:
            for text in _parts(post):
                assert text == text.strip() != ""


class TestHardCases:
    def test_there_are_as_many_as_promised(self) -> None:
        cases = hard_cases()
        assert len(cases) >= 200
        assert len({case.language for case in cases}) >= 15
        assert {case.kind for case in cases} >= set(traps.KINDS)
        assert len({case.name for case in cases}) == len(cases)

    def test_each_says_something_of_its_own(self) -> None:
        said = [
            (case.forum.people, case.forum.members, tuple(post.text for post in case.forum.posts))
            for case in hard_cases()
        ]
        assert len(set(said)) == len(said)

    def test_some_mask_and_some_leave_alone_in_every_larger_language(self) -> None:
        for language in ("en", *INFLECTED):
            cases = [case for case in hard_cases() if case.language == language]
            assert {any(post.truths for post in case.forum.posts) for case in cases} == {True, False}

    def test_marks_are_gone_and_parts_exact(self) -> None:
        for case in hard_cases():
            for post in case.forum.posts:
                assert not set("⟦⟧") & set(post.text)
                for truth in post.truths:
                    assert post.text[truth.start : truth.end].strip() == post.text[truth.start : truth.end] != ""

    def test_a_finder_that_knows_fails_nowhere_and_others_do(self) -> None:
        def knowing(case: HardCase) -> list[str]:
            told = [Found(post.item, t.start, t.end, t.person) for post in case.forum.posts for t in post.truths]
            return failures(lambda _people, _members, _posts: told, case)

        masking = [case for case in hard_cases() if any(post.truths for post in case.forum.posts)]
        assert not [said for case in hard_cases() for said in knowing(case)]
        assert all(failures(nothing, case) for case in masking)
        assert all(failures(everything, case) for case in hard_cases())


TEXT = "Hi Rose, Rose Miller wrote it. A rose is a rose."
POST = Post(
    "x:1", "x:0", "x:other", TEXT, "en",
    truths=(Truth(3, 7, "x:rose", "given"), Truth(9, 20, "x:rose", "full")), traps=(Trap(33, 37, "word"),),
)  # fmt: skip


class TestScoring:
    def of(self, *spans: tuple[int, int], posts: Sequence[Post] = (POST,)) -> Score:
        return score({"x:rose"}, posts, [Found("x:1", start, end, "x:rose") for start, end in spans])

    def test_counts(self) -> None:
        made = self.of((3, 7), (33, 37))
        assert (made.recall, made.precision) == (Rate(1, 2), Rate(1, 2))
        assert made.by_form == {"full": Rate(0, 1), "given": Rate(1, 1)}
        assert made.by_language == {"en": Rate(1, 2)}
        assert made.traps == {"word": Rate(0, 1)}
        assert made.erased(1) == Rate(0, 1)

    def test_a_truth_is_found_only_when_every_letter_is_masked(self) -> None:
        assert self.of((9, 19)).recall == Rate(0, 2)
        assert self.of((9, 13), (14, 20)).recall == Rate(1, 2)  # the space between need not be

    def test_whoever_it_is_taken_for(self) -> None:
        made = score({"x:rose"}, [POST], [Found("x:1", 3, 7, "x:somebody"), Found("x:1", 9, 20, "x:somebody")])
        assert made.recall == Rate(2, 2)
        assert made.erased(2) == Rate(1, 1)
        assert made.erased(3) == Rate(0, 0)

    def test_people_who_did_not_object_are_false(self) -> None:
        made = score({"x:someone"}, [POST], [Found("x:1", 3, 7, "x:rose")])
        assert (made.recall, made.precision) == (Rate(0, 0), Rate(0, 1))

    def test_posts_of_objectors_count_nowhere(self) -> None:
        own = Post("x:1", "x:0", "x:rose", TEXT, "en", truths=POST.truths)
        assert self.of((3, 7), (33, 37), posts=[own]) == self.of(posts=[])

    def test_one_mask_over_all_is_precise_by_mask_and_not_by_word(self) -> None:
        made = self.of((0, len(TEXT)))
        assert (made.recall, made.precision, made.words) == (Rate(2, 2), Rate(1, 1), Rate(3, 11))

    def test_empty_and_repeated_masks_count_once_or_not(self) -> None:
        assert self.of((3, 7), (3, 7), (5, 5)).precision == Rate(1, 1)

    def test_masking_everything_has_all_recall_and_low_precision(self, forum: Forum) -> None:
        made = judge(everything, forum)
        assert made.recall.share == 1
        assert made.erased(5).share == 1
        assert made.precision.share < 0.7
        assert made.words.share < 0.2
        assert not any(rate.hits for rate in made.traps.values())

    def test_doing_nothing_has_no_recall(self, forum: Forum) -> None:
        made = judge(nothing, forum)
        assert (made.recall.share, made.precision) == (0, Rate(0, 0))
        assert made.erased(5).hits == 0
        assert all(rate.share == 1 for rate in made.traps.values())

    def test_knowing_everything_is_perfect(self, forum: Forum) -> None:
        accounts = {person.account for person in forum.people}
        told = [
            Found(post.item, truth.start, truth.end, truth.person)
            for post in forum.posts
            for truth in post.truths
            if truth.person in accounts
        ]
        made = judge(lambda _people, _members, _posts: told, forum)
        assert (made.recall.share, made.precision.share, made.words.share) == (1, 1, 1)
        assert made.erased(5).of > 50
        assert made.forms("inflected").of > 300

    def test_wilson(self) -> None:
        assert Rate(0, 0).interval == (0, 1)
        assert Rate(10, 10).interval == pytest.approx((0.7225, 1.0), abs=1e-4)
        assert Rate(95, 100).interval == pytest.approx((0.8882, 0.9785), abs=1e-4)

    def test_lines_say_counts(self) -> None:
        printed = "\n".join(lines(self.of((3, 7))))
        assert "recall     0.5000 (1 of 2; " in printed
        assert "left alone: word" in printed
