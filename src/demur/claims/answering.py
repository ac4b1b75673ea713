"""Answering a claim by what its last test found: on its page, and by mail where an address was given.

Invariants: the entry and the mail are recorded together or not at all; the mail names no words of the claim, and
nobody whose rows hold them; an answer is an officer's, who may add to it, and never a refusal.
"""

from collections.abc import Mapping
from typing import Final

from demur.claims.lodging import link
from demur.notices.words import languages_of
from demur.objecting.office import Office
from demur.register import ClaimState, Outcome, Register
from demur.register.claims import Said

FOUND: Final[Mapping[Outcome, str]] = {
    Outcome.REPRODUCED: "reproduced: the model said it again",
    Outcome.HELD: "held: the words stand in rows that a run was trained on",
    Outcome.NOT_FOUND: "not found, which is no proof that the model never says it",
}
"""What a test found, in words for staff."""


def answer(register: Register, reference: str, office: Office, *, note: str = "") -> ClaimState:
    """Answer a claim.

    Args:
        register: where.
        reference: the claim's.
        office: with which policy, and when.
        note: what the officer adds, for the page alone; sealed.

    Raises:
        RegisterError: for an unknown reference, one that was not tested yet, or is answered already.
    """
    with register.locked():
        said = register.claims.said(reference)
        mailed = said is not None and bool(said.contact)
        state = register.claims.answered(reference, note=note.strip(), mailed=mailed, now=office.now)
        if said is not None and mailed:
            _post(register, state, said, office)
    return state


def _post(register: Register, state: ClaimState, said: Said, office: Office) -> None:
    """Queue the mail; no account is named with it, as a mail that comes back would end doubts about an account."""
    language = said.language or languages_of(office.policy)[0]
    result = state.result or {}
    params = {
        "reference": state.reference,
        "url": link(office, state, language),
        "outcome": result["outcome"],
        "asked": result.get("asked"),
    }
    register.mails.post("claim", language, params, address=said.contact, now=office.now)
