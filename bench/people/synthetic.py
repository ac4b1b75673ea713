"""The figures on what was made up: the synthetic forum, exact identifiers, and the hard cases.

A truth counts by its form's first words (``given``, ``surname``, ...), which say what of a name stands there, and by
``alone`` where nothing in the thread says whose it is. *Known by context* are single names that something does say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from demur.people.finds import Tier
from people.cases import Forum, Found, Truth, blind
from people.exact import exact
from people.forum import generate
from people.hard import HardCase, failures, hard_cases
from people.scoring import Rate, Score, score
from people.tables import INFLECTED
from people.targets import Figure, heading
from people.under_test import Sighting, find

SEED: Final = 12
POSTS: Final = 12_000
PEOPLE: Final = 300
SINGLE: Final = frozenset({"given", "surname", "nick"})
"""Forms in which one word of a name stands."""
_AIMS: Final = {1: (0.88, 0.94, 0.55), 5: (0.95, 0.93, 0.80)}
"""By declared spellings: recall, precision, people wholly erased."""


class Place(NamedTuple):
    """A part of a text in which somebody is found."""

    item: str
    start: int
    end: int
    tier: Tier
    """Of the surest find."""
    people: frozenset[str]
    """Who is found there, by account."""


@dataclass(frozen=True)
class Judged:
    """A forum, and what the finder did with it."""

    forum: Forum
    score: Score
    places: list[Place]

    @classmethod
    def of(cls, forum: Forum) -> "Judged":
        """Lets the finder read a forum."""
        parts = list(find.governed(forum.people, forum.members, blind(forum.posts)))
        found = [mask for part in parts for mask in part.masks()]
        scored = score({person.account for person in forum.people}, forum.posts, found)
        return cls(forum, scored, list(_places(sighting for part in parts for sighting in part.sightings())))

    @cached_property
    def _truths(self) -> dict[str, list[Truth]]:
        """Where people who objected are named, by item."""
        objected = {person.account for person in self.forum.people}
        return {post.item: [truth for truth in post.truths if truth.person in objected] for post in self.forum.posts}

    @cached_property
    def thread_of(self) -> dict[str, str]:
        """The thread of each item."""
        return {post.item: post.thread for post in self.forum.posts}

    @cached_property
    def known(self) -> set[tuple[str, str | None]]:
        """Thread and person, of whoever takes part in it or is found in full there."""
        full = [place for place in self.places if place.tier in {Tier.FULL_NAME, Tier.INITIAL_SURNAME}]
        named = {(self.thread_of[place.item], person) for place in full for person in place.people}
        return named | {(post.thread, post.author) for post in self.forum.posts}

    def right(self, places: Iterable[Place]) -> Rate:
        """How many of some places overlap a truth of somebody who objected."""
        hits = [self._is_right(place) for place in places]
        return Rate(sum(hits), len(hits))

    def _is_right(self, place: Place) -> bool:
        return any(truth.start < place.end and place.start < truth.end for truth in self._truths[place.item])

    def in_context(self, place: Place) -> bool:
        """Whether somebody who is found in a place takes part in the thread, or is found in full there."""
        return any((self.thread_of[place.item], person) in self.known for person in place.people)


def _places(sightings: Iterable[Sighting]) -> Iterator[Place]:
    """The places of sightings, once each."""
    by_place: dict[tuple[str, int, int], list[Sighting]] = {}
    for sighting in sightings:
        by_place.setdefault((sighting.found.item, sighting.found.start, sighting.found.end), []).append(sighting)
    for (item, start, end), here in by_place.items():
        surest = max(here, key=lambda sighting: sighting.score)
        yield Place(item, start, end, surest.tier, frozenset(sighting.found.person for sighting in here))


def of_forum() -> Iterator[str]:
    """A forum in two dozen languages, with one declared spelling and with up to five."""
    for spellings in (1, 5):
        yield from heading(f"synthetic forum, {spellings} declared spelling{'s' * (spellings > 1)}")
        judged = Judged.of(generate(SEED, POSTS, PEOPLE, spellings))
        yield from map(str, _whole(judged.score, spellings))
        yield from _by_context(judged)
        yield from _tiers(judged)
        yield from _parts(judged.score)
    yield from _learnt()


def _whole(scored: Score, spellings: int) -> Iterator[Figure]:
    recall, precision, erased = _AIMS[spellings]
    yield Figure("recall", scored.recall, recall)
    yield Figure("precision", scored.precision, precision)
    yield Figure("precision by masked word", scored.words)
    yield Figure("people with 5 mentions or more, wholly erased", scored.erased(5), erased)
    yield Figure("people with any mention, wholly erased", scored.erased(1))


def _by_context(judged: Judged) -> Iterator[str]:
    """Single names: those of whom the thread tells, and surnames alone."""
    alike = [rate for form, rate in judged.score.by_form.items() if _is_single(form)]
    recall = Rate(sum(rate.hits for rate in alike), sum(rate.of for rate in alike))
    surnames = [place for place in judged.places if place.tier == Tier.SURNAME_IN_CONTEXT]
    by_context = [place for place in judged.places if place.tier in {Tier.GIVEN_IN_CONTEXT, Tier.VOCATIVE}]
    by_context += [place for place in surnames if judged.in_context(place)]
    alone = [place for place in surnames if not judged.in_context(place)]
    yield str(Figure("names known by context: recall of single names", recall, 0.95))
    yield str(Figure("names known by context: precision of these tiers", judged.right(by_context), 0.97))
    yield str(Figure("surnames alone, without context: precision", judged.right(alone), 0.90))


def _is_single(form: str) -> bool:
    words = form.split()
    return words[0] in SINGLE and "alone" not in words and words[:2] != ["nick", "full"]


def _tiers(judged: Judged) -> Iterator[str]:
    for tier in sorted({place.tier for place in judged.places}):
        of_tier = judged.right(place for place in judged.places if place.tier == tier)
        yield str(Figure(f"precision of tier {tier.name.lower().replace('_', ' ')}", of_tier))


def _parts(scored: Score) -> Iterator[str]:
    """By what of a name stands there, how it is written, language and trap."""
    for what, rate in _grouped(scored.by_form):
        yield str(Figure(f"recall of {what}", rate))
    for language, rate in scored.by_language.items():
        told = f"{language}, one of the eight" if language in INFLECTED else language
        yield str(Figure(f"recall in {told}", rate))
    for language, rate in scored.precision_by_language.items():
        yield str(Figure(f"precision in {language}", rate))
    for kind, rate in scored.traps.items():
        yield str(Figure(f"left alone: {kind}", rate))


def _grouped(by_form: dict[str, Rate]) -> Iterator[tuple[str, Rate]]:
    """The rates of forms: what stands there as it is declared, inflected, or disguised."""
    groups: dict[str, list[Rate]] = {}
    for form, rate in by_form.items():
        groups.setdefault(group_of(form), []).append(rate)
    for group, rates in sorted(groups.items()):
        yield group, Rate(sum(rate.hits for rate in rates), sum(rate.of for rate in rates))


def group_of(form: str) -> str:
    """What a form is counted under: ``surname, inflected``; a disguise of whatever kind is one."""
    words = form.split()
    what = next((two for two in ("nick full", "word handle") if form.startswith(two)), words[0])
    rest = words[len(what.split()) :]
    manners = [word for word in ("inflected", "alone") if word in rest]
    disguised = [word for word in rest if word not in manners]
    return ", ".join([what, *manners, *(["disguised"] if disguised else [])])


def _learnt() -> Iterator[str]:
    """People who declared no name: what is learnt of them from sign-offs and calls."""
    yield from heading("synthetic forum, no declared spelling: names that are learnt")
    judged = Judged.of(generate(SEED, POSTS, PEOPLE, 0))
    called = [form for form in judged.score.by_form if form.split()[0] in {"given", "nick"} and "full" not in form]
    rates = [judged.score.by_form[form] for form in called]
    learnt = [place for place in judged.places if place.tier == Tier.VOCATIVE]
    yield str(Figure("given names and nicks: recall", Rate(sum(r.hits for r in rates), sum(r.of for r in rates))))
    yield str(Figure("precision of what is learnt", judged.right(learnt)))
    yield str(Figure("all mentions: recall", judged.score.recall))
    yield str(Figure("precision", judged.score.precision))


def of_inflection() -> Iterator[str]:
    """The eight languages with cases, by themselves."""
    for spellings in (1, 5):
        yield from heading(f"inflection in eight languages, {spellings} declared spelling{'s' * (spellings > 1)}")
        forum = generate(SEED + 1, POSTS, PEOPLE, spellings)
        posts = [post for post in forum.posts if post.language in INFLECTED]
        judged = Judged.of(replace(forum, posts=tuple(posts)))
        recall, precision, _ = _AIMS[spellings]
        yield str(Figure("recall", judged.score.recall, recall))
        yield str(Figure("precision", judged.score.precision, precision))
        yield str(Figure("recall of inflected forms", judged.score.forms("inflected"), recall))
        for language in sorted(INFLECTED):
            yield from map(str, _of_language(judged, language))


def _of_language(judged: Judged, language: str) -> Iterator[Figure]:
    objected = {person.account for person in judged.forum.people}
    posts = {post.item: post for post in judged.forum.posts if post.language == language}
    found = [Found(place.item, place.start, place.end, "") for place in judged.places if place.item in posts]
    scored = score(objected, posts.values(), found)
    yield Figure(f"recall of inflected forms in {language}", scored.forms("inflected"))


def of_exact() -> Iterator[str]:
    """Full names and handles through every disguise."""
    yield from heading("exact identifiers")
    scored = Judged.of(exact(SEED, POSTS, PEOPLE)).score
    yield str(Figure("recall but for joined and spaced names", _without(scored, "joined", "spaced"), 0.9999))
    yield str(Figure("recall of joined and spaced names", scored.forms("joined", "spaced"), 0.98))
    yield str(Figure("precision", scored.precision, 0.999))
    for form, rate in scored.by_form.items():
        yield str(Figure(f"recall of {form}", rate))
    for kind, rate in scored.traps.items():
        yield str(Figure(f"left alone: {kind}", rate))


def _without(scored: Score, *words: str) -> Rate:
    kept = [rate for form, rate in scored.by_form.items() if not set(words) & set(form.split())]
    return Rate(sum(rate.hits for rate in kept), sum(rate.of for rate in kept))


def of_hard() -> Iterator[str]:
    """The hard cases, by kind and by language."""
    yield from heading("hard cases: right by kind and language")
    right = {case: not failures(find, case) for case in hard_cases()}
    yield str(Figure("all", Rate(sum(right.values()), len(right))))
    for what in ("kind", "language"):
        for key in sorted({getattr(case, what) for case in right}):
            yield str(Figure(f"{what} {key}", _share({c: r for c, r in right.items() if getattr(c, what) == key})))


def _share(right: dict[HardCase, bool]) -> Rate:
    return Rate(sum(right.values()), len(right))
