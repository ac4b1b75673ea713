"""A second workspace under the keys of a first one, so that their rows can be compared key by key."""

import shutil
from pathlib import Path

from making import open_policy

from demur import workspace as workspaces
from demur.register import Register
from demur.workspace import Workspace


def with_keys_of(origin: Workspace, root: Path) -> Workspace:
    """A new workspace at ``root``, an instance of its own, with the three keys of ``origin``."""
    made = workspaces.create(root, open_policy())
    for name in ("pepper", "sealing", "signing"):
        shutil.copyfile(origin.keys_path / f"{name}.key", made.keys_path / f"{name}.key")
    for path in root.glob("register.*"):
        path.unlink()
    Register.begin(made.register_url, made.keys(), made.mark_path).close()
    return made
