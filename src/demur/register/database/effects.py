"""What an entry changed: enough to make again, from the entries alone, what stands in the other tables.

Whoever replays entries (audit/, a restore) needs of each its kind, time, payload, subjects and this. An effect is
canonical JSON (RFC 8785), stored beside the entry and committed to under the entry's second salt. Accounts appear as
subject keys. Each list of keys or of pairs of keys is base64 of little-endian int64, since JSON's numbers are too
small for them, and a list may have a million rows. A field that is empty is left out.

| kind | field | says |
|---|---|---|
| objection.lodged | `keys` | the accounts that were named, in their order; the first one's key seals the words |
| | `reference` | what confirms and withdraws it |
| | `own` | how many of its subjects, the first ones, are proven to be of who holds the first of `keys` |
| objection.confirmed, .revived, .named | | nothing: the payload has the number |
| objection.doubted, .asked, .reminded, .unasked | | nothing: the payload has number, days and deadline |
| account.linked, members.imported | `proven` | pairs that stand and prove from now on, the smaller key first |
| account.linked, links.unproven, members.imported | `covering` | pairs that stand from now on and prove nothing |
| | `members` | (key, mark) of each member that was taken over: see :meth:`Vault.mark` |
| | `unrecorded` | members whose recorded consent the import replaced |
| account.unlinked | `unlinked` | pairs that are taken back |
| consent.given, .withdrawn | `keys`, `consent` | whose word, and which |
| notice.sent, notice.bounced | `keys` | the accounts whose notices left, or came back |
| claim.lodged | `keys`, `reference` | whose key seals it, and what it is found by |
| person.erased | `keys` | the accounts whose details are destroyed: what stays of them |
| | `emptied` | (number, digest) of each entry whose salts are destroyed: see persons.py |
| | `kept` | (account, entry, mark) of each row of keyed names that survives: see spellings.py |
| | `signature` | of the three before, by the workspace's signing key |
| objection.lapsed, .withdrawn, account.unlinked | `ended` | (account, entry) of rows of keyed names that end with it |
| evidence.told | `threads` | threads (words.page.short_keys) of which an import told something new |
| | `keys` | withheld people of whose words other copies may be found since |
| name.cleared | `cleared` | (item, subject): the first 8 bytes of the item's key, and whom it does not mean |

The reference is a bearer secret. It stands here as it stands in `objection`: in the clear for whoever reads the
database, and for nobody else, since what opens an entry to a person opens neither `subjects` nor the effect. A journal
outside of the database must seal it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson

from demur.canonical import canonical_json
from demur.identity import Pairs, SubjectKeys

NO_KEYS: Final[SubjectKeys] = np.empty(0, np.int64)
NO_ROWS: Final[npt.NDArray[np.int64]] = np.empty((0, 3), np.int64)
NO_PAIRS: Final[Pairs] = np.empty((0, 2), np.int64)
_KEYS: Final = ("keys", "unrecorded", "threads")
_PAIRS: Final = ("proven", "covering", "unlinked", "members", "ended", "cleared")


@dataclass(frozen=True, eq=False)
class Effect:
    """What one entry changed; the module's docstring says which kind has which field."""

    keys: SubjectKeys = field(default_factory=lambda: NO_KEYS)
    reference: str | None = None
    own: int = 0
    consent: bool | None = None
    proven: Pairs = field(default_factory=lambda: NO_PAIRS)
    covering: Pairs = field(default_factory=lambda: NO_PAIRS)
    unlinked: Pairs = field(default_factory=lambda: NO_PAIRS)
    members: Pairs = field(default_factory=lambda: NO_PAIRS)
    unrecorded: SubjectKeys = field(default_factory=lambda: NO_KEYS)
    threads: npt.NDArray[np.int64] = field(default_factory=lambda: NO_KEYS)
    ended: Pairs = field(default_factory=lambda: NO_PAIRS)
    cleared: Pairs = field(default_factory=lambda: NO_PAIRS)
    kept: npt.NDArray[np.int64] = field(default_factory=lambda: NO_ROWS)
    emptied: Mapping[int, bytes] = field(default_factory=dict)
    signature: bytes = b""

    def to_bytes(self) -> bytes:
        """As it is stored."""
        told: dict[str, Any] = {"reference": self.reference, "own": self.own or None, "consent": self.consent}
        told |= {name: _text(getattr(self, name)) for name in (*_KEYS, *_PAIRS, "kept")}
        told["emptied"] = [[seq, digest.hex()] for seq, digest in sorted(self.emptied.items())]
        told["signature"] = self.signature.hex()
        kept = {name: value for name, value in told.items() if value not in (None, "", [])}
        return canonical_json(kept)

    @classmethod
    def read(cls, stored: bytes | None) -> Self:
        """The effect that was stored; an empty one where nothing was.

        Raises:
            ValueError: when it is none.
        """
        if stored is None:
            return cls()
        try:
            told = orjson.loads(stored)
            told |= {name: _keys(told[name]) for name in _KEYS if name in told}
            told |= {name: _keys(told[name]).reshape(-1, 2) for name in _PAIRS if name in told}
            told |= {"kept": _keys(told["kept"]).reshape(-1, 3)} if "kept" in told else {}
            told |= {"emptied": {int(seq): bytes.fromhex(digest) for seq, digest in told.get("emptied", ())}}
            return cls(**told | {"signature": bytes.fromhex(told.get("signature", ""))})
        except (AttributeError, TypeError) as error:
            raise ValueError(str(error)) from None


def _text(keys: npt.NDArray[np.int64]) -> str:
    return base64.b64encode(keys.astype("<i8").tobytes()).decode()


def _keys(text: str) -> SubjectKeys:
    return np.frombuffer(base64.b64decode(text, validate=True), "<i8").astype(np.int64)
