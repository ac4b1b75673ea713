"""`demur key`: a key is shown once, opens the API, and ends."""

from typing import Any

from calling import Demur
from starlette.testclient import TestClient

from demur.register import Register
from demur.workspace import Workspace


def test_a_key_is_made_listed_and_revoked(
    demur: Demur, workspace: Workspace, anyone: TestClient, register: Register
) -> None:
    def key(*arguments: str, code: int = 0) -> Any:  # noqa: ANN401  # JSON
        done = demur("key", *arguments, "-w", workspace.root, "--json")
        assert done.code == code, done.err
        return done.json if code == 0 else done.err

    made = key("create", "settings page")
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert anyone.get("/api/status", headers=headers).status_code == 200
    assert "settings page" in key("create", "settings page", code=2)
    (listed,) = key("list")["keys"]
    assert (listed["name"], listed["revoked"]) == ("settings page", None)
    assert made["key"] not in str(listed)
    assert key("revoke", "settings page") == {"name": "settings page"}
    assert key("list")["keys"][0]["revoked"]
    assert register.api_keys.check(made["key"]) is None
    assert key("revoke", "settings page", code=2)
