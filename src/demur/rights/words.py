"""How a person's records are told to them: what each is called in their language, and where it stands on its platform.

Invariants: every kind, role, channel, phase and status that demur knows has words in every language (a test asks for
each); what only a platform knows, such as a channel of its own, is shown as it is. An address is made of nothing but an
account of the person's own, whose name is escaped in it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from babel.core import UnknownLocaleError
from babel.units import format_unit

from demur.notices.languages import N_, autonym, locale, matching
from demur.notices.words import AUDIENCES, Say, day, speaker
from demur.objecting.channels import Route
from demur.register import ObjectionPhase
from demur.runs.holding import Done
from demur.spelling import FEDIVERSE, MAIL
from demur.terms import Audience, Channel, Kind, NoticeStatus, Role

KINDS: Final[Mapping[str, str]] = {
    # Translators: one thing that somebody posted; each of these is the heading of such a thing.
    Kind.POST: N_("Post"),
    Kind.COMMENT: N_("Comment"),
    # Translators: what somebody wrote under a picture.
    Kind.CAPTION: N_("Caption"),
    Kind.PHOTO: N_("Photo"),
    # Translators: a picture or film that a social network shows for a day.
    Kind.STORY: N_("Story"),
    Kind.REEL: N_("Short video"),
    Kind.PROFILE: N_("Profile"),
    Kind.REVIEW: N_("Review"),
    Kind.GROUP_POST: N_("Post in a group"),
    # Translators: a page of an organisation or a person in a social network.
    Kind.PAGE_POST: N_("Post on a page"),
    Kind.MESSAGE: N_("Private message"),
    Kind.THIRD_PARTY_RECORD: N_("Record from another organisation"),
}

ROLES: Final[Mapping[str, str]] = {
    # Translators: "it" is a post of somebody else.
    Role.MENTION: N_("It names you."),
    Role.QUOTE: N_("It quotes you."),
    Role.RESHARE: N_("It shares a post of yours."),
    Role.TAG: N_("It shows you in a picture or video."),
}
_ABOUT: Final = N_("It is about you.")

CHANNELS: Final[Mapping[str, str]] = {
    # Translators: these stand beside "How it came" and say how an objection reached us.
    Route.LINK: N_("By the link in our email"),
    Route.SIGNED_IN: N_("From your account"),
    Route.TYPED: N_("By a name or address entered on our pages"),
    Route.NO_ACCOUNT: N_("By the form for people without an account"),
    Route.API: N_("From the settings of our service"),
    Route.API_UNCONFIRMED: N_("Our service passed it on"),
    Route.ERASURE: N_("With the deletion of your data"),
    Route.LETTER: N_("By letter"),
    Route.MAIL: N_("By email"),
    Route.TICKET: N_("By a message to our support"),
    Route.FORM: N_("By a form"),
}

STANDS: Final[Mapping[str, str]] = {
    ObjectionPhase.LODGED: N_("It applies."),
    ObjectionPhase.CONFIRMED: N_("It applies, and it is confirmed."),
    ObjectionPhase.LAPSED: N_("It has ended: nobody confirmed it, or it was denied."),
    ObjectionPhase.WITHDRAWN: N_("It was withdrawn and does not apply any more."),
}

STEPS: Final[Mapping[str, str]] = {
    # Translators: these stand beside a day and say what became of an objection then.
    ObjectionPhase.LODGED: N_("Received"),
    ObjectionPhase.CONFIRMED: N_("Confirmed"),
    ObjectionPhase.LAPSED: N_("Ended"),
    ObjectionPhase.WITHDRAWN: N_("Withdrawn"),
    "doubted": N_("We doubt whose it is"),
    "revived": N_("Applies again"),
}

SAID: Final[Mapping[str, str]] = {
    # Translators: these stand beside what somebody said when they objected.
    "names": N_("Names"),
    "former": N_("Former names"),
    "accounts": N_("Accounts"),
    "links": N_("Links"),
    # Translators: further user names and addresses of profiles or posts, which somebody added later.
    "elsewhere": N_("Accounts and links"),
    "contact": N_("Contact"),
    "text": N_("Text"),
}
"""What may be said with an objection; the rest of a statement is demur's own and is told as it is."""

NOTICE_CHANNELS: Final[Mapping[str, str]] = {
    Channel.MAIL: N_("Email"),
    Channel.IN_APP: N_("Message in our service"),
}

NOTICES: Final[Mapping[str, str]] = {
    # Translators: these say what became of a notice to the reader.
    NoticeStatus.QUEUED: N_("It is not sent yet."),
    NoticeStatus.SENDING: N_("It is being sent now."),
    NoticeStatus.SENT: N_("Sent on %(day)s."),
    NoticeStatus.BOUNCED: N_("Sent on %(day)s. It came back, so it did not reach you."),
    NoticeStatus.FAILED: N_("It could not be sent."),
    NoticeStatus.CANCELLED: N_("It was not sent."),
}

MODELS: Final[Mapping[str, str]] = {
    # Translators: "it" is what somebody wrote, and what others wrote about them; a model is a language model (AI).
    Done.HOLDS: N_("The model %(name)s was trained on it."),
    # Translators: the model answers, for now, as it was at a moment of its training before it came to that person.
    Done.ROLLED_BACK: N_(
        "The model %(name)s was trained on it. It went back to a state that never saw it. "
        "We will train it again without it."
    ),
    Done.REPLAYED: N_(
        "The model %(name)s was trained on it. On %(day)s we trained it again without it, "
        "and destroyed what had seen it."
    ),
    Done.ELSEWHERE: N_("The model %(name)s was trained on it by other software. We cannot take it out exactly."),
}
_GIVEN_AWAY: Final = N_("Copies of this model were given away. We tell those who have one what they must remove.")

_PROFILES: Final[Mapping[str, str]] = {
    "facebook": "https://www.facebook.com/{name}",
    "instagram": "https://www.instagram.com/{name}/",
    "threads": "https://www.threads.com/@{name}",
    "x": "https://x.com/{name}",
}
"""Where profiles are on platforms that are the same for everybody; a policy may say otherwise, and adds its own."""
_ON_A_SERVER: Final = re.compile(r"@(?P<name>[^@/]+)@(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)")


@dataclass(frozen=True)
class Teller:
    """Tells records in one language."""

    language: str
    """One of LANGUAGES."""
    profiles: Mapping[str, str] = field(default_factory=dict)
    """Of `[accounts]`: addresses of profiles, by namespace."""

    @property
    def _say(self) -> Say:
        return speaker(self.language)

    def _word(self, words: Mapping[str, str], value: str) -> str:
        """The word for a value; the value itself where only its platform knows it."""
        return self._say(words[value]) if value in words else value

    def kind(self, kind: str) -> str:
        """What a row is: ``Post``."""
        return self._word(KINDS, kind)

    def how(self, roles: Iterable[str]) -> str:
        """What a row of somebody else's has to do with the person, in sentences."""
        return " ".join(self._word(ROLES, role) for role in roles) or self._say(_ABOUT)

    def audience(self, audience: str) -> str:
        """Who could see a row, in a sentence."""
        _ = self._say
        return _("Who could see it: %(list)s", list=_(AUDIENCES[Audience(audience)]))

    def came(self, channel: str) -> str:
        """How an objection came."""
        return self._word(CHANNELS, channel)

    def stands(self, phase: str) -> str:
        """How an objection stands, in a sentence."""
        return self._word(STANDS, phase)

    def step(self, phase: str) -> str:
        """What became of an objection on a day."""
        return self._word(STEPS, phase)

    def said(self, name: str) -> str | None:
        """What a part of a statement is called, None for what means something to demur alone."""
        return self._say(SAID[name]) if name in SAID else None

    def notice_channel(self, channel: str) -> str:
        """What brought a notice."""
        return self._word(NOTICE_CHANNELS, channel)

    def notice(self, status: str, on: date) -> str:
        """What became of a notice, in a sentence; ``on`` is the day it was sent, where it was."""
        return self._say(NOTICES[status], day=day(on, self.language))

    def model(self, held: Mapping[str, Any]) -> str:
        """What a model has of somebody and what was done about it; ``held`` are the fields of a HeldIn."""
        name = f"{held['run']}/{held['model']}" if held["model"] else held["run"]
        said = self._say(MODELS[held["done"]], name=name, day=day(held["time"].date(), self.language))
        return f"{said} {self._say(_GIVEN_AWAY)}" if held["exported"] else said

    def country(self, code: str) -> str:
        """A country by its name."""
        return str(locale(self.language).territories.get(code, code))

    def tongue(self, tag: str) -> str:
        """A language by its own name, as far as it is known."""
        try:
            return autonym(matching(tag) or tag)
        except (ValueError, UnknownLocaleError):
            return tag

    def size(self, size: int) -> str:
        """A size in bytes, as people say it."""
        kilobytes = max(1, round(size / 1000))
        return str(format_unit(kilobytes, "digital-kilobyte", "short", locale=locale(self.language)))

    def account(self, account: str) -> str:
        """An account as people write it, with where it is: ``ann (forum)``; a mail address as it is."""
        namespace, _, name = account.partition(":")
        return name if namespace in {MAIL, FEDIVERSE} else f"{name} ({namespace})"

    def profile(self, account: str | None) -> str:
        """The address of an account's profile; "" where nobody knows it."""
        namespace, _, name = (account or "").partition(":")
        pattern = self.profiles.get(namespace) or _PROFILES.get(namespace)
        if pattern and name:
            return pattern.replace("{name}", quote(name, safe=""))
        found = _ON_A_SERVER.fullmatch(name) if namespace == FEDIVERSE else None
        return f"https://{found['host']}/@{quote(found['name'], safe='')}" if found else ""
