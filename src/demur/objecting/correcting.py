"""A typed account that was a slip: the right one is lodged, and the mistaken one ends where nobody is behind it.

Invariants: the right one is lodged in the transaction in which the other ends, so that nothing is lost between them.
Whoever typed can't tell what became of the other: its receipt reads as corrected in any case. It is withdrawn where
nobody can be reached at that account: nobody was told of it, and it must not stay in the officer's queue as a riddle.
Where somebody can, they may have been asked and told that it applies: it is theirs, stands, and only they end it.
"""

from collections.abc import Callable
from typing import Final

from demur.objecting.channels import Route
from demur.objecting.lodging import Statement, by_name, without_account
from demur.objecting.office import Office
from demur.objecting.settling import held, withdraw
from demur.register import ObjectionState, Register

_CORRECTED: Final = "corrected."
"""Before the number of a typed objection, the register's mark that holds the number of the one that corrects it."""


def is_corrected(register: Register, state: ObjectionState) -> bool:
    """Whether whoever typed an objection corrected it."""
    return state.channel == Route.TYPED and register.state(f"{_CORRECTED}{state.seq}") is not None


def correct_account(register: Register, state: ObjectionState, account: str, office: Office, *, ask: bool) -> int:
    """Object for the account that was meant; the number of the objection that counts from now on.

    The same account again is no correction: what was typed stands.
    """
    if office.keys.pepper.subject_key(account) in register.objections.lodged_for(state.reference):
        return state.seq
    return _instead(register, state, office, lambda: by_name(register, account, office, ask=ask).seq)


def correct_by_names(
    register: Register,
    state: ObjectionState,
    statement: Statement,
    office: Office,
    asking: frozenset[str],
    *,
    mail: bool,
) -> int:
    """Object by names where a name was taken for an account; the number of the objection that holds them.

    An account of that name among what is said now stays lodged.
    """
    return _instead(register, state, office, lambda: without_account(register, statement, office, asking, mail=mail))


def _instead(register: Register, state: ObjectionState, office: Office, lodge: Callable[[], int]) -> int:
    with register.locked():
        seq = lodge()
        stood = register.objections.get(state.reference)  # as it is now: somebody may have been faster
        if stood.binding and not held(stood) and not _reachable(register, stood):
            withdraw(register, stood.reference, office)
        register.set_state(f"{_CORRECTED}{state.seq}", str(seq))
    return seq


def _reachable(register: Register, state: ObjectionState) -> bool:
    """Whether an address of the account's holder is on file."""
    keys = register.objections.lodged_for(state.reference).tolist()
    return any(register.mails.address_of(key) is not None for key in keys)
