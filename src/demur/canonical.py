"""One byte form of facts, for what is signed, committed to or digested.

Invariants: equal facts have equal bytes, by the JSON Canonicalization Scheme (RFC 8785), so that anybody can check
them; what has no such form is refused, and never written in another.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Union

import orjson

JSON = Union[None, bool, int, str, Sequence["JSON"], Mapping[str, "JSON"]]  # noqa: UP007  # a recursive alias
"""Facts: what JSON holds, without fractions, whose spelling differs from writer to writer."""

_MAX_INTEGER: Final = 2**53 - 1  # RFC 8785, appendix D; RFC 7493, section 2.2


def canonical_json(value: JSON) -> bytes:
    """The bytes of ``value`` by the JSON Canonicalization Scheme, RFC 8785.

    Raises:
        ValueError: for a fraction, or an integer that a double does not hold exactly.
    """
    return orjson.dumps(_ordered(value))


def _ordered(value: JSON) -> JSON:
    """``value`` with the members of each object sorted by UTF-16 code units (RFC 8785, section 3.2.3)."""
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > _MAX_INTEGER):
        raise ValueError(f"{value!r} has no canonical form: write it as text.")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_ordered(element) for element in value]
    return value
