"""An erasure as far as the register goes, for tests that have no corpus: what rights/erasing.py calls there."""

from datetime import datetime

from demur.register import Register


def erase_details(register: Register, account: str, *, now: datetime | None = None) -> int:
    """Destroy every sealed detail of an account's person; of how many accounts the identifier was on file."""
    keys = register.persons.own(account)
    known = sum(name is not None for name in register.members.identifiers(keys))
    register.persons.destroy(keys, now=now)
    register.persons.scrub()
    return known
