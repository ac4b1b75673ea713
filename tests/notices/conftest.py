"""Policies whose notice is complete, and members to tell. All names are invented."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from demur.policy import Assessment, Controller, LegalBasis, Notice, Policy, Portal, Wording
from demur.register import Member

WORDS = Wording(
    purpose="We train a model that answers questions about the harbour.",
    interests="To offer answers in the languages of our members.",
    recipients="Nobody outside Harbour Commons receives it.",
    transfers="It does not leave the European Economic Area.",
    storage="Until the model is replaced by the next one.",
    source="Reviews come from Quay Reviews.",
)


@pytest.fixture
def words() -> Wording:
    """What only the controller can say."""
    return WORDS


@pytest.fixture
def policy() -> Policy:
    """A policy whose notice says everything."""
    return Policy(
        effective_date=date(2027, 2, 1),
        regions=("DE", "IE", "MT"),
        controller=Controller(
            name="Harbour Commons",
            contact="privacy@harbour.example",
            dpo="dpo@harbour.example",
            address="1 Quay Street, Galway",
            country="IE",
        ),
        basis=LegalBasis(
            legitimate_interests=Assessment(document="lia.pdf", date=date(2026, 1, 10), signed_by="The board")
        ),
        notice=Notice(languages=("en",), wording={"en": WORDS}),
        portal=Portal(url="https://object.harbour.example"),
    )


@pytest.fixture
def changed(policy: Policy) -> Callable[..., Policy]:
    """The policy with keys changed: ``changed("controller", name="")``; without a table, keys of the root."""

    def change(table: str = "", /, **values: Any) -> Policy:  # noqa: ANN401  # keys of a policy
        if not table:
            return policy.model_copy(update=values)
        section = getattr(policy, table).model_copy(update=values)
        return policy.model_copy(update={table: section})

    return change


@pytest.fixture
def ann() -> Member:
    """A member in Germany who reads English."""
    return Member(
        account="forum:ann",
        names=("Ann",),
        locale="en-IE",
        mail="ann@mail.example",
        region="DE",
        birth_year=1980,
        told_on=None,
        consented=False,
    )
