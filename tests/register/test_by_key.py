"""An objection by a subject key alone: of somebody whose link still works after everything else was erased."""

from demur.identity import Keys
from demur.register import Register


def test_binds_every_account_of_a_person_of_whom_nothing_else_is_left(register: Register, keys: Keys) -> None:
    register.link("x:a", "x:b")
    register.erase_details("x:a")
    subject = keys.pepper.subject_key("x:a")
    assert register.objections_of_key(subject) == []
    receipt = register.lodge_for_key(subject, channel="signed-link")
    both = sorted(keys.pepper.subject_keys(["x:a", "x:b"]).tolist())
    assert register.suppressed().tolist() == receipt.subjects.tolist() == both
    (state,) = register.objections_of_key(keys.pepper.subject_key("x:b"))
    assert (state.reference, state.channel, state.confirm_by) == (receipt.reference, "signed-link", None)
    register.withdraw(receipt.reference)
    assert register.suppressed().tolist() == []


def test_binds_a_key_that_the_register_has_never_seen(register: Register) -> None:
    receipt = register.lodge_for_key(7, channel="signed-link")
    assert register.suppressed().tolist() == [7]
    assert register.statement(receipt.reference) is None
