"""The output guard: names and copied words of withheld people are found in a text of a model, and no more leaves."""

import os
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import open_policy
from talking import OTHER, SAYING, talking

from demur.corpus.honour import honour
from demur.errors import UnavailableError
from demur.kernel.rules import Rules
from demur.policy import Others, write_policy
from demur.training.guard.following import By, Followed
from demur.training.guard.passing import HELD, Passing
from demur.training.guard.searching import search
from demur.workspace import Workspace

FILLER = "and then we walked along the river for a while"


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Rob has objected, and Cyd."""
    workspace = Workspace(tmp_path_factory.mktemp("guarded") / "w")
    talking(workspace, waiting=False)
    return workspace


@pytest.fixture
def own(forum: Workspace, tmp_path: Path) -> Workspace:
    """A copy."""
    copytree(forum.root, tmp_path / "own")
    return Workspace(tmp_path / "own")


@pytest.fixture(scope="module")
def rules(forum: Workspace) -> Rules:
    return Followed(forum).rules(head(forum))


def head(workspace: Workspace) -> By:
    with workspace.register() as register:
        point = register.point(register.log.head().binding)
    return point.seq, point.commitment.hex()


def passed(text: str, rules: Rules, prompt: str = "") -> tuple[str, int, bool]:
    """What leaves of a text that is drawn at once."""
    passing = Passing(prompt)
    told = passing.left(passing.taken(text, rules, ended=True))
    return told, passing.masked, passing.cut


def streamed(words: list[str], rules: Rules) -> tuple[list[str], Passing]:
    """What leaves, word by word."""
    passing, drawn, told = Passing(""), "", []
    for word in words:
        drawn += word
        if passing.is_due(drawn):
            told.append(passing.left(passing.taken(drawn, rules, ended=False)))
        if passing.cut:
            return told, passing
    told.append(passing.left(passing.taken(drawn, rules, ended=True)))
    return told, passing


# what is found


def test_names_are_masked_as_in_the_corpus_and_counted(rules: Rules) -> None:
    told = "Yesterday I met [person] at the market, and [person] as well."
    assert passed("Yesterday I met Cyd Steele at the market, and Robert Miller as well.", rules) == (told, 2, False)


def test_who_did_not_object_is_named(rules: Rules) -> None:
    text = "Yesterday I met Anna Sommer at the market."
    assert passed(text, rules) == (text, 0, False)


@pytest.mark.parametrize("name", ["Cyd", "Robert", "Miller"])
def test_a_single_name_hangs_on_a_thread_that_is_not_known(rules: Rules, name: str) -> None:
    text = f"Hi {name}, are you here, too?"
    assert passed(text, rules) == (text, 0, False)


def test_a_given_name_counts_beside_the_whole_one(rules: Rules) -> None:
    assert passed("Cyd Steele is here. Hi Cyd, how are you?", rules)[:2] == (
        "[person] is here. Hi [person], how are you?",
        2,
    )


def test_a_name_that_the_prompt_begins_is_finished_by_a_mask(rules: Rules) -> None:
    assert passed(" Steele, who sells plums.", rules, "I met Cyd")[:2] == ("[person], who sells plums.", 1)
    assert passed(" sells plums.", rules, "I met Cyd Steele, who") == (" sells plums.", 0, False)


def test_the_text_ends_before_a_copy(rules: Rules) -> None:
    told = passed(f"Somebody told me that {SAYING}, which is true of Cyd Steele.", rules)
    assert told == ("Somebody told me that", 0, True)


def test_a_copy_that_the_prompt_begins_is_cut(rules: Rules) -> None:
    begun, rest = SAYING[:40], SAYING[40:]
    assert passed(rest, rules, f"I say it again: {begun}") == ("", 0, True)


def test_a_copy_in_the_prompt_alone_is_whoever_asks_theirs(rules: Rules) -> None:
    answer = " I see. What else do you grow there?"
    assert passed(answer, rules, f"{SAYING}.") == (answer, 0, False)


def test_a_line_that_is_a_whole_post_is_a_copy(rules: Rules) -> None:
    """As the whole of an item it would be one; the answer goes on behind it."""
    line = OTHER.replace("night", "dusk")
    assert passed(f"{FILLER}.\nLet me add that {line}.\n{FILLER}.", rules)[2]


def test_an_account_that_names_its_place_is_masked(own: Workspace) -> None:
    with own.register() as register:
        register.objections.lodge(["mail:ida@mill.example"], channel="letter")
        register.objections.lodge(["mastodon:@ida@mill.example"], channel="letter")
    found = Followed(own).rules(head(own))
    told = passed("Write to ida@mill.example or @ida@mill.example, not to gus@mill.example.", found)
    assert told == ("Write to [person] or [person], not to gus@mill.example.", 2, False)


def test_nobody_is_looked_for_whom_the_policy_lets_stand(own: Workspace) -> None:
    write_policy(open_policy(others=Others(names="keep", copies="keep")), own.policy_path)
    text = f"Cyd Steele says that {SAYING}."
    assert passed(text, Followed(own).rules(head(own))) == (text, 0, False)


# what waits


def test_a_stream_holds_back_what_may_become_a_copy(rules: Rules) -> None:
    before = [f"{word} " for word in (FILLER + " ").split() * 14]
    told, passing = streamed(before + [f"{word} " for word in SAYING.split()] + before, rules)
    assert passing.cut
    assert "".join(told) == "".join(before).rstrip()
    assert sum(map(bool, told)) > 1


def test_a_stream_of_nobodys_words_is_whole(rules: Rules) -> None:
    words = [f"{word} " for word in FILLER.split() * 30]
    told, passing = streamed(words, rules)
    assert "".join(told) == "".join(words)
    assert (passing.masked, passing.cut) == (0, False)
    assert sum(map(bool, told)) > 3


pieces = st.lists(
    st.sampled_from(["Cyd", "Steele", "Robert", "Miller", "\n", "and", "the", "plums", *FILLER.split()]), max_size=300
)


@settings(max_examples=25, deadline=None)
@given(words=pieces)
def test_a_stream_never_tells_a_whole_name(rules: Rules, words: list[str]) -> None:
    told, passing = streamed([f"{word} " for word in words], rules)
    text = "".join(told)
    whole = search("", text, rules)
    assert not [
        place for place in whole.names if text[slice(*place)].split() in (["Cyd", "Steele"], ["Robert", "Miller"])
    ]
    assert text.count("[person]") == passing.masked


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_passes(rules: Rules, text: str) -> None:
    if not text.isprintable():
        text = text.encode("utf-8", "replace").decode()
    assert passed(text, rules)[2] is False


def test_words_that_wait_are_more_than_a_copy_needs() -> None:
    from demur.suppression import passages, shingles  # noqa: PLC0415  # beside what it is about

    assert passages._NEARBY + 2 * shingles.SIZE[shingles.GRAM] < HELD
    assert shingles.NEAR_WORDS[1] // shingles.WORD < HELD


# who is looked for


def test_who_objects_is_looked_for_at_once(own: Workspace) -> None:
    followed, text = Followed(own), "Yesterday I met Anna Sommer at the market."
    before = head(own)
    assert passed(text, followed.rules(before))[1] == 0
    with own.register() as register:
        register.objections.lodge(["forum:anna_s"], channel="letter")
    assert passed(text, followed.rules(head(own)))[1] == 1


def test_fingerprints_that_come_without_an_entry_are_looked_for(tmp_path: Path) -> None:
    """Those of whoever objects are taken when the corpus honours it."""
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=True)
    followed = Followed(workspace)
    assert not passed(SAYING, followed.rules(head(workspace)))[2]
    honour(workspace)
    assert passed(SAYING, followed.rules(head(workspace)))[2]


def test_what_is_known_is_read_once(own: Workspace) -> None:
    followed, by = Followed(own), head(own)
    assert followed.rules(by) is followed.rules(by)
    write_policy(open_policy(others=Others(names_from=60)), own.policy_path)
    assert followed.rules(by).policy.others.names_from == 60


@pytest.mark.parametrize("lost", ["register.db", "demur.toml", "evidence/fingerprints.lance/_versions"])
def test_nothing_is_searched_by_what_cannot_be_read(own: Workspace, lost: str) -> None:
    followed = Followed(own)
    followed.rules(head(own))
    by = (10**6, "00")  # a newer one
    path = own.root / lost
    os.rename(path, path.with_name("away"))  # noqa: PTH104
    with pytest.raises(UnavailableError, match="so nothing leaves"):
        followed.rules(by)
    os.rename(path.with_name("away"), path)  # noqa: PTH104
    assert followed.rules(by).objected
