"""The people of a version as a Merkle tree in which the key decides the place: absence can be shown, not only presence.

A version's subject keys are spread over 2^b buckets. A key's digest is the first 16 bytes of
``SHA-256(tag || the version's salt || the key's 8 bytes, big-endian)``, and its first b bits number the bucket. A
bucket's leaf holds a tag and the digests in it, ascending; the buckets are the leaves of a perfect tree, hashed as RFC
9162 (section 2.1.1) says. A proof is one bucket and the b hashes beside the way to the root.

Invariants: where a key may stand does not depend on any other key, so that one proof shows all places there are for
it (in a tree of sorted leaves, one leaf out of order forges absence); the tag keeps these leaves apart from the log's;
the salt is new in each version, so that proofs of two versions can't be joined by their neighbours' digests; memory
does not grow with the keys, as long as the digests come in order.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from demur.errors import CheckFailed
from demur.transparency.tree import leaf_hash, level_above, node_hash, root_of
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
    return root_of(_BUCKET_TAG + bucket for bucket in _buckets(parts, bits))


def prove(digests: Records, bits: int, digest: bytes) -> Proof:
    """The proof for one key's ``digest`` in the tree over ``digests``, shape (n, 16), ascending."""
    buckets = list(_buckets([digests], bits))
    place = _place(digest, bits)
    level, path, at = [leaf_hash(_BUCKET_TAG + bucket) for bucket in buckets], [], place
    while len(level) > 1:
        path.append(level[at ^ 1])
        level = level_above(level)
        at >>= 1
    return Proof(buckets[place], tuple(path))


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
