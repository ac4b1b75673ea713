"""Arrays compiled of the register and kept as a file, which is mapped: what a new process need not read of everybody.

Invariants: a file is a cache: it can be thrown away at any time, one that can't be read or written counts as none, and
it holds keyed numbers alone, no secret. One is believed only while all of it has the MAC (HMAC-SHA-256, RFC 2104) that
a key of the workspace gives, and the register holds the very entry that it was compiled at, under the same instance,
incarnation and rules of spelling. So one of another workspace, of a register that was put back, one that was changed or
cut short, is never believed. It takes the old one's place whole, so that nobody reads half of it; who has the old one
open goes on reading that.
"""

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.canonical import canonical_json
from demur.files import replacing
from demur.people.indexed.stored import Arrays, arrays_in, write_arrays
from demur.register.database import instance, journal, state
from demur.register.database.records import Head

_BOUND: Final = "bound"
"""The array that says, as JSON, of which entry of which register a file is."""
_MAC_BYTES: Final = 32
_MANY: Final = 2_000
"""Things that are read faster than a file is written: of so few in all none is kept, nor anew after so few changes."""


class Kept:
    """One such file, of one form."""

    def __init__(self, path: Path, form: str, sealing: bytes, spelling: str) -> None:
        """Take where it is, what it is and in which version, the sealing key, and the progress mark of spelling."""
        self.path = path
        self._form = form
        self._key = hashlib.sha256(b"demur/kept\0" + form.encode() + b"\0" + sealing).digest()
        self._spelling = spelling
        self._since = 0
        """Changes since the file was written."""

    def read(self, connection: sa.Connection) -> tuple[Head, Arrays] | None:
        """The end of the log that a file was compiled at, and its arrays, read-only; None where none is believed."""
        try:
            data = np.asarray(np.memmap(self.path, np.uint8, "r"))  # once: another process may replace the file
            if not hmac.compare_digest(self._mac(data[:-_MAC_BYTES].data), data[-_MAC_BYTES:].tobytes()):
                return None
            arrays = dict(arrays_in(data, self._form))
            told = orjson.loads(arrays.pop(_BOUND).tobytes())
            head = Head(*told["head"])
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return (head, arrays) if told == self._bound(connection, head) else None

    def note(
        self, connection: sa.Connection, head: Head, changes: int | None, size: int, arrays: Callable[[], Arrays]
    ) -> None:
        """Take note that what is compiled has changed; the file is written anew once that is much.

        Args:
            connection: a transaction, as for :meth:`write`.
            head: likewise.
            changes: in how many things it differs from what was last noted; None to have it written now.
            size: how many things there are.
            arrays: makes what is written.
        """
        if changes is not None:
            self._since += changes
            if self._since <= _MANY:
                return
        self._since = 0
        if size > _MANY:
            self.write(connection, head, arrays())
        else:
            self.remove()

    def write(self, connection: sa.Connection, head: Head, arrays: Arrays) -> None:
        """Keep arrays that were compiled in this transaction, which saw the log end at ``head``.

        It does not wait for the disk: what a crash of the machine cuts short has no MAC that holds.
        """
        bound = self._bound(connection, head)
        if bound is None:
            return
        told = np.frombuffer(canonical_json(bound), np.uint8)
        try:
            with replacing(self.path, durably=False) as unfinished:
                write_arrays(unfinished, self._form, {**arrays, _BOUND: told})
                mac = self._mac(unfinished.read_bytes())
                with unfinished.open("ab") as file:
                    file.write(mac)
        except OSError:
            self.remove()  # an older one may hold what was erased since

    def remove(self) -> None:
        """Throw the file away, as far as that can be done."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _mac(self, data: bytes | memoryview) -> bytes:
        return hmac.digest(self._key, data, "sha256")

    def _bound(self, connection: sa.Connection, head: Head) -> dict[str, Any] | None:
        """What a file of this register says that ends there; None outside a workspace, or where it ends earlier."""
        of, commitment = instance.read(connection), journal.commitment_at(connection, head.seq)
        if of is None or commitment is None:
            return None
        spelling = hashlib.sha256((state.read(connection, self._spelling) or "").encode())
        return {
            "head": [head.seq, head.binding],
            "commitment": commitment.hex(),
            "instance": of.id,
            "incarnation": of.incarnation,
            "spelling": spelling.hexdigest(),
        }
