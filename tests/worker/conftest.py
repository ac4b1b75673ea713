"""A workspace with members to tell, and a worker's depot in it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from atwork import at_work
from mailing import Made, campaign
from places import create

from demur.policy import Policy
from demur.terms import Channel
from demur.worker.depot import Depot


@pytest.fixture
def made(fast_tmp: Path) -> Iterator[Made]:
    """Makes an depot in a new workspace of a policy, with people who wait for a notice."""
    with ExitStack() as stack:

        def make(policy: Policy, people: int = 0, channels: tuple[Channel, ...] = (Channel.MAIL,)) -> Depot:
            workspace = create(fast_tmp / "w", policy)
            if people:
                campaign(workspace, people, channels)
            register = stack.enter_context(workspace.register())
            return stack.enter_context(at_work(workspace, register))

        yield make
