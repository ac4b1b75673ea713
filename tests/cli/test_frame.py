"""The frame: how every run ends, what every command takes, and how errors read."""

import errno
import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from calling import PYTHON, Demur, Result

from demur.cli.app import COMMANDS, cli
from demur.cli.frame.failure import explain
from demur.cli.frame.output import _left, count, progress
from demur.errors import CheckFailed, SourceError


def leaves() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli, info_name="demur")

    def walk(path: str, command: click.Command | None) -> Iterator[tuple[str, click.Command]]:
        assert command is not None
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                yield from walk(f"{path} {name}", inner)
        else:
            yield path, command

    for name in COMMANDS:
        yield from walk(name, cli.get_command(context, name))


LEAVES = dict(leaves())


# What every command has


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_takes_a_workspace_and_json(name: str) -> None:
    options = {option for param in LEAVES[name].params for option in param.opts}
    assert {"-w", "--workspace", "--json"} <= options


@pytest.mark.parametrize("name", sorted({name.split(" ")[0] for name in LEAVES if " " in name}))
def test_every_group_takes_a_workspace(name: str) -> None:
    group = cli.get_command(click.Context(cli), name)
    assert group is not None
    assert {"-w", "--workspace"} <= {option for param in group.params for option in param.opts}


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_and_option_is_explained(name: str) -> None:
    command = LEAVES[name]
    assert command.help
    assert command.help.split("\n")[0].endswith(".")
    assert all(param.help for param in command.params if isinstance(param, click.Option))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_page_says_what_the_command_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help is not None
    if isinstance(command, click.Group):
        assert command.help == COMMANDS[name][1]
    else:
        assert COMMANDS[name][1].split(" ")[0] == command.help.split(" ")[0]


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    watch = (
        "import sys; from demur.cli import run; run(['--help']); "
        "print([name for name in ('pyarrow', 'lance', 'pydantic', 'sqlalchemy', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    fastest = min(_seconds([*PYTHON, "--help"]) for _ in range(5))
    bare = min(_seconds([sys.executable, "-c", "pass"]) for _ in range(5))
    assert fastest - bare < 0.3


def _seconds(command: list[str]) -> float:
    """Of the processor: on a busy machine the clock goes on while others run."""
    began = os.times()
    subprocess.run(command, capture_output=True, check=True)
    ended = os.times()
    return ended.children_user + ended.children_system - began.children_user - began.children_system


# Wrong use


def test_without_arguments_the_help_is_shown(demur: Demur) -> None:
    assert demur().code == 2
    assert demur("policy").out.startswith("Usage: demur policy")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["objekt"], "There is no command `demur objekt`: did you mean `object`?"),
        (["policy", "chek"], "There is no command `demur policy chek`: did you mean `check`?"),
        (["consent", "xyz"], "There is no command `demur consent xyz`: known here: `give`, `withdraw`."),
        (["find"], "Missing option '--account': see `demur find --help`."),
        (["init", "--basis", "hope", "x"], "Invalid value for '--basis': 'hope' is not one of"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(demur: Demur, arguments: list[str], sentence: str) -> None:
    result = demur(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith(sentence)
    assert result.err.count("\n") == 1


def test_without_a_workspace_the_way_out_is_told(demur: Demur, tmp_path: Path) -> None:
    result = demur("policy", "show", "-w", tmp_path)
    assert result == Result(
        2, "", f"No demur workspace in {tmp_path}: run `demur init {tmp_path}`, or pass another folder with -w.\n"
    )


# Where the workspace is


@pytest.mark.parametrize("arguments", [("policy", "show"), ("status",)], ids=" ".join)
def test_the_workspace_is_named_before_the_command_or_behind_it(
    demur: Demur, workspace: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    behind = demur(*arguments, "-w", workspace)
    assert behind.code == 0
    assert demur("-w", workspace, *arguments) == behind
    assert demur("--workspace", workspace, *arguments, "-w", workspace) == behind
    assert demur(arguments[0], "-w", workspace, *arguments[1:]) == behind
    monkeypatch.setenv("DEMUR_WORKSPACE", str(workspace / "elsewhere"))
    assert demur("-w", workspace, *arguments) == behind


@pytest.mark.parametrize(
    ("before", "behind"), [(("-w", "a"), ("-w", "b")), (("-w", "a", "-w", "b"), ()), ((), ("-w", "a", "-w", "b"))]
)
def test_two_workspaces_are_refused(demur: Demur, before: tuple[str, ...], behind: tuple[str, ...]) -> None:
    told = "-w is given twice, as a and as b: say which one: see `demur policy show --help`.\n"
    assert demur(*before, "policy", "show", *behind) == Result(2, "", told)


def test_one_workspace_in_two_words_is_one(demur: Demur, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.parent)
    assert demur("-w", workspace, "policy", "show", "-w", "ws").code == 0


# How errors read


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (SourceError("a.json is no JSON: export it again."), "a.json is no JSON: export it again.", 2),
        (CheckFailed("Row 3 is suppressed."), "Row 3 is suppressed.", 1),
        (KeyboardInterrupt(), "Stopped; nothing is half done: run the same command again.", 130),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "The disk is full: make room, then run the same command again; nothing is half done.",
            2,
        ),
        (
            RuntimeError("LanceError(IO): No space left on device (os error 28)"),
            "The disk is full: make room, then run the same command again; nothing is half done.",
            2,
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/demur.toml"),
            "/x/demur.toml: permission denied; change its permissions, or run as the user who owns the workspace.",
            2,
        ),
        (FileNotFoundError(errno.ENOENT, "No such file", "x.csv"), "x.csv does not exist: check the path.", 2),
        (
            OSError(errno.EIO, "Input/output error", "x.csv"),
            "x.csv: Input/output error; check it, then run the command again.",
            2,
        ),
        (MemoryError(), "There is not enough memory: close other programs, or use a larger machine.", 2),
        (
            KeyError("mail of ann@example.org"),
            "demur met an error it does not know (KeyError), a bug in demur: DEMUR_DEBUG=1 shows where.",
            2,
        ),
    ],
)
def test_an_error_is_one_sentence(error: BaseException, sentence: str, code: int) -> None:
    assert explain(error) == (sentence, code)


def _broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("demur.cli.policy.policy", click.Command("policy", callback=fail))


def test_a_traceback_is_shown_only_where_it_is_asked_for(demur: Demur, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, ZeroDivisionError("1/0"))
    quiet = demur("policy")
    assert quiet.code == 2
    assert quiet.err.count("\n") == 1
    monkeypatch.setenv("DEMUR_DEBUG", "1")
    assert "Traceback" in demur("policy").err


def test_a_stop_is_told(demur: Demur, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, KeyboardInterrupt())
    assert demur("policy") == Result(130, "", "Stopped; nothing is half done: run the same command again.\n")


def test_a_reader_that_goes_away_is_no_error(workspace: Path) -> None:
    command = [*PYTHON, "policy", "show", "-w", str(workspace)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


# Output


@pytest.mark.parametrize(("number", "words"), [(0, "0 rows"), (1, "1 row"), (1204, "1,204 rows")])
def test_counts_read_well(number: int, words: str) -> None:
    assert count(number, "row") == words


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with click.Context(click.Command("x")), progress("Working", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_progress_is_drawn_on_a_terminal() -> None:
    script = (
        "import click\nfrom demur.cli.frame.output import progress\n"
        "with click.Context(click.Command('x')), progress('Working', 3) as advance:\n    advance(3)\n"
    )
    theirs, ours = pty.openpty()
    subprocess.run([sys.executable, "-c", script], stderr=ours, check=True, env={**os.environ, "TERM": "xterm"})
    os.close(ours)
    with os.fdopen(theirs, "rb") as terminal:
        assert b"Working" in terminal.read1()


def test_percent_and_the_time_left_are_drawn_from_the_first_second() -> None:
    script = (
        "import click, time\nfrom demur.cli.frame.output import progress\n"
        "with click.Context(click.Command('x')), progress('Reading', share=lambda: 0.25):\n    time.sleep(0.9)\n"
    )
    theirs, ours = pty.openpty()
    subprocess.run([sys.executable, "-c", script], stderr=ours, check=True, env={**os.environ, "TERM": "xterm"})
    os.close(ours)
    with os.fdopen(theirs, "rb") as terminal:
        assert re.search(rb"25 %, 0:0[0-3] left", terminal.read1())


@pytest.mark.parametrize(
    ("share", "taken", "words"),
    [
        (0.0, 3.0, "0 %"),
        (0.25, 30.0, "25 %, 1:30 left"),
        (0.01, 100.0, "1 %, 2:45:00 left"),
        (1.0, 9.0, "100 %, finishing"),
    ],
)
def test_the_time_left_follows_from_what_was_done(share: float, taken: float, words: str) -> None:
    assert _left(share, taken) == words


def test_a_long_import_without_a_terminal_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demur.cli.frame.output._LINES_S", 0.05)
    with click.Context(click.Command("x")), progress("Reading", share=lambda: 0.5):
        time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 3
    assert lines[0].startswith("Reading: 50 %, 0:00 left")


def test_json_is_one_line(demur: Demur, workspace: Path) -> None:
    result = demur("policy", "show", "--json", "-w", workspace)
    assert result.code == 0
    assert result.out.count("\n") == 1
    assert json.loads(result.out)["policy"]["door"]["audiences"] == ["public"]


def test_shells_can_complete(demur: Demur, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DEMUR_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", "demur with")
    monkeypatch.setenv("COMP_CWORD", "1")
    result = demur()
    assert result.code == 0
    assert "withdraw" in result.out.split("\n")
