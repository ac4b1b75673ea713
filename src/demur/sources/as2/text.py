"""The text of an ActivityStreams object: title, content warning, content, poll options and what it quotes.

Invariants: whoever the object mentions, tags or quotes has a span, an empty one where the text does not show them;
what was quoted stands in a quote span of its author, so that it can be taken out and the rest stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from demur.errors import SourceError
from demur.sources.as2.values import (
    Actors,
    AsObject,
    content_of,
    identifier,
    objects,
    string,
    types,
    values,
)
from demur.sources.html import Link, to_text
from demur.sources.limits import MAX_ELEMENTS
from demur.sources.phrases import Phrases
from demur.sources.text import Span
from demur.terms import Role

_QUOTES: Final = ("quote", "quoteUrl", "quoteUri", "quoteURL", "_misskey_quote")
"""Where software names the quoted object: FEP-044f, Fedibird and Pleroma, Akkoma, Misskey."""


@dataclass
class _Text:
    """Text under construction."""

    text: str = ""
    spans: list[Span] = field(default_factory=list)

    def add(self, text: str, spans: list[Span], gap: str = "\n\n") -> None:
        """A further part, its spans moved along."""
        if text and self.text:
            self.text += gap
        start = len(self.text)
        self.text += text
        self.spans.extend(one._replace(start=one.start + start, end=one.end + start) for one in spans)


def text_of(thing: AsObject, host: str, actors: Actors) -> tuple[str, list[Span]]:
    """The plain text of an object and its spans; ``host`` completes mentions that do not say theirs."""
    tags = _tags(thing, host, actors)
    quote = _quoted(thing, actors)
    accounts = {name: tag.account for tag in tags for name in tag.names}
    accounts.update({url: quote.account for url in quote.urls if quote.account})
    built = _Text()
    built.add(string(thing.get("name")), [])
    built.add(*_read(string(thing.get("summary")), accounts, actors))
    content = content_of(thing)
    built.add(*((content, []) if _is_plain(thing) else _read(content, accounts, actors)))
    built.add("\n".join(_options(thing)), [])
    _mark_unseen(built, tags, identifier(thing))
    _add_quote(built, quote, host, actors)
    return built.text, sorted(built.spans, key=lambda span: (span.start, -span.end))


def _read(html: str, accounts: dict[str, str], actors: Actors) -> tuple[str, list[Span]]:
    def account(link: Link) -> str | None:
        if known := accounts.get(link.href):
            return known
        if link.text and ("mention" not in link.classes or "hashtag" in link.classes):
            return None
        found = actors.at(link.href)
        tagged = accounts.get(link.text.lower())
        if tagged is not None and (found is None or found in actors.alike.get(tagged, ())):
            return tagged
        return found

    return to_text(html, account)


def _is_plain(thing: AsObject) -> bool:
    """Whether the content has no markup: HTML is what it is unless ``mediaType`` differs (Vocabulary, content)."""
    return string(thing.get("mediaType")) in ("text/plain", "text/markdown")


def _options(thing: AsObject) -> Iterator[str]:
    """The choices of a poll."""
    for key in ("oneOf", "anyOf"):
        yield from (name for one in objects(thing.get(key)) if (name := string(one.get("name"))))


# Mentions and tagged people


@dataclass(frozen=True)
class _Tag:
    """Somebody whom an object tags."""

    account: str
    role: Role
    names: tuple[str, ...]
    """What may stand for them: the link, ``@user``, ``@user@host`` in lower case."""


def _tags(thing: AsObject, host: str, actors: Actors) -> list[_Tag]:
    found: list[_Tag] = []
    for tag in objects(thing.get("tag")):
        link, name = identifier(tag) or "", string(tag.get("name")).lower()
        if "Mention" in types(tag):
            user = name.removeprefix("@").partition("@")[0]
            names = (link, name, f"@{user}") if user else (link,)
            found.extend(_Tag(account, Role.MENTION, names) for account in actors.mentioned(tag, host))
        elif "Person" in types(tag) and (account := actors.of(tag)):
            found.append(_Tag(account, Role.TAG, (link,)))
    return found


def _mark_unseen(built: _Text, tags: list[_Tag], name: str | None) -> None:
    """Mark people whom the markup did not show: where the text writes their handle, else by an empty span."""
    seen = {one.account for one in built.spans}
    bearers: dict[str, list[int]] = {}
    for number, tag in enumerate(tags):
        for handle in {each for each in tag.names if each.startswith("@") and tag.account not in seen}:
            bearers.setdefault(handle, []).append(number)
    places: dict[int, list[tuple[int, int]]] = {}
    marked = 0
    for start, handles in Phrases(bearers, around=r"\w@", fold=True).found(built.text):
        for handle in handles:
            marked += len(bearers.get(handle.lower(), ()))
            if marked > MAX_ELEMENTS:
                raise SourceError(f"The object {name} mentions more than {MAX_ELEMENTS:,} people: leave it out.")
            for number in bearers.get(handle.lower(), ()):
                places.setdefault(number, []).append((start, start + len(handle)))
    for number, tag in enumerate(tags):
        if tag.account not in seen:
            found = dict.fromkeys(places.get(number, [(0, 0)]))
            built.spans.extend(Span(start, end, tag.role, tag.account) for start, end in found)


# Quotes


@dataclass(frozen=True)
class _Quote:
    """What an object quotes."""

    urls: frozenset[str]
    account: str | None
    embedded: AsObject


def _quoted(thing: AsObject, actors: Actors) -> _Quote:
    links = [tag for tag in objects(thing.get("tag")) if "Link" in types(tag) and _is_object_link(tag)]
    found: list[Any] = [one for key in _QUOTES for one in values(thing.get(key))] + links
    urls = frozenset(url for one in found if (url := identifier(one)))
    embedded = next((one for one in objects(found) if content_of(one)), {})
    account = actors.of(embedded.get("attributedTo")) or next(filter(None, map(actors.at, sorted(urls))), None)
    return _Quote(urls, account, embedded)


def _is_object_link(tag: AsObject) -> bool:
    """Whether a link tag leads to an object (FEP-e232)."""
    media_type = string(tag.get("mediaType"))
    return media_type.startswith("application/activity+json") or "activitystreams" in media_type


def _add_quote(built: _Text, quote: _Quote, host: str, actors: Actors) -> None:
    if quote.embedded:
        alone = {**quote.embedded, "name": None, "tag": [], **dict.fromkeys(_QUOTES)}
        text, spans = text_of(alone, host, actors)
        built.add(text, [Span(0, len(text), Role.QUOTE, quote.account), *spans])
    elif quote.account and quote.account not in {one.account for one in built.spans}:
        built.add("", [Span(0, 0, Role.QUOTE, quote.account)])
