"""Several processes on one register: nothing is lost, nothing is numbered twice, and a kill loses no word given."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from demur.register import Register
from demur.register.database import entries
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import Place

LODGE = """
import sys
from pathlib import Path
from demur.identity import Keys
from demur.register import Register
url, keys, name, count = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
with Register.create(url, Keys.load(keys)) as register:
    for number in range(count):
        print(register.objections.lodge([f"x:{name}{number}"], channel="web", reason="because").reference, flush=True)
"""

DIE = """
import os, sys
from pathlib import Path
from demur.identity import Keys
from demur.register import Register
with Register.open(sys.argv[1], Keys.load(Path(sys.argv[2]))) as register, register.locked():
    register.objections.lodge(["x:lost"], channel="web")
    os._exit(3)
"""


def lodger(place: "Place", folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", LODGE, place.url, str(folder), name, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write_keys(place: "Place", folder: Path) -> Path:
    """The session's keys, where another process can load them."""
    folder.mkdir()
    secrets = {
        "pepper": place.keys.pepper.secret,
        "sealing": place.keys.sealing,
        "signing": place.keys.signing.private_bytes_raw(),
    }
    for name, secret in secrets.items():
        (folder / f"{name}.key").write_bytes(secret)
    return folder


def test_two_processes_create_and_lodge_at_once(place: "Place", tmp_path: Path) -> None:
    folder = write_keys(place, tmp_path / "copy")
    running = [lodger(place, folder, name, 60) for name in ("a", "b")]
    said = [process.communicate(timeout=120) for process in running]
    assert [(process.returncode, errors) for process, (_, errors) in zip(running, said, strict=True)] == [(0, "")] * 2
    references = [line for out, _ in said for line in out.split()]
    with place.open() as register:
        assert [entry.seq for entry in register.log.entries()] == list(range(1, 121))
        assert len(register.standing.suppressed()) == 120
        assert all(register.objections.get(reference).binding for reference in references)


def test_a_kill_loses_no_acknowledged_objection(place: "Place", tmp_path: Path) -> None:
    folder = write_keys(place, tmp_path / "copy")
    place.create().close()
    acknowledged: list[str] = []
    for round_number, wait_lines in enumerate((1, 3, 8, 20)):
        process = lodger(place, folder, f"r{round_number}n", 10_000)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(wait_lines)]
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        acknowledged += "".join([*lines, rest]).split()
    with place.open() as register:
        assert len(acknowledged) >= 32
        assert all(register.objections.reason(reference) == "because" for reference in acknowledged)
        numbers = [entry.seq for entry in register.log.entries()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) in range(len(acknowledged), len(acknowledged) + 5)  # one a round was not yet told
        assert len(register.standing.suppressed()) == len(numbers)


def test_threads_share_a_register(register: Register) -> None:
    def lodge(name: str) -> None:
        for number in range(20):
            register.objections.lodge([f"x:{name}{number}"], channel="web")

    threads = [threading.Thread(target=lodge, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.seq for entry in register.log.entries()] == list(range(1, 61))


def test_locked_makes_writers_of_other_threads_wait(register: Register) -> None:
    waiting = threading.Thread(target=lambda: register.objections.lodge(["x:late"], channel="web"))
    with register.locked():
        waiting.start()
        time.sleep(0.3)
        assert register.log.append(EntryKind.VERSION_PUBLISHED, {}) == 1
    waiting.join()
    assert [entry.kind for entry in register.log.entries()] == ["version.published", "objection.lodged"]


def test_publishing_sees_what_came_between(place: "Place", register: Register) -> None:
    binding = register.log.head().binding
    with place.open() as other:
        other.objections.lodge(["x:a"], channel="web")
    assert register.log.append_if(binding, EntryKind.VERSION_PUBLISHED, {}) is None


def test_a_snapshot_is_of_one_moment(place: "Place", register: Register) -> None:
    """While somebody lodges, the suppressed keys are as many as the binding entries of the same snapshot."""
    stop = threading.Event()

    def keep_lodging() -> None:
        with place.open() as other:
            number = 0
            while not stop.is_set():
                other.objections.lodge([f"x:n{number}"], channel="web")
                number += 1

    thread = threading.Thread(target=keep_lodging)
    thread.start()
    try:
        for _ in range(40):
            register.standing._reader._last = None
            snapshot = register.standing.snapshot()
            assert len(snapshot.suppressed) == snapshot.head.binding == snapshot.head.seq
            with register._store.reading() as connection:
                first = entries.head(connection)
                time.sleep(0.005)
                assert entries.head(connection) == first
    finally:
        stop.set()
        thread.join()


def test_what_dies_with_the_lock_leaves_nothing(place: "Place", register: Register, tmp_path: Path) -> None:
    folder = write_keys(place, tmp_path / "copy")
    assert subprocess.run([sys.executable, "-c", DIE, place.url, str(folder)], check=False).returncode == 3
    assert register.objections.lodge(["x:a"], channel="web").seq == 1
    assert len(register.standing.suppressed()) == 1
