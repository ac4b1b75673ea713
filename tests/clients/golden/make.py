"""Makes the golden receipts anew: a genuine one, and forgeries with the check that has to refuse each.

Run it where the form of receipts changes on purpose: ``python tests/clients/golden/make.py``. Everything in it is
fixed, keys and salts included, so that the same files come out. A forgery is what a dishonest holder of the log's key
could make: what the controller says is signed again after each change, so that no other check stands in for the one.
"""  # a script

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.canonical import canonical_json
from demur.objecting.receipts import STATEMENT
from demur.transparency.checkpoint import Checkpoint, InclusionProof
from demur.transparency.cosignature import WitnessKey, cosign
from demur.transparency.note import NoteKey, sign_note
from demur.transparency.rotation import STATEMENT as ROTATION_STATEMENT
from demur.transparency.rotation import Rotation
from demur.transparency.tree import inclusion_proof, leaf_hash, node_hash, root_at

HERE: Final = Path(__file__).parent
ORIGIN: Final = f"demur/{bytes(16).hex()}/1"
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
KEY: Final = NoteKey.of(ORIGIN, PRIVATE)
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
SMALL: Final = NoteKey(ORIGIN, (1).to_bytes(32, "little"))
"""The neutral point as a key: R = [S]B is a signature of it for any message."""
SIZE: Final = 7
KINDS: Final = {3: "objection.withdrawn"}
"""Of entries that are none of an objection lodged, by number."""

Receipt = dict[str, Any]


def entry(seq: int) -> str:
    """An entry of format 2."""
    facts = {
        "detail": None,
        "effect": hashlib.sha256(b"effect%d" % seq).hexdigest(),
        "format": 2,
        "kind": KINDS.get(seq, "objection.lodged"),
        "payload": {"accounts": 1, "channel": "web", "confirm_by": None, "received": None},
        "seq": seq,
        "subjects": hashlib.sha256(b"subjects%d" % seq).hexdigest(),
        "time": f"2026-11-{seq:02}T12:00:00+00:00",
    }
    return canonical_json(facts).decode()


def salt(seq: int) -> bytes:
    """Its salt."""
    return hashlib.sha256(b"salt%d" % seq).digest()


HASHES: Final = [leaf_hash(hashlib.sha256(salt(seq) + entry(seq).encode()).digest()) for seq in range(1, SIZE + 1)]


def nodes(level: int, index: int) -> bytes:
    """The log's tree."""
    return HASHES[index] if level == 0 else node_hash(nodes(level - 1, 2 * index), nodes(level - 1, 2 * index + 1))


def checkpoint(size: int = SIZE) -> Checkpoint:
    """The log at a size."""
    return Checkpoint(ORIGIN, size, root_at(nodes, size))


def proof(seq: int, size: int = SIZE) -> str:
    """That an entry is in it."""
    return InclusionProof(seq - 1, inclusion_proof(nodes, seq - 1, size), checkpoint(size).sign(PRIVATE)).text


def receipt(seq: int, **said: object) -> Receipt:
    """A receipt, signed whatever is in it."""
    facts = {
        "at": "2026-11-30T12:00:00+00:00",
        "entry": entry(seq),
        "format": 1,
        "phase": "lodged",
        "proof": proof(seq),
        "salt": salt(seq).hex(),
    }
    return signed(facts | said)


def signed(facts: Mapping[str, Any], private: Ed25519PrivateKey = PRIVATE) -> Receipt:
    """What a receipt says, signed."""
    signature = private.sign(STATEMENT + canonical_json(facts))
    return {"key": KEY.text, "signature": base64.b64encode(signature).decode(), "signed": dict(facts)}


def under(lines: str, seq: int = 5) -> Receipt:
    """A receipt whose checkpoint has other signature lines."""
    body, _, _ = proof(seq).rpartition("\n\n")
    return receipt(seq, proof=f"{body}\n\n{lines}")


def line(signature: bytes, number: bytes = KEY.id, name: str = ORIGIN) -> str:
    """A line of a signature."""
    return f"— {name} {base64.b64encode(number + signature).decode()}\n"


def forgeries() -> Iterator[tuple[str, str, str]]:
    """Name, the check that has to refuse it, and the file."""
    for group in (_entries, _inclusions, _checkpoints, _others, _readers):
        for name, check, made in group():
            yield name, check, made if isinstance(made, str) else json.dumps(made, indent=2)


def witnessed() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """The same of receipts that are checked by a policy, or after a rotation; with the files that go with each."""
    for name, check, made, also in (*_rotated(), *_cosigned(), *_further()):
        yield name, check, made if isinstance(made, str) else json.dumps(made, indent=2), also


def _entries() -> Iterator[tuple[str, str, Receipt | str]]:
    text = entry(5)
    yield "a word of the entry is another one", "inclusion", receipt(5, entry=text.replace("web", "app"))
    yield (
        "a bit of the salt is another one",
        "inclusion",
        receipt(5, salt=bytes([salt(5)[0] ^ 1]).hex() + salt(5)[1:].hex()),
    )
    yield "the salt is short", "entry", receipt(5, salt=salt(5)[:31].hex())
    yield "the entry is spelt in another way", "entry", receipt(5, entry=text.replace(":", ": ", 1))
    yield "a member of the entry is doubled", "entry", receipt(5, entry=text.replace("{", '{"detail":null,', 1))
    yield "the entry has one member more", "entry", receipt(5, entry=text.replace('"kind"', '"keys":1,"kind"'))
    yield "the entry is of the first format", "entry", receipt(5, entry=text.replace('"format":2,', ""))
    yield "a withdrawal passes for a lodging", "entry", receipt(3)
    yield "another's entry at this place", "inclusion", receipt(5, entry=text.replace("T12", "T13"), salt=salt(4).hex())
    yield "another's entry with its own proof", "entry", receipt(5, entry=entry(4), salt=salt(4).hex())


def _inclusions() -> Iterator[tuple[str, str, Receipt | str]]:
    text, last = proof(5), proof(7)
    first, second, *hashes = text.partition("\n\n")[0].split("\n")
    note = text.partition("\n\n")[2]

    def with_hashes(*lines: str) -> Receipt:
        return receipt(5, proof="\n".join([first, second, *lines]) + "\n\n" + note)

    yield "the index is one more", "entry", receipt(5, proof=text.replace("index 4", "index 5"))
    yield "the index is one less", "entry", receipt(5, proof=text.replace("index 4", "index 3"))
    yield "the index has a leading zero", "inclusion", receipt(5, proof=text.replace("index 4", "index 04"))
    yield "the index is 2^64 more", "inclusion", receipt(5, proof=text.replace("index 4", f"index {2**64 + 4}"))
    yield "there is no index", "inclusion", receipt(5, proof=text.replace("index 4\n", ""))
    for name, size in (("more", SIZE + 1), ("less", SIZE - 1)):
        false = Checkpoint(ORIGIN, size, checkpoint().root).sign(PRIVATE)
        said = last.partition("\n\n")[0] + "\n\n" + false
        yield f"the size is one {name}, and signed", "inclusion", receipt(7, proof=said)
    yield "the proof is short", "inclusion", with_hashes(*hashes[:-1])
    yield "the proof is long", "inclusion", with_hashes(*hashes, hashes[0])
    yield "the proof is in another order", "inclusion", with_hashes(*hashes[::-1])
    short = base64.b64encode(base64.b64decode(hashes[0])[:31]).decode()
    yield "a hash has 31 bytes", "inclusion", with_hashes(short, *hashes[1:])
    yield "a hash is spelt in another way", "inclusion", with_hashes(hashes[0].rstrip("="), *hashes[1:])
    yield "a hash has another bit", "inclusion", with_hashes(hashes[1], hashes[1], *hashes[2:])
    yield "the proof is of another form", "inclusion", receipt(5, proof=text.replace("@v1", "@v2"))
    yield (
        "the checkpoint is of an earlier log",
        "inclusion",
        receipt(5, proof=text.partition("\n\n")[0] + "\n\n" + checkpoint(6).sign(PRIVATE)),
    )
    yield (
        "the checkpoint does not reach the entry",
        "inclusion",
        receipt(5, proof=text.partition("\n\n")[0] + "\n\n" + checkpoint(4).sign(PRIVATE)),
    )


def _checkpoints() -> Iterator[tuple[str, str, Receipt | str]]:
    head, _, note = proof(5).partition("\n\n")
    body, _, good = note.rpartition("\n\n")
    body += "\n"
    scalar = base64.b64decode(good.split(" ")[2])[4:]
    beyond = (int.from_bytes(scalar[32:], "little") + ORDER).to_bytes(32, "little")

    def with_body(text: str) -> Receipt:
        return receipt(5, proof=f"{head}\n\n{sign_note(text, KEY, PRIVATE)}")

    size, root = body.split("\n")[1:3]
    foreign = NoteKey.of(ORIGIN, OTHER)
    yield "another key of the same name signed", "checkpoint", under(line(OTHER.sign(body.encode()), foreign.id))
    yield "a colliding number of a key", "checkpoint", under(line(OTHER.sign(body.encode())))
    yield (
        "a good signature of an unknown key beside a wrong one",
        "checkpoint",
        under(line(OTHER.sign(body.encode()), foreign.id) + line(bytes(64))),
    )
    yield "a wrong signature beside the good one", "checkpoint", under(good + line(bytes(64)))
    yield "S is above the order", "checkpoint", under(line(scalar[:32] + beyond))
    yield "nobody signed", "checkpoint", under("")
    yield "a line that is no signature", "checkpoint", under(good + "signed by hand\n")
    yield "the last line does not end", "checkpoint", under(good.removesuffix("\n"))
    yield "a signature of 63 bytes", "checkpoint", under(line(scalar[:63]))
    yield "another log's name", "checkpoint", with_body(f"demur/{bytes(16).hex()}/2\n{size}\n{root}\n")
    yield (
        "another checkpoint's root",
        "checkpoint",
        receipt(5, proof=proof(5).replace(root, base64.b64encode(checkpoint(6).root).decode())),
    )
    yield "another size, not signed", "checkpoint", receipt(5, proof=proof(5).replace(f"\n{size}\n", "\n8\n"))
    yield "a carriage return", "checkpoint", with_body(f"{ORIGIN}\r\n{size}\n{root}\n")
    yield "a NUL", "checkpoint", with_body(f"{ORIGIN}\n{size}\n{root}\0\n")
    yield "the size has a leading zero", "checkpoint", with_body(f"{ORIGIN}\n0{size}\n{root}\n")
    yield (
        "a root of 31 bytes",
        "checkpoint",
        with_body(f"{ORIGIN}\n{size}\n{base64.b64encode(checkpoint().root[:31]).decode()}\n"),
    )
    yield "a line is missing", "checkpoint", with_body(f"{ORIGIN}\n{size}\n")


def _others() -> Iterator[tuple[str, str, Receipt | str]]:
    good = receipt(5)
    text = json.dumps(good, indent=2)
    facts = good["signed"]
    yield "another phase", "statement", good | {"signed": facts | {"phase": "confirmed"}}
    yield "another day", "statement", good | {"signed": facts | {"at": "2026-12-01T12:00:00+00:00"}}
    yield "another key signed what is said", "statement", signed(facts, OTHER)
    yield "no signature of what is said", "statement", good | {"signature": ""}
    yield "a member is doubled", "receipt", text.replace('"format": 1', '"format": 1, "format": 1')
    yield "a member more", "receipt", good | {"more": 1}
    yield "a member more in what is signed", "receipt", signed(facts | {"more": 1})
    yield "another format", "receipt", signed(facts | {"format": 2})
    yield "a number where a text belongs", "receipt", signed(facts | {"phase": 1})
    yield "cut short", "receipt", text[:-2]
    yield "not an object", "receipt", f"[{text}]"
    yield "a fraction", "receipt", text.replace('"format": 1', '"format": 1.0')
    yield (
        "half of a character",
        "receipt",
        text.replace('lodged"\n', '\\ud800"\n').replace('"phase": "lodged"', '"phase": "\\ud800"'),
    )
    yield "a key of small order", "key", _small()
    yield "a key of another kind", "key", good | {"key": good["key"].replace("+AQ", "+AA")}
    yield "a key with another number", "key", good | {"key": good["key"].replace(KEY.id.hex(), "00000000")}


def _readers() -> Iterator[tuple[str, str, Receipt | str]]:
    """What readers of JSON read in more than one way, or not at all."""
    text = entry(5)
    yield "the format is true, which some take for 1", "receipt", signed(receipt(5)["signed"] | {"format": True})
    yield "a phase that there is not", "receipt", receipt(5, phase="honoured\n\x1b[2K")
    yield "a day that is none", "receipt", receipt(5, at="yesterday")
    yield "a byte order mark", "receipt", "\ufeff" + json.dumps(receipt(5))
    yield (
        "lists in lists",
        "receipt",
        json.dumps(receipt(5)).replace('"phase"', f'"more": {"[" * 33}{"]" * 33}, "phase"'),
    )
    for name, made in (
        ("half of a character in the entry", text.replace("web", "\\ud800")),
        ("a number of the entry beyond 2^53", text.replace('"accounts":1', f'"accounts":{2**53}')),
        ("a fraction in the entry", text.replace('"accounts":1', '"accounts":1.0')),
        ("a minus before nought", text.replace('"accounts":1', '"accounts":-0')),
        ("lists in lists of the entry", text.replace('"accounts":1', f'"accounts":{"[" * 33}{"]" * 33}')),
        ("members in the order of characters", text.replace('"accounts"', '"\uffff":1,"\U00010000":1,"accounts"')),
        ("an escape that is not needed", text.replace("web", "we\\u0062")),
        ("the time of the entry is none", text.replace('"time":"2026', '"time":"soon')),
    ):
        yield name, "entry", receipt(5, entry=made)


def _small() -> Receipt:
    """Signed under a key of small order, for which R = [S]B is good for every message: S is 0, R the neutral point."""
    universal = (1).to_bytes(32, "little") + bytes(32)
    made = under(line(universal, SMALL.id))
    return made | {"key": SMALL.text, "signature": base64.b64encode(universal).decode()}


NEXT: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
"""The log's key from entry 6 on."""
THIRD: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128)))
NEXT_KEY: Final = NoteKey.of(ORIGIN, NEXT)
ROTATED_AT: Final = 6
ROTATION: Final[dict[str, Any]] = Rotation.make(ORIGIN, ROTATED_AT, PRIVATE, NEXT).json
WITNESSES: Final = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3)]
WITNESS_KEYS: Final = [WitnessKey.of(f"w.example/{number}", each) for number, each in enumerate(WITNESSES, 1)]
SEEN: Final = 1_796_040_000
"""When the witnesses saw the log: 2026-11-30T12:00:00Z."""
LINES: Final = [f"witness w{number} {key.text}" for number, key in enumerate(WITNESS_KEYS, 1)]
POLICY: Final = "\n".join(["# two of three", f"log {KEY.text}", *LINES, "group most 2 w1 w2 w3", "quorum most", ""])


def rotated(*keys: Ed25519PrivateKey, size: int = SIZE, by: Ed25519PrivateKey = NEXT, **said: object) -> Receipt:
    """A receipt after a rotation, whose checkpoint some keys signed, and what is said one."""
    text = checkpoint(size).text
    lines = "".join(sign_note(text, NoteKey.of(ORIGIN, key), key).removeprefix(text + "\n") for key in keys)
    shown = InclusionProof(2 - 1, inclusion_proof(nodes, 2 - 1, size), f"{text}\n{lines}").text
    made = signed(receipt(2, proof=shown)["signed"], by)
    return made | {"key": NEXT_KEY.text, "rotations": [ROTATION]} | said


def _rotated() -> Iterator[tuple[str, str, Receipt, dict[str, str]]]:
    after = {"key": "key-next.txt"}
    good = rotated(NEXT)

    def with_rotations(*rotations: Any) -> Receipt:  # noqa: ANN401  # whatever a forger writes
        return good | {"rotations": list(rotations)}

    body, by = ROTATION["signed"], ROTATION["signatures"]
    yield "the old key after the rotation", "checkpoint", rotated(PRIVATE, by=PRIVATE), after
    yield "the old key after the rotation, for whoever knows it", "checkpoint", rotated(PRIVATE, by=PRIVATE), {}
    yield "the new key before the rotation", "checkpoint", rotated(NEXT, size=5), after
    yield "the old key is right and the new key's line is wrong", "checkpoint", _half_signed(), after
    yield "the new key after a rotation that is not told", "checkpoint", _without(good, "rotations"), {}
    yield (
        "a rotation that the new key did not sign",
        "rotation",
        with_rotations(_signed_by(PRIVATE, OTHER, body)),
        after,
    )
    yield (
        "a rotation that the old key did not sign",
        "rotation",
        with_rotations(_signed_by(OTHER, NEXT, body)),
        {},
    )
    yield (
        "a rotation at another size",
        "rotation",
        with_rotations({"signatures": by, "signed": body | {"size": 9}}),
        after,
    )
    yield (
        "a rotation of another log",
        "rotation",
        with_rotations(Rotation.make(ORIGIN + "0", ROTATED_AT, PRIVATE, NEXT).json),
        after,
    )
    yield "a rotation to the same key", "rotation", with_rotations(_same(body)), {}
    yield (
        "rotations that do not go on from one another",
        "rotation",
        with_rotations(ROTATION, Rotation.make(ORIGIN, 7, OTHER, THIRD).json),
        after,
    )
    yield (
        "rotations in another order",
        "rotation",
        with_rotations(Rotation.make(ORIGIN, 7, NEXT, THIRD).json, ROTATION),
        after,
    )
    yield (
        "rotations at sizes that go back",
        "rotation",
        with_rotations(ROTATION, Rotation.make(ORIGIN, 5, NEXT, THIRD).json),
        after,
    )
    yield (
        "a rotation of keys that nobody knows",
        "rotation",
        with_rotations(Rotation.make(ORIGIN, ROTATED_AT, OTHER, THIRD).json),
        after,
    )
    yield "a rotation with a member more", "rotation", with_rotations(ROTATION | {"more": 1}), after
    yield (
        "a rotation whose size is no number",
        "rotation",
        with_rotations({"signatures": by, "signed": body | {"size": "6"}}),
        after,
    )
    yield (
        "a rotation to no key",
        "rotation",
        with_rotations({"signatures": by, "signed": body | {"to": "the next one"}}),
        after,
    )
    yield "no rotation in the list", "receipt", with_rotations(), after
    yield "rotations that are no list", "receipt", good | {"rotations": ROTATION}, after
    yield "what is sealed is no text", "receipt", good | {"again": 1}, after
    yield "the retired key signs what is said", "statement", rotated(NEXT, by=PRIVATE), after


def _without(made: Receipt, name: str) -> Receipt:
    return {each: value for each, value in made.items() if each != name}


def _signed_by(old: Ed25519PrivateKey, new: Ed25519PrivateKey, body: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    message = ROTATION_STATEMENT + canonical_json(body)
    both = {"from": old.sign(message), "to": new.sign(message)}
    return {"signatures": {name: base64.b64encode(each).decode() for name, each in both.items()}, "signed": body}


def _same(body: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return _signed_by(PRIVATE, PRIVATE, body | {"to": body["from"]})


def _half_signed() -> Receipt:
    made = rotated(PRIVATE, size=6)
    said = made["signed"] | {"proof": made["signed"]["proof"] + line(bytes(64), NEXT_KEY.id)}
    return signed(said, NEXT) | {"key": NEXT_KEY.text, "rotations": [ROTATION]}


def witnessed_by(*lines: str, seq: int = 5) -> Receipt:
    """A receipt whose checkpoint is cosigned."""
    return receipt(seq, proof=proof(seq) + "".join(lines))


def cosignature(at: int, size: int = SIZE, time: int = SEEN) -> str:
    """The line of a witness."""
    return cosign(checkpoint(size).text, WITNESS_KEYS[at], WITNESSES[at], time)


def _cosigned() -> Iterator[tuple[str, str, Receipt | str, dict[str, str]]]:
    by = {"policy": "policy.txt"}
    one, two = cosignature(0), cosignature(1)
    text = checkpoint().text
    plain = sign_note(text, NoteKey(WITNESS_KEYS[1].name, WITNESS_KEYS[1].public), WITNESSES[1]).removeprefix(
        text + "\n"
    )
    yield "nobody cosigned", "witnesses", witnessed_by(), by
    yield "a cosignature of another body", "witnesses", witnessed_by(one, cosignature(1, size=6)), by
    yield "three, of which one is of another body", "witnesses", witnessed_by(one, two, cosignature(2, size=6)), by
    yield "a cosignature of type 0x01", "witnesses", witnessed_by(one, plain), by
    yield "a plain signature with the number of a cosignature", "witnesses", witnessed_by(one, _plain()), by
    yield "a cosignature counted twice", "witnesses", witnessed_by(one, one), by
    yield (
        "a cosignature counted twice, with two times",
        "witnesses",
        witnessed_by(one, cosignature(0, time=SEEN + 1)),
        by,
    )
    yield "a cosignature dated ahead", "witnesses", witnessed_by(one, cosignature(1, time=2**40)), by
    yield "a cosignature dated beyond every calendar", "witnesses", witnessed_by(one, cosignature(1, time=2**62)), by
    yield "a cosignature with another time than it signed", "witnesses", witnessed_by(one, _retimed(two)), by
    yield "a cosignature that is cut short", "witnesses", witnessed_by(one, _cut(two)), by
    yield "another key of the witness's name", "witnesses", witnessed_by(one, _foreign()), by
    yield "the log's own key as a witness", "witnesses", witnessed_by(one, _own()), by
    good = json.dumps(witnessed_by(one), indent=2)
    for name in POLICIES:
        if name != "policy.txt":
            yield f"the policy of {name}", "policy", good, {"policy": name}


def _further() -> Iterator[tuple[str, str, Receipt | str, dict[str, str]]]:
    """Of both keys at one size, of trees hashed in another way, of long chains, and of odd names."""
    both = rotated(PRIVATE, NEXT, size=ROTATED_AT, by=PRIVATE)
    yield "the retired key signs what is said at the size of the rotation", "statement", both, {}
    yield "the same for whoever knows the new key", "statement", both, {"key": "key-next.txt"}
    first, second, _, *hashes = proof(5).partition("\n\n")[0].split("\n")
    beside = base64.b64encode(_bare(0, 5)).decode()
    note = proof(5).partition("\n\n")[2]
    shown = "\n".join([first, second, beside, *hashes])
    yield "a commitment beside it that is not hashed", "inclusion", receipt(5, proof=f"{shown}\n\n{note}"), {}
    signed_root = Checkpoint(ORIGIN, SIZE, root_at(_bare, SIZE)).sign(PRIVATE)
    bare = InclusionProof(4, inclusion_proof(_bare, 4, SIZE), signed_root).text
    yield "a tree whose leaves are not hashed, as if they were nodes", "inclusion", receipt(5, proof=bare), {}
    keys = [PRIVATE, *(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(100, 201))]
    chain = [Rotation.make(ORIGIN, SIZE + at, *pair).json for at, pair in enumerate(pairwise(keys))]
    yield "101 rotations", "rotation", json.dumps(rotated(PRIVATE, by=PRIVATE, rotations=chain)), {}
    odd = f"demur/\N{RIGHT-TO-LEFT OVERRIDE}{bytes(16).hex()}/1"
    head = proof(5).partition("\n\n")[0]
    made = receipt(5, proof=head + "\n\n" + Checkpoint(odd, SIZE, checkpoint().root).sign(PRIVATE))
    yield "a key whose name turns what is read beside it", "key", made | {"key": NoteKey.of(odd, PRIVATE).text}, {}


def _bare(level: int, index: int) -> bytes:
    """The log's tree, were the leaves no hashes of commitments but these."""
    if level:
        return node_hash(_bare(level - 1, 2 * index), _bare(level - 1, 2 * index + 1))
    return hashlib.sha256(salt(index + 1) + entry(index + 1).encode()).digest()


def _plain() -> str:
    text = checkpoint().text
    return line(SEEN.to_bytes(8, "big") + WITNESSES[1].sign(text.encode()), WITNESS_KEYS[1].id, WITNESS_KEYS[1].name)


def _retimed(text: str) -> str:
    data = base64.b64decode(text.split(" ")[2])
    return line((SEEN + 1).to_bytes(8, "big") + data[12:], data[:4], text.split(" ")[1])


def _cut(text: str) -> str:
    data = base64.b64decode(text.split(" ")[2])
    return line(data[4:-1], data[:4], text.split(" ")[1])


def _foreign() -> str:
    key = WitnessKey.of(WITNESS_KEYS[1].name, OTHER)
    return cosign(checkpoint().text, key, OTHER, SEEN)


def _own() -> str:
    return cosign(checkpoint().text, WitnessKey.of(ORIGIN, PRIVATE), PRIVATE, SEEN)


def _policy(*lines: str) -> str:
    return "\n".join([*lines, ""])


POLICIES: Final = {
    "policy.txt": POLICY,
    "policy-one-key-two-names.txt": _policy(
        LINES[0], LINES[0].replace("w1", "w2", 1), "group both all w1 w2", "quorum both"
    ),
    "policy-member-twice.txt": _policy(LINES[0], "group both 2 w1 w1", "quorum both"),
    "policy-in-two-groups.txt": _policy(
        LINES[0], "group a any w1", "group b any w1", "group both all a b", "quorum both"
    ),
    "policy-no-quorum.txt": _policy(LINES[0]),
    "policy-two-quorums.txt": _policy(LINES[0], "quorum none", "quorum w1"),
    "policy-unknown-name.txt": _policy("quorum w1", LINES[0]),
    "policy-log-key.txt": _policy(f"witness w1 {KEY.text}", "quorum w1"),
    "policy-none-of-one.txt": _policy(LINES[0], "group g 0 w1", "quorum g"),
    "policy-another-log.txt": _policy(f"log {NoteKey.of('other.example', OTHER).text}", "quorum none"),
    "policy-other-word.txt": _policy("witnesses w1", "quorum none"),
    "policy-too-few-words.txt": _policy("witness w1", "quorum none"),
    "policy-name-twice.txt": _policy(LINES[0], LINES[1].replace("w2", "w1", 1), "quorum w1"),
    "policy-control-character.txt": "quorum none\v\n",
}


def files() -> dict[str, str]:
    """Every file by its name."""
    made = {"receipt.json": json.dumps(receipt(5), indent=2), "key.txt": KEY.text + "\n"}
    index = {}
    for number, (name, check, text) in enumerate(forgeries(), 1):
        made[f"forged-{number:02}.json"] = text
        index[f"forged-{number:02}.json"] = {"name": name, "check": check}
    for number, (name, check, text, also) in enumerate(witnessed(), len(index) + 1):
        made[f"forged-{number:02}.json"] = text
        index[f"forged-{number:02}.json"] = {"name": name, "check": check, **also}
    made["key-next.txt"] = NEXT_KEY.text + "\n"
    made["rotations.json"] = canonical_json([ROTATION]).decode() + "\n"
    made["receipt-rotated.json"] = json.dumps(rotated(NEXT), indent=2)
    made["receipt-both-keys.json"] = json.dumps(rotated(PRIVATE, NEXT, size=6), indent=2)
    made["receipt-cosigned.json"] = json.dumps(witnessed_by(cosignature(0), cosignature(1), _foreign()), indent=2)
    made |= POLICIES
    return made | {"forgeries.json": json.dumps(index, indent=2) + "\n"}


if __name__ == "__main__":
    for path in HERE.glob("forged-*.json"):
        path.unlink()
    for file, text in files().items():
        (HERE / file).write_text(text)
