"""Receipts lodge again what a register lost: by the files that people kept, and nobody's word but our own signature.

Invariants: a receipt is checked as any verifier checks it, by the keys that this workspace's log had, and what lodges
the objection was sealed by this workspace; one that is on record is lodged no second time; one of which the receipt
says that it had ended is not brought back by it. A log from which a receipt of its own name has parted takes none of
those: their numbers would be two objections' each.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

import orjson

from demur.canonical import canonical_json
from demur.errors import CheckFailed, DemurError, UsageError
from demur.objecting.channels import Route
from demur.objecting.receipts import STATEMENT
from demur.register import ObjectionPhase, Register
from demur.transparency.checkpoint import Checkpoint, InclusionProof, number
from demur.transparency.note import NoteKey, is_signed, signers_of, text_of
from demur.transparency.rotation import KeyHistory, Rotation, read_all
from demur.transparency.tree import leaf_hash

_ENDED: Final = frozenset({ObjectionPhase.LAPSED.value, ObjectionPhase.WITHDRAWN.value})


@dataclass(frozen=True)
class Shown:
    """What a receipt shows, which holds."""

    origin: str
    entry: int
    """The number that its entry had."""
    size: int
    """Entries that its log had."""
    phase: str
    commitment: bytes
    again: str
    """What lodges it again; "" in a receipt of an older demur."""
    note: str
    """The checkpoint of its log."""

    @property
    def incarnation(self) -> int:
        """In which its entry had that number."""
        return int(self.origin.rpartition("/")[2])

    @property
    def ended(self) -> bool:
        """Whether it says that the objection had ended."""
        return self.phase in _ENDED


@dataclass(frozen=True)
class Relodged:
    """What became of one receipt."""

    shown: Shown
    said: str
    """`lodged` (again), `kept` (it is on record), `ended`, or `missing` (it is not on record; somebody only looked)."""
    reference: str = ""
    seq: int = 0
    """The number of its entry now."""
    erasing: bool = False
    """Whether it came with an erasure, which has to be asked for anew."""


def read(register: Register, raw: bytes) -> Shown:
    """What a receipt shows.

    Raises:
        UsageError: when it is no receipt, or one of another workspace.
        CheckFailed: when this workspace's log did not make it.
    """
    try:
        document = orjson.loads(raw)
        said = document["signed"]
        entry, salt = str(said["entry"]), bytes.fromhex(said["salt"])
        proof, signature = InclusionProof.read(str(said["proof"])), base64.b64decode(document["signature"])
        seq, phase, again = int(orjson.loads(entry)["seq"]), str(said["phase"]), str(document.get("again", ""))
        rotations = read_all(document.get("rotations", []))
        origin = text_of(proof.note.encode())[0].partition("\n")[0]
        message = STATEMENT + canonical_json(said)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError("It is no receipt: give the file that `demur prove` or a receipt's page gave.") from None
    history = _history(register, origin, rotations)
    commitment = hashlib.sha256(salt + entry.encode()).digest()
    checkpoint = _checked(history, proof, commitment)
    signed = signers_of(proof.note.encode(), [each.key for each in history.spans])
    newest = next(each.key for each in reversed(history.spans) if each.key in signed and each.counts(checkpoint.size))
    if seq != proof.index + 1 or not is_signed(newest, signature, message):
        raise CheckFailed("The log's key did not sign what the receipt says.")
    return Shown(origin, seq, checkpoint.size, phase, commitment, again, proof.note)


def _checked(history: KeyHistory, proof: InclusionProof, commitment: bytes) -> Checkpoint:
    checkpoint = history.read(proof.note.encode())
    proof.check(leaf_hash(commitment), [each.key for each in history.spans])
    return checkpoint


def _history(register: Register, origin: str, rotations: list[Rotation]) -> KeyHistory:
    """The keys of a log of this workspace, as the register knows them, or a receipt of after it lost a rotation."""
    instance = register.instance
    assert instance is not None  # a workspace's register has one
    name, _, incarnation = origin.rpartition("/")
    if name != instance.origin.rpartition("/")[0] or number(incarnation) in {None, 0}:
        raise UsageError("It is the receipt of another workspace.")
    if origin in instance.origins:
        known = register.proving.history_of(origin)
    else:  # a later one, which was lost: a mark that was begun anew, or another restore of this backup, had it
        known = KeyHistory.of(NoteKey(origin, register.proving.key.public))
    if len(rotations) < len(known.spans):
        return known
    for key in (known.newest, NoteKey(origin, register.proving.key.public)):
        try:
            return KeyHistory.of(key, rotations)
        except CheckFailed:
            continue
    return known


def relodge(register: Register, raw: bytes, *, look: bool = False) -> Relodged:
    """Lodge the objection of a receipt again, if the register lacks it.

    Args:
        register: the workspace's.
        raw: the receipt.
        look: change nothing, and say whether it is missing.

    Raises:
        UsageError: when it is no receipt of this workspace, or one of an older demur, which lodges nothing; or when
            this very log does not go on from it.
        CheckFailed: when this workspace's log did not make it.
    """
    shown = read(register, raw)
    if register.proving.holds(shown.commitment, shown.entry):
        return Relodged(shown, "kept", seq=shown.entry)
    found = register.recorded(shown.again, shown.commitment) if shown.again else None
    if found is not None:
        return Relodged(shown, "kept", *found)
    if shown.ended:
        return Relodged(shown, "ended")
    if not shown.again:
        raise UsageError(
            f"The receipt of entry {shown.entry} is of an older demur, and lodges nothing: `demur object` records the "
            "objection for the account that its holder names."
        )
    if look:
        return Relodged(shown, "missing")
    _require_other_log(register, shown)
    try:
        with register.locked():  # both or nothing: a kill in between would leave it unconfirmed for good
            done = register.lodge_again(shown.again, shown.commitment, shown.incarnation, Route.ERASURE)
            if shown.phase == ObjectionPhase.CONFIRMED.value and done.lodged:
                register.objections.confirm(done.reference)
    except DemurError as error:
        raise type(error)(f"The receipt of entry {shown.entry}: {error}") from None
    return Relodged(shown, "lodged" if done.lodged else "kept", done.reference, done.seq, done.erasing)


def _require_other_log(register: Register, shown: Shown) -> None:
    """Make sure that a receipt is of a log that has ended, or of this one where that goes on from it.

    Raises:
        UsageError: when it is of one of this name that parted from this one: each number would mean two entries.
    """
    instance = register.instance
    assert instance is not None  # a workspace's register has one
    if shown.origin == instance.origin and not register.proving.goes_on_from(shown.note):
        raise UsageError(
            f"The receipt of entry {shown.entry} is of a log of this name ({shown.incarnation}) that this one does not "
            "go on from: an older register was put back, or one backup was restored twice. Nothing was lodged by it: "
            "move the register's mark away, begin another log with `demur mark renew`, and try again."
        )
