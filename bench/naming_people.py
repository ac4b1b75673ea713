"""Every figure of the finder of people in others' words, with its aim beside it: ``make bench-people``.

Run ``python bench/naming_people.py [SECTION ...]``; without one, all are printed. Real data is read from
``DEMUR_SHARED`` or ``../shared``; where it is not at hand, that is said. Nothing of a text is printed. Intervals are
Wilson's, at 95 %.
The judges (bench/people) never read the finder's tables, and the finder never reads theirs.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from _real import shared
from people.cases import Finder
from people.real import JUDGES, of_channel
from people.realdata import irc
from people.realdata.irc_items import as_imported, of_some
from people.speed import of_building, of_search
from people.synthetic import of_exact, of_forum, of_hard, of_inflection
from people.targets import heading
from people.under_test import find, find_everywhere

SHARE: Final = 0.01
"""Of a channel's nicks, whose bearers objected in the likely case."""


def of_real(name: str, judge: Callable[[Finder, Path], Iterator[str]], title: str) -> Iterator[str]:
    """A data set, where it is at hand."""
    yield from heading(title)
    folder = shared(name)
    if folder is None:
        yield f"skipped: no data/{name} in DEMUR_SHARED or ../shared"
        return
    yield from judge(find_everywhere, folder)


def of_irc_imported(finder: Finder, folder: Path) -> Iterator[str]:
    """The channel as the adapter of IRC reads it: its mentions marked, a day a thread."""
    return of_channel(finder, as_imported(irc.whole().data, folder), irc.whole().common)


def of_irc_likely(_finder: Finder, folder: Path) -> Iterator[str]:
    """The same where one of a hundred objected."""
    return of_channel(find, of_some(as_imported(irc.whole().data, folder), SHARE, 1), irc.whole().common)


SECTIONS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "forum": of_forum,
    "inflection": of_inflection,
    "exact": of_exact,
    "hard": of_hard,
    "irc": partial(of_real, "irc", JUDGES["irc"], "irc: each nick an objector's, a day's log a thread"),
    "irc-imported": partial(of_real, "irc", of_irc_imported, "irc as it is imported, each nick an objector's"),
    "irc-likely": partial(of_real, "irc", of_irc_likely, "irc as it is imported, one nick of a hundred an objector's"),
    "wnut17": partial(of_real, "wnut17", JUDGES["wnut17"], "wnut17: each person an objector"),
    "instagram": partial(of_real, "instagram", JUDGES["instagram"], "instagram: whoever is named an objector"),
    "germeval2018": partial(of_real, "germeval2018", JUDGES["germeval2018"], "germeval2018: each handle an objector's"),
    "speed": of_search,
    "building": of_building,
}


def main() -> None:
    """Print the sections that are named, or all."""
    for name in sys.argv[1:] or SECTIONS:
        if name not in SECTIONS:
            raise SystemExit(f"{name}: no such section: name some of {', '.join(SECTIONS)}.")
        for line in SECTIONS[name]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
