"""Two servers show one history: each checkpoint that anybody gets goes on from the one they had.

Eight people at each server object again and again, and after each time they fetch the newest checkpoint and the tiles,
and work out for themselves that it goes on from their last one (RFC 9162, section 2.1.4). On SQLite both servers have
one folder, on PostgreSQL each has its own, with a mark of its own. `make test` has both in threads of one process, and
few rounds.
"""

import hashlib
import http.client
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from crowding import free_port, serving
from places import create
from promises import Promises, require_consistent, require_kept
from served import Thread
from town import town_policy

from demur.transparency.checkpoint import Checkpoint
from demur.transparency.note import NoteKey
from demur.transparency.tiles import WIDTH, Piece, TileNodes, split, width_at
from demur.transparency.tree import check_consistency, consistency_proof, leaf_hash
from demur.web.app import create_app
from demur.web.server.crowd import Bounds
from demur.workspace import Workspace

# FastAPI silences it where a route is first used, by a switch of the whole process: two servers in one turn it back.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")

LODGERS: Final = 8
"""At each server."""


@dataclass
class Lodger:
    """Somebody who objects and remembers what they were shown."""

    name: str
    port: int
    secret: str
    key: NoteKey
    """The log's."""
    notes: list[str] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Account -> reference."""
    _tiles: dict[Piece, Sequence[bytes]] = field(default_factory=dict)
    _connection: http.client.HTTPConnection = field(init=False)

    def live(self, rounds: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as self._connection:
            for number in range(rounds):
                self._object(f"forum:{self.name}_{number}")
                self._look()

    def _object(self, account: str) -> None:
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        told = json.loads(self._ask("POST", "/api/objections", json.dumps({"accounts": [account]}), headers))
        self.acknowledged[account] = told["reference"]

    def _look(self) -> None:
        note = self._ask("GET", "/log/checkpoint").decode()
        new = Checkpoint.read(note.encode(), [self.key])
        nodes = TileNodes(lambda level, n: self._tile(Piece(level, n, width_at(level, n, new.size))))
        if self.notes:
            old = Checkpoint.read(self.notes[-1].encode(), [self.key])
            assert old.size <= new.size
            proof = consistency_proof(nodes, old.size, new.size)
            check_consistency(old.size, new.size, proof, old.root, new.root)
        self.notes.append(note)

    def _tile(self, piece: Piece) -> Sequence[bytes]:
        if piece not in self._tiles:
            hashes = split(self._ask("GET", f"/log/{piece.path}"))
            if piece.width < WIDTH:
                return hashes
            self._tiles[piece] = hashes
        return self._tiles[piece]

    def _ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> bytes:
        while True:
            self._connection.request(method, path, body or None, headers or {})
            answer = self._connection.getresponse()
            content = answer.read()
            if answer.status != http.client.TOO_MANY_REQUESTS:  # they all come from one address
                break
            time.sleep(0.5)
        assert answer.status in (200, 201), (answer.status, content)
        return content


@pytest.fixture
def folders(registers: str, fast_tmp: Path) -> tuple[Workspace, Workspace]:
    """Of the two servers."""
    first = create(fast_tmp / "w", town_policy())
    if registers == "sqlite":
        return first, first
    return first, Workspace(Path(shutil.copytree(first.root, fast_tmp / "other")))


def served(stack: ExitStack, workspace: Workspace, *, apart: bool) -> int:
    """A server in a process of its own, or in a thread; its port."""
    if apart:
        port = free_port()
        stack.enter_context(serving(workspace, port))
        return port
    return stack.enter_context(Thread(create_app(workspace), Bounds()).running()).port


def lodgers(folders: Sequence[Workspace], ports: Sequence[int]) -> Iterator[Lodger]:
    with folders[0].register() as register:
        secret, key = register.api_keys.create("forum"), register.proving.key
    for place, port in enumerate(ports):
        for number in range(LODGERS):
            yield Lodger(f"s{place}_{number}", port, secret, key)


@pytest.mark.either
@pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_every_checkpoint_goes_on_from_the_last_one(folders: tuple[Workspace, Workspace], rounds: int) -> None:
    with ExitStack() as stack:
        ports = [served(stack, each, apart=rounds > 10) for each in folders]
        everybody = list(lodgers(folders, ports))
        pool = stack.enter_context(ThreadPoolExecutor(len(everybody)))
        for each in [pool.submit(lodger.live, rounds) for lodger in everybody]:
            each.result()
    notes = [note for lodger in everybody for note in lodger.notes]
    assert len(notes) == 2 * LODGERS * rounds
    told = Promises([account for lodger in everybody for account in lodger.acknowledged], notes)
    with folders[0].register() as register:
        key = register.proving.key
        for lodger in everybody:
            for reference in lodger.acknowledged.values():
                opened = register.proving.open(register.objections.get(reference).seq)
                leaf = leaf_hash(hashlib.sha256(opened.salt + opened.entry.encode()).digest())
                opened.proof.check(leaf, [key])
    with folders[1].register() as register:
        require_consistent(register, notes)
    require_kept(folders[0], told, next_version="v1", others=[folders[1].mark_path])
