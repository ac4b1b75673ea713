"""Claims from the command line: recorded by letter, listed, tested, answered; and what the worker does by itself."""

import io
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from atwork import at_work
from calling import Demur

from demur.register import ClaimPhase
from demur.worker.claims import Claims
from demur.worker.lanes import drain
from demur.workspace import find

WORDS = "Zebedee Quince lives at 7 Harbour Row."


def test_a_letter_is_recorded_tested_answered_and_listed(demur: Demur, workspace: Path) -> None:
    came = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"
    result = demur("claim", "record", "-w", workspace, "--output", WORDS, "--prompt", "Where?", "--received", came)
    assert "its answer is due by" in result.out
    assert "Zebedee" not in result.out
    (listed,) = demur("claims", "-w", workspace, "--json").json["claims"]
    assert (listed["state"], listed["received"], listed["channel"]) == ("lodged", came, "letter")
    reference = listed["reference"]
    assert WORDS in demur("claim", "read", reference, "-w", workspace).out
    assert "answer it once" in demur("claim", "answer", reference, "-w", workspace).err
    tested = demur("claim", "test", reference, "-w", workspace)
    assert "not found, which is no proof" in tested.out
    assert "no model was asked" in tested.out
    assert "is answered" in demur("claim", "answer", reference, "-w", workspace, "--note", "Nothing of it is here.").out
    assert "answered" in demur("claims", "-w", workspace).out


def test_the_words_may_come_from_the_standard_input(
    demur: Demur, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(WORDS.encode())))
    said = demur("claim", "record", "-w", workspace, "--output", "-", "--json").json
    assert WORDS in demur("claim", "read", said["reference"], "-w", workspace).out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--output", ""), "Say what the model said"),
        (("--output", "x", "--prompt", "y" * 10_001), "There is room for 10,000 characters"),
        (("--output", "x\x1b"), "There is a control character"),
        (("--output", "x", "--contact", "nobody"), "is no mail address"),
        (("--output", "x", "--run", "none"), "There is no run 'none'"),
        (("--output", "x", "--received", "2999-01-01"), "has not come yet"),
        ((), "--output"),
    ],
)
def test_bad_input_is_one_sentence(demur: Demur, workspace: Path, options: tuple[str, ...], sentence: str) -> None:
    result = demur("claim", "record", "-w", workspace, *options)
    assert result.code == 2
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert demur("claims", "-w", workspace).out.startswith("There are no claims")


def test_which_one_is_tested_is_said(demur: Demur, workspace: Path) -> None:
    assert "Which one?" in demur("claim", "test", "-w", workspace).err
    assert "No claim waits for a test." in demur("claim", "test", "--waiting", "-w", workspace).out
    assert "is no reference" in demur("claim", "test", "x", "-w", workspace).err


def test_the_worker_tests_what_waits_and_rests_where_it_can_not(demur: Demur, workspace: Path) -> None:
    demur("claim", "record", "-w", workspace, "--output", WORDS)
    place = find(workspace)
    with place.register() as register, at_work(place, register) as depot:
        lane = Claims(depot)
        working, lane.command = lane.command, (sys.executable, "-c", "import sys; sys.exit('Not today.')")
        drain(lane, threading.Event())
        while lane._under_way:
            lane.turn()
        assert lane.counts == {"tested": 0}
        assert lane.turn() > 0, "it rests"
        lane.command, lane._not_before = working, 0.0
        lane.turn()
        while lane._under_way:
            lane.turn()
        assert lane.counts == {"tested": 1}
        (state,) = register.claims.listed()
        assert state.phase is ClaimPhase.TESTED
        lane.close()
