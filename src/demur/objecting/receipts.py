"""The receipt of an objection as a file: what shows offline that its entry is in the register's log.

Invariants: it names no account, nor the reference, which withdraws, to anybody but the workspace that made it
(again.py): whoever has it can hand it on; what it says of the objection is what its receipt page tells the same person;
it is signed by the log's key, over bytes that begin as no checkpoint does.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from demur.canonical import JSON, canonical_json
from demur.errors import RegisterError
from demur.objecting.settling import told_phase
from demur.register import ObjectionState, Register
from demur.transparency.note import is_signed

FORMAT: Final = 1
_TRIES: Final = 3
"""More than a key of the log is rotated while one receipt is made."""
STATEMENT: Final = b"demur receipt\n"
"""What a receipt is signed with in front; a checkpoint begins with the log's name."""


def receipt(register: Register, state: ObjectionState, *, now: datetime | None = None) -> bytes:
    """The receipt of an objection, as JSON.

    Raises:
        RegisterError: when its entry can't be shown (proving.py), or no checkpoint covers it yet.
    """
    for _ in range(_TRIES):
        opened = register.proving.open(state.seq)
        said: Mapping[str, JSON] = {
            "at": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
            "entry": opened.entry,
            "format": FORMAT,
            "phase": told_phase(register, state).value,
            "proof": opened.proof.text,
            "salt": opened.salt.hex(),
        }
        message = STATEMENT + canonical_json(said)
        signature = register.proving.sign(message)
        if is_signed(opened.key, signature, message):
            break  # else the log's key was rotated in between: the statement is to be by the checkpoint's newest key
    else:
        raise RegisterError("The log's key is being rotated: ask for the receipt again in a moment.")
    whole: dict[str, JSON] = {
        "again": register.sealed_again(state.seq),
        "key": opened.key.text,
        "signature": base64.b64encode(signature).decode(),
        "signed": said,
    }
    if opened.rotations:
        whole["rotations"] = [each.json for each in opened.rotations]
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
