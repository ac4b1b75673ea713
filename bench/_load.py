"""A load generator for POST /api/objections: raw HTTP/1.1 on kept connections, so that it costs the server little.

Run as a process of its own: ``python bench/_load.py PORT KEY SECONDS CONNECTIONS RATE FIRST once|plain``. RATE 0 sends
the next request once the last is answered (closed loop), else requests begin at their appointed times whether or not
earlier ones were answered, and a latency counts from the appointed time (open loop, no coordinated omission). FIRST is
the number of the first account; once gives each request an Idempotency-Key. Prints JSON.
"""

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import uvloop

DRAIN_S = 30


@dataclass
class Run:
    """One run, and what came of it."""

    port: int
    key: str
    seconds: float
    connections: int
    rate: float
    number: int
    """Of the next account."""
    once: bool = False
    """Whether each request has an Idempotency-Key."""
    acknowledged: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0

    def request(self) -> bytes:
        """The next request, for an account of its own."""
        self.number += 1
        body = b'{"accounts":["forum:member_%d"],"channel":"api"}' % self.number
        head = (
            f"POST /api/objections HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"{f'Idempotency-Key: load-{self.number}' + chr(13) + chr(10) if self.once else ''}\r\n"
        )
        return head.encode() + body


class Connection(asyncio.Protocol):
    """One kept connection with at most one request under way."""

    def __init__(self, run: Run, free: "deque[Connection]", answered: asyncio.Event) -> None:
        self._run, self._free, self._answered = run, free, answered
        self._transport: asyncio.Transport
        self._buffer = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def send(self, since: float) -> None:
        """Send the next request, whose latency counts from ``since``."""
        self._since = since
        self._transport.write(self._run.request())

    def data_received(self, data: bytes) -> None:
        """Note an answer, once all of it is there."""
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._buffer = b""
        run, now = self._run, time.perf_counter()
        run.latencies.append(now - self._since)
        if head.startswith(b"HTTP/1.1 201 "):
            run.acknowledged += 1
        else:
            run.refused += 1
        run.ended = now
        if run.rate == 0 and now - run.began < run.seconds:
            self.send(now)
        else:
            self._free.append(self)
            self._answered.set()


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at:].split(b"\r\n", 1)[0])


async def work(run: Run) -> None:
    """Runs it."""
    loop = asyncio.get_running_loop()
    free: deque[Connection] = deque()
    answered = asyncio.Event()
    for _ in range(run.connections):
        _, made = await loop.create_connection(lambda: Connection(run, free, answered), "127.0.0.1", run.port)
        free.append(made)
    every = list(free)
    run.began = time.perf_counter()
    if run.rate:
        await _appointed(run, free, answered)
    else:
        free.clear()
        for each in every:
            each.send(run.began)
    until = time.perf_counter() + run.seconds + DRAIN_S
    while len(free) < len(every) and time.perf_counter() < until:  # noqa: ASYNC110  # the end, not the measurement
        await asyncio.sleep(0.02)


async def _appointed(run: Run, free: "deque[Connection]", answered: asyncio.Event) -> None:
    for number in range(int(run.seconds * run.rate)):
        due = run.began + number / run.rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        while not free:
            answered.clear()
            await answered.wait()
        free.popleft().send(due)


def main() -> None:
    """Prints what came of it."""
    port, key, seconds, connections, rate, first, once = sys.argv[1:]
    run = Run(int(port), key, float(seconds), int(connections), float(rate), int(first), once == "once")
    uvloop.run(work(run))
    took = run.ended - run.began
    told = {"acknowledged": run.acknowledged, "refused": run.refused, "seconds": took, "latencies": run.latencies}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
