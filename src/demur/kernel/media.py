"""Pictures: who is shown in them, and what their descriptions say.

Invariants: whoever a description names counts as shown; a picture that shows or describes a suppressed person or a
known minor goes, whoever posted it; the other pictures of the item stay.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel import schema
from demur.kernel.finding import among, hits_in, homes, mentions_of, wide
from demur.kernel.identifiers import Category, Hits
from demur.kernel.keying import Keyer, in_lists, lists_like
from demur.kernel.marks import MASKS, NAMING, PERSON, mark_mask, replaced
from demur.kernel.rules import Rules
from demur.kernel.spans import NOBODY, Ints, Spans
from demur.kernel.splice import Regions, code_points, splice


def described(rows: pa.RecordBatch, authors: pa.Array | None, rules: Rules, keyer: Keyer) -> pa.Array:
    """The pictures: their descriptions masked, and whoever a description names counted among those shown."""
    media = rows.column("media")
    flat = media.flatten()
    if not len(flat):
        return media
    row = pc.list_parent_indices(media)
    alt = pc.cast(pc.fill_null(flat.field("alt"), ""), pa.large_string())
    hits = hits_in(alt, homes(rows, rules).take(row).to_pylist(), rules)
    named = mentions_of(hits, authors.take(row) if authors is not None else None, keyer)
    masked = splice(alt, code_points(alt), _alt_regions(hits, replaced(rules.policy.identifiers)), MASKS)
    masked = pc.if_else(pc.is_null(flat.field("alt")), pa.scalar(None, pa.string()), pc.cast(masked, pa.string()))
    return lists_like(media, _with(flat, masked, _with_named(flat.field("tagged"), named)))


def with_shown(media: pa.Array, picture: Ints, subjects: Ints) -> pa.Array:
    """The pictures, with people counted among those shown in them; ``picture`` counts over all lists."""
    if not len(picture):
        return media
    flat = media.flatten()
    named = Spans(picture, picture, picture, np.zeros(len(picture), np.int64), subjects)
    return lists_like(media, _with(flat, flat.field("alt"), _with_named(flat.field("tagged"), named)))


def governed_media(media: pa.Array, rules: Rules) -> pa.Array:
    """A list column of schema.STORED_MEDIA without the pictures of withheld people; never null."""
    flat = media.flatten()
    if not len(flat):
        return in_lists(np.zeros(len(media), np.int64), flat)
    tagged = flat.field("tagged")
    picture = pc.list_parent_indices(tagged).to_numpy(zero_copy_only=False)
    shown = pc.fill_null(tagged.flatten(), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    goes = np.zeros(len(flat), bool)
    goes[picture[rules.is_withheld(shown)]] = True
    row = pc.list_parent_indices(media).to_numpy(zero_copy_only=False)
    return in_lists(np.bincount(row[~goes], minlength=len(media)), flat.filter(pa.array(~goes)))


def _alt_regions(hits: Hits, replace: frozenset[Category]) -> Regions:
    where = among(hits, replace)
    mask = [PERSON if Category(c) in NAMING else mark_mask(Category(c)) for c in hits.category[where]]
    at = (wide(hits.row[where]), wide(hits.start[where]), wide(hits.end[where]))
    return Regions(*at, np.array(mask, np.int64))


def _with_named(tagged: pa.Array, named: Spans) -> pa.Array:
    """Tagged people and named people, sorted and once each; shape (pictures,)."""
    picture = pc.list_parent_indices(tagged).to_numpy(zero_copy_only=False).astype(np.int64)
    keys = pc.fill_null(tagged.flatten(), NOBODY).to_numpy(zero_copy_only=False).astype(np.int64)
    picture, keys = np.concatenate([picture, named.row]), np.concatenate([keys, named.subject])
    both = np.unique(np.stack([picture, keys])[:, keys != NOBODY], axis=1)
    return in_lists(np.bincount(both[0], minlength=len(tagged)), pa.array(both[1]))


def _with(flat: pa.StructArray, alt: pa.Array, tagged: pa.Array) -> pa.StructArray:
    """The pictures with other descriptions and other people shown."""
    children = [flat.field("uri"), flat.field("type"), alt, tagged]
    return pa.StructArray.from_arrays(children, fields=list(schema.STORED_MEDIA))
