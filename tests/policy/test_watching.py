"""demur.toml while a process runs: an edit counts at once, and a broken one changes nothing and is told once."""

from pathlib import Path

import pytest
from making import open_policy

from demur.errors import PolicyError
from demur.policy import FILE_NAME, Controller, WatchedPolicy, write_policy


def _named(path: Path, name: str) -> None:
    write_policy(open_policy().model_copy(update={"controller": Controller(name=name)}), path)


def test_an_edit_counts_from_the_next_look_on(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    _named(path, "One")
    watched = WatchedPolicy(path)
    first = watched.now()
    assert first.controller.name == "One"
    assert watched.now() is first
    _named(path, "Two")
    assert watched.now().controller.name == "Two"


def test_the_last_good_policy_stays_and_each_broken_edit_is_told_once(tmp_path: Path) -> None:
    path, told = tmp_path / FILE_NAME, list[PolicyError]()
    _named(path, "One")
    watched = WatchedPolicy(path, told.append)
    for number, text in enumerate(("[controller", "[controller]\nnme = 1"), start=1):
        path.write_text(text)
        assert [watched.now().controller.name for _ in range(3)] == ["One"] * 3
        assert len(told) == number
    path.unlink()
    assert watched.now().controller.name == "One"
    _named(path, "Two")
    assert watched.now().controller.name == "Two"


def test_a_file_that_can_not_be_read_is_refused_at_first(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        WatchedPolicy(tmp_path / FILE_NAME)
