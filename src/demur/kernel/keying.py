"""Items become rows: every identifier is replaced by its keyed hash; the text is not touched yet.

Invariants: what can't be keyed (a malformed account) becomes null, and null is *not used* (law 4); nothing here looks
at the policy.
"""

from contextlib import suppress
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from demur.errors import IdentityError
from demur.identity import Pairs, Pepper
from demur.kernel import schema
from demur.terms import ALIKE

KEYED: Final = pa.schema([f.with_nullable(True) for f in schema.ROW] + [pa.field("deleted", pa.bool_())])  # noqa: FBT003  # pyarrow takes it by position only
"""A row on its way through the kernel: fields may still be null, and `deleted` has not been judged yet."""


class Keyer:
    """Keys the identifiers of one batch, and notes which of its accounts have other spellings."""

    def __init__(self, pepper: Pepper) -> None:
        self.pepper = pepper
        self._alike: list[Pairs] = []

    @property
    def alike(self) -> Pairs:
        """The other spellings of the accounts that were keyed so far, each beside the account's own key."""
        found = self._alike or [np.empty((0, 2), np.int64)]
        return np.unique(np.vstack(found), axis=0) if len(found) > 1 else found[0]

    def column(self, accounts: pa.Array) -> pa.Array:
        """The subject keys of a column of accounts; null and malformed accounts become null."""
        encoded = accounts.dictionary_encode()
        return self._keys(encoded.dictionary.to_pylist()).take(encoded.indices)

    def take(self, said: bytes | None) -> None:
        """Note what a batch's metadata (terms.ALIKE) says of accounts that are known by other names."""
        for account, others in orjson.loads(said or b"{}").items():
            with suppress(IdentityError):
                exact, *rest = self.pepper.subject_keys([account, *others]).tolist()
                self._alike.append(np.array([(exact, other) for other in rest], np.int64).reshape(-1, 2))

    def _keys(self, accounts: list[str]) -> pa.Array:
        try:
            keys, pairs = self.pepper.all_keys(accounts)
        except IdentityError:  # one of them is malformed, and only that one is not keyed
            alone = len(accounts) == 1
            return pa.nulls(1, pa.int64()) if alone else pa.concat_arrays([self._keys([each]) for each in accounts])
        if len(pairs):
            self._alike.append(pairs)
        return pa.array(keys)


def keyed(items: pa.RecordBatch, keyer: Keyer) -> pa.RecordBatch:
    """A batch of terms.ITEM as a batch of :data:`KEYED`, same length and order."""
    pepper = keyer.pepper
    keyer.take((items.schema.metadata or {}).get(ALIKE))
    columns = {name: items.column(name) for name in items.schema.names}
    columns["source"] = pc.list_element(pc.split_pattern(items.column("item"), ":", max_splits=1), 0)
    columns |= _item_columns(items, pepper)
    columns["author"] = keyer.column(items.column("author"))
    columns["spans"] = _stored_spans(items.column("spans"), keyer)
    columns["media"] = _stored_media(items.column("media"), keyer)
    columns["subjects"] = pa.nulls(len(items), pa.list_(pa.int64()))
    columns["text"] = pc.fill_null(items.column("text"), "")
    columns["region"] = _codes(items.column("region"))
    return pa.RecordBatch.from_arrays([columns[name] for name in KEYED.names], schema=KEYED)


def _codes(regions: pa.Array) -> pa.Array:
    """What is no country code, `USA` say, is unknown: no two of its letters are taken for one."""
    known = pc.match_substring_regex(regions, r"^[A-Z]{2}$")
    return pc.if_else(known, regions, pa.scalar(None, pa.string()))


def _item_columns(items: pa.RecordBatch, pepper: Pepper) -> dict[str, pa.Array]:
    """The columns that hold item ids, keyed together: a parent or thread is often an item of the same batch.

    Each gets a buffer of its own: a slice would be pickled with all of them.
    """
    names = ("item", "parent", "thread", "group")
    keys = pepper.item_keys(pa.concat_arrays([items.column(name) for name in names]))
    return {name: pa.concat_arrays([keys.slice(at * len(items), len(items))]) for at, name in enumerate(names)}


def _stored_spans(spans: pa.Array, keyer: Keyer) -> pa.Array:
    """`account` becomes `subject`; the offsets stay."""
    flat = spans.flatten()
    children = [
        flat.field("start"),
        flat.field("end"),
        flat.field("role"),
        keyer.column(flat.field("account")),
    ]
    return lists_like(spans, pa.StructArray.from_arrays(children, fields=list(schema.STORED_SPAN)))


def _stored_media(media: pa.Array, keyer: Keyer) -> pa.Array:
    """`tagged` becomes keys, and `uri` a keyed hash with the file ending: it may name the person or the account."""
    flat = media.flatten()
    tagged = flat.field("tagged")
    keys = lists_like(tagged, keyer.column(tagged.flatten()))
    uris = pa.array([stored_uri(uri, keyer.pepper) for uri in flat.field("uri").to_pylist()], pa.string())
    children = [uris, flat.field("type"), flat.field("alt"), keys]
    return lists_like(media, pa.StructArray.from_arrays(children, fields=list(schema.STORED_MEDIA)))


def stored_uri(uri: str | None, pepper: Pepper) -> str | None:
    """What stands at rest for a file's URI: its keyed hash, and its ending."""
    if uri is None:
        return None
    name = uri.split("?", 1)[0].split("#", 1)[0].rsplit("/", 1)[-1]
    ending = name.rpartition(".")[2] if "." in name else ""
    suffix = f".{ending.lower()}" if ending.isascii() and ending.isalnum() and len(ending) <= 5 else ""  # noqa: PLR2004  # jpeg, webp, webm
    return pepper.item_key(uri).hex() + suffix


def lists_like(lists: pa.Array, values: pa.Array) -> pa.Array:
    """``values`` in lists of the same lengths as ``lists``; a null list becomes an empty one.

    ``values`` has the length of ``lists.flatten()``.
    """
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return in_lists(lengths, values)


def in_lists(lengths: np.ndarray, values: pa.Array) -> pa.Array:
    """Lists of the given lengths, shape (n,), over ``values``, shape (sum of lengths,)."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)
