"""The gate and the scan together: the direct identifiers in a batch of texts.

Invariants: a row is answered by the gate alone or by the scan alone; the answer is in the order of the rows.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from demur.kernel.identifiers.gate import Batch, Gated, gate
from demur.kernel.identifiers.hits import Category, Hits
from demur.kernel.identifiers.links import Profiles, own_gate
from demur.kernel.identifiers.scan import scan


def find_identifiers(
    texts: pa.LargeStringArray,
    categories: frozenset[Category],
    regions: Sequence[str | None] | None = None,
    profiles: Profiles = (),
) -> Hits:
    """The direct identifiers in each text.

    Args:
        texts: NFC, without markup; null holds nothing.
        categories: What to find; the rest stays as it is, also where a part of it looks like something wanted.
        regions: ISO 3166-1 alpha-2 code of each text's author or None, by which national phone numbers are read.
        profiles: Namespaces with the addresses of their profiles, as the policy declares them.
    """
    batch = Batch(texts)
    gated = gate(batch, own_gate(profiles)) if categories and len(texts) else None
    if gated is None:
        return _hits([], [], [], [], [])
    slow = _slow(batch, gated, categories, regions, profiles)
    plain = _plain(batch, gated) if Category.HANDLE in categories else _hits([], [], [], [], [])
    return _merge(plain, slow)


def _hits(
    row: Sequence[int], start: Sequence[int], end: Sequence[int], category: Sequence[int], value: list[str | None]
) -> Hits:
    return Hits(
        np.asarray(row, dtype=np.int32),
        np.asarray(start, dtype=np.int32),
        np.asarray(end, dtype=np.int32),
        np.asarray(category, dtype=np.int8),
        value,
    )


def _plain(batch: Batch, gated: Gated) -> Hits:
    """The handles that the gate found itself; they are ASCII."""
    view = batch.view
    names = [
        str(view[start:end], "ascii") for start, end in zip((gated.start + 1).tolist(), gated.end.tolist(), strict=True)
    ]
    start = batch.points(gated.start, gated.row)
    width = (gated.end - gated.start).astype(np.int32)
    category = np.full(len(names), Category.HANDLE, dtype=np.int8)
    return Hits(gated.row.astype(np.int32), start, start + width, category, list(names))


def _slow(
    batch: Batch,
    gated: Gated,
    categories: frozenset[Category],
    regions: Sequence[str | None] | None,
    profiles: Profiles,
) -> Hits:
    rows: list[int] = []
    found = []
    for row in gated.slow.tolist():
        hits = scan(batch.text(row), regions[row] if regions is not None else None, categories, profiles)
        rows += [row] * len(hits)
        found += hits
    return _hits(
        rows,
        [hit.start for hit in found],
        [hit.end for hit in found],
        [hit.category for hit in found],
        [hit.value for hit in found],
    )


def _merge(one: Hits, other: Hits) -> Hits:
    """Two answers for different rows as one, by row."""
    if not len(one) or not len(other):
        return one if len(one) else other
    row = np.concatenate([one.row, other.row])
    order = np.argsort(row, kind="stable")
    values = one.value + other.value
    return Hits(
        row[order],
        np.concatenate([one.start, other.start])[order],
        np.concatenate([one.end, other.end])[order],
        np.concatenate([one.category, other.category])[order],
        [values[place] for place in order.tolist()],
    )
