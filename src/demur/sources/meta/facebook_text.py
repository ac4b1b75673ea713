"""What a Facebook record says: its text without markup, who it names, and its files.

Invariants: titles such as "Ann shared a link" are the platform's words and never text; camera data and upload
addresses never leave the record; the name of a tagged person is a tag span wherever it stands in the text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from demur.sources.base import Media
from demur.sources.meta.common import entries, field, joined, labelled, media_file, objects
from demur.sources.meta.labels import TEXT
from demur.sources.phrases import Phrases
from demur.sources.text import Span
from demur.terms import Role

_MENTION: Final = re.compile(r"@\[(\d+):\d*:((?:[^\]\\]|\\.)+)\]")
"""How an export writes a mention: ``@[id:type:name]``."""


def attached(value: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Everything attached to a record, in order."""
    if value.get("attachments") in (None, []):
        return []
    return [one for part in objects(value, "attachments", where) for one in objects(part, "data", where)]


def files_of(value: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The photos and videos of a record, wherever its layout keeps them."""
    inner = [media for one in attached(value, where) if (media := field(one, "media", dict, where))]
    own = [value] if isinstance(value.get("uri"), str) else []
    listed = objects(value, "media", where) if isinstance(value.get("media"), list) else []
    notes = [media for note in notes_of(value, where) for media in objects(note, "media", where)]
    return [*inner, *own, *listed, *notes]


def media_of(files: Iterable[Mapping[str, Any]], tagged: Sequence[str], where: str) -> list[Media]:
    """Files as media: path and type only, nothing of what the camera or the upload recorded."""
    return [media_file(uri, tagged) for one in files if (uri := field(one, "uri", str, where))]


def notes_of(value: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The notes attached to a record, and the record itself where it is one."""
    own = [value] if isinstance(value.get("text"), str) else []
    return [note for one in attached(value, where) if (note := field(one, "note", dict, where))] + own


def written(value: Mapping[str, Any], files: Iterable[Mapping[str, Any]], where: str) -> str | None:
    """Everything the author wrote into one record: post, descriptions, note, poll; markup still in it."""
    posts = [field(one, "post", str, where) for one in objects(value, "data", where)]
    notes = [field(note, key, str, where) for note in notes_of(value, where) for key in ("title", "text")]
    described = [field(one, "description", str, where) for one in files]
    polls = [poll for one in attached(value, where) if (poll := field(one, "poll", dict, where))]
    asked = [text for poll in polls for text in _poll(poll, where)]
    return joined(*posts, labelled(entries(value), TEXT), *notes, *described, *asked)


def _poll(poll: Mapping[str, Any], where: str) -> list[str | None]:
    options = objects(poll, "options", where)
    return [field(poll, "question", str, where), *(field(one, "option", str, where) for one in options)]


def tagged_names(value: Mapping[str, Any], where: str) -> list[str]:
    """The names of the people a record is tagged with."""
    lists = [value, *(note for note in notes_of(value, where) if note is not value)]
    tags = [tag for one in lists for tag in objects(one, "tags", where)]
    return list(dict.fromkeys(name for tag in tags if (name := field(tag, "name", str, where))))


def unmarked(text: str | None, names: Sequence[str]) -> tuple[str | None, list[Span]]:
    """Plain text with a mention span for each ``@[id:type:name]`` and a tag span for each tagged name."""
    if text is None:
        return None, []
    pieces, spans, done, length = [], [], 0, 0
    for hit in _MENTION.finditer(text):
        name = re.sub(r"\\(.)", r"\1", hit[2])
        before = text[done : hit.start()]
        start = length + len(before)
        spans.append(Span(start, start + len(name), Role.MENTION, f"facebook:{hit[1]}"))
        pieces += [before, name]
        done, length = hit.end(), start + len(name)
    plain = "".join([*pieces, text[done:]])
    return plain, _with_tags(plain, spans, names)


def _with_tags(text: str, spans: list[Span], names: Sequence[str]) -> list[Span]:
    """The spans and those of the names, longer names first, none overlapping another."""
    if not names:
        return spans
    taken = bytearray(len(text))
    for span in spans:
        taken[span.start : span.end] = b"\1" * (span.end - span.start)
    found, end = [], 0
    for start, here in Phrases(names, around=r"\w").found(text):
        if start >= end:
            end = start + len(here[0])
            found.append((start, end, here[0]))
    free = [(start, end, name) for start, end, name in found if not any(taken[start:end])]
    return sorted([*spans, *(Span(start, end, Role.TAG, f"facebook-name:{name}") for start, end, name in free)])
