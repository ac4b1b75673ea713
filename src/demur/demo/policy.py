"""The policy of the demo: the safe defaults, and every rule of the door in use, so that each has something to do."""

from datetime import date
from typing import Final

from demur.demo.writing import PARTNER, SINCE_YEARS
from demur.policy import Assessment, Controller, Door, LegalBasis, Notice, Policy, Purpose

REGIONS: Final = ("AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "MT", "NL", "PL", "SE")


def demo_policy(today: date) -> Policy:
    """The policy as of ``today``: an invented controller, legitimate interests signed, thirty days of notice."""
    signed = Assessment(document="An invented assessment", date=today, signed_by="The demo")
    return Policy(
        regions=REGIONS,
        effective_date=today,
        controller=Controller(name="Harbour Commons (invented)", contact="privacy@harbour.example", country="IE"),
        purpose=Purpose(description="To show the whole loop on people who do not exist."),
        basis=LegalBasis(legitimate_interests=signed),
        notice=Notice(required=True, period_days=30),
        door=Door(origins=("first-party", PARTNER), since=date(today.year - SINCE_YEARS, 1, 1)),
    )
