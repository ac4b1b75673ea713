"""How the clients of IRC write a line of a log: Ubuntu's and ZNC's, irssi, WeeChat, XChat and HexChat.

The forms are the defaults of these clients (irssi's ``default.theme``, WeeChat's logger, HexChat's text events).
Invariants: a line is of a person only where its form shows who wrote it; what a client writes about what happened in
the words of a person (``* ann has quit``) is nobody's; every pattern has every group of :data:`GROUPS`.
"""

import re
from dataclasses import dataclass
from typing import Final

GROUPS: Final = ("time", "said", "acted", "elsewhere", "noticed", "to", "text")
"""When; who said, did, said in another window, or noticed; the channel a notice went to; what."""

_NONE: Final = "(?P<{}>(?!))?"
_MODE: Final = "[ @+%&~!]?"
_DAY: Final = r"\d{4}-\d\d-\d\d[ T]"
_FINE: Final = r"(?:\.\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?"
"""Of a time that is written as ISO 8601: a fraction of a second, and the zone."""


@dataclass(frozen=True)
class Form:
    """How one client writes."""

    message: re.Pattern[str]
    """A whole line that somebody wrote."""
    speaker: re.Pattern[str]
    """How such lines begin, anywhere in a text."""
    moves: re.Pattern[str]
    """Who comes, goes or is renamed: ``nick``, ``new``, ``channel``."""
    day: re.Pattern[str]
    """A line that says which day it is: ``month`` as three letters, ``day``, ``year``."""

    @classmethod
    def of(cls, spoken: str, moves: str, day: str = "(?!)") -> "Form":
        """The form whose lines begin with ``spoken``; groups that it lacks are never there."""
        lacking = "".join(_NONE.format(group) for group in GROUPS[:-1] if f"(?P<{group}>" not in spoken)
        return cls(
            re.compile(spoken + lacking + r"[ \t]?(?P<text>.*)"),
            re.compile(f"^{spoken}{lacking}", re.MULTILINE),
            re.compile(moves, re.MULTILINE),
            re.compile(day),
        )


_BRACKETED: Final = Form.of(
    rf"\[(?P<time>\d\d:\d\d(?::\d\d)?|{_DAY}\d\d:\d\d(?::\d\d{_FINE})?)\] {{1,2}}"
    r"(?:<[ @+%&~]?(?P<said>[^>\n]*)>"
    r"|\* (?P<acted>\S+)"
    r"|\((?P<elsewhere>[^\s/]+)/[#&][^\s)]+\)"  # from a client's other window
    r"|-(?P<noticed>[^\s:]+?)(?::(?P<to>[#&]\S+?))?-(?= ))",
    r"^=== (?P<nick>\S[^\[\n]*?(?:\[\S*\] ?\S*)??)"
    r"(?:  ?\[[^\]\n]*\] +has (?:joined|left|quit)(?: (?P<channel>[#&]\S+))?| is now known as (?P<new>\S+))",
    r"Session (?:Start|Time): \w{3} (?P<month>\w{3}) (?P<day>[ \d]\d) \d\d:\d\d:\d\d (?P<year>\d{4})",  # mIRC
)
_IRSSI: Final = Form.of(
    rf"(?P<time>\d\d:\d\d(?::\d\d)?|{_DAY}\d\d:\d\d(?::\d\d{_FINE})?) "
    rf"(?: ?<{_MODE}(?P<said>[^>\n]+)>"
    r"| \* (?P<acted>\S+)"
    r"|[-\[](?!!- )(?P<noticed>[^\s:()\]]+?)(?:\([^)\n]*\))?(?::[@+]?(?P<to>[#&]\S+?))?[-\]](?= ))",
    rf"^(?:{_DAY})?\d\d:\d\d(?::\d\d{_FINE})? -!- (?P<nick>\S+) "
    r"(?:\[[^\]\n]*\] has (?:joined|left|quit)(?: (?P<channel>[#&]\S+))?|is now known as (?P<new>\S+))",
    r"--- (?:Log opened|Day changed) \w{3} (?P<month>\w{3}) (?P<day>[ \d]\d) (?:\d\d:\d\d:\d\d )?(?P<year>\d{4})",
)
_WEECHAT: Final = Form.of(
    rf"(?P<time>{_DAY}\d\d:\d\d:\d\d{_FINE})\t"
    r"(?: \*\t(?P<acted>\S+)"
    r"|--\tNotice\((?P<noticed>[^)\s]+)\)(?: -> (?P<to>[#&][^\s:]+))?:"
    rf"|(?!-->\t|<--\t|--\t|=!=\t){_MODE}(?P<said>[^\s<>]+)\t)",
    rf"^{_DAY}\d\d:\d\d:\d\d{_FINE}\t(?:-->|<--|--)\t(?P<nick>\S+) "
    r"(?:\([^)\n]*\) has (?:joined|left|quit)(?: (?P<channel>[#&]\S+))?|is now known as (?P<new>\S+))",
)
_HEXCHAT: Final = Form.of(
    r"(?P<time>[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d) "
    rf"(?:<{_MODE}(?P<said>[^>\n]+)>"
    r"|\*\t(?!(?:Now|You|Topic|Disconnected|Looking|Connect\w+|Ban|End|Cannot|Channel|Unknown) "
    r"|\S+ (?:\([^)\n]*\) )?(?:has (?:joined|left|quit|kicked|changed)|is now known|sets|gives|removes)\b)"
    r"(?P<acted>\S+)"
    r"|-(?P<noticed>[^\s/]+?)(?:/(?P<to>[#&]\S+?))?-(?=[ \t]))",
    r"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \*\t(?:Now talking on (?P<channel>[#&]\S+)"
    r"|(?P<nick>\S+) (?:\([^)\n]*\) has (?:joined|left)|has quit|is now known as (?P<new>\S+)))",
    r"\*\*\*\* BEGIN LOGGING AT \w{3} (?P<month>\w{3}) (?P<day>[ \d]\d) \d\d:\d\d:\d\d (?P<year>\d{4})",
)
FORMS: Final = (_BRACKETED, _IRSSI, _WEECHAT, _HEXCHAT)
"""Their lines begin differently, so that no line is of two."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def month(name: str) -> int | None:
    """The number of the month with this English name of three letters."""
    return _MONTHS.index(name) + 1 if name in _MONTHS else None


def form_of(block: str) -> Form | None:
    """The form in which most lines of a text are; None where nobody speaks in it."""
    count, best = max(((len(form.speaker.findall(block)), form) for form in FORMS), key=lambda each: each[0])
    return best if count else None
