"""Check the receipt of an objection offline: one file, Python 3.10 or later, nothing to install.

    python3 demur_verify.py receipt.json 'demur/6f1c.../1+72385491+Afv9GS2Z...'

The second argument is the key of the log, or a file that holds it. Get it from somebody else than the receipt: from an
authority, a newspaper, a print. `--key-in-receipt` takes the one in the receipt, which shows only that its parts fit.

`--policy FILE` asks for cosignatures of witnesses besides: a C2SP tlog-policy, which says whose, and how many. Without
one witnesses are not looked at. `--rotations FILE` holds how the log's key was rotated (`demur log rotations`), for a
receipt of before the rotation; a receipt of after it brings that along.

What is checked, in this order, each by its name:

    key         an Ed25519 key whose number is its own, and no point of small order
    policy      C2SP tlog-policy: each witness once, under one name, in one group; one quorum
    receipt     JSON in UTF-8 with exactly the members of a receipt, none doubled
    rotation    each signed by the key that it ends and the one that it begins, in a row that the given key is part of
    checkpoint  C2SP tlog-checkpoint: the note's form, the key's signature, the log's name, a size and a root, at which
                the key was in use
    witnesses   C2SP tlog-cosignature: those of the policy's witnesses are of this checkpoint, not dated ahead, a quorum
    entry       canonical JSON (RFC 8785) of a lodged objection, whose number is its place in the log
    inclusion   RFC 9162, section 2.1.3.2: the entry with its salt is the leaf at that place under the signed root
    statement   what the controller says of the objection is signed by the same key

Exit status: 0 when all of it holds, 1 when a check fails (it is named), 2 for wrong use.

Strict Ed25519 (RFC 8032, section 5.1.7): canonical points, S below the order of the group, no key of small order.
There is no secret here, so that time tells nothing.
"""  # noqa: INP001  # one file, to be copied

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

UNCHECKED = (
    "whose objection it is: the entry names nobody, and a receipt with a typed account is of whoever typed it",
    "that any version, model or copy honours it",
    "that everybody is shown the same log, or that this is its newest state: compare checkpoints with others",
    "when anything happened: times are the controller's",
)
"""What a receipt does not show."""

UNCHECKED_COSIGNED = (
    *UNCHECKED[:2],
    "that the witnesses are independent of the controller and of each other, or that this is the log's newest state",
    "when anything happened: times in entries are the controller's; the checkpoint was there at its witnesses' times",
)
"""What a receipt does not show that a quorum of witnesses cosigned."""

UNCHECKED_RETIRED = (
    "that nobody else has the retired key: whoever has it can make such a receipt of before; get the receipt anew"
)
"""What a receipt does not show besides that a key signed which was rotated since."""

MOST_BYTES = 1 << 20
MOST_SIGNATURES = 100
MOST_HASHES = 63
LONGEST_PATH = 250
STATEMENT = b"demur receipt\n"
ROTATION = b"demur rotation\n"
LOG_TYPE = b"\x01"
WITNESS_TYPE = b"\x04"
AHEAD_S = 300
"""Seconds by which a cosignature may be dated ahead of the clock here."""
PROOF = "c2sp.org/tlog-proof@v1"
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
ENTRY = {"detail", "effect", "format", "kind", "payload", "seq", "subjects", "time"}
SIGNED = {"at", "entry", "format", "phase", "proof", "salt"}
OPTIONAL = {"again", "rotations"}
"""What a receipt may hold besides what is signed."""
LODGED = "objection.lodged"
ENTRY_FORMAT = 2
RECEIPT_FORMAT = 1


class Rejected(Exception):  # noqa: N818  # an outcome
    """A check failed; its name, and one sentence."""

    def __init__(self, check: str, why: str) -> None:
        super().__init__(f"{check}: {why}")
        self.check = check
        self.why = why


# Ed25519 (RFC 8032)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
"""A square root of -1."""

Point = tuple[int, int, int, int]
"""Extended coordinates x, y, z, t: the point (x/z, y/z), and t = xy/z (RFC 8032, section 5.1.4)."""

IDENTITY: Point = (0, 1, 1, 0)


def add(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032, section 5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    """A multiple of a point."""
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def same(one: Point, other: Point) -> bool:
    """Whether two points are one."""
    return not ((one[0] * other[2] - other[0] * one[2]) % P or (one[1] * other[2] - other[1] * one[2]) % P)


def decompressed(data: bytes) -> Point | None:
    """The point of 32 bytes in their one form (RFC 8032, section 5.1.3); None for others."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decompressed((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
"""The base point: y is 4/5, x even (RFC 8032, section 5.1)."""


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is the key's (RFC 8032, section 5.1.7); without the cofactor, as others check it."""
    key = decompressed(public)
    point = decompressed(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or point is None or scalar >= L or is_small(key):  # noqa: PLR2004
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % L
    assert BASE is not None
    return same(times(scalar, BASE), add(point, times(k, key)))


def is_small(point: Point) -> bool:
    """Whether a point is of small order: such a key has signatures that hold for many messages."""
    return same(times(8, point), IDENTITY)


# The log


@dataclass(frozen=True)
class Key:
    """The key of a log."""

    name: str
    number: bytes
    public: bytes

    @classmethod
    def read(cls, text: str, kind: bytes = LOG_TYPE) -> "Key":
        """A key as `demur log key` and `demur witness key` print it."""
        name, _, rest = text.strip().partition("+")
        said, _, encoded = rest.partition("+")
        data = decoded(encoded)
        if data is None or data[:1] != kind or len(data) != 33 or not is_name(name):  # noqa: PLR2004
            raise Rejected("key", "it is no Ed25519 key of a log")
        number = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if said != number.hex():
            raise Rejected("key", "its number is another one: it was changed")
        point = decompressed(data[1:])
        if point is None or is_small(point):
            raise Rejected("key", "it is no point of the curve, or one of small order")
        return cls(name, number, data[1:])


@dataclass(frozen=True)
class Span:
    """A key of the log, and the sizes of the checkpoints that it counts for."""

    key: Key
    first: int = 0
    last: "int | None" = None


@dataclass(frozen=True)
class Checkpoint:
    """What a log says that it is."""

    size: int
    root: bytes
    text: str
    """What is signed."""
    lines: "tuple[tuple[str, bytes], ...]"
    """Of each signature the key's name, and the bytes: the key's number first."""
    signed: "tuple[Span, ...]"
    """The log's keys that signed it and count at its size, the newest last."""


def checked_checkpoint(note: str, spans: "Sequence[Span]") -> Checkpoint:
    """The checkpoint in a note that a key of the log signed, which counts at its size."""
    name = "checkpoint"
    text, gap, lines = note.rpartition("\n\n")
    signatures = lines.split("\n")
    if CONTROL.search(note) or not gap or not text or signatures.pop() or not 0 < len(signatures) <= MOST_SIGNATURES:
        raise Rejected(name, "it is no signed note")
    text += "\n"
    read = tuple(read_line(line) for line in signatures)
    signed = [span for span in spans if is_signer(span.key, text, read)]
    if not signed:
        raise Rejected(name, "the log's key did not sign it")
    origin, *rest = text[:-1].split("\n")
    if len(rest) < 2 or not all(rest):  # noqa: PLR2004
        raise Rejected(name, "it lacks a line")
    if origin != spans[0].key.name:
        raise Rejected(name, "it is of another log")
    size, root = number(rest[0]), decoded(rest[1])
    if size is None or root is None or len(root) != 32:  # noqa: PLR2004
        raise Rejected(name, "its size is no number, or its root no hash")
    return Checkpoint(size, root, text, read, counting(signed, size))


def read_line(line: str) -> "tuple[str, bytes]":
    """The line of a signature: the key's name, and the bytes."""
    match = re.fullmatch("\N{EM DASH} (\\S+) (\\S+)", line)
    data = decoded(match[2]) if match else None
    if match is None or data is None or len(data) <= 4 or not is_name(match[1]):  # noqa: PLR2004
        raise Rejected("checkpoint", "a signature under it can't be read")
    return match[1], data


def is_signer(key: Key, text: str, lines: "Sequence[tuple[str, bytes]]") -> bool:
    """Whether a key signed; lines of unknown keys say nothing, for or against."""
    theirs = [data for name, data in lines if (name, data[:4]) == (key.name, key.number)]
    if not all(is_signed(key.public, text.encode(), data[4:]) for data in theirs):
        raise Rejected("checkpoint", "the signature of the log's key is wrong")
    return bool(theirs)


def counting(signed: "Sequence[Span]", size: int) -> "tuple[Span, ...]":
    """Those keys that signed and were in use at a size."""
    counts = tuple(span for span in signed if span.first <= size and (span.last is None or size <= span.last))
    if counts:
        return counts
    last = signed[-1]
    if size < last.first:
        raise Rejected("checkpoint", f"the key that signed it counts from {last.first} entries on")
    raise Rejected("checkpoint", f"the key that signed it counts up to {last.last} entries: it was retired")


# How the log's key was rotated


def checked_spans(key: Key, rotations: Any) -> "list[Span]":  # noqa: ANN401  # of JSON
    """The keys of the log, by the one that is known and what each signed of the next one."""
    name = "rotation"
    if not rotations:
        return [Span(key)]
    chain = [checked_rotation(each) for each in rotations]
    for (_, ended, earlier), (begun, _, later) in pairwise(chain):
        if ended != begun or earlier >= later:
            raise Rejected(name, "a rotation does not go on from the one before it")
    keys = [chain[0][0], *(new for _, new, _ in chain)]
    if key not in keys:
        raise Rejected(name, "the given key is none of those that followed each other")
    sizes = [size for _, _, size in chain]
    return [Span(*each) for each in zip(keys, [0, *sizes], [*sizes, None], strict=True)]


def checked_rotation(said: Any) -> "tuple[Key, Key, int]":  # noqa: ANN401  # of JSON
    """A rotation: the key that it ends, the one that it begins, and the size of the checkpoint that both sign."""
    name = "rotation"
    try:
        body, by = said["signed"], said["signatures"]
        exact = said.keys() == {"signatures", "signed"} and by.keys() == {"from", "to"}
        exact = exact and body.keys() == {"from", "origin", "size", "to"} and type(body["size"]) is int
        old, new, size = Key.read(body["from"]), Key.read(body["to"]), body["size"]
        signatures = decoded(by["from"]), decoded(by["to"])
    except (KeyError, TypeError, AttributeError):
        raise Rejected(name, "it has other members than a rotation has") from None
    except Rejected as rejected:
        raise Rejected(name, f"a key of it: {rejected.why}") from None
    if not exact:
        raise Rejected(name, "it has other members than a rotation has")
    if {old.name, new.name} != {body["origin"]} or old == new or size < 1:
        raise Rejected(name, "it is of another log, or of one key")
    message = ROTATION + canonical(body)
    for which, key, signature in (("old", old, signatures[0]), ("new", new, signatures[1])):
        if signature is None or not is_signed(key.public, message, signature):
            raise Rejected(name, f"the {which} key did not sign it")
    return old, new, size


# Witnesses


@dataclass
class Policy:
    """Which witnesses shall have cosigned (C2SP tlog-policy)."""

    logs: "list[Key]" = field(default_factory=list)
    witnesses: "dict[str, Key]" = field(default_factory=dict)
    """By the names that the policy gives them."""
    groups: "dict[str, tuple[int, list[str]]]" = field(default_factory=dict)
    """How many of which members."""
    quorum: "str | None" = None

    @classmethod
    def read(cls, raw: bytes) -> "Policy":
        """The policy in a file."""
        policy = cls()
        if len(raw) > MOST_BYTES or any((byte < 32 and byte not in {9, 10}) or byte == 127 for byte in raw):  # noqa: PLR2004  # ASCII
            raise Rejected("policy", "it has a control character")
        for at, line in enumerate(raw.decode("utf-8", "surrogateescape").split("\n"), 1):
            words = [word for word in re.split("[ \t]+", line) if word]
            if words and words[0][0] != "#":
                policy.take(words, f"line {at}")
        if policy.quorum is None:
            raise Rejected("policy", "it has no quorum, or more than one")
        return policy

    def take(self, words: "list[str]", where: str) -> None:
        """Take a line that says something."""
        kinds = {"log": (2, 3), "witness": (3, 4), "group": (4, len(words)), "quorum": (2, 2)}
        if words[0] not in kinds:
            raise Rejected("policy", f"{where} is none of log, witness, group and quorum")
        least, most = kinds[words[0]]
        if not least <= len(words) <= most:
            raise Rejected("policy", f"{where} has too few or too many words")
        if words[0] == "log":
            self.logs.append(self.key(words[1], LOG_TYPE, "a log", where, self.logs))
        elif words[0] == "witness":
            self.require_new(words[1], where)
            known = list(self.witnesses.values())
            self.witnesses[words[1]] = self.key(words[2], WITNESS_TYPE, "a witness", where, known)
        elif words[0] == "group":
            self.group(words[1], words[2], words[3:], where)
        elif self.quorum is not None:
            raise Rejected("policy", "it has no quorum, or more than one")
        else:
            self.quorum = words[1]
            if words[1] != "none":
                self.require_known(words[1], where)

    def group(self, name: str, wanted: str, members: "list[str]", where: str) -> None:
        """A group of witnesses or groups."""
        self.require_new(name, where)
        taken = [each for _, others in self.groups.values() for each in others]
        for at, member in enumerate(members):
            self.require_known(member, where)
            if member in taken or member in members[:at]:
                raise Rejected("policy", f"{where} puts {member} into a group twice")
        count = {"all": len(members), "any": 1}.get(wanted) or (number(wanted) or 0)
        if not 1 <= count <= len(members):
            raise Rejected("policy", f"{where} asks for {wanted} of {len(members)} members")
        self.groups[name] = (count, members)

    @staticmethod
    def key(text: str, kind: bytes, of: str, where: str, known: "list[Key]") -> Key:
        """A key that no line before it has."""
        try:
            key = Key.read(text, kind)
        except Rejected:
            raise Rejected("policy", f"{where} has no Ed25519 key of {of}") from None
        if any(each.public == key.public for each in known):
            raise Rejected("policy", f"{where} has a key that is there already")
        return key

    def require_new(self, name: str, where: str) -> None:
        """Make sure that a name is given once."""
        if name == "none" or name in self.witnesses or name in self.groups:
            raise Rejected("policy", f"{where} gives a name that is given already")

    def require_known(self, name: str, where: str) -> None:
        """Make sure that a name was given before."""
        if name not in self.witnesses and name not in self.groups:
            raise Rejected("policy", f"{where} names {name}, which no line before it defines")

    def is_met(self, name: str, cosigned: "Collection[str]") -> bool:
        """Whether a witness cosigned, or enough of a group."""
        if name not in self.groups:
            return name == "none" or name in cosigned
        count, members = self.groups[name]
        return sum(self.is_met(member, cosigned) for member in members) >= count


def checked_witnesses(checkpoint: Checkpoint, policy: Policy, now: float) -> "list[dict[str, str]]":
    """Which witnesses of a policy cosigned, each once, with the newest time that it says."""
    name = "witnesses"
    found: dict[str, int] = {}
    for witness, key in policy.witnesses.items():
        for signer, data in checkpoint.lines:
            if (signer, data[:4]) == (key.name, key.number):
                at = cosigned_at(checkpoint.text, witness, key, data[4:], now)
                found[witness] = max(at, found.get(witness, 0))
    assert policy.quorum is not None
    if not policy.is_met(policy.quorum, found):
        by = ", ".join(found) or "nobody"
        raise Rejected(name, f"it is cosigned by {by}: that is no quorum of the policy")
    return [{"name": witness, "time": told_time(at)} for witness, at in found.items()]


def cosigned_at(text: str, witness: str, key: Key, data: bytes, now: float) -> int:
    """The time that a cosignature says; seconds since 1970-01-01."""
    at = int.from_bytes(data[:8], "big")
    message = f"cosignature/v1\ntime {at}\n{text}".encode()
    if at >= 2**63 or not is_signed(key.public, message, data[8:]):
        raise Rejected("witnesses", f"the cosignature of {witness} is of another checkpoint, or was changed")
    if at > now + AHEAD_S:
        raise Rejected("witnesses", f"the cosignature of {witness} is dated ahead: {told_time(at)}")
    return at


def told_time(at: int) -> str:
    """A moment, in UTC; beyond the calendar its number."""
    try:
        return datetime.fromtimestamp(at, timezone.utc).isoformat()  # noqa: UP017  # Python 3.10 has no UTC
    except (OverflowError, OSError, ValueError):
        return str(at)


def check_inclusion(leaf: bytes, index: int, checkpoint: Checkpoint, proof: list[bytes]) -> None:
    """Check that a leaf is at its place in the tree (RFC 9162, section 2.1.3.2)."""
    name = "inclusion"
    if index >= checkpoint.size:
        raise Rejected(name, "the log has no entry at this place")
    place, last = index, checkpoint.size - 1
    reached = hashlib.sha256(b"\x00" + leaf).digest()
    for beside in proof:
        if not last:
            raise Rejected(name, "the proof is too long")
        if place & 1 or place == last:
            reached = hashlib.sha256(b"\x01" + beside + reached).digest()
            while not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = hashlib.sha256(b"\x01" + reached + beside).digest()
        place, last = place >> 1, last >> 1
    if last:
        raise Rejected(name, "the proof is too short")
    if reached != checkpoint.root:
        raise Rejected(name, "entry, salt or proof is another one: it does not lead to the signed root")


def split_proof(text: str) -> tuple[int, list[bytes], str]:
    """Index, hashes and checkpoint of a C2SP tlog-proof; extra data in it are signed by nobody, and left out."""
    name = "inclusion"
    head, gap, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    if lines and lines[0].startswith("extra "):
        del lines[0]
    if first != PROOF or not gap or not lines or len(lines) > 1 + MOST_HASHES:
        raise Rejected(name, f"the proof is none of {PROOF}")
    index = number(lines[0][6:]) if lines[0].startswith("index ") else None
    if index is None:
        raise Rejected(name, "the index is no number")
    hashes = [decoded(line) for line in lines[1:]]
    if any(each is None or len(each) != 32 for each in hashes):  # noqa: PLR2004
        raise Rejected(name, "a hash of the proof is none")
    return index, [each for each in hashes if each is not None], note


# The receipt


def verify(
    raw: bytes,
    key: Key | None = None,
    policy: Policy | None = None,
    rotations: bytes | None = None,
    now: float | None = None,
) -> dict[str, Any]:
    """Check a receipt; what holds.

    Args:
        raw: the file's bytes.
        key: one of the log's; None takes the one in the receipt.
        policy: which witnesses shall have cosigned; None looks at none.
        rotations: a file of how the log's key was rotated; None takes what the receipt says of it.
        now: seconds since 1970-01-01, UTC; None asks the clock.

    Raises:
        Rejected: naming the check that failed.
    """
    document = checked_receipt(raw)
    said = document["signed"]
    key = Key.read(document["key"]) if key is None else key
    spans = checked_spans(key, document.get("rotations") if rotations is None else listed(rotations))
    if policy is not None and policy.logs and all(span.key not in policy.logs for span in spans):
        raise Rejected("policy", "it lists logs, and the given key is of none of them")
    index, hashes, note = split_proof(said["proof"])
    checkpoint = checked_checkpoint(note, spans)
    moment = time.time() if now is None else now
    cosigned = None if policy is None else checked_witnesses(checkpoint, policy, moment)
    entry = checked_entry(said["entry"], index)
    check_inclusion(commitment(said["entry"], said["salt"]), index, checkpoint, hashes)
    signature = decoded(document["signature"])
    message = STATEMENT + canonical(said)
    if signature is None or not any(is_signed(span.key.public, message, signature) for span in checkpoint.signed):
        raise Rejected("statement", "the controller did not sign what the receipt says of the objection")
    key, retired = checkpoint.signed[-1].key, checkpoint.signed[-1].last
    return {
        **({} if cosigned is None else {"witnesses": cosigned}),
        **({} if retired is None else {"retired": retired}),
        "key": f"{key.name}+{key.number.hex()}",
        "entry": entry["seq"],
        "time": entry["time"],
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "phase": said["phase"],
        "at": said["at"],
    }


def checked_receipt(raw: bytes) -> dict[str, Any]:
    """A receipt with its members, and none besides."""
    name = "receipt"
    document = parsed(name, raw)
    besides = document.keys() - {"key", "signature", "signed"}
    if len(document) != 3 + len(besides) or besides - OPTIONAL or not isinstance(document["signed"], dict):
        raise Rejected(name, "it has other members than a receipt has")
    said = document["signed"]
    rotations, again = document.get("rotations", [{}]), document.get("again", "")
    if not isinstance(rotations, list) or not rotations or not isinstance(again, str):
        raise Rejected(name, "it has other members than a receipt has")
    texts = (document["key"], document["signature"], again, *(said.get(each) for each in SIGNED - {"format"}))
    if said.keys() != SIGNED or said["format"] != RECEIPT_FORMAT or not all(isinstance(each, str) for each in texts):
        raise Rejected(name, "it has other members than a receipt of format 1 has")
    for each in texts:
        encoded(each)
    return document


def listed(raw: bytes) -> "list[Any]":
    """The rotations in a file."""
    found = parsed("rotation", b'{"all":%b}' % raw)["all"]
    if not isinstance(found, list):
        raise Rejected("rotation", "it is no list of rotations")
    return found


def checked_entry(text: str, index: int) -> dict[str, Any]:
    """The entry of a lodged objection, in its one spelling, at its place."""
    name = "entry"
    entry = parsed(name, text.encode())
    if canonical(entry) != text.encode():
        raise Rejected(name, "it is not spelt as entries are (RFC 8785)")
    if entry.keys() != ENTRY or entry["format"] != ENTRY_FORMAT:
        raise Rejected(name, "it has other members than an entry of format 2 has")
    if entry["kind"] != LODGED:
        raise Rejected(name, "it does not say that an objection was lodged")
    if type(entry["seq"]) is not int or entry["seq"] != index + 1:
        raise Rejected(name, "its number is not its place in the log")
    return entry


def commitment(entry: str, salt: str) -> bytes:
    """The leaf: SHA-256 of salt and entry."""
    if not re.fullmatch("[0-9a-f]{64}", salt, re.ASCII):
        raise Rejected("entry", "its salt is not 32 bytes")
    return hashlib.sha256(bytes.fromhex(salt) + entry.encode()).digest()


def parsed(name: str, raw: bytes) -> dict[str, Any]:
    """An object of JSON: none of its members doubled, no fraction."""

    def single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Rejected(name, "a member of it is doubled")
        return found

    def refuse(text: str) -> None:
        raise Rejected(name, f"it has {text[:20]!r}, which is no number of an entry")

    if len(raw) > MOST_BYTES:
        raise Rejected(name, "it is too large")
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=single, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Rejected(name, "it is no JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise Rejected(name, "it is no object of JSON")
    return found


def canonical(value: Any) -> bytes:  # noqa: ANN401  # of JSON
    """Canonical JSON (RFC 8785) of what has texts and whole numbers; names of members are of the first plane."""
    return encoded(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def encoded(text: str) -> bytes:
    """The bytes of a text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Rejected("receipt", "it has half of a character") from None


def decoded(text: str) -> bytes | None:
    """The bytes of base64 in its one form; None for others."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def number(text: str) -> int | None:
    """A number from 0 to 2^63 - 1 in its one form; None for others."""
    found = int(text) if NUMBER.fullmatch(text) else 2**63
    return found if found < 2**63 else None


def is_name(name: str) -> bool:
    """Whether a key may be called that."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name)


# The command


def main(arguments: list[str] | None = None) -> int:
    """Check the receipt that the command line names; the exit status."""
    parser = argparse.ArgumentParser(description="Check the receipt of an objection offline.")
    parser.add_argument("receipt", help="the receipt's file")
    parser.add_argument("key", nargs="?", help="the log's key, or a file that holds it")
    parser.add_argument("--key-in-receipt", action="store_true", help="take the key in the receipt: shows less")
    parser.add_argument("--policy", metavar="FILE", help="which witnesses shall have cosigned: a C2SP tlog-policy")
    parser.add_argument("--rotations", metavar="FILE", help="how the log's key was rotated: `demur log rotations`")
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    asked = parser.parse_args(arguments)
    if (asked.key is None) != asked.key_in_receipt:
        parser.error("give the key of the log, got from somebody else than the receipt; or --key-in-receipt")
    try:
        raw = Path(asked.receipt).read_bytes()
        file = Path(asked.key or "")
        text = file.read_text("utf-8") if asked.key and len(asked.key) < LONGEST_PATH and file.is_file() else asked.key
        rules = Path(asked.policy).read_bytes() if asked.policy else None
        rotations = Path(asked.rotations).read_bytes() if asked.rotations else None
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"it can't be read ({error})")
    try:
        key = None if text is None else Key.read(text)
        found = verify(raw, key, None if rules is None else Policy.read(rules), rotations)
    except Rejected as rejected:
        told: dict[str, Any] = {"verified": False, "check": rejected.check, "why": rejected.why}
        lines = [f"NOT VERIFIED. The check {rejected.check!r} fails: {rejected.why}."]
    else:
        told = {"verified": True, "own_key": text is None, **found, "unchecked": unchecked(found)}
        lines = list(sentences(found, own=text is None))
    text = json.dumps(told, indent=2) if asked.json else "\n".join(lines)
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")  # a policy's names may be any bytes
    return 0 if told["verified"] else 1


def unchecked(found: dict[str, Any]) -> "list[str]":
    """What a receipt does not show, of which all that was asked for holds."""
    common = UNCHECKED_COSIGNED if found.get("witnesses") else UNCHECKED
    return [*common, *([UNCHECKED_RETIRED] if "retired" in found else [])]


def vouched(found: dict[str, Any]) -> "list[str]":
    """What witnesses and rotations add."""
    told = []
    if found.get("witnesses"):
        by = ", ".join(f"{each['name']} at {each['time']}" for each in found["witnesses"])
        told.append(f"- it is cosigned by {by}: a quorum of the policy;")
    elif "witnesses" in found:
        told.append("- the policy asks for no witness;")
    if "retired" in found:
        told.append(f"- the key was retired at {found['retired']} entries, as a rotation that both keys signed says;")
    return told


def sentences(found: dict[str, Any], *, own: bool) -> list[str]:
    """What was checked, under which key, and what was not."""
    under = f"Under the key {found['key']}"
    return [
        "The parts of the receipt FIT TOGETHER, and the key came with them." if own else "VERIFIED.",
        f"{under} this holds:",
        f"- entry {found['entry']} of the log says that an objection was lodged, at {found['time']};",
        f"- it is one of the {found['size']} entries of the signed checkpoint with the root {found['root']};",
        *vouched(found),
        f"- the controller said of it, at {found['at']}: {found['phase']}.",
        *(["The key is the receipt's own: whoever made the receipt can have made it, too."] if own else []),
        "Not checked:",
        *(f"- {each};" for each in unchecked(found)[:-1]),
        f"- {unchecked(found)[-1]}.",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
