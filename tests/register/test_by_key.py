"""An objection by a subject key alone: of somebody whose link still works after everything else was erased."""

from erasing import erase_details

from demur.identity import Keys
from demur.register import Register


def test_binds_every_account_of_a_person_of_whom_nothing_else_is_left(register: Register, keys: Keys) -> None:
    register.members.link("x:a", "x:b")
    erase_details(register, "x:a")
    subject = keys.pepper.subject_key("x:a")
    assert register.objections.of_key(subject) == []
    receipt = register.objections.lodge_for_key(subject, channel="signed-link")
    both = sorted(keys.pepper.subject_keys(["x:a", "x:b"]).tolist())
    assert register.standing.suppressed().tolist() == receipt.subjects.tolist() == both
    (state,) = register.objections.of_key(keys.pepper.subject_key("x:b"))
    assert (state.reference, state.channel, state.confirm_by) == (receipt.reference, "signed-link", None)
    register.objections.withdraw(receipt.reference)
    assert register.standing.suppressed().tolist() == []


def test_binds_a_key_that_the_register_has_never_seen(register: Register) -> None:
    receipt = register.objections.lodge_for_key(7, channel="signed-link")
    assert register.standing.suppressed().tolist() == [7]
    assert register.objections.statement(receipt.reference) is None
