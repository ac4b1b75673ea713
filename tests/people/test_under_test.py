"""What the benchmarks judge is demur's own path: places are read off right, and nothing is masked that it would not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from people.cases import Person, Post, blind
from people.forum import generate
from people.scoring import Rate
from people.targets import Figure, aim
from people.under_test import find, find_everywhere, laid_over, masked, original_places

MASK = "[person]"
ANN = Person("forum:u1", ("Ann Bakewell",), ("bake_well7",))


def _posts(*texts: str, author: str | None = "forum:u2") -> list[Post]:
    return [Post(f"forum:{at}", "forum:t", author, text, "en") for at, text in enumerate(texts)]


def test_names_and_handles_are_read_off_where_they_stand() -> None:
    posts = _posts("Hi, Ann Bakewell is here.", "as @bake_well7 said, and bake_well7 again", "nobody")
    found = {(each.item, posts[int(each.item[-1])].text[each.start : each.end]) for each in find([ANN], [], posts)}
    assert found == {("forum:0", "Ann Bakewell"), ("forum:1", "@bake_well7"), ("forum:1", "bake_well7")}


def test_handles_and_numbers_of_others_are_no_masks() -> None:
    assert find([ANN], [], _posts("@stranger, call +49 30 901820 or write to ben@example.org")) == []


def test_posts_of_objectors_are_judged_only_where_that_is_wanted() -> None:
    posts = _posts("Carl knows Ann Bakewell.", author="forum:u1")
    assert find([ANN], [], posts) == []
    assert [(each.start, each.end) for each in find_everywhere([ANN], [], posts)] == [(11, 23)]


def test_posts_without_an_author_are_read_as_a_strangers() -> None:
    assert len(find([ANN], [], _posts("Carl knows Ann Bakewell.", author=None))) == 1


def test_what_is_masked_is_what_is_found_and_handles_besides() -> None:
    forum = generate(seed=5, posts=400, people=30, spellings=1)
    masks, finds = set(), set()
    for part in find.governed(forum.people, forum.members, blind(forum.posts)):
        masks |= {(mask.item, at) for mask in part.masks() for at in range(mask.start, mask.end)}
        finds |= {(each.found.item, at) for each in part.sightings() for at in range(each.found.start, each.found.end)}
    texts = {post.item: post.text for post in forum.posts}
    assert finds
    assert finds <= masks
    beyond = masks - finds
    marked = {(post.item, at) for post in forum.posts for start, end, *_ in post.spans for at in range(start, end)}
    assert {where for where in beyond if texts[where[0]][where[1]].isalnum()} <= marked


@given(st.lists(st.sampled_from(["a ", "b. ", "Ann ", "x", "\U0001f642 "]), min_size=1, max_size=12), st.data())
def test_masks_laid_over_an_original_cover_its_letters(parts: list[str], data: st.DataObject) -> None:
    hidden = data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    text, marks = "", []
    for part, is_hidden in zip(parts, hidden, strict=True):
        if is_hidden:
            marks.append((len(text), len(text) + len(MASK)))
        text += MASK if is_hidden else part
    original = "".join(parts)
    places = laid_over(original, text, marks)
    assert len(places) == len(marks)
    rebuilt, at = "", 0
    for start, end in sorted(set(places)):
        assert at <= start < end
        rebuilt, at = rebuilt + original[at:start], end
    assert rebuilt + original[at:] == text.replace(MASK, "")


def test_a_text_that_is_none_of_the_original_is_refused() -> None:
    for text in ("c [person]", "[person] c", "a [person] d [person] b"):
        marks = [(at, at + len(MASK)) for at in range(len(text)) if text.startswith(MASK, at)]
        with pytest.raises(ValueError, match="none of this original"):
            laid_over("a b", text, marks)


def test_a_place_behind_a_mask_is_found_in_the_original() -> None:
    original, text = "@stranger met Ann", "[person] met Ann"
    start, end = original_places(original, text, (13, 16))
    assert original[start:end] == "Ann"
    assert masked(original, text, [{"start": 0, "end": 8, "role": "mention"}]) == []
    assert masked(original, text, []) == [(0, 9)]


def test_aims_are_told_with_what_became_of_them() -> None:
    assert str(Figure("recall", Rate(9, 10), 0.9)).endswith("aim >= 0.9: met")
    assert str(Figure("recall", Rate(8, 10), 0.9)).endswith("aim >= 0.9: MISSED")
    assert aim(Rate(2, 100), most=0.01).endswith("aim <= 0.01: MISSED")
    assert aim(Rate(0, 0), 0.9).endswith("met")
    assert aim(Rate(1, 2)) == ""
