"""What every source shares: the protocol, the rows it yields, how they become batches, and how it is found.

Invariants: a batch has the schema :data:`demur.terms.ITEM`, at most ``MAX_ROWS`` rows and about
``MAX_BYTES`` of content (one larger item stands alone), so that memory does not grow with the input; text is
NFC and holds no control character but line feed and tab, and spans still mark what they marked; what an
adapter does not know is null, never guessed, because the door fails closed on null (law 4).
"""

import gc
import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Any, Final, NamedTuple, Protocol, Self, cast, runtime_checkable

import orjson
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from demur import errors
from demur.errors import SourceError
from demur.sources.limits import MAX_ELEMENTS
from demur.sources.text import SURROGATE, Span, clean
from demur.terms import ALIKE, ITEM

GROUP: Final = "demur.sources"
"""The entry point group in which adapters are found."""

FIRST_PARTY: Final = "first-party"
"""The origin of what a platform's own members wrote there."""

MOST_OF_A_FILE: Final = 64 * 2**20
"""Bytes of a file that belongs to an item; a larger one is none that anybody shows as a picture."""

MAX_ROWS: Final = 8192
MAX_BYTES: Final = 16 * 2**20
_OBJECTS: Final = 20_000
_PICTURES: Final = (".avif", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".webp")

_BUILT_IN: Final = {
    "activitystreams": "demur.sources.activitystreams:ActivityStreamsSource",
    "discord": "demur.sources.chats.discord:DiscordSource",
    "discourse": "demur.sources.dumps.discourse:DiscourseSource",
    "facebook": "demur.sources.facebook:FacebookSource",
    "instagram": "demur.sources.instagram:InstagramSource",
    "irc": "demur.sources.chats.irc:IrcSource",
    "mastodon": "demur.sources.mastodon:MastodonSource",
    "mbox": "demur.sources.dumps.mbox:MboxSource",
    "misskey": "demur.sources.dumps.misskey:MisskeySource",
    "pixelfed": "demur.sources.dumps.pixelfed:PixelfedSource",
    "reddit": "demur.sources.dumps.reddit:RedditSource",
    "slack": "demur.sources.chats.slack:SlackSource",
    "stackexchange": "demur.sources.dumps.stackexchange:StackExchangeSource",
    "table": "demur.sources.table:TableSource",
    "telegram": "demur.sources.chats.telegram:TelegramSource",
    "whatsapp": "demur.sources.chats.whatsapp:WhatsappSource",
    "x": "demur.sources.dumps.x:XSource",
}


class Media(NamedTuple):
    """A picture, a video or a sound that belongs to an item."""

    uri: str | None
    type: str | None = None
    """Media type, RFC 6838."""
    alt: str | None = None
    """The description for people who do not see it."""
    tagged: Sequence[str] = ()
    """Accounts shown in it."""


class ItemRow(NamedTuple):
    """One item as an adapter reads it: the fields of :data:`demur.terms.ITEM`, in its order."""

    item: str
    """``source:native-id``, stable across imports; a later row with the same id is the later reading."""
    author: str | None
    kind: str | None
    audience: str | None
    region: str | None = None
    created: int | None = None
    """Microseconds since 1970-01-01 UTC (see :func:`microseconds`)."""
    language: str | None = None
    text: str | None = None
    spans: Sequence[Span] = ()
    parent: str | None = None
    thread: str | None = None
    group: str | None = None
    rating: float | None = None
    media: Sequence[Media] = ()
    origin: str | None = FIRST_PARTY
    deleted: bool = False


@runtime_checkable
class Source(Protocol):
    """One adapter per platform format."""

    def read(self, paths: Sequence[str], options: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """Read what stands at ``paths`` as batches of items (schema :data:`demur.terms.ITEM`).

        Args:
            paths: files, folders or URLs, as given on the command line.
            options: the table ``[sources.<name>]`` of ``demur.toml``.

        Raises:
            SourceError: when an input is broken, unsafe, or not what it claims to be.
        """
        ...


class Files(Protocol):
    """The files that belong to the items of what was read."""

    def bytes_of(self, uri: str) -> bytes | None:
        """What the file holds that an item names so (:attr:`Media.uri`), or None where there is none.

        Of one that has more than :data:`MOST_OF_A_FILE` bytes, so many and one more.

        Raises:
            SourceError: when it is damaged.
        """
        ...


@runtime_checkable
class Pictured(Protocol):
    """A source whose archives hold the pictures that their items name."""

    def pictures(self, paths: Sequence[str], options: Mapping[str, object]) -> AbstractContextManager[Files]:
        """Open the files at ``paths``, which were read as items before; arguments and errors as of `Source.read`."""
        ...


def is_picture(media_type: str | None, uri: str) -> bool:
    """Whether what an item names is a picture that stands still: by its type, or by its ending where that says nothing.

    An SVG is a program that draws, and none.
    """
    if media_type and media_type != "application/octet-stream":
        return media_type.startswith("image/") and not media_type.startswith("image/svg")
    return uri.partition("?")[0].lower().endswith(_PICTURES)


class Options(BaseModel):
    """The options of one source; a subclass names them, with a docstring under each."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def parse(cls, source: str, options: Mapping[str, object]) -> Self:
        """The options of ``source`` from its table in ``demur.toml``.

        Raises:
            SourceError: for an unknown key, naming the nearest known one, or a value that does not fit.
        """
        for key in options:
            if key not in cls.model_fields:
                hint = nearest(key, cls.model_fields)
                raise SourceError(f"demur.toml, [sources.{source}]: there is no option {key!r}{hint}")
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            raise SourceError(
                f"demur.toml, [sources.{source}]: {key!r} does not fit ({first['msg']}): correct its value."
            ) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the known word nearest to ``word``, else all of them."""
    words = sorted(known)
    meant = errors.nearest(word, words)
    if meant is not None:
        return f": did you mean {meant!r}?"
    return f": known are {', '.join(words)}." if words else ": it takes none."


def _found() -> dict[str, str]:
    """Every known source: name -> ``module:Class``. A plugin can't take the name of a built-in one."""
    plugins = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    return {**plugins, **_BUILT_IN}


def source_names() -> list[str]:
    """The names of all sources that can be imported from, sorted."""
    return sorted(_found())


def load_source(name: str) -> Source:
    """The adapter called ``name``, found by entry point; a built-in one also without demur's metadata.

    Raises:
        SourceError: for an unknown name, naming the nearest known one, or an adapter that can't be loaded.
    """
    found = _found()
    if name not in found:
        raise SourceError(f"There is no source {name!r}{nearest(name, found)}")
    module, _, attribute = found[name].partition(":")
    try:
        loaded = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise SourceError(
            f"The source {name!r} ({found[name]}) can't be loaded ({error}): reinstall its package."
        ) from error
    return cast("Source", loaded)


def to_state(name: str, reasons: Iterable[str]) -> list[str]:
    """What of demur.toml states what a source's data left unsaid, for reasons why items were left out.

    A source may say it in ``stated``: reason (:class:`demur.terms.Reason`) -> the option and its values.
    """
    known: Mapping[str, str] = getattr(load_source(name), "stated", {})
    return [f"{reason}: [sources.{name}] {known[reason]}" for reason in reasons if reason in known]


def batches(rows: Iterable[ItemRow], alike: Mapping[str, Collection[str]] | None = None) -> Iterator[pa.RecordBatch]:
    """Rows as batches of at most ``MAX_ROWS`` rows and about ``MAX_BYTES`` of content, text cleaned.

    ``alike``, which may grow while rows are read, names further accounts of accounts: they are the same one's. A batch
    says so of those that it names, in its metadata (:data:`demur.terms.ALIKE`).
    """
    held: list[ItemRow] = []
    weight = 0
    with _without_haste():
        for row in rows:
            cleaned, more = _prepared(row)
            if held and (len(held) == MAX_ROWS or weight + more > MAX_BYTES):
                yield _with_alike(_batch(held), held, alike or {})
                held, weight = [], 0
            held.append(cleaned)
            weight += more
        if held:
            yield _with_alike(_batch(held), held, alike or {})


@contextmanager
def _without_haste() -> Iterator[None]:
    """Let Python look for circles of objects less often: rows form none, and looking takes a fifth of the time.

    By default it looks whenever 700 more objects are there, which some twenty rows are.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _OBJECTS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _with_alike(batch: pa.RecordBatch, rows: Sequence[ItemRow], alike: Mapping[str, Collection[str]]) -> pa.RecordBatch:
    named = {row.author for row in rows} | {span.account for row in rows for span in row.spans} if alike else set()
    said = {account: sorted(alike[account]) for account in named if account is not None and account in alike}
    return batch.replace_schema_metadata({ALIKE: orjson.dumps(said)}) if said else batch


def _prepared(row: ItemRow) -> tuple[ItemRow, int]:
    """The row with clean text, and about how many bytes it holds.

    Raises:
        SourceError: for an item with more spans than any that somebody wrote.
    """
    weight = 0
    if len(row.spans) > MAX_ELEMENTS:
        raise SourceError(f"The item {row.item} mentions or quotes more than {MAX_ELEMENTS:,} times: leave it out.")
    if row.text is not None:
        text, spans = clean(row.text, row.spans)
        if text is not row.text or spans is not row.spans:
            row = row._replace(text=text, spans=spans)
        weight = len(text) if text.isascii() else len(text.encode())
        weight += 64 * len(spans)
    if row.media:
        media = [one._replace(alt=clean(one.alt)[0]) if one.alt else one for one in row.media]
        weight += sum(len(one.uri or "") + 4 * len(one.alt or "") + 64 for one in media)
        row = row._replace(media=media)
    return row, weight


def _batch(rows: Sequence[ItemRow]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True))
    try:
        return _arrow(columns)
    except UnicodeEncodeError:
        # A lone surrogate outside the text (an id, a name): rare, so looked for only when Arrow refuses.
        return _arrow(_encodable(columns))


def _arrow(columns: Sequence[Sequence[object]]) -> pa.RecordBatch:
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, ITEM, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=ITEM)


def _encodable(value: Any) -> Any:  # noqa: ANN401  # any cell of a row, whatever its column
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", value)
    return tuple(_encodable(part) for part in value) if isinstance(value, list | tuple) else value
