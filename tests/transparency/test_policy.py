"""Policies of witnesses: groups in groups are counted in the order of the file, however deep they stand."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.transparency.cosignature import WitnessKey
from demur.transparency.policy import WitnessPolicy


def test_groups_may_stand_in_groups_as_deeply_as_the_file_is_long() -> None:
    one, two = (
        WitnessKey.of(f"w.example/{number}", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
        for number in (1, 2)
    )
    groups = [f"group g{at} any {f'g{at - 1}' if at else 'w1'}" for at in range(1000)]
    lines = [f"witness w1 {one.text}", f"witness w2 {two.text}", *groups, "group both all g999 w2"]
    policy = WitnessPolicy.read("\n".join([*lines, "quorum both"]).encode())
    assert policy.is_met({one, two})
    assert not policy.is_met({one})
    assert not policy.is_met({two})
