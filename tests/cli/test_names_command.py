"""What else somebody is called, from the command line: what counts at once, what waits, and that none is printed."""

from pathlib import Path

import pytest
from calling import Demur

from demur.objecting.channels import Route
from demur.register.objections.names import Kept
from demur.workspace import find

ANN = "instagram:ann"


def _kept(root: Path, reference: str) -> Kept:
    with find(root).register() as register:
        return register.names.kept(register.objections.covered_by(reference))


def test_names_count_at_once_and_none_is_printed(demur: Demur, workspace: Path) -> None:
    names = ("--name", "Annie Archer", "--former", "Ann Mills", "--handle", "annie77")
    result = demur("object", "-w", workspace, "--account", ANN, *names)
    assert "binds 1 account" in result.out
    assert "In what others wrote, 4 spellings of their names are looked for." in result.out, "her handle is the fourth"
    assert not any(each in result.out + result.err for each in ("Archer", "Mills", "annie77"))
    told = demur("find", "-w", workspace, "--account", ANN)
    assert "In what others wrote, 4 spellings of their names are looked for." in told.out
    assert demur("find", "--json", "-w", workspace, "--account", ANN).json["names"] == {"searched": 4, "waiting": 0}


def test_names_of_whom_nobody_knows_whose_they_are_wait(demur: Demur, workspace: Path) -> None:
    said = demur("object", "--json", "--unconfirmed", "-w", workspace, "--name", "Zoe Zander", "--former", "Zoe Q").json
    assert said["names"] == {"searched": 0, "waiting": 2}
    demur("confirm", said["reference"], "-w", workspace)
    assert _kept(workspace, said["reference"]) == Kept(2, 0)


def test_handles_and_links_that_are_accounts_bind_and_others_are_sealed(demur: Demur, workspace: Path) -> None:
    links = ("--handle", "@ann@social.example", "--link", "https://www.instagram.com/annie/")
    said = demur("object", "--json", "-w", workspace, *links, "--link", "https://far.example/posts/7").json
    assert said["accounts"] == 2
    with find(workspace).register() as register:
        kept_out = set(register.standing.suppressed().tolist())
        keys = find(workspace).keys().pepper
        assert {keys.subject_key("mastodon:@ann@social.example"), keys.subject_key("instagram:annie")} == kept_out
        statement = register.objections.statement(said["reference"]) or {}
    assert statement["links"] == ["https://far.example/posts/7"]


def test_names_are_added_to_an_objection_that_is_shown_to_be_theirs(demur: Demur, workspace: Path) -> None:
    with find(workspace).register() as register:
        reference = register.objections.lodge([ANN], channel=Route.SIGNED_IN).reference
    result = demur("names", reference, "-w", workspace, "--name", "Annie Archer", "--former", "Ann Mills")
    assert "In what others wrote, 3 spellings of their names are looked for." in result.out, "her handle is the third"
    assert "The corpus follows" in result.out
    assert not any(each in result.out + result.err for each in ("Archer", "Mills"))
    said = demur("names", reference, "--json", "-w", workspace, "--handle", "annie77").json
    assert (said["names"], said["beside"]) == ({"searched": 4, "waiting": 0}, None)
    assert said["honoured"]["deleted"] == 0
    assert _kept(workspace, reference) == Kept(4, 0)


def test_accounts_that_are_added_bind_by_objections_of_their_own(demur: Demur, workspace: Path) -> None:
    with find(workspace).register() as register:
        reference = register.objections.lodge([ANN], channel=Route.SIGNED_IN).reference
    links = ("--handle", "@ann@social.example", "--link", "https://far.example/posts/7")
    said = demur("names", reference, "--json", "-w", workspace, *links).json
    with find(workspace).register() as register:
        keys = find(workspace).keys().pepper
        named = {keys.subject_key("mastodon:@ann@social.example"), keys.subject_key(ANN)}
        assert named <= set(register.standing.suppressed().tolist())
        assert register.members.covered_with(ANN).size == 1, "what is named links nothing"
        statement = register.objections.statement(said["beside"]) or {}
    assert statement["links"] == ["https://far.example/posts/7"]


def test_an_objection_that_nobody_has_confirmed_takes_no_names(demur: Demur, workspace: Path) -> None:
    reference = demur("object", "--json", "--unconfirmed", "-w", workspace, "--account", ANN).json["reference"]
    result = demur("names", reference, "-w", workspace, "--name", "Annie")
    assert result.code == 2
    assert "confirm it first" in result.err
    demur("confirm", reference, "-w", workspace)
    assert demur("names", reference, "-w", workspace, "--name", "Annie").code == 0
    demur("withdraw", reference, "-w", workspace)
    result = demur("names", reference, "-w", workspace, "--name", "Annie")
    assert result.code == 2
    assert "is withdrawn" in result.err


@pytest.mark.parametrize("said", [(), ("--name", " ")])
def test_names_that_are_none_are_told(demur: Demur, workspace: Path, said: tuple[str, ...]) -> None:
    result = demur("names", "7KQ2-9XJM-4TPA-C0WD", "-w", workspace, *said)
    assert result.code == 2
    assert "Give --name, --former, --handle or --link:" in result.err


def test_a_list_has_columns_for_them(demur: Demur, workspace: Path, fast_tmp: Path) -> None:
    table = fast_tmp / "names.csv"
    table.write_text(
        "account,name,former,handle,link\n"
        f"{ANN},Annie|A. Archer,Ann Mills,,\n,Zoe Zander,,zoz77,https://far.example/p/1\n"
    )
    result = demur("object", "--json", "-w", workspace, "--from", table, "--channel", "letter")
    assert result.json["recorded"] == 2
    first, second = (each[0] for each in result.json["objections"].values())
    assert _kept(workspace, first).searched == 4
    assert _kept(workspace, second) == Kept(2, 0)
    assert demur("object", "--json", "-w", workspace, "--from", table, "--channel", "letter").json["already"] == 2


def test_a_line_that_names_nobody_is_told(demur: Demur, workspace: Path, fast_tmp: Path) -> None:
    table = fast_tmp / "names.csv"
    table.write_text(f"account,name\n{ANN},\n,| |\n")
    result = demur("object", "-w", workspace, "--from", table)
    assert result.code == 2
    assert "line 3" in result.err
    assert "account is empty" in result.err
