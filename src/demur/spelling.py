"""How the name of an account is spelt: the one form under which it is hashed, and the other forms it ever had.

Invariants: two accounts that their platform, or DNS, holds apart never have one exact spelling; one account has one,
however it is written; the rules are numbered, and no rule is ever forgotten: every spelling that an earlier rule gave
an account is still known, so that whoever objected under it stays covered. What is *covered* goes by all spellings of
an account, what is proven, shown, erased and mailed by the exact one alone.

Rule 1 (demur before 0.2): NFC; where names have no case, NFKC and case-folded as a whole, a mail's domain included.
Rule 2 (now): a mail's domain by IDNA 2008 (RFC 5890 to 5894, mapped as UTS 46 says without its transitional forms), its
U-label and its A-label being one; the part before the @ and the names of the platforms below without ASCII case; names
of namespaces that the policy declares without case, letter by letter; nothing else is folded.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from demur.errors import IdentityError

RULE: Final = 2
"""The number of the rule by which names are spelt now."""

MAIL: Final = "mail"
FEDIVERSE: Final = "mastodon"
_IRC: Final = "irc"
_NAMESPACE: Final = re.compile(r"[a-z][a-z0-9+.-]*")
CASELESS: Final = frozenset({"facebook", "instagram", _IRC, MAIL, FEDIVERSE, "threads", "x"})
"""Namespaces whose platforms compare names without case; elsewhere `ann` and `Ann` may be two people, unless declared.

Their names are ASCII, so ASCII is what is lower-cased; what a name holds beyond it is compared as it is written.
"""
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_OPEN: Final = str.maketrans("[]\\~", "{}|^")
_CLOSED: Final = str.maketrans("{}|^", "[]\\~")
"""What many IRC servers hold for the two cases of a letter (RFC 1459, section 2.2), and others don't: it covers."""
_BRACKETS: Final = re.compile(r"[\[\]\\~{}|^]")
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
"""What separates labels (RFC 3490, section 3.1)."""
_A_LABEL: Final = "xn--"
_LABEL_LENGTH: Final = 63  # RFC 1035, section 2.3.4


@dataclass(frozen=True)
class Names:
    """How a workspace compares names: rule 2 with what its policy declares. Hashable and picklable."""

    ignore_case: frozenset[str] = frozenset()
    """Further namespaces whose names have no case."""
    mail_case: bool = False
    """Whether the part of a mail address before the @ has case."""
    profiles: tuple[tuple[str, str], ...] = ()
    """Namespaces with the address of a profile, in which {name} stands for the name."""
    earlier: "tuple[Names, ...]" = field(default=(), compare=False)
    """What was declared before, in any order: its spellings still cover."""

    def canonical(self, account: str) -> str:
        """The one spelling of an account identifier ``namespace:value``, under which it is hashed.

        Raises:
            IdentityError: without a namespace or a value.
        """
        namespace, value = _parts(account)
        small = value.lower() if value.isascii() else None
        if small is not None and _A_LABEL not in small and not (self.mail_case and namespace == MAIL):  # nearly all
            value = small if namespace in CASELESS or namespace in self.ignore_case else value
            return f"mastodon:@{value.lstrip('@')}" if namespace == FEDIVERSE else f"{namespace}:{value}"
        if namespace == MAIL:
            return f"mail:{self._mail(value)}"
        if namespace == FEDIVERSE:
            return f"mastodon:{_fediverse(value)}"
        if namespace in self.ignore_case:
            return f"{namespace}:{_lower(value)}"
        return f"{namespace}:{_ascii_lower(value) if namespace in CASELESS else value}"

    def spellings(self, account: str) -> tuple[str, ...]:
        """Every spelling an account has or had by any rule: the exact one of :meth:`canonical`, then the others.

        Nearly always it is one. The others cover, and prove nothing: another account may be spelt so, too.

        Raises:
            IdentityError: without a namespace or a value.
        """
        exact = self.canonical(account)
        if not self.earlier and exact.isascii() and account.isascii() and not self._folds(exact):
            return (exact,)
        return tuple(dict.fromkeys((exact, *self._others(account, exact))))

    def mail(self, address: str) -> str:
        """The one spelling of a mail address, as :meth:`canonical` spells its account."""
        return self._mail(unicodedata.normalize("NFC", address).strip())

    def _mail(self, value: str) -> str:
        local, at, domain = value.rpartition("@")
        if not at:
            local, domain = domain, ""
        return f"{local if self.mail_case else _ascii_lower(local)}{at}{_domain(domain)}"

    def _folds(self, exact: str) -> bool:
        """Whether an ASCII name has other spellings."""
        if exact.startswith("irc:"):
            return _BRACKETS.search(exact) is not None
        return self.mail_case and exact.startswith("mail:") and exact != exact.lower()

    def _others(self, account: str, exact: str) -> Iterator[str]:
        namespace, _, value = exact.partition(":")
        if namespace in CASELESS:
            forms = (account, exact, *(_ascii_form(exact) if namespace in {MAIL, FEDIVERSE} else ()))
            if namespace == _IRC:
                forms += (f"irc:{value.translate(_OPEN)}", f"irc:{value.translate(_CLOSED)}")
            yield from map(first_rule, forms)
        for names in self.earlier:
            yield names.canonical(account)
            yield from self._linked(names, namespace, value)

    def _linked(self, before: "Names", namespace: str, value: str) -> Iterator[str]:
        """What a link to the profile named before its address was declared."""
        for known, pattern in self.profiles:
            if known == namespace and (known, pattern) not in before.profiles:
                host = pattern.partition("://")[2].partition("/")[0].lower()
                yield before.canonical(f"{namespace}:{value}@{host}")


DEFAULT: Final = Names()
"""Where a policy declares nothing."""


def canonical(account: str) -> str:
    """The exact spelling of an account where a policy declares nothing; see :meth:`Names.canonical`."""
    return DEFAULT.canonical(account)


def spellings(account: str) -> tuple[str, ...]:
    """Its spellings by every rule, the exact one first; see :meth:`Names.spellings`."""
    return DEFAULT.spellings(account)


def mail_spelling(address: str) -> str:
    """The exact spelling of a mail address; see :meth:`Names.mail`."""
    return DEFAULT.mail(address)


def first_rule(account: str) -> str:
    """The spelling by rule 1, which was the only one before the rules had numbers.

    Raises:
        IdentityError: without a namespace or a value.
    """
    namespace, value = _parts(account)
    if namespace in CASELESS:
        value = value.lower() if value.isascii() else unicodedata.normalize("NFKC", value).casefold()
    if namespace == FEDIVERSE:
        value = "@" + value.lstrip("@")
    return f"{namespace}:{value}"


def _parts(account: str) -> tuple[str, str]:
    """The namespace as it is compared, and the value, NFC and stripped."""
    namespace, _, value = account.partition(":")
    value = value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()
    known = _namespace(namespace)
    if not value or known is None:
        msg = f"{account!r} is no account identifier: write namespace:value, for instance instagram:ann."
        raise IdentityError(msg)
    return known, value


@lru_cache(maxsize=1024)
def _namespace(written: str) -> str | None:
    """A namespace as it is compared, or None for what can't be one."""
    namespace = written.strip().lower()
    return namespace if _NAMESPACE.fullmatch(namespace) else None


def _ascii_lower(value: str) -> str:
    return value.lower() if value.isascii() else value.translate(_LOWER)


def _lower(value: str) -> str:
    """Without case, letter by letter: a letter whose small form is several (İ) stays; a final sigma and ß stay, too."""
    if value.isascii():
        return value.lower()
    small = (letter.lower() for letter in value)
    lowered = (low if len(low) == 1 else letter for low, letter in zip(small, value, strict=True))
    return unicodedata.normalize("NFC", "".join(lowered))


def _fediverse(value: str) -> str:
    user, at, host = value.lstrip("@").partition("@")
    return f"@{_ascii_lower(user)}{at}{_domain(host)}"


def _ascii_form(exact: str) -> tuple[str, ...]:
    """An address with its domain in A-labels, as whoever did not decode them wrote it."""
    head, at, domain = exact.rpartition("@")
    return (f"{head}@{_a_labels(domain)}",) if at else ()


@lru_cache(maxsize=8192)
def _domain(domain: str) -> str:
    """A domain as DNS compares it, in U-labels; a label that IDNA 2008 refuses as it is written, without ASCII case."""
    if domain.isascii() and _A_LABEL not in domain.lower():
        return domain.lower()
    return ".".join(_u_label(label) for label in _DOTS.split(domain))


def _u_label(label: str) -> str:
    """A label's U-label (RFC 5890, section 2.3.2.1): what is none, an emoji or an underscore say, stays."""
    import idna  # noqa: PLC0415  # its tables take a while to load, and few names need them

    lowered = _ascii_lower(label)
    if len(label) > _LABEL_LENGTH or (label.isascii() and not lowered.startswith(_A_LABEL)):
        return lowered
    try:
        if not label.isascii():
            return idna.ulabel(idna.alabel(idna.uts46_remap(label, std3_rules=False, transitional=False)))
        known = idna.ulabel(lowered)
        return known if idna.alabel(known).decode() == lowered else lowered
    except UnicodeError:  # IDNAError is one
        return lowered


def in_dns(domain: str) -> str:
    """A domain as mails and DNS bear it, in A-labels (RFC 5891); a label that has none stays, and is not ASCII."""
    return _a_labels(_domain(domain))


@lru_cache(maxsize=8192)
def _a_labels(domain: str) -> str:
    """A domain of :func:`_domain` as mails and DNS bear it; a label that has no A-label stays."""
    import idna  # noqa: PLC0415  # as above

    labels = []
    for label in domain.split("."):
        try:
            labels.append(label if label.isascii() else idna.alabel(label).decode())
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)
