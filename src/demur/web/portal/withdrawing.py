"""Withdrawing an objection, by its receipt or by the link of the question that its holder answered.

Invariants: what the holder of a typed account or contact has confirmed is theirs to withdraw and nobody else's; what a
receipt may tell follows from how the objection was withdrawn, which is on record.
"""

from typing import Final

from demur.register import ObjectionPhase, ObjectionState, Register
from demur.web.portal.lodging import SAID, Counter, texts

BY_RECEIPT: Final = "receipt"
BY_HOLDER: Final = "holder"
"""How an objection of :data:`SAID` was withdrawn on the portal: what its receipt may tell depends on it."""


def held(state: ObjectionState) -> bool:
    """Whether an objection that somebody typed is its holder's, who confirmed it: they alone can withdraw it."""
    return state.channel in SAID and state.phase is ObjectionPhase.CONFIRMED


def withdraw(register: Register, state: ObjectionState, counter: Counter) -> None:
    """Withdraw by its receipt an objection, and those that were lodged with it for accounts that its person named.

    What its holder has confirmed stands. One that somebody typed reads as withdrawn from then on in any case: its
    receipt tells nothing of anybody.
    """
    with register.locked():
        said = register.statement(state.reference) or {}
        for part in [state.reference, *texts(said, "objections")]:
            stood = register.objection(part)  # as it is now: somebody may have been faster
            if stood.binding and not held(stood):
                _withdraw(register, stood, counter)
        if state.channel in SAID:
            register.set_state(withdrawn_mark(state.seq), BY_RECEIPT)


def withdraw_as_holder(register: Register, state: ObjectionState, counter: Counter) -> None:
    """Withdraw an objection by the link of the question that its holder answered."""
    with register.locked():
        stood = register.objection(state.reference)
        if stood.binding:
            _withdraw(register, stood, counter)
            if register.state(withdrawn_mark(state.seq)) is None:
                register.set_state(withdrawn_mark(state.seq), BY_HOLDER)


def _withdraw(register: Register, state: ObjectionState, counter: Counter) -> None:
    counter.post_withdrawn(register, state, register.statement(state.reference) or {})
    register.withdraw(state.reference, now=counter.now)


def withdrawn_mark(seq: int) -> str:
    """The name of the mark that says how an objection of :data:`SAID` was withdrawn."""
    return f"withdrawn.{seq}"
