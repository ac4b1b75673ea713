"""Letters that came by mail: whose they are taken to be, who is written to, and what somebody has to look at."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pytest
from town import ANN, DIETER, EWA, town_policy

from demur.errors import SourceError
from demur.objecting import settling
from demur.objecting.channels import Route, nameless
from demur.objecting.eml import Letter, read_letter
from demur.objecting.lodging import Taken, Written, take_letter
from demur.objecting.office import Office
from demur.objecting.senders import Doubt
from demur.policy import Accounts
from demur.register import Register
from demur.tokens import Tokens
from demur.workspace import Workspace

OWN: Final = "hello@town.example"
MINE: Final = "mail:ann@town.example"
BLOCK: Final = "Please see below.\n\n{head}\n{label} Ann Archer <ann@town.example>\n{more}\n\nI object.\n"


def letter(*fields: str, text: str = "I object to the use of my posts.", sender: str | None = None) -> Letter:
    """A mail, read."""
    first = ["From: Ann <ann@town.example>" if sender is None else f"From: {sender}"]
    head = [*first, "To: hello@town.example", *(fields or ("Subject: objection",))]
    return read_letter("\n".join([*head, "", text]).encode(), names=Accounts().names)


class Desk(NamedTuple):
    """Where letters are recorded."""

    register: Register
    office: Office

    def take(self, mail: Letter, *typed: str, checked: bool = False, office: Office | None = None) -> Taken:
        """Record one."""
        written = Written(Route.MAIL, typed).with_letter(mail)
        return take_letter(self.register, written, office or self.office, checked=checked)

    def bound(self, taken: Taken) -> list[str]:
        """For which accounts each part is, in order; "" for nobody's."""
        keys = [self.register.objections.lodged_for(each.reference) for each in taken.receipts]
        names = [str(self.register.members.identifiers(each)[0]) for each in keys]
        return ["" if nameless(each) else each for each in names]

    def asked(self) -> list[str]:
        """To which addresses mails wait."""
        return [each.address for each in self.register.mails.claim(20)]

    def warnings(self, taken: Taken) -> list[object]:
        """What is sealed with each part as its warning."""
        said = [self.register.objections.statement(each.reference) or {} for each in taken.receipts]
        return [each.get("warning") for each in said]


@pytest.fixture
def desk(workspace: Workspace) -> Iterator[Desk]:
    """The town's."""
    keys = workspace.keys()
    with workspace.register() as register:
        yield Desk(register, Office(town_policy(), keys, Tokens.of(keys, register.incarnation), datetime.now(UTC)))


REWRITTEN: Final = {
    "a Google group": letter(
        "Subject: objection\nReply-To: Ann <ann@town.example>\nX-Original-From: Ann <ann@town.example>\n"
        "X-Original-Sender: ann@town.example\nList-ID: <hello.town.example>\nReturn-Path: <hello+bncBD@town.example>",
        sender=f"\"'Ann Archer' via Office\" <{OWN}>",
    ),
    "an older one": letter("X-Google-Original-From: Ann <ann@town.example>", sender=OWN),
    "Mailman": letter(
        "Reply-To: ann@town.example, office@lists.example\nList-Id: Office <office.lists.example>\n"
        "List-Post: <mailto:office@lists.example>",
        sender="Ann Archer via Office <office@lists.example>",
    ),
    "a list without a name": letter(
        "Reply-To: office@lists.example, ann@town.example\nList-Post: <mailto:office@lists.example>",
        sender="office@lists.example",
    ),
    "a folded address": letter(sender="Ann <ann=40town.example@dmarc.lists.example>"),
    "SRS in From": letter(sender="SRS0=ab1c=D2=town.example=ann@relay.example"),
    "SRS twice, on the envelope": letter(
        "Return-Path: <SRS1=xyz=first.example==ab1c=D2=town.example=ann@relay.example>", sender=OWN
    ),
    "BATV on the envelope": letter("Return-Path: <prvs=0123abcdef=ann@town.example>", sender=OWN),
    "ARC": letter(
        "ARC-Authentication-Results: i=1; mx.example; dkim=pass; spf=pass smtp.mailfrom=ann@town.example", sender=OWN
    ),
    "sent on by hand": letter("Resent-From: ann@town.example", sender=OWN),
    "a mail in a mail": letter(
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"', sender=OWN,
        text="--b\n\nSee below.\n--b\nContent-Type: message/rfc822\n\nFrom: ann@town.example\n\nI object.\n--b--\n",
    ),
    "Outlook": letter(sender=OWN, text=BLOCK.format(
        head="-----Original Message-----", label="From:", more="Sent: Monday\nTo: Office\nSubject: No"
    )),
    "Outlook in German": letter(sender=OWN, text=BLOCK.format(
        head="", label="Von:", more="Gesendet: Montag\nAn: Office\nBetreff: Nein"
    )),
    "Outlook in German with a link": letter(sender=OWN, text=(
        "-----Urspr\u00fcngliche Nachricht-----\nVon: Ann [mailto:ann@town.example]\n"
        "Gesendet: Montag\nAn: Office\nBetreff: Nein\n\nNein.\n"
    )),
    "an address in quotes": letter(sender=OWN, text=(
        "From: 'Ann Archer' <'ann@town.example'>\nSent: Monday\nTo: Office\nSubject: No\n\nNo.\n"
    )),
    "Gmail in French": letter(sender=OWN, text=BLOCK.format(
        head="---------- Forwarded message ---------", label="De\u00a0:", more="Date: lun.\nSubject: Non\nTo: x"
    )),
    "Apple Mail": letter(sender=OWN, text=BLOCK.format(
        head="Begin forwarded message:\n", label="> From:", more="> Subject: No\n> Date: Monday\n> To: x"
    )),
    "our notice in it, too": letter(sender=OWN, text=BLOCK.format(
        head="", label="From:", more="Sent: Monday\nTo: Office\n\nFrom: hello@town.example\nSent: Sunday\nTo: Ann"
    )),
}  # fmt: skip


@pytest.mark.parametrize("kind", REWRITTEN)
def test_a_letter_binds_for_the_writer_whom_a_list_or_a_forwarder_hides(desk: Desk, kind: str) -> None:
    taken = desk.take(REWRITTEN[kind])
    assert (taken.doubt, desk.bound(taken)) == (Doubt.SENDER_REWRITTEN, [MINE])
    assert desk.warnings(taken) == ["sender-rewritten"]
    assert desk.register.objections.of(ANN), "it covers the member's other accounts at once"
    assert desk.asked() == ["ann@town.example"]


def test_what_a_forgeable_field_names_is_written_to_only_at_an_address_on_file(desk: Desk) -> None:
    mail = letter("X-Original-From: Eve <eve@elsewhere.example>", sender=OWN)
    taken = desk.take(mail)
    assert desk.bound(taken) == ["mail:eve@elsewhere.example"]
    assert desk.asked() == []


def test_a_revived_letter_is_asked_about_only_at_an_address_on_file(desk: Desk) -> None:
    mail = letter("X-Original-From: Eve <eve@elsewhere.example>", sender=OWN)
    (receipt,) = desk.take(mail).receipts
    settling.lapse(desk.register, receipt.reference, desk.office, cause="denied")
    assert settling.revive(desk.register, receipt.reference, desk.office).binding
    assert desk.asked() == []


def test_a_forged_field_links_and_confirms_nothing(desk: Desk) -> None:
    taken = desk.take(REWRITTEN["an older one"], DIETER, checked=True)
    assert desk.bound(taken) == [DIETER, MINE]
    phases = [desk.register.objections.get(each.reference).phase.value for each in taken.receipts]
    assert phases == ["confirmed", "lodged"]
    linked = desk.register.members.identifiers(desk.register.members.covered_with(DIETER))
    assert ANN not in linked
    assert MINE not in linked


def test_a_member_s_own_mail_counts_for_them_whatever_else_it_names(desk: Desk) -> None:
    fields = "X-Original-From: dieter@town.example\nReply-To: ewa@town.example\nSubject: Re: your notice"
    taken = desk.take(letter(fields, text=BLOCK.format(head="", label="From:", more=f"Sent: x\nTo: {EWA}\nSubject: y")))
    assert (taken.doubt, desk.bound(taken)) == (None, [MINE])


@pytest.mark.parametrize("address", [OWN, "DPO@Town.example"])
def test_the_controller_s_own_addresses_bind_nobody(desk: Desk, address: str) -> None:
    taken = desk.take(letter(sender=f"Office <{address}>"))
    assert (taken.doubt, desk.bound(taken), desk.warnings(taken)) == (Doubt.OWN_ADDRESS, [""], ["own-address"])
    assert not taken.binds
    (waiting,) = desk.register.objections.waiting()
    assert waiting.covered == 1


def test_a_list_that_names_nobody_binds_nobody(desk: Desk) -> None:
    taken = desk.take(letter("List-Post: <mailto:office@lists.example>", sender="office@lists.example"))
    assert (taken.doubt, desk.bound(taken)) == (Doubt.SENDER_REWRITTEN, [""])


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Subject: Automatic reply: What we do with your posts",
        "Subject: Abwesenheitsnotiz: Ihre Beitr\u00e4ge",
        "Subject: =?utf-8?q?R=C3=A9ponse_automatique_:_vos_messages?=",
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
    ],
)
def test_an_automatic_reply_waits_and_binds_nobody(desk: Desk, field: str) -> None:
    taken = desk.take(letter(field, text="I am on holiday until 12 December."))
    assert (taken.doubt, desk.bound(taken), desk.warnings(taken)) == (Doubt.AUTO_REPLY, [""], ["auto-reply"])
    assert desk.register.objections.of(ANN) == []
    assert desk.asked() == []
    (kept,) = desk.register.objections.waiting()
    said = desk.register.objections.statement(kept.reference) or {}
    assert str(said["text"]).startswith("From: Ann <ann@town.example>")


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: no",
        "Subject: Absence de consentement",
        "Subject: Urlaub? Nein, Widerspruch",
        "Subject: Away with it",
        "Subject: Re: automatic training",
        "Subject: Re: Automatic reply: my objection",
        "Subject: AW: Abwesenheitsnotiz: Widerspruch",
        "X-Autoreply: no",
    ],
)
def test_what_only_looks_like_one_is_a_letter(desk: Desk, field: str) -> None:
    taken = desk.take(letter(field))
    assert (taken.doubt, desk.bound(taken)) == (None, [MINE])


def test_an_unknown_sender_is_bound_and_asked_and_looked_at(desk: Desk) -> None:
    taken = desk.take(letter(sender="joerg@elsewhere.example"))
    assert (taken.doubt, desk.bound(taken)) == (Doubt.UNKNOWN_SENDER, ["mail:joerg@elsewhere.example"])
    assert desk.asked() == ["joerg@elsewhere.example"]
    named = desk.take(letter(sender="joerg@elsewhere.example"), DIETER)
    assert (named.doubt, desk.bound(named)) == (None, ["mail:joerg@elsewhere.example", DIETER])
    nobody = desk.take(letter(sender="Joerg"))
    assert (nobody.doubt, desk.bound(nobody)) == (Doubt.UNKNOWN_SENDER, [""])


def test_what_somebody_passes_on_binds_its_writer_too(desk: Desk) -> None:
    text = BLOCK.format(head="", label="From:", more="Sent: Monday\nTo: me\nSubject: No")
    taken = desk.take(letter("Subject: Fwd: No", sender="joerg@elsewhere.example", text=text))
    assert taken.doubt is Doubt.SENDER_REWRITTEN
    assert desk.bound(taken) == ["mail:joerg@elsewhere.example", MINE]
    quoted = desk.take(letter("Subject: Re: No", sender="joerg@elsewhere.example", text=text))
    assert desk.bound(quoted) == ["mail:joerg@elsewhere.example"]


def test_who_only_seems_to_be_a_list_by_their_name_is_bound(desk: Desk) -> None:
    taken = desk.take(letter(sender="Marco Via Rossi <marco@elsewhere.example>"))
    assert (taken.doubt, desk.bound(taken)) == (Doubt.SENDER_REWRITTEN, ["mail:marco@elsewhere.example"])
    assert desk.asked() == []
    group = desk.take(letter(sender="'Marco Rossi' via Office <office@town.example>"))
    assert (group.doubt, desk.bound(group)) == (Doubt.SENDER_REWRITTEN, [""])


def test_who_writes_by_gmail_under_another_address_is_bound_by_both(desk: Desk) -> None:
    taken = desk.take(letter("X-Google-Original-From: Ann <ann@town.example>", sender="ann.archer@gmail.example"))
    assert (taken.doubt, desk.bound(taken)) == (Doubt.SENDER_REWRITTEN, ["mail:ann.archer@gmail.example", MINE])


@pytest.mark.parametrize(("said", "bound"), [("cover", [MINE]), ("keep", [])])
def test_a_tag_is_covered_or_kept_apart_as_the_policy_says(desk: Desk, said: str, bound: list[str]) -> None:
    policy = town_policy(accounts=Accounts(mail_tags="cover" if said == "cover" else "keep"))
    taken = desk.take(letter(sender="ann+forum@town.example"), office=replace(desk.office, policy=policy))
    assert desk.bound(taken) == ["mail:ann+forum@town.example", *bound]
    assert taken.tagged
    assert taken.doubt is (None if bound else Doubt.UNKNOWN_SENDER)
    assert desk.register.members.covered_with("mail:ann+forum@town.example").size == 1, "it links nothing"


def test_a_domain_in_a_labels_is_the_one_in_letters(desk: Desk) -> None:
    taken = desk.take(letter(sender="jana@xn--mller-kva.example"))
    assert desk.bound(taken) == ["mail:jana@m\u00fcller.example"]


@pytest.mark.parametrize(
    "field",
    [
        "Reply-To: " + "(" * 5000,
        "X-Original-From: " + "," * 5000,
        "X-Original-From: " + "<" * 5000,
        "Return-Path: SRS0=" + "=" * 5000,
        "List-Id: " + "<a." * 5000,
        "ARC-Authentication-Results: " + "smtp.mailfrom=" * 5000,
        "X-Original-From: =?utf-8?q?=3Cann@town.example=3E?=",
    ],
)
def test_hostile_fields_name_nobody(field: str) -> None:
    try:
        mail = letter(field, sender=OWN)
    except SourceError:
        return
    assert "ann@town.example" not in mail.origins.named
