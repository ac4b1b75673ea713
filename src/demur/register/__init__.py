"""The register: append-only entries, objections, people with linked accounts, members, consents."""

from demur.register.audit import Audited
from demur.register.contact_records import (
    ApiKey,
    Attachment,
    Campaign,
    Count,
    Delivered,
    Due,
    Letter,
    NoticeRecord,
    Preview,
    Selection,
    Staff,
    StaffRole,
)
from demur.register.effects import Effect
from demur.register.members import MEMBER
from demur.register.persons import Erasure, OwnObjection, merged
from demur.register.records import (
    JSON,
    Changes,
    Entry,
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
    "ApiKey",
    "Attachment",
    "Audited",
    "Campaign",
    "Changes",
    "Count",
    "Delivered",
    "Due",
    "Effect",
    "Entry",
    "Erasure",
    "Head",
    "Letter",
    "Member",
    "MemberImport",
    "NoticeRecord",
    "ObjectionPhase",
    "ObjectionState",
    "OwnObjection",
    "Preview",
    "Receipt",
    "Register",
    "Selection",
    "Snapshot",
    "Staff",
    "StaffRole",
    "merged",
]
