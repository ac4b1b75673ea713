"""`demur key`: a key is shown once, opens the API, and ends."""

import json
import subprocess
from typing import Any

from calling import PYTHON
from starlette.testclient import TestClient

from demur.register import Register
from demur.workspace import Workspace


def key(workspace: Workspace, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401  # JSON
    command = [*PYTHON, "key", *arguments, "-w", str(workspace.root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_a_key_is_made_listed_and_revoked(workspace: Workspace, anyone: TestClient, register: Register) -> None:
    made = key(workspace, "create", "settings page")
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert anyone.get("/api/status", headers=headers).status_code == 200
    assert "settings page" in key(workspace, "create", "settings page", code=2)
    (listed,) = key(workspace, "list")["keys"]
    assert (listed["name"], listed["revoked"]) == ("settings page", None)
    assert made["key"] not in str(listed)
    assert key(workspace, "revoke", "settings page") == {"name": "settings page"}
    assert key(workspace, "list")["keys"][0]["revoked"]
    assert register.api_keys.check(made["key"]) is None
    assert key(workspace, "revoke", "settings page", code=2)
