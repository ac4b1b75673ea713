"""A blind sample of what was masked, to be judged by a reader: does the mask hide what it is for?

Run ``PYTHONPATH=bench python -m people.blind MODULE:FINDER N SEED [DATA SET ...]`` to be shown N masks, numbered, with
what stands around each and nothing of where it comes from. Write a file with a line a mask, ``NUMBER y``, ``NUMBER n``
or ``NUMBER ?``, and run the same with ``--verdicts FILE``: the shares are printed, by what the truths said of the mask,
with Wilson's interval of 95 %. The same seed draws the same masks. Texts go to the terminal alone and are never kept.
"""

import argparse
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from _real import Share, shared
from people.cases import Finder
from people.real import finder_named
from people.realdata import germeval, instagram, irc, wnut
from people.realdata.scoring import DataSet, run, touches

AROUND: Final = 80
"""Code points shown on either side of a mask."""
OPENS: Final = "\u27e6"
CLOSES: Final = "\u27e7"
VERDICTS: Final = ("y", "n", "?")
_VERDICT: Final = re.compile(r"\s*(\d+)\s+([yn?])\s*")


@dataclass(frozen=True)
class Masked:
    """One part of a text that was masked."""

    text: str
    start: int
    """Code points of the text."""
    end: int
    source: str
    """Where it comes from and what is known of it; never shown."""


def draw(masked: Sequence[Masked], size: int, seed: int) -> list[Masked]:
    """So many masks at random, in random order; all where there are fewer."""
    return random.Random(seed).sample(masked, min(size, len(masked)))


def shown(mask: Masked) -> str:
    """A mask in what stands around it, on one line."""
    before = mask.text[max(0, mask.start - AROUND) : mask.start]
    after = mask.text[mask.end : mask.end + AROUND]
    return " ".join(f"{before}{OPENS}{mask.text[mask.start : mask.end]}{CLOSES}{after}".split())


def verdicts(lines: Iterable[str], size: int) -> dict[int, str]:
    """What a reader wrote of each mask, by its number from 1.

    Raises:
        ValueError: when a line is no verdict, its number isn't in the sample, or a mask is judged twice.
    """
    read: dict[int, str] = {}
    for at, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _VERDICT.fullmatch(line)
        if match is None or not 1 <= int(match[1]) <= size or int(match[1]) in read:
            raise ValueError(f"line {at}: write a number from 1 to {size}, once, and y, n or ?")
        read[int(match[1])] = match[2]
    return read


def tally(sample: Sequence[Masked], read: dict[int, str]) -> Iterator[str]:
    """The share of masks judged right among those judged, in all and by source; how many the reader left open."""
    judged: dict[str, Counter[str]] = {}
    for number, verdict in read.items():
        for source in ("all", sample[number - 1].source):
            judged.setdefault(source, Counter())[verdict] += 1
    for source, counts in sorted(judged.items()):
        yield f"{source}: {Share(counts['y'], counts['y'] + counts['n'])}, {counts['?']} left open"
    yield f"{len(sample) - len(read)} of {len(sample)} not judged"


def masked_by(finder: Finder, data: DataSet) -> Iterator[Masked]:
    """What a finder masks of a data set."""
    posts = {post.item: post for post in data.posts}
    objected = {person.account for person in data.objectors}
    for mask in run(finder, data).masks:
        post = posts[mask.item]
        truths = [(truth.start, truth.end) for truth in post.truths if truth.person in objected]
        known = "a truth" if touches(mask, truths) else "no truth"
        yield Masked(post.text, mask.start, mask.end, f"{data.name}, {known}")


def data_sets(names: Sequence[str]) -> Iterator[DataSet]:
    """The data sets of these names that are at hand."""
    for name in names:
        folder = shared(name)
        if folder is None:
            print(f"{name}: skipped, no data/{name} in DEMUR_SHARED or ../shared")
        elif name == "irc":
            yield irc.whole().data
        elif name == "germeval2018":
            yield germeval.load(folder)
        elif name == "instagram":
            yield instagram.load_written(folder)
        else:
            yield wnut.load(folder, "all")


def main() -> None:
    """Show a sample, or say what a reader made of it."""
    known = ("irc", "germeval2018", "instagram", "wnut17")
    parser = argparse.ArgumentParser(description="Show a blind sample of what a finder masks, or tally its verdicts.")
    parser.add_argument("finder")
    parser.add_argument("size", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("data", nargs="*", metavar="DATA SET", help=", ".join(known))
    parser.add_argument("--verdicts", type=Path)
    told = parser.parse_args()
    if unknown := set(told.data) - set(known):
        parser.error(f"no data set {', '.join(sorted(unknown))}: name some of {', '.join(known)}")
    masked = [mask for data in data_sets(told.data or known) for mask in masked_by(finder_named(told.finder), data)]
    sample = draw(masked, told.size, told.seed)
    if told.verdicts is None:
        for number, mask in enumerate(sample, start=1):
            print(f"{number:4} {shown(mask)}")
        return
    try:
        read = verdicts(told.verdicts.read_text(encoding="utf-8").splitlines(), len(sample))
    except (OSError, ValueError) as error:
        parser.error(f"{told.verdicts}: {error}")
    for line in tally(sample, read):
        print(line)


if __name__ == "__main__":
    main()
