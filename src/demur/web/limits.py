"""How often one address, or one identifier, may ask.

Invariants: what is counted is a keyed hash, under a key that ends with the process; the memory is bounded, and
whoever asked longest ago is forgotten first; a refusal says after how many seconds to try again. A limit
never loses an objection: signed links are not limited by identifier, and whoever is refused is told when to return.
"""

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_HASH_BYTES: Final = 16


@dataclass(frozen=True)
class Rate:
    """A token bucket."""

    burst: int
    """Requests at once."""
    per_second: float
    """Requests a second, in the long run."""


@dataclass(frozen=True)
class Rates:
    """What is allowed; generous, as a whole company or town may come from one address."""

    page: Rate = Rate(1200, 40)
    """Pages and acts together, by address."""
    act: Rate = Rate(240, 4)
    """POSTs of pages, by address."""
    account: Rate = Rate(10, 1 / 60)
    """Acts for one account that was typed in, by the account and the address it came from."""
    letter: Rate = Rate(5, 1 / 600)
    """Questions that somebody who typed an account causes to its holder."""
    sign_in: Rate = Rate(5, 1 / 600)
    """Links to sign in with that somebody who typed an account causes to its holder."""
    key: Rate = Rate(20_000, 2_000)
    """Calls of the API, by key."""


class Limits:
    """The buckets of one process; safe to use from several threads."""

    def __init__(
        self, rates: Rates | None = None, *, size: int = 50_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rates = rates or Rates()
        self._size = size
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # what is left, and when it was counted
        self._lock = threading.Lock()

    def wait(self, name: str, who: str) -> int:
        """Take one from the bucket of ``who``: 0, or the seconds after which there is one again.

        Args:
            name: a field of :class:`Rates`.
            who: an address or an identifier; only its keyed hash is kept.
        """
        rate: Rate = getattr(self.rates, name)
        key = self.hashed(f"{name}\0{who}")
        with self._lock:
            now = self._clock()
            left, counted = self._buckets.pop(key, (float(rate.burst), now))
            left = min(rate.burst, left + (now - counted) * rate.per_second)
            seconds = 0 if left >= 1 else math.ceil((1 - left) / rate.per_second)
            self._buckets[key] = (left if seconds else left - 1, now)
            while len(self._buckets) > self._size:
                self._buckets.popitem(last=False)  # the one that asked longest ago
        return seconds

    def hashed(self, who: str) -> bytes:
        """A hash that nobody can compare with anything once this process has ended."""
        return hashlib.blake2b(who.encode(), key=self._key, digest_size=_HASH_BYTES).digest()
