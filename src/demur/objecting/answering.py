"""What becomes of an objection that its holder is asked about: confirmed, denied, brought back.

Invariants: what was denied or has lapsed binds again when its holder says after all that it was them, so that no
objection is lost because somebody was late, and only once however often they say so.
"""

from collections.abc import Mapping
from typing import Final, Literal

from demur.objecting.channels import PROVEN, Route, new_person
from demur.objecting.office import Office
from demur.register import ObjectionPhase, ObjectionState, Register
from demur.register.database.records import JSON

Answer = Literal["yes", "no"]

_NEWER: Final = "returned."
"""Before the number of an objection that lapsed, the register's mark that holds the number of the one in its place."""


def answer(register: Register, state: ObjectionState, said: Answer, office: Office) -> int:
    """Take the answer of an objection's holder; the number of the objection that it is about from now on.

    An answer to a question that is settled changes nothing.
    """
    with register.locked():
        stood = register.objections.get(state.reference)  # as it is now: somebody may have been faster
        if stood.phase is ObjectionPhase.LODGED and said == "yes":
            register.objections.confirm(stood.reference, now=office.now)
        elif stood.phase is ObjectionPhase.LODGED:
            register.objections.lapse(stood.reference, cause="denied", now=office.now)
        elif stood.phase is ObjectionPhase.LAPSED and said == "yes" and can_return(register, stood):
            return _again(register, stood, office)
    return stood.seq


def can_return(register: Register, state: ObjectionState) -> bool:
    """Whether an objection that lapsed can be lodged anew: it is known what it was about.

    However it came, its holder was asked by the same question: a letter that staff recorded is no exception.
    """
    named = "names" if state.channel == Route.NO_ACCOUNT else "accounts"
    said = register.objections.statement(state.reference) or {}
    return state.channel not in PROVEN and bool(texts(said, named))


def _again(register: Register, state: ObjectionState, office: Office) -> int:
    """Lodge an objection anew that its holder confirms too late; the number of the one that stands then."""
    said = register.objections.statement(state.reference) or {}
    accounts = [new_person()] if state.channel == Route.NO_ACCOUNT else texts(said, "accounts")
    standing = _newer(register, state)
    if standing is None:
        standing = register.objections.standing(office.keys.pepper.subject_key(accounts[0]), confirmed=True)
    if standing is not None:
        return standing
    receipt = register.objections.lodge(accounts, channel=state.channel, statement=said, now=office.now)
    register.objections.confirm(receipt.reference, now=office.now)
    register.set_state(f"{_NEWER}{state.seq}", str(receipt.seq))
    return receipt.seq


def _newer(register: Register, state: ObjectionState) -> int | None:
    """The number of the objection that was lodged anew for one that lapsed, where it stands."""
    seq = int(register.state(f"{_NEWER}{state.seq}") or 0)
    reference = register.objections.reference_of(seq) if seq else None
    return seq if reference and register.objections.get(reference).binding else None


def texts(said: Mapping[str, JSON], name: str) -> list[str]:
    """A list of texts in a statement."""
    found = said.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []
