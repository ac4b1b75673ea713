"""demur init: asks on a terminal, takes flags otherwise, and makes the whole workspace or nothing."""

import errno
import os
import pty
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from calling import PYTHON, Demur

from demur.errors import RegisterError, WorkspaceError
from demur.policy import Policy, load_policy
from demur.terms import Audience, Kind
from demur.workspace import Workspace, create, find


def test_a_workspace_has_all_its_parts(workspace: Path) -> None:
    names = {entry.name for entry in workspace.iterdir()}
    assert names == {"demur.toml", "keys", "register.db", "register.mark", "versions", "outbox", ".lock"}
    assert stat.S_IMODE((workspace / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((workspace / "outbox").stat().st_mode) == 0o700
    assert {stat.S_IMODE(key.stat().st_mode) for key in (workspace / "keys").iterdir()} == {0o600}
    with find(workspace).register() as register:
        assert register.log.head().binding == 0


def test_without_flags_the_defaults_are_the_safe_ones(workspace: Path) -> None:
    later = datetime.now(UTC).date() + timedelta(days=30)  # the notice period of who is told today
    assert load_policy(workspace / "demur.toml") == Policy(effective_date=later)


@pytest.mark.parametrize(("flags", "days"), [(("--period-days", "45"), 45), (("--no-notice",), 0)])
def test_the_policy_takes_effect_when_the_notice_period_is_over(
    demur: Demur, tmp_path: Path, flags: tuple[str, ...], days: int
) -> None:
    assert demur("init", tmp_path / "ws", "--yes", *flags).code == 0
    later = datetime.now(UTC).date() + timedelta(days=days)
    assert load_policy(tmp_path / "ws" / "demur.toml").effective_date == later


def test_every_flag_reaches_its_key(demur: Demur, tmp_path: Path) -> None:
    flags = (
        *("--controller", "Example Forum", "--contact", "privacy@example.org", "--purpose", "A writing aid"),
        *("--basis", "consent", "--regions", "DE, FR", "--unknown-region", "use", "--kinds", "post,comment"),
        *("--audiences", "public,unlisted", "--since", "2020-01-31", "--minimum-age", "21"),
        *("--unknown-age", "use", "--no-notice", "--period-days", "45", "--effective-date", "2027-01-01"),
        *("--register", "sqlite:///people.db"),
    )
    result = demur("init", tmp_path / "ws", "--json", *flags)
    assert result.code == 0
    assert result.json["workspace"] == str(tmp_path / "ws")
    policy = load_policy(tmp_path / "ws" / "demur.toml")
    assert (policy.controller.name, policy.controller.contact) == ("Example Forum", "privacy@example.org")
    assert (policy.purpose.name, policy.basis.use) == ("A writing aid", "consent")
    assert (policy.regions, policy.effective_date) == (("DE", "FR"), date(2027, 1, 1))
    assert (policy.notice.required, policy.notice.period_days) == (False, 45)
    door = policy.door
    assert (door.kinds, door.audiences) == (
        (Kind.POST, Kind.COMMENT),
        (Audience.PUBLIC, Audience.UNLISTED),
    )
    assert (door.since, door.minimum_age) == (date(2020, 1, 31), 21)
    assert (door.unknown_region, door.unknown_age) == ("use", "use")
    assert (tmp_path / "ws" / "people.db").is_file()
    assert not (tmp_path / "ws" / "register.db").exists()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ["--regions", "DE,UK"],
            '`regions` has "UK", which is no ISO 3166-1 alpha-2 code: write "GB".\n',
        ),
        (["--minimum-age", "13"], "`door.minimum_age` is 13: minors are never used, write 18 or more.\n"),
        (["--audiences", "publik"], '`door.audiences` has "publik": did you mean "public"?\n'),
        (["--effective-date", "soon"], "`effective_date` is no day: write one like 2026-12-31.\n"),
    ],
)
def test_a_wrong_flag_is_told_and_nothing_is_written(
    demur: Demur, tmp_path: Path, flags: list[str], sentence: str
) -> None:
    result = demur("init", tmp_path / "ws", *flags)
    assert (result.code, result.out, result.err) == (2, "", sentence)
    assert not (tmp_path / "ws").exists()


def test_the_folder_is_the_workspace_option_where_none_is_given(demur: Demur, tmp_path: Path) -> None:
    assert demur("init", "-w", tmp_path / "ws").code == 0
    assert (tmp_path / "ws" / "demur.toml").is_file()


def test_the_current_folder_and_what_lies_in_it_are_kept(
    demur: Demur, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "export.zip").write_bytes(b"theirs")
    monkeypatch.chdir(tmp_path)
    result = demur("init")
    assert result.code == 0
    assert "-w" not in result.out
    assert (tmp_path / "export.zip").read_bytes() == b"theirs"
    assert demur("policy", "show").code == 0


def test_a_workspace_is_never_made_over_another(demur: Demur, workspace: Path) -> None:
    before = (workspace / "keys" / "pepper.key").read_bytes()
    result = demur("init", workspace)
    assert (result.code, result.err) == (
        2,
        f"{workspace} is a demur workspace already: choose another folder.\n",
    )
    assert (workspace / "keys" / "pepper.key").read_bytes() == before


def test_keys_that_stand_there_are_not_touched(demur: Demur, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "pepper.key").write_bytes(b"old")
    result = demur("init", tmp_path)
    assert (result.code, result.err) == (
        2,
        f"{tmp_path / 'keys'} exists already: move it away, or choose another folder.\n",
    )
    assert (tmp_path / "keys" / "pepper.key").read_bytes() == b"old"


def test_a_file_is_no_folder(demur: Demur, tmp_path: Path) -> None:
    (tmp_path / "ws").write_text("x")
    assert demur("init", tmp_path / "ws").err == f"{tmp_path / 'ws'} is a file: choose a folder for the workspace.\n"


def test_a_failed_creation_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    def unreachable(*_: object) -> None:
        raise RegisterError("The register is unreachable.")

    monkeypatch.setattr("demur.workspace.Register.begin", unreachable)
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(RegisterError):
            create(folder, Policy(effective_date=date(2026, 1, 1)))
    assert {entry.name for entry in tmp_path.iterdir()} <= {"mine.txt", ".lock"}


KILL_AT = """
import os, signal, sys
from datetime import date
from pathlib import Path
from demur.policy import Policy
from demur.workspace import create

def count(event, arguments):
    global calls
    if event in {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "sqlite3.connect"}:
        calls -= 1
        if calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)

policy = Policy(effective_date=date(2026, 1, 1))
for line in sys.stdin:
    calls, _, root = line.rstrip("\\n").partition(" ")
    calls = int(calls)
    child = os.fork()
    if child == 0:
        sys.addaudithook(count)
        create(Path(root), policy)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Loads demur once, and makes a workspace in a child for every line that names a call and a folder."""


@pytest.fixture(scope="module")
def create_killed() -> Iterator[Callable[[Path, int], int]]:
    """Makes a workspace in a process that ends at its n-th call; its exit status."""
    with subprocess.Popen(
        [PYTHON[0], "-c", KILL_AT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:

        def create(root: Path, call: int) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{call} {root}\n")
            return int(process.stdout.readline())

        yield create
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("call", [2, 4, 8, 12, 14, 16, 18, 20, 24, 32])
def test_after_a_kill_the_next_init_finishes(
    demur: Demur, create_killed: Callable[[Path, int], int], fast_tmp: Path, call: int
) -> None:
    root = fast_tmp / "ws"
    assert create_killed(root, call) == -9
    if not (root / "demur.toml").exists():
        assert demur("init", root).code == 0
    with find(root).register() as register:
        assert register.log.head().seq == 1  # the log is opened
    assert not (root / ".init").exists() or not any((root / ".init").iterdir())


def _on_a_terminal(folder: Path, answers: str) -> tuple[int, str]:
    theirs, ours = pty.openpty()
    os.write(theirs, answers.encode())
    done = subprocess.run([*PYTHON, "init", str(folder)], stdin=ours, capture_output=True, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    return done.returncode, done.stderr


def test_on_a_terminal_it_asks_for_what_decides(tmp_path: Path) -> None:
    answers = "Example Forum\nprivacy@example.org\n\nDE,FR\nuse\nuse\nn\n"
    code, asked = _on_a_terminal(tmp_path / "ws", answers)
    assert code == 0, asked
    policy = load_policy(tmp_path / "ws" / "demur.toml")
    assert policy.controller.name == "Example Forum"
    assert (policy.basis.use, policy.regions) == ("legitimate-interests", ("DE", "FR"))
    assert (policy.door.unknown_region, policy.door.unknown_age, policy.notice.required) == ("use", "use", False)


def test_on_a_terminal_a_needless_question_is_not_asked(tmp_path: Path) -> None:
    code, asked = _on_a_terminal(tmp_path / "ws", "Example Forum\nprivacy@example.org\n\n\n\n\n")
    assert code == 0, asked
    assert "unknown region" not in asked
    policy = load_policy(tmp_path / "ws" / "demur.toml")
    assert (policy.regions, policy.door.unknown_age, policy.notice.required) == ("any", "leave-out", True)


def test_a_question_that_is_broken_off_makes_nothing(tmp_path: Path) -> None:
    code, asked = _on_a_terminal(tmp_path / "ws", "Example Forum\n\x04")
    assert code == 130
    assert asked.endswith("Stopped; nothing is half done: run the same command again.\n")
    assert not (tmp_path / "ws").exists()


def test_a_folder_may_have_any_name(demur: Demur, fast_tmp: Path) -> None:
    folder = fast_tmp / "we?ird %20 #é"
    assert demur("init", folder, "--yes").code == 0
    assert (folder / "register.db").is_file()
    assert demur("object", "--account", "forum:ann", "-w", folder).code == 0
    assert [entry.name for entry in fast_tmp.iterdir()] == [folder.name]


def test_a_full_disk_leaves_nothing(demur: Demur, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    result = demur("init", tmp_path / "ws")
    assert (result.code, result.out) == (2, "")
    assert result.err == "The disk is full: make room, then run the same command again; nothing is half done.\n"
    assert not (tmp_path / "ws").exists()


# The write lock


HOLD = """
import sys, time
from pathlib import Path
from demur.workspace import find
with find(Path(sys.argv[1])).writing("import"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_one_process_writes_at_a_time_and_a_kill_frees_the_lock(workspace: Path) -> None:
    here = find(workspace)
    with subprocess.Popen([PYTHON[0], "-c", HOLD, str(workspace)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(WorkspaceError) as raised, here.writing("honour"):
            pass
        other.kill()
    assert str(raised.value) == (
        f"Another demur (pid {other.pid}, `demur import`) is writing to {workspace}: "
        "wait for it to finish, then run this again."
    )
    with here.writing("honour"):
        pass


def test_a_lock_without_a_name_is_told_too(workspace: Path) -> None:
    here = find(workspace)
    with here.writing("import"):
        (workspace / ".lock").write_bytes(b"")
        with pytest.raises(WorkspaceError, match=r"^Another demur is writing to "), here.writing("honour"):
            pass


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("", "sqlite:///{root}/register.db"),
        ("sqlite:///register.db", "sqlite:///{root}/register.db"),
        ("sqlite:////var/lib/demur.db", "sqlite:////var/lib/demur.db"),
        ("postgresql://user@localhost/demur", "postgresql://user@localhost/demur"),
    ],
)
def test_a_relative_register_lies_in_the_workspace(workspace: Path, url: str, place: str) -> None:
    text = (workspace / "demur.toml").read_text("utf-8")
    (workspace / "demur.toml").write_text(text.replace('database".\nurl = ""', f'database".\nurl = "{url}"'), "utf-8")
    assert Workspace(workspace).register_url == place.format(root=workspace)
