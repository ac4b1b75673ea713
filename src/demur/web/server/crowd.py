"""Who is connected to the server, for how long each may make it wait, and who goes when there is no more room.

Invariants: whoever the server waits for (for the head of a request, its body, the reading of an answer, the next
request) has a time in which to do it, and goes when that is over; somebody whose request is being worked on never
goes. Where all places are taken, or all room for bodies, or one address has all that an address gets, those go who
have used up most of their time: newcomers get in, and whoever makes progress stays. Nothing here knows of HTTP.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

_MB: Final = 1024 * 1024
_AT_ONCE: Final = 20
"""One of so many goes when there is no more room: looking at everybody for each newcomer would take too long."""


@dataclass(frozen=True)
class Bounds:
    """What clients may take; times in seconds, sizes in bytes."""

    connections: int = 2000
    """At a time."""
    by_address: int = 400
    """At a time, from one address (an IPv6 /64 is one): a company or a mobile network may stand behind it."""
    bodies: int = 256 * _MB
    """Of all bodies that are being received and worked on."""
    bodies_by_address: int = 64 * _MB
    """Of bodies from one address."""
    head_s: float = 10.0
    """For a request line and its headers, from the first byte; and for the first byte of a connection."""
    head: int = 32 * 1024
    """Of request line and headers."""
    url: int = 16 * 1024
    """Of what is asked for: the token of a platform may stand in it."""
    headers: int = 100
    """Headers (or trailers) of a request."""
    body_s: float = 20.0
    """For a body, before what its size adds; and for the next byte of it."""
    rate: float = 8 * 1024
    """Bytes that add a second, to the time for a body and to that for reading an answer: slower is too slow."""
    write_s: float = 20.0
    """For reading an answer, before what its size adds."""
    idle_s: float = 5.0
    """For the next request on a connection."""
    linger_s: float = 5.0
    """For the rest of a body after the answer: it is thrown away, so that the answer can be read."""
    pipelined: int = 16
    """Requests on one connection that wait for their turn."""
    framing: int = 128 * 1024
    """Of a body in chunks, what is not the body, beyond as much again as the body."""

    @property
    def look_s(self) -> float:
        """How often everybody's time is looked at."""
        return min(1.0, *(each / 4 for each in (self.head_s, self.body_s, self.write_s, self.idle_s, self.linger_s)))


class Why(StrEnum):
    """What the server waits for, and why a connection ends."""

    HEAD = "head"
    BODY = "body"
    READING = "reading"
    """Of an answer by the client."""
    REST = "rest"
    """Of a body that is no longer wanted."""
    NEXT = "next"
    """Request."""
    ROOM = "room"
    """There is none."""


class Wait(NamedTuple):
    """A wait for a client."""

    why: Why
    began: float
    """Of the loop's clock, in seconds."""
    allowed: float
    """Seconds."""

    def used(self, now: float) -> float:
        """The share of the allowed time that is used up; 1 and more: all of it."""
        return (now - self.began) / self.allowed


class Client(Protocol):
    """Somebody who is connected."""

    address: str
    """What their address counts as; empty where it says nothing, as that of a proxy or a local socket."""
    held: int
    """Bytes of their body that are held; the crowd sets it."""

    def waits(self, now: float) -> Wait | None:
        """What the server waits for; None while it is at work itself."""

    def end(self, why: Why) -> None:
        """Go, with an answer where one can still be given."""


class Crowd:
    """All who are connected to one server; belongs to the thread of its loop.

    Args:
        bounds: what they may take.
        proxies: addresses that stand for others, and are not counted as one client's.
        report: is told how many ended for which reason, whenever some did.
    """

    def __init__(
        self,
        bounds: Bounds,
        proxies: Container[str] = (),
        report: Callable[[Counter[Why]], None] = lambda _: None,
    ) -> None:
        self.bounds = bounds
        self.held = 0
        """Bytes of bodies."""
        self._proxies = proxies
        self._report = report
        self._clients: dict[Client, None] = {}
        self._by_address: dict[str, _Address] = {}
        self._ended: Counter[Why] = Counter()
        self._looking: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._clients)

    def counts_as(self, address: str) -> str:
        """What a client's address counts as; empty for a proxy."""
        return "" if address in self._proxies else address

    def enter(self, client: Client) -> bool:
        """Let a client in, if need be in another's place; whether there was room."""
        if self._from(client) >= self.bounds.by_address:
            self._make_room(self._by_address[client.address].clients, 1 + self.bounds.by_address // _AT_ONCE)
        if len(self._clients) >= self.bounds.connections:
            self._make_room(self._clients, 1 + self.bounds.connections // _AT_ONCE)
        if len(self._clients) >= self.bounds.connections or self._from(client) >= self.bounds.by_address:
            self._note(Why.ROOM)
            return False
        self._clients[client] = None
        if client.address:
            self._by_address.setdefault(client.address, _Address()).clients[client] = None
        if self._looking is None:
            self._look_later()
        return True

    def leave(self, client: Client) -> None:
        """Forget a client; one that never came in is no error."""
        self.release(client)
        self._clients.pop(client, None)
        own = self._by_address.get(client.address)
        if own is not None:
            own.clients.pop(client, None)
            if not own.clients:
                del self._by_address[client.address]

    def hold(self, client: Client, size: int) -> None:
        """Count bytes of a body that came in; where that is too much, the slowest of those who send one goes."""
        if client not in self._clients:
            return
        client.held += size
        self.held += size
        own = self._by_address.get(client.address)
        if own is not None:
            own.held += size
            if own.held > self.bounds.bodies_by_address:
                self._make_room(_large(own.clients, own.held), 1)
        if self.held > self.bounds.bodies:
            self._make_room(_large(self._clients, self.held), 1)

    def release(self, client: Client) -> None:
        """What a client sent is held no more."""
        self.held -= client.held
        if (own := self._by_address.get(client.address)) is not None:
            own.held -= client.held
        client.held = 0

    def _from(self, client: Client) -> int:
        """How many are connected from a client's address."""
        own = self._by_address.get(client.address)
        return 0 if own is None else len(own.clients)

    def _make_room(self, among: Iterable[Client], places: int) -> None:
        """Let those go that have used up most of their time."""
        now = asyncio.get_running_loop().time()
        waiting = ((wait.used(now), number, each) for number, each in enumerate(among) if (wait := each.waits(now)))
        for _, _, client in heapq.nlargest(places, waiting):
            self._end(client, Why.ROOM)

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(self.bounds.look_s, self._look)

    def _look(self) -> None:
        """Let those go whose time is over."""
        now = asyncio.get_running_loop().time()
        for client in list(self._clients):
            wait = client.waits(now)
            if wait is not None and wait.used(now) >= 1:
                self._end(client, wait.why)
        if self._ended:
            ended, self._ended = self._ended, Counter()
            self._report(ended)
        self._looking = None
        if self._clients:
            self._look_later()

    def _end(self, client: Client, why: Why) -> None:
        self._note(why)
        self.leave(client)
        client.end(why)

    def _note(self, why: Why) -> None:
        if why is not Why.NEXT:  # what clients do, and no trouble
            self._ended[why] += 1
            if self._looking is None:
                self._look_later()


def _large(clients: Collection[Client], held: int) -> list[Client]:
    """Those whose bodies are no small part of what is held: nothing is won by letting the others go."""
    return [each for each in clients if 2 * each.held * len(clients) >= held]


class _Address:
    """Who is connected from one address, and how much of bodies is held for them."""

    def __init__(self) -> None:
        self.clients: dict[Client, None] = {}
        self.held = 0
