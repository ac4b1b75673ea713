"""demur.toml whole: the tables of sections.py under one roof, and a hash of everything that decides.

Invariants: a :class:`Policy` that exists holds together. The text under each field is also the comment that ``demur
init`` writes above it and the row in docs/policy.md.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from demur.policy.fields import Day, Regions
from demur.policy.sections import (
    Accounts,
    Controller,
    Door,
    Identifiers,
    LegalBasis,
    Mail,
    Notice,
    Objections,
    Others,
    Portal,
    Purpose,
    RegisterPlace,
    Retention,
    Section,
    Webhooks,
)

FORMAT: Final = 1
"""The version of demur.toml that this demur reads; a file with a higher one is refused."""


class Policy(Section):
    """The whole of demur.toml."""

    format: Literal[1] = FORMAT
    """Version of this file's format."""
    regions: Regions = "any"
    """Regions of authors that come in: "any", or a list of ISO 3166-1 alpha-2 codes."""
    effective_date: Day
    """Day from which this policy holds, as your notice states it."""
    controller: Controller = Controller()
    """Who answers for the processing (Art. 4(7) GDPR)."""
    purpose: Purpose = Purpose()
    """What the corpus is for (Art. 5(1)(b) GDPR)."""
    basis: LegalBasis = LegalBasis()
    """The legal basis (Art. 6(1) GDPR); publishing waits until the one in use is signed."""
    notice: Notice = Notice()
    """What people are told before their content is used (Arts 13, 14 and 21(4) GDPR)."""
    door: Door = Door()
    """Which items may come in at all."""
    others: Others = Others()
    """What happens to what others wrote about suppressed people; reshares of theirs are always dropped."""
    identifiers: Identifiers = Identifiers()
    """Direct identifiers of anyone in text."""
    retention: Retention = Retention()
    """How long things are kept (Art. 5(1)(e) GDPR)."""
    objections: Objections = Objections()
    """How objections are handled (Art. 21 GDPR)."""
    portal: Portal = Portal()
    """Where people object, see and withdraw."""
    mail: Mail = Mail()
    """How mails leave."""
    webhooks: Webhooks = Webhooks()
    """How the platform hears what happened."""
    register_: Annotated[RegisterPlace, Field(alias="register")] = RegisterPlace()
    """Where the register lives."""
    accounts: Accounts = Accounts()
    """How names of accounts are compared; declare it before the first import (docs/objecting.md says why)."""
    sources: Mapping[str, dict[str, object]] = {}
    """Options of the sources, a table each: [sources.irc], [sources.table] ..."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    @property
    def tries_out(self) -> bool:
        """Whether mails are only written to the outbox, on a machine that nobody else reaches.

        What was "sent" so counts for as long as that lasts, so that one sees what demur does, and no longer.
        """
        return not self.mail.server and not self.portal.public

    def rules_hash(self) -> str:
        """SHA-256, in hexadecimal, of everything that decides what comes in and how text is changed.

        Taken over canonical JSON (RFC 8785): two policies that decide alike have one hash, in whatever order
        their lists stand; who the controller is, languages, retention and places do not count.
        """
        dump = self.model_dump(mode="json", by_alias=True)
        rules = {name: dump[name] for name in ("regions", "door", "others", "identifiers")}
        rules["basis"] = dump["basis"]["use"]
        rules["notice"] = {name: dump["notice"][name] for name in ("required", "period_days")}
        if self.accounts.names != Accounts().names:  # a policy that declares nothing has the hash it always had
            del dump["accounts"]["mail_tags"]  # whom a letter covers lets nothing in
            rules["accounts"] = dump["accounts"]
        text = json.dumps(_sorted(rules), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _sorted(value: object) -> object:
    """The value with every list in order: a list of a policy is a set."""
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(value) if isinstance(value, list) else value
