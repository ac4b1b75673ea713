"""Says in words what is found on a page, and why: for the demo and for whoever looks into a find."""

from collections.abc import Iterator
from typing import NamedTuple

from demur.people.context import Context
from demur.people.find import find_people
from demur.people.finding.reasons import said_in_words
from demur.people.finds import Tier
from demur.people.index import PeopleIndex
from demur.words.page import Page


class Explained(NamedTuple):
    """A find, in words."""

    row: int
    start: int
    """Code points of the row's text."""
    end: int
    subject: int
    tier: Tier
    score: int
    reasons: tuple[str, ...]
    """Each with what it adds: ``full name +96``."""


def explained(page: Page, index: PeopleIndex, context: Context) -> Iterator[Explained]:
    """What is found on a page, with its reasons: the same finds as find.find_people gives."""
    finds = find_people(page, index, context)
    columns = (finds.row, finds.start, finds.end, finds.subject, finds.tier, finds.score, finds.reasons)
    for row, start, end, subject, tier, score, bits in zip(*(each.tolist() for each in columns), strict=True):
        yield Explained(row, start, end, subject, Tier(tier), score, said_in_words(bits))
