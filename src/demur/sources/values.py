"""What people, forums and spreadsheets write for a point in time or a truth value.

Invariants: only what can be read in one way is read: a day before its month where dots stand between (01.09.2026, as
all of Europe writes), never where slashes do; a time without a zone is UTC; a number that a spreadsheet made of a date
is an error that says so, because 45352.4 is as good a number of seconds as any.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

ACCEPTED: Final = (
    "2026-03-01, 2026-03-01 10:00:00 with or without a zone (UTC, Z, +02:00), 01.03.2026 10:00, 2026/03/01, "
    "Mar 1, 2026 10:00 AM, Sun, 01 Mar 2026 10:00:00 +0000"
)
"""The forms of dates that are read, as error sentences list them."""

SERIAL: Final = (
    "the number is what a spreadsheet makes of a date (days since 1899-12-30): "
    "give the column a date format like 2026-03-01 10:00:00 there, and save it again"
)
PACKED_DAY: Final = "the number looks like a day without hyphens (20260301): write it as 2026-03-01"

_SERIALS: Final = (20_000, 80_000)
"""Days that a spreadsheet counts for 1954 to 2119."""
_DAYS: Final = (1900_01_01, 2100_12_31)

_TIME: Final = (
    r"(?:[T ,]+(?:at )?(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<zone>Z|z|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?|UTC|GMT))?)?"
)
_FORMS: Final = tuple(
    re.compile(form + _TIME, re.ASCII)
    for form in (
        r"(?P<year>\d{4})(?P<sign>[-/.])(?P<month>\d\d?)(?P=sign)(?P<day>\d\d?)",
        r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})",
        r"(?P<name>[A-Z][a-z]{2,8})\.? (?P<day>\d\d?),? (?P<year>\d{4})",
        r"(?P<day>\d\d?) (?P<name>[A-Z][a-z]{2,8})\.? (?P<year>\d{4})",
    )
)
_AROUND: Final = re.compile(
    r"^(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? | \([^()]*\)$|(?<=[+-]\d{4}) [A-Z]{3,4}$"
)
"""What says nothing more: the day of the week, and the name of a zone behind its offset, as Go and JavaScript write."""
_MAIL: Final = re.compile(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} ")
_CTIME: Final = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d\d?) (\d\d:\d\d:\d\d) (?:(\S+) )?(\d{4})", re.ASCII)
_NAMES: Final = "january february march april may june july august september october november december"
_MONTHS: Final = {
    name: number for number, month in enumerate(_NAMES.split(), 1) for name in (month, month[:3], month[:4])
}
_NOON: Final = 12


class Unfit(ValueError):  # noqa: N818  # the value is unfit; what becomes of it is for the reader
    """A value that can't be read; the message goes on after the column's name, so that it begins with a verb."""


def moment(written: str) -> datetime:
    """The point in time that a text tells, in UTC; a day is its midnight.

    Raises:
        ValueError: where it has none of the forms of :data:`ACCEPTED`, or no calendar has it.
    """
    written = written.strip()
    if _MAIL.match(written):
        return _aware(parsedate_to_datetime(written))
    if found := _CTIME.fullmatch(written):
        month, day, time, zone, year = found.groups()
        return moment(f"{day} {month} {year} {time} {zone or ''}".strip())
    plain = _AROUND.sub("", written)
    for form in _FORMS:
        if match := form.fullmatch(plain):
            return _told(match)
    msg = "no point in time"
    raise ValueError(msg)


def _told(match: re.Match[str]) -> datetime:
    said = match.groupdict()
    month = int(said["month"]) if said.get("month") else _MONTHS.get(said["name"].lower(), 0)
    hour = int(said["hour"] or 0)
    if said["half"]:
        if not 1 <= hour <= _NOON:
            msg = "no hour of half a day"
            raise ValueError(msg)
        hour = hour % _NOON + (_NOON if said["half"] in "Pp" else 0)
    part = int((said["part"] or "0").ljust(9, "0")[:6])
    second = int(said["second"] or 0)
    leap = second == 60  # noqa: PLR2004  # RFC 3339, section 5.6: the second after 59
    local = datetime(
        int(said["year"]), month, int(said["day"]), hour, int(said["minute"] or 0), 59 if leap else second, part, UTC
    )
    return local - _offset(said["zone"]) + timedelta(seconds=leap)


def _offset(zone: str | None) -> timedelta:
    digits = (zone or "").lstrip("UTCGMZz").replace(":", "")
    if not digits:
        return timedelta()
    size = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5] or 0))
    timezone(size)  # refuses what is no offset
    return -size if digits[0] == "-" else size


def _aware(told: datetime) -> datetime:
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def odd_number(number: float) -> str | None:
    """Why a number is hardly a count of seconds since 1970; None where it may be."""
    if _SERIALS[0] <= number <= _SERIALS[1]:
        return SERIAL
    if _DAYS[0] <= number <= _DAYS[1] and number == int(number) and _is_day(str(int(number))):
        return PACKED_DAY
    return None


def _is_day(digits: str) -> bool:
    try:
        datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


_TRUE: Final = (
    "true t yes y 1 wahr ja pravda ano sand igaz igen tõene jah tosi kyllä vrai oui vero sì verdadero sí "
    "verdadeiro sim adevărat da sann sant prawda tak taip tiesa jā patiess waar já ναι αληθες истина да"  # noqa: RUF001
)
_FALSE: Final = (
    "false f no n 0 falsch nein nepravda ne falsk nej hamis nem väär ei epätosi faux non falso não fals nu usann "
    "falskt nei fałsz nie netiesa nē aplams onwaar nee όχι ψευδες лъжа не"
)
TRUTH: Final[Mapping[str, bool]] = {
    **dict.fromkeys((word.casefold() for word in _TRUE.split()), True),
    **dict.fromkeys((word.casefold() for word in _FALSE.split()), False),
}
"""What databases (t, f), forms and spreadsheets write for true and false, casefolded, in Europe's languages."""


def truth(written: str) -> bool:
    """The truth value that a text tells.

    Raises:
        KeyError: where it is none.
    """
    return TRUTH[written.strip().casefold()]
