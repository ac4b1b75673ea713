"""The ground truth: what must be in at the end, and what must not, told by a second, independent model.

It is plain Python over the story and the generator's own knowledge, and imports nothing from ``demur.corpus``: where
it and the corpus disagree, one of them is wrong. Invariants: an item's last reading counts; what kept it out, or out
of whose text something had to go, at any moment since that reading still counts, because only the next import of its
source brings anything back (law 2); reasons are tried in the order of ``terms.Reason``, first one wins (law 5).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from demur.demo.community import Community, included
from demur.demo.items import Form, Item, Media, Piece, Wave
from demur.demo.meant import NEVER, Verdict, Words
from demur.demo.people import Person
from demur.demo.story import Import, Link, Members, Object, Step, Withdraw
from demur.policy import Policy
from demur.terms import Basis, Reason, Role

Gone = Callable[[str], bool]
"""Whether an account's words and name had to go."""


NowThen = tuple[Reason | None, Reason | None]
"""The reason that holds now, and the one that held before the member table was corrected."""


@dataclass(frozen=True)
class Tally:
    """What an import must report: ``read == kept + left_out.total()``."""

    read: int
    kept: int
    left_out: Counter[Reason]


class Truth:
    """Follows the story; knows at any moment what the corpus must hold."""

    def __init__(self, community: Community, policy: Policy) -> None:
        self.community = community
        self._policy = policy
        self._since = _midnight(policy.door.since) if policy.door.since else None
        self._time = 0
        self._imports: list[tuple[int, Import]] = []
        self._objections: list[tuple[str, ...] | None] = []
        self._groups: dict[str, set[str]] = {}
        self._objected: dict[str, int] = {}  # account -> the last moment at which an objection covered it
        self._minors: set[str] = set()
        self._corrected_at = NEVER
        self._members: list[tuple[NowThen, NowThen]] = []
        """By person: why what they say of themselves keeps their items out, by whether the source gave the region."""
        self._words = Words(community, self._last_withheld, self._last_read, self._stored)

    def observe(self, step: Step) -> Tally | None:
        """Goes on by one step; an import answers with what it must report."""
        self._time += 1
        match step:
            case Members():
                self._hear(step)
            case Object():
                self._objections.append(step.accounts)
                self._join(step.accounts)
            case Withdraw():
                self._objections[step.objection] = None
            case Link():
                self._join((step.first, step.second))
        self._objected |= dict.fromkeys(self.suppressed(), self._time)
        if isinstance(step, Import):
            self._imports.append((self._time, step))
            return self._tally(step)
        return None

    def suppressed(self) -> set[str]:
        """Every account of everybody whose objection is in force now."""
        given = [account for accounts in self._objections if accounts for account in accounts]
        return {each for account in given for each in self._groups.get(account, {account})}

    def verdict(self, first: Item) -> tuple[Item, int, Reason | None]:
        """The last reading of an item, when it was read, and why it must be out (None: it must be in)."""
        for at, step in reversed(self._imports):
            if step.source == first.namespace and included(first, step.wave, self.community.seed):
                item = first.as_of(step.wave)
                return item, at, self._reason(item, at)
        return first, NEVER, Reason.SUPERSEDED

    def gone_since(self, at: int) -> Gone:
        """The accounts that were suppressed at some moment from ``at`` on, or belong to minors."""
        return lambda account: self._objected.get(account, NEVER) >= at or account in self._minors

    def has_to_go(self, since: int) -> set[str]:
        """All of those accounts."""
        return {account for account, last in self._objected.items() if last >= since} | self._minors

    def becomes(self, piece: Piece, item: Item, at: int) -> Verdict:
        """What becomes of a piece of an item that was last read at a moment.

        The name of somebody who is not withheld, where the markup mentions it, may stand or be masked: a mask says
        nothing.
        """
        if piece.form is not None:
            kept = self._policy.others.copies if piece.form is Form.COPY else self._policy.others.names
            return Verdict.STAYS if kept == "keep" else self._words.verdict(piece, item, at)
        if piece.direct or (piece.role is not None and piece.account and self.gone_since(at)(piece.account)):
            return Verdict.GOES
        return Verdict.MAY_GO if piece.role is Role.MENTION else Verdict.STAYS

    def _last_withheld(self, account: str) -> int:
        return self._time if account in self._minors else self._objected.get(account, NEVER)

    def _last_read(self, item: Item, upto: int) -> int:
        """When an item was last read, up to a moment."""
        read = (
            at
            for at, step in reversed(self._imports)
            if at <= upto and step.source == item.namespace and included(item, step.wave, self.community.seed)
        )
        return next(read, NEVER)

    def _stored(self, item: Item, at: int) -> bool:
        """Whether an item came in when it was read, if nobody had objected and nobody was under age."""
        return self._content(item) is None and self._author(item, at) in {None, Reason.MINOR}

    def _hear(self, step: Members) -> None:
        people = self.community.corrections() if step.corrections else self.community.people
        if step.corrections:
            self._corrected_at = self._time
        else:
            self._members = [((None, None), (None, None))] * len(people)
        for person in people:
            unstated, stated = self._members[person.index]
            self._members[person.index] = (
                (self._member(person, stated=False), unstated[0]),
                (self._member(person, stated=True), stated[0]),
            )
        for person in (each for each in people if each.member):
            if person.linked:
                self._join(person.accounts)
            if self._is_minor(person):
                self._minors.update(person.accounts)

    def _join(self, accounts: Iterable[str]) -> None:
        whole = set[str]().union(*(self._groups.get(account, {account}) for account in accounts))
        self._groups |= dict.fromkeys(whole, whole)

    def _tally(self, step: Import) -> Tally:
        reasons = Counter(
            self._reason(each, self._time, self._time) for each in self.community.last_readings(step.wave, step.source)
        )
        kept = reasons.pop(None, 0)
        left_out = Counter({reason: count for reason, count in reasons.items() if reason is not None})
        if step.wave is Wave.MORE:
            left_out[Reason.SUPERSEDED] = sum(1 for _ in self.community.drafts(step.source))
        return Tally(kept + left_out.total(), kept, left_out)

    def _reason(self, item: Item, at: int, before: int | None = None) -> Reason | None:
        """Why an item that was read at a moment is out; ``before``: by copies whose originals were read before one."""
        return self._content(item) or self._author(item, at) or self._people(item, self.gone_since(at), at, before)

    def _content(self, item: Item) -> Reason | None:
        """By what the item is."""
        door = self._policy.door
        old = item.created is not None and self._since is not None and item.created < self._since
        return _first(
            (Reason.DELETED, item.deleted),
            (Reason.UNKNOWN_AUTHOR, item.author is None),
            (Reason.UNKNOWN_KIND, item.kind is None),
            (Reason.KIND, item.kind not in door.kinds),
            (Reason.UNKNOWN_AUDIENCE, item.audience is None),
            (Reason.AUDIENCE, item.audience not in door.audiences),
            (Reason.ORIGIN, door.origins != "any" and item.origin not in door.origins),
            (Reason.UNKNOWN_DATE, item.created is None and door.since is not None),
            (Reason.BEFORE_SINCE, old),
        )

    def _author(self, item: Item, at: int) -> Reason | None:
        """By what is known of its author now; else by what was known when it was read."""
        now, then = self._members[item.person][item.region is not None]
        return now or (then if at < self._corrected_at else None)

    def _member(self, person: Person, *, stated: bool) -> Reason | None:
        """Why what a person writes stays out, if it does; ``stated``: the source gave the region."""
        policy, today = self._policy, self.community.today
        born, told = (person.birth_year, person.told) if person.member else (None, None)
        region = person.region if person.member or stated else None
        anywhere, notice = policy.regions == "any", policy.notice
        late = told is not None and told + timedelta(days=notice.period_days) > today
        consent = policy.basis.use is Basis.CONSENT
        return _first(
            (Reason.UNKNOWN_REGION, not anywhere and region is None and policy.door.unknown_region != "use"),
            (Reason.REGION, not anywhere and region is not None and region not in policy.regions),
            (Reason.UNKNOWN_AGE, born is None and policy.door.unknown_age != "use"),
            (Reason.MINOR, person.member and self._is_minor(person)),
            (Reason.NOT_TOLD, notice.required and told is None),
            (Reason.NOTICE_PERIOD, notice.required and late),
            (Reason.NO_CONSENT, consent and not (person.member and person.consented)),
        )

    def _is_minor(self, person: Person) -> bool:
        """Perhaps under age: only the year is known, so the birthday may still come."""
        year = person.birth_year
        return year is not None and self.community.today.year - year <= self._policy.door.minimum_age

    def _people(self, item: Item, gone: Gone, at: int, before: int | None) -> Reason | None:
        """By who objected: the author, or whoever it copies or names."""
        others = self._policy.others
        words = self._in_words(item, at, before)
        named = (*item.accounts(Role.MENTION), *item.accounts(Role.TAG), *_bare(item))
        return _first(
            (Reason.OBJECTED, self._objected.get(item.author or "", NEVER) >= at),
            (Reason.RESHARE, any(map(gone, item.accounts(Role.RESHARE)))),
            (Reason.QUOTE, others.quotes == "drop" and any(map(gone, item.accounts(Role.QUOTE)))),
            (Reason.MENTION, others.mentions == "drop" and any(map(gone, named))),
            (Reason.COPY, Form.COPY in words and (others.copies == "drop" or _nothing_else(item))),
            (Reason.NAME, bool(words - {Form.COPY}) and others.names == "drop"),
            (Reason.EMPTY, not item.text and shown(item, gone) is None),
        )

    def _in_words(self, item: Item, at: int, before: int | None) -> set[Form]:
        """The forms in which its words hold what must go."""
        others = self._policy.others
        kept = {Form.COPY} if others.copies == "keep" else set()
        kept |= set(Form) - {Form.COPY} if others.names == "keep" else set()
        pieces = (piece for piece in item.pieces if piece.form and piece.form not in kept)
        return {p.form for p in pieces if p.form and self._words.verdict(p, item, at, before) is Verdict.GOES}


def _nothing_else(item: Item) -> bool:
    """Whether it says nothing besides what it copies."""
    rest = "".join(piece.text for piece in item.pieces if piece.form is not Form.COPY)
    return not any(map(str.isalnum, rest))


def shown(item: Item, gone: Gone) -> Media | None:
    """Its picture, unless that shows or describes somebody who had to go."""
    if item.media is None:
        return None
    named = (piece.account for piece in item.media.alt if piece.account)
    return None if any(map(gone, (*item.media.tagged, *named))) else item.media


def _bare(item: Item) -> tuple[str, ...]:
    """Whom it names without markup."""
    return tuple(each.account for each in item.pieces if each.direct and each.role is None and each.account)


def _first(*reasons: tuple[Reason, bool]) -> Reason | None:
    return next((reason for reason, holds in reasons if holds), None)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
