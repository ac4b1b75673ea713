"""Mail addresses and handles: everything with an ``@``, or with a word in brackets that stands for one.

A mail address is ``local@host``. Both follow RFC 5321 and RFC 6531 as far as people use them: the local part is
letters of any script, digits and ``.+-_%&~'``, or a quoted string; the host is a name (an internationalised one
too), an IP address (``[IPv6:...]``, RFC 5321, section 4.1.3), or one word as in a shell prompt (``ann@laptop``), which
names a person as well. A handle is ``@name`` or ``@name@host.tld``; of digits alone it needs five, since ``@10`` is a
price or a time. ``u/name`` is Reddit's, and ``<@!80351110224678912>`` Discord's (its reference, Message Formatting).
"""

from collections.abc import Iterator
from typing import Final

from demur.characters import UNSPACED
from demur.kernel.identifiers.hits import Category, Hit
from demur.kernel.identifiers.letters import SPACED
from demur.patterns import lazily

_LOCAL_LENGTH: Final = 64  # RFC 5321, section 4.5.3.1.1
_LABEL: Final = rf"(?:[{SPACED}](?:[{SPACED}-]*[{SPACED}])?|[{UNSPACED}]+)"
_DOT: Final = r"(?i: ?[\[({] ?(?:dot|punkt|punto|point|\.) ?[\])}] ?| dot )"

# Local parts are matched on the reversed text, from the @ leftwards: one step a character.
_LOCAL: Final = lazily(rf"(?:[{SPACED}+-][{SPACED}.+%&~'-]*)?[{SPACED}]|\"[^\"\[\]\n]+\"")
_UNSPACED_LOCAL: Final = lazily(rf"(?:[{UNSPACED}][{SPACED}{UNSPACED}.+-]*)?[{UNSPACED}]")
_HOST: Final = lazily(rf"{_LABEL}(?:\.{_LABEL})*|\[(?:(?i:ipv6):)?[0-9A-Fa-f:.]{{3,45}}\]")
_DOTTED_HOST: Final = lazily(rf"{_LABEL}(?:\.{_LABEL})+")
_REAL_HOST: Final = lazily(r"(?s:.*)[^\W\d_]|\[?[0-9]+(?:\.[0-9]+){3}\]?|\[[0-9:.]*:[0-9:.]*\]")
_HANDLE: Final = lazily(
    rf"(?=[0-9.-]*(?![0-9])[{SPACED}]|[0-9]{{5}}|[{UNSPACED}])"
    rf"(?:[{SPACED}](?:[{SPACED}.-]*[{SPACED}])?|[{UNSPACED}](?:[{SPACED}{UNSPACED}.-]*[{SPACED}{UNSPACED}])?)"
    rf"(?:@{_LABEL}(?:\.{_LABEL})+)?"
)
_DISCORD: Final = lazily(r"!([0-9]{1,20})(?=>)")
_WORD: Final = lazily(rf"[{SPACED}]")
_REDDIT: Final = lazily(rf"(?<![{SPACED}/.:@-])/?u/([A-Za-z0-9_-]{{3,20}})(?![{SPACED}/-])")
_DISGUISED: Final = lazily(
    rf" ?[\[({{] ?(?i:at|ät|arroba|@) ?[\])}}] ?({_LABEL}(?:(?:\.|{_DOT}){_LABEL})+)"  # case only where it is cheap
)
_DISGUISED_DOT: Final = lazily(_DOT)
_TOP_LEVEL: Final = lazily(r".*\.[^\W\d_]{2,}")


def names(text: str) -> Iterator[Hit]:
    """The mail addresses and handles of a folded text; a disguised one may overlap others."""
    if "@" in text:
        yield from _at_signs(text)
    if "u/" in text:
        for match in _REDDIT.finditer(text):
            yield Hit(match.start(), match.end(), Category.HANDLE, match[1])
    if "(" in text or "[" in text or "{" in text:
        yield from _disguised(text)


def _at_signs(text: str) -> Iterator[Hit]:
    """Each ``@`` once, from the left; what one hit took counts as masked for the next."""
    taken = 0
    at = text.find("@")
    while at >= 0:
        hit = _mail(text, at, taken) or _handle(text, at, taken)
        if hit:
            yield hit
            taken = hit.end
        at = text.find("@", max(at + 1, taken))


def _mail(text: str, at: int, taken: int) -> Hit | None:
    before = text[max(taken, at - _LOCAL_LENGTH) : at][::-1]
    if local := _LOCAL.match(before):
        host = _HOST.match(text, at + 1)
    elif local := _UNSPACED_LOCAL.match(before):
        host = _DOTTED_HOST.match(text, at + 1)
    if not local or not host or not _REAL_HOST.match(host[0]):
        return None
    start = at - local.end()
    return Hit(start, host.end(), Category.MAIL, text[start : host.end()])


def _handle(text: str, at: int, taken: int) -> Hit | None:
    if at > taken and _WORD.match(text, at - 1):
        return None
    match = _HANDLE.match(text, at + 1)
    if match is None and text[max(0, at - 1) : at] == "<" and (numbered := _DISCORD.match(text, at + 1)):
        return Hit(at, numbered.end(), Category.HANDLE, numbered[1])
    return Hit(at, match.end(), Category.HANDLE, match[0]) if match else None


def _disguised(text: str) -> Iterator[Hit]:
    """``ann (at) example [dot] org``; the top-level domain has letters only, so that ``meet (at) 5.30`` is none."""
    for match in _DISGUISED.finditer(text):
        local = _LOCAL.match(text[max(0, match.start() - _LOCAL_LENGTH) : match.start()][::-1])
        host = _DISGUISED_DOT.sub(".", match[1])
        if local and _TOP_LEVEL.fullmatch(host):
            yield Hit(match.start() - local.end(), match.end(), Category.MAIL, f"{local[0][::-1]}@{host}")
