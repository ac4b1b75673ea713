"""Pictures go through processes that can be lost, and come back in order."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from picturing import image, jpeg_with, packet

from _pictures import photo, saved
from demur.errors import UsageError
from demur.pictures import child as asking
from demur.pictures.child import Child
from demur.pictures.reading import Picture, Readers, Unread
from demur.pictures.refusals import ORDER, Why
from demur.pictures.wire import Malformed, answered, is_plain
from demur.terms import PictureReason

FILE = saved(image(), "JPEG")

Bad = Callable[[str], None]


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Bad:
    """Have readers do something else with a file that is `bad`: a statement, in which `w` is the module that works."""

    def does(what: str) -> None:
        monkeypatch.setattr(
            asking,
            "_COMMAND",
            "import os, signal, socket, sys, time\nimport demur.pictures.working as w\nread = w.read_one\n"
            f"def read_one(data, side):\n    if data == b'bad':\n        {what}\n    return read(data, side)\n"
            "w.read_one = read_one\nw.work()",
        )

    return does


def whys(*files: bytes) -> list[str | None]:
    """Why each was not read, by one process at a time; None of a picture."""
    with Readers(1) as readers:
        return [found.why if isinstance(found, Unread) else None for found in readers.read(files)]


def test_pictures_come_back_small_and_in_order() -> None:
    files = [saved(photo(1), "JPEG"), b"", b"<html>", saved(image(90, 120), "PNG")]
    with Readers(2) as readers:
        big, empty, page, small = readers.read(files)
    assert isinstance(big, Picture)
    assert (big.type, big.width, big.height) == ("image/jpeg", 1024, 768)
    assert (big.thumbnail_width, big.thumbnail_height, len(big.thumbnail)) == (256, 192, 256 * 192)
    assert isinstance(small, Picture)
    assert (small.width, small.height, len(small.thumbnail)) == (90, 120, 90 * 120)
    assert empty == Unread(PictureReason.UNREADABLE, "it is empty")
    assert page == Unread(PictureReason.UNREADABLE, "it is no JPEG, PNG, WebP, GIF or HEIC")


def test_a_reservation_is_a_reason_of_its_own() -> None:
    with Readers(1) as readers:
        (found,) = readers.read([jpeg_with(packet("<tdm:reservation>1</tdm:reservation>"))])
    assert found == Unread(PictureReason.RIGHTS, "its metadata reserves text and data mining (tdm:reservation)")


def test_the_same_file_gives_the_same_bytes_in_any_process() -> None:
    file = saved(photo(2, 700, 500), "JPEG")
    with Readers(2) as readers:
        first, *others = readers.read([file] * 6)
    assert all(other == first for other in others)


def test_a_few_files_are_held_however_many_there_are() -> None:
    taken = 0

    def files() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield FILE

    with Readers(2) as readers:
        for number, found in enumerate(readers.read(files()), 1):
            assert isinstance(found, Picture)
            assert taken <= number + 4
    assert taken == 40


def test_whoever_stops_early_leaves_nothing_running() -> None:
    with Readers(2) as readers:
        pictures = readers.read(FILE for _ in range(1000))
        next(pictures)
        other = readers.read([b"", FILE])
        assert isinstance(next(other), Unread)
        pictures.close()  # type: ignore[attr-defined]
        assert isinstance(next(other), Picture)
        pids = processes_of(readers)
        assert pids
    assert not any(map(is_running, pids))


def test_whoever_goes_away_waits_for_no_picture(bad: Bad) -> None:
    bad("time.sleep(1000)")
    began = time.monotonic()
    for pause in (0.0, 0.4):  # while a process starts, and while it hangs
        with Readers(2) as readers:
            next(readers.read([FILE, *[b"bad"] * 6]))
            time.sleep(pause)
    assert time.monotonic() - began < 60


def processes_of(readers: Readers) -> list[int]:
    """Ids of the processes that were started; only while none is asked."""
    children = [readers._idle.get() for _ in range(readers._idle.qsize())]
    for each in children:
        readers._idle.put(each)
    return [each._process.pid for each in children if each is not None]


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("os.abort()", Why.DIED),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Why.DIED),
        ("os._exit(0)", Why.DIED),
        ("os.write(1, b'\\xff' * 100); time.sleep(1)", Why.DIED),
        ("keep = bytearray(2 << 30)", Why.MEMORY),
        ("raise MemoryError", Why.MEMORY),
        ("raise RecursionError", Why.BROKEN),
        ("open('/dev/null')", Why.BROKEN),
        ("socket.socket()", Why.BROKEN),
        ("os.pipe()", Why.BROKEN),
        ("os.dup(0)", Why.BROKEN),
    ],
)
def test_what_a_picture_does_to_its_reader_costs_that_picture(bad: Bad, what: str, why: Why) -> None:
    bad(what)
    assert whys(FILE, b"bad", FILE, b"bad", FILE) == [None, why, None, why, None]


def test_a_picture_that_computes_without_end_is_ended(bad: Bad) -> None:
    bad("w.MAX_CPU = 1; w._allow_time()\n        while True: pass")
    assert whys(FILE, b"bad", FILE) == [None, Why.TIME, None]


def test_a_picture_that_hangs_is_ended(bad: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_WALL", 1.0)
    bad("time.sleep(1000)")
    began = time.monotonic()
    assert whys(FILE, b"bad", FILE) == [None, Why.TIME, None]
    assert time.monotonic() - began < 60


def test_a_reader_that_hangs_before_it_takes_its_file_is_ended(bad: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_WALL", 1.0)
    bad("w.wire.asked = lambda came: time.sleep(1000)")
    assert whys(b"bad", bytes(1 << 22), FILE) == [Why.FORMAT, Why.TIME, None]


def test_a_process_that_somebody_ended_between_two_pictures_costs_none() -> None:
    with Readers(1) as readers:
        assert isinstance(next(readers.read([FILE])), Picture)
        (pid,) = processes_of(readers)
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
            time.sleep(0.01)
        assert isinstance(next(readers.read([FILE])), Picture)
        assert processes_of(readers) != [pid]


def test_a_process_is_replaced_after_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PICTURES_A_PROCESS", 2)
    with Readers(1) as readers:
        seen = []
        for found in map(lambda file: next(readers.read([file])), [FILE] * 5):  # noqa: C417  # one at a time
            assert isinstance(found, Picture)
            seen += processes_of(readers)
    assert [seen.count(pid) for pid in dict.fromkeys(seen)] == [2, 2, 1]


def test_a_reader_has_no_secret_of_who_started_it(bad: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMUR_SECRET", "of the workspace")
    bad("raise w.Refused(w.Why.TIME if any('DEMUR' in name for name in os.environ) else w.Why.PIXELS)")
    assert whys(b"bad") == [Why.PIXELS]


def test_a_reader_can_write_nothing_and_leaves_no_core(bad: Bad) -> None:
    bad(
        "import resource as r; limits = [r.getrlimit(x) for x in (r.RLIMIT_FSIZE, r.RLIMIT_CORE, r.RLIMIT_NOFILE)]\n"
        "        raise w.Refused(w.Why.PIXELS if limits == [(0, 0)] * 3 else w.Why.TIME)"
    )
    assert whys(b"bad") == [Why.PIXELS]


def test_readers_end_with_whoever_started_them(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, signal, sys\nfrom demur.pictures.child import Child\nchild = Child()\n"
        "print(child._process.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    until = time.monotonic() + 60
    while is_running(pid) and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" and time.monotonic() < until:
        time.sleep(0.05)
    assert time.monotonic() < until


def test_a_system_that_gives_less_is_asked_for_less() -> None:
    code = (
        "import resource, sys\nfrom demur.pictures.child import Child\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (5, 10))\n"
        f"child = Child()\nfound = child.read({FILE!r}, 1024)\nchild.end()\nsys.exit(0 if found[1] == 48 else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("command", ["raise SystemExit(1)", "print('demur, but not pictures')", "import nothing_there"])
def test_a_reader_that_does_not_start_is_said(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_COMMAND", command)
    with Readers(2) as readers, pytest.raises(UsageError, match="The process that reads pictures does not start"):
        list(readers.read([FILE] * 9))


def test_a_reader_that_says_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_COMMAND", "import time; time.sleep(1000)")
    monkeypatch.setattr(asking, "MAX_START", 0.5)
    with pytest.raises(UsageError, match="does not start"):
        Child()


def test_what_is_asked_out_of_bounds_is_said() -> None:
    for wrong, said in (
        ({"processes": 0}, "at least one process"),
        ({"longest_side": 8}, "16 to 4,096 pixels, not 8"),
        ({"longest_side": 10_000}, "not 10,000"),
    ):
        with pytest.raises(UsageError, match=said):
            Readers(**wrong)


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UsageError, match=r"Reading pictures needs demur\[pictures\]"):
        Readers()


def test_this_process_decodes_nothing() -> None:
    code = (
        "import sys; from demur.pictures.reading import Readers\n"
        "with Readers(1) as readers:\n"
        f"    (found,) = readers.read([{FILE!r}])\n"
        "assert found.width == 48, found\n"
        "print(sorted({'PIL', 'pillow_heif', 'cv2', 'lxml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "[]\n"


def answer_of(data: bytes) -> Callable[[int], bytes]:
    at = 0

    def read(length: int) -> bytes:
        nonlocal at
        at += length
        return data[at - length : at]

    return read


def written(
    data: bytes = FILE, size: tuple[int, int] = (48, 32), small: tuple[int, int] = (2, 2), what: int = len(ORDER)
) -> bytes:
    numbers = b"".join(number.to_bytes(2, "big") for number in (*size, *small))
    return bytes((what,)) + len(data).to_bytes(4, "big") + numbers + data + bytes(small[0] * small[1])


def test_an_answer_is_believed_only_as_far_as_a_reader_would_say_it() -> None:
    assert answered(answer_of(written()), 1024) == (FILE, 48, 32, bytes(4), 2, 2)
    for why in Why:
        assert answered(answer_of(bytes((ORDER.index(why),))), 1024) == why
    for wrong in (
        written(what=len(ORDER) + 1),
        written(what=255),
        written(size=(32, 48)),
        written(size=(0, 32)),
        written(small=(257, 1)),
        written(small=(0, 1)),
        written(data=FILE + b"trailer"),
        written(data=FILE[:20] + b"\xff\xe1\0\x04ab" + FILE[20:]),
        written(data=FILE[:20] + b"\xff\xfe\0\x04ab" + FILE[20:]),
        written(data=FILE[:-2] + FILE),
        written(data=FILE[:5] + b"\x12" + FILE[6:20] + b"ab" + FILE[20:]),  # JFIF with more than its head
        written(data=saved(image(), "JPEG", progressive=True)),
        written(data=saved(image(), "JPEG", comment=b"x")),
        written(data=saved(image(), "PNG")),
        written(data=b""),
    ):
        with pytest.raises(Malformed):
            answered(answer_of(wrong), 1024)
    with pytest.raises(Malformed):
        answered(answer_of(written()), 40)
    assert is_plain(FILE, 48, 32)


def test_no_thread_is_left() -> None:
    with Readers(3) as readers:
        list(readers.read([FILE] * 9))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("picture")]
