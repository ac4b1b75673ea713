"""Objections that lapse on a day unless somebody confirms them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from demur.register import Receipt, Register


def lodge_due(register: Register, due: Iterable[tuple[str, datetime]], channel: str = "typed-in") -> list[Receipt]:
    """Lodge an objection for each account, which lapses when its time has come."""
    with register.locked():
        return [_lodge(register, account, until, channel) for account, until in due]


def _lodge(register: Register, account: str, until: datetime, channel: str) -> Receipt:
    receipt = register.objections.lodge([account], channel=channel)
    register.objections.doubt(receipt.reference, "It was not like them.", days=28, now=until - timedelta(days=28))
    return receipt
