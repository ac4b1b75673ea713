"""Single words that may mean somebody: a given name, a surname, a handle; in their thread, or anywhere.

Invariants: what is said of a person follows from the row, its thread and their own names; the words of which something
is said under some context are told without any (:func:`hangs`).
"""

from typing import Final, NamedTuple

import numpy as np

from demur.people.compiled import FormFlag
from demur.people.finding.bearers import Known
from demur.people.finding.phrases import Phrases
from demur.people.finding.senses import Sense, senses
from demur.people.finding.sightings import Sighter, Single
from demur.people.finding.surroundings import Beside, Call, Surroundings, calls_of
from demur.people.finding.tiers import Reason, said
from demur.people.indexed.table import distinct, expanded, numbered
from demur.people.lexicon import UNKNOWN, tongue
from demur.people.names import NameRole
from demur.words.page import Bools, Ints
from demur.words.shapes import Shape

GIVEN: Final = (NameRole.GIVEN, NameRole.MIDDLE, NameRole.NICK, NameRole.SINGLE)
HANDLES: Final = (NameRole.HANDLE, NameRole.JOINED)
ANYWHERE: Final = (NameRole.SURNAME, NameRole.SINGLE, *HANDLES)
"""What may mean somebody of whom the thread knows nothing."""
_SHORT: Final = 4
"""Letters of a name that many words have by chance."""
_VERY_SHORT: Final = 3
_WAYS_LAST: Final = sum(map(tongue, ("hu", "fi", "et", "lv", "lt")))
"""Languages that have the kind of a street behind its name."""
_WORDS: Final = (
    Sense.COMMON | Sense.TERM | Sense.TITLE | Sense.GREETING | Sense.LEAVE | Sense.INSTITUTION | Sense.OPENER
)


class Said(NamedTuple):
    """Words and people, with what speaks for each; arrays of shape (n,)."""

    word: Ints
    subject: Ints
    reasons: Ints


class Places(NamedTuple):
    """Words, and the person of whose name each is a part; arrays of shape (n,)."""

    word: Ints
    subject: Ints

    def hold(self, seen: Single) -> Bools:
        """Which of some words and people are among them; shape (n,)."""
        both = zip((self.word, self.subject), (seen.word, seen.subject), strict=True)
        which = numbered(*map(np.concatenate, both))
        return np.isin(which[len(self.word) :], which[: len(self.word)])


class Parts(NamedTuple):
    """Words that are part of names of two words."""

    whole: Places
    """Of full names: they say nothing more by themselves."""
    initialled: Places
    """Words beside which the first letter of another part of the same name stands."""
    signed: Places
    """Those of them behind which it stands: Steve B."""
    letters: Ints
    """These letters, beside each of ``signed``."""

    def last(self, said: Said) -> Ints:
        """The last word of the name of which each word is the first one: itself, or the letter behind it."""
        both = zip((self.signed.word, self.signed.subject), (said.word, said.subject), strict=True)
        which = numbered(*map(np.concatenate, both))
        known = len(self.signed.word)
        letter = np.full(len(which) + 1, -1)
        letter[which[:known]] = self.letters
        return np.asarray(np.maximum(said.word, letter[which[known:]]))


def hangs(sighter: Sighter) -> Bools:
    """Which of the words that are in names may mean somebody under some context; shape (len(sighter.words),)."""
    words = sighter.words
    found = sighter.phrases.capital[words]
    small = np.flatnonzero(~found)
    found[small] = ~_is(senses(sighter.phrases, words[small]), Sense.COMMON)
    rest = np.flatnonzero(~found)
    found[rest[np.isin(words[rest], called(sighter.phrases, words[rest]))]] = True
    return found


def called(phrases: Phrases, words: Ints) -> Ints:
    """Which of some words may stand where somebody is addressed: a few too many."""
    page = phrases.page
    words = words[_apart(phrases, words) | page.words.opens[words]]
    before = _words_before(phrases, words)
    greeted = senses(phrases, before) & Sense.GREETING > 0
    return words[page.words.opens[words] | (before < 0) | greeted]


def _apart(phrases: Phrases, words: Ints) -> Bools:
    """Which words have no neighbour behind them."""
    behind = phrases.page.words.last[words].astype(np.int64) + 1
    inside = behind < len(phrases.plain)
    return np.asarray(~inside | phrases.page.breaks[phrases.plain[np.where(inside, behind, 0)]])


def _words_before(phrases: Phrases, words: Ints) -> Ints:
    """The plain word before each, in its row; -1 for none."""
    page = phrases.page
    number = page.words.place[words].astype(np.int64) - 1
    before = np.where(number >= 0, phrases.plain[np.maximum(number, 0)], -1)
    return np.where(page.words.row[before] == page.words.row[words], before, -1)


def in_context(sighter: Sighter, known: Known, named: tuple[Ints, Ints], parts: Parts) -> Said:
    """Words of the names of those who take part in a thread, or are named in full in it.

    Args:
        sighter: of the page and a table.
        known: of the page's threads.
        named: row and subject of the full names on the page.
        parts: of names of two words.
    """
    words = sighter.words[hangs(sighter)]
    which, subject = _people(known, words, named)
    seen = sighter.within(words, which, subject)
    seen = seen.take(~parts.whole.hold(seen))
    around = _around(sighter, seen)
    part = known.takes_part(seen.word, seen.subject)
    handle = np.isin(seen.role, HANDLES)
    given = np.isin(seen.role, GIVEN)
    call = (around.call == Call.SURE) | (around.opener & ~_is(around.own, Sense.OPENER) & ~_is_place(sighter, around))
    answered = known.is_answered(seen.word, seen.subject)
    initialled = parts.initialled.hold(seen)
    reasons = said(
        (Reason.HANDLE_OF_PARTICIPANT, handle & part),
        (Reason.HANDLE, handle & ~part),
        (Reason.GIVEN_OF_PARTICIPANT, given & part),
        (Reason.GIVEN_OF_NAMED, given & ~part),
        (Reason.SURNAME_OF_PARTICIPANT, ~given & ~handle & part),
        (Reason.SURNAME_OF_NAMED, ~given & ~handle & ~part),
        (Reason.CALLED, call & (part | given)),
        (Reason.ANSWERED, answered & call),
        (Reason.TWO_BEARERS, known.others_bear(sighter.table, seen) & ~(answered & call) & ~initialled),
        (Reason.OWN_INITIAL, initialled),
    )
    reasons |= _of_form(sighter, seen, around, call) | _of_place(sighter, seen, around, initialled)
    reasons |= np.where(handle, _of_handle(sighter, seen, around, call, part), 0)
    return Said(seen.word, seen.subject, reasons)


def anywhere(sighter: Sighter, known: Known, parts: Parts) -> Said:
    """Surnames and handles, wherever they stand: a surname alone is nobody's, and says no more than that it may be."""
    words = sighter.words
    may = sighter.phrases.capital[words] | sighter.table.strong[sighter.ranks[words]]
    seen = sighter.alone(words[may], ANYWHERE)
    seen = seen.take(~parts.whole.hold(seen))
    handle = np.isin(seen.role, HANDLES)
    kept = handle | sighter.phrases.capital[seen.word] & (seen.flags & FormFlag.WORD == 0)
    seen, handle = seen.take(kept), handle[kept]
    around = _around(sighter, seen)
    call = around.call == Call.SURE
    sense, none = around.own, np.zeros(len(handle), bool)
    many = _is(sense, Sense.GIVEN | Sense.FREQUENT)
    reasons = said(
        (Reason.HANDLE, handle & (seen.role == NameRole.HANDLE)),
        (Reason.JOINED, handle & (seen.role == NameRole.JOINED)),
        (Reason.SURNAME_ALONE, ~handle),
        (Reason.CALLED, handle & call),
        (Reason.SHORT, ~handle & (_letters(sighter, seen) <= _SHORT)),
        (Reason.ABBREVIATED, seen.flags & FormFlag.ABBREVIATED > 0),
        (Reason.BEARS_MANY, many),
        (Reason.WORD, _is(sense, _WORDS) | many & handle),
        (Reason.NO_CALL, handle & (_is_short(sighter, seen) & ~call)),
        (Reason.TWO_BEARERS, ~handle & known.others_bear(sighter.table, seen)),
    )
    reasons |= np.where(
        handle,
        _of_handle(sighter, seen, around, call, none),
        _of_place(sighter, seen, around, parts.initialled.hold(seen)),
    )
    reasons |= np.where(seen.flags & FormFlag.INFLECTED > 0, int(Reason.INFLECTED), 0)
    return Said(seen.word, seen.subject, reasons)


def learnt(sighter_phrases: Phrases, known: Known) -> Said:
    """Words that people of the index are called by in their threads, where somebody is addressed."""
    words = learnable(sighter_phrases, np.isin(known.page.writing.thread, known.withheld[0]))
    which, subject = _beside(known.withheld, known.thread(words))
    wanted = (subject != known.author(words)[which]) & known.is_called(
        words[which], subject, sighter_phrases.page.words.key[words[which]]
    )
    which, subject = which[wanted], subject[wanted]
    word = words[which]
    key = sighter_phrases.page.words.key[word]
    answered = known.is_answered(word, subject)
    other = known.others_called(word, subject, np.arange(len(word)), key) & ~answered
    unique, which = np.unique(word, return_inverse=True)
    around = Surroundings.of(sighter_phrases, unique)
    reasons = said(
        (Reason.LEARNT, np.ones(len(word), bool)),
        (Reason.CALLED, around.call[which] == Call.SURE),
        (Reason.OTHER_BEHIND, (around.behind.named | around.behind.initial)[which]),
        (Reason.ANSWERED, answered),
        (Reason.TWO_BEARERS, other),
    )
    return Said(word, subject, reasons)


def learnable(phrases: Phrases, rows: Bools) -> Ints:
    """The words of some rows, shape (rows,), by which somebody may be addressed whose name nobody told."""
    words = np.flatnonzero(phrases.capital & phrases.usable & phrases.page.words.plain)
    words = words[rows[phrases.page.words.row[words]]]
    breaks, opens = phrases.page.breaks, phrases.page.words.opens
    before = _words_before(phrases, words)
    greeted = (before >= 0) & opens[np.maximum(before, 0)]
    greeted[greeted] = senses(phrases, before[greeted]) & Sense.GREETING > 0
    words = words[_apart(phrases, words) & (breaks[words] | opens[words]) | greeted]
    own = senses(phrases, words)
    words = words[~_is(own, _WORDS) | _is(own, Sense.GIVEN)]
    return np.asarray(words[calls_of(phrases, words) != Call.NONE])


def _people(known: Known, words: Ints, named: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """For each word whoever may be meant, but for its author: its position, and the person; sorted, once each."""
    thread, row = known.thread(words), known.page.words.row[words].astype(np.int64)
    found = [_beside(known.withheld, thread), _beside(known.named, thread), _beside(named, row)]
    which, subject = (np.concatenate(columns) for columns in zip(*found, strict=True))
    other = subject != known.author(words)[which]
    return distinct(which[other], subject[other])


def _beside(sorted_pairs: tuple[Ints, Ints], asked: Ints) -> tuple[Ints, Ints]:
    """Everything that stands beside what is asked for: its position there, and the other of the pair."""
    one, other = sorted_pairs
    which, at = expanded(*(np.searchsorted(one, asked, side) for side in ("left", "right")))
    return which, other[at]


def _around(sighter: Sighter, seen: Single) -> Surroundings:
    words, which = np.unique(seen.word, return_inverse=True)
    return Surroundings.of(sighter.phrases, words).take(which)


def _of_form(sighter: Sighter, seen: Single, around: Surroundings, call: Bools) -> Ints:
    """What the form and the case of a word say."""
    capital = sighter.phrases.capital[seen.word]
    of_word = np.int64(FormFlag.WORD | FormFlag.INFLECTED)
    word = _is(around.own, _WORDS) | ~capital & (seen.flags & of_word == of_word)
    opens = sighter.phrases.page.words.opens[seen.word]
    handle = np.isin(seen.role, HANDLES)
    noun = sighter.phrases.nouns[sighter.phrases.page.words.row[seen.word]]
    bare = ~call & ~handle & ~around.greeted & ~around.acts
    foreign = _is(around.own, Sense.COMMON) & ~_is(around.own, Sense.OWN)
    return said(
        (Reason.INFLECTED, seen.flags & FormFlag.INFLECTED > 0),
        (Reason.NICK, seen.role == NameRole.NICK),
        (Reason.MIDDLE, seen.role == NameRole.MIDDLE),
        (Reason.LOWER, ~capital & ~handle),
        (Reason.WORD, word),
        (Reason.WORD_OPENS, word & ~foreign & capital & (opens | noun) & bare),
        (Reason.VERB_OPENS, _is(around.own, Sense.VERB) & capital & opens & bare),
        (Reason.WORD_LOWER, word & ~capital & ~call & ~handle),
        (Reason.SHORT, handle & (seen.flags & FormFlag.ABBREVIATED > 0)),
    )


def _of_handle(sighter: Sighter, seen: Single, around: Surroundings, call: Bools, part: Bools) -> Ints:
    """What speaks against a handle: it is a word, it is short."""
    word = (seen.flags & FormFlag.WORD > 0) | _is(around.own, _WORDS)
    letters = _letters(sighter, seen)
    digits = sighter.phrases.page.words.shape[seen.word] & np.uint8(Shape.DIGITS) > 0
    name = _is(around.own, Sense.GIVEN | Sense.FREQUENT) & sighter.phrases.capital[seen.word]
    before, behind = around.before, around.behind
    return said(
        (Reason.OTHER_BEHIND, name & (behind.named | behind.initial)),
        (Reason.OTHER_BEFORE, name & (before.named | before.initial)),
        (Reason.NO_CALL, (word | digits) & ~(call & part) | _is(around.before.senses, Sense.ARTICLE | Sense.ONE)),
        (Reason.SHORT, letters <= _SHORT),
        (Reason.PLACE, _is(around.own, Sense.PLACE)),
        (Reason.INSIDE, around.inside & ((letters <= _SHORT + 2) | word)),
        (Reason.OPENER, _is(around.own, Sense.OPENER) & (around.call != Call.SURE)),
    )


def _of_place(sighter: Sighter, seen: Single, around: Surroundings, initialled: Bools) -> Ints:
    """What the words around a given name or a surname say; ``initialled``: one's own initial is one of them."""
    given, handle = np.isin(seen.role, GIVEN), np.isin(seen.role, HANDLES)
    surname = ~given & ~handle
    before, behind = around.before, around.behind
    titled = _is(before.senses, Sense.TITLE)
    behind_named = behind.named & ~_is(behind.senses, Sense.INSTITUTION) | behind.initial & given & ~initialled
    before_named = (before.named & ~titled) | before.initial & ~initialled
    other = before_named & _is_other(sighter, seen, before)
    place, toward = _is_place(sighter, around), _is(before.senses, Sense.TOWARD)
    cue = _is(before.senses, Sense.INSIDE) | _is(around.own, Sense.PLACE) & toward | place
    too = given & ~cue
    return np.where(
        handle,
        0,
        said(
            (Reason.TITLED, titled & surname & sighter.phrases.capital[seen.word]),
            (Reason.OTHER_BEFORE, before_named & surname | (other | _is(before.senses, Sense.CROWN)) & given),
            (Reason.SWAPPED, before_named & given & ~other),
            (Reason.OTHER_BEHIND, behind_named),
            (Reason.PLACE, _is(around.own, Sense.PLACE) & ~too),
            (Reason.PLACE_TOO, _is(around.own, Sense.PLACE) & too),
            (Reason.PLACE_CUE, cue),
            (Reason.INSTITUTION, _is_institution(sighter, around, surname)),
            (Reason.ARTICLE, _has_article(sighter, seen, before)),
            (Reason.INSIDE, around.inside),
            (Reason.SIGNATURE, around.signs),
            (Reason.PRODUCT, given & _is_product(sighter, around)),
            (Reason.DATE, _is_date(sighter, around)),
            (Reason.QUOTED, around.quoted),
            (Reason.OTHER_IN_TEXT, _elsewhere(sighter, seen, np.where(given, behind_named, before_named))),
        ),
    )


def _has_article(sighter: Sighter, seen: Single, before: Beside) -> Bools:
    """Behind which words an article stands; a letter is one where the text says in which language it is."""
    told = sighter.phrases.tongues[sighter.phrases.page.words.row[seen.word]] != UNKNOWN
    return np.asarray(_is(before.senses, Sense.ARTICLE) | _is(before.senses, Sense.ONE) & told)


def _is_other(sighter: Sighter, seen: Single, before: Beside) -> Bools:
    """Before which words a given name stands that many bear, or a surname: Mary Rose, Kovács Anna."""
    row = sighter.phrases.page.words.row[seen.word]
    first = _is(before.senses, Sense.SURNAME) & (sighter.phrases.tongues[row] == tongue("hu"))
    other = _is(before.senses, Sense.GIVEN | Sense.FREQUENT) & ~_is(before.senses, Sense.COMMON)
    return np.asarray(other | first)


def _is_place(sighter: Sighter, around: Surroundings) -> Bools:
    """Behind which words a comma and the name of a place stand: Austin, Texas."""
    found = around.behind.between == ", "
    found[found] = _is(senses(sighter.phrases, around.behind.word[found]), Sense.PLACE)
    return np.asarray(found & _upper(sighter, around.behind.word))


def _is_institution(sighter: Sighter, around: Surroundings, surname: Bools) -> Bools:
    """Which words are part of the name of a firm, a street, a school; surnames and the like of a theorem, too."""
    before, behind = around.before, around.behind
    kind = _is(behind.senses, Sense.INSTITUTION)
    found = kind & (_upper(sighter, behind.word) | surname | _is(before.senses, Sense.ARTICLE))
    last = sighter.phrases.tongues[sighter.phrases.page.words.row[np.maximum(behind.word, 0)]] & _WAYS_LAST > 0
    found |= _is(behind.senses, Sense.WAY) & behind.near & last
    return found | _is(before.senses, Sense.WAY) | _is(before.senses, Sense.INSTITUTION) & _upper(sighter, before.word)


def _is_product(sighter: Sighter, around: Surroundings) -> Bools:
    """Which words stand before a number, or behind the name of a product: Rose 2.0."""
    behind = np.maximum(around.behind.word, 0)
    digits = sighter.phrases.page.words.shape[behind] & np.uint8(Shape.DIGITS) > 0
    number = digits & (around.behind.word >= 0) & (around.behind.between == " ")
    return np.asarray(number | _is(around.before.senses, Sense.TERM) & _upper(sighter, around.before.word))


def _is_date(sighter: Sighter, around: Surroundings) -> Bools:
    """Which words are months or weekdays beside a number, or behind a word that stands before dates: in May, 3 June."""
    found = _is(around.own, Sense.CALENDAR)
    shape = sighter.phrases.page.words.shape
    beside = np.zeros(len(found), bool)
    for side in (around.before, around.behind):
        digits = shape[np.maximum(side.word, 0)] & np.uint8(Shape.DIGITS) > 0
        beside |= (side.word >= 0) & digits & np.isin(side.between, (" ", ". "))
    return np.asarray(found & (beside | _is(around.before.senses, Sense.DATES)))


def _elsewhere(sighter: Sighter, seen: Single, other: Bools) -> Bools:
    """Whether the same word stands elsewhere in the row in the name of somebody else."""
    words = sighter.phrases.page.words
    which = numbered(words.row[seen.word], words.key[seen.word], seen.subject)
    count = np.bincount(which[other], minlength=len(which) + 1)
    return np.asarray(count[which] > 0) & ~other


def _letters(sighter: Sighter, seen: Single) -> Ints:
    words = sighter.phrases.page.words
    return (words.end[seen.word] - words.start[seen.word]).astype(np.int64)


def _is_short(sighter: Sighter, seen: Single) -> Bools:
    return np.asarray(_letters(sighter, seen) <= _VERY_SHORT)


def _upper(sighter: Sighter, words: Ints) -> Bools:
    return (words >= 0) & sighter.phrases.capital[np.maximum(words, 0)]


def _is(found: Ints, sense: Sense) -> Bools:
    return np.asarray(found & np.int64(sense) > 0)
