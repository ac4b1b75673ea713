"""What links prove: which accounts are shown to be one person's, as against those that an objection covers.

Invariants: every active link covers, so that one objection holds for all that it connects (people.py); a link proves
where the platform or staff said that both accounts are one person's, or that the address is verified; what opens,
shows and erases follows proven links alone (Art. 15(4) GDPR). A link that was taken back proves nothing.
"""

from collections.abc import Iterable

import numpy as np
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register import bulk
from demur.register.people import Edges, components
from demur.register.tables import link


def own_accounts(connection: sa.Connection, keys: Iterable[int]) -> SubjectKeys:
    """These accounts and all that are proven to be their holders', sorted, known or not."""
    asked = np.unique(np.fromiter(keys, np.int64))
    return np.union1d(asked, _links_from(connection, asked))


def own_each(connection: sa.Connection, keys: Iterable[int]) -> dict[int, list[int]]:
    """The same for each of some accounts: itself first, then the others by their keys."""
    asked = np.unique(np.fromiter(keys, np.int64))
    nodes, roots = components(np.vstack([_links_from(connection, asked), np.column_stack([asked, asked])]))
    root_of = dict(zip(nodes.tolist(), roots.tolist(), strict=True))
    groups: dict[int, list[int]] = {}
    for node, root in root_of.items():
        groups.setdefault(root, []).append(node)
    return {key: sorted(groups[root_of[key]], key=lambda each: (each != key, each)) for key in asked.tolist()}


def neighbours(connection: sa.Connection, keys: SubjectKeys) -> Edges:
    """The active links that some accounts have with any, proven or not, each end on either side."""
    low, high = link.c.low, link.c.high
    ways = (sa.select(one, other).where(bulk.among(connection, one, keys)) for one, other in ((low, high), (high, low)))
    return np.vstack([_read(connection, way.where(link.c.active)) for way in ways])


def _links_from(connection: sa.Connection, keys: SubjectKeys) -> Edges:
    """Every proven link that can be reached from some accounts: a search in rounds, each of two statements."""
    found, ahead = [np.empty((0, 2), np.int64)], keys
    seen = keys
    while len(ahead):
        for side in (link.c.low, link.c.high):
            here = (bulk.among(connection, side, ahead), link.c.active, link.c.proven)
            found.append(_read(connection, sa.select(link.c.low, link.c.high).where(*here)))
        ahead = np.setdiff1d(np.vstack(found[-2:]), seen)
        seen = np.union1d(seen, ahead)
    return np.vstack(found)


def _read(connection: sa.Connection, pairs: sa.Select[tuple[int, int]]) -> Edges:
    rows = [tuple(row) for row in connection.execute(pairs)]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)
