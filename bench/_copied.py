"""Made-up posts, what copies of them look like, and what many people write alike: the judge of bench/copies.py.

Written before the finder, and from nothing that it knows. Words follow Zipf's law; a third of a post are phrases that
everybody uses (three to seven words, by Zipf's law, too), so that runs of words recur between people as they do in
talk. Four scripts: English-like, German-like, Cyrillic and Han. Stock: greetings, proverbs, a licence, signatures that
a board appends, templates with slots. Everything hangs on a seed.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

FUNCTION: Final = (
    "the of and to a in is it you that he was for on are with as i his they be at one have this from or had by not but"
    " what all were we when your can said there use an each which she do how their if will up other about out many then"
    " them these so some her would make like him into time has look two more write go see number no way could people"
)
ALPHABETS: Final = {
    "en": "eeeetttaaooiinnsshhrrdlucmfwypvbgk",
    "de": "eeeennniiissrraatdhulcgmobwfkzüöäß",
    "uk": "оооеаиіінтсрвлкмдпуяьгзбчйхжшюцщєї",
}
VOCABULARY: Final = 30_000
PHRASES: Final = 3_000
LANGUAGES: Final = ("en", "en", "en", "de", "uk", "zh")

GREETINGS: Final = (
    "hello everybody and welcome to the new thread of this week",
    "happy new year to all of you and to your families",
    "thank you very much for your help i will try that tomorrow",
    "have a nice weekend and see you all again on monday morning",
    "congratulations on your new job and all the best for the future",
)
PROVERBS: Final = (
    "a bird in the hand is worth two in the bush as my father used to say",
    "early to bed and early to rise makes a man healthy wealthy and wise",
    "give a man a fish and you feed him for a day teach him to fish and you feed him for a lifetime",
    "the best time to plant a tree was twenty years ago the second best time is now",
)
LICENCE: Final = (
    "permission to use copy modify and distribute this work for any purpose is hereby granted provided that the notice"
    " above and this paragraph appear in all copies the work is given as it is and its makers disclaim all warranties"
    " with regard to it including those of fitness in no event shall they be liable for any damages whatsoever"
)
SIGNATURES: Final = (
    "sent from the mobile application of our board get it free of charge for your telephone today",
    "please read the rules of this board before you post and use the search it has most of the answers",
)
TEMPLATES: Final = (
    "i have sold my {} to {} everything went well gladly again and i can recommend the deal to anybody",
    "looking for a {} in the region of {} please send me a message with your price and some pictures thank you",
    "{} joined the group today say hello to {} and show them around in the introduction thread below",
)


@dataclass(frozen=True)
class Post:
    """What somebody posted."""

    text: str
    author: int
    created: int
    """Microseconds since 1970-01-01."""
    quote: tuple[int, int] | None = None
    """Code points of a quote in it that says no account."""


@dataclass(frozen=True)
class Copy:
    """A post that copies one of somebody else's."""

    case: str
    post: Post
    writer: int
    """Whose words it holds."""
    start: int
    """Code points: where their words begin, and end."""
    end: int


class Talk:
    """Makes posts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._words = {name: self._vocabulary(name, letters) for name, letters in ALPHABETS.items()}
        self._words["zh"] = [chr(0x4E00 + place) for place in range(3500)]
        self._weights = {
            name: list(accumulate(1 / (place + 2) for place in range(len(words))))
            for name, words in self._words.items()
        }
        self._phrases = {
            name: [self._drawn(name, self.random.randint(3, 7)) for _ in range(PHRASES)] for name in self._words
        }
        self._usual = list(accumulate(1 / (place + 2) for place in range(PHRASES)))

    def _vocabulary(self, name: str, letters: str) -> list[str]:
        draw = self.random
        known = FUNCTION.split() if name == "en" else []
        short = ["".join(draw.choices(letters, k=draw.randint(1, 4))) for _ in range(120 - len(known))]
        return known + short + ["".join(draw.choices(letters, k=draw.randint(3, 11))) for _ in range(VOCABULARY)]

    def _drawn(self, language: str, count: int) -> list[str]:
        return self.random.choices(self._words[language], cum_weights=self._weights[language], k=count)

    def words(self, language: str, count: int) -> list[str]:
        """So many words, a third of them in phrases."""
        found: list[str] = []
        while len(found) < count:
            if self.random.random() < 0.1:
                found += self.random.choices(self._phrases[language], cum_weights=self._usual)[0]
            else:
                found += self._drawn(language, 2 if language != "zh" else 3)
        return found[:count]

    def written(self, language: str, words: list[str]) -> str:
        """Words as people type them: capitals and punctuation."""
        between = "" if language == "zh" else " "
        text, upper = "", True
        for word in words:
            text += word.capitalize() if upper else word
            upper = self.random.random() < 0.08
            text += (self.random.choice((". ", "! ", ".\n")) if upper else "") or between
        return text.strip()

    def stock(self) -> str:
        """Something that many people write alike, perhaps within words of their own."""
        kind = self.random.random()
        if kind < 0.3:
            return self.random.choice(GREETINGS)
        own = self.written("en", self.words("en", self.random.randint(5, 60)))
        if kind < 0.5:
            return f"{own}\n{self.random.choice(PROVERBS)}"
        if kind < 0.6:
            return f"{own}\n\n{LICENCE}"
        if kind < 0.8:
            return f"{own}\n--\n{self.random.choice(SIGNATURES)}"
        return self.random.choice(TEMPLATES).format(*self.words("en", 2))

    def post(self, author: int, least: int = 3, most: int = 120) -> Post:
        """One by somebody, of a tenth stock."""
        created = self.random.randrange(10**15, 2 * 10**15)
        if least <= 3 and self.random.random() < 0.1:
            return Post(self.stock(), author, created)
        language = self.random.choice(LANGUAGES)
        count = self.random.randint(least, most) * (2 if language == "zh" else 1)  # a Han character is half a word
        return Post(self.written(language, self.words(language, count)), author, created)


def copies(talk: Talk, originals: list[Post], authors: list[int]) -> Iterator[Copy]:
    """One copy of each original, by somebody else and later, in the cases that fit its length."""
    for original in originals:
        author, later = talk.random.choice(authors), original.created + talk.random.randrange(1, 10**12)
        cases = [case for case, (least, most, _) in CASES.items() if least <= length(original.text) <= most]
        if cases:
            case = talk.random.choice(cases)
            before, copied, behind = CASES[case][2](talk, original.text)
            place = (len(before), len(before) + len(copied))
            quote = place if case == "25+ in a quote" else None
            yield Copy(case, Post(before + copied + behind, author, later, quote), original.author, *place)


def is_spaced(text: str) -> bool:
    """Whether spaces stand between its words."""
    return " " in text


def length(text: str) -> int:
    """Its words; two Han characters are one."""
    return len(text.split()) if is_spaced(text) else len(text) // 2


def edited(talk: Talk, text: str, edits: int) -> str:
    """A text with so many of its words replaced, left out, doubled by another, or swapped with the next."""
    tokens = text.split(" ") if is_spaced(text) else list(text)
    other = talk.words("en", edits) if is_spaced(text) else talk.words("zh", edits)
    for at, word in zip(sorted(talk.random.sample(range(len(tokens)), edits), reverse=True), other, strict=True):
        kind = talk.random.choices(("replace", "drop", "add", "swap"), (6, 2, 1, 1))[0]
        if kind == "swap" and at + 1 < len(tokens):
            tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
        else:
            tokens[at : at + 1] = {"drop": [], "add": [tokens[at], word]}.get(kind, [word])
    return (" " if is_spaced(text) else "").join(tokens)


def truncated(talk: Talk, text: str) -> str:
    """Its first or its last part, half of it at least."""
    tokens = text.split(" ") if is_spaced(text) else list(text)
    kept = talk.random.randint(len(tokens) // 2 + 1, len(tokens) - 1)
    return (" " if is_spaced(text) else "").join(tokens[:kept] if talk.random.random() < 0.5 else tokens[-kept:])


def retyped(text: str) -> str:
    """The same words in other typing: no capitals, one line, spaces doubled."""
    return text.lower().replace("\n", "  ") if is_spaced(text) else text


def embedded(talk: Talk, text: str) -> tuple[str, str, str]:
    """A text between words of somebody else's."""
    own = (talk.written("en", talk.words("en", talk.random.randint(6, 50))) for _ in range(2))
    return f"{next(own)}\n\n", text, f"\n\n{next(own)}"


Made = Callable[[Talk, str], tuple[str, str, str]]
CASES: Final[dict[str, tuple[int, int, Made]]] = {
    "25+ whole": (25, 999, lambda _, text: ("", retyped(text), "")),
    "25+ truncated": (25, 999, lambda talk, text: ("", truncated(talk, text), "")),
    "25+ one edit": (25, 999, lambda talk, text: ("", edited(talk, text, 1), "")),
    "25+ three edits": (25, 999, lambda talk, text: ("", edited(talk, text, 3), "")),
    "25-30 three edits": (25, 30, lambda talk, text: ("", edited(talk, text, 3), "")),
    "25+ in a quote": (25, 999, lambda talk, text: ("", text, f"\n{talk.written('en', talk.words('en', 9))}")),
    "25+ within others' words": (25, 999, embedded),
    "10-24 whole": (10, 24, lambda _, text: ("", retyped(text), "")),
    "10-24 one edit": (10, 24, lambda talk, text: ("", edited(talk, text, 1), "")),
    "4-9 whole": (4, 9, lambda _, text: ("", retyped(text), "")),
}
"""By name: the fewest and most words of the original, and what stands before, as, and behind the copy."""
