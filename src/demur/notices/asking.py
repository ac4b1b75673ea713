"""The question whether to keep an objection: its words, which the page and the mails share.

Invariants: the two answers are said in the same way, each with what follows from it; nothing here calls it wrong to
have objected, or to have done so for somebody else; a day stands only where a doubt on record ends the objection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from demur.notices.content import Behalf, name_of
from demur.notices.languages import N_
from demur.notices.words import day, speaker
from demur.policy import Policy

_GIVEN: Final[Mapping[Behalf, str]] = {
    "self": N_(
        "Somebody objected to AI training with your content at %(controller)s. They gave your account or email address."
    ),
    "child": N_(
        "Somebody objected to AI training with a child's content at %(controller)s. "
        "They gave your account or email address."
    ),
    "other": N_(
        "Somebody objected to AI training with another person's content at %(controller)s. "
        "They gave your account or email address."
    ),
}
_KEEP: Final[Mapping[Behalf, str]] = {
    "self": N_("Keep it: what you posted stays out of AI training. You can still end it later."),
    "child": N_("Keep it: what the child posted stays out of AI training. You can still end it later."),
    "other": N_("Keep it: what this person posted stays out of AI training. You can still end it later."),
}
_END: Final[Mapping[Behalf, str]] = {
    "self": N_("End it: what you posted may be used for AI training. You can still bring it back later."),
    "child": N_("End it: what the child posted may be used for AI training. You can still bring it back later."),
    "other": N_("End it: what this person posted may be used for AI training. You can still bring it back later."),
}
_ENDED: Final[Mapping[Behalf, tuple[str, str]]] = {
    "self": (N_("Your objection is withdrawn"), N_("Your content may be used again, as our notice says.")),
    "child": (
        N_("The objection for a child is withdrawn"),
        N_("The child's content may be used again, as our notice says."),
    ),
    "other": (
        N_("The objection for somebody else is withdrawn"),
        N_("This person's content may be used again, as our notice says."),
    ),
}


@dataclass(frozen=True)
class Question:
    """What is asked of whoever the mail about an objection reaches."""

    heading: str
    goes_on: tuple[str, ...]
    """What happens if nobody answers: a sentence or two."""
    given: tuple[str, ...]
    """What somebody did, who it may have been."""
    keep: str
    """What follows from keeping it."""
    end: str
    """What follows from ending it."""


def question_of(policy: Policy, language: str, behalf: Behalf, until: date | None) -> Question:
    """The question about an objection; ``until`` it stands without an answer, None where it does not end."""
    _ = speaker(language)
    return Question(
        heading=_("Keep this objection?"),
        goes_on=_goes_on(language, until),
        given=(
            _(_GIVEN[behalf], controller=name_of(policy)),
            _("Maybe that was you. Maybe somebody did it for you, for example a relative."),
        ),
        keep=_(_KEEP[behalf]),
        end=_(_END[behalf]),
    )


def _goes_on(language: str, until: date | None) -> tuple[str, ...]:
    _ = speaker(language)
    if until is None:
        return (_("This objection applies already. It goes on if you do nothing."),)
    return (
        _("This objection applies already. It ends on %(day)s if nobody answers.", day=day(until, language)),
        _("We ask because we have reason to doubt who sent it."),
    )


def withdrawn_of(language: str, behalf: Behalf) -> tuple[str, str]:
    """What is said of an objection that was withdrawn: a heading, and what follows."""
    _ = speaker(language)
    heading, follows = _ENDED[behalf]
    return _(heading), _(follows)
