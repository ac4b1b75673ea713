"""How sure it is that somebody is meant: what speaks for it and against it, and how much.

Invariants: a score is a sum of what each reason weighs, within 0 and 100, so that it can be told in words; full names
know no reason that hangs on a thread. The weights are set by hand, with the policy's thresholds in mind: from 50 a name
is masked, below 80 somebody looks.
"""

from enum import IntFlag
from typing import Final

import numpy as np

from demur.people.finds import Tier
from demur.words.page import Bools, Ints


class Reason(IntFlag):
    """What speaks for or against somebody's being meant; the bits are kept (evidence.UNCERTAIN), and never change."""

    FULL = 1 << 0
    INITIAL = 1 << 1
    SURNAME_OF_PARTICIPANT = 1 << 2
    SURNAME_OF_NAMED = 1 << 3
    GIVEN_OF_PARTICIPANT = 1 << 4
    GIVEN_OF_NAMED = 1 << 5
    LEARNT = 1 << 6
    HANDLE = 1 << 7
    HANDLE_OF_PARTICIPANT = 1 << 8
    JOINED = 1 << 9
    SURNAME_ALONE = 1 << 10
    CALLED = 1 << 11
    ANSWERED = 1 << 12
    TITLED = 1 << 13
    OWN_INITIAL = 1 << 14
    INFLECTED = 1 << 15
    NICK = 1 << 16
    MIDDLE = 1 << 17
    SWAPPED = 1 << 18
    STRANGE_BETWEEN = 1 << 19
    LOWER = 1 << 20
    WORD = 1 << 21
    WORD_OPENS = 1 << 22
    WORD_LOWER = 1 << 23
    SHORT = 1 << 24
    BEARS_MANY = 1 << 25
    PLACE = 1 << 26
    PLACE_CUE = 1 << 27
    INSTITUTION = 1 << 28
    ARTICLE = 1 << 29
    INSIDE = 1 << 30
    OTHER_BEFORE = 1 << 31
    OTHER_BEHIND = 1 << 32
    TWO_BEARERS = 1 << 33
    OTHER_IN_TEXT = 1 << 34
    SIGNATURE = 1 << 35
    ABBREVIATED = 1 << 36
    NO_CALL = 1 << 37
    OPENER = 1 << 38
    VERB_OPENS = 1 << 39
    # 1 << 40 was a rare surname, which masks nobody by itself any more.
    PLACE_TOO = 1 << 41
    PRODUCT = 1 << 42
    KNOWN = 1 << 43
    DATE = 1 << 44
    QUOTED = 1 << 45


WEIGHTS: Final = {
    Reason.FULL: 96,
    Reason.INITIAL: 76,
    Reason.SURNAME_OF_PARTICIPANT: 84,
    Reason.SURNAME_OF_NAMED: 82,
    Reason.GIVEN_OF_PARTICIPANT: 82,
    Reason.GIVEN_OF_NAMED: 72,
    Reason.LEARNT: 68,
    Reason.HANDLE: 86,
    Reason.HANDLE_OF_PARTICIPANT: 88,
    Reason.JOINED: 88,
    Reason.SURNAME_ALONE: 36,
    Reason.CALLED: 12,
    Reason.ANSWERED: 6,
    Reason.TITLED: 12,
    Reason.OWN_INITIAL: 12,
    Reason.INFLECTED: -3,
    Reason.NICK: -6,
    Reason.MIDDLE: -8,
    Reason.SWAPPED: -6,
    Reason.STRANGE_BETWEEN: -20,
    Reason.LOWER: -10,
    Reason.WORD: -15,
    Reason.WORD_OPENS: -20,
    Reason.WORD_LOWER: -30,
    Reason.SHORT: -16,
    Reason.BEARS_MANY: -30,
    Reason.PLACE: -40,
    Reason.PLACE_CUE: -22,
    Reason.INSTITUTION: -45,
    Reason.ARTICLE: -22,
    Reason.INSIDE: -45,
    Reason.OTHER_BEFORE: -45,
    Reason.OTHER_BEHIND: -45,
    Reason.TWO_BEARERS: -48,
    Reason.OTHER_IN_TEXT: -46,
    Reason.SIGNATURE: -60,
    Reason.ABBREVIATED: -45,
    Reason.NO_CALL: -60,
    Reason.OPENER: -40,
    Reason.VERB_OPENS: -20,
    Reason.PLACE_TOO: -15,
    Reason.PRODUCT: -20,
    Reason.KNOWN: 10,
    Reason.DATE: -45,
    Reason.QUOTED: -38,
}
"""What each reason adds to the score."""

TIERS: Final = {
    Reason.FULL: Tier.FULL_NAME,
    Reason.INITIAL: Tier.INITIAL_SURNAME,
    Reason.SURNAME_OF_PARTICIPANT: Tier.SURNAME_IN_CONTEXT,
    Reason.SURNAME_OF_NAMED: Tier.SURNAME_IN_CONTEXT,
    Reason.SURNAME_ALONE: Tier.SURNAME_IN_CONTEXT,
    Reason.GIVEN_OF_PARTICIPANT: Tier.GIVEN_IN_CONTEXT,
    Reason.GIVEN_OF_NAMED: Tier.GIVEN_IN_CONTEXT,
    Reason.LEARNT: Tier.VOCATIVE,
    Reason.HANDLE: Tier.HANDLE,
    Reason.HANDLE_OF_PARTICIPANT: Tier.HANDLE,
    Reason.JOINED: Tier.HANDLE,
}
"""The reasons that a find begins with, each find with one of them."""


def said(*reasons: tuple[Reason, Bools]) -> Ints:
    """The bits of reasons by where each holds, shape (n,)."""
    bits = np.zeros(len(reasons[0][1]), np.int64)
    for reason, where in reasons:
        bits |= np.where(where, np.int64(reason), 0)
    return bits


def scores(reasons: Ints) -> Ints:
    """The score that reasons give together, 0 to 100."""
    total = np.zeros(len(reasons), np.int64)
    for reason, weight in WEIGHTS.items():
        total += np.where(reasons & np.int64(reason) > 0, weight, 0)
    return np.clip(total, 0, 100)


def tiers(reasons: Ints) -> Ints:
    """The tier of each: that of the reason that it begins with, or VOCATIVE where a given name calls somebody."""
    found = np.zeros(len(reasons), np.int64)
    for reason, tier in TIERS.items():
        found = np.where(reasons & np.int64(reason) > 0, tier, found)
    called = (reasons & np.int64(Reason.CALLED) > 0) & (found == Tier.GIVEN_IN_CONTEXT)
    return np.where(called, Tier.VOCATIVE, found)
