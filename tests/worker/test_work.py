"""The worker as a process: one at a time, from the queue to the mail, and to an orderly end."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from desk import write_posts
from mailing import campaign, mail_policy
from making import open_policy
from postbox import Manners, bad_server

from demur.cli import run
from demur.corpus.session import reading
from demur.errors import WorkspaceError
from demur.terms import NoticeStatus
from demur.worker.depot import Depot
from demur.worker.upkeep import Upkeep
from demur.workspace import Workspace, create

WAIT_S = 30


def started(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demur", "worker", "-w", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )


def test_there_is_one_worker_at_a_time(fast_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = create(fast_tmp / "w", mail_policy())
    with workspace.delivering():
        with pytest.raises(WorkspaceError), workspace.delivering():
            pass
        assert run(["worker", "--once", "-w", str(workspace.root)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with workspace.delivering():
        pass


def test_once_does_what_is_due_and_says_what_it_did(fast_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = create(fast_tmp / "w", mail_policy())
    campaign(workspace, 4)
    assert run(["worker", "--once", "--json", "-w", str(workspace.root)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["notices"] == {"sent": 4}
    events = [json.loads(line)["event"] for line in said.err.splitlines()]
    assert events[0] == "worker.started"
    assert "mail.example" not in said.err
    assert run(["worker", "--once", "-w", str(workspace.root)]) == 0
    assert "notices: nothing to do" in capsys.readouterr().out


def test_told_to_stop_it_finishes_what_is_in_flight(fast_tmp: Path) -> None:
    manners = Manners(slow_s=0.05)
    with bad_server(manners) as place:
        workspace = create(fast_tmp / "w", mail_policy(place))
        campaign(workspace, 200)
        process = started(workspace.root)
        until = time.monotonic() + WAIT_S
        while not manners.mails and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, said
    with workspace.register() as register:
        records = [record.status for _, record in register.notices.records("spring")]
    assert records.count(NoticeStatus.SENT) == len(manners.mails) < 200
    assert NoticeStatus.SENDING not in records
    assert json.loads(said.splitlines()[-1])["event"] == "worker.ended"


def test_a_letter_is_with_the_server_within_seconds_while_a_campaign_runs(fast_tmp: Path) -> None:
    manners = Manners(slow_s=0.1)
    with bad_server(manners) as place:
        workspace = create(fast_tmp / "w", mail_policy(place))
        campaign(workspace, 500)
        process = started(workspace.root)
        until = time.monotonic() + WAIT_S
        while not manners.mails and time.monotonic() < until:
            time.sleep(0.02)
        with workspace.register() as register:
            register.mails.post("copy-ready", "en", {"url": "https://x.example/"}, address="ann@mail.example")
        posted = time.monotonic()
        while "ann@mail.example" not in manners.mails and time.monotonic() < posted + WAIT_S:
            time.sleep(0.02)
        took = time.monotonic() - posted
        process.terminate()
        process.communicate(timeout=WAIT_S)
    assert took < 5


def honoured(workspace: Workspace) -> int:
    with reading(workspace) as session:
        return session.honoured


def test_the_corpus_follows_the_register_unless_somebody_else_writes(fast_tmp: Path) -> None:
    workspace = create(fast_tmp / "w", open_policy())
    posts = write_posts(fast_tmp / "posts.jsonl")
    assert run(["import", "table", str(posts), "-w", str(workspace.root)]) == 0
    with workspace.register() as register:
        seq = register.objections.lodge(["forum:ann"], channel="form").seq
        upkeep = Upkeep(Depot(workspace, register, threading.Event()))
        with workspace.writing("import"):
            upkeep.turn()
            assert honoured(workspace) < seq
        later = Upkeep(Depot(workspace, register, threading.Event()))
        later.turn()
        assert honoured(workspace) >= seq
        assert later.counts["deleted"] > 0
