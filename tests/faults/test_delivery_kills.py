"""A kill -9 of the worker at any moment: everybody gets their notice, and none is sent twice but what was in flight.

What the mail server took and the register did not record when the worker died was in flight: at most GROUP mails for
each kill. Only these may come a second time; in the outbox nothing does. A sample in `make test`; in `make soak` as
many as ``DEMUR_KILLS`` says (100 unless given).
"""

import os
import random
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Final

import pytest
from killed import Kill, run
from mailing import campaign, mail_policy
from postbox import Postbox, server

from demur.terms import Channel, NoticeStatus
from demur.worker.mails import Post
from demur.worker.transport import GROUP
from demur.workspace import Workspace, create

KILLED: Final = -9
SAMPLED: Final = 5
SOAKED: Final = int(os.environ.get("DEMUR_KILLS", "100"))
PEOPLE_PER_KILL: Final = 30
QUIET_S: Final = 0.05


def moment(chance: random.Random, number: int, handing_over: str) -> Kill:
    """Two of five by the clock; else around handing over, or between it and the record."""
    if number % 5 in {1, 3}:
        return Kill(seconds=chance.uniform(0.02, 0.4))
    step = (handing_over, "record", "record" if number % 10 else "claim")[number % 3]
    most = {"claim": 1, "record": 3}.get(step, 3 * GROUP)
    return Kill(step, chance.randint(1, most), after=chance.random() < 0.5)


def settled(box: Postbox) -> Counter[str]:
    """What the server took, once nothing of a dead worker's is on its way any more."""
    while True:
        before = len(box.mails)
        time.sleep(QUIET_S)
        if len(box.mails) == before:
            return box.to()


def recorded(workspace: Workspace) -> set[int]:
    with workspace.register() as register:
        records = register.notices.records("spring")
        return {subject for subject, record in records if record.status is NoticeStatus.SENT}


def addresses(workspace: Workspace) -> dict[str, int]:
    """Everybody's Message-ID, and their subject key."""
    post = Post(workspace.policy(), workspace.keys())
    with workspace.register() as register:
        subjects = [subject for subject, _ in register.notices.records("spring")]
    return {post.notice_id("spring", subject, Channel.MAIL): subject for subject in subjects}


def taken(box: Postbox, subjects: dict[str, int]) -> Counter[int]:
    """How many mails each person has."""
    settled(box)
    ids = (str(message_from_bytes(content)["Message-ID"]).strip("<>") for _, content in box.mails)
    return Counter(subjects[each] for each in ids)


def kill_by_mail(root: Path, kills: int) -> None:
    people = PEOPLE_PER_KILL * kills
    chance = random.Random(kills)
    box = Postbox()
    with server(box) as place:
        workspace = create(root, mail_policy(place))
        campaign(workspace, people)
        subjects = addresses(workspace)
        in_flight: Counter[int] = Counter()
        died = 0
        for number in range(kills):
            kill = moment(chance, number, "smtp")
            before = taken(box, subjects)
            died += run(root, kill) == KILLED
            done, had = recorded(workspace), taken(box, subjects)
            caught = {subject for subject in had if subject not in done and had[subject] > before[subject]}
            assert len(caught) <= GROUP, f"kill {number}: {kill}"
            in_flight.update(caught)
            assert done <= set(had), "nobody counts as told who was not written to"
        assert run(root) == 0
        had = taken(box, subjects)
    assert died >= kills * 0.8
    assert recorded(workspace) == set(subjects.values()), "everybody is told"
    assert set(had) == set(subjects.values())
    assert all(number <= 1 + in_flight[subject] for subject, number in had.items())
    assert had.total() <= people + in_flight.total()
    assert len(box.to()) == people


def kill_by_outbox(root: Path, kills: int) -> None:
    people = 4 * PEOPLE_PER_KILL * kills  # files are soon written, and each kill needs some that are left
    chance = random.Random(kills)
    workspace = create(root, mail_policy())
    campaign(workspace, people)
    died = sum(run(root, moment(chance, number, "file")) == KILLED for number in range(kills))
    assert run(root) == 0
    assert died >= kills * 0.8
    assert recorded(workspace) == set(addresses(workspace).values())
    mails = [message_from_bytes(path.read_bytes()) for path in workspace.outbox_path.iterdir()]
    assert Counter(str(mail["To"]) for mail in mails) == {f"m{number}@mail.example": 1 for number in range(people)}


def test_kills_of_the_worker_lose_no_mail_and_repeat_only_those_in_flight(fast_tmp: Path) -> None:
    kill_by_mail(fast_tmp / "w", SAMPLED)


def test_kills_of_the_worker_leave_each_mail_once_in_the_outbox(fast_tmp: Path) -> None:
    kill_by_outbox(fast_tmp / "w", SAMPLED)


@pytest.mark.soak
def test_many_kills_lose_no_mail_and_repeat_only_those_in_flight(fast_tmp: Path) -> None:
    kill_by_mail(fast_tmp / "w", SOAKED)


@pytest.mark.soak
def test_many_kills_leave_each_mail_once_in_the_outbox(fast_tmp: Path) -> None:
    kill_by_outbox(fast_tmp / "w", SOAKED)
