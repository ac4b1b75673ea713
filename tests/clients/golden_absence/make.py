"""Makes the golden proofs of absence anew: a genuine one, and forgeries with the check that has to refuse each.

Run it where the form of proofs changes on purpose: ``python tests/clients/golden_absence/make.py``. Everything in it is
fixed, keys and salts included, so that the same files come out. A forgery is what a dishonest holder of all keys could
make: manifest, entries and checkpoint are signed again after each change, so that no other check stands in for the one.
"""  # a script

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.canonical import canonical_json
from demur.transparency.checkpoint import Checkpoint, InclusionProof
from demur.transparency.note import NoteKey
from demur.transparency.tree import inclusion_proof, leaf_hash, level_above, node_hash, root_at

HERE: Final = Path(__file__).parent
ORIGIN: Final = f"demur/{bytes(16).hex()}/1"
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
MANIFESTS: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
KEY: Final = NoteKey.of(ORIGIN, PRIVATE)
SIGNER: Final = MANIFESTS.public_key().public_bytes_raw().hex()
UNIVERSAL: Final = (1).to_bytes(32, "little")
"""The neutral point: as a key, R = it and S = 0 is a signature of it for any message."""
OWN: Final = [0x1111111111111111, 0x2222222222222222]
OTHERS: Final = [0x3333333333333333]
STRANGERS: Final = [0x4000000000000000 + 991 * number for number in range(28)]
BITS: Final = 3
SIZE: Final = 8
BEFORE, LODGED, AFTER, LATER, STRANGE, WITHDRAWN = 2, 3, 4, 5, 6, 7
"""Entries: an earlier version, the objection, two later versions, another's objection, a withdrawal."""

Document = dict[str, Any]


def sha(*parts: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(b"".join(parts)).digest()


# The register's log


def halves(own: Sequence[int], others: Sequence[int], salt: bytes) -> dict[str, Any]:
    """What opens the subjects of an objection."""
    keys = [f"{key:016x}" for key in own]
    hidden = sha(salt, b"others", b"".join(key.to_bytes(8) for key in others))
    return {"others": hidden.hex(), "own": keys, "salt": sha(salt, b"own").hex()}


def committed(said: Mapping[str, Any]) -> str:
    """What an objection's entry says of its subjects."""
    own = sha(bytes.fromhex(said["salt"]), *(bytes.fromhex(key) for key in said["own"]))
    return sha(own, bytes.fromhex(said["others"])).hex()


SUBJECTS: Final = halves(OWN, OTHERS, b"hers")
FOREIGN: Final = halves(STRANGERS[:2], [], b"theirs")


def entry(seq: int, kind: str, payload: Mapping[str, Any], subjects: str | None = None, form: int = 2) -> str:
    """An entry."""
    facts = {
        "detail": None,
        "effect": None,
        "format": form,
        "kind": kind,
        "payload": payload,
        "seq": seq,
        "subjects": subjects,
        "time": f"2026-11-{seq:02}T12:00:00+00:00",
    }
    return canonical_json(facts).decode()


@dataclass
class Log:
    """A log of eight entries."""

    entries: dict[int, str]
    salts: dict[int, bytes] = field(default_factory=lambda: {seq: sha(b"salt%d" % seq) for seq in range(1, SIZE + 1)})

    def nodes(self, level: int, index: int) -> bytes:
        """Its tree."""
        if level == 0:
            return leaf_hash(sha(self.salts[index + 1], self.entries[index + 1].encode()))
        return node_hash(self.nodes(level - 1, 2 * index), self.nodes(level - 1, 2 * index + 1))

    def opened(self, seq: int, size: int = SIZE, private: Ed25519PrivateKey = PRIVATE) -> Document:
        """An entry, with its proof in the log of a size."""
        note = Checkpoint(ORIGIN, size, root_at(self.nodes, size)).sign(private)
        proof = InclusionProof(seq - 1, inclusion_proof(self.nodes, seq - 1, size), note)
        return {"entry": self.entries[seq], "proof": proof.text, "salt": self.salts[seq].hex()}


# Versions


def digest(salt: bytes, key: int) -> bytes:
    """A key's digest in a version."""
    return sha(b"demur subject\n", salt, key.to_bytes(8))[:16]


def place(one: bytes, bits: int = BITS) -> int:
    """The bucket where a digest belongs."""
    return int.from_bytes(one) >> (128 - bits)


@dataclass
class Version:
    """A version; what of it is another than it should be is changed before it is logged."""

    name: str
    keys: Sequence[int]
    binding: int
    bits: int = BITS
    count: int | None = None
    signed: dict[str, Any] = field(default_factory=dict)
    """Members of the manifest that are others."""
    buckets: dict[int, bytes] = field(default_factory=dict)
    """Buckets that are others."""
    root: bytes | None = None
    private: Ed25519PrivateKey = MANIFESTS
    document: dict[str, Any] = field(default_factory=dict)
    """Members of the manifest's file that are others."""
    text: str | None = None
    """The manifest's file, where it is another."""

    @property
    def salt(self) -> bytes:
        """Its own."""
        return sha(b"salt of", self.name.encode())

    def bucket(self, number: int) -> bytes:
        """The digests that stand in a bucket."""
        if number in self.buckets:
            return self.buckets[number]
        return b"".join(sorted(one for key in self.keys if place(one := digest(self.salt, key), self.bits) == number))

    def levels(self) -> list[list[bytes]]:
        """The tree, from the leaves."""
        tag = b"demur subjects of a bucket\n"
        levels = [[leaf_hash(tag + self.bucket(number)) for number in range(1 << self.bits)]]
        while len(levels[-1]) > 1:
            levels.append(level_above(levels[-1]))
        return levels

    def shown(self, number: int) -> dict[str, str]:
        """A bucket and its path."""
        path = [level[(number >> up) ^ 1] for up, level in enumerate(self.levels()[:-1])]
        return text_of(self.bucket(number), b"".join(path))

    def places(self, keys: Sequence[int] = OWN) -> list[dict[str, str]]:
        """What shows keys as there, or as not there."""
        return [self.shown(place(digest(self.salt, key), self.bits)) for key in keys]

    @property
    def manifest(self) -> str:
        """Its file."""
        content = {
            "subjects": len(self.keys) if self.count is None else self.count,
            "subjects_bits": self.bits,
            "subjects_root": (self.levels()[-1][0] if self.root is None else self.root).hex(),
            "subjects_salt": self.salt.hex(),
        }
        facts: dict[str, Any] = {
            "checkpoint": {"binding": self.binding, "digest": bytes(32).hex(), "seq": self.binding},
            "content": content,
            "format": 2,
            "name": self.name,
        }
        facts |= self.signed
        if self.text is not None:
            return self.text
        public = self.private.public_key().public_bytes_raw().hex()
        signature = self.private.sign(canonical_json(facts)).hex()
        return canonical_json({"public_key": public, "signature": signature, "signed": facts} | self.document).decode()

    def logged(self, seq: int, **payload: object) -> str:
        """The entry that published it."""
        said = {"binding": self.binding, "lance_version": seq, "name": self.name, "rows": 99}
        said["manifest"] = sha(self.manifest.encode()).hex()
        return entry(seq, "version.published", said | payload)


def text_of(bucket: bytes, path: bytes) -> dict[str, str]:
    """A place, as it is handed out."""
    return {"bucket": base64.b64encode(bucket).decode(), "path": base64.b64encode(path).decode()}


V1: Final = Version("v1", [*STRANGERS, OWN[0]], 0)
V2: Final = Version("v2", STRANGERS, LODGED)
V3: Final = Version("v3", [*STRANGERS, OWN[0]], LODGED)


def log(**entries: str) -> Log:
    """A log, of which single entries (``e4``) are others."""
    lodged = {"accounts": 1, "channel": "signed-link", "confirm_by": None, "received": None}
    found = {seq: entry(seq, "import.finished", {}) for seq in range(1, SIZE + 1)}
    found |= {BEFORE: V1.logged(BEFORE), AFTER: V2.logged(AFTER), LATER: V3.logged(LATER)}
    found[LODGED] = entry(LODGED, "objection.lodged", lodged, committed(SUBJECTS), 3)
    found[STRANGE] = entry(STRANGE, "objection.lodged", lodged, committed(FOREIGN), 3)
    found[WITHDRAWN] = entry(WITHDRAWN, "objection.withdrawn", {"objection": LODGED}, committed(SUBJECTS), 3)
    return Log(found | {int(name[1:]): text for name, text in entries.items()})


def proof(
    after: Version = V2, before: Version | None = V1, *, logged: Mapping[str, object] | None = None, **said: object
) -> Document:
    """A proof, signed whatever is in it; the versions are logged as they are, but for ``logged`` of the later one."""
    entries = {f"e{AFTER}": after.logged(AFTER, **(logged or {}))}
    if before is not None:
        entries[f"e{BEFORE}"] = before.logged(BEFORE)
    made = log(**entries)
    facts = {
        "absent": version(made, AFTER, after),
        "format": 1,
        "key": KEY.text,
        "objection": made.opened(LODGED),
        "present": None if before is None else version(made, BEFORE, before),
        "subjects": SUBJECTS,
    }
    return facts | said


def version(made: Log, seq: int, which: Version, **said: object) -> Document:
    """A version in a proof."""
    return {**made.opened(seq), "manifest": which.manifest, "places": which.places(), **said}


def changed(document: Document, *path: str | int, value: object) -> Document:
    """A proof with one value another."""
    found: Any = deepcopy(document)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    made: Document = found
    return made


# Forgeries


def forgeries() -> Iterator[tuple[str, str, str]]:
    """Name, the check that has to refuse it, and the file."""
    for group in (_forms, _entries, _subjects, _versions, _manifests, _places, _shown):
        for name, check, made in group():
            yield name, check, made if isinstance(made, str) else json.dumps(made, indent=2)


def _forms() -> Iterator[tuple[str, str, Document | str]]:
    good = proof()
    text = json.dumps(good, indent=2)
    yield "a member more", "proof", good | {"more": 1}
    yield "a member is doubled", "proof", text.replace('"format": 1', '"format": 1, "format": 1')
    yield "another format", "proof", good | {"format": 2}
    yield "the objection is a text", "proof", good | {"objection": "entry"}
    yield "a member of the objection is missing", "proof", good | {"objection": {"entry": "", "proof": ""}}
    yield "the keys are a text", "proof", changed(good, "subjects", "own", value="1111111111111111")
    yield "there is no key", "proof", changed(good, "subjects", "own", value=[])
    yield "a place has a member more", "proof", changed(good, "absent", "places", 0, "bits", value="3")
    yield "a number where a text belongs", "proof", changed(good, "absent", "places", 0, "path", value=3)
    yield "half of a character", "proof", text.replace('"key": "demur', '"key": "\\ud800')
    yield "a fraction", "proof", text.replace('"format": 1', '"format": 1.0')
    yield "a key of small order", "key", good | {"key": NoteKey(ORIGIN, UNIVERSAL).text}


def _entries() -> Iterator[tuple[str, str, Document | str]]:
    good, made = proof(), log()
    yield (
        "the entries are under two checkpoints",
        "checkpoint",
        good | {"absent": version(made, AFTER, V2) | made.opened(AFTER, 7)},
    )
    unsigned = version(made, AFTER, V2) | made.opened(AFTER, private=OTHER)
    yield "one of the checkpoints is not signed", "checkpoint", good | {"absent": unsigned, "present": None}
    yield (
        "another key signed",
        "checkpoint",
        proof()
        | {
            "absent": version(made, AFTER, V2) | made.opened(AFTER, private=OTHER),
            "present": None,
            "objection": made.opened(LODGED, private=OTHER),
        },
    )
    yield "a withdrawal passes for a lodging", "entry", good | {"objection": made.opened(WITHDRAWN)}
    retired = log(e4=V2.logged(AFTER).replace("version.published", "version.retired"))
    yield (
        "a version retired passes for one published",
        "entry",
        good
        | {
            "objection": retired.opened(LODGED),
            "absent": version(retired, AFTER, V2),
            "present": None,
        },
    )
    text = good["absent"]["entry"]
    yield (
        "the version's entry is spelt in another way",
        "entry",
        changed(good, "absent", "entry", value=text.replace(":", ": ", 1)),
    )
    yield (
        "the version's entry is of another place",
        "entry",
        changed(good, "absent", "proof", value=made.opened(LATER)["proof"]),
    )
    yield (
        "the version's entry says another number",
        "inclusion",
        changed(good, "absent", "entry", value=text.replace('"rows":99', '"rows":98')),
    )
    yield (
        "the objection's salt is another's",
        "inclusion",
        changed(good, "objection", "salt", value=made.salts[STRANGE].hex()),
    )
    yield (
        "a hash of the earlier version's proof is another",
        "inclusion",
        changed(good, "present", "proof", value=_with_hash(good["present"]["proof"])),
    )


def _with_hash(text: str) -> str:
    lines = text.split("\n")
    lines[2] = base64.b64encode(sha(b"another")).decode()
    return "\n".join(lines)


def _subjects() -> Iterator[tuple[str, str, Document | str]]:
    good = proof()
    keys = SUBJECTS["own"]
    one = V2.places(OWN[:1])
    yield "the keys are another's", "subjects", good | {"subjects": SUBJECTS | {"own": FOREIGN["own"]}}
    dropped = changed(good, "absent", "places", value=one) | {"subjects": SUBJECTS | {"own": keys[:1]}, "present": None}
    yield "an account is dropped", "subjects", dropped
    yield "the keys are in another order", "subjects", good | {"subjects": SUBJECTS | {"own": keys[::-1]}}
    more = [*keys, f"{OTHERS[0]:016x}"]
    added = changed(good, "absent", "places", value=V2.places([*OWN, *OTHERS])) | {"present": None}
    yield "an account is added", "subjects", added | {"subjects": SUBJECTS | {"own": more}}
    yield "another's objection is opened", "subjects", good | {"subjects": FOREIGN}
    yield "the hash beside them is another", "subjects", good | {"subjects": SUBJECTS | {"others": FOREIGN["others"]}}
    moved = {"own": keys[1:], "salt": SUBJECTS["salt"] + keys[0]}
    yield (
        "an account is moved into the salt",
        "subjects",
        changed(good, "absent", "places", value=V2.places(OWN[1:])) | {"subjects": SUBJECTS | moved, "present": None},
    )
    yield "the salt is short", "subjects", good | {"subjects": SUBJECTS | {"salt": SUBJECTS["salt"][:62]}}
    joined = SUBJECTS | {"own": ["".join(keys)]}
    yield "two keys are joined", "subjects", good | {"subjects": joined, "absent": good["absent"] | {"places": one}}
    older = log(e3=entry(LODGED, "objection.lodged", {"accounts": 1}, committed(SUBJECTS)))
    yield (
        "the objection's entry is of the second format",
        "subjects",
        good
        | {
            "objection": older.opened(LODGED),
            "absent": version(older, AFTER, V2),
            "present": None,
        },
    )


def _versions() -> Iterator[tuple[str, str, Document | str]]:
    good = proof()
    bare = Version("v2", STRANGERS, LODGED)
    full = Version("v2", [*STRANGERS, OWN[0]], LODGED)
    yield (
        "the manifest is not the logged one",
        "version",
        changed(proof(full, None), "absent", "manifest", value=bare.manifest)
        | {"present": None}
        | {"absent": proof(full, None)["absent"] | {"manifest": bare.manifest, "places": bare.places()}},
    )
    early = Version("v1", STRANGERS, LODGED)
    made = log(e2=early.logged(BEFORE))
    yield (
        "it was published before the objection",
        "version",
        good
        | {
            "absent": version(made, BEFORE, early),
            "objection": made.opened(LODGED),
            "present": None,
        },
    )
    yield (
        "the earlier version was published after the objection",
        "version",
        good
        | {
            "absent": version(log(), AFTER, V2),
            "objection": log().opened(LODGED),
            "present": version(log(), LATER, V3),
        },
    )
    yield "it honours only what came before the objection", "version", proof(Version("v2", STRANGERS, LODGED - 1))
    yield "its entry says that it honours more than its manifest", "version", proof(logged={"binding": LODGED + 1})
    yield "its entry has another name", "version", proof(logged={"name": "v1"})
    yield "it honours what came after it", "version", proof(Version("v2", STRANGERS, AFTER))
    yield (
        "the earlier version is given as the later one",
        "version",
        good | {"absent": good["present"], "present": None},
    )


def _manifests() -> Iterator[tuple[str, str, Document | str]]:
    text = V2.manifest

    def written(file: str) -> Document:
        return proof(Version("v2", STRANGERS, LODGED, text=file))

    yield "it is spelt in another way", "manifest", written(json.dumps(json.loads(text), indent=1))
    yield "it has a member more", "manifest", proof(Version("v2", STRANGERS, LODGED, document={"more": 1}))
    yield "a member of it is doubled", "manifest", written(text.replace("{", '{"signature":"",', 1))
    signature = json.loads(text)["signature"]
    flipped = signature[:-3] + ("0" if signature[-3] != "0" else "1") + signature[-2:]
    yield "its signature is wrong", "manifest", written(text.replace(signature, flipped))
    yield "its signature is in capitals", "manifest", written(text.replace(signature, signature.upper()))
    yield "its signature is short", "manifest", written(text.replace(signature, signature[:-2]))
    yield "its signature is no text", "manifest", proof(Version("v2", STRANGERS, LODGED, document={"signature": 1}))
    yield "it is signed by another key", "manifest", proof(Version("v2", STRANGERS, LODGED, private=OTHER))
    small = {"public_key": UNIVERSAL.hex(), "signature": (UNIVERSAL + bytes(32)).hex()}
    yield "it is signed by a key of small order", "manifest", proof(Version("v2", STRANGERS, LODGED, document=small))
    yield "it is of the first format", "manifest", proof(Version("v2", STRANGERS, LODGED, signed={"format": 1}))
    yield "it has no content", "manifest", proof(Version("v2", STRANGERS, LODGED, signed={"content": []}))
    lacking = {"content": json.loads(text)["signed"]["content"] | {"subjects": -1}}
    yield "its number of subjects is none", "manifest", proof(Version("v2", STRANGERS, LODGED, signed=lacking))


def _places() -> Iterator[tuple[str, str, Document | str]]:
    good, hers = proof(), digest(V2.salt, OWN[0])
    number = place(hers)
    held = V2.bucket(number)
    full = Version("v2", [*STRANGERS, OWN[0]], LODGED)

    def with_bucket(bucket: bytes) -> Document:
        return proof(Version("v2", STRANGERS, LODGED, buckets={number: bucket}))

    yield "there is one bit more than there should be", "place", proof(Version("v2", STRANGERS, LODGED, bits=BITS + 1))
    yield "there is one bit less than there should be", "place", proof(Version("v2", STRANGERS, LODGED, bits=BITS - 1))
    yield (
        "the key's own digest is taken out",
        "place",
        changed(proof(full), "absent", "places", 0, "bucket", value=text_of(held, b"")["bucket"]),
    )
    beside = V2.shown(number ^ 1)
    yield "another bucket", "place", changed(good, "absent", "places", 0, value=beside)
    yield "no bucket", "place", changed(proof(full), "absent", "places", 0, "bucket", value="")
    yield "the bucket is cut within a digest", "place", with_bucket(held + hers[:8])
    yield "the digests don't ascend", "place", with_bucket(b"".join(sorted(_split(held), reverse=True)))
    yield "a digest is doubled", "place", with_bucket(held[:16] + held)
    foreign = b"".join(sorted([*_split(held), *_split(V2.bucket(number ^ 1))[:1]]))
    yield "a digest in it belongs elsewhere", "place", with_bucket(foreign)
    path = base64.b64decode(good["absent"]["places"][0]["path"])
    for name, other in (
        ("short", path[:-32]),
        ("long", path + bytes(32)),
        ("reversed", path[64:] + path[32:64] + path[:32]),
    ):
        yield f"the path is {name}", "place", changed(good, "absent", "places", 0, value=text_of(held, other))
    yield (
        "the path is spelt in another way",
        "place",
        changed(good, "absent", "places", 0, "path", value=good["absent"]["places"][0]["path"] + "\n"),
    )
    yield "the places are those of the earlier version", "place", changed(good, "absent", "places", value=V1.places())
    salted = Version("another", STRANGERS, LODGED).places()
    yield "the places are those of another salt", "place", changed(good, "absent", "places", value=salted)
    yield "a key has no place", "place", changed(good, "absent", "places", value=good["absent"]["places"][:1])
    yield "a proof of the log passes for one of absence", "place", _of_the_log()


def _split(bucket: bytes) -> list[bytes]:
    return [bucket[at : at + 16] for at in range(0, len(bucket), 16)]


def _of_the_log() -> Document:
    """The manifest names a log's root as that of its subjects, and a commitment in that log stands for a bucket.

    Salts are tried until the commitment of the log's entry at the place of each key reads as two digests in order that
    belong there: nothing but the tag in front of buckets is left to tell them from the log's leaves.
    """
    fake = log()
    for key in OWN:
        number = place(digest(V2.salt, key))
        for attempt in range(1 << 20):
            fake.salts[number + 1] = sha(b"attempt%d" % attempt)
            leaf = sha(fake.salts[number + 1], fake.entries[number + 1].encode())
            one, other = leaf[:16], leaf[16:]
            if place(one) == place(other) == number and one < other:
                break
    root = root_at(fake.nodes, SIZE)
    made = proof(Version("v2", STRANGERS, LODGED, root=root))
    places = []
    for key in OWN:
        number = place(digest(V2.salt, key))
        leaf = sha(fake.salts[number + 1], fake.entries[number + 1].encode())
        places.append(text_of(leaf, b"".join(inclusion_proof(fake.nodes, number, SIZE))))
    return changed(made, "absent", "places", value=places)


def _shown() -> Iterator[tuple[str, str, Document | str]]:
    yield "presence is called absence", "absence", proof(Version("v2", [*STRANGERS, OWN[1]], LODGED))
    yield "absence is called presence", "presence", proof(V2, Version("v1", STRANGERS, 0))


def files() -> dict[str, str]:
    """Every file by its name."""
    made = {"proof.json": json.dumps(proof(), indent=2), "absent.json": json.dumps(proof(V2, None), indent=2)}
    made |= {"key.txt": KEY.text + "\n", "manifest-key.txt": SIGNER + "\n"}
    index = {}
    for number, (name, check, text) in enumerate(forgeries(), 1):
        made[f"forged-{number:02}.json"] = text
        index[f"forged-{number:02}.json"] = {"name": name, "check": check}
    return made | {"forgeries.json": json.dumps(index, indent=2) + "\n"}


if __name__ == "__main__":
    for path in HERE.glob("forged-*.json"):
        path.unlink()
    for file, text in files().items():
        (HERE / file).write_text(text)
