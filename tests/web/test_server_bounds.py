"""What clients that are slow, greedy or many take from the server: never the place of those who want to object."""

import json
import logging
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from places import copied
from served import Served, Thread, Wire, eventually
from town import ANN

from demur.tokens import Purpose, Tokens
from demur.web.app import create_app
from demur.web.portal.taken import TOKEN_LENGTH
from demur.web.server.crowd import Bounds
from demur.web.server.headers import CSP
from demur.web.server.limits import Limits, Rate, Rates
from demur.web.server.serving import fitting, open_files
from demur.workspace import Workspace

BEGUN: Final = b"POST /en/object HTTP/1.1\r\nHost: x\r\nX-a: "
FORM: Final = b"Content-Type: application/x-www-form-urlencoded\r\n"
PART: Final = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
QUICK: Final = replace(
    Bounds(),
    head_s=0.4,
    body_s=0.4,
    rate=50_000.0,
    write_s=0.4,
    idle_s=0.4,
    linger_s=0.4,
    connections=60,
    by_address=40,
)
"""The usual bounds, in less time."""

PLENTY: Final = Rate(10**9, 1.0)
PATIENT: Final = Limits(Rates(page=PLENTY, act=PLENTY, account=PLENTY))

Start = Callable[..., Thread]


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    Wire.hang_up()


@pytest.fixture
def start(workspace: Workspace) -> Iterator[Start]:
    with ExitStack() as stack:

        def run(bounds: Bounds = QUICK, *, behind_proxy: bool = False) -> Thread:
            app = create_app(workspace, limits=PATIENT)

            @app.get("/en/slow")
            async def slow() -> None:
                await anyio.sleep(1.5)

            return stack.enter_context(Thread(app, bounds, behind_proxy=behind_proxy).running())

        yield run


@pytest.fixture(scope="module")
def quick(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thread]:
    """A server for all who change nothing in the workspace that another test reads."""
    workspace = copied(founded, tmp_path_factory.mktemp("quick") / "town")
    with Thread(create_app(workspace, limits=PATIENT), QUICK).running() as running:
        yield running


@pytest.fixture
def serve(workspace: Workspace) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def run(*options: str, files: int | None = None) -> Served:
        started.append(Served(workspace, "--no-worker", *options, files=files))
        return started[-1]

    yield run
    for each in started:
        if each.process.poll() is None:
            each.stop()


def post(path: str, body: bytes = b"", *more: bytes, length: int | None = None) -> bytes:
    """A POST of a form; of its body as much as there is."""
    size = str(len(body) if length is None else length).encode()
    head = b"POST %s HTTP/1.1\r\nHost: x\r\n" % path.encode()
    return head + FORM + b"".join(more) + b"Content-Length: %s\r\n\r\n" % size + body


def upload(path: str, size: int) -> bytes:
    """The beginning of a POST with a file."""
    kind = b"Content-Type: multipart/form-data; boundary=b\r\n"
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (path.encode(), kind, size, PART)


def objected(port: int) -> str:
    """The path of the receipt of an objection, lodged as anybody does it."""
    answer = httpx.post(f"http://127.0.0.1:{port}/en/object", data={"account": ANN})
    assert answer.status_code == 303
    return str(answer.headers["location"])


# many


def test_2050_half_open_requests_close_the_portal_to_nobody(serve: Callable[..., Served]) -> None:
    served = serve()
    wires = [Wire(served.port, BEGUN) for _ in range(2050)]
    assert served.get("/en/").status_code == 200, "behind all of them in the queue"
    began = time.monotonic()
    assert served.get("/en/").status_code == 200
    assert time.monotonic() - began < 2
    assert "/en/receipt/" in objected(served.port)
    assert sum(not each.ended for each in wires) <= Bounds().by_address
    for each in wires:
        each.close()


def test_where_few_files_may_be_opened_there_are_fewer_places_and_they_are_kept(serve: Callable[..., Served]) -> None:
    served = serve(files=256)
    wires = [Wire(served.port, BEGUN, address=f"127.0.0.{number % 200 + 2}") for number in range(400)]
    assert served.get("/en/").status_code == 200
    assert "/en/receipt/" in objected(served.port)
    for each in wires:
        each.close()
    code, said = served.stop()
    assert code == 0
    assert "Too many open files" not in said


def test_the_places_fit_the_files_that_may_be_opened() -> None:
    assert fitting(1024).connections == 412
    assert fitting(1024).by_address == 103
    assert fitting(100_000).connections == Bounds().connections
    assert fitting(64).connections > 0
    assert open_files() >= 256


def test_newcomers_get_in_while_many_addresses_hold_all_places(start: Start) -> None:
    served = start(replace(QUICK, head_s=30.0))
    wires = [Wire(served.port, BEGUN, address=f"127.0.0.{number % 200 + 2}") for number in range(200)]
    for number in range(5):
        assert httpx.get(f"http://127.0.0.1:{served.port}/en/?{number}").status_code == 200
    assert len(served.crowd) <= QUICK.connections
    assert wires[0].ended, "the oldest has gone"
    assert not wires[-1].ended, "the newest has not"


def test_one_address_gets_so_many_places_and_its_own_newcomers_too(start: Start) -> None:
    served = start(replace(QUICK, head_s=30.0, by_address=10))
    others = [Wire(served.port, BEGUN, address="127.0.0.9") for _ in range(5)]
    wires = [Wire(served.port, BEGUN) for _ in range(50)]
    assert served.get("/en/").status_code == 200
    assert eventually(lambda: sum(each.ended for each in wires) >= 40)
    assert not any(each.ended for each in others)


def test_a_proxy_that_stands_for_all_visitors_is_no_one_address(start: Start) -> None:
    served = start(replace(QUICK, head_s=30.0, by_address=3), behind_proxy=True)
    wires = [Wire(served.port, BEGUN) for _ in range(20)]
    assert eventually(lambda: len(served.crowd) == 20)
    assert not any(each.ended for each in wires)


def test_nobody_whose_request_is_being_answered_goes_for_others(start: Start) -> None:
    served = start(replace(QUICK, head_s=30.0, by_address=10))
    working = [Wire(served.port, b"GET /en/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") for _ in range(5)]
    time.sleep(0.1)
    others = [Wire(served.port, BEGUN) for _ in range(40)]
    assert [each.status() for each in working] == [200] * 5
    assert sum(each.ended for each in others) >= 30


def test_where_everybody_is_being_answered_a_newcomer_is_told_to_return(start: Start) -> None:
    served = start(replace(QUICK, by_address=2))
    working = [Wire(served.port, b"GET /en/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") for _ in range(2)]
    time.sleep(0.2)
    told = Wire(served.port).rest()
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: " in told
    assert CSP.encode() in told
    assert [each.status() for each in working] == [200] * 2


# slow


@pytest.mark.parametrize("sent", [b"", b"G", BEGUN, BEGUN + b"a\r\n"], ids=["nothing", "a byte", "a line", "lines"])
def test_a_request_that_is_not_there_in_time_ends(quick: Thread, sent: bytes) -> None:
    wire = Wire(quick.port, sent)
    began = time.monotonic()
    assert wire.status() == (408 if sent else 0)
    assert 0.2 < time.monotonic() - began < 3


def test_a_head_that_comes_byte_by_byte_ends_as_one_that_does_not_come(quick: Thread) -> None:
    wire = Wire(quick.port, BEGUN)
    began = time.monotonic()
    while not wire.ended and time.monotonic() - began < 5:
        wire.send(b"a")
        time.sleep(0.02)
    assert wire.ended
    assert time.monotonic() - began < 3


def test_bodies_that_are_not_there_in_time_end_and_are_no_error_of_the_log(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "demur.web")
    served = start()
    path = objected(served.port) + "/add"
    wires = [Wire(served.port, post("/en/object", b"account=", length=1000)) for _ in range(3)]
    wires += [Wire(served.port, upload(path, 10_000_000) + b"x" * 70_000) for _ in range(3)]
    assert eventually(lambda: all(each.ended for each in wires), 5)
    assert served.crowd.held == 0
    assert [each.status() for each in wires] == [408] * 6
    assert eventually(lambda: [each["status"] for each in lines(caplog) if "status" in each].count(499) == 6)
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert not [each for each in lines(caplog) if "error" in each]


def test_a_body_that_comes_too_slowly_ends(quick: Thread) -> None:
    wire = Wire(quick.port, post("/en/object", b"account=", length=60_000))
    began = time.monotonic()
    while not wire.ended and time.monotonic() - began < 6:
        wire.send(b"a")
        time.sleep(0.05)
    assert wire.status() == 408
    assert time.monotonic() - began < 4


def test_a_body_of_which_nothing_more_comes_ends_however_fast_it_began(quick: Thread) -> None:
    path = objected(quick.port) + "/add"
    wire = Wire(quick.port, upload(path, 9_000_000) + b"x" * 8_000_000)
    began = time.monotonic()
    assert wire.status() == 408
    assert time.monotonic() - began < 4, "160 s more, by what came"


def test_an_upload_of_the_allowed_size_passes_for_as_long_as_it_moves(start: Start, workspace: Workspace) -> None:
    served = start()
    receipt = objected(served.port)
    content = b"%PDF-1.7\n" + b" " * 290_991
    body = PART + content + b"\r\n--b--\r\n"
    wire = Wire(served.port, upload(receipt + "/add", len(body)).removesuffix(PART))
    began = time.monotonic()
    for place in range(0, len(body), 10_000):
        assert wire.send(body[place : place + 10_000])
        time.sleep(0.05)
    assert time.monotonic() - began > 3 * QUICK.body_s
    assert wire.head().startswith(b"HTTP/1.1 303 ")
    seq = Tokens.of(workspace.keys(), 1).read(receipt.rpartition("/")[2][:TOKEN_LENGTH], Purpose.RECEIPT).number
    with workspace.register() as register:
        (kept,) = register.attachments.of(register.objections.reference_of(seq) or "")
        assert register.attachments.read(kept.id) == content


def test_an_answer_that_nobody_reads_ends(quick: Thread) -> None:
    ask = b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    wire = Wire(quick.port, ask * 10, window=4096)
    assert eventually(lambda: len(quick.crowd) == 1)
    until = time.monotonic() + 8
    while len(quick.crowd) and time.monotonic() < until:
        wire.send(ask)
        time.sleep(0.05)
    assert len(quick.crowd) == 0


def test_an_answer_that_is_read_slowly_is_given(start: Start) -> None:
    served = start(replace(QUICK, idle_s=3.0))
    ask = b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n"
    wire = Wire(served.port, (ask + b"\r\n") * 9 + ask + b"Connection: close\r\n\r\n", window=4096)
    found = 0
    while part := wire.socket.recv(16_384):
        found += len(part)
        time.sleep(0.01)
    assert found > 10 * 20_000


@pytest.mark.parametrize("more", [b"", b"\r\n"])
def test_a_connection_without_a_request_ends(quick: Thread, more: bytes) -> None:
    wire = Wire(quick.port, b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n")
    assert wire.head()
    wire.send(more)
    assert eventually(lambda: len(quick.crowd) == 0, 3)


# large


def test_forty_half_sent_bodies_hold_little_whether_a_form_takes_a_file_or_not(serve: Callable[..., Served]) -> None:
    served = serve()
    receipt = objected(served.port)
    assert served.get(receipt).status_code == 200
    before, chunk = served.memory(), b"x" * (1 << 20)
    for path in ("/en/object", receipt + "/add"):
        wires = []
        for _ in range(40):
            wire = Wire(served.port, upload(path, 10 << 20))
            all(wire.send(chunk) for _ in range(5))
            wires.append(wire)
        assert served.memory() - before < 60
        assert served.get("/en/").status_code == 200
        for each in wires:
            each.close()
    _, said = served.stop()
    told = [json.loads(line) for line in said.splitlines()]
    assert not [line for line in told if "error" in line or line.get("status", 0) >= 500]


def test_all_bodies_together_and_those_of_an_address_have_a_bound(start: Start) -> None:
    served = start(replace(QUICK, body_s=30.0, bodies=3_000_000, bodies_by_address=1_000_000))
    path = objected(served.port) + "/add"
    wires = []
    for number in range(12):
        wires.append(Wire(served.port, upload(path, 9_000_000), address=f"127.0.0.{number // 3 + 2}"))
        wires[-1].send(b"x" * 450_000)
        time.sleep(0.05)
        assert served.crowd.held < 3_000_000 + 300_000
    assert eventually(lambda: sum(not each.ended for each in wires) <= 8)
    assert not wires[-1].ended, "the newest has its place"
    assert "/en/receipt/" in objected(served.port)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (BEGUN + b"a" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"x" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(100_000)), 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 999) for n in range(40)) + b"\r\n", 431),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /" + b"a" * 1_000_000, 414),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /en/object HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
    ids=["header", "name", "many", "endless", "together", "url", "urls", "nonsense", "both lengths"],
)
def test_a_head_has_a_size(quick: Thread, sent: bytes, status: int) -> None:
    wire = Wire(quick.port, sent)
    assert wire.status() in {status, 0}, "0: it was ended while we sent, and the system drops what came"


def test_a_refusal_without_the_application_has_the_headers_of_every_answer(quick: Thread) -> None:
    told = Wire(quick.port, b"nonsense\r\n\r\n").rest()
    assert told.startswith(b"HTTP/1.1 400 ")
    assert CSP.encode() in told
    assert b"cache-control: no-store" in told


def test_a_body_in_chunks_without_an_end_ends(quick: Thread) -> None:
    wire = Wire(quick.port, b"POST /en/object HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + FORM + b"\r\n")
    chunk = b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
    began = time.monotonic()
    while wire.send(chunk) and time.monotonic() - began < 8:
        time.sleep(0.01)
    assert time.monotonic() - began < 4
    assert eventually(lambda: len(quick.crowd) == 0)


@pytest.mark.parametrize(
    "junk", [b"1;" + b"x" * 60_000 + b"\r\na\r\n", b"0\r\n" + b"X: a\r\n" * 9000], ids=["ext", "trailer"]
)
def test_what_is_no_body_in_chunks_has_a_size_too(start: Start, junk: bytes) -> None:
    served = start(replace(QUICK, body_s=30.0))
    wire = Wire(served.port, b"POST /en/object HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + FORM + b"\r\n")
    sent = 0
    while wire.send(junk) and sent < 20:
        sent += 1
        time.sleep(0.02)
    assert sent < 20
    assert eventually(lambda: len(served.crowd) == 0)


def test_who_asks_before_sending_is_told_before_sending(quick: Thread) -> None:
    expect = b"Expect: 100-continue\r\n"
    refused = Wire(quick.port, post("/en/object", b"", expect, length=10_000_000)).rest()
    assert refused.startswith(b"HTTP/1.1 413 ")
    taken = Wire(quick.port, post("/en/object", b"", expect, length=len(b"account=ann")))
    assert taken.head().startswith(b"HTTP/1.1 100 ")
    taken.send(b"account=ann")
    assert taken.head().startswith(b"HTTP/1.1 303 ")


def test_the_refusal_of_a_large_body_is_read_though_all_of_it_is_sent(start: Start) -> None:
    wire = Wire(start(replace(QUICK, linger_s=3.0)).port, upload("/en/object", 5_000_000))
    assert wire.send(b"x" * 4_000_000)
    assert wire.head().startswith(b"HTTP/1.1 413 ")


def test_requests_may_be_sent_ahead_but_not_any_number(quick: Thread) -> None:
    ask = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n"
    few = Wire(quick.port, (ask + b"\r\n") * 8 + ask + b"Connection: close\r\n\r\n").statuses()
    assert len(few) == 9
    assert len(set(few)) == 1
    many = Wire(quick.port, (ask + b"\r\n") * 10_000).statuses()
    assert len(many) <= QUICK.pipelined + 1


@pytest.mark.parametrize("fields", [1000, 15_000])
def test_a_form_has_so_many_fields(quick: Thread, fields: int) -> None:
    assert Wire(quick.port, post("/en/object", b"a=&" * fields, b"Connection: close\r\n")).status() == 400
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    body = part * fields + b"--b--\r\n"
    kind = {"content-type": "multipart/form-data; boundary=b"}
    for path in ("/en/object", objected(quick.port) + "/add"):
        answer = httpx.post(f"http://127.0.0.1:{quick.port}{path}", content=body, headers=kind)
        assert answer.status_code in {400, 413}


def test_a_million_fields_are_refused_unread(quick: Thread) -> None:
    body = urlencode([("a", "")] * 1_000_000).encode()
    assert Wire(quick.port, post("/en/object", body)).head().startswith(b"HTTP/1.1 413 ")


# the log, the files


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(each.message) for each in caplog.records if each.name == "demur.web"]


def test_an_aborted_upload_is_one_plain_line(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "demur.web")
    served = start(replace(QUICK, body_s=30.0))
    receipt = objected(served.port)
    assert eventually(lambda: bool(lines(caplog))), "its own line comes after its answer"
    for path in ("/en/object", receipt + "/add"):
        caplog.clear()
        wire = Wire(served.port, upload(path, 60_000) + b"x" * 20_000)
        time.sleep(0.1)
        wire.close()
        assert eventually(lambda: bool(lines(caplog)), 5)
        (line,) = lines(caplog)
        assert line["status"] == 499
        assert "error" not in line
        assert not [each for each in caplog.records if each.levelno > logging.INFO or each.exc_info]


def test_every_line_of_the_log_has_a_time_and_nothing_of_a_request(serve: Callable[..., Served]) -> None:
    served = serve()
    receipt = objected(served.port)
    served.get(receipt + "?secret=query")
    Wire(served.port, b"nonsense secret\r\n\r\n").rest()
    Wire(served.port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: secret\r\n\r\n").head()
    Wire(served.port, upload(receipt + "/add", 60_000)).close()
    for _ in range(410):
        Wire(served.port, BEGUN)
    time.sleep(1.2)
    Wire.hang_up()  # or the server waits for what they may still ask
    _, said = served.stop()
    told = [json.loads(line) for line in said.splitlines()]
    assert len(told) >= 6
    for line in told:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert "Traceback" not in said
    for secret in ("secret", "127.0.0.1", receipt.rpartition("/")[2], "ann"):
        assert secret not in said


def test_what_the_server_writes_is_for_its_own_account_alone(
    serve: Callable[..., Served], workspace: Workspace
) -> None:
    before = {path: path.stat().st_mtime_ns for path in workspace.root.rglob("*")}
    served = serve()
    receipt = objected(served.port)
    httpx.post(f"{served.url}{receipt}/add", files={"file": ("a.txt", b"text " * 50_000)})
    now = {path: path.stat() for path in workspace.root.rglob("*")}
    written = [path for path, found in now.items() if path.is_file() and before.get(path) != found.st_mtime_ns]
    assert written
    assert not [path for path in written if stat.S_IMODE(now[path].st_mode) & 0o077]
    served.stop()
