"""What the exports of Instagram and Facebook have in common: their encoding, their labels, their ids.

Invariants: a string is repaired only where that gives valid UTF-8 back, so that right text stays as it is; an
item's id depends on what an edit does not change, so that an edited, hidden or deleted item replaces its former
reading; a field of the wrong type is an error that names file and record, not a guess.
"""

import hashlib
import mimetypes
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.archive import Archive
from demur.sources.base import Media
from demur.sources.jsonstream import Record
from demur.sources.text import Span, microseconds
from demur.terms import Kind, Role

_HANDLE: Final = re.compile(r"(?<![\w@/])@([A-Za-z0-9_](?:[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])?)(?![\w@])")
"""A handle as Instagram writes it: 1 to 30 of a-z, 0-9, ``_`` and ``.``, the dot never last; no mail address."""

_RECENT: Final = 1 << 16
_LABEL: Final = 40
_LABELS: Final = 8
"""Characters of an unknown label that are told, and how many of a file's."""
_NAMES: Final = {str: "text", list: "a list", dict: "an object", int: "a whole number", bool: "true or false"}


class Owner(NamedTuple):
    """The person whose export this is."""

    account: str | None = None
    """``namespace:value``; null where the export does not say."""
    name: str | None = None
    """The name the platform shows, by which messages and comments call their authors."""
    private: bool | None = None
    """Whether only followers see the account; null where the export does not say."""


class Ids:
    """Item ids of one account's export that stay the same when the export is made again."""

    def __init__(self, source: str, account: str | None) -> None:
        self._source = source
        self._account = account
        self._recent: OrderedDict[str, int] = OrderedDict()

    def of(self, *facts: object) -> str:
        """The id of the account's one record with these facts."""
        return self.shared(self._account, *facts)

    def restart(self) -> None:
        """Number from the beginning: what comes now replaces what came before (archived and deleted posts)."""
        self._recent.clear()

    def shared(self, *facts: object) -> str:
        """An id that is the same in everybody's export (a group)."""
        plain = "\x1f".join("" if fact is None else str(fact) for fact in facts)
        return f"{self._source}:{hashlib.blake2b(plain.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"

    def numbered(self, *facts: object) -> str:
        """The id of the next of several records with these facts (two comments in one second).

        Only the last 65,536 facts are remembered, so that memory stays flat: exports list what was written in
        the same second side by side.
        """
        key = self.of(*facts)
        count = self._recent.pop(key, 0) + 1
        self._recent[key] = count
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return key if count == 1 else f"{key}-{count}"


def repaired(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    r"""The value with its strings, keys included, freed of Meta's double encoding.

    Meta writes each UTF-8 byte as a character of its own (``\u00c3\u00a9`` for é). A string is repaired only if
    its characters are such bytes and form valid UTF-8.
    """
    if isinstance(value, str):
        return value if value.isascii() else _repaired_text(value)
    if isinstance(value, dict):
        return {
            key if key.isascii() else _repaired_text(key): inner if _is_right(inner) else repaired(inner)
            for key, inner in value.items()
        }
    return [repaired(inner) for inner in value] if isinstance(value, list) else value


def _is_right(value: object) -> bool:
    """Whether nothing can be wrong with a value, as with most."""
    return value.isascii() if isinstance(value, str) else not isinstance(value, dict | list)


def _repaired_text(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def field(record: Mapping[str, Any], key: str, kind: type, where: str) -> Any:  # noqa: ANN401  # a value of `kind`
    """``record[key]``, or null where it is missing, null or an empty string.

    Raises:
        SourceError: when it is there with another type.
    """
    value = record.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SourceError(f"{where}: {key!r} is not {_NAMES[kind]}: export the data again, as JSON.")
    return value


def objects(record: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """The objects in the list ``record[key]``; empty where it is missing."""
    if record.get(key) is None:
        return []
    return [one for one in field(record, key, list, where) or [] if isinstance(one, dict)]


def checked(record: Record) -> dict[str, Any]:
    """The repaired record, which must be an object."""
    try:
        value = repaired(record.value)
    except RecursionError:
        raise SourceError(f"{record.where} is nested too deeply: export the data again.") from None
    if not isinstance(value, dict):
        raise SourceError(f"{record.where} is no object: export the data again, as JSON.")
    return value


def seconds(record: Mapping[str, Any], key: str, where: str) -> int | None:
    """A time in seconds as microseconds; 0 is how Meta writes that it does not know."""
    value = record.get(key)
    return microseconds(value, where) if value else None


def iso_time(value: object, where: str) -> int:
    """An ISO 8601 time as microseconds since 1970-01-01 UTC; without an offset it is UTC.

    Raises:
        SourceError: when it is none.
    """
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise SourceError(f"{where}: {str(value)[:40]!r} is no time: export the data again.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


class Entry(NamedTuple):
    """One labelled value of a record, from ``string_map_data`` or ``label_values``."""

    label: str
    value: str | None
    link: str | None = None
    moment: object = None


def entries(record: Mapping[str, Any]) -> list[Entry]:
    """The labelled values of a record, whatever the layout.

    Nested values (``dict``) are passed over: they say what the record is about, an owner or a place, and not what
    its author wrote.
    """
    mapped, listed = record.get("string_map_data"), record.get("label_values")
    if mapped is None and listed is None:
        return []
    pairs = list(mapped.items()) if isinstance(mapped, dict) else []
    if isinstance(listed, list):
        pairs += [(one["label"], one) for one in listed if isinstance(one, dict) and "label" in one]
    return [_entry(label, one) for label, one in pairs if isinstance(one, dict) and "dict" not in one]


def _entry(label: object, one: Mapping[str, Any]) -> Entry:
    value, link = one.get("value"), one.get("href")
    return Entry(
        str(label).strip().casefold().replace("\u2019", "'"),
        value if isinstance(value, str) and value else None,
        link if isinstance(link, str) and link else None,
        one.get("timestamp") or one.get("timestamp_value"),
    )


def labelled(found: Iterable[Entry], words: frozenset[str]) -> str | None:
    """The first value whose label is one of ``words``."""
    return next((one.value for one in found if one.value and one.label in words), None)


def tell_unknown(found: Iterable[Entry], wanted: str, where: str) -> None:
    """Say that no label is known to tell what is wanted, and which there are: their language may be unknown.

    Only the labels are told, which are the platform's words, and never what stands beside them.
    """
    labels = dict.fromkeys(repr(one.label[:_LABEL]) for one in found)
    if labels:
        told = ", ".join(list(labels)[:_LABELS])
        meter.tell(f"{where}: no label is known to tell {wanted}; there are {told}: request the export in English.")


def handles(text: str, namespace: str) -> list[Span]:
    """A mention span for every ``@handle`` in plain text."""
    return [Span(hit.start(), hit.end(), Role.MENTION, f"{namespace}:{hit[1]}") for hit in _HANDLE.finditer(text)]


def media_file(uri: str, tagged: Sequence[str] = ()) -> Media:
    """A file of the export as media; its type is told by its ending (RFC 6838)."""
    return Media(uri, mimetypes.guess_type(uri.partition("?")[0])[0], None, tagged)


def post_kind(text: str | None, media: Sequence[Media]) -> Kind:
    """A post with media is a caption if it says something and a photo if it only shows photos."""
    if not media:
        return Kind.POST
    if text:
        return Kind.CAPTION
    return Kind.PHOTO if all((one.type or "").startswith("image/") for one in media) else Kind.POST


def joined(*texts: str | None) -> str | None:
    """The different texts of one item, in order, a blank line between them; null where there is none."""
    kept = dict.fromkeys(text for text in texts if text and text.strip())
    return "\n\n".join(kept) or None


def base_name(uri: str | None) -> str:
    """The part of a file's path that a later export keeps."""
    return (uri or "").partition("?")[0].rpartition("/")[2]


def nothing_found(archive: Archive, platform: str, expected: str) -> SourceError:
    """The error for an export without a single file that the adapter reads."""
    if any(member.name.lower().endswith((".html", ".htm")) for member in archive.members):
        return SourceError(f"{archive.label} is the HTML variant of {platform}'s export: request it again as JSON.")
    return SourceError(
        f"{archive.label} holds no file of {platform}'s export (expected {expected}): "
        "check the path, and request the export as JSON."
    )
