"""The tree of RFC 9162: the shared vectors, a naive reference, and every proof of every tree up to 300 leaves."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CheckFailed
from demur.transparency.tree import (
    EMPTY,
    Edge,
    Nodes,
    check_consistency,
    check_inclusion,
    check_subtree,
    consistency_proof,
    edge_at,
    inclusion_proof,
    is_subtree,
    leaf_hash,
    node_hash,
    root_at,
    root_of,
)

MOST: Final = 300
LEAVES: Final = [bytes([n & 255, n >> 8]) for n in range(MOST)]
VECTORS: Final = {"inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118}
RFC_9162: Final = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
"""The root over the eight leaves that certificate-transparency-go and others test with."""


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH, word for word (RFC 9162, section 2.1.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH, word for word (RFC 9162, section 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], b: bool) -> list[bytes]:  # noqa: FBT001  # as the RFC has it
    """SUBPROOF, word for word (RFC 9162, section 2.1.4.1)."""
    if m == len(leaves):
        return [] if b else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], b), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], b=False), naive_root(leaves[:k])]


def nodes_over(leaves: Sequence[bytes]) -> Nodes:
    """All perfect subtrees, by hashing them once."""
    levels = [[leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[left], below[left + 1]) for left in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


NODES: Final = nodes_over(LEAVES)
ROOTS: Final = [root_at(NODES, size) for size in range(MOST + 1)]


@pytest.mark.parametrize("kind", VECTORS)
def test_the_shared_vectors(kind: str, shared: Path, missing: Callable[[str], NoReturn]) -> None:
    """transparency-dev/merkle's: 36 that hold, 482 that don't."""
    files = sorted((shared / "merkle" / kind).glob("**/*.json"))
    if not files:
        missing(f"the vectors in {shared}/merkle/{kind}")
    files = [file for file in files if file.is_file()]
    assert len(files) == VECTORS[kind]
    check: Callable[[dict[str, Any]], None] = {
        "inclusion": lambda v: check_inclusion(raw(v["leafHash"]), v["leafIdx"], v["treeSize"], *ends(v)),
        "consistency": lambda v: check_consistency(v["size1"], v["size2"], *between(v)),
        "subtreeinclusion": subtree_inclusion,
        "subtreeconsistency": lambda v: check_subtree(v["start"], v["end"], v["size"], *between(v)),
    }[kind]
    for file in files:
        vector = json.loads(file.read_bytes())
        try:
            check(vector)
            passed = True
        except CheckFailed:
            passed = False
        assert passed is not vector["wantErr"], file


def raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def ends(vector: dict[str, Any]) -> tuple[list[bytes], bytes]:
    return [raw(each) for each in vector["proof"] or ()], raw(vector["root"])


def between(vector: dict[str, Any]) -> tuple[list[bytes], bytes, bytes]:
    return [raw(each) for each in vector["proof"] or ()], raw(vector["root1"]), raw(vector["root2"])


def subtree_inclusion(vector: dict[str, Any]) -> None:
    """A subtree is a tree of its own, where it is one."""
    start, end = vector["start"], vector["end"]
    if not is_subtree(start, end):
        raise CheckFailed("no subtree")
    check_inclusion(raw(vector["leafHash"]), vector["leafIdx"] - start, end - start, *ends(vector))


@cache
def over(begin: int, end: int) -> bytes:
    """MTH of LEAVES[begin:end]; kept, so that each range is hashed once."""
    if end - begin == 1:
        return naive_root(LEAVES[begin:end])
    k = split(begin, end)
    return node_hash(over(begin, k), over(k, end))


def path(m: int, begin: int, end: int) -> list[bytes]:
    """PATH over LEAVES[begin:end]."""
    if end - begin == 1:
        return []
    k = split(begin, end)
    return [*path(m, begin, k), over(k, end)] if m < k else [*path(m, k, end), over(begin, k)]


def subproof(m: int, begin: int, end: int, *, b: bool) -> list[bytes]:
    """SUBPROOF over LEAVES[begin:end]."""
    if m == end:
        return [] if b else [over(begin, end)]
    k = split(begin, end)
    return [*subproof(m, begin, k, b=b), over(k, end)] if m <= k else [*subproof(m, k, end, b=False), over(begin, k)]


def split(begin: int, end: int) -> int:
    """Where a range is divided: the largest power of two below its length."""
    return begin + (1 << ((end - begin - 1).bit_length() - 1))


def test_every_proof_of_every_tree_up_to_300_leaves_is_the_reference_s() -> None:
    for size in range(1, MOST + 1):
        assert ROOTS[size] == over(0, size)
        for index in range(size):
            proof = inclusion_proof(NODES, index, size)
            assert proof == path(index, 0, size)
            check_inclusion(leaf_hash(LEAVES[index]), index, size, proof, ROOTS[size])
            proof = consistency_proof(NODES, index + 1, size)
            assert proof == subproof(index + 1, 0, size, b=True)
            check_consistency(index + 1, size, proof, ROOTS[index + 1], ROOTS[size])


@given(st.lists(st.binary(max_size=40), max_size=40), st.data())
def test_roots_and_proofs_follow_the_definition(leaves: list[bytes], data: st.DataObject) -> None:
    nodes, size = nodes_over(leaves), len(leaves)
    assert root_of(leaves) == root_at(nodes, size) == naive_root(leaves)
    if size:
        index = data.draw(st.integers(0, size - 1))
        assert inclusion_proof(nodes, index, size) == naive_path(index, leaves)
        assert consistency_proof(nodes, index + 1, size) == naive_subproof(index + 1, leaves, b=True)


@given(st.integers(1, 70), st.data())
def test_a_subtree_is_shown_to_be_within(size: int, data: st.DataObject) -> None:
    pairs = [(start, end) for start in range(size) for end in range(start + 1, size + 1) if is_subtree(start, end)]
    start, end = data.draw(st.sampled_from(pairs))
    proof = consistency_proof(NODES, end, size, start=start)
    subtree = naive_root(LEAVES[start:end])
    check_subtree(start, end, size, proof, subtree, ROOTS[size])
    with pytest.raises(CheckFailed):
        check_subtree(start, end, size, proof, leaf_hash(b"another"), ROOTS[size])


@given(st.integers(1, MOST), st.data())
def test_nothing_but_the_proof_passes_for_it(size: int, data: st.DataObject) -> None:
    """Another index, size, leaf or root; hashes taken away, added, exchanged, cut, or with a bit turned."""
    index = data.draw(st.integers(0, size - 1))
    proof, leaf, root = inclusion_proof(NODES, index, size), leaf_hash(LEAVES[index]), ROOTS[size]
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else size
    spoilt = [
        (leaf, other, size, proof, root),
        (leaf, index, index, proof, root),
        (leaf, -1, size, proof, root),
        (leaf_hash(root), index, size, proof, root),
        (leaf[:31], index, size, proof, root),
        (leaf, index, size, proof, ROOTS[size - 1]),
        (leaf, index, size, [*proof, leaf], root),
        (leaf, index, size, [leaf, *proof], root),
    ]
    for at, one in enumerate(proof):
        changed = bytes([one[0] ^ 1]) + one[1:]
        spoilt += [
            (leaf, index, size, [*proof[:at], *proof[at + 1 :]], root),
            (leaf, index, size, [*proof[:at], changed, *proof[at + 1 :]], root),
            (leaf, index, size, [*proof[:at], one[:31], *proof[at + 1 :]], root),
            (leaf, index, size, [*proof[:at], one + b"\0", *proof[at + 1 :]], root),
        ]
    if len(set(proof)) > 1:
        spoilt.append((leaf, index, size, proof[::-1], root))
    for each in spoilt:
        with pytest.raises(CheckFailed):
            check_inclusion(*each)


@given(st.integers(2, MOST), st.data())
def test_nothing_but_the_proof_shows_consistency(size: int, data: st.DataObject) -> None:
    earlier = data.draw(st.integers(1, size - 1))
    proof, old, new = consistency_proof(NODES, earlier, size), ROOTS[earlier], ROOTS[size]
    spoilt = [
        (0, size, proof, EMPTY, new),
        (size, earlier, proof, new, old),
        (earlier, size, proof, new, old),
        (earlier, size, proof, ROOTS[earlier - 1], new),
        (earlier, size, proof, old, ROOTS[size - 1]),
        (earlier, size, [*proof, new], old, new),
        (earlier, size, [old, *proof], old, new),
        (size, size, proof, new, new),
    ]
    for at, one in enumerate(proof):
        changed = one[:-1] + bytes([one[-1] ^ 128])
        spoilt += [
            (earlier, size, [*proof[:at], *proof[at + 1 :]], old, new),
            (earlier, size, [*proof[:at], changed, *proof[at + 1 :]], old, new),
            (earlier, size, [*proof[:at], one[1:], *proof[at + 1 :]], old, new),
        ]
    for each in spoilt:
        with pytest.raises(CheckFailed):
            check_consistency(*each)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_no_proof_is_made_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_proof(NODES, index, size)


@pytest.mark.parametrize(("start", "end", "size"), [(0, 0, 5), (0, 6, 5), (1, 3, 5), (2, 5, 8), (-1, 2, 5)])
def test_no_proof_is_made_of_an_earlier_tree_that_is_none(start: int, end: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no earlier one"):
        consistency_proof(NODES, end, size, start=start)


@given(st.integers(0, 200), st.integers(0, 60))
def test_an_edge_grows_into_the_tree(size: int, more: int) -> None:
    edge = edge_at(NODES, size)
    grown = edge.copy()
    for leaf in LEAVES[size : size + more]:
        grown.append(leaf_hash(leaf))
    assert grown.root() == ROOTS[size + more]
    assert (edge.size, edge.root()) == (size, ROOTS[size])


def test_an_edge_has_as_many_peaks_as_its_size_has_bits() -> None:
    with pytest.raises(ValueError, match="A tree of 3 leaves has 2 peaks, not 1"):
        Edge(3, [EMPTY])


def test_a_root_that_others_compute() -> None:
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    assert root_of(map(bytes.fromhex, leaves)).hex() == RFC_9162
