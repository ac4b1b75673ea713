"""What a try-out wrote to its outbox tells nobody once mails leave for people (law 4)."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mailing import EVERYBODY, campaign, mail_policy
from making import batch, item
from places import create, decide

from demur.cli import run
from demur.corpus import importing
from demur.corpus.honour import honour
from demur.policy import Door, Notice, Policy, Portal
from demur.register import Register
from demur.terms import Channel, EntryKind, NoticeStatus
from demur.workspace import Workspace

TOLD = {"forum:m0", "forum:m1"}


def trying(url: str = "http://127.0.0.1:8470", server: str = "") -> Policy:
    told = {"notice": Notice(required=True, period_days=0), "portal": Portal(url=url), "door": Door(unknown_age="use")}
    return mail_policy(server).model_copy(update={**told, "effective_date": datetime.now(UTC).date()})


@pytest.fixture
def tried(fast_tmp: Path) -> Workspace:
    """A try-out of two members, who were "told" and whose content came in."""
    workspace = create(fast_tmp / "w", trying())
    campaign(workspace, 2)
    assert run(["worker", "--once", "-w", str(workspace.root)]) == 0
    items = [item(f"p{number}", f"forum:m{number}") for number in range(2)]
    assert importing.import_items(workspace, "forum", [batch(items)]).kept == 2
    return workspace


def told(register: Register) -> set[str]:
    return {name for name in TOLD if (member := register.members.get(name)) and member.told_on}


def statuses(register: Register) -> Counter[NoticeStatus]:
    return Counter(record.status for _, record in register.notices.records("spring"))


def test_nothing_changes_while_it_is_tried_out(tried: Workspace) -> None:
    assert honour(tried).deleted == 0
    with tried.register() as register:
        assert told(register) == TOLD


@pytest.mark.parametrize("change", [{"url": "https://object.harbour.eu"}, {"server": "127.0.0.1:9"}])
def test_once_it_goes_public_nobody_counts_as_told_by_it(
    tried: Workspace, change: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    decide(tried, trying(**change))
    assert honour(tried).deleted == 2
    assert "2 notices were only written to the outbox" in caplog.text
    with tried.register() as register:
        assert told(register) == set()
        assert statuses(register) == {NoticeStatus.BOUNCED: 2}
        assert sum(1 for _ in register.log.entries(EntryKind.NOTICE_BOUNCED)) == 1
        again = register.campaigns.start("spring", EVERYBODY, [Channel.MAIL])
        assert (again.people, statuses(register)) == (2, {NoticeStatus.QUEUED: 2})
        wrong: list[str] = []
        register.audit(wrong.append)
        assert wrong == []
    assert honour(tried).deleted == 0
