"""One thread of the synthetic forum: who takes part, who is only spoken of, and what each post says.

Invariant: a given name, nickname or surname stands alone only where its bearer takes part or was named in full before;
the few that don't say ``alone`` in their form.
"""

import random
from typing import Final

from people import disguise, traps
from people.cases import Post, Trap
from people.draft import Draft
from people.naming import Character, kin

PRESENT: Final = {"given": 34, "nick": 10, "full": 16, "surname": 12, "initial": 5, "reversed": 4, "handle": 10, "@": 3}
"""How someone who takes part is spoken of."""
FIRST: Final = {"full": 66, "initial": 14, "reversed": 8, "former": 12, "handle": 2, "given": 3, "surname": 3}
"""How someone who doesn't take part is first spoken of."""
LATER: Final = {"given": 34, "surname": 34, "full": 18, "initial": 6, "handle": 4, "nick full": 4}
"""And how from then on."""
VOCATIVE: Final = {"given": 60, "nick": 20, "handle": 12, "full": 8}
SIGNED: Final = {"given": 50, "nick": 15, "full": 15, "signed": 12, "handle": 8}
DISGUISED: Final = 0.3
"""The share of full names and handles that are written in some other way; of single names a fifth of it."""
NAMESAKES: Final = 0.1
"""The share of threads in which someone bears the lead's given name, where there is such a one."""
UNINFLECTED: Final = frozenset({"transliterated"})
"""What happens to a name only as it is declared: nobody writes a foreign case in other letters."""
SINGLE: Final = ("capitals", "stripped", "decomposed", "umlaut")
"""What happens to a name of one word, which more would make unreadable even for people."""


class Thread:
    """A thread under way."""

    def __init__(
        self, number: int, lead: Character, around: list[Character], taken: set[str], rng: random.Random
    ) -> None:
        self._rng = rng
        self._number = number
        self._taken = taken
        self._words = lead.words
        others = _company(lead, around, rng)
        size = rng.randint(2, 5)
        self._present = others[:size]
        self._absent = others[size : size + rng.randint(0, 2)]
        self._lead = lead
        (self._present if not self._present or rng.random() < 0.65 else self._absent).append(lead)
        self._named: set[str] = set()
        self._strangers: list[Character] = []
        self._decks: dict[str, list[str]] = {}
        self._laid: set[str] = set()

    def posts(self, count: int) -> list[Post]:
        """Write as many posts."""
        return [self._post(at) for at in range(count)]

    def _post(self, at: int) -> Post:
        """Write one post."""
        rng = self._rng
        author = self._present[at] if at < len(self._present) else rng.choice(self._present)
        draft = Draft(rng)
        if rng.random() < 0.45:
            self._greet(draft, author)
        for _ in range(rng.randint(1, 3)):
            self._say(draft, author)
        if rng.random() < 0.35:
            self._sign(draft, author)
        known = rng.random() > 0.02
        item = f"forum:{self._number}-{at}"
        return Post(
            item, f"forum:{self._number}", author.account if known else None, draft.text, self._words.language,
            tuple(draft.spans), tuple(draft.truths), tuple(draft.traps),
        )  # fmt: skip

    def _template(self, what: str) -> str:
        """Draw a sentence; none comes twice in a thread before all came once."""
        if not self._decks.get(what):
            sentences = self._words.sentences[what]
            self._decks[what] = self._rng.sample(sentences, len(sentences))
        return self._decks[what].pop()

    def _say(self, draft: Draft, author: Character) -> None:
        """Append a sentence of some kind, and what parts it from the next."""
        kinds = (self._fill, self._about, self._about_handle, self._sentence_trap, self._bearer_trap)
        self._rng.choices(kinds, (32, 38, 8, 12, 10))[0](draft, author)
        draft.write(self._rng.choice((" ", " ", " ", "\n", "\n\n")))

    def _fill(self, draft: Draft, _author: Character) -> None:
        """Append a sentence that names nobody."""
        draft.sentence(self._template("fill"), "m", draft.write)

    def _greet(self, draft: Draft, author: Character) -> None:
        """Address another participant."""
        others = [other for other in self._present if other.account != author.account]
        if not others:
            return
        who = self._rng.choice(others)
        shape = "handle" if who.word_handle and self._rng.random() < 0.4 else self._shape(who, VOCATIVE)
        template = self._template("greet")
        draft.sentence(template, who.given.sex, lambda case: self._mention(draft, who, shape, case))
        draft.write(self._rng.choice((" ", "\n", "\n\n")))

    def _sign(self, draft: Draft, author: Character) -> None:
        """Append the author's name as a sign-off."""
        shape = self._shape(author, SIGNED)
        draft.write("\n")
        template = self._template("sign")
        draft.sentence(template, author.given.sex, lambda case: self._mention(draft, author, shape, case))

    def _about(self, draft: Draft, author: Character) -> None:
        """Speak of somebody else."""
        who = self._whom(author)
        if who is None:
            self._fill(draft, author)
            return
        shape = self._shape(who, self._shares(who))
        template = self._template("about")
        draft.sentence(template, who.given.sex, lambda case: self._mention(draft, who, shape, case))

    def _about_handle(self, draft: Draft, author: Character) -> None:
        """Speak of somebody else by a handle that is no word."""
        who = self._whom(author)
        if who is None or who.word_handle:
            self._about(draft, author)
            return
        template = self._template("handle")
        draft.sentence(template, who.given.sex, lambda _: self._mention(draft, who, "handle", "nom"))

    def _whom(self, author: Character) -> Character | None:
        """Someone of the thread other than the author, the lead more often than others; None where they are alone."""
        others = [who for who in (*self._present, *self._absent) if who.account != author.account]
        if not others:
            return None
        return self._lead if self._lead in others and self._rng.random() < 0.4 else self._rng.choice(others)

    def _shares(self, who: Character) -> dict[str, int]:
        """How someone may be spoken of now."""
        if who in self._present:
            return PRESENT
        return LATER if who.account in self._named else FIRST

    def _shape(self, who: Character, shares: dict[str, int]) -> str:
        """Draw a shape that the person's name has; a handle that is a word is never drawn."""
        fits = {shape: weight for shape, weight in shares.items() if self._fits(who, shape)}
        return self._rng.choices(list(fits), list(fits.values()))[0]

    def _fits(self, who: Character, shape: str) -> bool:
        """Whether a person may be named in a shape: by a former name only when they declared it."""
        match shape:
            case "handle" | "@":
                return not who.word_handle
            case "former":
                return bool(who.person.former)
            case _:
                return who.spelled(shape) is not None

    def _mention(self, draft: Draft, who: Character, shape: str, case: str) -> None:
        """Write a person's name, and what its form is."""
        if shape in {"handle", "@"}:
            self._handle(draft, who, shape)
            return
        plain = who.spelled(shape, case)
        if plain is None:  # nobody writes this shape in this case
            shape, plain = "full", who.spelled("full", case) or who.given.forms["nom"]
        text, manner = self._written(plain, shape, who)
        alone = shape in {"given", "surname"} and who not in self._present and who.account not in self._named
        form = " ".join(filter(None, (shape, manner, "alone" if alone else "")))
        draft.name(text, who.account, form)
        self._note(draft, who, shape)

    def _note(self, draft: Draft, who: Character, shape: str) -> None:
        """Remember who was named in full, and mark a given name that two of the thread share."""
        if shape in {"full", "reversed", "initial", "nick full"}:
            self._named.add(who.account)
        bearers = [other for other in (*self._present, *self._absent) if other.given == who.given]
        if shape in {"given", "nick"} and len(bearers) > 1:
            truth = draft.truths[-1]
            draft.traps.append(Trap(truth.start, truth.end, "two bearers"))

    def _written(self, plain: str, shape: str, who: Character) -> tuple[str, str]:
        """The name as it is written, and the words for it: inflected, disguised, both or neither."""
        single = shape in {"given", "surname", "nick", "signed"}
        inflected = "inflected" if plain != who.spelled(shape) else ""
        if self._rng.random() < (DISGUISED / 5 if single else DISGUISED):
            ways = [way for way in (SINGLE if single else disguise.WAYS) if not (inflected and way in UNINFLECTED)]
            self._rng.shuffle(ways)
            for way in ways:
                text = disguise.apply(way, plain, who.words.language)
                if text != plain:
                    return text, f"{inflected} {way}".strip()
        return plain, inflected

    def _handle(self, draft: Draft, who: Character, shape: str) -> None:
        """Write a handle, with its sign and a span or bare."""
        if shape == "@":
            start, _ = draft.write("@")
            _, end = draft.name(who.handle, who.account, "@handle")
            draft.spans.append((start, end, "mention", who.account))
        elif who.word_handle:
            draft.name(who.handle, who.account, "word handle")
        else:
            way = self._rng.choice(("capitals", "zero-width", "fullwidth")) if self._rng.random() < DISGUISED else ""
            text = disguise.WAYS[way](who.handle) if way else who.handle
            draft.name(text, who.account, f"handle {way}".strip())

    def _sentence_trap(self, draft: Draft, author: Character) -> None:
        """Append a ready sentence that resembles the name of someone around, or one without names."""
        around = [self._lead, *self._present, *self._absent]
        ready = next(filter(None, map(self._ready, around)), None)
        if ready is None:
            self._fill(draft, author)
            return
        kind = self._rng.choice(sorted({kind for kind, _ in ready}))
        text = self._rng.choice([text for of, text in ready if of == kind])
        self._laid.add(text)
        traps.lay(draft, kind, text)

    def _ready(self, who: Character) -> list[tuple[str, str]]:
        """The sentences that resemble a name of theirs and weren't used in this thread."""
        return [(kind, text) for kind, text in traps.ready(who) if text not in self._laid]

    def _bearer_trap(self, draft: Draft, author: Character) -> None:
        """Speak of a stranger who shares the lead's given name or surname."""
        if self._strangers and self._lead not in self._present and self._lead.account not in self._named:
            who, shape, kind = self._strangers[0], "given", "later given"
        else:
            same = self._rng.choice(("given", "surname"))
            found = traps.stranger(self._lead, same, self._taken, self._rng)
            if found is None:
                self._fill(draft, author)
                return
            who, shape, kind = found, "full", f"same {same}"
            if same == "given":
                self._strangers.append(who)
        template = self._template("about")
        draft.sentence(template, who.given.sex, lambda case: draft.lure(who.spelled(shape, case) or "", kind))


def _company(lead: Character, around: list[Character], rng: random.Random) -> list[Character]:
    """Who else may be in a lead's thread: nobody who shares a name with another, but for a namesake of the lead's."""
    others = [who for who in around if who.account != lead.account]
    rng.shuffle(others)
    namesakes = [who for who in others if who.given == lead.given] if rng.random() < NAMESAKES else []
    chosen = [lead, *namesakes[:1]]
    for who in others:
        if not any(who.given == one.given or kin(who.surname, one.surname) for one in chosen):
            chosen.append(who)
    return chosen[1:]
