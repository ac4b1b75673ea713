"""demur.toml: what a controller decided, read, checked, written and explained."""

from demur.policy.explain import door_lines, rule_of
from demur.policy.load import WatchedPolicy, complaint, load_policy
from demur.policy.meanings import meaning_of
from demur.policy.model import (
    Accounts,
    Assessment,
    Controller,
    Door,
    Identifiers,
    LegalBasis,
    Mail,
    Notice,
    Objections,
    Others,
    Policy,
    Portal,
    Purpose,
    RegisterPlace,
    Retention,
    Section,
    Webhooks,
    Wording,
)
from demur.policy.text import FILE_NAME, locate, place, render_policy, toml_value, write_policy

__all__ = [
    "FILE_NAME",
    "Accounts",
    "Assessment",
    "Controller",
    "Door",
    "Identifiers",
    "LegalBasis",
    "Mail",
    "Notice",
    "Objections",
    "Others",
    "Policy",
    "Portal",
    "Purpose",
    "RegisterPlace",
    "Retention",
    "Section",
    "WatchedPolicy",
    "Webhooks",
    "Wording",
    "complaint",
    "door_lines",
    "load_policy",
    "locate",
    "meaning_of",
    "place",
    "render_policy",
    "rule_of",
    "toml_value",
    "write_policy",
]
