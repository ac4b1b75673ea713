"""A receipt's reference in the place of an account, for people who have none (Arts 15 and 17 GDPR).

Invariants: it leads to the account under which the words of somebody without an account are sealed, which nobody can
name, and to no other: whoever typed in an account, or wrote a letter that names one, holds a reference, too, which
proves nothing about that account.
"""

from demur.errors import UsageError
from demur.objecting.channels import Route, nameless
from demur.register import Register


def account_of(register: Register, reference: str) -> str:
    """The account of whoever objected without one.

    Raises:
        RegisterError: for an unknown reference.
        UsageError: where it is no such objection, or nothing is left of what was said with it.
    """
    state = register.objections.get(reference)
    accounts = register.members.identifiers(register.persons.named(state.seq))
    if not any(accounts):
        raise UsageError(f"What was said with the objection {state.reference} was erased: nothing is left to ask for.")
    (account, *others) = accounts
    if others or account is None or not nameless(account) or state.channel == Route.TYPED:
        raise UsageError(
            f"The objection {state.reference} was lodged for an account, and a reference does not prove whose that is: "
            "make sure who asks, and give the account instead (--account)."
        )
    return account
