"""What becomes of an objection that stands: confirmed, denied, brought back, withdrawn.

Invariants: whoever stood for the objection is told of its end, whoever ended it; what the holder of a typed account or
contact has confirmed is theirs to withdraw and nobody else's, by any link; what a receipt may tell follows from how
the objection was withdrawn, which is on record. What was denied or has lapsed binds again when its holder says after
all that it was them, only once however often they say so: no objection is lost because somebody was late.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal

from demur.objecting.channels import PROVEN, SAID, Route, new_person
from demur.objecting.office import Office, post_withdrawn
from demur.register import ObjectionPhase, ObjectionState, Register
from demur.register.database.records import JSON
from demur.register.objections.phases import LapseCause

Reply = Literal["yes", "no"]

_NEWER: Final = "returned."
"""Before the number of an objection that lapsed, the register's mark that holds the number of the one in its place."""
_BY: Final = "withdrawn."
"""Before the number of an objection of :data:`SAID`, the register's mark that says how it was withdrawn."""
_BY_RECEIPT: Final = "receipt"
_BY_HOLDER: Final = "holder"


def confirm(register: Register, reference: str, office: Office) -> ObjectionState:
    """Record that its holder says that an objection is theirs: it can't lapse any more.

    Raises:
        RegisterError: for an unknown reference, or one that has ended.
    """
    return register.objections.confirm(reference, now=office.now)


def confirm_all(register: Register, seqs: Collection[int], office: Office) -> list[int]:
    """Confirm those of some objections, by number, that still wait for it; the numbers of these, oldest first.

    What has been settled otherwise meanwhile is left as it is.
    """
    return register.objections.confirm_all(seqs, now=office.now)


def lapse(register: Register, reference: str, office: Office, *, cause: LapseCause) -> ObjectionState:
    """Record that its holder denied an objection, or that nobody confirmed it in time: it binds no more.

    Raises:
        RegisterError: for an unknown reference, or one that was confirmed or has ended otherwise.
    """
    return register.objections.lapse(reference, cause=cause, now=office.now)


def answer(register: Register, state: ObjectionState, said: Reply, office: Office) -> int:
    """Take the answer of an objection's holder; the number of the objection that it is about from now on.

    An answer to a question that is settled changes nothing.
    """
    with register.locked():
        stood = register.objections.get(state.reference)  # as it is now: somebody may have been faster
        if stood.phase is ObjectionPhase.LODGED and said == "yes":
            confirm(register, stood.reference, office)
        elif stood.phase is ObjectionPhase.LODGED:
            lapse(register, stood.reference, office, cause="denied")
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
    confirm(register, receipt.reference, office)
    register.set_state(f"{_NEWER}{state.seq}", str(receipt.seq))
    return receipt.seq


def _newer(register: Register, state: ObjectionState) -> int | None:
    """The number of the objection that was lodged anew for one that lapsed, where it stands."""
    seq = int(register.state(f"{_NEWER}{state.seq}") or 0)
    reference = register.objections.reference_of(seq) if seq else None
    return seq if reference and register.objections.get(reference).binding else None


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


def texts(said: Mapping[str, JSON], name: str) -> list[str]:
    """A list of texts in a statement."""
    found = said.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []
