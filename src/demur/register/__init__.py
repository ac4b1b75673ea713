"""The register: append-only entries, objections, people with linked accounts, members, consents."""

from demur.register.members import MEMBER
from demur.register.records import (
    JSON,
    NEVER,
    Changes,
    Entry,
    Facts,
    Head,
    Member,
    MemberImport,
    ObjectionPhase,
    ObjectionState,
    Receipt,
    Snapshot,
)
from demur.register.register import Register

__all__ = [
    "JSON",
    "MEMBER",
    "NEVER",
    "Changes",
    "Entry",
    "Facts",
    "Head",
    "Member",
    "MemberImport",
    "ObjectionPhase",
    "ObjectionState",
    "Receipt",
    "Register",
    "Snapshot",
]
