"""The supervisory authorities of the European Economic Area (Art. 51 GDPR), from ``authorities.toml``.

Invariants: an authority is never guessed: a country that the file lacks has none, and the reader gets the European Data
Protection Board's list of its members.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

MEMBERS: Final = "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en"
"""The European Data Protection Board's list of supervisory authorities."""


@dataclass(frozen=True)
class Authority:
    """Where people can complain (Art. 77 GDPR)."""

    country: str
    """ISO 3166-1 alpha-2."""
    name: str
    """In its own language."""
    url: str
    """Its public site."""
    states: bool = False
    """Whether authorities of federal states are responsible for most companies."""


def authority_of(*countries: str | None) -> Authority | None:
    """The authority of the first of ``countries`` (ISO 3166-1 alpha-2) that has one."""
    known = _authorities()
    return next((known[country] for country in countries if country in known), None)


def authorities() -> tuple[Authority, ...]:
    """All that are known, in the order of the file."""
    return tuple(_authorities().values())


@functools.cache
def _authorities() -> Mapping[str | None, Authority]:
    text = files("demur.notices").joinpath("authorities.toml").read_text("utf-8")
    return {country: Authority(country, **facts) for country, facts in tomllib.loads(text).items()}
