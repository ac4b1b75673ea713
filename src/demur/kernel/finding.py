"""Direct identifiers in the text become spans before anything is masked.

Invariants: whatever names an account (handle, profile URL, mail address) is recorded as a mention span keyed in its
own namespace, also where the policy keeps it, so that a later objection finds it; whatever names no account (phone,
IBAN, IP) is a MARK that lives until it is masked; a text at rest has had its handles recorded and is only searched
for what names no account, because the policy may have changed since.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel.identifiers import Category, Hits, find_identifiers
from demur.kernel.keying import Keyer, in_lists, lists_like
from demur.kernel.marks import CODE, MASKS, NAMING, PERSON, mark_mask, replaced
from demur.kernel.media import with_media
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import MARK, NOBODY, Ints, Spans, no_spans
from demur.kernel.splice import Regions, code_points, splice
from demur.terms import Role

_ALL: Final = frozenset(Category)


def found_in(
    rows: pa.RecordBatch, authors: pa.Array | None, spans: Spans, rules: Rules, keyer: Keyer
) -> tuple[Spans, pa.Array]:
    """The spans with what was found in the texts, and the pictures with what was found in their descriptions.

    ``authors`` are the raw accounts of a batch that comes from a source, or None for rows at rest.
    """
    hits = find_identifiers(rows.column("text"), _ALL, rows.column("region").to_pylist(), rules.pepper.names.profiles)
    mentions = _mentions(hits, authors, keyer)
    mentions = mentions.take(~_inside_mention(mentions, spans))
    found = spans.joined(_marks(hits, replaced(rules.policy.identifiers))).joined(mentions)
    return found, _described(rows, authors, rules, keyer)


def _marks(hits: Hits, replace: frozenset[Category]) -> Spans:
    """What names no account and is to be masked."""
    at = np.flatnonzero(_among(hits, replace - NAMING))
    mask = np.array([mark_mask(Category(category)) for category in hits.category[at]], np.int64)
    return Spans(_wide(hits.row[at]), _wide(hits.start[at]), _wide(hits.end[at]), np.full(len(at), MARK), mask)


def _mentions(hits: Hits, authors: pa.Array | None, keyer: Keyer) -> Spans:
    """What names an account; nothing at rest, where it is recorded already."""
    if authors is None:
        return no_spans()
    at = np.flatnonzero(_among(hits, NAMING))
    accounts = _accounts(hits, at, authors)
    subjects = pc.fill_null(keyer.column(accounts), NOBODY).to_numpy(zero_copy_only=False)
    role = np.full(len(at), CODE[Role.MENTION])
    return Spans(_wide(hits.row[at]), _wide(hits.start[at]), _wide(hits.end[at]), role, subjects.astype(np.int64))


def _among(hits: Hits, categories: frozenset[Category]) -> Bools:
    return np.isin(hits.category, [int(category) for category in categories])


def _accounts(hits: Hits, at: Ints, authors: pa.Array) -> pa.Array:
    """The account that each hit names."""
    values = [hits.value[hit] for hit in at.tolist()]
    written_by = authors.take(pa.array(hits.row[at])).to_pylist()
    return pa.array(
        [
            account_named(category, value or "", author)
            for category, value, author in zip(hits.category[at].tolist(), values, written_by, strict=True)
        ],
        pa.string(),
    )


def account_named(category: int, value: str, author: str | None) -> str | None:
    """The account identifier that a hit in a text by ``author`` names.

    A bare handle belongs to the author's platform; on Mastodon, to the author's server.
    """
    if category == Category.PROFILE_URL:
        return value
    if category == Category.MAIL:
        return f"mail:{value}"
    namespace, _, name = (author or "").partition(":")
    if "@" in value:
        return f"mastodon:@{value}"
    host = name.rpartition("@")[2]
    if namespace == "mastodon" and "@" in name.lstrip("@"):
        return f"mastodon:@{value}@{host}"
    return f"{namespace}:{value}" if namespace else None


def _inside_mention(mentions: Spans, spans: Spans) -> Bools:
    """Which of ``mentions`` the source's own markup covers already, as a mention."""
    known = spans.take(spans.role == CODE[Role.MENTION]).sorted()
    if not len(known):
        return np.zeros(len(mentions), bool)
    width = int(max(known.end.max(), mentions.end.max(initial=0))) + 1
    reached = np.maximum.accumulate(known.row * width + known.end)  # in an earlier row: less than any place in this one
    at = np.searchsorted(known.row * width + known.start, mentions.row * width + mentions.start, side="right") - 1
    return np.asarray((at >= 0) & (reached[np.maximum(at, 0)] >= mentions.row * width + mentions.end))


def _described(rows: pa.RecordBatch, authors: pa.Array | None, rules: Rules, keyer: Keyer) -> pa.Array:
    """The pictures: their descriptions masked, and whoever a description names counted among those shown."""
    media = rows.column("media")
    flat = media.flatten()
    if not len(flat):
        return media
    row = pc.list_parent_indices(media)
    alt = pc.cast(pc.fill_null(flat.field("alt"), ""), pa.large_string())
    hits = find_identifiers(alt, _ALL, rows.column("region").take(row).to_pylist(), rules.pepper.names.profiles)
    named = _mentions(hits, authors.take(row) if authors is not None else None, keyer)
    masked = splice(alt, code_points(alt), _alt_regions(hits, replaced(rules.policy.identifiers)), MASKS)
    masked = pc.if_else(pc.is_null(flat.field("alt")), pa.scalar(None, pa.string()), pc.cast(masked, pa.string()))
    return lists_like(media, with_media(flat, masked, _with_named(flat.field("tagged"), named)))


def _alt_regions(hits: Hits, replace: frozenset[Category]) -> Regions:
    where = _among(hits, replace)
    mask = [PERSON if Category(c) in NAMING else mark_mask(Category(c)) for c in hits.category[where]]
    at = (_wide(hits.row[where]), _wide(hits.start[where]), _wide(hits.end[where]))
    return Regions(*at, np.array(mask, np.int64))


def _with_named(tagged: pa.Array, named: Spans) -> pa.Array:
    """Tagged people and named people, sorted and once each; shape (pictures,)."""
    picture = pc.list_parent_indices(tagged).to_numpy(zero_copy_only=False).astype(np.int64)
    keys = pc.fill_null(tagged.flatten(), NOBODY).to_numpy(zero_copy_only=False).astype(np.int64)
    picture, keys = np.concatenate([picture, named.row]), np.concatenate([keys, named.subject])
    both = np.unique(np.stack([picture, keys])[:, keys != NOBODY], axis=1)
    return in_lists(np.bincount(both[0], minlength=len(tagged)), pa.array(both[1]))


def _wide(values: np.ndarray) -> Ints:
    return values.astype(np.int64)
