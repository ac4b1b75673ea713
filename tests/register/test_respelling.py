"""Another rule of names: a register that was filled under the one before opens under it, on either database."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from demur.identity import Keys
from demur.register import MEMBER, Register
from demur.spelling import Names

if TYPE_CHECKING:
    from tests.register.conftest import Place


def under(keys: Keys, *namespaces: str) -> Keys:
    """The keys where names of some namespaces have no case."""
    return replace(keys, pepper=replace(keys.pepper, names=Names(ignore_case=frozenset(namespaces))))


def test_a_register_opens_under_another_rule_and_back(prepared: "Place") -> None:
    members = [{"account": f"forum:Member{number}", "mail": f"M{number}@mail.example"} for number in range(3)]
    with prepared.open() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(members, schema=MEMBER)])
        register.objections.lodge(["forum:Member1"], channel="web")
        entries = register.log.head().seq
    with Register.open(prepared.url, under(prepared.keys, "forum")) as register:
        assert register.log.head().seq > entries, "which spellings are one account's is on record"
        assert register.persons.covered(register.persons.subject("forum:MEMBER1"))
        register.objections.lodge(["forum:member2"], channel="web")
    with Register.open(prepared.url, prepared.keys) as register:
        assert [each.binding for each in register.objections.of("forum:Member1")] == [True]
        wrong: list[str] = []
        register.audit(wrong.append)
        assert wrong == []
