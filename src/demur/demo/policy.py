"""The policy of the demo: the safe defaults, and every rule of the door in use, so that each has something to do.

Invariant: its notice lacks nothing that `demur notice check` asks for, and what ``notice.toml`` says in it is true of
a demo.
"""

import tomllib
from datetime import date
from importlib.resources import files
from typing import Final

from demur.demo.writing import PARTNER, SINCE_YEARS
from demur.policy import Assessment, Controller, Door, LegalBasis, Notice, Policy, Portal, Purpose
from demur.policy.model import Wording

REGIONS: Final = ("AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "MT", "NL", "PL", "SE")


def demo_policy(today: date) -> Policy:
    """The policy as of ``today``: an invented controller, legitimate interests signed, thirty days of notice."""
    signed = Assessment(document="An invented assessment", date=today, signed_by="The demo")
    wording = _wording()
    return Policy(
        regions=REGIONS,
        effective_date=today,
        controller=Controller(
            name="Harbour Commons (invented)",
            contact="privacy@harbour.example",
            dpo="dpo@harbour.example",
            address="No Quay 1, Nowhere",
            country="IE",
        ),
        purpose=Purpose(description="To show the whole loop on people who do not exist."),
        basis=LegalBasis(legitimate_interests=signed),
        notice=Notice(required=True, period_days=30, languages=tuple(wording), wording=wording),
        door=Door(origins=("first-party", PARTNER), since=date(today.year - SINCE_YEARS, 1, 1)),
        portal=Portal(namespace="forum"),
    )


def _wording() -> dict[str, Wording]:
    """What the controller says, by language, the default one first."""
    table = tomllib.loads(files(__package__).joinpath("notice.toml").read_text("utf-8"))
    return {language: Wording(**said) for language, said in table.items()}
