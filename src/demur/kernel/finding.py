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

from demur.kernel.door import regions
from demur.kernel.identifiers import Category, Hits, find_identifiers
from demur.kernel.keying import Keyer
from demur.kernel.marks import CODE, NAMING, mark_mask, replaced
from demur.kernel.rules import Bools, Rules
from demur.kernel.spans import MARK, NOBODY, Ints, Spans, no_spans
from demur.terms import Role

_ALL: Final = frozenset(Category)


def found_in(rows: pa.RecordBatch, authors: pa.Array | None, spans: Spans, rules: Rules, keyer: Keyer) -> Spans:
    """The spans with what was found in the texts.

    ``authors`` are the raw accounts of a batch that comes from a source, or None for rows at rest.
    """
    hits = hits_in(rows.column("text"), homes(rows, rules).to_pylist(), rules)
    mentions = mentions_of(hits, authors, keyer)
    mentions = mentions.take(~_inside_mention(mentions, spans))
    return spans.joined(_marks(hits, replaced(rules.policy.identifiers))).joined(mentions)


def homes(rows: pa.RecordBatch, rules: Rules) -> pa.Array:
    """The country by which phone numbers in each row are read: the row's, its author's, the policy's; null if unknown.

    Rows from a source and rows at rest get the same answer, since both hold what the source gave and the author's key.
    """
    found, home = regions(rows, rules), rules.policy.home
    return pc.fill_null(found, home) if home else found


def hits_in(texts: pa.Array, regions: list[str | None], rules: Rules) -> Hits:
    """Every identifier in texts, by the :func:`homes` of their authors."""
    return find_identifiers(texts, _ALL, regions, rules.pepper.names.profiles)


def _marks(hits: Hits, replace: frozenset[Category]) -> Spans:
    """What names no account and is to be masked."""
    at = np.flatnonzero(among(hits, replace - NAMING))
    mask = np.array([mark_mask(Category(category)) for category in hits.category[at]], np.int64)
    return Spans(wide(hits.row[at]), wide(hits.start[at]), wide(hits.end[at]), np.full(len(at), MARK), mask)


def mentions_of(hits: Hits, authors: pa.Array | None, keyer: Keyer) -> Spans:
    """What names an account; nothing at rest, where it is recorded already."""
    if authors is None:
        return no_spans()
    at = np.flatnonzero(among(hits, NAMING))
    accounts = _accounts(hits, at, authors)
    subjects = pc.fill_null(keyer.column(accounts), NOBODY).to_numpy(zero_copy_only=False)
    role = np.full(len(at), CODE[Role.MENTION])
    return Spans(wide(hits.row[at]), wide(hits.start[at]), wide(hits.end[at]), role, subjects.astype(np.int64))


def among(hits: Hits, categories: frozenset[Category]) -> Bools:
    """Which hits are of these categories."""
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


def wide(values: np.ndarray) -> Ints:
    """Places as spans hold them."""
    return values.astype(np.int64)
