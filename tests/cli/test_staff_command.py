"""`demur staff`: inviting, listing and removing."""

import re
from pathlib import Path

import pytest
from calling import Demur

from demur.workspace import find


def test_an_invitation_is_a_link_that_is_shown_once(demur: Demur, workspace: Path) -> None:
    result = demur("staff", "invite", "Olga Officer", "--role", "officer", "-w", workspace)
    assert re.fullmatch(r"http://localhost:8470/staff/join/[\w-]{43}\n", result.out)
    assert "It works once, until 20" in result.err
    secret = result.out.strip().rpartition("/")[2]
    with find(workspace).register() as register:
        found = register.staff.joining(secret)
        assert found is not None
        assert (found.id, found.name, found.role) == (1, "Olga Officer", "officer")
    listed = demur("staff", "list", "-w", workspace).out
    assert "Olga Officer" in listed
    assert "invited until" in listed
    assert secret not in listed
    assert all(secret.encode() not in path.read_bytes() for path in workspace.rglob("*") if path.is_file())


def test_staff_are_removed_by_name_or_number(demur: Demur, workspace: Path) -> None:
    for name in ("Olga", "Emil", "Emil"):
        demur("staff", "invite", name, "--role", "engineer", "-w", workspace)
    assert demur("staff", "remove", "Olga", "-w", workspace).out == "Olga has no access any more.\n"
    twice = demur("staff", "remove", "Emil", "-w", workspace)
    assert (twice.code, "several have the name" in twice.err) == (2, True)
    assert demur("staff", "remove", "3", "--json", "-w", workspace).json == {"id": 3, "name": "Emil"}
    assert "nobody has access" in demur("staff", "remove", "Olga", "-w", workspace).err
    roles = [
        (each["id"], each["removed"] is not None)
        for each in demur("staff", "list", "--json", "-w", workspace).json["staff"]
    ]
    assert roles == [(1, True), (2, False), (3, True)]


def test_nobody_yet(demur: Demur, workspace: Path) -> None:
    assert demur("staff", "list", "-w", workspace).out.startswith("Nobody yet")


def test_an_unknown_role_is_told(demur: Demur, workspace: Path) -> None:
    assert demur("staff", "invite", "Eve", "--role", "king", "-w", workspace).code == 2


def test_where_no_passkey_can_be_made_nobody_is_invited(demur: Demur, workspace: Path) -> None:
    policy = workspace / "demur.toml"
    policy.write_text(policy.read_text().replace("http://127.0.0.1:8470", "http://forum.example"))
    result = demur("staff", "invite", "Olga", "--role", "officer", "-w", workspace)
    assert (result.code, result.out) == (2, "")
    assert "need a name and https" in result.err
    assert demur("staff", "list", "-w", workspace).out.startswith("Nobody yet")


@pytest.mark.parametrize("name", ["", "  "])
def test_staff_have_a_name(demur: Demur, workspace: Path, name: str) -> None:
    assert demur("staff", "invite", name, "--role", "officer", "-w", workspace).code == 2
