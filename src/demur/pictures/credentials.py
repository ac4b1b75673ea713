"""What Content Credentials reserve: the assertions `c2pa.training-mining` and `cawg.training-mining`.

A manifest store is a JUMBF superbox (ISO/IEC 19566-5): boxes within boxes, each superbox with a description that
holds its label; an assertion's content is CBOR, or JSON. Sources: C2PA Technical Specification 1.4, 19.23 (entries
`c2pa.ai_training`, `c2pa.ai_generative_training`, `c2pa.ai_inference`, `c2pa.data_mining`); CAWG Training and Data
Mining Assertion 1.1, where the same are called `cawg.` and which takes `constrained` for `notAllowed`.

Invariants: every entry of every manifest counts, that of a picture which went into this one, too, and whatever it is
an entry of; everything but `allowed` reserves (law 4). A signature is not looked at: who reserves by an assertion that
is not signed, or not by them, has reserved. A manifest that is elsewhere is not fetched.
"""

import json
from collections.abc import Iterator
from typing import Final

from demur.pictures.cbor import Value, value_of
from demur.pictures.refusals import Damaged, Why

WORD: Final = b"training-mining"
"""Stands in the label of the assertion, and wherever a claim names it; labels are ASCII in small letters."""
_ALLOWED: Final = "allowed"
_SUPERBOX, _DESCRIPTION, _COMPRESSED = b"jumb", b"jumd", b"brob"
_HAS_LABEL: Final = 2
"""A bit of a description's toggles (ISO/IEC 19566-5, Annex A)."""
_TOGGLES_AT: Final = 16
_DEPTH: Final = 16
_BOXES: Final = 100_000
"""Boxes of one store; an edit adds about ten."""
_BESIDE: Final = frozenset({"metadata"})
"""What stands beside the entries, where there is no `entries` around them: as in what C2PA 1.x and CAWG 1.0 printed."""


def reserved(store: bytes) -> Why | None:
    """What a manifest store reserves, if anything.

    Raises:
        Damaged: it is not made of boxes, or an assertion in it can't be read.
    """
    found = 0
    for label, contents in _Store(store).superboxes():
        if label is None:  # a compressed manifest (C2PA 2.1 and later), by Brotli, which is not read
            return Why.UNCLEAR
        if WORD in label:
            found += 1
            if not contents:
                raise Damaged
            if not all(_allows(_content(*content)) for content in contents):
                return Why.CREDENTIALS
    return Why.UNCLEAR if WORD in store and not found else None


class _Store:
    """The boxes of a store, each superbox once."""

    def __init__(self, data: bytes) -> None:
        self._data, self._left = data, _BOXES

    def superboxes(self) -> Iterator[tuple[bytes | None, list[tuple[bytes, bytes]]]]:
        """Label and contents (type, bytes) of each; a box that is compressed has no label."""
        yield from self._within(0, len(self._data), 0)

    def _within(self, at: int, end: int, depth: int) -> Iterator[tuple[bytes | None, list[tuple[bytes, bytes]]]]:
        if depth > _DEPTH:
            raise Damaged
        for kind, start, stop in self._boxes(at, end):
            if kind == _COMPRESSED:
                yield None, []
            elif kind == _SUPERBOX:
                label, contents = b"", []
                for inner, first, last in self._boxes(start, stop):
                    if inner == _DESCRIPTION:
                        label = _label(self._data[first:last])
                    elif inner not in {_SUPERBOX, _COMPRESSED}:
                        contents.append((inner, self._data[first:last]))
                yield label, contents
                yield from self._within(start, stop, depth + 1)

    def _boxes(self, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """Type, first byte of the content, and its end, of each box side by side (ISO/IEC 15444-1, I.4)."""
        while at < end:
            self._left -= 1
            length, kind, start = int.from_bytes(self._data[at : at + 4], "big"), self._data[at + 4 : at + 8], at + 8
            if length == 1:
                length, start = int.from_bytes(self._data[at + 8 : at + 16], "big"), at + 16
            stop = at + length if length else end
            if self._left < 0 or stop < start or stop > end:
                raise Damaged
            yield kind, start, stop
            at = stop


def _label(description: bytes) -> bytes:
    toggles = description[_TOGGLES_AT : _TOGGLES_AT + 1]
    if not toggles or not toggles[0] & _HAS_LABEL:
        return b""
    return description[_TOGGLES_AT + 1 :].partition(b"\0")[0]


def _content(kind: bytes, data: bytes) -> Value:
    if kind == b"cbor":
        return value_of(data)
    if kind != b"json":
        raise Damaged
    try:
        value: Value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Damaged from error
    return value


def _allows(assertion: Value) -> bool:
    if not isinstance(assertion, dict):
        return False
    around = assertion.get("entries", {key: value for key, value in assertion.items() if key not in _BESIDE})
    entries = list(around.values()) if isinstance(around, dict) else around
    return isinstance(entries, list) and bool(entries) and all(map(_is_allowed, entries))


def _is_allowed(entry: Value) -> bool:
    use = entry.get("use") if isinstance(entry, dict) else entry
    return use == _ALLOWED
