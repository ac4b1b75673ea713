"""The figures of a finder of people on real data: recall and precision, with counts and Wilson's interval of 95 %.

Run ``PYTHONPATH=bench python -m people.real MODULE:FINDER [irc|germeval2018|instagram|wnut17 ...]``, for instance with
``people.realdata.baselines:spelled``. The data is read from ``DEMUR_SHARED``, else ``../shared``; what is not at hand
is said and passed over. Nothing of the texts is printed.
"""

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from _real import Share, shared
from people.cases import Finder
from people.realdata import germeval, instagram, irc, wnut
from people.realdata.scoring import DataSet, Score, run
from people.targets import aim

POPULATION: Final = {"rare": 5_817, "middle": 957, "common": 4_412}
"""Lines of the channel from which the labelled ones were drawn, by stratum (``labels/README.md``)."""
_SPILL: Final = "letters and digits masked beyond any truth"
_NONE: Final = "none"
_ELSEWHERE: Final = "elsewhere, "


def finder_named(name: str) -> Finder:
    """The finder that ``module:function`` names.

    Raises:
        SystemExit: when the name is of another form, or nothing bears it.
    """
    module, _, function = name.partition(":")
    try:
        return cast("Finder", getattr(importlib.import_module(module), function))
    except (ImportError, ValueError, AttributeError) as error:
        raise SystemExit(f"{name}: {error}; name a finder, for instance people.realdata.baselines:spelled.") from error


def judge_irc(finder: Finder, _folder: Path) -> Iterator[str]:
    """A channel: nicks that open a line, and nicks elsewhere in the labelled lines."""
    return of_channel(finder, irc.whole().data, irc.whole().common)


def of_channel(finder: Finder, data: DataSet, words: frozenset[str]) -> Iterator[str]:
    """The same of the channel's lines in some shape; ``words`` are those that many write and that address nobody."""
    score = run(finder, data)
    common = list(irc.on_common_words(score.masks, data, words))
    texts = {post.item: post.text for post in data.posts}
    opening = sum(not texts[mask.item][: mask.start].strip(" @") for mask in common)
    found = score.recall["opening"].hits
    yield f"opening a line: recall {score.recall['opening']}{aim(score.recall['opening'], 0.999)}"
    yield f"opening a line: precision {Share(found, found + opening)}, where a common word is false"
    yield from _elsewhere(score)
    yield f"labelled lines: {_SPILL} {score.spill}"
    over_common = Share(len(common), len(score.masks))
    yield f"masks over common words: {over_common} of all masks{aim(over_common, most=0.01)}"


def _elsewhere(score: Score) -> Iterator[str]:
    """The labelled lines: together, as the strata weigh in the channel, and by stratum."""
    stratum = irc.strata()
    recall = {form.removeprefix(_ELSEWHERE): each for form, each in score.recall.items() if form.startswith(_ELSEWHERE)}
    right = Counter(stratum[hit.mask.item] for hit in score.right if hit.form.startswith(_ELSEWHERE))
    false = Counter(stratum[mask.item] for mask in score.false)
    masked = {place: Share(right[place], right[place] + false[place]) for place in recall}
    for name, shares in (("recall", recall), ("precision", masked)):
        all_strata = _together(shares)
        weighed = _weighed(shares, stratum)
        yield f"elsewhere: {name} {all_strata}, weighed as in the channel {weighed:.4f}{aim(all_strata, 0.95)}"
    for place, share in recall.items():
        yield f"elsewhere, {place} words as nicks: recall {share}, precision {masked[place]}"
    lines = sum(place == _NONE for place in stratum.values())
    yield f"elsewhere, lines that name nobody: {false[_NONE]:,} false masks in {lines:,} lines"


def _together(shares: Mapping[str, Share]) -> Share:
    return Share(sum(share.hits for share in shares.values()), sum(share.of for share in shares.values()))


def _weighed(shares: Mapping[str, Share], stratum: Mapping[str, str]) -> float:
    """The share in the channel, each stratum's counts weighed by the lines that a labelled one stands for."""
    lines = Counter(stratum.values())
    weight = {place: POPULATION[place] / lines[place] for place in shares}
    of = sum(weight[place] * share.of for place, share in shares.items())
    return sum(weight[place] * share.hits for place, share in shares.items()) / of if of else float("nan")


def judge_germeval(finder: Finder, folder: Path) -> Iterator[str]:
    """@handles in tweets."""
    yield from _plain(run(finder, germeval.load(folder)), {"handle": 1.0})


def judge_instagram(finder: Finder, folder: Path) -> Iterator[str]:
    """Usernames and names in an export."""
    for data in (instagram.load_labelled(folder), instagram.load_written(folder)):
        yield from (f"{data.name}: {line}" for line in _plain(run(finder, data), {"username": 0.98, "name": 0.95}))


def judge_wnut(finder: Finder, folder: Path) -> Iterator[str]:
    """Persons in posts: names of several words as objectors, then all."""
    scopes: tuple[wnut.Scope, ...] = ("several words", "all")
    for scope in scopes:
        data = wnut.load(folder, scope)
        score = run(finder, data)
        yield from (f"objectors: {scope}: {line}" for line in _plain(score, {"several words": 0.97}))
        false = Share(len(score.false), wnut.tokens(data))
        spelled = f"{_spelled(score, data)} spell a declared name whole"
        yield f"objectors: {scope}: false masks a token {false}; {spelled}{aim(false, most=0.001)}"


def _spelled(score: Score, data: DataSet) -> int:
    """How many false masks cover exactly what an objector declared: most are persons that the labels miss."""
    names = {name.casefold() for person in data.objectors for name in person.names}
    texts = {post.item: post.text for post in data.posts}
    return sum(texts[mask.item][mask.start : mask.end].casefold() in names for mask in score.false)


def _plain(score: Score, aims: Mapping[str, float]) -> Iterator[str]:
    """Recall by form, with what is aimed at for some forms; precision and spill."""
    yield from (f"{form}: recall {share}{aim(share, aims.get(form))}" for form, share in score.recall.items())
    yield f"precision {score.precision}"
    yield f"{_SPILL} {score.spill}"


JUDGES: Final[dict[str, Callable[[Finder, Path], Iterator[str]]]] = {
    "irc": judge_irc,
    "germeval2018": judge_germeval,
    "instagram": judge_instagram,
    "wnut17": judge_wnut,
}


def main() -> None:
    """Print the figures of a finder on the data sets named, or on all."""
    if len(sys.argv) < 2:
        raise SystemExit("name a finder, for instance people.realdata.baselines:spelled.")
    finder = finder_named(sys.argv[1])
    for name in sys.argv[2:] or JUDGES:
        if name not in JUDGES:
            raise SystemExit(f"{name}: no such data set: name one of {', '.join(JUDGES)}.")
        folder = shared(name)
        if folder is None:
            print(f"{name}: skipped, no data/{name} in DEMUR_SHARED or ../shared")
            continue
        for line in JUDGES[name](finder, folder):
            print(f"{name}: {line}")


if __name__ == "__main__":
    main()
