"""The judges that read real data: they tell a finder that finds nothing from one that finds all, and hold no text."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

import identifier_labels
from _real import Line, wilson
from people import real
from people.cases import Finder, Found, Person, Post, Truth
from people.realdata import baselines, germeval, instagram, irc, wnut
from people.realdata.scoring import DataSet, run

ANN = Person("f:ann", ("Ann Onym",), ("annie",))


def posts() -> list[Post]:
    return [
        Post("1", "t", "f:x", "Ann Onym and Ben Trovato", "en", truths=(Truth(0, 8, "f:ann", "full"),)),
        Post("2", "t", None, "ask annie, not Annie", "en", truths=(Truth(4, 9, "f:ann", "handle"),)),
        Post("3", "t", None, "Ben was here", "en", truths=(Truth(0, 3, "f:ben", "given"),)),
    ]


def finding(*found: Found) -> Finder:
    return lambda _objectors, _members, _posts: list(found)


def found(item: str, start: int, end: int) -> Found:
    return Found(item, start, end, "f:ann")


def test_a_truth_is_found_only_when_all_its_letters_are_masked() -> None:
    data = DataSet("made up", [ANN], posts())
    score = run(finding(found("1", 0, 3), found("1", 4, 8), found("2", 4, 8)), data)
    assert score.recall == {"full": wilson(1, 1), "handle": wilson(0, 1)}


def test_a_mask_is_false_that_touches_no_truth_of_an_objector() -> None:
    data = DataSet("made up", [ANN], posts(), unjudged={"2": ((15, 20),)})
    score = run(finding(found("1", 13, 24), found("2", 15, 20), found("3", 0, 3), found("1", 5, 9)), data)
    assert [(mask.item, mask.start) for mask in score.false] == [("1", 13), ("3", 0)]
    assert [hit.form for hit in score.right] == ["full"]
    assert score.precision == wilson(1, 3)


def test_masks_that_overlap_are_one_and_those_that_meet_are_two() -> None:
    score = run(finding(found("1", 0, 5), found("1", 3, 8), found("1", 8, 9)), DataSet("made up", [ANN], posts()))
    assert [(mask.start, mask.end) for mask in score.masks] == [(0, 8), (8, 9)]


def test_false_masks_count_only_in_the_items_that_were_judged() -> None:
    data = DataSet("made up", [ANN], posts(), judged=frozenset({"3"}))
    score = run(finding(found("1", 13, 24), found("3", 0, 3)), data)
    assert [mask.item for mask in score.false] == ["3"]
    assert len(score.masks) == 2


def test_a_mask_wider_than_its_truth_spills() -> None:
    score = run(baselines.everything, DataSet("made up", [ANN], posts()[:1]))
    assert score.precision == wilson(1, 1)
    assert score.spill == wilson(13, 20)


def test_a_finder_sees_no_truths() -> None:
    def curious(_objectors: Sequence[Person], _members: Sequence[Person], seen: Sequence[Post]) -> list[Found]:
        assert not any(post.truths or post.traps for post in seen)
        return []

    run(curious, DataSet("made up", [ANN], posts()))


@pytest.mark.parametrize("part", [("9", 0, 1), ("3", 2, 2), ("3", 0, 99), ("3", -1, 2)])
def test_a_finder_that_masks_what_is_not_there_is_refused(part: tuple[str, int, int]) -> None:
    with pytest.raises(ValueError, match="no such part"):
        run(finding(found(*part)), DataSet("made up", [ANN], posts()))


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10).interval == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert wilson(0, 0).interval == (0.0, 1.0)
    assert wilson(0, 30).interval == pytest.approx((0.0, 0.113513), abs=1e-6)


def test_spelled_masks_whole_words_in_any_case() -> None:
    data = DataSet(
        "made up", [ANN, Person("f:pat", (), ("pat_",))], [Post("1", "t", None, "ANNIE pat_: pat annies", "en")]
    )
    assert [(mask.start, mask.end) for mask in run(baselines.spelled, data).masks] == [(0, 5), (6, 10)]


def lines(*said: tuple[str, str, str]) -> list[Line]:
    return [Line(f"{day}.train-x.raw.txt", number, nick, text) for number, (day, nick, text) in enumerate(said)]


def channel_forms(*said: tuple[str, str, str]) -> list[list[tuple[str, str]]]:
    data = irc.Channel(lines(*said)).data
    return [[(truth.form, post.text[truth.start : truth.end]) for truth in post.truths] for post in data.posts]


def test_a_line_opens_with_a_nick_of_somebody_around_and_a_mark() -> None:
    forms = channel_forms(
        ("2030-01-01", "Zed_", "hello"),
        ("2030-01-02", "quux", "zed_: hello"),
        ("2030-01-02", "quux", "Zed_, hello"),
        ("2030-01-02", "quux", "zed_ hello"),
        ("2030-01-02", "quux", "zed_:hello"),
        ("2030-01-02", "quux", "nobody: hello"),
        ("2030-01-04", "quux", "zed_: gone"),
    )
    assert forms == [[], [("opening", "zed_")], [("opening", "Zed_")], [], [], [], []]


def test_a_common_word_that_opens_a_line_needs_a_colon() -> None:
    usual = [(f"2030-01-{day:02}", f"nick{who}", "ah well then") for day in range(1, 25) for who in range(50)]
    forms = channel_forms(
        *usual, ("2030-01-09", "well", "hi"), ("2030-01-09", "quux", "well, no"), ("2030-01-09", "quux", "well: no")
    )
    assert forms[-2:] == [[], [("opening", "well")]]


def test_a_mask_over_a_common_word_is_told_from_one_over_a_person() -> None:
    usual = [(f"2030-01-{day:02}", f"nick{who}", "ah well then") for day in range(1, 25) for who in range(50)]
    channel = irc.Channel(lines(*usual, ("2030-01-09", "well", "hi"), ("2030-01-09", "quux", "well: so well Well")))
    data = channel.data
    score = run(baselines.spelled, data)
    over = [mask for mask in irc.on_common_words(score.masks, data, channel.common) if mask.item.endswith("#1201")]
    assert [mask.start for mask in over] == [9]


def test_the_labels_of_the_channel_are_300_lines_and_places_alone() -> None:
    marks = irc.marks()
    assert len(marks) == 300
    assert Counter(known[0].stratum for known in marks.values()) == {
        "rare": 130,
        "middle": 65,
        "common": 65,
        "none": 40,
    }
    for path in (irc.LABELS, instagram.LABELS, identifier_labels.LABELS):
        assert re.fullmatch(r"[a-z0-9A-Z_./,\n-]+", path.read_text(encoding="utf-8"))


def test_every_labelled_token_is_a_nick_of_somebody_around_or_unsure(shared: Path) -> None:
    assert shared.is_dir()
    channel = irc.whole()
    texts = {(line.file, line.number): line.text for line in channel.lines}
    for (file, number), known in irc.marks().items():
        for mark in known:
            token = texts[file, number][slice(*mark.place)]
            assert mark.label in {"none", "unsure"} or irc.fold(token) in channel.around[file]
            assert (mark.place == (0, 0)) == (mark.label == "none")


def test_the_channel_tells_nothing_from_everything(shared: Path) -> None:
    none, every = (list(real.judge_irc(finder, shared)) for finder in (baselines.nothing, baselines.everything))
    assert none[0].startswith("opening a line: recall 0.0000")
    assert every[0].startswith("opening a line: recall 1.0000")
    assert any(line.startswith("elsewhere: recall 0.0000") and "(0 of 220)" in line for line in none)
    assert any(line.startswith("elsewhere: recall 1.0000") and "(220 of 220)" in line for line in every)


def test_the_tweets_hold_as_many_handles_as_their_source_says(shared: Path) -> None:
    data = germeval.load(shared / "germeval2018")
    assert sum(len(post.truths) for post in data.posts) == 8_019
    assert len({post.text[truth.start : truth.end] for post in data.posts for truth in post.truths}) == 2_240
    assert run(baselines.nothing, data).recall["handle"].hits == 0


def test_the_exports_labels_are_read_in_utf_16(shared: Path) -> None:
    data = instagram.load_labelled(shared / "instagram")
    said = Counter(post.text[truth.start : truth.end] for post in data.posts for truth in post.truths)
    tasks = json.loads((shared / "instagram" / "labeled.json").read_text(encoding="utf-8"))
    values = [result["value"] for task in tasks for result in task["completions"][0]["result"]]
    assert said == Counter(value["text"] for value in values if value["labels"][0] in {"Username", "Name"})
    assert said.total() == 93


def test_the_export_names_people_in_what_they_wrote(shared: Path) -> None:
    data = instagram.load_written(shared / "instagram")
    recall = run(baselines.everything, data).recall
    assert {form: share.of for form, share in recall.items()} == {"name": 38, "username": 77}
    assert run(baselines.spelled, data).false == []


def test_persons_of_the_posts_are_whole_entities(shared: Path) -> None:
    several, every = wnut.load(shared / "wnut17", "several words"), wnut.load(shared / "wnut17", "all")
    assert {form: share.of for form, share in run(baselines.nothing, every).recall.items()} == {
        "several words": 402,
        "single word": 728,
    }
    score = run(baselines.spelled, several)
    assert score.recall["several words"].value == 1.0
    assert 0 < len(score.false) < 0.001 * wnut.tokens(several)


def test_labels_of_identifiers_lie_in_their_lines_and_are_halved_by_file(shared: Path) -> None:
    assert shared.is_dir()
    texts = {(line.file, line.number): line.text for line in irc.whole().lines}
    known = identifier_labels.labels()
    assert len({(label.file, label.line, label.start, label.end) for label in known}) == len(known)
    for label in known:
        assert 0 <= label.start < label.end <= len(texts[label.file, label.line])
        assert label.half == ("dev" if sha256(label.file.encode()).digest()[0] % 2 == 0 else "test")
        assert label.label in {"phone", "ip", "none", "nobody", "mac"}


def test_a_finder_or_data_set_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("nosuch:finder", "people.real", "people.real:nosuch", ""):
        with pytest.raises(SystemExit, match="name a finder"):
            real.finder_named(name)
    assert capsys.readouterr().out == ""


def test_labels_have_a_header_and_no_more_columns_than_it_says() -> None:
    for path in (irc.LABELS, instagram.LABELS, identifier_labels.LABELS):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        assert {len(row) for row in rows} == {len(rows[0])}
