"""An objection is recorded, told and answered alike, however it comes; where channels differ, it says why."""

from collections.abc import Callable
from typing import Final, NamedTuple

import pytest
from channels import Town
from pages import Page
from town import DIETER, SILENT
from ways import FAR, as_person, bound, by_link, signed_in, state_of, typed

from demur.register import ObjectionPhase

Lodge = Callable[[Town, str], str]
"""Objects for an account; the reference that is answered."""

HOLDER: Final = "dieter@town.example"
CONTACT: Final = "me@elsewhere.example"
LETTER: Final = "From: {sender}\r\nSubject: No\r\nDate: Thu, 02 Jan 2025 10:00:00 +0100\r\n\r\nI object.\r\n"


def shown(town: Town, page: Page) -> str:
    """The reference on a page."""
    return state_of(town.desk, page).reference


def by_the_link_of_a_notice(town: Town, account: str) -> str:
    return shown(town, by_link(town.visitor, town.desk, account))


def signed_in_at_the_platform(town: Town, account: str) -> str:
    return shown(town, signed_in(town.visitor, town.platform.token(account)))


def on_the_member_s_page(town: Town, account: str) -> str:
    mine = signed_in(town.visitor, town.platform.token(account), button="mine")
    form = next(number for number, each in enumerate(mine.forms) if each.action == "/en/mine/object")
    return shown(town, town.visitor.submit(mine, form=form))


def typed_in(town: Town, account: str) -> str:
    return shown(town, typed(town.visitor, account))


def without_an_account(town: Town, account: str) -> str:
    receipt = as_person(town.visitor, links=account, contact=CONTACT)
    reference = shown(town, receipt)
    assert (town.desk.register.objections.statement(reference) or {})["accounts"] == [account]
    return reference


def over_the_api(town: Town, account: str) -> str:
    told = town.calls("objections", 201, accounts=[account])
    assert state_of(town.desk, town.visitor.get(told["receipt_url"])).reference == told["reference"]
    return str(told["reference"])


def unconfirmed_over_the_api(town: Town, account: str) -> str:
    return str(town.calls("objections", 201, accounts=[account], channel="letter", unconfirmed=True)["reference"])


def in_a_letter(town: Town, account: str) -> str:
    return shown(town, town.records(accounts=account, text="Leave me out."))


def in_a_letter_of_a_known_writer(town: Town, account: str) -> str:
    return shown(town, town.records(accounts=account, text="Leave me out.", checked="1"))


def from_the_command_line(town: Town, account: str) -> str:
    said = town.runs("object", "--account", account, "--channel", "letter", "--text", "Leave me out.")
    return str(said["reference"])


def unconfirmed_from_the_command_line(town: Town, account: str) -> str:
    return str(town.runs("object", "--account", account, "--channel", "letter", "--unconfirmed")["reference"])


def confirmed_from_the_command_line(town: Town, account: str) -> str:
    return str(town.runs("object", "--account", account, "--channel", "letter", "--confirmed")["reference"])


def in_a_mail_from_the_command_line(town: Town, account: str) -> str:
    path = town.desk.workspace.root.parent / "mail.eml"
    path.write_text(LETTER.format(sender=HOLDER if account == DIETER else CONTACT), newline="")
    return str(town.runs("object", "--eml", str(path))["reference"])


class Expected(NamedTuple):
    """What one channel does, for an account whose holder's address is on file."""

    lodge: Lodge
    written: tuple[str, ...] = ("objection.lodged",)
    told: tuple[tuple[str, str], ...] = ()
    """What each mail says, and to whom."""
    brought_back: tuple[tuple[str, str], ...] = ()
    """What each mail says, and to whom, once an officer has brought it back."""


RECEIPT: Final = (("receipt", HOLDER),)
QUESTION: Final = (("confirm", HOLDER),)
CHANNELS: Final = (
    # Whoever has shown that the account is theirs gets a receipt.
    Expected(by_the_link_of_a_notice, told=RECEIPT, brought_back=RECEIPT),
    Expected(signed_in_at_the_platform, told=RECEIPT, brought_back=RECEIPT),
    Expected(on_the_member_s_page, told=RECEIPT, brought_back=RECEIPT),
    # Where nobody has, the account's holder is asked; a contact is asked besides, and has no account to lose.
    Expected(typed_in, told=QUESTION, brought_back=QUESTION),
    Expected(
        without_an_account,
        written=("objection.lodged", "objection.lodged"),
        told=(*QUESTION, ("receipt", CONTACT), ("confirm", CONTACT)),
        brought_back=(("confirm", CONTACT),),
    ),
    Expected(in_a_letter, told=QUESTION, brought_back=QUESTION),
    Expected(in_a_mail_from_the_command_line, told=QUESTION, brought_back=QUESTION),
    Expected(unconfirmed_from_the_command_line, told=QUESTION, brought_back=QUESTION),
    # Staff say on the command line that they know it is real, or more: that its holder confirmed it.
    Expected(from_the_command_line, told=RECEIPT, brought_back=QUESTION),
    Expected(in_a_letter_of_a_known_writer, written=("objection.lodged", "objection.confirmed"), told=RECEIPT),
    Expected(confirmed_from_the_command_line, written=("objection.lodged", "objection.confirmed"), told=RECEIPT),
    # The platform tells and asks its member itself: it gets the link of the receipt.
    Expected(over_the_api),
    Expected(unconfirmed_over_the_api, brought_back=QUESTION),
)
CHANNEL: Final = pytest.mark.parametrize("channel", CHANNELS, ids=[each.lodge.__name__ for each in CHANNELS])


@pytest.mark.parametrize("lodge", [by_the_link_of_a_notice, typed_in, without_an_account])
def test_a_mail_names_the_account_to_its_holder_alone(town: Town, lodge: Lodge) -> None:
    with town.watched() as happened:
        lodge(town, DIETER)
    named = {each.address: each.params.get("account") for each in happened.mails}
    assert named.pop(HOLDER) == "dieter"
    assert set(named.values()) <= {None}, "whoever typed it may not be its holder"


@CHANNEL
def test_it_is_recorded_told_and_answered(town: Town, channel: Expected) -> None:
    with town.watched() as happened:
        reference = channel.lodge(town, DIETER)
    assert tuple(happened.written) == channel.written
    assert sorted(each[:2] for each in happened.told) == sorted(channel.told)
    assert {language for _, address, language in happened.told if address == HOLDER} <= {"de"}
    lodged = [each for each in happened.entries if each.kind.value == "objection.lodged"]
    assert all(set(each.payload) == {"accounts", "channel", "confirm_by", "received"} for each in lodged)
    assert {each.payload["accounts"] for each in lodged} == {1}
    assert bound(town.desk, DIETER)
    assert town.state(reference).phase is (
        ObjectionPhase.CONFIRMED if "objection.confirmed" in channel.written else ObjectionPhase.LODGED
    )


@CHANNEL
def test_silence_ends_nothing(town: Town, channel: Expected) -> None:
    with town.watched() as happened:
        reference = channel.lodge(town, DIETER)
    assert {each.payload.get("confirm_by") for each in happened.entries} == {None}
    assert {each.params["confirm_by"] for each in happened.mails if each.template == "confirm"} <= {None}
    assert town.state(reference).confirm_by is None
    assert town.desk.register.objections.lapse_overdue(FAR) == []
    if town.state(reference).phase is ObjectionPhase.LODGED:
        told = town.calls(f"objections/{reference}/lapse", 409, cause="unconfirmed")
        assert "does not end because nobody has answered" in told["detail"]
        town.runs("lapse", reference, "--cause", "unconfirmed", code=2)
    assert town.state(reference).binding


@CHANNEL
def test_only_what_somebody_typed_in_can_be_doubted(town: Town, channel: Expected) -> None:
    reference = channel.lodge(town, DIETER)
    doubtable = channel.lodge is typed_in
    seq = town.state(reference).seq
    page = town.officer.visitor.get(f"/staff/objections/{seq}")
    assert doubtable == any(form.action.endswith("/doubt") for form in page.forms)
    with town.watched() as happened:
        town.runs("doubt", reference, "--reason", "Two people claim it.", code=0 if doubtable else 2)
    assert happened.written == (["objection.doubted"] if doubtable else [])
    assert [each[:2] for each in happened.told] == ([*QUESTION] if doubtable else [])
    assert (town.state(reference).confirm_by is not None) == doubtable


@pytest.mark.parametrize(
    "channel",
    [each for each in CHANNELS if "objection.confirmed" not in each.written],
    ids=lambda each: each.lodge.__name__,
)
def test_an_officer_brings_back_what_has_lapsed(town: Town, channel: Expected) -> None:
    reference = channel.lodge(town, DIETER)
    town.runs("lapse", reference, "--cause", "denied")
    state = town.state(reference)
    with town.watched() as happened:
        page = town.reviews(state.seq, "revive")
    assert "Bring it back" not in page.text
    assert happened.written == ["objection.revived"]
    assert sorted(each[:2] for each in happened.told) == sorted(channel.brought_back)
    now = town.state(reference)
    assert (now.phase, now.binding, now.covered) == (ObjectionPhase.LODGED, True, state.covered)
    assert bound(town.desk, DIETER)
    with town.watched() as again:
        town.runs("revive", reference)
    assert (again.entries, again.mails) == ([], [])


@CHANNEL
def test_its_reference_leads_to_the_receipt(town: Town, channel: Expected) -> None:
    reference = channel.lodge(town, DIETER)
    receipt = town.visitor.submit(town.visitor.get("/en/status"), {"reference": reference})
    assert reference in receipt.text
    assert receipt.h1 == "We have received your objection"


@CHANNEL
def test_where_no_address_is_known_it_binds_and_nobody_is_written_to(town: Town, channel: Expected) -> None:
    with town.watched() as happened:
        channel.lodge(town, SILENT)
    assert {address for _, address, _ in happened.told} <= {CONTACT}
    if channel.lodge is not in_a_mail_from_the_command_line:  # which says nothing of her
        assert bound(town.desk, SILENT)
