"""What a notice says, generated from demur.toml, so that notice and practice can't drift (Arts 13, 14, 21(4) GDPR).

Invariants: everything it says stands in the policy or is done by demur's own rules; the right to object stands in a
block of its own, apart from everything else; what only the controller can say is given in the controller's words, with
the language they are in; nothing in it claims that anything is lawful, anonymous or approved.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Self, get_args
from urllib.parse import urlsplit

from demur.notices.authorities import MEMBERS, Authority, authority_of
from demur.notices.lacking import lacks
from demur.notices.languages import N_, lasting
from demur.notices.words import (
    AUDIENCES,
    BASES,
    IDENTIFIERS,
    KINDS,
    PURPOSE,
    Field,
    Say,
    Words,
    countries,
    day,
    listed,
    said,
    speaker,
)
from demur.policy import Policy
from demur.terms import Basis, Kind

__all__ = [
    "Behalf",
    "NoticeContent",
    "NoticeSection",
    "Words",
    "complaint_of",
    "lacks",
    "looks_for_names",
    "name_of",
    "others_of",
    "stopped_of",
    "undone_of",
    "without_account_of",
]

Behalf = Literal["self", "child", "other"]
"""Whose content somebody speaks for: their own, a child's, somebody else's."""
FOR: Final = "for"
"""The field of a statement, and of a mail about an objection, that says so; absent for oneself."""

_FIRST_PARTY: Final = "first-party"


@dataclass(frozen=True)
class NoticeSection:
    """One part of a notice."""

    key: str
    """used, purpose, others, undone, recipients, rights or contact; held, source, public for who has no account."""
    title: str
    paragraphs: tuple[Words, ...]
    """Sentences."""
    points: tuple[Words, ...] = ()
    """A list after them."""


@dataclass(frozen=True)
class NoticeContent:
    """What a notice says to readers of one language in one country."""

    language: str
    """One of LANGUAGES."""
    controller: str
    """Its name, else the portal's host."""
    subject: str
    intro: str
    objecting: NoticeSection
    """The right to object: to be shown first, apart from everything else (Art. 21(4) GDPR)."""
    sections: tuple[NoticeSection, ...]
    """Everything else, in order."""
    authority: Authority | None
    """Of the reader's country, else of the controller's."""
    contact: str
    """Mail address, "" if there is none."""

    @classmethod
    def of(cls, policy: Policy, language: str, region: str | None = None) -> Self:
        """The notice of a policy.

        Args:
            policy: What is in force.
            language: The reader's, one of LANGUAGES.
            region: The reader's country, ISO 3166-1 alpha-2, None if unknown.
        """
        _, told = speaker(language), name_of(policy)
        authority = authority_of(region, policy.controller.country)
        built = _Builder(policy, language, _)
        effective = day(policy.effective_date, language)
        return cls(
            language=language,
            controller=told,
            subject=_("You can object to AI training with your content"),
            intro=_(
                "%(controller)s tells you here how content is used to train AI from %(day)s on.",
                controller=told,
                day=effective,
            ),
            objecting=built.objecting(),
            sections=tuple(section for section in built.sections(authority) if section.paragraphs or section.points),
            authority=authority,
            contact=policy.controller.contact,
        )

    def section(self, key: str) -> NoticeSection | None:
        """The section of that key, None where the policy has nothing for it."""
        return next((section for section in self.sections if section.key == key), None)


def behalf_of(said: Mapping[str, object]) -> Behalf:
    """For whom an objection was lodged, by a statement or a mail; the field `child` is how it was said once."""
    found = said.get(FOR, "child" if said.get("child") else "self")
    return next((each for each in get_args(Behalf) if each == found), "self")


def name_of(policy: Policy) -> str:
    """Who writes: the controller's name, on one line, else the portal's host."""
    from demur.notices.templating import line  # noqa: PLC0415  # Jinja, which whoever only records does without

    return line(policy.controller.name) or str(urlsplit(policy.portal.url).hostname)


_STOPPED: Final[Mapping[Behalf, str]] = {
    "self": N_("What you posted is not used for new versions of the training data any more."),
    "child": N_("What the child posted is not used for new versions of the training data any more."),
    "other": N_("What this person posted is not used for new versions of the training data any more."),
}


def stopped_of(language: str, behalf: Behalf) -> str:
    """What an objection stops, in a sentence."""
    return speaker(language)(_STOPPED[behalf])


def undone_of(language: str, behalf: Behalf = "self") -> tuple[str, ...]:
    """What an objection can't undo, a sentence each."""
    _ = speaker(language)
    if behalf != "self":
        return (
            _("A model that was trained before the objection keeps what it learned from the content."),
            _("Others may have a copy from before the objection. We cannot take the content out of it."),
        )
    return (
        _("A model that was trained before you objected keeps what it learned from your content."),
        _("Others may have a copy from before you objected. We cannot take your content out of it."),
    )


def others_of(policy: Policy, language: str) -> tuple[str, ...]:
    """What an objection does to what others posted, and what it does not do, a sentence each."""
    _, rules = speaker(language), policy.others
    mentions = {
        "mask": _("If others name you by your user name or by a link, the name is masked there."),
        "drop": _("If others name you by your user name or by a link, that content is left out."),
    }
    quotes = {
        "mask": _("If others quote you and mark it as a quote, the quote is masked."),
        "drop": _("If others quote you and mark it as a quote, that content is left out."),
    }
    names = {
        "mask": _("If others write your name in plain text, it is masked where we can tell that they mean you."),
        "drop": _("If others write your name in plain text, we leave that out where we can tell that they mean you."),
        "keep": _("We do not look for your name in plain text."),
    }
    copies = {
        "mask": _("If others copy your words and do not mark them as a quote, we mask them where we find them."),
        "drop": _("If others copy your words and do not mark them as a quote, we leave that out where we find it."),
        "keep": _("We do not look for copies of your words that are not marked as quotes."),
    }
    return (
        mentions[rules.mentions],
        quotes[rules.quotes],
        _("If others share your content again, that is left out."),
        names[rules.names],
        copies[rules.copies],
    )


def looks_for_names(policy: Policy) -> bool:
    """Whether names of people who objected are looked for in what others wrote."""
    return policy.others.looks_for_names


def without_account_of(policy: Policy, language: str) -> tuple[NoticeSection, ...]:
    """What people without an account are told besides: what of theirs may be held, from where, and why publicly.

    Others' posts name, quote or show them, so that the data is not obtained from them (Art. 14(1)(d) and (2)(f) GDPR).
    Nobody knows their addresses, so that the notice to them is a public one (Art. 14(5)(b) GDPR).
    """
    return _Builder(policy, language, speaker(language)).without_account()


class _Builder:
    """The sections of one notice."""

    def __init__(self, policy: Policy, language: str, say: Say) -> None:
        self._policy, self._language, self._ = policy, language, say

    def objecting(self) -> NoticeSection:
        _ = self._
        return self._section(
            "objecting",
            _("Your right to object"),
            [
                _("You can object at any time, without giving a reason."),
                _("If you object, nothing that you posted goes into new training data. Its age does not matter."),
                _("Your objection applies to all accounts that we know are yours. It never expires."),
            ],
        )

    def sections(self, authority: Authority | None) -> Iterator[NoticeSection]:
        _, policy, language = self._, self._policy, self._language
        yield self._section("used", _("What is used"), (), self._used())
        yield self._section("purpose", _("What it is used for, and on what legal basis"), self._purpose())
        yield self._section("others", _("If you object: what others posted"), others_of(policy, language))
        yield self._section("undone", _("What an objection cannot undo"), undone_of(language))
        yield self._section("recipients", _("Who receives it, and how long it is kept"), self._recipients())
        yield self._section("rights", _("Your rights"), (), self._rights())
        yield self._section("contact", _("Contact and complaint"), (), self._contact(authority))

    def without_account(self) -> tuple[NoticeSection, ...]:
        _ = self._
        told = [
            _("We have no address of people without an account. So we cannot write to each of you."),
            _("That is why we tell you here, in public (Art. 14(5)(b) GDPR)."),
        ]
        source = [_("We did not get it from you."), self._said("source")]
        return (
            self._section("held", _("What may be in it about you"), (), self._held()),
            self._section("source", _("Where it comes from"), source, self._seen()),
            self._section("public", _("Why you read this here"), told),
        )

    def _held(self) -> Iterator[str]:
        """What others' posts may hold of somebody who has no account (Art. 14(1)(d) GDPR)."""
        _ = self._
        yield _("What others wrote about you, and your name in it")
        yield _("What you wrote elsewhere, if others quoted it or shared it here")
        yield _("That you are in a picture or video, if others said so")
        if Kind.THIRD_PARTY_RECORD in self._policy.door.kinds:
            yield _("What another organisation has on record about you")

    def _seen(self) -> Iterator[str]:
        """From where, and whether from what everybody could see (Art. 14(2)(f) GDPR)."""
        _, door, language = self._, self._policy.door, self._language
        yield _("Others posted it. Sources: %(list)s", list=self._origins())
        audiences = listed((_(AUDIENCES[audience]) for audience in door.audiences), language)
        yield _("Who could see it: %(list)s", list=audiences)

    def _section(
        self, key: str, title: str, paragraphs: Iterable[str | Words | None], points: Iterable[str | Words | None] = ()
    ) -> NoticeSection:
        return NoticeSection(key, title, self._words(paragraphs), self._words(points))

    def _words(self, texts: Iterable[str | Words | None]) -> tuple[Words, ...]:
        return tuple(Words(text, self._language) if isinstance(text, str) else text for text in texts if text)

    def _said(self, field: Field, label: str = "") -> Words | None:
        found = said(self._policy, self._language, field)
        return found and replace(found, label=label)

    def _used(self) -> Iterator[str]:
        """The categories of data (Art. 14(1)(d) GDPR), as the door lets them in."""
        _, door, language = self._, self._policy.door, self._language
        yield _("Kinds of content: %(list)s", list=listed((_(KINDS[kind]) for kind in door.kinds), language))
        audiences = listed((_(AUDIENCES[audience]) for audience in door.audiences), language)
        yield _("Who could see it: %(list)s", list=audiences)
        yield _("Sources: %(list)s", list=self._origins())
        if door.since:
            yield _("Only content from %(day)s or later", day=day(door.since, language))
        else:
            yield _("There is no limit on how old the content may be.")
        yield from self._people()
        replaced = [_(word) for key, word in IDENTIFIERS.items() if getattr(self._policy.identifiers, key) == "replace"]
        if replaced:
            yield _(
                "These details are replaced before use, where they are recognised: %(list)s",
                list=listed(replaced, language),
            )

    def _origins(self) -> str:
        _, origins = self._, self._policy.door.origins
        if origins == "any":
            return _("our own service and any other source")
        names = [_("our own service") if origin == _FIRST_PARTY else origin for origin in origins]
        return listed(names, self._language)

    def _people(self) -> Iterator[str]:
        _, policy, door = self._, self._policy, self._policy.door
        if policy.regions != "any":
            yield _("Only people in these countries: %(list)s", list=countries(policy.regions, self._language))
            if door.unknown_region == "use":
                yield _("Also people whose country we do not know")
        yield _("Minimum age: %(time)s", time=lasting(door.minimum_age, "year", self._language))
        if door.unknown_age == "use":
            yield _("Also people whose age we do not know")

    def _purpose(self) -> Iterator[str | Words | None]:
        """Purpose, legal basis, the interests pursued (Art. 13(1)(c) and (d) GDPR), and from when."""
        _, policy = self._, self._policy
        yield from self._purposes()
        yield _("Legal basis: %(basis)s", basis=_(BASES[policy.basis.use]))
        if policy.basis.use is Basis.CONSENT:
            yield _("Only content of people who agreed is used.")
        if policy.basis.use is Basis.LEGITIMATE_INTERESTS:
            yield self._said("interests", _("Our legitimate interests:"))
        if policy.notice.required and policy.notice.period_days:
            days = lasting(policy.notice.period_days, "day", self._language)
            yield _("Time between this notice and the first use of your content: %(time)s", time=days)

    def _purposes(self) -> Iterator[Words | None]:
        """In the controller's words for the reader's language, else in those for the default one."""
        _, purpose = self._, self._policy.purpose
        default = self._policy.notice.languages[0]
        name = Words(_(PURPOSE), self._language) if purpose.name == PURPOSE else Words(purpose.name, default)
        yield self._said("purpose_name", _("Purpose:")) or (replace(name, label=_("Purpose:")) if name.text else None)
        yield self._said("purpose") or (Words(purpose.description, default) if purpose.description else None)

    def _recipients(self) -> Iterator[str | Words | None]:
        """Arts 13(1)(e) and (f), 13(2)(a) and 14(2)(f) GDPR."""
        _, days = self._, lasting(self._policy.retention.versions_days, "day", self._language)
        yield self._said("recipients", _("Who receives it:"))
        yield self._said("transfers", _("Transfers to other countries:"))
        yield self._said("storage", _("How long it is kept:"))
        yield _("Time until an old version of the training data is deleted: %(time)s", time=days)
        yield self._said("source", _("Where it comes from:"))

    def _rights(self) -> Iterator[str]:
        """Arts 13(2)(b) to (d) GDPR."""
        _, basis = self._, self._policy.basis.use
        yield _("You can object to the use of your content (Art. 21 GDPR).")
        if basis is Basis.CONSENT:
            yield _(
                "You can withdraw your consent at any time. That does not change what happened before (Art. 7 GDPR)."
            )
        yield _("You can see what is held about you, and get a copy (Art. 15 GDPR).")
        yield _("You can have wrong data corrected (Art. 16 GDPR).")
        yield _("You can have your data deleted (Art. 17 GDPR).")
        yield _("You can have the use of your data restricted (Art. 18 GDPR).")
        if basis in {Basis.CONSENT, Basis.CONTRACT}:
            yield _("You can take your data with you in a form that machines can read (Art. 20 GDPR).")
        yield _("You can complain to a supervisory authority (Art. 77 GDPR).")

    def _contact(self, authority: Authority | None) -> Iterator[str]:
        """Arts 13(1)(a) and (b), 13(2)(d) GDPR."""
        _, controller = self._, self._policy.controller
        home = countries([controller.country], self._language) if controller.country else ""
        place = ", ".join(part for part in (name_of(self._policy), controller.address, home) if part)
        yield _("Responsible for this (controller): %(name)s", name=place)
        if controller.contact:
            yield _("Questions? Write to %(address)s.", address=controller.contact)
        if controller.dpo:
            yield _("Data protection officer: %(address)s", address=controller.dpo)
        yield from complaint_of(authority, self._language)


def complaint_of(authority: Authority | None, language: str) -> tuple[str, ...]:
    """Where to complain (Art. 13(2)(d) GDPR), a line or two."""
    _ = speaker(language)
    everyone = _("Supervisory authorities of all countries: %(url)s", url=MEMBERS)
    if authority is None:
        return (everyone,)
    own = _("Supervisory authority: %(name)s, %(url)s", name=authority.name, url=authority.url)
    if not authority.states:
        return (own,)
    return (own, _("In Germany, most companies answer to the authority of their federal state."))
