"""What becomes of an objection that stands: confirmed, doubted, ended, brought back, withdrawn.

Invariants: silence ends nothing. Only where an officer has put reasonable doubt on record (Art. 12(6) GDPR), about an
objection that somebody typed and whose holder can be asked, does it lapse, unanswered, after the question and every
reminder. Whoever stood for an objection is told of its withdrawal, whoever withdrew it; what the holder of a typed
account or contact has confirmed is theirs to withdraw and nobody else's, by any link; what a receipt may tell follows
from how the objection was withdrawn, which is on record. What has ended is brought back as it was, by its holder or
by an officer: no objection is lost because somebody was late, or pressed the wrong button.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, Literal

from demur.errors import UsageError
from demur.objecting.channels import PROVEN, RECORDED, SAID, Route
from demur.objecting.office import Office, To, post_question, post_receipt, post_withdrawn, reached
from demur.objecting.senders import Doubt
from demur.register import ObjectionPhase, ObjectionState, Register
from demur.register.database.records import JSON
from demur.register.objections.phases import LapseCause

Reply = Literal["yes", "no"]

_NEWER: Final = "returned."
"""Before the number of an objection that lapsed, the mark of an earlier demur: the number of the one in its place."""
_BY: Final = "withdrawn."
"""Before the number of an objection of :data:`SAID`, the register's mark that says how it was withdrawn."""
_BY_RECEIPT: Final = "receipt"
_BY_HOLDER: Final = "holder"
_BY_NOBODY: Final = ""
"""It was brought back since."""


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
    """Record that its holder denied an objection, or that a doubted one was not answered in time: it binds no more.

    Raises:
        RegisterError: for an unknown reference, or one that was confirmed or has ended otherwise.
        UsageError: for one that is said to be unanswered and is not doubted, or whose holder still has time to answer.
    """
    with register.locked():
        state = register.objections.get(reference)
        waits = cause == "unconfirmed" and state.phase is ObjectionPhase.LODGED
        if waits and not register.objections.overdue(reference, office.now):
            raise UsageError(
                f"The objection {state.reference} does not end because nobody has answered: only one that somebody "
                "typed in, and that is doubted on record, lapses by itself after the reminders (`demur doubt`)."
            )
        return register.objections.lapse(reference, cause=cause, now=office.now)


# Doubt


def doubt(register: Register, reference: str, reason: str, office: Office) -> ObjectionState:
    """Record reasonable doubt whose an objection is (Art. 12(6) GDPR), and ask its holder anew; again, it does nothing.

    It goes on binding. Unless its holder answers, it lapses after the policy's days and every reminder.

    Raises:
        UsageError: without a reason, for one that nobody typed, or where no address of its holder is on file.
        RegisterError: for an unknown reference, or one that was confirmed or has ended.
    """
    with register.locked():
        state = register.objections.get(reference)
        if problem := undoubtable(register, state):
            raise UsageError(problem)
        if not reason.strip():
            raise UsageError(f"Say why you doubt whose the objection {state.reference} is: the reason is kept sealed.")
        if state.doubted is None:
            state = register.objections.doubt(reference, reason.strip(), days=office.answer_days, now=office.now)
            post_question(register, state, office, _holder(register, state))
        return state


def undoubtable(register: Register, state: ObjectionState) -> str:
    """Why an objection can't be doubted, in one sentence; "" where it can."""
    if state.channel != Route.TYPED:
        return f"The objection {state.reference} came by {state.channel}: only what somebody typed in can be doubted."
    if state.phase is ObjectionPhase.LODGED and not _askable(register, state):
        return (
            f"Nobody can be asked about the objection {state.reference}, as no email address is on file: it goes on "
            "without a deadline, until its holder says that it is not theirs."
        )
    return ""


def remind(register: Register, office: Office) -> int:
    """Remind the holders of doubted objections who are due for it; how many mails that puts into the outgoing mail.

    Each reminder and its record are one transaction. Where no address is on file any more, the doubt ends.
    """
    posted = 0
    for reference, number in register.objections.to_remind(office.now):
        with register.locked():
            if not register.objections.to_remind(office.now, reference):  # somebody was faster
                continue
            state = register.objections.get(reference)
            if not _askable(register, state):
                register.objections.unask(reference, now=office.now)
                continue
            post_question(register, state, office, _holder(register, state), reminder=number)
            register.objections.reminded(reference, number, now=office.now)
            posted += 1
    return posted


def _holder(register: Register, state: ObjectionState) -> To:
    return To(subject=int(register.objections.lodged_for(state.reference)[0]))


def _askable(register: Register, state: ObjectionState) -> bool:
    subject = _holder(register, state).subject
    return subject is not None and register.mails.address_of(subject) is not None


# The holder's answer, and what it undoes


def answer(register: Register, state: ObjectionState, said: Reply, office: Office) -> int:
    """Take the answer of an objection's holder: keep it ("yes"), or end it ("no"); each undoes the other.

    The number of the objection that it is about from now on. An answer that was given before changes nothing.
    """
    with register.locked():
        stood = register.objections.get(state.reference)  # as it is now: somebody may have been faster
        if said == "yes":
            return _keep(register, stood, office)
        if stood.phase is ObjectionPhase.LODGED:
            lapse(register, stood.reference, office, cause="denied")
        else:
            withdraw_as_holder(register, stood, office)
    return stood.seq


def _keep(register: Register, stood: ObjectionState, office: Office) -> int:
    if not stood.binding:
        newer = _newer(register, stood)
        if newer is not None:
            return newer
        _bring_back(register, stood, office)
    confirm(register, stood.reference, office)
    return stood.seq


def revive(register: Register, reference: str, office: Office) -> ObjectionState:
    """Bring back an objection that has lapsed, as an officer decides; whoever is asked about such ones is asked anew.

    It binds as it did, with its reference, its words and its files; again, it changes nothing.

    Raises:
        UsageError: for one that was withdrawn, which is its person's own wish.
        RegisterError: for an unknown reference.
    """
    with register.locked():
        state = register.objections.get(reference)
        if state.phase is ObjectionPhase.WITHDRAWN:
            raise UsageError(
                f"The objection {state.reference} was withdrawn by its person: record a new one if asked to."
            )
        if state.binding:
            return state
        state = _bring_back(register, state, office)
        _tell(register, state, office)
        return state


def _bring_back(register: Register, state: ObjectionState, office: Office) -> ObjectionState:
    mark = f"{_BY}{state.seq}"
    if register.state(mark) == _BY_HOLDER:
        register.set_state(mark, _BY_NOBODY)
    return register.objections.revive(state.reference, now=office.now)


def _tell(register: Register, state: ObjectionState, office: Office) -> None:
    """Tell whoever was told when it was lodged: by the receipt where they have shown that it is theirs, else ask."""
    if state.channel in {Route.API, Route.API_UNCONFIRMED}:  # the platform tells its member itself
        return
    to, said = _holder(register, state), register.objections.statement(state.reference) or {}
    if state.channel == Route.NO_ACCOUNT:
        to = To(address=str(said["contact"]) if said.get("contact") else None)
    elif state.channel in RECORDED and (named := texts(said, "accounts")):
        forgeable = frozenset(named if said.get("warning") == Doubt.SENDER_REWRITTEN else ())
        to = To(address=reached(register, named[0], replace(office, guessed=forgeable)), account=named[0])
    if state.channel in PROVEN:
        post_receipt(register, state, office, to)
    else:
        post_question(register, state, office, to)


def _newer(register: Register, state: ObjectionState) -> int | None:
    """The number of the objection that an earlier demur lodged anew for one that lapsed, where it stands."""
    seq = int(register.state(f"{_NEWER}{state.seq}") or 0)
    reference = register.objections.reference_of(seq) if seq else None
    return seq if reference and register.objections.get(reference).binding else None


# Withdrawal


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
            if state.channel in SAID and register.state(f"{_BY}{state.seq}") != _BY_RECEIPT:
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
