"""Who wrote a mail that came by somebody else: by a mailing list, a forwarder, or whoever passed it on.

Invariants: everything here can be forged, as the sender itself can; it tells whom an objection may cover, and proves
nothing (ADR 0017). An address is taken from fields and blocks that hold one; encoded words (RFC 2047) hold names, and
no address hides in them. Nothing here asks the register, or knows which addresses are the controller's own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.utils import getaddresses
from typing import Final

from demur.objecting.automatic import raw_field

_LENGTH: Final = 2000
_ENCODED: Final = re.compile(r"=\?[^?]*\?[BbQq]\?[^?]*\?=")
_MOST: Final = 10

_ORIGINAL: Final = ("X-Original-From", "Original-From", "X-Original-Sender")
"""What lists write that put themselves into From: Google Groups, Mailman, Sympa, and servers on their way."""
_BESIDE: Final = "X-Google-Original-From"
"""What Gmail writes that put its user's own address into From for another one of theirs; older groups did so, too."""
_OTHERS: Final = ("Reply-To", "Resent-From")
_RETURNS: Final = ("Return-Path", "X-Envelope-From", "Envelope-From")
_LISTS: Final = ("List-Post", "X-BeenThere", "X-Mailing-List", "List-Owner", "Sender", "Errors-To", "List-Unsubscribe")
_LIST_MARKS: Final = ("List-Id", "List-Post", "X-BeenThere", "X-Mailing-List", "Mailing-List")
_MAILTO: Final = re.compile(r"(?!')[^\s<>,;:\"()?\[\]]{1,64}@[^\s<>,;:\"()?\[\]']{1,255}")
"""As they stand in fields and texts: bare, between angle brackets, or as Outlook has it, "[mailto:ann@...]"."""
_VIA: Final = re.compile(r"\bvia\b\s+\S", re.IGNORECASE)
"""How a list names whom it speaks for: "Ann via Town" (in any language of Google Groups and Mailman)."""
_SRS: Final = re.compile(r"(?i)srs0[=+-][^=@]{1,20}=[^=@]{1,10}=([^=@]{1,255})=([^@]{1,64})@")
_SRS_AGAIN: Final = re.compile(
    r"(?i)srs1[=+-][^=@]{1,20}=[^=@]{1,255}==[^=@]{1,20}=[^=@]{1,10}=([^=@]{1,255})=([^@]{1,64})@"
)
_SIGNED: Final = re.compile(r"(?i)(?:prvs|btv1|msprvs1)=[^=@]{1,40}=([^@]{1,64}@[^@\s]{1,255})")
_FOLDED: Final = re.compile(r"([^=@\s]{1,64})(?:=40|=)([\w-]{1,63}(?:\.[\w-]{1,63})+)@")
"""An address within one: by the Sender Rewriting Scheme, BATV, or as lists fold it ("ann=40mail.example@list")."""
_ENVELOPE: Final = re.compile(r"\bsmtp\.mailfrom=\"?<?([^\s;<>\"()]{3,300}@[^\s;<>\"()]{1,255})")
"""In the results of a check that a server on the way made and sealed (RFC 8617)."""


@dataclass(frozen=True)
class Origins:
    """Addresses that a mail gives as its writer's besides From, the likeliest first."""

    rewritten: bool = False
    """Whether From shows signs that a list or a forwarder put itself there."""
    named: tuple[str, ...] = field(default=(), repr=False)
    """By header fields."""
    beside: tuple[str, ...] = field(default=(), repr=False)
    """Another address under which whoever stands in From meant to write."""
    passed: tuple[str, ...] = field(default=(), repr=False)
    """By mails that it holds or quotes as forwarded."""
    lists: tuple[str, ...] = field(default=(), repr=False)
    """Addresses of lists that it came by: nobody's."""


def origins_of(message: "Message[str, str]", text: str, within: Sequence["Message[str, str]"]) -> Origins:
    """What a mail says of its writer.

    Args:
        message: the mail.
        text: what it says.
        within: mails that lie in it.
    """
    name, sender = next(iter(_addresses(message, "From")), ("", ""))
    folded = _unfolded(sender)
    original = [each for field_ in _ORIGINAL for _, each in _addresses(message, field_)]
    beside = [each for _, each in _addresses(message, _BESIDE)]
    lists = tuple(dict.fromkeys(_lists(message)))
    others = [each for field_ in _OTHERS for _, each in _addresses(message, field_)]
    named = [*original, *beside, *filter(None, [folded]), *others, *_returns(message, listed=_listed(message))]
    by_list = sender.lower() in lists
    rewritten = bool(_VIA.search(name) or folded or by_list or any(each.lower() != sender.lower() for each in original))
    held = [each for inner in within[:_MOST] for _, each in _addresses(inner, "From")]
    return Origins(rewritten, _some(named), _some(beside), _some([*held, *_quoted(text)]), lists)


def _some(found: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))[:_MOST]


def _addresses(message: "Message[str, str]", name: str) -> Iterator[tuple[str, str]]:
    """Names and addresses of a header field."""
    raw = _ENCODED.sub("x", " ".join(raw_field(message, name)[:_LENGTH].split()))
    try:
        yield from ((shown, address) for shown, address in getaddresses([raw]) if "@" in address)
    except (RecursionError, ValueError):  # brackets within brackets
        return


def _unfolded(address: str) -> str:
    """The address that another one holds; "" if it holds none."""
    for pattern in (_SRS, _SRS_AGAIN):
        if found := pattern.match(address):
            return f"{found[2]}@{found[1]}"
    if found := _SIGNED.match(address):
        return found[1]
    found = _FOLDED.match(address)
    return f"{found[1]}@{found[2]}" if found else ""


def _returns(message: "Message[str, str]", *, listed: bool) -> Iterator[str]:
    """Envelope senders: as a forwarder rewrote them, and as they are where no list sends for itself."""
    sealed = _ENVELOPE.findall(str(message.get("ARC-Authentication-Results", ""))[:_LENGTH])
    for each in (*(each for name in _RETURNS for _, each in _addresses(message, name)), *sealed):
        rewritten = _unfolded(each) if each.lower().startswith(("srs", "prvs", "btv", "msprvs")) else ""
        if rewritten or not listed:
            yield rewritten or each


def _listed(message: "Message[str, str]") -> bool:
    return any(mark in message for mark in _LIST_MARKS)


def _lists(message: "Message[str, str]") -> Iterator[str]:
    """The addresses of lists, in small letters."""
    if not _listed(message):
        return
    for name in _LISTS:
        yield from (each.lower() for each in _MAILTO.findall(str(message.get(name, ""))[:_LENGTH]))
    for found in re.finditer(r"<([\w+-]+)\.([\w.-]+\.[\w-]+)>", str(message.get("List-Id", ""))[:_LENGTH]):
        yield f"{found[1]}@{found[2]}".lower()


# Mails that are quoted as forwarded

_LABELS: Final = (
    "From|Von|De|De la|Da|Van|Od|Fr\u00e5n|Fra|L\u00e4hett\u00e4j\u00e4|Felad\u00f3|Saatja|No|Nuo|Mittente"
    "|Exp\u00e9diteur|Remitente|Remetente|Absender|Afsender|Afzender|Avs\u00e4ndare|Nadawca|Odes\u00edlatel|Odosielate\u013e|Expeditor"
    "|Po\u0161iljatelj|\u0391\u03c0\u03cc|\u041e\u0442|\u0412\u0456\u0434|Kimden"
)
"""How the languages of the Union name the sender above a quoted mail, and some others."""
_GAP: Final = r"(?:[^\S\n]|\*){0,4}"
"""Spaces of any kind, and the asterisks of what was bold."""
_FROM: Final = re.compile(rf"(?im)^[ \t>|*]{{0,12}}(?:{_LABELS}){_GAP}:{_GAP}([^\n]{{3,300}})$")
_LABELLED: Final = re.compile(rf"[ \t>|*]{{0,12}}[^\W\d_][\w .-]{{0,24}}{_GAP}:(?:[^\S\n]|\*)")
_NEXT: Final = 6
_ENOUGH: Final = 2
"""Lines like "Sent: ..." among the next ones that make it the head of a mail."""


def _quoted(text: str) -> Iterator[str]:
    """The senders of mails whose head stands in a text, as Outlook, Gmail, Apple Mail and others write it."""
    for found in _FROM.finditer(text):
        addresses = _MAILTO.findall(found[1])
        following = text[found.end() : found.end() + _LENGTH].lstrip("\n").split("\n")[:_NEXT]
        if addresses and sum(1 for line in following if _LABELLED.match(line)) >= _ENOUGH:
            yield addresses[-1]
