"""`demur object` for mails, and for people without an account."""

from pathlib import Path

import pytest
from calling import Demur

from demur.register import ObjectionPhase, Register, SingleMail
from demur.workspace import find

ANN = "instagram:ann"
MAIL = (
    b"From: Ben <ben@town.example>\r\nSubject: No\r\nDate: Thu, 02 Jan 2025 10:00:00 +0000\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nI object.\r\n'
    b"--b\r\nContent-Type: application/pdf; name=proof.pdf\r\n\r\n%PDF-\r\n--b--\r\n"
)


@pytest.fixture
def eml(workspace: Path) -> Path:
    """A mail as a file."""
    path = workspace.parent / "mail.eml"
    path.write_bytes(MAIL)
    return path


def _register(workspace: Path) -> Register:
    return find(workspace).register()


def _letters(workspace: Path) -> list[SingleMail]:
    with _register(workspace) as register:
        return register.mails.claim(10)


def test_names_are_enough(demur: Demur, workspace: Path) -> None:
    said = demur(
        "object", "--json", "-w", workspace, "--name", "Ann Archer", "--name", "A. Archer", "--text", "No."
    ).json
    with _register(workspace) as register:
        state = register.objections.get(said["reference"])
        assert register.objections.statement(said["reference"]) == {
            "names": ["Ann Archer", "A. Archer"],
            "text": "No.",
            "sure": True,
        }
    assert (state.phase, state.confirm_by, state.channel) == (ObjectionPhase.LODGED, None, "ticket")


def test_a_mail_binds_for_its_sender_who_is_asked(demur: Demur, workspace: Path, eml: Path) -> None:
    result = demur("object", "-w", workspace, "--eml", eml)
    assert "apse" not in result.out
    assert "ben" not in result.out
    with _register(workspace) as register:
        (state,) = register.objections.of("mail:ben@town.example")
        assert (state.channel, str(state.received)) == ("mail", "2025-01-02")
        assert (register.objections.statement(state.reference) or {})["text"] == (
            "From: Ben <ben@town.example>\nSubject: No\n\nI object."
        )
        assert [each.name for each in register.attachments.of(state.reference)] == ["proof.pdf"]
    (asked,) = _letters(workspace)
    assert (asked.address, asked.template) == ("ben@town.example", "confirm")


def test_a_mail_and_an_account_are_linked_only_where_staff_know(demur: Demur, workspace: Path, eml: Path) -> None:
    said = demur("object", "--json", "-w", workspace, "--eml", eml, "--account", ANN).json
    assert len(said["references"]) == 2
    with _register(workspace) as register:
        assert register.members.covered_with(ANN).size == 1
        first, other = map(register.objections.statement, said["references"])
        assert set(first or {}) == {"accounts", "text"}  # no warning: staff say whose it is
        assert other == {"accounts": [ANN], "within": said["entry"]}
    known = demur("object", "--json", "-w", workspace, "--eml", eml, "--account", ANN, "--confirmed").json
    with _register(workspace) as register:
        assert register.members.covered_with(ANN).size == 2
        assert register.objections.get(known["reference"]).phase is ObjectionPhase.CONFIRMED
    assert known["confirm_by"] is None


@pytest.mark.parametrize(
    ("fields", "sentence", "warning"),
    [
        (b"Auto-Submitted: auto-replied\r\n", "It is an automatic reply, and no objection", "auto-reply"),
        (b"X-Original-From: ann@town.example\r\n", "a forwarder stands in the place of its sender", "sender-rewritten"),
        (b"", "Its sender matches nobody that you know", "unknown-sender"),
    ],
)
def test_a_letter_that_needs_a_look_says_why(
    demur: Demur, workspace: Path, eml: Path, fields: bytes, sentence: str, warning: str
) -> None:
    eml.write_bytes(fields + MAIL)
    said = demur("object", "-w", workspace, "--eml", eml).out
    assert said.count(sentence) == 1
    assert ("keeps nothing out yet" in said) == (warning == "auto-reply")
    told = demur("object", "--json", "-w", workspace, "--eml", eml).json
    assert told["warning"] == warning
    with _register(workspace) as register:
        assert (register.objections.statement(told["reference"]) or {})["warning"] == warning


def test_a_tagged_address_is_told_as_the_policy_has_it(demur: Demur, workspace: Path, eml: Path) -> None:
    eml.write_bytes(MAIL.replace(b"ben@", b"ben+forum@"))
    assert "covers the address without it, too" in demur("object", "-w", workspace, "--eml", eml).out
    policy = workspace / "demur.toml"
    policy.write_text(policy.read_text().replace('mail_tags = "cover"', 'mail_tags = "keep"'))
    said = demur("object", "-w", workspace, "--eml", eml)
    assert "keeps it apart from the address without it" in said.out
    with _register(workspace) as register:
        assert len(register.objections.of("mail:ben@town.example")) == 1
        assert len(register.objections.of("mail:ben+forum@town.example")) == 2


@pytest.mark.parametrize("options", [(), ("--name", " "), ("--text", "No.")])
def test_an_objection_says_whose_it_is(demur: Demur, workspace: Path, options: tuple[str, ...]) -> None:
    result = demur("object", "-w", workspace, *options)
    assert (result.code, result.out) == (2, "")
    assert "Give --account, --name or --eml" in result.err


def test_confirmed_and_unconfirmed_exclude_each_other(demur: Demur, workspace: Path) -> None:
    result = demur("object", "-w", workspace, "--account", ANN, "--confirmed", "--unconfirmed")
    assert (result.code, result.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("content", [b"", b"%PDF-", b"\xff" * 1000])
def test_what_is_no_mail_is_told_and_records_nothing(demur: Demur, workspace: Path, content: bytes) -> None:
    path = workspace.parent / "no.eml"
    path.write_bytes(content)
    result = demur("object", "-w", workspace, "--eml", path)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "is no mail" in result.err
    with _register(workspace) as register:
        assert register.objections.waiting() == []
