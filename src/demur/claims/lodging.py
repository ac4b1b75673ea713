"""Lodging a claim: what is taken, and under whose key it is sealed.

Invariants: nothing is asked for but what the model said; an account that somebody types proves nothing, so that it
seals the claim, to be erased with it, and opens nothing of it; what can't be kept is refused in one sentence.
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from demur.characters import IN_TEXT, SURROGATES
from demur.errors import CorpusError, UsageError
from demur.objecting.channels import Route, new_person
from demur.objecting.naming import is_mail
from demur.objecting.office import Office
from demur.register import ClaimState, Register
from demur.register.claims import Said
from demur.register.members.people import identify
from demur.runs.folder import RunFolder, by_name, runs_in
from demur.runs.pointer import read_pointer
from demur.status import answer_due
from demur.tokens import Purpose

LONGEST: Final = 10_000
"""Characters of what a model said, and of what it was asked."""
_CONTROL: Final = re.compile(f"[{IN_TEXT}{SURROGATES}]")
_CALLED: Final = {"output": "what the model said", "prompt": "what it was asked"}


@dataclass(frozen=True)
class Came:
    """How a claim came."""

    channel: str
    """A Route: on the portal, `typed-in` with an account and `no-account` without."""
    received: date | None = None
    """The day it came, where that was before today."""

    @classmethod
    def by_portal(cls, said: Said) -> "Came":
        """By the form that anybody reaches."""
        return cls(Route.TYPED if said.account else Route.NO_ACCOUNT)


def lodge(register: Register, said: Said, office: Office, came: Came, run: str | None = None) -> ClaimState:
    """Record a claim.

    Args:
        register: where.
        said: what somebody says.
        office: with which policy, and when.
        came: how it came.
        run: the run that is said to have answered, one of :func:`answering` or another that is known.

    Raises:
        UsageError: where it holds what can't be kept.
        IdentityError: for a malformed account.
    """
    require_kept(said)
    account = identify(said.account, office.policy.accounts.names) if said.account else ""
    said = replace(said, account=account, language=said.language or office.page_language)
    return register.claims.lodge(
        said, account or new_person(), channel=came.channel, run=run, received=came.received, now=office.now
    )


def require_kept(said: Said) -> None:
    """Make sure that a claim can be kept.

    Raises:
        UsageError: when nothing was said, too much, a control character, or an address that is none.
    """
    if not said.output.strip():
        raise UsageError("Say what the model said: a claim needs that, and nothing else.")
    for name, called in _CALLED.items():
        text: str = getattr(said, name)
        if len(text) > LONGEST:
            raise UsageError(
                f"There is room for {LONGEST:,} characters of {called}, and these are {len(text):,}: cut it."
            )
        if _CONTROL.search(text):
            raise UsageError(f"There is a control character in {called}: take it out; line breaks and tabs may stay.")
    if said.contact and not is_mail(said.contact):
        raise UsageError("The address for the answer is no mail address: write one like name@example.org, or none.")


def answering(models: Path) -> list[str]:
    """The runs and families of which something answers now, by name; one whose files are damaged is left out."""
    return [name for name, runs in by_name(models).items() if all(map(_answers, runs))]


def run_called(models: Path, name: str) -> str | None:
    """The run, cohort or family of that name, None for "".

    Raises:
        UsageError: when there is none.
    """
    known = {*by_name(models), *(run.name for run in runs_in(models))}
    if name and name not in known:
        raise UsageError(f"There is no run {name!r}: `demur runs` lists those that there are.")
    return name or None


def due(state: ClaimState) -> date:
    """The last day for the answer (Art. 12(3) GDPR)."""
    return answer_due(state.received)


def link(office: Office, state: ClaimState, language: str) -> str:
    """The address of the page that says how a claim stands."""
    return f"{office.policy.portal.url}/{language}/claim/{office.tokens.make(Purpose.CLAIM, state.seq)}"


def _answers(run: RunFolder) -> bool:
    try:
        return read_pointer(run) is not None
    except CorpusError:
        return False
