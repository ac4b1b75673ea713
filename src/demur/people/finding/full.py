"""Full names: a given name, or its first letter, and a surname of one name, side by side.

Invariants: what is said of them follows from the row and that name alone, never from a thread.
"""

from typing import Final

import numpy as np

from demur.people.compiled import FormFlag
from demur.people.finding.bearers import Known
from demur.people.finding.phrases import Phrases
from demur.people.finding.senses import Sense, senses
from demur.people.finding.sightings import Double, Sighter
from demur.people.finding.single import Parts, Places
from demur.people.finding.surroundings import before_of, behind_of
from demur.people.finding.tiers import Reason, said, scores
from demur.people.lexicon import tongue
from demur.people.names import NameRole
from demur.words.classes import HYPHENS
from demur.words.page import Bools, Ints

COUNTS: Final = 50
"""The score from which a full name stands in its row, whatever the policy masks."""
_LEAST_LETTERS: Final = 4
"""Of a surname that a letter may stand before in lower case: c.moore."""
_LETTERS_APART: Final = 2
"""Initials that stand behind a first one without a full stop: of more, the letters of a word are set apart."""
_MOST_BETWEEN: Final = 1
"""Words of no part of the name that may stand between two of its parts."""


def full(sighter: Sighter, seen: Double) -> tuple[Double, Ints]:
    """Which of the names of two words are full ones, or an initial and a surname; with what speaks for each."""
    seen = seen.take(seen.surname_role != NameRole.INITIAL)
    strange = _strange(sighter, seen)
    kept = (strange <= _MOST_BETWEEN) & ~_over_lines(sighter, seen) & ~_spelt_out(sighter, seen)
    seen, strange = seen.take(kept), strange[kept]
    initial = seen.role == NameRole.INITIAL
    swapped = (seen.surname < seen.given) & ~_surname_first(sighter, seen)
    hyphened = _hyphened(sighter, seen)
    flags = seen.given_flags | seen.surname_flags
    reasons = said(
        (Reason.FULL, ~initial),
        (Reason.INITIAL, initial),
        (Reason.SWAPPED, swapped),
        (Reason.STRANGE_BETWEEN, strange > 0),
        (Reason.NICK, seen.role == NameRole.NICK),
        (Reason.MIDDLE, seen.role == NameRole.MIDDLE),
        (Reason.INFLECTED, flags & FormFlag.INFLECTED > 0),
        (Reason.OTHER_BEFORE, (~initial & _in_list(sighter, seen)) | hyphened),
        (Reason.INSIDE, hyphened),
    )
    reasons |= np.where(initial, _of_initial(sighter, seen, swapped), _of_shape(sighter, seen, swapped))
    return seen, reasons


def parts_of(seen: Double, reasons: Ints, double: Double, capital: Bools) -> Parts:
    """The words of these names, and those beside which an initial stands: a given name's or a surname's.

    Args:
        seen: what :func:`full` gave.
        reasons: likewise.
        double: what it was asked for.
        capital: which words of the page have a capital.
    """
    counts = is_full(reasons)
    whole = Places(np.concatenate([seen.given[counts], seen.surname[counts]]), np.tile(seen.subject[counts], 2))
    first = seen.take((reasons & np.int64(Reason.INITIAL) > 0) & (scores(reasons) >= COUNTS))
    letter = (double.surname_role == NameRole.INITIAL) & capital[double.surname]  # not the s of Mark's
    last = double.take(letter & (double.surname > double.given))
    words, subjects = np.concatenate([first.surname, last.given]), np.concatenate([first.subject, last.subject])
    return Parts(whole, Places(words, subjects), Places(last.given, last.subject), last.surname)


def known_too(seen: Double, reasons: Ints, capital: Bools, known: Known) -> Ints:
    """The reasons of initials, and what their threads say: that somebody takes part, or is named in full.

    Args:
        seen: what :func:`full` gave.
        reasons: likewise.
        capital: which words of the page have a capital: others hang on no thread.
        known: of the page's threads.
    """
    initial = (reasons & np.int64(Reason.INITIAL) > 0) & capital[seen.surname]
    there = known.takes_part(seen.surname, seen.subject) | known.is_named(seen.surname, seen.subject)
    return reasons | np.where(initial & there, np.int64(Reason.KNOWN), 0)


def is_full(reasons: Ints) -> Bools:
    """Which are full names that count as standing in their row."""
    return np.asarray((reasons & np.int64(Reason.FULL) > 0) & (scores(reasons) >= COUNTS))


def _surname_first(sighter: Sighter, seen: Double) -> Bools:
    """Which stand in texts of a language that has the surname first."""
    return np.asarray(sighter.phrases.tongues[sighter.phrases.page.words.row[seen.given]] == tongue("hu"))


def _spelt_out(sighter: Sighter, seen: Double) -> Bools:
    """Which begin with a letter that is no initial, but the first of a word whose letters are set apart."""
    far = (seen.role == NameRole.INITIAL) & (seen.apart >= _LETTERS_APART)
    found = np.zeros(len(far), bool)
    found[far] = ~_dotted(sighter, seen.given[far])
    return found


def _hyphened(sighter: Sighter, seen: Double) -> Bools:
    """Which have another name joined before them by a hyphen: Jean-Pierre Martin is no Pierre Martin."""
    phrases, first = sighter.phrases, np.minimum(seen.given, seen.surname)
    words, which = np.unique(first, return_inverse=True)
    joined = np.array([phrases.texts.before(word, 1) in HYPHENS for word in words.tolist()], bool)[which]
    number = np.maximum(phrases.page.words.place[first].astype(np.int64) - 1, 0)
    before = phrases.plain[number]
    joined &= phrases.capital[before] & (phrases.page.words.row[before] == phrases.page.words.row[first])
    joined[joined] = ~sighter.is_part(before[joined], seen.name[joined])
    return joined


def _over_lines(sighter: Sighter, seen: Double) -> Bools:
    """Which begin with a surname, and have the given name on the next line: two people of a list."""
    words = sighter.phrases.page.words
    return np.asarray((seen.surname < seen.given) & words.opens[seen.given])


def _strange(sighter: Sighter, seen: Double) -> Ints:
    """How many words of no part of the name, and no initial, stand between the two: joined ones are one, as a mask is.

    A common word in lower case is too many, and so is whatever only others' names have.
    """
    phrases, words = sighter.phrases, sighter.phrases.page.words
    first = np.minimum(seen.given, seen.surname)
    count, before = np.zeros(len(first), np.int64), np.zeros(len(first), bool)
    for step in range(1, int(seen.apart.max(initial=0)) + 1):
        at = np.flatnonzero(seen.apart >= step)
        word = phrases.plain[words.last[first[at]].astype(np.int64) + step]
        strange = ~phrases.letter[word] & ~sighter.is_part(word, seen.name[at])
        common = ~phrases.capital[word] & (senses(phrases, word) & np.int64(Sense.COMMON) > 0)
        joined = before[at] & _joined_before(phrases, word)
        count[at] += strange & ~joined
        count[at] += np.where(strange & common & ~phrases.page.hidden[word], _MOST_BETWEEN, 0)
        before[at] = strange
    return count


def _joined_before(phrases: Phrases, words: Ints) -> Bools:
    """Which words a sign without a space joins to the plain word before: star-gazer is one word that is strange."""
    before = phrases.plain[phrases.page.words.place[words].astype(np.int64) - 1]
    near = np.flatnonzero(phrases.page.words.start[words] - phrases.page.words.end[before] == 1)
    found = np.zeros(len(words), bool)
    found[near] = [not phrases.texts.before(word, 1).isspace() for word in words[near].tolist()]
    return found


def _in_list(sighter: Sighter, seen: Double) -> Bools:
    """Whether a comma stands between surname and given name, and before the surname another name: Ann Lee, Bob Lee."""
    comma = (seen.surname < seen.given) & sighter.phrases.page.words.gap[seen.given]
    words, which = np.unique(seen.surname[comma], return_inverse=True)
    before = before_of(sighter.phrases, words)
    found = np.zeros(len(comma), bool)
    found[comma] = (before.named | before.initial)[which]
    return found


def _of_shape(sighter: Sighter, seen: Double, swapped: Bools) -> Ints:
    """What the case of two words says, where people write one of them in lower case."""
    phrases = sighter.phrases
    given_upper, surname_upper = phrases.capital[seen.given], phrases.capital[seen.surname]
    given, surname = senses(phrases, seen.given), senses(phrases, seen.surname)
    given_word, surname_word = (found & np.int64(Sense.COMMON) > 0 for found in (given, surname))
    opens = phrases.page.words.opens[np.minimum(seen.given, seen.surname)]
    lower_word = ~given_upper & given_word | ~surname_upper & surname_word
    both = given_word & surname_word
    verb = both & (given & np.int64(Sense.MODAL | Sense.OPENER) > 0)  # will cook dinner
    clause = ~given_upper & given_word & surname_upper  # will Miller come?
    return said(
        (Reason.LOWER, ~given_upper | ~surname_upper),
        (Reason.WORD, lower_word),
        (Reason.WORD_LOWER, lower_word & (verb | clause | swapped)),
        (Reason.WORD_OPENS, both & given_upper & surname_upper & opens),
    )


def _of_initial(sighter: Sighter, seen: Double, swapped: Bools) -> Ints:
    """What speaks against an initial: no full stop, no capital, another name on the other side of it."""
    upper = sighter.phrases.capital[seen.given] & sighter.phrases.capital[seen.surname]
    dotted = _dotted(sighter, seen.given)
    words, which = np.unique(np.minimum(seen.given, seen.surname), return_inverse=True)
    before = before_of(sighter.phrases, words)
    other = (before.named | before.initial)[which] & ~swapped
    letters, of_letter = np.unique(seen.given, return_inverse=True)
    behind = behind_of(sighter.phrases, letters)
    page = sighter.phrases.page.words
    word = senses(sighter.phrases, seen.surname) & np.int64(Sense.COMMON) > 0
    short = page.end[seen.surname] - page.start[seen.surname] < _LEAST_LETTERS
    return said(
        (Reason.BEARS_MANY, swapped & (senses(sighter.phrases, seen.surname) & Sense.GIVEN > 0)),
        (Reason.OTHER_BEHIND, (behind.named | behind.initial)[of_letter] & swapped),
        (Reason.LOWER, ~upper),
        (Reason.SHORT, ~dotted),
        (Reason.WORD, word),
        (Reason.NO_CALL, (~dotted & (swapped | ~upper)) | (~upper & (word | short))),
        (Reason.OTHER_BEFORE, other),
    )


def _dotted(sighter: Sighter, words: Ints) -> Bools:
    """Behind which words a full stop stands."""
    unique, which = np.unique(words, return_inverse=True)
    found = np.array([sighter.phrases.texts.behind(word, 1) == "." for word in unique.tolist()], bool)
    return found[which]
