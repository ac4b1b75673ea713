"""Who wrote what is quoted, where only the words around it say so.

Invariants: whoever an attribution names is named wherever it stands: over the quote, in its first line, or signing it;
the name itself is a mention where it stands outside the quote. Of several ways to read a name each is given, because a
name that nobody bears costs nothing. Attributions are known in the languages that forums are most written in.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from demur.sources.markup.names import Cited, Names
from demur.sources.text import Span
from demur.terms import Role

_VERBS: Final = (
    "wrote|writes|said|says|posted|replied|schrieb|schreibt|hat geschrieben|sagte|meinte|a écrit|a dit|écrit|escribió|"
    "dijo|ha scritto|ha detto|scrive|schreef|zei|skrev|sade|sagde|sa|escreveu|disse|napisał(?:a|\\(a\\)|/a)?|kirjoitti|"
    "sanoi|napsal(?:a|\\(a\\))?|napísal(?:a)?|napisao|napisala|je napisal(?:a)?|írta|a scris|a spus|kirjutas|"
    "rakstīja|rašė|написал(?:а|\\(а\\))?|писал(?:а)?|пишет|написа|написав|έγραψε|scríobh|kiteb"  # noqa: RUF001  # Cyrillic
)
_BEFORE: Final = (
    "quote from|quoting|originally posted by|quote by|zitat von|ursprünglich (?:geschrieben )?von|citation de|"
    "posté (?:à l'origine )?par|cita de|originalmente publicado por|citazione di|originariamente inviato da|citaat van"
)
_WROTE: Final = re.compile(
    rf"[\s>*_#\"'«“-]{{0,8}}(?P<name>\S[^\n:]{{0,150}}?)\s+(?:{_VERBS})\b[^\n:]{{0,300}}:", re.IGNORECASE
)
_DATED: Final = re.compile(rf"[\s>]{{0,8}}(?P<name>\S[^\n]{{0,250}}?)\s+(?:{_VERBS})\s*:?[ \t]*$", re.IGNORECASE)
_FROM: Final = re.compile(
    rf"[^\n]{{0,20}}?\b(?:{_BEFORE})\b[:\s]\s*(?P<name>[^\n:]{{1,150}}?)"
    r"(?:\s+(?:on|am|le|el|il|op|view post)\b[^\n]*)?\s*(?::|$)",
    re.IGNORECASE,
)
_SIGNED: Final = re.compile(r"[\s>*_]{0,8}(?:--+|[\u2013\u2014\u2015\u2012])\s*(?P<name>\S[^\n]{0,150}?)[\s*_]*$")
_BARE: Final = re.compile(r"[\s@]*(?P<name>[^\s:]{1,60}(?: [^\s:]{1,30}){0,2}):[ \t]*$")
_SAYING: Final = (_WROTE, _FROM, _DATED)
_LONG: Final = 500
"""Characters of a line; a longer one attributes nothing."""
_LINKED: Final = re.compile(r"\[([^\[\]]{1,100})\](?:\([^()]{0,300}\))?")
_ADDRESS: Final = re.compile(r"(?<=.)\s*[<(\[].*$")
_DATE: Final = re.compile(r"^\s*\([^()]{0,60}\)")
_NO_NAME: Final = re.compile(r"[,:]|^quote$", re.IGNORECASE)
_SEVERAL: Final = 3


class Attributed:
    """A text whose quotes are asked whose they are."""

    def __init__(self, text: str, spans: Sequence[Span], names: Names) -> None:
        self._text = text
        self._spans = spans
        self._names = names
        self._begins = sorted({span.start for span in spans if span.role == Role.QUOTE and span.end > span.start})

    def spans(self) -> list[Span]:
        """All spans, those of quotes with their authors where words tell them, and the names that do."""
        found: dict[Span, None] = {}
        for span in self._spans:
            told = list(self._told(span)) if span.role == Role.QUOTE and span.account is None else []
            found.update(dict.fromkeys(told or [span]))
        return list(found)

    def _told(self, quote: Span) -> Iterator[Span]:
        """The quote once for each account that it may be of, and the name where it stands."""
        for match, start in self._lines(quote):
            words = match["name"]
            named = [(name, account) for name in readings(words) for account in self._names.accounts(Cited(name))]
            for name, account in named:
                at = start + match.start("name") + max(words.rfind(name), 0)
                yield quote._replace(account=account)
                yield Span(at - (self._text[at - 1 : at] == "@"), at + len(name), Role.MENTION, account)
            if named:
                return

    def _lines(self, quote: Span) -> Iterator[tuple[re.Match[str], int]]:
        """Where an attribution may stand, the surest first, with where it begins in the text."""
        above, within, below = self._above(quote.start), self._first(quote), self._last(quote)
        for (start, end), ways in ((above, _SAYING), (within, _SAYING), (below, (_SIGNED,)), (above, (_BARE,))):
            line = self._text[start:end] if 0 < end - start <= _LONG else ""
            if match := next(filter(None, (way.match(line) for way in ways)), None) if line.strip() else None:
                yield match, start

    def _above(self, start: int) -> tuple[int, int]:
        """The last line before the quote that says something, with at most one empty line between."""
        floor = max(0, start - _LONG)
        before = self._text[floor:start].rstrip(" \t")
        if not before.endswith("\n") or before.endswith("\n\n\n"):
            return start, start
        before = before.rstrip()
        begin = before.rfind("\n") + 1
        return floor + begin, floor + len(before)

    def _first(self, quote: Span) -> tuple[int, int]:
        """The quote's first line, unless what it stands over is a quote in the quote."""
        start = quote.start
        led = self._text[start : min(quote.end, start + _LONG)]
        start += len(led) - len(led.lstrip())
        end = self._text.find("\n", start, min(quote.end, start + _LONG))
        if end < 0:
            return start, quote.end
        number = bisect_right(self._begins, start)
        deeper = self._begins[number] if number < len(self._begins) else quote.end
        over = deeper < min(quote.end, end + _LONG) and not self._text[end:deeper].strip()
        return (start, start) if over else (start, end)

    def _last(self, quote: Span) -> tuple[int, int]:
        floor = max(quote.start, quote.end - _LONG)
        shown = self._text[floor : quote.end].rstrip()
        return floor + shown.rfind("\n") + 1, floor + len(shown)


def said_by(words: str, names: Names) -> list[str]:
    """The accounts that an attribution names, or a name that stands alone."""
    if len(words) > _LONG:
        return []
    match = next(filter(None, (way.match(words) for way in _SAYING)), None)
    told = readings(match["name"] if match else words)
    return list(dict.fromkeys(account for name in told for account in names.accounts(Cited(name))))


def readings(words: str) -> list[str]:
    """The names that the words before ``wrote`` may mean: all of them, those behind a date, a handle in them."""
    linked = _LINKED.search(words)
    plain = _DATE.sub("", _ADDRESS.sub("", words) if linked is None else linked[1])
    handle = next((piece for piece in words.split() if piece.startswith("@")), "")
    pieces = plain.split()
    found = [handle, plain, plain.rpartition(",")[2], plain.partition(",")[0]]
    if len(pieces) > _SEVERAL:
        found += [pieces[-1], " ".join(pieces[-2:])]
    tidy = dict.fromkeys(map(_tidy, found))
    return [name for name in tidy if name and len(name.split()) <= _SEVERAL and not _NO_NAME.search(name)]


def _tidy(name: str) -> str:
    return name.strip(" \t*_~`\"'«»“”„:,;.>").lstrip("@")
