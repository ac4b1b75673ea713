"""The direct identifiers in texts: the exact search in one of them, and gate and search together over a batch.

Invariants: with each hit of :func:`scan` replaced by its mask, :func:`scan` finds nothing in the text (it would have
gone on); its answer depends on the text and the region alone. A row of a batch is answered by the gate alone or by the
scan alone; the answer is in the order of the rows.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from demur.kernel.identifiers.addresses import addresses
from demur.kernel.identifiers.gate import Batch, Gated, gate
from demur.kernel.identifiers.hits import MASKS, Category, Hit, Hits
from demur.kernel.identifiers.ibans import ibans
from demur.kernel.identifiers.letters import Folded, fold, foldable
from demur.kernel.identifiers.links import Profiles, links, own_gate
from demur.kernel.identifiers.names import names
from demur.kernel.identifiers.phones import phones

_RANK: Final = {
    category: rank
    for rank, category in enumerate(
        (Category.PROFILE_URL, Category.MAIL, Category.HANDLE, Category.IBAN, Category.IP, Category.PHONE)
    )
}
"""Which category overlapping candidates are taken for: the one that says most about what surrounds it."""
_PASSES: Final = 6
"""After so many passes the text is taken to be made to escape, and masked to its end."""

_BEGINNING: Final = re.compile(r"[@/({0-9]")
_DIGIT: Final = re.compile(r"[0-9]")


def scan(text: str, region: str | None, wanted: frozenset[Category], profiles: Profiles = ()) -> list[Hit]:
    """The identifiers of ``text`` whose category is wanted, in order, never overlapping.

    All categories are searched and overlaps decided among all, so that what the policy keeps (a profile URL, say)
    is not masked in part as something else. ``profiles`` are the addresses that the policy declares.
    """
    hits: list[Hit] = []
    masked = Folded(text, None)
    folds = foldable(text)
    for passed in range(len(text) + 1):
        if folds:
            masked = fold(masked.text)
        fresh = [hit for hit in search(masked, region, profiles) if hit.category in wanted]
        if not fresh:
            break
        if hits:
            fresh = _origins(hits, fresh)
        if passed >= _PASSES:
            fresh = [Hit(fresh[0].start, len(text), fresh[0].category, None)]
        hits = join([*hits, *fresh])
        masked = Folded(_mask(text, hits), None)
        if not folds and not _may_hold_more(masked.text, len(hits)):
            break
    return hits


def search(folded: Folded, region: str | None, profiles: Profiles = ()) -> list[Hit]:
    """One pass: the identifiers of every category, in order, never overlapping, by offsets of the original."""
    found: list[Hit] = [*names(folded.text), *links(folded.text, profiles)]
    if _DIGIT.search(folded.text):
        found += [*ibans(folded.text), *addresses(folded.text), *phones(folded.text, region)]
    joined = join(found)
    if folded.places is None:
        return joined
    return [Hit(*folded.origin(hit.start, hit.end), hit.category, hit.value) for hit in joined]


def join(hits: Iterable[Hit]) -> list[Hit]:
    """Sorted, with those that overlap made one that covers them all."""
    joined: list[Hit] = []
    for hit in sorted(hits):
        if joined and hit.start < joined[-1].end:
            best = min(joined[-1], hit, key=lambda one: _RANK[one.category])
            joined[-1] = Hit(joined[-1].start, max(joined[-1].end, hit.end), best.category, best.value)
        else:
            joined.append(hit)
    return joined


def _mask(text: str, hits: list[Hit]) -> str:
    pieces: list[str] = []
    at = 0
    for hit in hits:
        pieces += (text[at : hit.start], MASKS[hit.category])
        at = hit.end
    return "".join([*pieces, text[at:]])


def _origins(hits: list[Hit], fresh: list[Hit]) -> list[Hit]:
    """Hits in the masked text as hits in the text; one that touches a mask takes the whole of what it masks."""
    starts, ends, grown = [], [], 0
    for hit in hits:
        starts.append(hit.start + grown)
        ends.append(starts[-1] + len(MASKS[hit.category]))
        grown = ends[-1] - hit.end

    def start(at: int) -> int:
        mask = bisect_right(starts, at) - 1
        if mask < 0:
            return at
        return hits[mask].start if at < ends[mask] else hits[mask].end + at - ends[mask]

    def end(at: int) -> int:
        mask = bisect_left(starts, at) - 1
        return at if mask < 0 else hits[mask].end + max(0, at - ends[mask])

    return [Hit(start(hit.start), end(hit.end), hit.category, hit.value) for hit in fresh]


def _may_hold_more(masked: str, masks: int) -> bool:
    """Whether anything is left that a finder could begin with; most often nothing is, and a pass is saved."""
    return _BEGINNING.search(masked) is not None or masked.count("[") > masks


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
