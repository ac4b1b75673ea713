"""The forms in which a part of a name may stand in a text."""

from collections.abc import Sequence
from dataclasses import dataclass

from demur.people.lexicon import folded
from demur.people.names import Part


@dataclass(frozen=True)
class Forms:
    """Folded forms of a part; no form stands in two of them."""

    base: tuple[str, ...]
    """As it is spelt, first; then other spellings of the same: Müller, Mueller; in other scripts."""
    inflected: tuple[str, ...] = ()
    """Other cases of them, and the vocative."""
    nicks: tuple[str, ...] = ()
    """Other names that go with it: Steve for Stephen."""
    nicks_inflected: tuple[str, ...] = ()


def forms(part: Part, languages: Sequence[str]) -> Forms:
    """The forms of a part by the rules of some languages."""
    _ = languages
    return Forms((folded(part.text),))
