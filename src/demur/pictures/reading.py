"""Pictures of an export, read by a few processes that can be lost.

Invariants: this process decodes nothing; answers come in the order of the files; a few files are in flight at most,
so memory does not grow with their number; a picture costs itself at most, whatever it does to its reader. The same
file gives the same bytes under the same READER and the same versions of the decoders.
"""

import queue
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from demur.errors import UsageError
from demur.extras import has, need
from demur.pictures.child import Child
from demur.pictures.limits import LONGEST_SIDES, MAX_BYTES
from demur.pictures.refusals import OF_RIGHTS, Why
from demur.terms import PictureReason

READER: Final = 1
"""Goes up with every change of what a file is read to: what rests was then read by another reader."""

_IN_FLIGHT: Final = 2  # per process


@dataclass(frozen=True)
class Picture:
    """A picture as it rests: upright, in sRGB, and nothing beside its pixels."""

    data: bytes
    """The file."""
    type: str
    """Its media type: ``image/jpeg``."""
    width: int
    height: int
    thumbnail: bytes
    """Luma (ITU-R BT.601), one byte a pixel, row by row from the top: shape (thumbnail_height, thumbnail_width)."""
    thumbnail_width: int
    thumbnail_height: int
    """The longest side of a thumbnail has 256 pixels, or as many as the picture where it is smaller."""


@dataclass(frozen=True)
class Unread:
    """A picture that is not used."""

    reason: PictureReason
    """RIGHTS or UNREADABLE."""
    why: str
    """The end of a sentence; holds nothing of the picture."""


class Readers:
    """Processes that read pictures; a context manager, at whose end they end.

    A process is started with the first picture that needs it: a run without pictures costs nothing.
    """

    def __init__(self, processes: int = 2, longest_side: int = 1024) -> None:
        """Get ready.

        Args:
            processes: how many read at once, each on a core of its own.
            longest_side: pixels of the longest side of a picture at rest; a smaller picture is not enlarged.

        Raises:
            UsageError: the extra is not installed, the system can't bound a process, or a number is out of bounds.
        """
        need("Reading pictures", "pictures", "PIL", "pillow_heif")
        if not has("resource"):
            raise UsageError("Pictures can't be read on this system, which can't bound a process: use Linux.")
        if processes < 1:
            raise UsageError(f"Pictures need at least one process to read them, not {processes}.")
        if longest_side not in LONGEST_SIDES:
            raise UsageError(
                f"The longest side of a picture is {min(LONGEST_SIDES)} to {max(LONGEST_SIDES):,} pixels, "
                f"not {longest_side:,}."
            )
        self._longest_side, self._in_flight = longest_side, processes * _IN_FLIGHT
        self._threads = ThreadPoolExecutor(processes, "picture")
        self._idle: queue.SimpleQueue[Child | None] = queue.SimpleQueue()
        for _ in range(processes):
            self._idle.put(None)
        self._started: set[Child] = set()
        self._is_closing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in list(self._started):
            child.stop()  # whoever went away waits for no picture
        self._threads.shutdown()
        for child in self._started:
            child.end()

    def read(self, files: Iterable[bytes]) -> Iterator[Picture | Unread]:
        """What becomes of each file, in their order.

        Raises:
            UsageError: a reader's process does not start.
        """
        running: deque[Future[Picture | Unread]] = deque()
        try:
            for data in files:
                running.append(self._threads.submit(self._read, data))
                if len(running) >= self._in_flight:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:  # whoever asked went away, or a process did not start
            for each in running:
                each.cancel()

    def _read(self, data: bytes) -> Picture | Unread:
        if len(data) > MAX_BYTES:
            return _unread(Why.BYTES)
        child = self._idle.get()
        try:
            child = self._fresh(child)
            found = child.read(data, self._longest_side)
        finally:
            self._idle.put(child)
        return _unread(found) if isinstance(found, Why) else Picture(found[0], "image/jpeg", *found[1:])

    def _fresh(self, child: Child | None) -> Child:
        if child is not None:
            if child.is_fresh:
                return child
            child.end()
            self._started.discard(child)
        child = Child()
        self._started.add(child)
        if self._is_closing:  # it was still starting when the others were stopped
            child.stop()
        return child


def _unread(why: Why) -> Unread:
    return Unread(PictureReason.RIGHTS if why in OF_RIGHTS else PictureReason.UNREADABLE, why.value)
