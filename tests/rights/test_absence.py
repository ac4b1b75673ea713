"""A proof of absence: what demur makes, the verifier accepts; nobody gets it but who is proven to be meant."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pytest
from making import NOW, batch, item, open_policy, span
from verifying import VERIFY

from demur import workspace as workspaces
from demur.cli import run
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed, RegisterError, UsageError
from demur.objecting.channels import Route
from demur.policy import render_policy
from demur.register import MEMBER, Register
from demur.rights.absence import Made, prove_absence
from demur.versions.publish import publish, retire
from demur.workspace import Workspace

ANN, HANDLE, MAIL, BEN = "forum:ann", "irc:ann@net", "mail:ann@mail.example", "forum:ben"


def items() -> Iterator[pa.RecordBatch]:
    yield batch(
        [
            item("1", ANN, "words of hers"),
            item("2", BEN, "Hello @ann", spans=[span(6, 10, "mention", HANDLE)]),
            *(item(f"more{number}", f"forum:u{number}", f"word {number}") for number in range(40)),
        ]
    )


def member(account: str, **said: Any) -> pa.RecordBatch:  # noqa: ANN401  # a member's fields
    return pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | {"account": account} | said], schema=MEMBER)


@pytest.fixture
def community(fast_tmp: Path) -> Workspace:
    """Ann has two accounts that the platform links, and a mail address that nobody verified; v1 has both accounts."""
    made = workspaces.create(fast_tmp / "w", open_policy())
    with made.register() as register:
        register.members.import_all([member(ANN, linked=[HANDLE], mail="ann@mail.example")], now=NOW)
    import_items(made, "forum", items(), now=NOW)
    publish(made, "v1", now=NOW)
    return made


def lodge(workspace: Workspace, *accounts: str, channel: str = Route.LINK) -> str:
    with workspace.register() as register:
        return register.objections.lodge(accounts or [ANN], channel=channel, now=NOW).reference


def proven(workspace: Workspace, reference: str, version: str = "v2", before: str | None = None) -> Made:
    with reading(workspace) as session:
        return prove_absence(session, reference, version, before)


def checked(workspace: Workspace, made: Made) -> dict[str, Any]:
    with workspace.register() as register:
        key = VERIFY.Key.read(register.proving.key.text)
    signer = workspace.keys().signing.public_key().public_bytes_raw().hex()
    found: dict[str, Any] = VERIFY.verify_absence(made.proof, key, signer)
    return found


def key_of(register: Register, account: str) -> str:
    return f"{register.persons.subject(account):016x}"


def test_absence_after_and_presence_before_are_shown_and_verified(community: Workspace) -> None:
    reference = lodge(community)
    publish(community, "v2", now=NOW)
    lodge(community, BEN)  # the log goes on
    made = proven(community, reference, before="v1")
    found = checked(community, made)
    with community.register() as register:
        theirs = sorted([key_of(register, ANN), key_of(register, HANDLE)])
        other = key_of(register, MAIL)
    assert sorted(found["keys"]) == sorted(found["present"]["present"]) == theirs
    assert (found["absent"]["name"], found["present"]["name"]) == ("v2", "v1")
    assert (made.accounts, made.had) == (2, 2)
    assert other not in made.proof.decode()
    for hidden in (ANN, HANDLE, reference):
        assert hidden not in made.proof.decode()
    assert len(proven(community, reference).proof) < len(made.proof)


def test_accounts_that_are_not_proven_are_hidden_and_so_is_whether_there_are_any(community: Workspace) -> None:
    """The objection covers the address, whose other bearer may be somebody else."""
    with community.register() as register:
        register.members.import_all([member(BEN, mail="ann@mail.example")], now=NOW)
        covered = register.objections.lodge([ANN], channel=Route.LINK, now=NOW)
        assert len(covered.subjects) == 4
    publish(community, "v2", now=NOW)
    both = json.loads(proven(community, covered.reference).proof)
    assert len(both["subjects"]["own"]) == 2
    alone = lodge(community, "forum:u1")
    publish(community, "v3", now=NOW)
    single = json.loads(proven(community, alone, "v3").proof)
    assert len(single["subjects"]["others"]) == len(both["subjects"]["others"]) == 64


def test_nobody_gets_it_whose_account_is_not_proven(community: Workspace) -> None:
    typed = lodge(community, channel=Route.TYPED)
    nobody = lodge(community, "person:" + "0" * 32, channel=Route.LINK)
    publish(community, "v2", now=NOW)
    with pytest.raises(UsageError, match="Nobody has shown whose"):
        proven(community, typed)
    with pytest.raises(UsageError, match="names no account"):
        proven(community, nobody)
    with community.register() as register:
        register.objections.confirm(typed)
    assert checked(community, proven(community, typed))["absent"]["name"] == "v2"


def test_accounts_that_were_parted_since_are_not_shown_together(community: Workspace) -> None:
    reference = lodge(community)
    publish(community, "v2", now=NOW)
    with community.register() as register:
        register.members.unlink(ANN, HANDLE)
    with pytest.raises(UsageError, match="unlinked since"):
        proven(community, reference)


def test_versions_have_to_be_on_their_sides_of_the_objection(community: Workspace) -> None:
    reference = lodge(community)
    publish(community, "v2", now=NOW)
    with pytest.raises(UsageError, match="published before the objection"):
        proven(community, reference, "v1")
    with pytest.raises(UsageError, match="published after the objection"):
        proven(community, reference, "v2", "v2")
    with pytest.raises(UsageError, match="no version v9"):
        proven(community, reference, "v9")
    stranger = lodge(community, "forum:nobody")
    publish(community, "v3", now=NOW)
    with pytest.raises(UsageError, match="none of the accounts"):
        proven(community, stranger, "v3", "v1")
    retire(community, "v2")
    with pytest.raises(UsageError, match="retired"):
        proven(community, reference)


def test_what_came_back_after_a_withdrawal_is_said(community: Workspace) -> None:
    reference = lodge(community)
    with community.register() as register:
        register.objections.withdraw(reference)
    import_items(community, "forum", items(), now=NOW)
    publish(community, "v2", now=NOW)
    with pytest.raises(UsageError, match="has ended, and version v2 holds rows"):
        proven(community, reference)


def test_rows_that_are_not_those_of_the_manifest_give_no_proof(community: Workspace) -> None:
    reference = lodge(community)
    publish(community, "v2", now=NOW)
    dataset = lance.dataset(str(community.root / "corpus.lance"), version="v2")
    dataset.delete("text = 'word 3'")
    dataset.tags.update("v2", dataset.version)
    with pytest.raises(CheckFailed, match="other people than its manifest says"):
        proven(community, reference)


def test_an_objection_of_an_older_demur_has_none(community: Workspace) -> None:
    reference = lodge(community)
    publish(community, "v2", now=NOW)
    with community.register() as register, register._store.writing() as connection:
        connection.exec_driver_sql("UPDATE entry SET format = NULL WHERE kind = 'objection.lodged'")
    with pytest.raises(RegisterError, match="can't be opened"):
        proven(community, reference)


def test_the_command_hands_out_a_file_for_its_owner_alone(
    community: Workspace, fast_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = lodge(community)
    publish(community, "v2", now=NOW)
    community.policy_path.write_text(render_policy(open_policy()))
    to = fast_tmp / "proof.json"
    place = ["-w", str(community.root)]
    arguments = ["prove", reference, "--version", "v2", "--before", "v1"]
    assert run([*arguments, "--to", str(to), *place]) == 0
    said = capsys.readouterr().out
    assert "Version v2 has none of 2 accounts" in said
    assert "version v1 had 2" in said
    assert "Hand it to their holder alone" in said
    assert to.stat().st_mode & 0o777 == 0o600
    assert run([*arguments, *place]) == 0
    assert json.loads(capsys.readouterr().out)["subjects"]["own"] == json.loads(to.read_bytes())["subjects"]["own"]
    assert run(["log", "key", "--json", *place]) == 0
    told = json.loads(capsys.readouterr().out)
    found = VERIFY.verify_absence(to.read_bytes(), VERIFY.Key.read(told["key"]), told["manifests"])
    assert found["present"]["name"] == "v1"
    assert run(["prove", reference, "--before", "v1", *place]) == 2
    assert "with --version" in capsys.readouterr().err
    assert run([*arguments, "--to", str(to), *place]) == 2
