"""What nobody wrote as theirs is told from talk, line by line."""

import time

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from copying import Said, page_of
from hypothesis import given
from hypothesis import strategies as st

from demur.suppression import prose
from demur.suppression.prose import in_no_prose, is_no_prose

MACHINES = (
    "$ sudo apt install the-thing",
    "ann@garden:~/beds$ ls -l",
    ">>> import this",
    "Traceback (most recent call last):",
    '  File "beds.py", line 12, in <module>',
    "ValueError: too many turnips in the bed to count them",
    "    at garden.Bed.water(Bed.java:42)",
    "2024-05-01 12:00:01,123 INFO garden started in nine seconds without any trouble",
    "May  1 12:00:01 garden kernel: the pump is on",
    "[   12.345678] usb 1-1: new full-speed device found",
    "E: Unable to locate package turnips",
    "main.c:12:5: error: expected a semicolon before the closing brace",
    "#include <stdio.h>",
    "int main(void) {",
    "total = total + each.weight",
    "return bed.water(liters);",
    "}",
    "<div class='bed'>",
    "12 14 15 1.5 17 turnips 19",
    "if (a && b || !c) { d[e] = f->g; }",
    "    def water(self):",
)
TALK = (
    "I water them every evening, and at noon they get some shade.",
    "so, what do you think of it? :) ;) :-D",
    "note that they dry out",
    "import duties are far too high these days",
    "class was fun today, see you all at 10:30 tomorrow",
    "I have 3 beds with 40 turnips and 2 with rhubarb",
    "*really*, they (the bees, I mean) pay rent!",
    "thanks <3",
    'he said "no" (really)',
    "#garden #bees in the evening",
    "1. first you dig the bed",
    "- then you water it",
    "> as she said",
    "let me know; I am here",
    "an error in my head: I forgot the bees",
    "the bees and/or the beds",
    "Müßiggang ist aller Laster Anfang",
    "今日はとても暑いですね。",
)


@pytest.mark.parametrize("line", MACHINES)
def test_what_machines_print_or_read(line: str) -> None:
    assert is_no_prose(line)


@pytest.mark.parametrize("line", TALK)
def test_talk(line: str) -> None:
    assert not is_no_prose(line)


def prose_of(text: str) -> str:
    page = page_of([Said(text)])
    hidden = in_no_prose(page) | ~page.words.plain
    places = zip(page.words.start[~hidden].tolist(), page.words.end[~hidden].tolist(), strict=True)
    return " ".join(text[start:end] for start, end in places)


def test_lines_fences_and_addresses() -> None:
    assert prose_of("look\n```\nsome words here\n```\nhere") == "look here"
    assert prose_of("see https://forum.example/t/1?so=it and /usr/share/doc/beds now") == "see and now"
    assert prose_of("mine\n$ apt update\n\nalso mine") == "mine also mine"
    assert prose_of("```one line```\nmine") == "mine"


@pytest.mark.parametrize("unit", ["a", "a(", "x@y:", "\n$ a", "```\n", "http://a/", "/a", "word ", ":-", "*a"])
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        page = page_of([Said(unit * (size // len(unit)))])
        began = time.process_time()
        in_no_prose(page)
        return time.process_time() - began

    seconds(1000)
    assert seconds(1_000_000) < 100 * max(seconds(50_000), 0.004)  # 20 times as much


_UNITS = [*"ab8D1² \t\u0661\u00a0\x0b\x1c\n-/.:()[]=>'", "Error", "import ", "...", "www."]
"""What the pattern, and what is no prose, are told by."""


@given(st.lists(st.sampled_from(_UNITS), max_size=24).map("".join))
def test_the_pattern_that_turns_texts_away_lets_all_pass_that_are_no_prose(text: str) -> None:
    if prose._places(text):
        assert pc.match_substring_regex(pa.array([text]), prose._MAY_BE)[0].as_py()
