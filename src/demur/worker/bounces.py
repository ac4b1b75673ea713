"""What came to the address for returned mails, put on record: whoever was not reached is not told.

Invariants: only what was given up for good changes anything (returned.py). Which notice or other mail it is about is
told by its Message-ID, wherever that stands in what came, or by the tagged address that it came back to: both are keyed
hashes, which nobody can guess who has not had the mail. Only where neither is there, and no such address is set, the
recipient that was given up tells it. A complaint shows that the mail arrived: it changes nothing, and is counted
apart, as are replies by machines and what no machine wrote.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register import Register
from demur.worker.mails import Post, mail_of
from demur.worker.returned import Reading, Verdict

_WITHIN: Final = timedelta(days=14)
"""Servers give up within five days or so (RFC 5321, section 4.5.4.1)."""


class Came(StrEnum):
    """What a mail was that came to the address for returned mails."""

    RETURNED = "returned"
    UNKNOWN = "unknown"
    """It was given up, and is none of ours."""
    DELAYED = "delayed"
    COMPLAINT = "complaint"
    AUTOMATIC = "automatic"
    UNCLEAR = "unclear"

    @property
    def said(self) -> str:
        """One sentence for an operator."""
        return _SAID[self]


_SAID: Final = {
    Came.RETURNED: "a notice or another mail of ours came back: its reader does not count as told by it.",
    Came.UNKNOWN: "a mail that came back, and none of ours: nothing is recorded.",
    Came.DELAYED: "a mail is delayed or has arrived: nothing is recorded.",
    Came.COMPLAINT: "a complaint: its reader got the mail and calls it spam. That is no objection, and nothing is "
    "recorded: show it to who answers for data protection.",
    Came.AUTOMATIC: "an automatic reply, no mail that came back: nothing is recorded.",
    Came.UNCLEAR: "no report of a mail server: nothing is recorded. If a person wrote it, read it, and record an "
    "objection with `demur object --eml`.",
}


def record_returned(register: Register, keys: Keys, post: Post, reading: Reading) -> Came:
    """Record what a mail says; what it was."""
    if reading.verdict is not Verdict.RETURNED:
        return Came(reading.verdict.value)
    names = post.named(reading.names, reading.addresses)
    known = [record_bounce(register, keys, each, reading.cause) for each in names]
    if not any(known):
        known = [record_bounce(register, keys, each, reading.cause) for each in _by_recipient(register, post, reading)]
    return Came.RETURNED if any(known) else Came.UNKNOWN


def _by_recipient(register: Register, post: Post, reading: Reading) -> list[str]:
    """The notices that went to the one address that was given up, where nothing in a report names a mail of ours.

    Anybody who knows an address can write such a report. What it does, anybody can do for an account on the portal,
    too: its content is left out. Where each mail comes back to an address of its own, none is believed.
    """
    if post.returns_tagged or post.sender not in reading.writers:
        return []
    since = datetime.now(UTC) - _WITHIN
    with suppress(IdentityError):  # no address at all
        return next(filter(None, (register.notices.sent_to(each, since=since) for each in reading.failed)), [])
    return []


def record_bounce(register: Register, keys: Keys, message_id: str, cause: str) -> bool:
    """Record that a notice or a single mail came back; whether it is one of ours."""
    number = mail_of(keys, message_id)
    if number is None:
        return register.notices.bounced(message_id, cause=cause)
    return register.mails.bounced(number, cause=cause)
