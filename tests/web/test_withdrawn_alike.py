"""A withdrawal is recorded, told and answered alike, whoever records it."""

from collections.abc import Callable
from typing import Final

import pytest
from objecting import bound, by_link, letters, state_of
from pages import Page, Visitor
from town import DIETER

from demur.cli.app import run
from demur.register import ObjectionPhase
from demur.web.desk import Desk

Withdraw = Callable[[Visitor, Desk, Page, str], None]


def on_the_portal(visitor: Visitor, desk: Desk, receipt: Page, reference: str) -> None:  # noqa: ARG001  # as the others
    visitor.submit(visitor.get(f"{receipt.path}/withdraw"))


def over_the_api(visitor: Visitor, desk: Desk, receipt: Page, reference: str) -> None:  # noqa: ARG001  # the same
    key = desk.register.api_keys.create(f"after entry {desk.register.log.head().seq}")
    headers = {"Authorization": f"Bearer {key}"}
    answer = visitor.client.post(f"/api/objections/{reference}/withdraw", headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")


def from_the_command_line(visitor: Visitor, desk: Desk, receipt: Page, reference: str) -> None:  # noqa: ARG001
    assert run(["withdraw", reference, "-w", str(desk.workspace.root)]) == 0


CHANNELS: Final = (on_the_portal, over_the_api, from_the_command_line)


@pytest.mark.parametrize("withdraw", CHANNELS)
def test_whoever_stood_for_it_is_told_once(visitor: Visitor, desk: Desk, withdraw: Withdraw) -> None:
    receipt = by_link(visitor, desk, DIETER)
    reference = state_of(desk, receipt).reference
    letters(desk)
    before = desk.register.log.head().seq
    withdraw(visitor, desk, receipt, reference)
    (letter,) = letters(desk)
    assert (letter.template, letter.address, letter.language) == ("withdrawn", "dieter@town.example", "de")
    assert letter.params == {"reference": reference}
    assert desk.register.objections.get(reference).phase is ObjectionPhase.WITHDRAWN
    assert not bound(desk, DIETER)
    assert "objection.withdrawn" in [entry.kind.value for entry in desk.register.log.entries() if entry.seq > before]


@pytest.mark.parametrize("withdraw", CHANNELS[1:])
def test_a_second_time_tells_nobody(visitor: Visitor, desk: Desk, withdraw: Withdraw) -> None:
    receipt = by_link(visitor, desk, DIETER)
    reference = state_of(desk, receipt).reference
    withdraw(visitor, desk, receipt, reference)
    letters(desk)
    withdraw(visitor, desk, receipt, reference)
    assert letters(desk) == []
