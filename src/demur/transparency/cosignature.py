"""Cosignatures (C2SP tlog-cosignature 1.0.1, Ed25519): a witness says which state of a log it saw, and when.

Invariants: what a witness signs is the whole text of a checkpoint behind a line of its own and a time, so that neither
the log's signature nor a cosignature of another text passes for it; its key has a number of its own type, so that a
plain signature by the same key is an unknown key's. A witness counts once, however many lines it wrote.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CheckFailed
from demur.transparency.note import DASH, ID_BYTES, NoteKey, is_signed, signature_in, text_of

_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_LATEST: Final = 2**63


@dataclass(frozen=True)
class WitnessKey(NoteKey):
    """The key of a witness, by its public half."""

    KIND: ClassVar[bytes] = b"\x04"
    """The type of its signatures: Ed25519, with a time."""
    OF: ClassVar[str] = "a witness: give one as `demur witness key` prints it"


def cosign(text: str, key: WitnessKey, private: Ed25519PrivateKey, time: int) -> str:
    """The line of a cosignature, with its line feed.

    Args:
        text: of the checkpoint, up to its last line feed.
        key: the witness's.
        private: its other half.
        time: seconds since 1970-01-01, UTC.
    """
    signature = private.sign(_message(text, time))
    encoded = base64.b64encode(key.id + time.to_bytes(_TIME_BYTES) + signature).decode()
    return f"{DASH}{key.name} {encoded}\n"


def cosigned(note: bytes, keys: Iterable[WitnessKey]) -> Mapping[WitnessKey, int]:
    """Which witnesses cosigned a note, each with the time that it says: the newest, where there are several lines.

    Args:
        note: of which the log's own signature is the caller's to check.
        keys: of the witnesses that are known; lines of others are left alone.

    Raises:
        CheckFailed: when it is no note, or a known witness's line is wrong, or of another text.
    """
    text, lines = text_of(note)
    known = {(key.name, key.id): key for key in keys}
    found = dict[WitnessKey, int]()
    for line in lines:
        name, data = signature_in(line)
        key = known.get((name, data[:ID_BYTES]))
        if key is None:
            continue
        time = int.from_bytes(data[ID_BYTES : ID_BYTES + _TIME_BYTES])
        whole = len(data) == ID_BYTES + _TIME_BYTES + _SIGNATURE_BYTES and time < _LATEST
        if not whole or not is_signed(key, data[ID_BYTES + _TIME_BYTES :], _message(text, time)):
            raise CheckFailed(f"The cosignature of {name} is of another checkpoint, or was changed.")
        found[key] = max(time, found.get(key, 0))
    return found


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
