"""JSON of what people said, whatever they said: half a surrogate pair becomes a question mark, nothing is refused."""

from collections.abc import Mapping, Sequence

import orjson

from demur.register.records import JSON


def plain(value: JSON) -> bytes:
    """A value as JSON, UTF-8."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson refuses strings that are no UTF-8
        return orjson.dumps(_readable(value))


def _readable(value: JSON) -> JSON:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {str(_readable(name)): _readable(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_readable(each) for each in value]
    return value
