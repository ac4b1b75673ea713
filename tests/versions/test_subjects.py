"""A key's place in the tree of subjects follows from the key: presence and absence are shown, and neither is forged."""

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from demur.errors import CheckFailed
from demur.versions.sorting import Records
from demur.versions.subjects import PER_BUCKET, Proof, bits_for, digests_of, holds, prove, subjects_root

SALT: Final = bytes(range(32))
KEYS: Final = st.sets(st.integers(0, 2**63 - 1), max_size=60)


def digest(key: int, salt: bytes = SALT) -> bytes:
    """As the module's docstring says it, written without the module."""
    return hashlib.sha256(b"demur subject\n" + salt + key.to_bytes(8, "big")).digest()[:16]


def records(digests: list[bytes]) -> Records:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)


def tree(keys: set[int]) -> tuple[Records, int, bytes]:
    """The digests, the bits and the root of the tree over some keys."""
    ordered, bits = records(sorted(map(digest, keys))), bits_for(len(keys))
    return ordered, bits, subjects_root([ordered], bits)


def proof_of(digests: Records, bits: int, one: bytes) -> Proof:
    """The proof of one key, from the tree's definition."""
    places = (digests[:, :8].copy().view(">u8").reshape(-1).astype(object) >> (64 - bits)).tolist()
    buckets = [digests[np.array([place == n for place in places], bool)].tobytes() for n in range(1 << bits)]
    number = int.from_bytes(one) >> (128 - bits)
    level = [hashlib.sha256(b"\x00demur subjects of a bucket\n" + bucket).digest() for bucket in buckets]
    path, at = list[bytes](), number
    while len(level) > 1:
        path.append(level[at ^ 1])
        level = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=True)]
        at >>= 1
    return Proof(buckets[number], tuple(path))


def naive_root(keys: set[int], bits: int) -> bytes:
    """The tree from its definition: fill the buckets, hash pairs."""
    buckets: list[list[bytes]] = [[] for _ in range(1 << bits)]
    for one in sorted(map(digest, keys)):
        buckets[int(f"{int.from_bytes(one):0128b}"[:bits] or "0", 2)].append(one)
    level = [hashlib.sha256(b"\x00demur subjects of a bucket\n" + b"".join(held)).digest() for held in buckets]
    while len(level) > 1:
        level = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


@given(KEYS)
def test_digests_are_salted_hashes_of_the_keys(keys: set[int]) -> None:
    ordered = np.array(sorted(keys), np.int64)
    packed = ordered.astype(">i8").view(np.uint8).reshape(-1, 8)
    assert digests_of(SALT, packed).tobytes() == b"".join(digest(key) for key in sorted(keys))


@given(KEYS, st.integers(0, 7), st.integers(1, 9))
def test_the_root_follows_the_definition_in_parts_of_any_size(keys: set[int], bits: int, size: int) -> None:
    ordered = records(sorted(map(digest, keys)))
    parts = [ordered[at : at + size] for at in range(0, len(ordered), size)]
    assert subjects_root(parts, bits) == naive_root(keys, bits)


@pytest.mark.parametrize(("subjects", "bits"), [(0, 0), (1, 0), (4, 0), (5, 1), (8, 1), (9, 2), (10**6, 18)])
def test_buckets_hold_at_most_four_on_average(subjects: int, bits: int) -> None:
    assert bits_for(subjects) == bits
    assert subjects / 2**bits <= PER_BUCKET


@given(KEYS, st.integers(0, 2**63 - 1))
def test_presence_and_absence_are_proven(keys: set[int], other: int) -> None:
    digests, bits, root = tree(keys)
    for key in [*keys, other]:
        assert holds(proof_of(digests, bits, digest(key)), digest(key), bits=bits, root=root) == (key in keys)


@given(KEYS, st.sets(st.integers(0, 2**63 - 1), max_size=5), st.integers(1, 9))
def test_many_proofs_come_from_one_pass(keys: set[int], others: set[int], size: int) -> None:
    digests, bits, root = tree(keys)
    parts = [digests[at : at + size] for at in range(0, len(digests), size)]
    asked = [*keys, *others]
    made, proofs = prove(parts, bits, [digest(key) for key in asked])
    assert made == root
    for key, proof in zip(asked, proofs, strict=True):
        assert proof == proof_of(digests, bits, digest(key))
        assert holds(proof, digest(key), bits=bits, root=root) == (key in keys)


def refused(proof: Proof, one: bytes, bits: int, root: bytes) -> bool:
    try:
        holds(proof, one, bits=bits, root=root)
    except CheckFailed:
        return True
    return False


@given(KEYS.filter(lambda keys: len(keys) > 8), st.data())
def test_a_forged_proof_is_refused(keys: set[int], data: st.DataObject) -> None:
    digests, bits, root = tree(keys)
    one = digest(data.draw(st.sampled_from(sorted(keys))))
    proof = proof_of(digests, bits, one)
    at = proof.bucket.index(one) if one in proof.bucket else 0
    stranger = digest(data.draw(st.integers(0, 2**63 - 1).filter(lambda key: key not in keys)))
    forged = {
        "the key taken out of its bucket": replace(proof, bucket=proof.bucket[:at] + proof.bucket[at + 16 :]),
        "another digest put in": replace(
            proof,
            bucket=b"".join(sorted([proof.bucket[n : n + 16] for n in range(0, len(proof.bucket), 16)] + [stranger])),
        ),
        "a path cut short": replace(proof, path=proof.path[:-1]),
        "a path from above": replace(proof, path=proof.path[1:]),
        "a path that is too long": replace(proof, path=(*proof.path, bytes(32))),
        "half a digest": replace(proof, bucket=proof.bucket[:-8]),
        "a digest twice": replace(proof, bucket=proof.bucket[: at + 16] + proof.bucket[at:]),
        "an empty proof": Proof(b"", ()),
    }
    for what, each in forged.items():
        assert refused(each, one, bits, root), what
    assert refused(proof, one, bits + 1, root)
    assert refused(proof, one, bits - 1, root)
    assert refused(proof, one, bits, hashlib.sha256(root).digest())


@given(KEYS.filter(lambda keys: len(keys) > 8), st.data())
def test_another_buckets_proof_shows_nothing_of_a_key(keys: set[int], data: st.DataObject) -> None:
    digests, bits, root = tree(keys)
    key = data.draw(st.sampled_from(sorted(keys)))
    elsewhere = next((digest(n) for n in range(500) if digest(n)[0] >> 5 != digest(key)[0] >> 5), b"")
    proof = proof_of(digests, bits, elsewhere)
    assume(int.from_bytes(elsewhere) >> (128 - bits) != int.from_bytes(digest(key)) >> (128 - bits))
    assert refused(proof, digest(key), bits, root)


@given(KEYS.filter(lambda keys: len(keys) > 8), st.data())
def test_a_key_out_of_its_place_is_absent_and_can_not_be_shown_as_present(keys: set[int], data: st.DataObject) -> None:
    """In a tree of sorted leaves a signer who moves one leaf can prove both; here the place follows from the key."""
    _, bits, _ = tree(keys)
    hidden = digest(data.draw(st.sampled_from(sorted(keys))))
    buckets: list[list[bytes]] = [[] for _ in range(1 << bits)]
    place = int.from_bytes(hidden) >> (128 - bits)
    for one in sorted(map(digest, keys)):
        buckets[place ^ 1 if one == hidden else int.from_bytes(one) >> (128 - bits)].append(one)
    root, paths = paths_of(buckets)
    absent = Proof(b"".join(buckets[place]), paths[place])
    assert holds(absent, hidden, bits=bits, root=root) is False
    moved = b"".join(sorted(buckets[place ^ 1]))
    assert refused(Proof(moved, paths[place ^ 1]), hidden, bits, root)
    assert refused(Proof(moved, paths[place]), hidden, bits, root)


def paths_of(buckets: list[list[bytes]]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """The root over buckets as they are, and the path of each."""
    tag = b"\x00demur subjects of a bucket\n"
    levels = [[hashlib.sha256(tag + b"".join(sorted(held))).digest() for held in buckets]]
    while len(levels[-1]) > 1:
        pairs = zip(levels[-1][::2], levels[-1][1::2], strict=True)
        levels.append([hashlib.sha256(b"\x01" + one + other).digest() for one, other in pairs])
    paths = [tuple(level[(n >> up) ^ 1] for up, level in enumerate(levels[:-1])) for n in range(len(buckets))]
    return levels[-1][0], paths


@given(KEYS.filter(bool), st.binary(min_size=32, max_size=32).filter(lambda salt: salt != SALT), st.data())
def test_another_versions_salt_does_not_show_a_key(keys: set[int], salt: bytes, data: st.DataObject) -> None:
    digests, bits, root = tree(keys)
    key = data.draw(st.sampled_from(sorted(keys)))
    proof = proof_of(digests, bits, digest(key))
    try:
        assert holds(proof, digest(key, salt), bits=bits, root=root) is False
    except CheckFailed:
        return
