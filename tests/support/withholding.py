"""An oracle for what withheld people leave in an item: plain Python, slow, over one reading, written from the rules.

The rules are those of docs/withheld.md; no code of the kernel is used, and no array. It is told everything
that was withheld and replaced since the reading, at once; the kernel is told bit by bit, in any order.
"""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from demur.identity import Pepper

_NESTING: Final = {"quote": 0, "reshare": 1, "tag": 2, "mention": 3, "mask": 6}
_HANDLE: Final = re.compile(r"(?:(?<=\s)|^)@([a-z]+)\b(?!@)")
_MAIL: Final = re.compile(r"\b[a-z]+@[a-z]+\.example\b")
_MASK: Final = re.compile(r"\[(person|quote|phone)\]")


@dataclass(frozen=True, order=True)
class Place:
    """One span of a reading, after it was cut, or a mask that the reading itself holds."""

    start: int
    end: int
    role: str
    account: str | None

    @property
    def empty(self) -> bool:
        return self.start == self.end

    def inside(self, other: "Place") -> bool:
        """An empty one at the other's edge stands outside."""
        if self.empty:
            return other.start < self.start < other.end
        return other.start <= self.start and self.end <= other.end

    def same(self, other: "Place") -> bool:
        return (self.start, self.end) == (other.start, other.end)

    @property
    def trace(self) -> str | None:
        """What it is a trace of, when it is withheld."""
        if self.role == "mask":
            return {"person": "mention", "quote": "quote"}.get(str(self.account))
        return {"quote": "quote", "mention": "mention", "tag": "mention"}.get(self.role)


@dataclass(frozen=True)
class Left:
    """What is left of one item."""

    text: str
    spans: tuple[tuple[int, int, str, str | None], ...]
    """Start, end, role, account; in no order."""
    pictures: tuple[tuple[str | None, tuple[str, ...]], ...]
    """Description, and who is shown or named."""
    traces: frozenset[str]
    """Of what it holds traces: "quote", "mention", "reshare"."""

    def reason(self, others: Mapping[str, str]) -> str | None:
        """Why it may not be used, were it judged now."""
        if "reshare" in self.traces:
            return "reshare"
        for trace in ("quote", "mention"):
            if trace in self.traces and others[f"{trace}s"] == "drop":
                return trace
        return "empty" if not self.text.strip() and not self.pictures else None

    def row(self, pepper: Pepper) -> tuple[Any, ...]:
        """As :func:`row_of` gives a row at rest."""
        key = {account: pepper.subject_key(account) for account in self.accounts}
        spans = sorted((*span[:3], key.get(span[3] or "", -1)) for span in self.spans)
        pictures = tuple((alt, tuple(sorted(key[who] for who in shown))) for alt, shown in self.pictures)
        return self.text, spans, sorted(set(key.values())), pictures

    @property
    def accounts(self) -> set[str]:
        return {span[3] for span in self.spans if span[3]} | {who for _, shown in self.pictures for who in shown}


def row_of(stored: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the oracle speaks of, of one row of schema.ROW."""
    spans = [(s["start"], s["end"], s["role"], -1 if s["subject"] is None else s["subject"]) for s in stored["spans"]]
    pictures = tuple((picture["alt"], tuple(picture["tagged"])) for picture in stored["media"])
    return stored["text"], spans, stored["subjects"], pictures


def left_of(reading: Mapping[str, Any], withheld: AbstractSet[str], replaced: AbstractSet[str]) -> Left:
    """What is left of a reading of the platform `forum` when all of ``withheld`` and ``replaced`` are to go."""
    places = places_of(reading)
    text = reading["text"]
    hidden = {p for p in places if (p.role == "mask" and p.trace) or p.account in withheld}
    standing = {place for place in places if place.role == "mask"}
    masked = {p for p in places if not p.empty and (p in hidden | standing or _named(p, text, replaced))}
    masked |= {
        place
        for place in places
        if place.role == "mention" and any(one.inside(place) and not one.same(place) for one in masked)
    }
    whole = sorted({(p.start, p.end) for p in masked if not any(p.inside(q) and not p.same(q) for q in masked)})
    spans: set[tuple[int, int, str, str | None]] = set()
    for place in places:
        if not any(place.inside(Place(*one, "", None)) for one in whole):
            if place not in hidden:
                spans.add((place.start, place.end, place.role, place.account))
            elif place.trace:
                spans.add((place.start, place.end, f"withheld-{place.trace}", None))
    masks: list[tuple[int, int, str]] = []
    within: set[tuple[int, str, str | None]] = set()
    for start, end in whole:
        there = [place for place in places if place.inside(Place(start, end, "", None))]
        over = [place for place in there if (place.start, place.end) == (start, end)]
        traces = {place.trace for place in there if place in hidden}
        widest = {place.trace for place in over if place in hidden}
        mask = "quote" if "quote" in widest else "person" if widest or any(p.role == "mention" for p in over) else ""
        masks.append((start, end, f"[{mask or _other_mask(over)}]"))
        said = {"quote" if mask == "quote" else "mention"} & widest
        within |= {(start, f"withheld-{trace}", None) for trace in traces - said if trace}
        for place in there:
            if (
                place not in hidden
                and place.role != "mask"
                and place.trace not in (widest if place in over else traces)
            ):
                if place in over:
                    spans.add((start, end, place.role, place.account))
                else:
                    within.add((start, place.role, place.account))
    moved, at = _moved(text, masks)
    return Left(
        text=moved,
        spans=(
            *((at(start), at(end), role, who) for start, end, role, who in spans),
            *((at(start) + 1, at(start) + 1, role, who) for start, role, who in within),
        ),
        pictures=tuple(_pictures(reading, withheld, replaced)),
        traces=frozenset("reshare" if place.role == "reshare" else str(place.trace) for place in hidden),
    )


def places_of(reading: Mapping[str, Any]) -> list[Place]:
    """All places of a reading: its spans, who is named in its text, cut so that they nest, and masks in its text."""
    text: str = reading["text"]
    limit = len(text) if text.strip() else 0
    given = []
    for span in reading["spans"]:
        start, end = span["start"], span["end"]
        if 0 <= start <= end:
            whole = span["role"] == "reshare"
            given.append(
                Place(0, 0, "reshare", span["account"]) if whole else Place(start, end, span["role"], span["account"])
            )
    mentions = [place for place in given if place.role == "mention"]
    given += [hit for hit in _found(text) if not any(p.start <= hit.start and hit.end <= p.end for p in mentions)]
    cut = _cut(Place(min(p.start, limit), min(p.end, limit), p.role, p.account) for p in given)
    return cut + [mask for mask in _masks(text) if _is_mask(mask, cut)]


def _found(text: str) -> list[Place]:
    handles = [Place(m.start(), m.end(), "mention", f"forum:{m[1]}") for m in _HANDLE.finditer(text)]
    return handles + [Place(m.start(), m.end(), "mention", f"mail:{m[0]}") for m in _MAIL.finditer(text)]


def _masks(text: str) -> list[Place]:
    return [Place(m.start(), m.end(), "mask", m[1]) for m in _MASK.finditer(text)]


def _is_mask(mask: Place, places: list[Place]) -> bool:
    """A mask that a mention covers exactly is a name that was replaced; one that a span cuts is no mask."""
    if any(mask.start < edge < mask.end for p in places if not p.empty for edge in (p.start, p.end)):
        return False
    return mask.account != "person" or not any(p.role == "mention" and p.same(mask) for p in places)


def _other_mask(over: list[Place]) -> str:
    (mask,) = {str(place.account) for place in over if place.role == "mask"}
    return mask


def _cut(places: Iterable[Place]) -> list[Place]:
    """From left to right, the widest first: what begins inside an earlier one and ends behind it is cut there."""
    waiting, done = set(places), list[Place]()
    while waiting:
        first = min(waiting, key=lambda p: (p.start, -p.end, _NESTING[p.role], str(p.account)))
        waiting.remove(first)
        ends = [place.end for place in done if place.start <= first.start < place.end < first.end]
        if ends:
            waiting.add(Place(min(ends), first.end, first.role, first.account))
        done.append(Place(first.start, min([first.end, *ends]), first.role, first.account))
    return done


def _named(place: Place, text: str, replaced: AbstractSet[str]) -> bool:
    """Whether the policy replaces the name that stands in a place."""
    words = text[place.start : place.end]
    if place.role != "mention":
        return False
    kind = "profile_urls" if "/" in words else "mail" if "@" in words[1:] and words[0] != "@" else "handles"
    return words == "[person]" or kind in replaced


def _moved(text: str, masks: list[tuple[int, int, str]]) -> tuple[str, Any]:
    """The masked text, and the function that says where a place of the old one is in it."""
    out, last = "", 0
    for start, end, mask in masks:
        out, last = out + text[last:start] + mask, end

    def at(place: int) -> int:
        return place + sum(len(mask) - (end - start) for start, end, mask in masks if end <= place)

    return out + text[last:], at


def _pictures(
    reading: Mapping[str, Any], withheld: AbstractSet[str], replaced: AbstractSet[str]
) -> Iterable[tuple[str | None, tuple[str, ...]]]:
    for picture in reading.get("media") or ():
        named = {place.account for place in _found(picture["alt"] or "") if place.account}
        shown = set(picture["tagged"]) | named
        if not shown & withheld:
            alt = picture["alt"]
            yield ("[person]" if alt and named and "handles" in replaced else alt), tuple(sorted(shown))
