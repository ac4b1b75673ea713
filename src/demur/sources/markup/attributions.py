"""Who wrote what is quoted, where only the words around it say so.

Invariants: whoever an attribution names is named wherever it stands: over the quote, in its first line, or signing it,
in or below it; the name itself is a mention where it stands outside the quote. Of several ways to read a line, or a
name in it, each is given, because a name that nobody bears costs nothing. Attributions are known in the languages that
forums are most written in.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from demur.sources.markup.names import Cited, Names
from demur.sources.text import Span
from demur.terms import Role

_VERBS: Final = (
    "wrote|writes|said|says|posted|replied|commented|asked|answered|schrieb|schreibt|hat geschrieben|sagte|"
    "meinte|meint|a écrit|écrit|a dit|a répondu|escribió|escribe|dijo|ha scritto|ha detto|scrive|schreef|schrijft|zei|"
    "skrev|skriver|sade|sagde|sa|escreveu|escreve|disse|napisał(?:a|\\(a\\)|/a)?|pisze|kirjoitti|kirjoittaa|sanoi|"
    "napsal(?:a|\\(a\\))?|píše|napísal(?:a|\\(a\\))?|povedal(?:a)?|(?:je )?napisa(?:o|la|o/la)|"
    "(?:je )?(?:rekao|rekla|rekel)|(?:je )?napisal(?:a)?|írta|írja|mondta|a scris|scrie|a spus|kirjutas|ütles|rakstīja|"
    "teica|(?:pa)?rašė|sakė|написал(?:а|\\(а\\))?|писал(?:а|\\(а\\))?|пишет|написа|каза|(?:на)?писа(?:в|ла)|пише|"  # noqa: RUF001  # Cyrillic
    "έγραψε|γράφει|είπε|"  # Greek
    "scríobh|kiteb|qal|yazdı|写道"  # noqa: RUF001  # Turkish
)
_BEFORE: Final = (
    "quote from|quoting|according to|(?:originally )?posted by|written by|quote by|zitat von|"
    "(?:ursprünglich )?(?:geschrieben )?von|citation de|écrit par|posté (?:à l'origine )?par|cita de|escrito por|"
    "originalmente publicado por|citazione di|scritto da|originariamente inviato da|citaat van|geschreven door"
)
_LED: Final = "wrote|schrieb|schreibt|schreef|skrev|scríobh|dúirt|kiteb"
"""The verbs that a name stands behind, where a date or nothing stands before: ``Am 1. März schrieb Ann Berg:``."""
_WROTE: Final = re.compile(
    rf"[\s>*_#\"'«“-]{{0,8}}(?:\d{{1,3}}[.)]\s|[οη](?:/η)?\s)?(?P<name>\S[^\n:]{{0,150}}?)\s+(?:{_VERBS})\b[^\n:]{{0,300}}:",
    re.IGNORECASE,
)
_DATED: Final = re.compile(rf"[\s>]{{0,8}}(?P<name>\S[^\n]{{0,250}}?)\s+(?:{_VERBS})\s*:?[ \t]*$", re.IGNORECASE)
_BEHIND: Final = re.compile(
    rf"[\s>]{{0,8}}(?:[^\n]{{0,250}}?\s)?(?:{_LED})\s+(?P<name>\S[^\n:]{{0,150}}?)\s*:[ \t]*$", re.IGNORECASE
)
_FROM: Final = re.compile(
    rf"[^\n]{{0,20}}?(?<![^\W_])(?:{_BEFORE})\b[:\s]\s*(?P<name>[^\n:]{{1,150}}?)"
    r"(?:\s+(?:on|am|le|el|il|op|in|view post)\b[^\n]*)?\s*(?::|$)",
    re.IGNORECASE,
)
_SIGNED: Final = re.compile(
    r"(?:[\s>*_]{0,8}|[^\n]{1,400}?[\s.!?\"'”»])(?:--+|[\u2013\u2014\u2015\u2012])\s*(?P<name>\S[^\n]{0,150}?)[\s*_]*$"
)
_BARE: Final = re.compile(r"[\s@]*(?P<name>[^\s:]{1,60}(?: [^\s:]{1,30}){0,2}):[ \t]*$")
_SAYING: Final = (_WROTE, _FROM, _DATED, _BEHIND)
_DASHED: Final = re.compile(r"--|[\u2013\u2014\u2015\u2012]")
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
        for matches, start in self._lines(quote):
            named = [
                (start + match.start("name") + max(match["name"].rfind(name), 0), name, account)
                for match in matches
                for name in readings(match["name"])
                for account in self._names.accounts(Cited(name))
            ]
            for at, name, account in named:
                yield quote._replace(account=account)
                yield Span(at - (self._text[at - 1 : at] == "@"), at + len(name), Role.MENTION, account)
            if named:
                return

    def _lines(self, quote: Span) -> Iterator[tuple[list[re.Match[str]], int]]:
        """What attributions may say, by where they stand, the surest first, with where that begins in the text."""
        above, within, last, below = self._above(quote.start), self._first(quote), self._last(quote), self._below(quote)
        places = (
            (above, _SAYING),
            (within, _SAYING),
            (last, (_SIGNED,)),
            (below, (_SIGNED,)),
            (above, (_BARE,)),
            (within, (_BARE,)),
        )
        for (start, end), ways in places:
            line = self._text[start:end] if 0 < end - start <= _LONG else ""
            if line.strip() and (found := [match for way in ways if (match := way.match(line))]):
                yield found, start

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

    def _below(self, quote: Span) -> tuple[int, int]:
        """The first line behind the quote, where it begins with a dash: whoever signs there is quoted."""
        led = self._text[quote.end : quote.end + _LONG]
        start = quote.end + len(led) - len(led.lstrip())
        if start == quote.end or not _DASHED.match(self._text, start):
            return quote.end, quote.end
        end = self._text.find("\n", start, start + _LONG)
        return start, len(self._text) if end < 0 else end

    def _last(self, quote: Span) -> tuple[int, int]:
        floor = max(quote.start, quote.end - _LONG)
        shown = self._text[floor : quote.end].rstrip()
        return floor + shown.rfind("\n") + 1, floor + len(shown)


def said_by(words: str, names: Names) -> list[str]:
    """The accounts that an attribution names, or a name that stands alone."""
    if len(words) > _LONG:
        return []
    matches = [match for way in _SAYING if (match := way.match(words))]
    told = [name for match in matches for name in readings(match["name"])] if matches else readings(words)
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
