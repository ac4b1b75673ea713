"""Withdrawing an objection: by its receipt, by the link of the question that its holder answered, by staff.

Invariants: whoever stood for the objection is told of its end, whoever ended it; what the holder of a typed account or
contact has confirmed is theirs to withdraw and nobody else's, by any link; what a receipt may tell follows from how
the objection was withdrawn, which is on record.
"""

from typing import Final

from demur.objecting.answering import texts
from demur.objecting.channels import SAID, Route
from demur.objecting.office import Office, post_withdrawn
from demur.register import ObjectionPhase, ObjectionState, Register

_BY: Final = "withdrawn."
"""Before the number of an objection of :data:`SAID`, the register's mark that says how it was withdrawn."""
_BY_RECEIPT: Final = "receipt"
_BY_HOLDER: Final = "holder"


def held(state: ObjectionState) -> bool:
    """Whether an objection that somebody typed is its holder's, who confirmed it: no receipt's link withdraws it."""
    return state.channel in SAID and state.phase is ObjectionPhase.CONFIRMED


def withdraw(register: Register, reference: str, office: Office) -> ObjectionState:
    """Withdraw an objection at the person's own wish, as staff or the platform say.

    Raises:
        RegisterError: for an unknown reference, or one that has lapsed.
    """
    with register.locked():
        state = register.objections.get(reference)
        if state.binding:
            post_withdrawn(register, state, office)
        return register.objections.withdraw(reference, now=office.now)


def withdraw_by_receipt(register: Register, state: ObjectionState, office: Office) -> None:
    """Withdraw an objection, and those that were lodged with it for accounts that its person named.

    What its holder has confirmed stands. One that somebody typed reads as withdrawn from then on in any case: its
    receipt tells nothing of anybody.
    """
    with register.locked():
        said = register.objections.statement(state.reference) or {}
        for part in [state.reference, *texts(said, "objections")]:
            stood = register.objections.get(part)  # as it is now: somebody may have been faster
            if stood.binding and not held(stood):
                withdraw(register, stood.reference, office)
        if state.channel in SAID:
            register.set_state(f"{_BY}{state.seq}", _BY_RECEIPT)


def withdraw_as_holder(register: Register, state: ObjectionState, office: Office) -> None:
    """Withdraw an objection by the link of the question that its holder answered."""
    with register.locked():
        stood = register.objections.get(state.reference)
        if stood.binding:
            withdraw(register, stood.reference, office)
            if register.state(f"{_BY}{state.seq}") is None:
                register.set_state(f"{_BY}{state.seq}", _BY_HOLDER)


def told_phase(register: Register, state: ObjectionState) -> ObjectionPhase:
    """The phase that a receipt tells: of a typed account, nothing that its holder did."""
    by = register.state(f"{_BY}{state.seq}") if state.channel in SAID else None
    if by == _BY_RECEIPT:
        return ObjectionPhase.WITHDRAWN
    untold = state.phase is not ObjectionPhase.WITHDRAWN or by == _BY_HOLDER
    return ObjectionPhase.LODGED if state.channel == Route.TYPED and untold else state.phase
