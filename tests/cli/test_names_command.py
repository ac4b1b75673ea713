"""What else somebody is called, from the command line: what counts at once, what waits, and that none is printed."""

from pathlib import Path

from calling import Demur

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
