"""The output guard: how often what a model says of withheld people passes it, and what it costs.

Run ``python bench/guard.py [WHAT ...]``, of:

- ``names``: names of 400 invented people, in 12 languages, each in a sentence, by the ways of bench/_evading.py;
- ``copies``: made-up posts (bench/_copied.py) of 200 people, by length and by way;
- ``irc``: real lines of one nick in a hundred of #ubuntu (``DEMUR_SHARED``), by way, and other people's lines;
- ``cost``: processor time for each token with the guard and without, of a model of two million weights (extra `train`).

*Passes* is the share of texts of which the guard withholds less than half of the code points in question: a bypass.
Intervals are Wilson's, at 95 %. The people are simulated objectors: nobody's text is printed. ``--off`` switches the
guard off, to see that the figures move.
"""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from random import Random
from typing import Any, Final

import numpy as np
import pyarrow as pa

import _evading as evading
import _irc_rows as irc_rows
import copies as posted
from _copied import Post, Talk
from _real import Share, irc_lines, wilson
from demur.demo.people import member
from demur.identity import Pepper
from demur.kernel.rules import Facts, Known, Rules, compile_rules
from demur.people.compiled import Compiler
from demur.people.index import PeopleIndex
from demur.suppression.copies import Copies, fingerprints_of
from demur.training.guard.passing import Passing
from demur.training.guard.searching import Found, search

SEED: Final = 14
PEPPER: Final = Pepper(bytes(range(32)))
PEOPLE: Final = 400
WRITERS: Final = 200
LENGTHS: Final = {"4 to 11 words": (4, 11), "12 to 47 words": (12, 47), "48 to 120 words": (48, 120)}
SENTENCE: Final = "Yesterday somebody told me that {} sells plums at the market."
TOKENS: Final = 64
ROUNDS: Final = 9
LOGS: Final = 30
FEWEST: Final = 4
"""Words of a line of a log that is looked at."""

Guard = Callable[[str, str, Rules], Found]
"""Of prompt, answer and rules."""


def off(_prompt: str, _answer: str, _rules: Rules) -> Found:
    """A guard that is switched off."""
    return Found((), None)


def rules_of(people: PeopleIndex | None, copies: Copies | None, subjects: Sequence[int]) -> Rules:
    """The rules under which some people are withheld."""
    none = np.zeros(0, np.int64)
    facts = Facts(none, none.astype("S2"), none.astype(np.int16), none.astype(np.int32), none.astype(bool))
    rules = compile_rules(irc_rows.policy(), PEPPER, Known(np.unique(np.array(subjects, np.int64)), facts))
    return replace(rules, people=people, copies=copies)


@dataclass(frozen=True)
class Said:
    """What a model says, and which part of it somebody objected to."""

    text: str
    start: int
    end: int


def passes(guard: Guard, said: Said, rules: Rules) -> bool:
    """Whether less than half of it is withheld."""
    found = guard("", said.text, rules)
    hidden = np.zeros(len(said.text), bool)
    for start, end in found.names:
        hidden[start:end] = True
    if found.copied is not None:
        hidden[found.copied :] = True
    return bool(hidden[said.start : said.end].mean() < 0.5)


def share(guard: Guard, said: Sequence[Said], rules: Rules) -> Share:
    """How many of them pass."""
    return wilson(sum(passes(guard, each, rules) for each in said), len(said))


# names


def named(count: int = PEOPLE) -> tuple[Rules, list[tuple[str, str]]]:
    """People who are withheld, with the rules: name and language of each."""
    compiler = Compiler(posted.KEYS)
    people = [member(SEED, number, date(2026, 11, 30)) for number in range(count)]
    entries = ((each.index + 1, compiler.name(each.name, [each.language])) for each in people)
    rules = rules_of(PeopleIndex.build(entries), None, range(1, count + 1))
    return rules, [(each.name, each.language) for each in people]


def names(guard: Guard, count: int = PEOPLE, only: Collection[str] = ()) -> Iterator[tuple[str, Share, int]]:
    """By way, of all or some: how many names pass, and how many of them the way changed at all."""
    rules, people = named(count)
    written: dict[str, list[Said]] = defaultdict(list)
    changed: dict[str, int] = defaultdict(int)
    for name, language in people:
        for way, write in evading.names(language).items():
            if only and way not in only:
                continue
            other = write(name)
            start = SENTENCE.index("{")
            written[way].append(Said(SENTENCE.format(other), start, start + len(other)))
            changed[way] += other != name
    for way, said in written.items():
        yield way, share(guard, said, rules), changed[way]


# copies


def made_up(count: int = WRITERS) -> tuple[Rules, dict[str, list[str]]]:
    """Posts of people who are withheld, by length, with the rules."""
    talk, random = Talk(SEED), Random(SEED)
    posts = {
        length: [Post(talk.written(lang, talk.words(lang, random.randint(*bounds))), 1 + at, at) for at in range(count)]
        for length, bounds in LENGTHS.items()
        for lang in ["en"]
    }
    every = [post for some in posts.values() for post in some]
    known = Copies.build(posted.lines(every, 0, fingerprints_of, own=True))
    rules = rules_of(None, known, range(1, count + 1))
    return rules, {length: [post.text for post in some] for length, some in posts.items()}


def copied(guard: Guard, count: int = WRITERS, only: Collection[str] = ()) -> Iterator[tuple[str, str, Share, int]]:
    """By length and way, of all or some: how many posts pass, and how many of them the way changed at all."""
    rules, posts = made_up(count)
    for length, texts in posts.items():
        for way, write in evading.ways(evading.made_up, evading.made_up, SEED).items():
            if only and way not in only:
                continue
            others = list(map(write, texts))
            found = share(guard, [Said(other, 0, len(other)) for other in others], rules)
            yield length, way, found, sum(one != other for one, other in zip(texts, others, strict=True))


# real lines


def logged() -> tuple[Rules, list[str], list[str]]:
    """Lines of one nick in a hundred, and of others, with the rules under which these nicks are withheld."""
    lines = [line for line in irc_lines() if len(line.text.split()) >= FEWEST]
    files = set(islice(dict.fromkeys(line.file for line in lines), LOGS))
    lines = [line for line in lines if line.file in files]
    nicks = sorted({line.nick for line in lines})
    Random(SEED).shuffle(nicks)
    number = {nick: at + 1 for at, nick in enumerate(nicks)}
    last = max(len(nicks) // 100, 20)
    posts = [Post(line.text, number[line.nick], at) for at, line in enumerate(lines)]
    own = [post for post in posts if post.author <= last]
    others = [post for post in posts if post.author > last]
    wrote = posted.lines(own, 0, fingerprints_of, own=True)
    seen = posted.lines(others, 10**9, Copies.build(wrote).seen, own=False)
    compiler = Compiler(posted.KEYS)
    people = PeopleIndex.build((number[nick], compiler.handle(f"irc:{nick}")) for nick in nicks[:last])
    rules = rules_of(people, Copies.build(pa.concat_tables([wrote, seen])), range(1, last + 1))
    return rules, [post.text for post in own], Random(SEED).sample([post.text for post in others], 4_000)


def of_irc(guard: Guard) -> Iterator[str]:
    """Lines to print of the logs."""
    rules, own, others = logged()
    yield f"{len(own)} lines of {FEWEST} words or more by people who are taken for objectors"
    for least, most in ((FEWEST, 11), (12, 10**6)):
        texts = [text for text in own if least <= len(text.split()) <= most]
        many = "or more" if most == 10**6 else f"to {most}"
        table = evading.in_table
        for way, write in evading.ways(table(evading.SYNONYMS), table(evading.GERMAN), SEED).items():
            written = list(map(write, texts))
            found = share(guard, [Said(text, 0, len(text)) for text in written], rules)
            changed = sum(one != other for one, other in zip(texts, written, strict=True))
            yield f"  {least} {many} words, {way:26} passes {found}, changed {changed}"
    touched = [guard("", text, rules) for text in others]
    cut = wilson(sum(found.copied is not None for found in touched), len(touched))
    masked = wilson(sum(bool(found.names) for found in touched), len(touched))
    yield f"  lines of others that are cut: {cut}; in which something is masked: {masked}"


# cost


def of_cost(_guard: Guard) -> Iterator[str]:
    """Lines to print of the time for a token."""
    import importlib.util  # noqa: PLC0415  # beside its use

    if not importlib.util.find_spec("torch"):
        yield "  skipped: it needs demur[train]"
        return
    from _guard_cost import drawn  # noqa: PLC0415  # it loads torch

    rules, posts = made_up()
    people, _ = named()
    rules = replace(rules, people=people.people)
    for tokens in (16, TOKENS, 200):
        yield from drawn(tokens, rules, ROUNDS)
    answer = " ".join(posts["48 to 120 words"])[:400]
    for size in (100, 400, 4_000):
        text = (answer * 10)[:size]
        times = []
        for _ in range(ROUNDS):
            began = time.process_time()
            passing = Passing("rain")
            passing.left(passing.taken(text, rules, ended=True))
            times.append(time.process_time() - began)
        yield f"  an answer of {size:5,} characters is searched in {1000 * statistics.median(times):.1f} ms"


def of_names(guard: Guard) -> Iterator[str]:
    """Lines to print of names."""
    for way, found, changed in names(guard):
        yield f"  {way:26} passes {found}, changed {changed}"


def of_copies(guard: Guard) -> Iterator[str]:
    """Lines to print of made-up posts."""
    for length, way, found, changed in copied(guard):
        yield f"  {length:16} {way:26} passes {found}, changed {changed}"


SECTIONS: Final[dict[str, Callable[[Guard], Iterator[Any]]]] = {
    "names": of_names,
    "copies": of_copies,
    "irc": of_irc,
    "cost": of_cost,
}


def main() -> None:
    """Print the sections that are named, or all."""
    asked = [each for each in sys.argv[1:] if each != "--off"]
    guard = off if "--off" in sys.argv[1:] else search
    for name in asked or SECTIONS:
        if name not in SECTIONS:
            raise SystemExit(f"{name}: no such section: name some of {', '.join(SECTIONS)}.")
        print(name)
        for line in SECTIONS[name](guard):
            print(line, flush=True)


if __name__ == "__main__":
    main()
