"""Each reason of a find in words, for the command line, the list of uncertain finds and the docs.

Invariants: a phrase says nothing of the text in which somebody was found.
"""

from typing import Final

from demur.people.finding.tiers import WEIGHTS, Reason

WORDS: Final = {
    Reason.FULL: "full name",
    Reason.INITIAL: "initial and surname",
    Reason.SURNAME_OF_PARTICIPANT: "surname of somebody who takes part in the thread",
    Reason.SURNAME_OF_NAMED: "surname of somebody named in full in the thread",
    Reason.GIVEN_OF_PARTICIPANT: "given name of somebody who takes part in the thread",
    Reason.GIVEN_OF_NAMED: "given name of somebody named in full in the thread",
    Reason.LEARNT: "what others in the thread call them, or they sign with",
    Reason.HANDLE: "name of an account",
    Reason.HANDLE_OF_PARTICIPANT: "name of an account that takes part in the thread",
    Reason.JOINED: "name written as one word",
    Reason.SURNAME_ALONE: "surname",
    Reason.CALLED: "where somebody is addressed",
    Reason.ANSWERED: "in a reply to them",
    Reason.TITLED: "a title before it",
    Reason.OWN_INITIAL: "the initial of their other name beside it",
    Reason.INFLECTED: "inflected",
    Reason.NICK: "short form of the name",
    Reason.MIDDLE: "a further given name",
    Reason.SWAPPED: "in another order, or behind another name",
    Reason.STRANGE_BETWEEN: "another word between the parts",
    Reason.LOWER: "in lower case",
    Reason.WORD: "a common word, too",
    Reason.WORD_OPENS: "a common word that opens a sentence",
    Reason.WORD_LOWER: "a common word in lower case",
    Reason.SHORT: "short",
    Reason.BEARS_MANY: "borne by many",
    Reason.PLACE: "name of a place",
    Reason.PLACE_CUE: "a preposition of places before it",
    Reason.INSTITUTION: "beside the name of a firm, street or school",
    Reason.ARTICLE: "an article before it",
    Reason.INSIDE: "part of a longer word, a path or code",
    Reason.OTHER_BEFORE: "another name before it",
    Reason.OTHER_BEHIND: "another name behind it",
    Reason.TWO_BEARERS: "somebody else in the thread bears it",
    Reason.OTHER_IN_TEXT: "somebody else's name elsewhere in the text",
    Reason.SIGNATURE: "where authors sign",
    Reason.ABBREVIATED: "joined of an initial and a name",
    Reason.NO_CALL: "a word, and nobody is addressed",
    Reason.OPENER: "opens a sentence and calls nobody",
    Reason.VERB_OPENS: "a verb that opens a sentence, too",
    Reason.PLACE_TOO: "name of a place, too",
    Reason.PRODUCT: "like the name of a product",
    Reason.KNOWN: "who takes part in the thread, or is named in full in it",
    Reason.DATE: "a month or a weekday, in a date",
    Reason.QUOTED: "in quotation marks by itself",
}
"""Each reason, as a phrase."""


def said_in_words(bits: int) -> tuple[str, ...]:
    """Reasons, as bits of :class:`Reason`, as phrases with what each adds (``full name +96``); those for it first."""
    held = sorted((reason for reason in Reason if bits & reason), key=lambda reason: -WEIGHTS[reason])
    return tuple(f"{WORDS[reason]} {WEIGHTS[reason]:+d}" for reason in held)
