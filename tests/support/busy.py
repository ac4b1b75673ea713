"""A register to which everything happened that can happen to one. All names are invented.

It uses nothing that f7abe7e did not have, whose code made ``tests/register/golden/f7abe7e.sql`` with it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from demur.register import MEMBER, Delivered, Register, Selection
from demur.register.objections.lodging import Lodging
from demur.terms import Channel, EntryKind

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
ANYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)


def rows(*members: Mapping[str, Any]) -> pa.RecordBatch:
    """Members; what one does not say is null."""
    return pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | dict(each) for each in members], schema=MEMBER)


def fill(register: Register, *, erasing: bool = True) -> dict[str, str]:
    """Let everything happen; the references of the objections, by what became of them."""
    day = timedelta(days=1)
    _members(register, START)
    _notices(register, START + day)
    references = _objections(register, START + 2 * day)
    _links(register, START + 20 * day)
    _members(register, START + 30 * day, again=True)
    if erasing:
        _erase(register, "x:ann", START + 40 * day)
        register.members.import_all([rows({"account": "x:ben", "region": "FR"})], now=START + 41 * day)
    _notices(register, START + 50 * day)
    register.log.append(EntryKind.IMPORT_FINISHED, {"number": 1, "left_out": {}}, now=START + 51 * day)
    return references


def _members(register: Register, now: datetime, *, again: bool = False) -> None:
    ann = {"account": "x:ann", "names": ["Ann A."], "mail": "ann@x.example", "mail_verified": True, "region": "DE"}
    ben = {"account": "x:ben", "names": ["Ben B."], "mail": "ben@x.example", "birth_year": 1980, "consented": False}
    cyd = {"account": "x:cyd", "linked": ["y:cyd", "z:cyd"], "told_on": date(2026, 9, 1), "consented": again}
    dag = {"account": "x:dag", "mail": "ben@x.example", "mail_verified": again}
    eve = {"account": "x:eve", "linked": ["y:eve"], "locale": "de", "mail": "eve@x.example", "names": ["Eve"]}
    register.members.import_all([rows(ann, ben, cyd, dag, eve, cyd)], now=now)
    register.log.note_policy("aa" if again else "bb", now=now)


def _notices(register: Register, now: datetime) -> None:
    name = f"of {now.date()}"
    register.campaigns.start(name, ANYBODY, list(Channel), now=now)
    for channel in Channel:
        due = register.notices.claim(channel, 99, now=now)
        done = [Delivered(name, each.subject, "de", b"d" * 32, f"{channel}{name}.{each.subject}@x") for each in due]
        for half in (done[::2], done[1::2]):
            register.notices.sent(channel, half, now=now)
            now += timedelta(hours=1)
        for each in done[:2]:
            register.notices.bounced(each.message_id, cause="550", now=now + timedelta(days=1))


def _objections(register: Register, now: datetime) -> dict[str, str]:
    until = now + timedelta(days=7)
    said: dict[str, Any] = {"reason": "I said no.", "statement": {"names": ["Ann A."]}}
    ann = register.objections.lodge(["x:ann"], channel="mail", now=now, received=date(2026, 10, 30), **said)
    both = register.objections.lodge(["x:ben", "x:ann"], channel="form", reason="We both do.", now=now)
    late = register.objections.lodge(["x:cyd"], channel="typed-in", confirm_by=until, now=now)
    denied = register.objections.lodge(["x:dag"], channel="typed-in", confirm_by=until, now=now)
    silent = register.objections.lodge(["x:new"], channel="typed-in", confirm_by=until, now=now)
    gone = register.objections.lodge(["y:eve"], channel="web", now=now)
    unasked = register.objections.lodge(["x:eve"], channel="typed-in", confirm_by=until, now=now)
    for receipt in (late, unasked):
        account = "x:cyd" if receipt is late else "x:eve"
        told = {"reference": receipt.reference, "confirm_by": until.isoformat()}
        register.mails.post("confirm", "de", told, account=account, address="a@x.example", now=now)
    asked, returned = register.mails.claim(2, now=now)
    register.mails.sent([asked.id], now=now + timedelta(days=2))
    register.mails.failed(returned.id, "550 5.1.1", now=now + timedelta(days=2))
    register.objections.confirm(ann.reference, now=now)
    register.objections.lapse(denied.reference, cause="denied", now=now)
    register.objections.lapse(silent.reference, cause="unconfirmed", now=now + timedelta(days=8))
    register.objections.confirm(late.reference, now=now + timedelta(days=8, hours=1))
    register.objections.withdraw(gone.reference, now=now)
    register.objections.withdraw(late.reference, now=now + timedelta(days=9))
    many = [Lodging([f"forum:{number}"], channel="web", now=now) for number in range(20)]
    (last,) = register.objections.lodge_all([*many[:19], Lodging(["x:a", "x:b"], channel="api", reason="r", now=now)])[
        19:
    ]
    register.objections.lodge_for_key(int(np.int64(2) ** 61 + 5), channel="link", now=now)
    return {
        "confirmed": ann.reference,
        "lodged": both.reference,
        "withdrawn": gone.reference,
        "lapsed": silent.reference,
        "unasked": unasked.reference,
        "many": getattr(last, "reference", ""),
    }


def _links(register: Register, now: datetime) -> None:
    for pair in (("x:ann", "y:ann"), ("y:ann", "z:ann"), ("z:ann", "x:ann"), ("x:eve", "x:cyd")):
        register.members.link(*pair, now=now)
    register.members.unlink("x:ann", "y:ann", now=now)
    register.members.unlink("x:eve", "x:cyd", now=now)
    register.members.link("x:eve", "z:eve", now=now)
    register.members.unlink("x:eve", "z:eve", now=now)
    register.members.link("x:eve", "z:eve", now=now)
    register.members.consent(["x:ben", "x:zoe"], given=True, now=now)
    register.members.consent(["x:cyd", "x:zoe"], given=False, now=now)
    register.members.consent(["x:cyd"], given=True, now=now)


def _erase(register: Register, account: str, now: datetime) -> None:
    keys = register.persons.own(account)
    before = register.log.head().seq
    register.persons.destroy(keys)
    if register.log.head().seq == before:  # f7abe7e left the entry to its caller
        register.log.append(EntryKind.PERSON_ERASED, {"accounts": len(keys)}, subjects=keys, now=now)
