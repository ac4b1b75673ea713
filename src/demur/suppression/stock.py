"""Which fingerprints count: not those of words that many people write, or that somebody else wrote before.

Invariants: a pure function of the lines of kernel.evidence.FINGERPRINTS; the order of the lines never shows; an author
counts once for a key, withheld or not, and whoever is unknown counts as one.
"""

from typing import Final

import numpy as np

from demur.words.page import Bools, Ints

OTHERS: Final = 3
"""Other authors who wrote the same, from whom on it is stock: a proverb, a licence, a greeting."""
UNDATED: Final = 2**63 - 1
"""As kernel.evidence has it."""


def is_stock(keys: Ints, authors: Ints, created: Ints) -> Bools:
    """For each time that somebody wrote the words of a key: whether they count for nothing as theirs.

    Args:
        keys: in any order, shape (n,).
        authors: subject keys, -1 where unknown, shape (n,).
        created: microseconds since 1970-01-01 or UNDATED, shape (n,).
    """
    order = np.argsort(keys)
    keys = keys[order]
    many = np.zeros(len(keys), bool)
    many[1:] = keys[1:] == keys[:-1]
    many[:-1] |= many[1:]
    shared = order[many]  # most keys are written once
    stock = np.zeros(len(keys), bool)
    stock[shared] = _of_shared(keys[many], authors[shared], created[shared])
    return stock


def _of_shared(keys: Ints, authors: Ints, created: Ints) -> Bools:
    """The same, of keys that stand there twice or more, ascending."""
    order = np.lexsort((created, authors, keys))
    key, author, when = keys[order], authors[order], created[order]
    new_key = np.diff(key, prepend=key[:1] - 1) != 0
    new_author = new_key | (np.diff(author, prepend=author[:1] - 1) != 0)
    by_key, by_author = np.cumsum(new_key) - 1, np.cumsum(new_author) - 1
    writers = np.bincount(by_key[new_author])
    first = when[new_author]  # of each author, for they are sorted by time
    earliest = np.minimum.reduceat(when, np.flatnonzero(new_key)) if len(key) else when
    own = first[by_author]
    stock = (writers[by_key] > OTHERS) | ((own > earliest[by_key]) & (own != UNDATED))
    found = np.zeros(len(keys), bool)
    found[order] = stock
    return found
