"""What else somebody is called: other spellings of their name, former names, handles and links elsewhere.

Invariants: nobody has to say any of it, and none of it asks for a proof; handles and links that are accounts bind at
once, as any objection does; spellings that are added to an objection count at once, so that they are taken only where
it is shown whose objection it is (ADR 0035). What is typed with an objection is for lodging.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from demur.errors import UsageError
from demur.objecting.channels import PROVEN
from demur.objecting.lodging import Statement, without_account
from demur.objecting.naming import account_of, is_link, tidy
from demur.objecting.office import Office
from demur.register import ObjectionPhase, ObjectionState, Register
from demur.spelling import Names

LONGEST_LINK = 2000
"""Characters of an address on the web."""


@dataclass(frozen=True)
class Called:
    """What somebody is called besides."""

    names: tuple[str, ...] = ()
    """Other spellings, and handles that are no account: each is looked for as a name."""
    former: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    """Handles and links that are accounts."""
    links: tuple[str, ...] = ()
    """Other addresses: for the officer to look at."""

    @classmethod
    def of(cls, names: Iterable[str], former: Iterable[str], elsewhere: Iterable[str], known: Names) -> "Called":
        """What was typed, sorted out.

        Args:
            names: spellings.
            former: names that they had.
            elsewhere: handles and links, in any mixture: a handle without its place is no account of any platform.
            known: how the policy says that names are compared, and where its profiles are.
        """
        lines = list(dict.fromkeys(filter(None, (tidy(each, LONGEST_LINK) for each in elsewhere))))
        read = {line: account_of(line, "", known) for line in lines}
        others = [line for line, account in read.items() if account is None]
        handles = [tidy(line.removeprefix("@")) for line in others if not is_link(line)]
        return cls(
            _tidied([*names, *handles]),
            _tidied(former),
            tuple(dict.fromkeys(account for account in read.values() if account)),
            tuple(line for line in others if is_link(line)),
        )

    def __bool__(self) -> bool:
        return bool(self.names or self.former or self.accounts or self.links)


def adds(state: ObjectionState) -> bool:
    """Whether spellings can be added to an objection: whether it is shown whose it is."""
    return state.binding and (state.channel in PROVEN or state.phase is ObjectionPhase.CONFIRMED)


def add(register: Register, reference: str, called: Called, office: Office, asking: frozenset[str]) -> int | None:
    """Put on record what somebody is called besides, with an objection that stands; its spellings count at once.

    Args:
        register: where.
        reference: of the objection.
        called: what they are called.
        office: with what, and when.
        asking: the accounts whose holders may get a mail.

    Returns:
        The number of the objection that holds accounts and links, which has a receipt of its own; None without any.

    Raises:
        RegisterError: for an unknown reference, one that has ended, or whose details were erased.
        UsageError: where nobody has shown whose objection it is.
    """
    with register.locked():
        state = register.objections.get(reference)
        if state.binding and not adds(state):
            raise UsageError(
                f"Nobody has confirmed the objection {state.reference} yet: confirm it first, then add the names."
            )
        elsewhere = (*called.accounts, *called.links)
        statement = Statement(accounts=called.accounts, links=called.links)
        beside = without_account(register, statement, office, asking, mail=False) if elsewhere else None
        register.objections.add_names(
            reference, called.names, former=called.former, elsewhere=elsewhere, beside=beside, now=office.now
        )
        return beside


def _tidied(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(tidy, names))))
