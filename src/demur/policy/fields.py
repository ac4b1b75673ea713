"""The types of keys of demur.toml beyond TOML's own, each with the sentence that a wrong value earns.

Invariants: a check answers with the value in its one canonical form or raises ValueError; the message goes on after
"`key` in demur.toml line n", so it begins with a verb, and ends with what to write instead. A host of which it can't
be told whether others reach it counts as one that they do.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from ipaddress import AddressValueError, IPv6Address
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from demur.spelling import MAIL
from demur.store import URL
from demur.terms import Audience, Kind

_RESERVED: Final = frozenset({"localhost", "example", "test", "invalid", "example.com", "example.net", "example.org"})
"""Names that nobody on the internet has (RFC 2606, RFC 6761)."""


def public(url: str) -> bool:
    """Whether others can reach an address of the web."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    return not (host in _RESERVED or host.endswith(tuple(f".{name}" for name in _RESERVED)) or loopback(host))


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


ADULT: Final = 18
"""Years; below it a person is a child (Art. 1 UN Convention on the Rights of the Child)."""

_OLDEST: Final = 150
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
LONGEST_CODE: Final = 45
"""Characters of a mail's code in the address that it comes back to."""
_LOCAL_LENGTH: Final = 64  # RFC 5321, section 4.5.3.1.1
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PORTAL: Final = re.compile(r"https?://[^/\s?#@]+")
_WEB: Final = re.compile(r"https?://[^\s#@]+")
_SERVER: Final = re.compile(r"(?:[^\s:/@\[\]]+|\[(?P<v6>[^\s/@\[\]]+)\]):(?P<port>\d{1,5})")
_LAST_PORT: Final = 65535
_NAMESPACE: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_PROFILE: Final = re.compile(r"https?://[^\s/?#@{}]+/(?:[^\s{}]*[^\s{}\w%])?\{name\}(?:[^\s{}\w%-][^\s{}]*)?")
"""One {name}, in the path or what follows it, with no letter right beside it that could be of the name."""
_ENDPOINT: Final = re.compile(r"https?://[^\s?#@]+[^\s?#@/]")
_REGISTER: Final = re.compile(r"(sqlite:///|postgresql(\+psycopg)?://).+")

COUNTRIES: Final = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905  # as a list of 250 literals it would be a page of quotes
)
"""The assigned codes of ISO 3166-1:2020 alpha-2, with Newsletters up to 2026, and XK, which the EU uses for Kosovo.

That one is user-assigned: EU Interinstitutional Style Guide, Annex A5.
"""

_USUAL_SLIPS: Final = {
    "UK": "GB",
    "EL": "GR",
    "EN": "GB",
    "USA": "US",
    "GER": "DE",
    "DEU": "DE",
    "AUT": "AT",
    "GBR": "GB",
}
"""Codes that people write and that are not assigned, with the one they mean."""

_NO_COUNTRY: Final = frozenset({"XX", "ZZ", "T1", "A1", "A2"})
"""What services that tell countries by addresses write where they can't."""

GROUPS: Final = frozenset({"EU", "EEA", "EFTA"})
"""Names of groups of countries: they change over time, so a policy lists the countries themselves."""

T = TypeVar("T")


def country_hint(code: str) -> str:
    """What to say of a code in capitals that is of no country, after it is named."""
    if code in GROUPS:
        return "a group of countries: write the member's own, like DE"
    if code in _NO_COUNTRY:
        return "which means no country: leave it empty"
    meant = _USUAL_SLIPS.get(code)
    return f"which is no code of ISO 3166-1 ({f'did you mean {meant}?' if meant else 'write two letters, like DE'})"


def _country(code: str) -> str:
    if code in COUNTRIES:
        return code
    if code.upper() in GROUPS:
        msg = f'lists "{code}", a group whose members change: write the countries themselves'
        raise ValueError(msg)
    meant = _USUAL_SLIPS.get(code.upper(), code.upper())
    hint = f'write "{meant}"' if meant in COUNTRIES else 'write a code like "DE"'
    msg = f'has "{code}", which is no ISO 3166-1 alpha-2 code: {hint}'
    raise ValueError(msg)


def _texts(value: object, example: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(dict.fromkeys(value))
    msg = f"is neither the word any nor a list of texts: write {example}"
    raise ValueError(msg)


def _any_or(check: Callable[[str], str], example: str) -> Callable[[object], "AnyOrTexts"]:
    def validate(value: object) -> "AnyOrTexts":
        if value == "any":
            return "any"
        return _filled(tuple(check(text) for text in _texts(value, example)))

    return validate


def _filled(values: tuple[T, ...]) -> tuple[T, ...]:
    """The list without repetitions, in its order."""
    if not values:
        msg = "is an empty list, so that nothing could come in: list at least one"
        raise ValueError(msg)
    return tuple(dict.fromkeys(values))


def _origin(name: str) -> str:
    if not name.strip():
        msg = 'has an empty name: write "first-party" or the name of a third party'
        raise ValueError(msg)
    return name


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    msg = "is no day: write one like 2026-12-31"
    raise ValueError(msg)


def _day_or_none(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return _day(value)
    except ValueError:
        msg = 'is no day: write one like 2026-12-31, or "" for none'
        raise ValueError(msg) from None


def _bounce(value: str) -> str:
    local = value.replace("{code}", "x" * LONGEST_CODE, 1).rpartition("@")[0]
    if value and not (_MAIL.fullmatch(value.replace("{code}", "x", 1)) and len(local) <= _LOCAL_LENGTH):
        msg = f"is no mail address of at most {_LOCAL_LENGTH - LONGEST_CODE} characters besides {{code}} before its @: "
        raise ValueError(msg + 'write one like "bounce+{code}@example.org", or "" for none')
    return value


def _mail(value: str) -> str:
    if value and not _MAIL.fullmatch(value):
        msg = 'is no mail address: write one like "privacy@example.org", or "" for none'
        raise ValueError(msg)
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        msg = f'has "{value}", which is no BCP 47 language tag: write one like "de" or "pt-BR"'
        raise ValueError(msg)
    return value


def _age(value: int) -> int:
    if value < ADULT:
        msg = f"is {value}: minors are never used, write {ADULT} or more"
        raise ValueError(msg)
    if value > _OLDEST:
        msg = f"is {value}, so that nobody could come in: write {ADULT} or somewhat more"
        raise ValueError(msg)
    return value


def _store(value: str) -> str:
    if value and not URL.fullmatch(value):
        msg = (
            'is no place in an object store: write "s3://BUCKET/PATH", "gs://...", "az://CONTAINER/PATH" or "", no keys'
        )
        raise ValueError(msg)
    return value.rstrip("/")


def _endpoint(value: str) -> str:
    if value and not _ENDPOINT.fullmatch(value):
        msg = 'is no address of an object store: write "https://HOST:PORT", or "" for its vendor\'s, and no keys'
        raise ValueError(msg)
    return value


def _register(value: str) -> str:
    """The message does not repeat the value: a database URL may hold a password."""
    if value and not _REGISTER.fullmatch(value):
        msg = 'is no register URL: write "", "sqlite:///register.db" or "postgresql://user@host/database"'
        raise ValueError(msg)
    return value


def _portal(value: str) -> str:
    if not (_PORTAL.fullmatch(value) and _leads_somewhere(value)):
        msg = 'is no address of a site: write one like "https://object.example.org", without a path or a last slash'
        raise ValueError(msg)
    return value


def _web(value: str) -> str:
    if value and not (_WEB.fullmatch(value) and _leads_somewhere(value)):
        msg = 'is no web address: write one like "https://example.org/hook", or "" for none'
        raise ValueError(msg)
    return value


def _leads_somewhere(url: str) -> bool:
    """Whether a URL has a host and a port that can be."""
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False


def _is_server(value: str) -> bool:
    """Whether it is "host:port", or "[address]:port" with an IPv6 address (RFC 3986, section 3.2.2)."""
    found = _SERVER.fullmatch(value)
    if found is None or not 0 < int(found["port"]) <= _LAST_PORT:
        return False
    try:
        return found["v6"] is None or bool(IPv6Address(found["v6"]))
    except AddressValueError:
        return False


def _server(value: str) -> str:
    if value and not _is_server(value):
        msg = 'is no mail server: write one like "smtp.example.org:587", or "" for the workspace\'s own outbox'
        raise ValueError(msg)
    return value


def _namespace(value: str) -> str:
    if value and not _NAMESPACE.fullmatch(value):
        msg = 'is no namespace of accounts: write one like "forum", in lower case, or "" for none'
        raise ValueError(msg)
    return value


def _caseless(values: tuple[str, ...]) -> tuple[str, ...]:
    for name in values:
        if not _NAMESPACE.fullmatch(name):
            msg = f'has "{name}", which is no namespace of accounts: write one like "forum", in lower case'
            raise ValueError(msg)
        if name == MAIL:
            msg = 'has "mail", whose addresses have a key of their own: write mail_case = "ignore" or "keep"'
            raise ValueError(msg)
    return tuple(dict.fromkeys(values))


def _profiles(patterns: Mapping[str, str]) -> Mapping[str, str]:
    for name, pattern in patterns.items():
        if not _NAMESPACE.fullmatch(name):
            msg = f'has "{name}", which is no namespace of accounts: write one like forum, in lower case'
            raise ValueError(msg)
        if not _PROFILE.fullmatch(pattern) or not _leads_somewhere(pattern):
            msg = f'has no address of a profile for {name}: write one like "https://forum.example/u/{{name}}"'
            raise ValueError(msg)
    return patterns


Day = Annotated[date, BeforeValidator(_day)]
DayOrNone = Annotated[date | None, BeforeValidator(_day_or_none)]
AnyOrTexts = Literal["any"] | tuple[str, ...]
Regions = Annotated[AnyOrTexts, BeforeValidator(_any_or(_country, '"any" or ["DE", "FR"]'))]
Origins = Annotated[AnyOrTexts, BeforeValidator(_any_or(_origin, '"any" or ["first-party"]'))]
Country = Annotated[str, AfterValidator(lambda code: _country(code) if code else code)]
MailAddress = Annotated[str, AfterValidator(_mail)]
BounceAddress = Annotated[str, AfterValidator(_bounce)]
Language = Annotated[str, AfterValidator(_language)]
Languages = Annotated[tuple[Language, ...], Field(strict=False), AfterValidator(_filled)]
Kinds = Annotated[tuple[Annotated[Kind, Field(strict=False)], ...], Field(strict=False), AfterValidator(_filled)]
Audiences = Annotated[
    tuple[Annotated[Audience, Field(strict=False)], ...], Field(strict=False), AfterValidator(_filled)
]
Age = Annotated[int, AfterValidator(_age)]
Days = Annotated[int, Field(ge=0, le=36_500)]
"""At most a century, so that adding it to a date never overflows."""
RegisterUrl = Annotated[str, AfterValidator(_register)]
StoreUrl = Annotated[str, AfterValidator(_store)]
StoreEndpoint = Annotated[str, AfterValidator(_endpoint)]
PortalUrl = Annotated[str, AfterValidator(_portal)]
WebUrl = Annotated[str, AfterValidator(_web)]
Server = Annotated[str, AfterValidator(_server)]
Namespace = Annotated[str, AfterValidator(_namespace)]
Caseless = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_caseless)]
Profiles = Annotated[Mapping[str, str], AfterValidator(_profiles)]
Unknown = Literal["leave-out", "use"]
Trace = Literal["mask", "drop"]
Word = Literal["mask", "drop", "keep"]
Score = Annotated[int, Field(ge=0, le=100)]
Identifier = Literal["replace", "keep"]
