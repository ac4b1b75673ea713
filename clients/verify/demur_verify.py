"""Check the receipt of an objection, or a proof of absence, offline: one file, Python 3.10 or later, no packages.

    python3 demur_verify.py receipt.json 'demur/6f1c.../1+72385491+Afv9GS2Z...'
    python3 demur_verify.py proof.json 'demur/6f1c.../1+72385491+Afv9GS2Z...'

The second argument is the key of the log, or a file that holds it. Get it from somebody else than the receipt: from an
authority, a newspaper, a print. `--key-in-receipt` takes the one in the receipt, which shows only that its parts fit.

`--policy FILE` asks for cosignatures of witnesses besides: a C2SP tlog-policy, which says whose, and how many. Without
one witnesses are not looked at. `--rotations FILE` holds how the log's key was rotated (`demur log rotations`), for a
receipt of before the rotation; a receipt of after it brings that along.

What is checked of a receipt, in this order, each by its name:

    key         an Ed25519 key with a name in printable ASCII, whose number is its own, and no point of small order
    policy      C2SP tlog-policy: each witness once, under one name, in one group; one quorum
    receipt     JSON in UTF-8 with exactly the members of a receipt, none doubled
    rotation    each signed by the key that it ends and the one that it begins, in a row that the given key is part of;
                no more than 100
    checkpoint  C2SP tlog-checkpoint: the note's form, the key's signature, the log's name, a size and a root, at which
                the key was in use
    witnesses   C2SP tlog-cosignature: those of the policy's witnesses are of this checkpoint, not dated ahead, a quorum
    entry       canonical JSON (RFC 8785) of a lodged objection, whose number is its place in the log
    inclusion   RFC 9162, section 2.1.3.2: the entry with its salt is the leaf at that place under the signed root
    statement   what the controller says of the objection is signed by the same key, the newest where two signed

And of a proof that a version lacks whoever objected (and, if it says so, that an earlier one had them):

    key         as above
    proof       JSON in UTF-8 with exactly the members of a proof, none doubled
    checkpoint  as above; one checkpoint covers all entries of the proof
    entry       as above; and the entry of each version is canonical JSON of a version published
    inclusion   as above, of each entry
    subjects    the keys are all that the objection's entry commits to as its person's own
    version     the manifest is the one that the entry names; the entry, and what the version honours, come after the
                objection in the log; for the earlier version, the entry comes before it
    manifest    canonical JSON, signed by the key that it names, or by the one given with `--manifest-key`
    place       the bucket where each key belongs leads to the manifest's root: its digests ascend and belong there, and
                there are as many buckets as the number of subjects says
    absence     none of the keys is in its bucket
    presence    of the earlier version: one of the keys is

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
    (
        "that everybody is shown the same log, unless any two quorums of the policy share an honest witness; or that "
        "this is its newest state"
    ),
    "when anything happened: times in entries are the controller's; the checkpoint was there at its witnesses' times",
)
"""What a receipt does not show that a quorum of witnesses cosigned."""

UNCHECKED_RETIRED = (
    "that nobody else has the retired key: whoever has it can make such a receipt of before; get the receipt anew"
)
"""What a receipt does not show besides that a key signed which was rotated since."""

UNCHECKED_FOLLOWED = (
    "that nobody else has the key you gave: whoever has it can name a next one, or one before it; get the newest key "
    "from elsewhere"
)
"""What a file does not show besides that another key signed it than the one that was given."""

UNCHECKED_OF_VERSIONS = (
    "whose accounts the keys are of: only the controller's secret shows that, and an authority may ask for it",
    "accounts that came later, or that are not proven to be the same person's",
    "that the tree names everybody who is in the version's rows: whoever has an export of it can make the tree again",
    "what no key names: names in texts, copied words, other data",
    "that a model or a copy is of this version and of nothing else",
)
"""What a proof of absence does not show, besides what no proof of the log shows."""

UNCHECKED_SIGNER = "whose key signed the manifests: it is the one that they name (--manifest-key)"
"""What such a proof does not show without the key of the manifests."""

MOST_BYTES = 1 << 24
MOST_SIGNATURES = 100
MOST_HASHES = 63
MOST_ROTATIONS = 100
DEEPEST = 32
"""Levels of JSON within each other: no entry has more than a few."""
LARGEST = 2**53 - 1
"""The largest whole number of JSON that everybody reads alike (RFC 7493, section 2.2)."""
LONGEST_PATH = 250
STATEMENT = b"demur receipt\n"
ROTATION = b"demur rotation\n"
LOG_TYPE = b"\x01"
WITNESS_TYPE = b"\x04"
AHEAD_S = 300
"""Seconds by which a cosignature may be dated ahead of the clock here."""
PROOF = "c2sp.org/tlog-proof@v1"
PRINTABLE = re.compile("[!-*,-~]+", re.ASCII)
"""How the name of a key is spelt: another letter may look like one of these, or turn what is read beside it."""
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?\+00:00", re.ASCII)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
ENTRY = {"detail", "effect", "format", "kind", "payload", "seq", "subjects", "time"}
SIGNED = {"at", "entry", "format", "phase", "proof", "salt"}
PHASES = {"lodged", "confirmed", "lapsed", "withdrawn"}
OPTIONAL = {"again", "rotations"}
"""What a receipt may hold besides what is signed."""
LODGED = "objection.lodged"
PUBLISHED = "version.published"
ENTRY_FORMATS = (2, 3)
OWN_FORMAT = 3
"""Of an entry whose `subjects` says apart what is its person's own."""
RECEIPT_FORMAT = PROOF_FORMAT = 1
MANIFEST_FORMAT = 2
MEANS = {LODGED: "an objection was lodged", PUBLISHED: "a version was published"}


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
        if data is None or data[:1] != kind or len(data) != 33 or not PRINTABLE.fullmatch(name):  # noqa: PLR2004
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


def checked_spans(key: Key, rotations: Any, policy: "Policy | None" = None) -> "list[Span]":  # noqa: ANN401  # of JSON
    """The keys of the log that a policy lists, by the one that is known and what each signed of the next one."""
    spans = followed(key, rotations) if rotations else [Span(key)]
    if policy is not None and policy.logs and all(span.key not in policy.logs for span in spans):
        raise Rejected("policy", "it lists logs, and the given key is of none of them")
    return spans


def followed(key: Key, rotations: "list[Any]") -> "list[Span]":
    """The keys that followed each other, one of which is known."""
    name = "rotation"
    if len(rotations) > MOST_ROTATIONS:
        raise Rejected(name, f"there are more than {MOST_ROTATIONS} of them")
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
    whole = has_members(said, {"signatures", "signed"})
    if not whole or not has_members(said["signed"], {"from", "origin", "size", "to"}):
        raise Rejected(name, "it has other members than a rotation has")
    body, by = said["signed"], said["signatures"]
    texts = [body["from"], body["origin"], body["to"], *(by.values() if has_members(by, {"from", "to"}) else [None])]
    if not all(type(each) is str and not is_broken(each) for each in texts) or type(body["size"]) is not int:
        raise Rejected(name, "it has other members than a rotation has")
    try:
        old, new, size = Key.read(body["from"]), Key.read(body["to"]), body["size"]
    except Rejected as rejected:
        raise Rejected(name, f"a key of it: {rejected.why}") from None
    if {old.name, new.name} != {body["origin"]} or old == new or size < 1:
        raise Rejected(name, "it is of another log, or of one key")
    message = ROTATION + canonical(body)
    for which, key in (("old", old), ("new", new)):
        signature = decoded(by["from" if which == "old" else "to"])
        if signature is None or not is_signed(key.public, message, signature):
            raise Rejected(name, f"the {which} key did not sign it")
    return old, new, size


def has_members(value: Any, names: "set[str]") -> bool:  # noqa: ANN401  # of JSON
    """Whether a value of JSON is an object with these members and no others."""
    return isinstance(value, dict) and value.keys() == names


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

    def is_met(self, cosigned: "Collection[str]") -> bool:
        """Whether those who cosigned are a quorum; members of a group stand before it in the file."""
        met = {name: name in cosigned for name in self.witnesses}
        for name, (count, members) in self.groups.items():
            met[name] = sum(met[member] for member in members) >= count
        return self.quorum == "none" or met[self.quorum or ""]


def checked_witnesses(checkpoint: Checkpoint, policy: Policy, now: "float | None") -> "list[dict[str, str]]":
    """Which witnesses of a policy cosigned, each once, with the newest time that it says."""
    name, now = "witnesses", time.time() if now is None else now
    found: dict[str, int] = {}
    for witness, key in policy.witnesses.items():
        for signer, data in checkpoint.lines:
            if (signer, data[:4]) == (key.name, key.number):
                at = cosigned_at(checkpoint.text, witness, key, data[4:], now)
                found[witness] = max(at, found.get(witness, 0))
    if not policy.is_met(found):
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
            while place and not place & 1:
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
    known = Key.read(document["key"]) if key is None else key
    shown = document.get("rotations") if rotations is None else listed(rotations)
    spans = checked_spans(known, shown, policy)
    index, hashes, note = split_proof(said["proof"])
    checkpoint = checked_checkpoint(note, spans)
    cosigned = None if policy is None else checked_witnesses(checkpoint, policy, now)
    entry = checked_entry(said["entry"], index)
    check_inclusion(commitment(said["entry"], said["salt"]), index, checkpoint, hashes)
    signature = decoded(document["signature"])
    message = STATEMENT + canonical(said)
    if signature is None or not is_signed(checkpoint.signed[-1].key.public, message, signature):
        raise Rejected("statement", "the controller did not sign what the receipt says of the objection")
    return {
        **of_log(checkpoint, key, policy, cosigned),
        "entry": entry["seq"],
        "time": entry["time"],
        "phase": said["phase"],
        "at": said["at"],
    }


def of_log(
    checkpoint: Checkpoint, given: "Key | None", policy: "Policy | None", cosigned: "list[dict[str, str]] | None"
) -> dict[str, Any]:
    """What holds of the log, by the newest of the keys that signed its checkpoint."""
    key, retired = checkpoint.signed[-1].key, checkpoint.signed[-1].last
    return {
        **({} if policy is None else {"witnesses": cosigned, "quorum": policy.quorum != "none"}),
        **({} if given is None or given == key else {"given": told_key(given)}),
        **({} if retired is None else {"retired": retired}),
        "key": told_key(key),
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }


def told_key(key: Key) -> str:
    """A key by name and number."""
    return f"{key.name}+{key.number.hex()}"


def checked_receipt(raw: bytes) -> dict[str, Any]:
    """A receipt with its members, and none besides."""
    name = "receipt"
    document = parsed(name, raw)
    besides = document.keys() - {"key", "signature", "signed"}
    if len(document) != 3 + len(besides) or besides - OPTIONAL or not isinstance(document["signed"], dict):
        raise Rejected(name, "it has other members than a receipt has")
    said = document["signed"]
    rotations, again = document.get("rotations", [{}]), document.get("again", "")
    if not isinstance(rotations, list) or not rotations or type(again) is not str:
        raise Rejected(name, "it has other members than a receipt has")
    texts = (document["key"], document["signature"], again, *(said.get(each) for each in SIGNED - {"format"}))
    exact = said.keys() == SIGNED and is_number(said["format"], RECEIPT_FORMAT)
    if not exact or not all(type(each) is str for each in texts):
        raise Rejected(name, "it has other members than a receipt of format 1 has")
    if any(is_broken(each) for each in texts):
        raise Rejected(name, "it has half of a character")
    if said["phase"] not in PHASES or not TIME.fullmatch(said["at"]):
        raise Rejected(name, "it says no phase of an objection, or no time")
    return document


def listed(raw: bytes) -> "list[Any]":
    """The rotations in a file."""
    found = parsed("rotation", b'{"all":%b}' % raw)
    rotations = found["all"]
    if len(found) > 1 or not isinstance(rotations, list):
        raise Rejected("rotation", "it is no list of rotations")
    return rotations


def checked_entry(text: str, index: int, kind: str = LODGED) -> dict[str, Any]:
    """The entry of a lodged objection, or of another kind, in its one spelling, at its place."""
    name = "entry"
    entry = parsed(name, text.encode())
    if canonical(entry) != text.encode():
        raise Rejected(name, "it is not spelt as entries are (RFC 8785)")
    if entry.keys() != ENTRY or not any(is_number(entry["format"], each) for each in ENTRY_FORMATS):
        raise Rejected(name, "it has other members than an entry of format 2 or 3 has")
    if entry["kind"] != kind:
        raise Rejected(name, f"it does not say that {MEANS[kind]}")
    if not is_number(entry["seq"], index + 1):
        raise Rejected(name, "its number is not its place in the log")
    if type(entry["time"]) is not str or not TIME.fullmatch(entry["time"]):
        raise Rejected(name, "it says no time")
    return entry


def commitment(entry: str, salt: str) -> bytes:
    """The leaf: SHA-256 of salt and entry."""
    if not re.fullmatch("[0-9a-f]{64}", salt, re.ASCII):
        raise Rejected("entry", "its salt is not 32 bytes")
    return hashlib.sha256(bytes.fromhex(salt) + entry.encode()).digest()


# A proof that a version lacks whoever objected

DIGEST = 16
"""Bytes of a key's digest."""
PER_BUCKET = 4
SUBJECT = b"demur subject\n"
BUCKET = b"demur subjects of a bucket\n"
HASH = re.compile("[0-9a-f]{64}", re.ASCII)
SUBJECT_KEY = re.compile("[0-9a-f]{16}", re.ASCII)
VERSION_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
OPENED = {"entry", "proof", "salt"}
VERSION = {*OPENED, "manifest", "places"}


def verify_absence(
    raw: bytes,
    key: Key | None = None,
    signer: str | None = None,
    policy: "Policy | None" = None,
    rotations: "bytes | None" = None,
    now: "float | None" = None,
) -> dict[str, Any]:
    """Check a proof that a version lacks whoever objected; what holds.

    Args:
        raw: the file's bytes.
        key: one of the log's; None takes the one in the proof.
        signer: the key of the manifests, 64 hexadecimal digits; None takes those that the manifests name.
        policy: which witnesses shall have cosigned; None looks at none.
        rotations: a file of how the log's key was rotated; None knows of none.
        now: seconds since 1970-01-01, UTC; None asks the clock.

    Raises:
        Rejected: naming the check that failed.
    """
    document = checked_proof(raw)
    known = Key.read(document["key"]) if key is None else key
    shown = None if rotations is None else listed(rotations)
    spans = checked_spans(known, shown, policy)
    objection, absent, present = document["objection"], document["absent"], document["present"]
    given = [objection, absent] if present is None else [objection, absent, present]
    proofs = [split_proof(each["proof"]) for each in given]
    if len({note for _, _, note in proofs}) > 1:
        raise Rejected("checkpoint", "its entries are under several checkpoints: their order is not shown")
    checkpoint = checked_checkpoint(proofs[0][2], spans)
    cosigned = None if policy is None else checked_witnesses(checkpoint, policy, now)
    kinds = [LODGED, PUBLISHED, PUBLISHED][: len(given)]
    entries = [checked_entry(each["entry"], at[0], kind) for each, at, kind in zip(given, proofs, kinds, strict=True)]
    for each, (index, hashes, _) in zip(given, proofs, strict=True):
        check_inclusion(commitment(each["entry"], each["salt"]), index, checkpoint, hashes)
    keys = checked_subjects(document["subjects"], entries[0])
    number = entries[0]["seq"]
    after = checked_version(absent, entries[1], keys, signer, honours=number)
    if after.pop("present"):
        raise Rejected("absence", "a key is in the version")
    before = None if present is None else checked_version(present, entries[2], keys, signer, before=number)
    if before is not None and not before["present"]:
        raise Rejected("presence", "none of the keys is in the earlier version")
    return {
        **of_log(checkpoint, key, policy, cosigned),
        "entry": number,
        "time": entries[0]["time"],
        "keys": document["subjects"]["own"],
        "absent": after,
        "present": before,
    }


def checked_proof(raw: bytes) -> dict[str, Any]:
    """A proof with its members, and none besides."""
    name = "proof"
    document = parsed(name, raw)
    if document.keys() != {"absent", "format", "key", "objection", "present", "subjects"}:
        raise Rejected(name, "it has other members than a proof has")
    subjects, versions = document["subjects"], [document["absent"]]
    versions += [] if document["present"] is None else [document["present"]]
    members = [(document["objection"], OPENED), (subjects, {"others", "own", "salt"})]
    members += [(each, VERSION) for each in versions]
    if not is_number(document["format"], PROOF_FORMAT) or not all(isinstance(each, dict) for each, _ in members):
        raise Rejected(name, "it has other members than a proof of format 1 has")
    if any(each.keys() != names for each, names in members):
        raise Rejected(name, "it has other members than a proof of format 1 has")
    lists = [subjects["own"], *(each["places"] for each in versions)]
    if not all(isinstance(each, list) for each in lists) or not subjects["own"]:
        raise Rejected(name, "it has no list where one belongs")
    places = [place for each in versions for place in each["places"]]
    if not all(isinstance(each, dict) and each.keys() == {"bucket", "path"} for each in places):
        raise Rejected(name, "a place has other members than it has")
    texts = [document["key"], *subjects["own"], *(text for each in places for text in each.values())]
    texts += [each[member] for each, names in members for member in names - {"own", "places"}]
    if not all(isinstance(each, str) for each in texts):
        raise Rejected(name, "it has something else where a text belongs")
    if any(is_broken(each) for each in texts):
        raise Rejected(name, "it has half of a character")
    return document


def checked_subjects(said: dict[str, Any], entry: dict[str, Any]) -> list[bytes]:
    """The keys that an objection's entry commits to as its person's own, all of them, 8 bytes each."""
    name = "subjects"
    if entry["format"] != OWN_FORMAT:
        raise Rejected(name, "the objection's entry is of an older format: it does not say what is its person's own")
    if not all(SUBJECT_KEY.fullmatch(each) for each in said["own"]):
        raise Rejected(name, "a key is not 16 hexadecimal digits")
    if not HASH.fullmatch(said["salt"]) or not HASH.fullmatch(said["others"]):
        raise Rejected(name, "its salt, or the hash beside it, is not 32 bytes")
    keys = [bytes.fromhex(each) for each in said["own"]]
    own = hashlib.sha256(bytes.fromhex(said["salt"]) + b"".join(keys)).digest()
    if hashlib.sha256(own + bytes.fromhex(said["others"])).hexdigest() != entry["subjects"]:
        raise Rejected(name, "the keys are not those of the objection's entry, or not all of them")
    return keys


def checked_version(
    version: dict[str, Any],
    entry: dict[str, Any],
    keys: list[bytes],
    signer: str | None,
    *,
    honours: int = 0,
    before: int | None = None,
) -> dict[str, Any]:
    """What a version is, and which of the keys are in it.

    Args:
        version: what the proof says of it.
        entry: the one that published it.
        keys: of whoever objected.
        signer: the key that its manifest has to be signed with; None takes the one that it names.
        honours: the number of the objection that it has to come after, and to honour.
        before: the number of the objection that it has to come before.
    """
    name = "version"
    if before is not None and entry["seq"] >= before:
        raise Rejected(name, "the earlier version was published after the objection")
    payload = entry["payload"]
    manifest = version["manifest"].encode()
    if not isinstance(payload, dict) or payload.get("manifest") != hashlib.sha256(manifest).hexdigest():
        raise Rejected(name, "its manifest is not the one that was logged")
    said, public = checked_manifest(manifest, signer)
    if said["name"] != payload.get("name") or not is_number(payload.get("binding"), said["checkpoint"]["binding"]):
        raise Rejected(name, "its manifest says another name, or other objections, than its entry")
    if not honours <= said["checkpoint"]["binding"] < entry["seq"]:
        raise Rejected(name, "it was published before the objection, or of a state of the register from before")
    content = said["content"]
    digests = [subject_digest(content["subjects_salt"], key) for key in keys]
    if len(version["places"]) != len(keys):
        raise Rejected("place", "it does not have one place for each key")
    there = [in_bucket(place, each, content) for place, each in zip(version["places"], digests, strict=True)]
    return {
        "name": said["name"],
        "entry": entry["seq"],
        "time": entry["time"],
        "subjects": content["subjects"],
        "manifest_key": public,
        "present": [key.hex() for key, found in zip(keys, there, strict=True) if found],
    }


def checked_manifest(raw: bytes, signer: str | None) -> tuple[dict[str, Any], str]:
    """What a manifest says, and the key that signed it."""
    name = "manifest"
    document = parsed(name, raw)
    if canonical(document) != raw:
        raise Rejected(name, "it is not spelt as manifests are (RFC 8785)")
    if document.keys() != {"public_key", "signature", "signed"}:
        raise Rejected(name, "it has other members than a manifest has")
    said, public, signature = document["signed"], document["public_key"], document["signature"]
    if not (isinstance(public, str) and HASH.fullmatch(public) and isinstance(signature, str)):
        raise Rejected(name, "its key is not 32 bytes, or it has no signature")
    if signer is not None and public != signer:
        raise Rejected(name, "it is signed by another key than the one given")
    if not re.fullmatch("[0-9a-f]{128}", signature, re.ASCII):
        raise Rejected(name, "its signature is not 64 bytes")
    if not is_signed(bytes.fromhex(public), canonical(said), bytes.fromhex(signature)):
        raise Rejected(name, "its signature is wrong")
    if not isinstance(said, dict) or not is_number(said.get("format"), MANIFEST_FORMAT):
        raise Rejected(name, "it is of another format")
    content, checkpoint = said.get("content"), said.get("checkpoint")
    named = isinstance(said.get("name"), str) and VERSION_NAME.fullmatch(said["name"])
    if not isinstance(content, dict) or not isinstance(checkpoint, dict) or not named:
        raise Rejected(name, "it lacks what a manifest says")
    numbers = (content.get("subjects"), content.get("subjects_bits"), checkpoint.get("binding"))
    hashes = (content.get("subjects_root"), content.get("subjects_salt"))
    if not all(type(each) is int and 0 <= each < 2**63 for each in numbers) or not all(
        isinstance(each, str) and HASH.fullmatch(each) for each in hashes
    ):
        raise Rejected(name, "its number of subjects, or their root or salt, is none")
    return said, public


def subject_digest(salt: str, key: bytes) -> bytes:
    """The digest of a subject key in a version: its first bits number the bucket where it belongs."""
    return hashlib.sha256(SUBJECT + bytes.fromhex(salt) + key).digest()[:DIGEST]


def in_bucket(place: dict[str, str], digest: bytes, content: dict[str, Any]) -> bool:
    """Whether a digest is in the bucket where it belongs, under the root that a manifest names."""
    name = "place"
    bits = content["subjects_bits"]
    if bits != max(0, (content["subjects"] - 1) // PER_BUCKET).bit_length():
        raise Rejected(name, "the number of buckets does not follow from the number of subjects")
    bucket, path = decoded(place["bucket"]), decoded(place["path"])
    if bucket is None or len(bucket) % DIGEST or path is None or len(path) != 32 * bits:
        raise Rejected(name, "its bucket is not made of digests, or it has not one hash for each bit")
    digests = [bucket[at : at + DIGEST] for at in range(0, len(bucket), DIGEST)]
    number = place_of(digest, bits)
    if any(place_of(each, bits) != number for each in digests):
        raise Rejected(name, "a digest in the bucket belongs elsewhere: it is another bucket")
    if any(one >= other for one, other in pairwise(digests)):
        raise Rejected(name, "the digests in the bucket don't ascend, or one is doubled")
    reached = hashlib.sha256(b"\x00" + BUCKET + bucket).digest()
    for at in range(bits):
        beside = path[32 * at : 32 * at + 32]
        pair = beside + reached if number >> at & 1 else reached + beside
        reached = hashlib.sha256(b"\x01" + pair).digest()
    if reached.hex() != content["subjects_root"]:
        raise Rejected(name, "bucket and path do not lead to the root that the manifest names")
    return digest in digests


def place_of(digest: bytes, bits: int) -> int:
    """The number of the bucket that a digest belongs into."""
    return int.from_bytes(digest, "big") >> (8 * DIGEST - bits)


# JSON and texts


class Unfit(ValueError):  # noqa: N818  # an outcome
    """What JSON may have, and neither receipt nor entry has."""


def parsed(name: str, raw: bytes) -> dict[str, Any]:
    """An object of JSON: none of its members doubled, whole numbers alone, and no deeper than entries are."""
    if len(raw) > MOST_BYTES:
        raise Rejected(name, "it is too large")
    try:
        text = raw.decode("utf-8")
        found = json.loads(text, object_pairs_hook=single, parse_int=whole, parse_float=refuse, parse_constant=refuse)
    except Unfit as unfit:
        raise Rejected(name, str(unfit)) from None
    except ValueError:
        raise Rejected(name, "it is no JSON in UTF-8") from None
    except RecursionError:
        raise Rejected(name, "it is nested too deeply") from None
    if is_deep(found):
        raise Rejected(name, "it is nested too deeply")
    if not isinstance(found, dict):
        raise Rejected(name, "it is no object of JSON")
    return found


def single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose members are there once each."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unfit("a member of it is doubled")
    return found


def whole(text: str) -> int:
    """A whole number that everybody reads alike."""
    if len(text) > len(str(-LARGEST)) or abs(int(text)) > LARGEST:
        refuse(text)
    return int(text)


def refuse(_: str) -> None:
    """No fraction, and nothing beyond."""
    raise Unfit("it has a number that no entry has")


def is_deep(value: Any) -> bool:  # noqa: ANN401  # of JSON
    """Whether objects and lists stand in each other on more levels than in any entry."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level if isinstance(each, (dict, list)) for inner in inside(each)]
    return bool(level)


def inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    """What an object or a list holds."""
    return list(value.values()) if isinstance(value, dict) else value


def canonical(value: Any) -> bytes:  # noqa: ANN401  # of JSON
    """Canonical JSON (RFC 8785) of what has texts and whole numbers; half of a character has no such form."""
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def ordered(value: Any) -> Any:  # noqa: ANN401  # of JSON
    """The same with the members of each object sorted by UTF-16 code units (RFC 8785, section 3.2.3)."""
    if isinstance(value, dict):
        return {
            key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        }
    return [ordered(each) for each in value] if isinstance(value, list) else value


def is_number(value: Any, wanted: int) -> bool:  # noqa: ANN401  # of JSON
    """Whether a value of JSON is this number: to Python, `true` is 1."""
    return type(value) is int and value == wanted


def is_broken(text: str) -> bool:
    """Whether a text has half of a character, which has no bytes in UTF-8."""
    return any("\ud800" <= each <= "\udfff" for each in text)


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
    """Whether a key may be called that whose signature says nothing here."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name)


# The command


def main(arguments: list[str] | None = None) -> int:
    """Check the file that the command line names; the exit status."""
    parser = argparse.ArgumentParser(description="Check the receipt of an objection, or a proof of absence, offline.")
    parser.add_argument("file", help="the receipt, or the proof")
    parser.add_argument("key", nargs="?", help="the log's key, or a file that holds it")
    parser.add_argument("--key-in-receipt", action="store_true", help="take the key in the file: shows less")
    parser.add_argument("--manifest-key", metavar="HEX", help="the key that signs manifests, for a proof of absence")
    parser.add_argument("--policy", metavar="FILE", help="which witnesses shall have cosigned: a C2SP tlog-policy")
    parser.add_argument("--rotations", metavar="FILE", help="how the log's key was rotated: `demur log rotations`")
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    asked = parser.parse_args(arguments)
    if (asked.key is None) != asked.key_in_receipt:
        parser.error("give the key of the log, got from somebody else than the receipt; or --key-in-receipt")
    try:
        raw = Path(asked.file).read_bytes()
        text = Path(asked.key).read_text("utf-8-sig") if is_file(asked.key) else asked.key
        rules = Path(asked.policy).read_bytes() if asked.policy else None
        rotations = Path(asked.rotations).read_bytes() if asked.rotations else None
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"it can't be read ({error})")
    own, proof = text is None, is_proof(raw)
    what = "proof" if proof else "receipt"
    try:
        key = None if text is None else Key.read(text)
        policy = None if rules is None else Policy.read(rules)
        if proof:
            found = verify_absence(raw, key, asked.manifest_key, policy, rotations)
            lines, left = sentences_of_versions(found, own=own), unchecked_of_versions(found, asked.manifest_key)
        else:
            found = verify(raw, key, policy, rotations)
            lines, left = sentences(found, own=own), unchecked(found)
    except Rejected as rejected:
        told: dict[str, Any] = {"verified": False, "check": rejected.check, "why": rejected.why}
        lines = [f"NOT VERIFIED. The check {rejected.check!r} fails: {rejected.why}."]
    else:
        told = {"verified": True, "own_key": own, **found, "unchecked": left}
        lines += [
            *([f"The key is the {what}'s own: whoever made the {what} can have made it, too."] if own else []),
            "Not checked:",
            *(f"- {each};" for each in left[:-1]),
            f"- {left[-1]}.",
        ]
    text = json.dumps(told, indent=2) if asked.json else "\n".join(lines)
    spelt = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(spelt, "backslashreplace").decode(spelt) + "\n")  # a policy's names may be any bytes
    return 0 if told["verified"] else 1


def is_file(given: "str | None") -> bool:
    """Whether a key was given as a file that holds it."""
    return given is not None and 0 < len(given) < LONGEST_PATH and Path(given).is_file()


def is_proof(raw: bytes) -> bool:
    """Whether a file names a version that lacks somebody, as proofs do; what is neither is refused as a receipt.

    Looked for as bytes, so that all verifiers take a file for the same, whatever is wrong with it: a receipt has quotes
    in its texts alone, where JSON writes them otherwise.
    """
    return b'"absent"' in raw


def unchecked(found: dict[str, Any]) -> "list[str]":
    """What a receipt does not show, of which all that was asked for holds."""
    common = UNCHECKED_COSIGNED if found.get("quorum") else UNCHECKED
    besides = {"given": UNCHECKED_FOLLOWED, "retired": UNCHECKED_RETIRED}
    return [*common, *(what for name, what in besides.items() if name in found)]


def unchecked_of_versions(found: dict[str, Any], signer: "str | None") -> "list[str]":
    """What a proof of absence does not show, of which all that was asked for holds."""
    return [*([] if signer else [UNCHECKED_SIGNER]), *UNCHECKED_OF_VERSIONS, *unchecked(found)[2:]]


def vouched(found: dict[str, Any]) -> "list[str]":
    """What witnesses and rotations add."""
    told = []
    by = ", ".join(f"{each['name']} at {each['time']}" for each in found.get("witnesses", ()))
    if found.get("quorum"):
        told.append(f"- it is cosigned by {by}: a quorum of the policy;")
    elif "quorum" in found:
        told.append(f"- the policy asks for no witness{f', and it is cosigned by {by}' if by else ''};")
    if "given" in found:
        told.append(
            f"- you gave the key {found['given']}, and {found['key']} signed: rotations lead from one to the other;"
        )
    if "retired" in found:
        told.append(f"- the key was retired at {found['retired']} entries, as a rotation that both keys signed says;")
    return told


def sentences(found: dict[str, Any], *, own: bool) -> list[str]:
    """What was checked of a receipt, and under which key."""
    return [
        *heading("receipt", found, own=own),
        f"- entry {found['entry']} of the log says that an objection was lodged, at {found['time']};",
        f"- it is one of the {found['size']} entries of the signed checkpoint with the root {found['root']};",
        *vouched(found),
        f"- the controller said of it, at {found['at']}: {found['phase']}.",
    ]


def sentences_of_versions(found: dict[str, Any], *, own: bool) -> list[str]:
    """What was checked of a proof of absence, and under which keys."""
    keys, absent, present = found["keys"], found["absent"], found["present"]
    lines = [
        f"- entry {found['entry']} of the log says that an objection was lodged, at {found['time']};",
        f"- its person's own subject keys, all that it names, are {', '.join(keys)};",
        f"- NONE of them is {placed(absent)};",
        f"- entry {absent['entry']} published it, after the objection, at {absent['time']};",
    ]
    if present is not None:
        lines += [
            f"- {', '.join(present['present'])} WERE {placed(present)};",
            f"- entry {present['entry']} published that, before the objection, at {present['time']};",
        ]
    signers = {each["manifest_key"] for each in (absent, present) if each is not None}
    return [
        *heading("proof", found, own=own),
        *lines,
        *vouched(found),
        f"- the manifests are the logged ones, signed by {' and '.join(sorted(signers))};",
        f"- these are of the {found['size']} entries of the signed checkpoint with the root {found['root']}.",
    ]


def placed(version: dict[str, Any]) -> str:
    """Where the keys of a version are, in words."""
    counted = f"of the {version['subjects']} subjects that its manifest counts"
    return f"in the tree signed for version {version['name']}, {counted}"


def heading(what: str, found: dict[str, Any], *, own: bool) -> list[str]:
    """Whether it holds, and under which key."""
    return [
        f"The parts of the {what} FIT TOGETHER, and the key came with them." if own else "VERIFIED.",
        f"Under the key {found['key']} this holds:",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
