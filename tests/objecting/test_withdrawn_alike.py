"""A withdrawal is recorded, told and answered alike, whoever records it."""

from collections.abc import Callable
from typing import Final

import pytest
from channels import Town
from pages import Page
from town import DIETER
from ways import as_person, bound, by_link, letters, path_in, signed_in, state_of, typed

from demur.register import ObjectionPhase

Withdraw = Callable[[Town, Page, str], None]
"""Withdraws the objection of a receipt and a reference."""


def on_the_portal(town: Town, receipt: Page, reference: str) -> None:
    page = town.visitor.submit(town.visitor.get(f"{receipt.path}/withdraw"))
    assert reference in page.text
    assert page.h1 == "Your objection is withdrawn"


def by_the_link_on_the_member_s_page(town: Town, receipt: Page, reference: str) -> None:
    del receipt  # the page leads to it
    mine = signed_in(town.visitor, town.platform.token(DIETER), button="mine")
    path = next(each for each in mine.links if "/receipt/" in each)
    assert reference in town.visitor.submit(town.visitor.get(f"{path}/withdraw")).text


def over_the_api(town: Town, receipt: Page, reference: str) -> None:
    del receipt  # the platform has the reference
    told = town.calls(f"objections/{reference}/withdraw")
    assert (told["reference"], told["status"], told["binding"]) == (reference, "withdrawn", False)


def from_the_command_line(town: Town, receipt: Page, reference: str) -> None:
    del receipt  # staff have the reference
    told = town.runs("withdraw", reference)
    assert (told["reference"], told["state"]) == (reference, "withdrawn")


CHANNELS: Final = (on_the_portal, by_the_link_on_the_member_s_page, over_the_api, from_the_command_line)


@pytest.mark.parametrize("withdraw", CHANNELS)
def test_whoever_stood_for_it_is_told_once(town: Town, withdraw: Withdraw) -> None:
    receipt = by_link(town.visitor, town.desk, DIETER)
    state = state_of(town.desk, receipt)
    with town.watched() as happened:
        withdraw(town, receipt, state.reference)
    assert happened.told == [("withdrawn", "dieter@town.example", "de")]
    assert happened.mails[0].params == {"reference": state.reference, "account": "dieter"}
    assert [(each.kind.value, dict(each.payload)) for each in happened.entries] == [
        ("objection.withdrawn", {"objection": state.seq})
    ]
    assert town.state(state.reference).phase is ObjectionPhase.WITHDRAWN
    assert not bound(town.desk, DIETER)


@pytest.mark.parametrize("withdraw", CHANNELS[2:])
def test_a_second_time_tells_nobody(town: Town, withdraw: Withdraw) -> None:
    receipt = by_link(town.visitor, town.desk, DIETER)
    reference = state_of(town.desk, receipt).reference
    withdraw(town, receipt, reference)
    with town.watched() as again:
        withdraw(town, receipt, reference)
    assert (again.entries, again.mails) == ([], [])


def by_the_holder_s_link(town: Town, path: str, reference: str) -> None:
    page = town.visitor.get(path)
    link = next(each for each in page.links if each.endswith("/withdraw") or "/receipt/" in each)
    asked = town.visitor.get(link if link.endswith("/withdraw") else f"{link}/withdraw")
    assert reference in town.visitor.submit(asked).text


@pytest.mark.parametrize(
    ("channel", "address", "language"),
    [
        ("letter", "dieter@town.example", "de"),
        ("typed-in", "dieter@town.example", "de"),
        ("no-account", "me@elsewhere.example", "en"),
    ],
)
@pytest.mark.parametrize("withdraw", [by_the_holder_s_link, over_the_api, from_the_command_line])
def test_what_its_holder_confirmed_ends_alike(
    town: Town, channel: str, address: str, language: str, withdraw: Callable[..., None]
) -> None:
    if channel == "letter":
        town.records(accounts=DIETER, text="Leave me out.")
    elif channel == "typed-in":
        typed(town.visitor, DIETER)
    else:
        as_person(town.visitor, names="Somebody Else", contact=address)
    question = next(each for each in letters(town.desk) if each.template == "confirm")
    reference, path = str(question.params["reference"]), path_in(question)
    town.visitor.submit(town.visitor.get(path), button="yes")
    with town.watched() as happened:
        withdraw(town, path, reference)
    assert happened.told == [("withdrawn", address, language)]
    assert happened.written == ["objection.withdrawn"]
    assert town.state(reference).phase is ObjectionPhase.WITHDRAWN
