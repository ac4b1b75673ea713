"""Every reason names its rule, and an import that kept nothing learns which line to change."""

from datetime import date
from pathlib import Path

import pytest

from demur.errors import nearest, suggestion
from demur.policy import Door, Policy, door_lines, rule_of, write_policy
from demur.terms import Reason

POLICY = Policy(effective_date=date(2026, 12, 1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "demur.toml"
    write_policy(POLICY, path)
    return path


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_rule(reason: Reason) -> None:
    sentence = rule_of(reason, POLICY)
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_line_or_says_that_there_is_none(reason: Reason, path: Path) -> None:
    (line,) = door_lines({reason: 1204}, POLICY, path)
    assert "1,204 items" in line
    assert ";" in line
    if "of demur.toml" in line:
        number = int(line.split()[1])
        key = line.split("(", 1)[1].split(")", 1)[0]
        assert path.read_text("utf-8").split("\n")[number - 1].startswith(key.rpartition(".")[2])


def test_the_rule_is_told_with_the_value_it_has() -> None:
    older = Policy(effective_date=date(2026, 12, 1), door=Door(minimum_age=21))
    assert rule_of(Reason.MINOR, older) == "`door.minimum_age = 21`: authors who may be younger are left out."


def test_the_line_to_change_is_told(path: Path) -> None:
    assert door_lines({Reason.UNKNOWN_AGE: 1204}, POLICY, path) == [
        (
            'line 105 of demur.toml (door.unknown_age): unknown_age = "leave-out" left out 1,204 items '
            '(authors whose age nobody recorded are left out); write "use", '
            "or import the birth years with `demur members`."
        )
    ]


def test_the_most_frequent_reason_comes_first_and_empty_ones_are_not_told(path: Path) -> None:
    reasons = {Reason.DELETED: 2, Reason.NOT_TOLD: 5, Reason.REGION: 0, Reason.AUDIENCE: 1}
    first, second, third = door_lines(reasons, POLICY, path)
    assert "notice.required" in first
    assert "deleted" in second
    assert "1 item " in third


def test_a_key_that_the_file_lacks_is_told_where_it_belongs(path: Path) -> None:
    path.write_text("effective_date = 2026-12-01\n", "utf-8")
    (line,) = door_lines({Reason.AUDIENCE: 2}, POLICY, path)
    assert line.startswith('demur.toml (add audiences under [door]): audiences = ["public"]')


@pytest.mark.parametrize(
    ("word", "match"),
    [("perod_days", "period_days"), ("Period-Days", "period_days"), ("require", "required"), ("zzz", None)],
)
def test_the_nearest_name(word: str, match: str | None) -> None:
    assert nearest(word, ["required", "period_days", "languages"]) == match


def test_without_a_near_name_all_are_listed() -> None:
    assert suggestion("zzz", ["b", "a"]) == "known here: `a`, `b`."
    assert suggestion("zzz", []) == "nothing is known here."
