"""The window: never more than GROUP are begun and not on record, whoever is slow, and each is begun once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import pytest

from demur.worker.transport import GROUP, SENT, Fate, Handover
from demur.worker.window import Window

CLOSED = Handover(Fate.CLOSED, "no connection")


@dataclass
class Watched:
    """What is begun and not on record, as seen from outside."""

    answer: Callable[[int], Handover] = lambda _: SENT
    slow_s: float = 0.0
    begun: list[int] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def carry(self, one: int) -> Handover:
        with self._lock:
            self.begun.append(one)
            self.most = max(self.most, len(self.begun) - len(self.recorded))
        time.sleep(self.slow_s * (1 + one % 3))
        return self.answer(one)


def run(
    watched: Watched, number: int, lines: int, record_s: float = 0.0, may: Callable[[], bool] = lambda: True
) -> Window[int]:
    window = Window(range(number), lines, may)
    with ThreadPoolExecutor(lines) as pool:
        threads = [pool.submit(window.carry, watched.carry) for _ in range(lines)]
        while some := window.answered():
            time.sleep(record_s)
            watched.recorded += [one for one, _ in some]
            watched.groups.append(len(some))
            window.recorded(len(some))
        window.end()
        wait(threads)
    return window


@pytest.mark.parametrize("lines", [1, 4, GROUP])
@pytest.mark.parametrize(("slow_s", "record_s"), [(0.0, 0.0), (0.001, 0.0), (0.0, 0.002), (0.001, 0.002)])
def test_each_is_begun_once_and_at_most_a_window_is_not_on_record(lines: int, slow_s: float, record_s: float) -> None:
    watched = Watched(slow_s=slow_s)
    window = run(watched, 57, lines, record_s)
    assert watched.begun == sorted(watched.begun) or lines > 1
    assert sorted(watched.begun) == sorted(watched.recorded) == list(range(57))
    assert lines <= watched.most <= GROUP or slow_s == 0
    assert watched.most <= GROUP
    assert max(watched.groups) <= GROUP
    assert window.left == []


def test_what_leaves_goes_on_while_others_are_put_on_record() -> None:
    watched = Watched()
    window = Window(range(30), 4, lambda: True)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(window.carry, watched.carry)
        some = window.answered()
        until = time.monotonic() + 10
        while len(watched.begun) < GROUP and time.monotonic() < until:
            time.sleep(0.001)
        assert len(watched.begun) == GROUP, "nobody waits for the record while there is room"
        time.sleep(0.02)
        assert len(watched.begun) == GROUP, "and nobody goes beyond it"
        while some:
            window.recorded(len(some))
            some = window.answered()
    assert len(watched.begun) == 30


def test_a_few_transactions_do() -> None:
    watched = Watched(slow_s=0.001)
    run(watched, 200, 4, record_s=0.002)
    assert len(watched.groups) <= 200 / 4, "each takes several"


def test_where_the_record_is_slow_it_takes_all_that_may_be_open() -> None:
    watched = Watched(slow_s=0.001)
    run(watched, 100, 4, record_s=0.05)
    assert set(watched.groups[1:-1]) == {GROUP}


@pytest.mark.parametrize("lines", [1, 4])
def test_nothing_is_begun_once_the_way_is_shut(lines: int) -> None:
    watched = Watched(answer=lambda one: CLOSED if one == 5 else SENT, slow_s=0.001)
    window = run(watched, 40, lines)
    assert 6 <= len(watched.begun) <= 6 + 3 * (lines - 1)
    assert sorted(watched.recorded) == sorted(watched.begun)
    assert sorted(watched.begun) + window.left == list(range(40)), "the rest is given back"


def test_nothing_is_begun_once_it_may_not_go_on() -> None:
    watched = Watched()
    window = run(watched, 40, 4, may=lambda: len(watched.begun) < 12)
    assert 12 <= len(watched.recorded) <= 15
    assert sorted(watched.begun) + window.left == list(range(40))


def test_where_recording_fails_what_was_not_begun_is_left() -> None:
    watched = Watched()
    window = Window(range(40), 4, lambda: True)
    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(window.carry, watched.carry) for _ in range(4)]
        assert window.answered()
        window.end()
        wait(threads, 10)
    assert len(watched.begun) <= GROUP
    assert sorted(watched.begun) + window.left == list(range(40))
