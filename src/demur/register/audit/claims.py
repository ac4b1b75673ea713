"""Claims, replayed: what was lodged, and how far each has come, against the rows of the table."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import orjson
import sqlalchemy as sa

from demur.register.claims import ClaimPhase
from demur.register.database.clock import days
from demur.register.database.effects import Effect
from demur.register.database.entries import Stored
from demur.register.database.tables import claim
from demur.terms import EntryKind

_COLUMNS: Final = (
    "reference",
    "phase",
    "channel",
    "received",
    "lodged",
    "changed",
    "account",
    "run",
    "tested",
    "answered",
)


class Claims:
    """The claims of the entries that were read so far."""

    kinds: Final = frozenset(
        {EntryKind.CLAIM_LODGED.value, EntryKind.CLAIM_TESTED.value, EntryKind.CLAIM_ANSWERED.value}
    )
    """The entries that change claims."""

    def __init__(self, connection: sa.Connection, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._report = report
        self._told: dict[int, dict[str, Any]] = {}

    def take(self, stored: Stored) -> None:
        """Take an entry of one of its kinds.

        Raises:
            KeyError, TypeError, ValueError: when it does not say what it must.
        """
        payload = orjson.loads(stored.payload)
        if stored.kind == EntryKind.CLAIM_LODGED:
            effect = Effect.read(stored.effect)
            self._told[stored.seq] = {
                "reference": effect.reference,
                "phase": ClaimPhase.LODGED.value,
                "channel": payload["channel"],
                "received": days(date.fromisoformat(payload["received"])),
                "lodged": stored.time,
                "changed": stored.time,
                "account": int(effect.keys[0]),
                "run": payload["run"],
                "tested": None,
                "answered": None,
            }
            return
        told = self._told[payload["claim"]]
        answers = stored.kind == EntryKind.CLAIM_ANSWERED
        told["answered" if answers else "tested"] = stored.seq
        told["phase"] = (ClaimPhase.ANSWERED if answers else ClaimPhase.TESTED).value
        told["changed"] = stored.time

    def finish(self) -> None:
        """Compare with the table."""
        left = dict(self._told)
        for row in self._connection.execute(sa.select(claim).order_by(claim.c.seq)):
            told = left.pop(row.seq, None)
            if told is None:
                self._report(f"Claim {row.seq} stands in the register, and no entry lodged it.")
                continue
            for name in _COLUMNS:
                if getattr(row, name) != told[name]:
                    self._report(f"Claim {row.seq}: the column {name} is not what the entries say.")
        for seq in left:
            self._report(f"Claim {seq} was lodged, and is missing.")
