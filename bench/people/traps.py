"""What reads like an objector's name and isn't theirs.

Two sorts: *sentences* stand ready in a language's table, bound to the name that they resemble; *bearers* are other
people, composed from the names of the tables. ``hard_cases/`` uses the same kinds, beside those that say what to mask.
"""

import random
from typing import Final

from people.draft import Draft
from people.naming import Character, kin
from people.tables import Forms, Given, Words

SENTENCES: Final = ("word", "start", "place", "organisation", "product", "famous", "month", "command")
"""A word in lower case, a word at a sentence's start, and things that bear a person's name."""
BEARERS: Final = ("same given", "same surname", "later given", "two bearers")
"""Another surname after the given name, another given name before the surname, that stranger's given name alone later
in a thread without the objector, and a given name that two participants share."""
HANDLES: Final = ("word handle",)
"""A word that is also somebody's handle."""
KINDS: Final = (*SENTENCES, *BEARERS, *HANDLES)


def ready(who: Character) -> list[tuple[str, str]]:
    """The sentences that resemble a character's names or handle: kind and template."""
    names = {who.given.forms["nom"], who.surname["nom"], (who.given.nick or {}).get("nom", "")}
    bound = [who.words.traps.get(name, {}) for name in sorted(names)]
    sentences = [(kind, text) for kinds in bound for kind, texts in kinds.items() for text in texts]
    return sentences + [("word handle", text) for text in who.words.word_handles.get(who.handle, ())]


def lay(draft: Draft, kind: str, template: str) -> None:
    """Append a ready sentence; what stands between ``{`` and ``}`` is the trap."""
    draft.sentence(template, "m", lambda part: draft.lure(part, kind))


def stranger(who: Character, same: str, taken: set[str], rng: random.Random) -> Character | None:
    """Someone else of the same ``given`` name or ``surname``, whose full name is none of those taken."""
    words = who.words
    others = [(given, surname[given.sex]) for given in words.given for surname in words.surnames]
    wanted = [pair for pair in others if _alike(who, *pair) == same]
    rng.shuffle(wanted)
    for given, surname in wanted:
        found = Character(words, given, surname, who.person)
        if not found.keys & taken:
            return found
    return None


def _alike(who: Character, given: Given, surname: Forms) -> str:
    """Which part of the name, and only that one, somebody shares with a character."""
    if given.forms["nom"] == who.given.forms["nom"]:
        return "" if kin(surname, who.surname) else "given"
    return "surname" if kin(surname, who.surname) else ""


def kinds_of(words: Words) -> set[str]:
    """The kinds of ready sentences that a language's table holds."""
    kinds = {kind for kinds in words.traps.values() for kind in kinds}
    return kinds | ({"word handle"} if words.word_handles else set())
