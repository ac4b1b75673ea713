"""Time as the register keeps it: whole microseconds since 1970-01-01 in UTC, so that no time zone is ever guessed."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
MICROS_PER_DAY: Final = timedelta(days=1) // _MICROSECOND
MICROS_PER_SECOND: Final = timedelta(seconds=1) // _MICROSECOND


def micros(time: datetime | None) -> int:
    """Microseconds since the epoch of an aware time; of this moment, if there is none.

    Raises:
        ValueError: for a naive time, which is a mistake of the caller.
    """
    if time is None:
        time = datetime.now(UTC)
    if time.utcoffset() is None:
        raise ValueError("The register needs an aware time: pass one with a time zone.")
    return (time - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The aware UTC time of so many microseconds since the epoch."""
    return _EPOCH + value * _MICROSECOND


def days(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH.date()).days


def day(value: int) -> date:
    """The date so many days after 1970-01-01."""
    return _EPOCH.date() + timedelta(days=value)
