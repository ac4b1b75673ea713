"""How often one address, or one identifier, may ask.

Invariants: what is counted is a keyed hash, under a key that ends with the process; the memory is bounded; a refusal
says after how many seconds to try again. A limit never loses an objection: signed links are not limited by identifier,
whoever is refused is told when to return, and where mails are limited the objection stands without one.

There are two memories, as forgetting hurts somebody else in each. Of addresses, the one that asked longest ago is
forgotten first: at worst somebody may ask again who asked too often. Mails to one mailbox are never forgotten by what
others ask: their memory has a fixed size and may count a stranger's mail too many, never one too few.
"""

import functools
import hashlib
import math
import secrets
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

import numpy as np

_HASH_BYTES: Final = 16
_HOUSEHOLD: Final = 64
"""Bits of an IPv6 address that a household shares (RFC 6177)."""

_FOUR: Final = struct.Struct("<4I")
_ROWS: Final = 4
"""Cells that a mailbox has in the memory of mails: it is limited by the one that says least."""
_COLUMNS: Final = 1 << 18
"""Cells of each row: 8 MB in all. With 50,000 mailboxes at their limit one in 1,000 others is limited with them."""


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
    question: Rate = Rate(5, 1 / 600)
    """Questions that somebody who typed an account causes to its holder."""
    sign_in: Rate = Rate(5, 1 / 600)
    """Links to sign in with that somebody who typed an account causes to its holder."""
    claim: Rate = Rate(10, 1 / 60)
    """Claims that a model repeats data, by address: each of them is tested."""
    key: Rate = Rate(20_000, 2_000)
    """Calls of the API, by key."""


class Limits:
    """What one process counts; safe to use from several threads."""

    def __init__(
        self, rates: Rates | None = None, *, size: int = 50_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rates = rates or Rates()
        self._size = size
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # what is left, and when it was counted
        self._mails = _Unforgetting()
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

    def may_mail(self, name: str, account: str) -> bool:
        """Whether somebody who typed an account may cause another mail to its holder; counts it if so.

        Args:
            name: a field of :class:`Rates`, `question` or `sign_in`.
            account: an account, or the address that a mail goes to; ways to write one mailbox count as one.
        """
        rate: Rate = getattr(self.rates, name)
        key = self.hashed(f"{name}\0{mailbox(account)}")
        with self._lock:
            return self._mails.take(key, rate, self._clock())

    def hashed(self, who: str) -> bytes:
        """A hash that nobody can compare with anything once this process has ended."""
        return hashlib.blake2b(who.encode(errors="replace"), key=self._key, digest_size=_HASH_BYTES).digest()


class _Unforgetting:
    """Token buckets of a fixed size, that never count less than was asked.

    A count-min sketch with conservative update (Cormode and Muthukrishnan 2005, Estan and Varghese 2002). A cell holds
    the time at which the buckets that share it are full again (the generic cell rate algorithm, ITU-T I.371). Another's
    mails can only make that later, so that no number of other askers gives anybody a mail more.
    """

    def __init__(self, columns: int = _COLUMNS) -> None:
        self._columns = columns
        self._full = np.zeros(_ROWS * columns).data  # of each cell, row after row; takes memory as it fills

    def take(self, key: bytes, rate: Rate, now: float) -> bool:
        """Take one from the bucket of a key (16 random bytes), if one is there."""
        cells = [row * self._columns + hashed % self._columns for row, hashed in enumerate(_FOUR.unpack(key))]
        full = max(now, min(self._full[cell] for cell in cells)) + 1 / rate.per_second
        if full - now > rate.burst / rate.per_second + _TICK:
            return False
        for cell in cells:
            self._full[cell] = max(self._full[cell], full)
        return True


_TICK: Final = 1e-6
"""Seconds: what adding up floats may be wrong by."""


def mailbox(account: str) -> str:
    """What mails to an account are counted under: a tag after a plus sign, dots and case make no other mailbox.

    Coarser than mail servers are, some of which tell such addresses apart: here that only saves a mail.
    """
    local, at, host = account.casefold().rpartition("@")
    namespace, colon, name = local.rpartition(":")
    if not at or not name:
        return account.casefold()
    return f"{namespace}{colon}{name.partition('+')[0].replace('.', '')}@{host}"


@functools.lru_cache(maxsize=4096)
def household(host: str) -> str:
    """What an address counts as: an IPv6 one as its network, as a household has a whole one.

    A socket for both families shows an IPv4 one as IPv6 (RFC 4291, section 2.5.5.2), and all those lie in one network.
    """
    try:
        known = ip_address(host)
    except ValueError:
        return host
    if isinstance(known, IPv4Address):
        return host
    return str(known.ipv4_mapped or ip_network((known, _HOUSEHOLD), strict=False))
