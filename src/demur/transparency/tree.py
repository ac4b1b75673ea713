"""The Merkle tree of RFC 9162: hashes, roots, proofs of inclusion and of consistency, and checking them.

Invariants: leaves and inner nodes are hashed with different first bytes, so that neither passes for the other; whoever
checks a proof takes nothing from it but hashes: index and sizes come from where they are signed; a proof that is
malformed in any way (a hash of another length, one too many or too few, an index beyond the tree) is refused and never
read generously. Trees are read through *nodes*, the hashes of perfect subtrees, wherever these are kept.

A *subtree* is the tree over ``leaves[start:end]`` where ``start`` is a multiple of the smallest power of two that is at
least ``end - start``: it is a node of the whole tree, or all but its last leaves (draft-ietf-plants-merkle-tree-certs,
section 4). With ``start`` 0 its proofs are those of RFC 9162.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Self

from demur.errors import CheckFailed

HASH_BYTES: Final = 32
EMPTY: Final = hashlib.sha256().digest()
"""The root of a tree without leaves (RFC 9162, section 2.1.1)."""

Nodes = Callable[[int, int], bytes]
"""``nodes(level, index)`` is the hash over the leaves from ``index << level`` up to ``(index + 1) << level``."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def level_above(hashes: Sequence[bytes]) -> list[bytes]:
    """The nodes above neighbours, an even number of them."""
    pairs = zip(hashes[::2], hashes[1::2], strict=True)
    return [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]  # as node_hash, a third faster


class Edge:
    """The right edge of a growing tree: its size, and the hashes of the perfect subtrees that it is made of.

    That is all of a tree that appending to it needs. Whoever keeps an edge can only ever get to trees that begin with
    the one they had.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Take a size and its peaks, the largest first: one for each bit that is set in the size."""
        if size.bit_count() != len(peaks):
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}.")
        self.size = size
        self._peaks = list(peaks)

    def copy(self) -> Self:
        """An edge that grows on its own."""
        return type(self)(self.size, self._peaks)

    def append(self, hashed: bytes) -> None:
        """Add a leaf, by its hash."""
        size = self.size
        while size & 1:
            hashed = node_hash(self._peaks.pop(), hashed)
            size >>= 1
        self._peaks.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self._peaks:
            return EMPTY
        root = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves in their order, in memory that grows with the logarithm of their number."""
    edge = Edge()
    for leaf in leaves:
        edge.append(leaf_hash(leaf))
    return edge.root()


# Making


def edge_at(nodes: Nodes, size: int) -> Edge:
    """The right edge of the tree's first ``size`` leaves."""
    return Edge(size, [nodes(level, index) for level, index in _peaks(0, size)])


def root_at(nodes: Nodes, size: int) -> bytes:
    """The root over the first ``size`` leaves."""
    return edge_at(nodes, size).root()


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root, the leaf's neighbour first (RFC 9162, section 2.1.3.1).

    Args:
        nodes: the tree.
        index: the leaf's, from 0.
        size: how many leaves the tree has that the proof is for.

    Raises:
        ValueError: when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    path, begin, end = list[bytes](), 0, size
    while end - begin > 1:
        middle = begin + _half(end - begin)
        if index < middle:
            path.append(_over(nodes, middle, end))
            end = middle
        else:
            path.append(_over(nodes, begin, middle))
            begin = middle
    return path[::-1]


def consistency_proof(nodes: Nodes, end: int, size: int, *, start: int = 0) -> list[bytes]:
    """The hashes that show that a tree begins with, or has within it, an earlier one (RFC 9162, section 2.1.4.1).

    Args:
        nodes: the tree.
        end: how many leaves the earlier tree has; or where the subtree ends.
        size: how many the later one has.
        start: where the subtree begins.

    Raises:
        ValueError: when there is no such pair.
    """
    if not (is_subtree(start, end) and end <= size):
        raise ValueError(f"A tree of {size} leaves has no earlier one from {start} to {end}.")
    path, low, high, known = list[bytes](), 0, size, True
    while (low, high) != (start, end):
        middle = low + _half(high - low)
        if end <= middle:
            path.append(_over(nodes, middle, high))
            high = middle
            continue
        path.append(_over(nodes, low, middle))
        if start < middle:  # then it begins where this node begins, and ends in its right half
            start, known = middle, False
        low = middle
    return path[::-1] if known else [_over(nodes, low, high), *path[::-1]]


# Checking


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf, by its hash, is at an index of a tree (RFC 9162, section 2.1.3.2).

    Args:
        leaf: its hash, 32 bytes.
        index: its place, from 0.
        size: of the tree, from where its root was taken.
        proof: the hashes, from whoever claims it.
        root: the tree's.

    Raises:
        CheckFailed: when the proof does not show that.
    """
    if not 0 <= index < size:
        raise CheckFailed(f"The tree of {size} leaves has no leaf {index}.")
    _check_lengths([leaf, *proof])
    way = list(_way(index, index, size - 1))
    if len(proof) != len(way):
        raise CheckFailed(f"The proof of inclusion has {len(proof)} hashes, and it takes {len(way)}.")
    reached = leaf
    for beside, (left, _) in zip(proof, way, strict=True):
        reached = node_hash(beside, reached) if left else node_hash(reached, beside)
    if reached != root:
        raise CheckFailed("The proof of inclusion leads to another root.")


def check_consistency(first: int, size: int, proof: Sequence[bytes], earlier: bytes, later: bytes) -> None:
    """Check that a tree begins with an earlier one (RFC 9162, section 2.1.4.2).

    An empty earlier tree shows nothing and is refused: whoever knows none asks for no proof.

    Args:
        first: how many leaves the earlier tree has.
        size: how many the later one has.
        proof: the hashes, from whoever claims it.
        earlier: the root of the earlier tree.
        later: the root of the later one.

    Raises:
        CheckFailed: when the proof does not show that.
    """
    if first < 1:
        raise CheckFailed("Every tree begins with the empty one: that shows nothing.")
    check_subtree(0, first, size, proof, earlier, later)


def check_subtree(  # what a proof is of
    start: int, end: int, size: int, proof: Sequence[bytes], earlier: bytes, later: bytes
) -> None:
    """Check that a tree has a subtree within (draft-ietf-plants-merkle-tree-certs, section 4.4); an empty one always.

    Args:
        start: where it begins.
        end: where it ends.
        size: how many leaves the tree has.
        proof: the hashes, from whoever claims it.
        earlier: the root of the subtree.
        later: the root of the tree.

    Raises:
        CheckFailed: when the proof does not show that.
    """
    if 0 <= start == end <= size:
        if proof or earlier != EMPTY:
            raise CheckFailed("An empty tree has another root, and takes no proof.")
        return
    if not (is_subtree(start, end) and end <= size):
        raise CheckFailed(f"A tree of {size} leaves has no earlier one from {start} to {end}.")
    _check_lengths(proof)
    first, second, last = start, end - 1, size - 1
    while first != second and (second == last or second & 1):
        first, second, last = first >> 1, second >> 1, last >> 1
    way, rest = list(_way(first, second, last)), list(proof)
    known = first == second  # the earlier tree is a node of the later one: the proof begins beside it
    if len(rest) != len(way) + (not known):
        raise CheckFailed(f"The proof of consistency has {len(rest)} hashes, and it takes {len(way) + (not known)}.")
    old = new = earlier if known else rest.pop(0)
    for beside, (left, within) in zip(rest, way, strict=True):
        old = node_hash(beside, old) if left and within else old
        new = node_hash(beside, new) if left else node_hash(new, beside)
    if old != earlier:
        raise CheckFailed("The proof of consistency leads to another earlier root.")
    if new != later:
        raise CheckFailed("The proof of consistency leads to another later root.")


def _way(first: int, place: int, last: int) -> Iterator[tuple[bool, bool]]:
    """For each hash of a proof, from below, whether it stands on the left, and whether ``first`` is still apart.

    Args:
        first: the leftmost node of the earlier tree, on the level where the proof begins; or ``place``.
        place: the node from which the proof goes up.
        last: the last node of that level.
    """
    while last:
        left = bool(place & 1) or place == last
        yield left, first < place
        while left and not place & 1:  # the last node of a level has no neighbour, up to where it has one on the left
            first, place, last = first >> 1, place >> 1, last >> 1
        first, place, last = first >> 1, place >> 1, last >> 1


def is_subtree(start: int, end: int) -> bool:
    """Whether the tree over ``leaves[start:end]`` is a subtree; the module's docstring says when."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def _check_lengths(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise CheckFailed(f"A hash of a proof has another length than {HASH_BYTES} bytes.")


def _half(leaves: int) -> int:
    """The largest power of two below a number of leaves, 2 at least."""
    return 1 << ((leaves - 1).bit_length() - 1)


def _peaks(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees, largest first, of a node that begins there, as level and index."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


def _over(nodes: Nodes, begin: int, end: int) -> bytes:
    """The hash over the leaves from ``begin`` to ``end``, which are a node or the end of a tree."""
    return Edge(end - begin, [nodes(level, index) for level, index in _peaks(begin, end)]).root()
