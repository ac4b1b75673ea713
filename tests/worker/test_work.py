"""The worker as a process: several share the queues, from the queue to the mail, and to an orderly end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from atwork import at_work
from desk import write_posts
from loads import found, objects
from mailing import Made, campaign, mail_policy
from making import open_policy
from places import create
from postbox import Manners, Postbox, bad_server, server

from demur.cli import run
from demur.corpus.session import reading
from demur.errors import WorkspaceError
from demur.register import Due
from demur.terms import NoticeStatus
from demur.worker.delivery import Delivery
from demur.worker.mail_kinds import MailNotices
from demur.worker.transport import GROUP
from demur.worker.upkeep import STALE, Upkeep
from demur.workspace import Workspace

WAIT_S = 30


def started(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demur", "worker", "-w", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )


def test_several_workers_share_the_queue_and_who_takes_a_dead_ones_place_has_its_hand(fast_tmp: Path) -> None:
    manners = Manners(slow_s=0.01)
    with bad_server(manners) as place:
        workspace = create(fast_tmp / "w", mail_policy(place))
        campaign(workspace, 450)
        processes = [started(workspace.root) for _ in range(3)]
        until = time.monotonic() + 3 * WAIT_S
        while len(manners.mails) < 60 and time.monotonic() < until:
            time.sleep(0.02)
        processes[0].kill()
        processes[0].communicate()
        processes[0] = started(workspace.root)
        while len(set(manners.mails)) < 450 and time.monotonic() < until:
            time.sleep(0.05)
        for process in processes:
            process.terminate()
        said = [process.communicate(timeout=WAIT_S)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert len(set(manners.mails)) == 450
    assert len(manners.mails) <= 450 + GROUP, "what the killed one had handed over and not recorded, and nothing else"
    with workspace.register() as register:
        assert {record.status for _, record in register.notices.records("spring")} == {NoticeStatus.SENT}
        assert register.workers.at_work() == []


def test_a_folder_has_a_place_for_each_worker_and_one_of_them_leads(fast_tmp: Path) -> None:
    workspace = create(fast_tmp / "w", mail_policy())
    assert not workspace.has_worker
    with workspace.delivering() as one, ExitStack() as others:
        one.say(7)
        other = others.enter_context(workspace.delivering())
        assert (one.before, one.leads(), other.leads(), one.leads()) == (None, True, False, True)
        for _ in range(62):
            others.enter_context(workspace.delivering())
        with pytest.raises(WorkspaceError, match="64 workers"), workspace.delivering():
            pass
    assert not workspace.has_worker
    with workspace.delivering():
        pass  # one that was killed before it had a number of its own
    with workspace.delivering() as after:
        assert after.before == 7
    copy = Workspace(Path(shutil.copytree(workspace.root, fast_tmp / "copy")))
    with workspace.delivering() as place:
        place.say(8)
        with copy.delivering() as elsewhere:
            assert elsewhere.before is None, "a further server's folder says nothing of a worker that is at work here"


def test_who_was_silent_for_too_long_lets_go_of_its_hand(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(box := Postbox()) as place:
        depot = made(mail_policy(place), 30)
        number, workers = depot.shift.number, depot.register.workers
        lane = Delivery(depot, kind := MailNotices(depot))
        recorded = kind.sent

        def ended(some: Sequence[Due]) -> None:
            recorded(some)
            workers.end(number)
            depot.shift._beat()

        monkeypatch.setattr(kind, "sent", ended)
        lane.turn()
        assert 0 < len(box.mails) <= GROUP
        assert depot.shift.number > number
        monkeypatch.undo()
        lane.turn()
        lane.close()
    assert len(box.mails) == len(box.to()) == 30


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


def test_stale_versions_are_counted_for_whoever_watches(fast_tmp: Path) -> None:
    workspace = found(fast_tmp / "w")
    with workspace.register() as register, at_work(workspace, register) as depot:
        Upkeep(depot).turn()
        assert register.state(STALE) == "0"
        objects(workspace, "forum:ann")
        Upkeep(depot).turn()
        assert register.state(STALE) == "1"


def honoured(workspace: Workspace) -> int:
    with reading(workspace) as session:
        return session.honoured


def test_the_corpus_follows_the_register_unless_somebody_else_writes(fast_tmp: Path) -> None:
    workspace = create(fast_tmp / "w", open_policy())
    posts = write_posts(fast_tmp / "posts.jsonl")
    assert run(["import", "table", str(posts), "-w", str(workspace.root)]) == 0
    with workspace.register() as register, ExitStack() as stack:
        seq = register.objections.lodge(["forum:ann"], channel="form").seq
        depot = stack.enter_context(at_work(workspace, register))
        with workspace.writing("import"):
            Upkeep(depot).turn()
            assert honoured(workspace) < seq
        later = Upkeep(depot)
        later.turn()
        assert honoured(workspace) >= seq
        assert later.counts["deleted"] > 0
