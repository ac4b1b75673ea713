"""The commands of docs/postgresql.md, from an empty database to two servers and two workers, on a server of the test's.

What installs packages is left out, what the administrator of the database does is done by the test's, and the ports and
the folder are free ones; the rest is run as it stands.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from cluster import running
from crowding import free_port

PATIENCE_S = 60


def commands(root: Path) -> list[str]:
    page = (root / "docs" / "postgresql.md").read_text()
    return [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_the_pages_commands_lead_to_two_servers_and_two_workers(postgresql: Path, root: Path, tmp_path: Path) -> None:
    ports = {"8470": str(free_port()), "8471": str(free_port())}
    with ExitStack() as stack:
        cluster = stack.enter_context(running(postgresql))
        cluster.run("CREATE ROLE postgres SUPERUSER LOGIN")
        with psycopg.connect(f"host={cluster.socket} user=postgres dbname=postgres", autocommit=True) as administrator:
            administrator.execute("ALTER ROLE demur RENAME TO first")  # as on a server where nobody made one yet
        here = os.environ | {"PGHOST": str(cluster.socket), "PATH": f"{postgresql}:{os.environ['PATH']}"}
        done = []
        for line in commands(root):
            words = shlex.split(line, comments=True)
            user = "demur"
            if words[0] in {"apt-get", "pip"}:
                continue
            if words[0] == "su":
                user, words = words[1], shlex.split(words[3])
            words = [re.sub(r"847[01]", lambda port: ports[port[0]], each) for each in words]
            words = [str(tmp_path / "w") if each == "/srv/demur" else each for each in words]
            if words[0] == "demur":
                words = [sys.executable, "-m", *words]
            environment = here | {"PGUSER": user}
            if words[-1] == "&":
                process = subprocess.Popen(words[:-1], env=environment, stdout=subprocess.DEVNULL)
                stack.callback(process.wait)
                stack.callback(process.terminate)
            else:
                until = time.monotonic() + PATIENCE_S
                while (code := subprocess.run(words, env=environment, check=False).returncode) and words[0] == "curl":
                    assert time.monotonic() < until, line
                    time.sleep(0.3)
                assert code == 0, line
            done.append(words)
        assert sum("serve" in each for each in done) == sum("worker" in each for each in done) == 2
        told = subprocess.run(
            [sys.executable, "-m", "demur", "status", "--json", "-w", str(tmp_path / "w")],
            env=here | {"PGUSER": "demur"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"objections": 0' in told.stdout or '"objections":0' in told.stdout


@pytest.fixture(autouse=True)
def no_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMUR_WORKSPACE", raising=False)
