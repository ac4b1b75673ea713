"""Declared full names and handles, each plain and through every disguise: what has to be found whatever else fails.

Each post names one person by an exact identifier. Every other one names a stranger who shares a given name or a surname
with an objector, disguised in the same ways: it is a trap, and nobody's.
"""

import random
from typing import Final

from people import disguise, traps
from people.cases import Forum, Post
from people.draft import Draft
from people.forum import cast_of
from people.naming import Character

OF_NAMES: Final = ("", *disguise.WAYS)
OF_HANDLES: Final = ("", "spaced", "homoglyph", "zero-width", "fullwidth", "capitals")


def exact(seed: int, posts: int, people: int) -> Forum:
    """Make a forum of as many posts in threads of their own, on which as many people object, with one spelling each.

    Raises:
        ValueError: The tables don't hold as many names.
    """
    rng = random.Random(f"exact/{seed}/{posts}/{people}")
    cast = cast_of(people, 1, rng)
    taken = cast.taken
    written = []
    for number in range(posts):
        draft = Draft(rng)
        who = cast.objectors[number // 2 % people]
        draft.sentence(rng.choice(who.words.sentences["fill"]), "m", draft.write)
        draft.write(" ")
        if number % 2:
            _stranger(draft, who, taken, rng)
        elif who.word_handle or rng.random() < 0.7:
            _name(draft, who, rng)
        else:
            _handle(draft, who, rng)
        written.append(
            Post(
                f"exact:{number}",
                f"exact:{number}",
                None,
                draft.text,
                who.words.language,
                truths=tuple(draft.truths),
                traps=tuple(draft.traps),
            )
        )
    return Forum(tuple(who.person for who in cast.objectors), (), tuple(written))


def _about(who: Character, rng: random.Random) -> str:
    """A sentence in which the name stands as it is declared."""
    return rng.choice([text for text in who.words.sentences["about"] if "{nom}" in text])


def _name(draft: Draft, who: Character, rng: random.Random) -> None:
    """Name someone in full."""
    way, text = _disguised(who, OF_NAMES, who.spelled("full") or "", rng)
    template = _about(who, rng)
    draft.sentence(template, who.given.sex, lambda _: draft.name(text, who.account, f"full {way}".strip()))


def _handle(draft: Draft, who: Character, rng: random.Random) -> None:
    """Name someone by their handle."""
    way, text = _disguised(who, OF_HANDLES, who.handle, rng)
    template = rng.choice(who.words.sentences["handle"])
    draft.sentence(template, who.given.sex, lambda _: draft.name(text, who.account, f"handle {way}".strip()))


def _stranger(draft: Draft, who: Character, taken: set[str], rng: random.Random) -> None:
    """Name a stranger in full."""
    same = rng.choice(("given", "surname"))
    other = traps.stranger(who, same, taken, rng)
    if other is None:
        return
    _, text = _disguised(other, OF_NAMES, other.spelled("full") or "", rng)
    draft.sentence(_about(other, rng), other.given.sex, lambda _: draft.lure(text, f"same {same}"))


def _disguised(who: Character, ways: tuple[str, ...], plain: str, rng: random.Random) -> tuple[str, str]:
    """The name in one of the ways that change it, or plain, each as likely as the others; and the way."""
    texts = {way: disguise.apply(way, plain, who.words.language) if way else plain for way in ways}
    way = rng.choice([way for way, text in texts.items() if not way or text != plain])
    return way, texts[way]
