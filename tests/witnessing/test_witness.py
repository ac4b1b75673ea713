"""A witness: what it cosigns goes on from what it cosigned, whoever asks, how often, and however it was stopped."""

import base64
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from calling import Demur
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.cli import run
from demur.errors import UsageError
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.cosignature import cosigned
from demur.transparency.note import NoteKey
from demur.transparency.tree import EMPTY, consistency_proof, leaf_hash, node_hash, root_at
from demur.witnessing.asking import Said, Wanted, ask
from demur.witnessing.serving import Server
from demur.witnessing.state import SIZE_TYPE, Answer, Witness

LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "demur/00/1"
KEY = NoteKey.of(ORIGIN, LOG)
LEAVES = [leaf_hash(b"%d" % number) for number in range(64)]
OTHERS = [*LEAVES[:20], *(leaf_hash(b"other %d" % number) for number in range(44))]
NOW = 1_796_000_000


def nodes(leaves: list[bytes], level: int, index: int) -> bytes:
    if level == 0:
        return leaves[index]
    return node_hash(nodes(leaves, level - 1, 2 * index), nodes(leaves, level - 1, 2 * index + 1))


def root(size: int, leaves: list[bytes] = LEAVES) -> bytes:
    return root_at(lambda level, index: nodes(leaves, level, index), size)


def note(size: int, leaves: list[bytes] = LEAVES) -> str:
    return Checkpoint(ORIGIN, size, root(size, leaves)).sign(LOG)


def proof(old: int, size: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    if not 0 < old < size:
        return []
    return consistency_proof(lambda level, index: nodes(leaves, level, index), old, size)


def request(old: int, size: int, leaves: list[bytes] = LEAVES, **other: object) -> bytes:
    hashes = other.get("proof", proof(old, size, leaves))
    assert isinstance(hashes, list)
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in hashes), "", note(size, leaves)]
    return "\n".join(lines).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """One that knows the log."""
    made = Witness.create(tmp_path / "w", "w.example/1")
    made.add(KEY)
    return made


def test_it_cosigns_what_goes_on(witness: Witness) -> None:
    for old, size in ((0, 5), (5, 5), (5, 6), (6, 40), (40, 64)):
        answer = witness.answer(request(old, size), NOW)
        assert answer.status == 200
        assert cosigned((note(size) + answer.body).encode(), [witness.key]) == {witness.key: NOW}
        assert witness.state()[ORIGIN] == {"size": size, "root": root(size).hex(), "note": note(size)}


def test_it_says_what_the_specification_says(witness: Witness) -> None:
    assert witness.answer(request(0, 30), NOW).status == 200
    for old, size in ((0, 40), (29, 40), (31, 40)):
        assert witness.answer(request(old, size), NOW) == Answer(409, "30\n", SIZE_TYPE)
    assert witness.answer(request(0, 10), NOW) == Answer(409, "30\n", SIZE_TYPE), "never backwards"
    assert witness.answer(request(30, 10), NOW).status == 400
    assert witness.answer(request(30, 30, OTHERS), NOW) == Answer(409, "30\n", SIZE_TYPE), "a fork at its size"
    assert witness.answer(request(30, 40, OTHERS), NOW).status == 422, "a fork behind it"
    assert witness.answer(request(30, 40, proof=[]), NOW).status == 422
    assert witness.answer(request(30, 30, proof=[bytes(32)]), NOW).status == 422
    assert witness.state()[ORIGIN]["size"] == 30
    kept = {path.read_text() for path in (witness.folder / "evidence").iterdir()}
    assert kept == {note(30), note(30, OTHERS)}, "two that prove a fork, and nothing that a wrong proof came with"
    witness.remove(KEY)
    assert witness.answer(request(30, 40), NOW).status == 404
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    witness.add(NoteKey.of(ORIGIN, other))
    assert witness.answer(request(30, 40), NOW).status == 403
    witness.add(KEY)
    assert witness.answer(request(30, 40), NOW).status == 200, "what was cosigned stays known"


def test_a_proof_where_none_belongs_is_refused(witness: Witness) -> None:
    assert witness.answer(request(0, 5, proof=[bytes(32)]), NOW).status == 422
    empty = Checkpoint(ORIGIN, 0, bytes(32)).sign(LOG)
    assert witness.answer(f"old 0\n\n{empty}".encode(), NOW).status == 409, "the empty log has one root"
    assert witness.answer(f"old 0\n\n{Checkpoint(ORIGIN, 0, EMPTY).sign(LOG)}".encode(), NOW).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n" + note(5).encode(),
        b"old 00\n\n" + note(5).encode(),
        b"old -1\n\n" + note(5).encode(),
        b"new 0\n\n" + note(5).encode(),
        b"old 0\nx\n\n" + note(5).encode(),
        b"old 0\nAAAA\n\n" + note(5).encode(),
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + note(5).encode(),
        b"old 0\n\n\xff",
        b"old 0\n\n" + note(5).encode().removesuffix(b"\n"),
    ],
)
def test_what_is_no_request_is_refused(witness: Witness, body: bytes) -> None:
    answer = witness.answer(body, NOW)
    assert (answer.status, answer.body.count("\n")) == (400, 1)


def test_a_forged_signature_is_forbidden(witness: Witness) -> None:
    body = request(0, 5).decode()
    text, _, signature = body.rpartition(" ")
    data = bytearray(base64.b64decode(signature))
    data[-1] ^= 1
    assert witness.answer(f"{text} {base64.b64encode(data).decode()}\n".encode(), NOW).status == 403


def test_two_requests_at_once_never_turn_a_size_back(witness: Witness) -> None:
    """Each size is asked for by some threads that believe different things of what was cosigned before."""
    sizes, signed, lock = range(1, 64), list[int](), threading.Lock()

    def push(at: int) -> None:
        old = 0
        for size in sizes:
            for _ in range(3):
                answer = witness.answer(request(old, size), NOW)
                if answer.status == 200:
                    with lock:
                        signed.append(size)
                    old = size
                    break
                assert answer.status in {409, 400}, at
                old = int(answer.body) if answer.status == 409 else old
                if old > size:
                    break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(push, range(4)))
    assert set(signed) == set(sizes)
    assert witness.state()[ORIGIN]["size"] == 63


def test_nothing_is_signed_that_is_not_on_disk(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("demur.witnessing.state.write_durably", full)
    with pytest.raises(UsageError, match="nothing was signed"):
        witness.answer(request(0, 5), NOW)
    monkeypatch.undo()
    assert witness.state() == {}


def test_a_witness_without_its_state_does_not_start(witness: Witness, tmp_path: Path) -> None:
    with witness.serving(), pytest.raises(UsageError, match="Another process"), Witness(witness.folder).serving():
        pass
    (witness.folder / "state.json").unlink()
    with pytest.raises(UsageError, match=r"state\.json is missing or damaged"), witness.serving():
        pass
    with pytest.raises(UsageError, match="holds no witness"):
        Witness(tmp_path)
    with pytest.raises(UsageError, match="is not empty"):
        Witness.create(witness.folder, "w.example/2")
    for name in ("", "a b", "a+b"):
        with pytest.raises(UsageError, match="no spaces"):
            Witness.create(tmp_path / "new", name)


@pytest.fixture
def url(witness: Witness) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), witness)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_is_asked_over_http(url: str, witness: Witness) -> None:
    def push(old: int, size: int, leaves: list[bytes] = LEAVES) -> tuple[Said, int, int]:
        reply = ask(url, witness.key, Wanted(note(size, leaves), old, proof(old, size, leaves)), int(time.time()))
        if reply.said is Said.COSIGNED:
            assert cosigned((note(size, leaves) + reply.line).encode(), [witness.key])
        return reply.said, reply.size, reply.status

    assert push(0, 30) == (Said.COSIGNED, 0, 200)
    assert push(0, 40) == (Said.BEYOND, 30, 409)
    assert push(30, 40, OTHERS) == (Said.REFUSED, 0, 422)
    witness.remove(KEY)
    assert push(30, 40) == (Said.REFUSED, 0, 404)
    (witness.folder / "witness.json").unlink()
    assert push(30, 40) == (Said.UNREACHABLE, 0, 503)


def test_what_is_no_cosignature_is_not_taken_over(url: str, witness: Witness, tmp_path: Path) -> None:
    another = Witness.create(tmp_path / "w2", "w.example/1")
    wanted = Wanted(note(5), 0, [])
    assert ask(url, another.key, wanted, int(time.time())).said is Said.REFUSED, "another key of the same name"
    wanted = Wanted(note(5), 5, [])
    assert ask(url, witness.key, wanted, 0).said is Said.REFUSED, "it is dated ahead of the clock here"


def test_a_server_that_is_none_is_unreachable(witness: Witness) -> None:
    wanted = Wanted(note(5), 0, [])
    for place in ("http://127.0.0.1:1", "http://127.0.0.1:1/a", "https://127.0.0.1:1"):
        assert ask(place, witness.key, wanted, NOW).said is Said.UNREACHABLE


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/x", {}, 404),
        ("POST", "/x", {"content-length": "0"}, 404),
        ("POST", "/add-checkpoint", {"content-length": "9999999"}, 413),
        ("POST", "/add-checkpoint", {"content-length": "x"}, 411),
        ("POST", "/add-checkpoint", {"content-length": "0"}, 400),
        ("PUT", "/add-checkpoint", {"content-length": "0"}, 501),
    ],
)
def test_other_requests_are_told_what_is_wrong(
    url: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_the_command_serves_until_it_is_stopped_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "w")
    assert run(["witness", "init", folder, "--name", "w.example/1"]) == 0
    assert run(["witness", "add", folder, KEY.text]) == 0
    key = Witness(Path(folder)).key
    size = 0
    for signal in (9, 15, 9):
        process = subprocess.Popen(
            [sys.executable, "-m", "demur", "witness", "serve", folder, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=dict(os.environ),
        )
        assert process.stdout is not None
        place = process.stdout.readline().split(" at ")[1].strip().removesuffix("/add-checkpoint")
        for _ in range(5):
            wanted = Wanted(note(size + 1), size, proof(size, size + 1))
            assert ask(place, key, wanted, int(time.time())).said is Said.COSIGNED
            size += 1
        process.send_signal(signal)
        assert process.wait(20) == (0 if signal == 15 else -9)
        process.stdout.close()
    assert Witness(Path(folder)).state()[ORIGIN]["size"] == 15


def test_what_is_wrong_is_one_sentence(tmp_path: Path, demur: Demur) -> None:
    folder = tmp_path / "w"
    made = demur("witness", "init", folder, "--name", "w.example/1", "--json")
    assert made.json == {"key": Witness(folder).key.text}
    assert demur("witness", "key", folder).out.strip() == Witness(folder).key.text
    assert demur("witness", "logs", folder).out.startswith("No log is witnessed yet")
    wrong = (
        (("init", folder, "--name", "w.example/2"), "is not empty"),
        (("init", tmp_path / "x", "--name", "two words"), "no spaces"),
        (("add", folder, "demur/0/1+00000000+AAAA"), "no Ed25519 key of a log"),
        (("add", folder, Witness(folder).key.text), "no Ed25519 key of a log"),
        (("add", folder, KEY.text.replace(KEY.id.hex(), "00000000")), "is damaged"),
        (("add", tmp_path / "nowhere", KEY.text), "holds no witness"),
        (("remove", folder, KEY.text), "does not know that key"),
        (("serve", folder, "--host", "192.0.2.1"), "can't be used"),
    )
    for arguments, said in wrong:
        told = demur("witness", *arguments)
        assert (told.code, told.err.count("\n")) == (2, 1), arguments
        assert said in told.err
    assert demur("witness", "add", folder, KEY.text).code == 0
    assert Witness(folder).answer(request(0, 5), NOW).status == 200
    assert demur("witness", "logs", folder, "--json").json == [{"key": KEY.text, "size": 5}]
    assert demur("witness", "remove", folder, KEY.text).code == 0
    assert Witness(folder).logs() == []


def test_asking_without_a_list_is_one_sentence(tmp_path: Path, demur: Demur) -> None:
    root = tmp_path / "ws"
    assert demur("init", root, "--yes").code == 0
    told = demur("log", "cosign", "-w", root)
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "There is nobody to ask" in told.err
    policy = root / "demur.toml"
    policy.write_text(policy.read_text().replace('witnesses = ""', 'witnesses = "none.txt"'))
    told = demur("log", "cosign", "-w", root)
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "can't be read" in told.err


@pytest.mark.parametrize(
    "head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"HTTP/1.1"]
)
def test_one_that_answers_byte_by_byte_is_not_waited_for(
    head: bytes, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demur.witnessing.asking._PATIENCE_S", 0.5)
    ended = threading.Event()

    def dribble(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(head)
            while not ended.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=dribble, args=[server])
        thread.start()
        threading.Timer(5, ended.set).start()
        begun = time.monotonic()
        reply = ask(f"http://127.0.0.1:{server.getsockname()[1]}", witness.key, Wanted(note(5), 0, []), NOW)
        took = time.monotonic() - begun
        ended.set()
        thread.join()
    assert reply.said is Said.UNREACHABLE
    assert took < 3


@pytest.mark.parametrize(("method", "path"), [("POST", "/x"), ("GET", "/"), ("GET", "/x")])
def test_what_was_left_unread_is_no_request(url: str, method: str, path: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    hidden = b"GET / HTTP/1.1\r\nhost: w\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nhost: w\r\ncontent-length: {len(hidden)}\r\n\r\n".encode())
        connection.sendall(hidden)
        said = b""
        with suppress(ConnectionResetError):
            while more := connection.recv(4096):
                said += more
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in said


def test_a_request_that_comes_byte_by_byte_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.witnessing.serving._DEADLINE_S", 0.5)
    host, port = url.removeprefix("http://").split(":")
    begun = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=5) as connection, suppress(OSError):
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\ncontent-length: 1000\r\n\r\n")
        while time.monotonic() - begun < 4:
            connection.sendall(b"x")
            time.sleep(0.05)
    assert time.monotonic() - begun < 3
