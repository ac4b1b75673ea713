"""The register: append-only entries, objections, people with linked accounts, members, consents."""

from demur.register.access.api_keys import ApiKey, KeyScope
from demur.register.access.staff import Staff, StaffRole
from demur.register.claims import ClaimPhase, ClaimState, Outcome
from demur.register.contact.records import Campaign, Count, Delivered, Due, NoticeRecord, Preview, Selection, SingleMail
from demur.register.database.effects import Effect
from demur.register.database.records import JSON, Changes, Entry, Head, Told
from demur.register.members.profiles import Member
from demur.register.members.rows import MEMBER
from demur.register.members.staging import MemberImport, MemberPreview
from demur.register.members.standing import Snapshot
from demur.register.objections.attachments import Attachment
from demur.register.objections.lodging import Receipt
from demur.register.objections.queue import Listed, Listing, Order, Place, Waiting, Wanted
from demur.register.objections.states import ObjectionPhase, ObjectionState
from demur.register.persons import Erasure, OwnObjection, merged
from demur.register.register import Register

__all__ = [
    "JSON",
    "MEMBER",
    "ApiKey",
    "Attachment",
    "Campaign",
    "Changes",
    "ClaimPhase",
    "ClaimState",
    "Count",
    "Delivered",
    "Due",
    "Effect",
    "Entry",
    "Erasure",
    "Head",
    "KeyScope",
    "Listed",
    "Listing",
    "Member",
    "MemberImport",
    "MemberPreview",
    "NoticeRecord",
    "ObjectionPhase",
    "ObjectionState",
    "Order",
    "Outcome",
    "OwnObjection",
    "Place",
    "Preview",
    "Receipt",
    "Register",
    "Selection",
    "SingleMail",
    "Snapshot",
    "Staff",
    "StaffRole",
    "Told",
    "Waiting",
    "Wanted",
    "merged",
]
