"""The people of a version as a Merkle tree in which the key decides the place: absence can be shown, not only presence.

A version's subject keys are spread over 2^b buckets. A key's digest is the first 16 bytes of
``SHA-256(tag || the version's salt || the key's 8 bytes, big-endian)``, and its first b bits number the bucket. A
bucket's leaf holds a tag and the digests in it, ascending; the buckets are the leaves of a perfect tree, hashed as RFC
9162 (section 2.1.1) says. A proof is one bucket and the b hashes beside the way to the root.

Invariants: where a key may stand does not depend on any other key, so that one proof shows all places there are for
it (in a tree of sorted leaves, one leaf out of order forges absence); the tag keeps these leaves apart from the log's;
the salt is new in each version, so that proofs of two versions can't be joined by their neighbours' digests; memory
grows with the square root of the number of buckets alone, as long as the digests come in order.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

import numpy as np

from demur.errors import CheckFailed
from demur.transparency.tree import leaf_hash, level_above, node_hash
from demur.versions.sorting import Records

SALT_BYTES: Final = 32
DIGEST_BYTES: Final = 16
PER_BUCKET: Final = 4
"""Keys of a bucket, on average at most."""

_KEY_TAG: Final = b"demur subject\n"
_BUCKET_TAG: Final = b"demur subjects of a bucket\n"


@dataclass(frozen=True)
class Proof:
    """That a key is among a version's subjects, or that it is not."""

    bucket: bytes
    """The digests of the bucket where the key stands if it is there, ascending, end to end."""
    path: tuple[bytes, ...]
    """The hash beside each node on the way from the bucket to the root; as many as the tree has bits."""


def bits_for(subjects: int) -> int:
    """How many bits number the buckets of so many subjects."""
    return max(0, (subjects - 1) // PER_BUCKET).bit_length()


def digests_of(salt: bytes, keys: Records) -> Records:
    """The digests of subject keys, shape (n, 8), big-endian; shape (n, 16), in the order of the keys."""
    head = hashlib.sha256(_KEY_TAG + salt)
    packed = keys.tobytes()
    digests = bytearray()
    for at in range(0, len(packed), 8):
        one = head.copy()
        one.update(packed[at : at + 8])
        digests += one.digest()[:DIGEST_BYTES]
    return np.frombuffer(bytes(digests), dtype=np.uint8).reshape(-1, DIGEST_BYTES)


def subjects_root(parts: Iterable[Records], bits: int) -> bytes:
    """The root over digests, shape (n, 16), that come in ascending order, in parts of any size."""
    return prove(parts, bits, ())[0]


def prove(parts: Iterable[Records], bits: int, digests: Sequence[bytes]) -> tuple[bytes, list[Proof]]:
    """The root of a tree, and the proof for each of some keys' digests, in one pass.

    The tree is cut at half its height: its lower halves are made one by one, and only their tops are kept.

    Args:
        parts: the digests in the tree, shape (n, 16), in ascending order, in parts of any size.
        bits: of the tree.
        digests: those that are to be shown as there, or as not there.
    """
    below = (bits + 1) // 2
    places = [_place(digest, bits) for digest in digests]
    buckets, tops = _buckets(parts, bits), list[bytes]()
    lower: dict[int, Proof] = {}
    for number in range(1 << (bits - below)):
        held = list(islice(buckets, 1 << below))
        levels = _levels([leaf_hash(_BUCKET_TAG + bucket) for bucket in held])
        tops.append(levels[-1][0])
        for place in places:
            if place >> below == number:
                within = place - (number << below)
                lower[place] = Proof(held[within], _path(levels, within))
    levels = _levels(tops)
    proofs = [Proof(lower[at].bucket, (*lower[at].path, *_path(levels, at >> below))) for at in places]
    return levels[-1][0], proofs


def _levels(hashes: list[bytes]) -> list[list[bytes]]:
    """The levels of a perfect tree, from its leaves' hashes up to its root."""
    levels = [hashes]
    while len(levels[-1]) > 1:
        levels.append(level_above(levels[-1]))
    return levels


def _path(levels: Sequence[list[bytes]], at: int) -> tuple[bytes, ...]:
    """The hash beside each node on the way from a leaf to the root."""
    return tuple(level[(at >> up) ^ 1] for up, level in enumerate(levels[:-1]))


def holds(proof: Proof, digest: bytes, *, bits: int, root: bytes) -> bool:
    """Whether the key with this digest is among the subjects (true), or not (false).

    Args:
        proof: from whoever claims it.
        digest: the key's, made with the salt that the signed manifest names.
        bits: the manifest's.
        root: the manifest's.

    Raises:
        CheckFailed: when the proof shows neither.
    """
    digests = [proof.bucket[at : at + DIGEST_BYTES] for at in range(0, len(proof.bucket), DIGEST_BYTES)]
    place = _place(digest, bits)
    whole = len(proof.bucket) % DIGEST_BYTES == 0 and len(proof.path) == bits
    ordered = all(one < other for one, other in pairwise(digests))
    if not (whole and ordered and all(_place(one, bits) == place for one in digests)):
        raise CheckFailed("The proof is not one of this tree: ask for a new one.")
    node = leaf_hash(_BUCKET_TAG + proof.bucket)
    for beside in proof.path:
        node = node_hash(beside, node) if place & 1 else node_hash(node, beside)
        place >>= 1
    if node != root:
        raise CheckFailed("The proof does not lead to the root that the manifest names: ask for a new one.")
    return digest in digests


def _place(digest: bytes, bits: int) -> int:
    """The number of the bucket that a digest belongs into."""
    return int.from_bytes(digest) >> (8 * DIGEST_BYTES - bits)


def _buckets(parts: Iterable[Records], bits: int) -> Iterator[bytes]:
    """The digests of each bucket end to end, in the order of the buckets, the empty ones too."""
    number, held = 0, b""
    for part in filter(len, parts):
        heads = np.ascontiguousarray(part[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
        places = (heads >> np.uint64(64 - bits)) if bits else np.zeros(len(heads), np.uint64)
        begins = np.flatnonzero(np.diff(places, prepend=places[:1] + np.uint64(1)))
        ends = [*begins[1:].tolist(), len(places)]
        packed = part.tobytes()
        for place, begin, end in zip(places[begins].tolist(), begins.tolist(), ends, strict=True):
            while number < place:
                yield held
                number, held = number + 1, b""
            held += packed[DIGEST_BYTES * begin : DIGEST_BYTES * end]
    while number < 1 << bits:
        yield held
        number, held = number + 1, b""
