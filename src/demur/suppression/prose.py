"""Which words of a text nobody wrote as theirs: code, commands, logs, error messages, tables of numbers, addresses.

Invariants: decided line by line, from a line's own characters and the fences around it, never from other rows; the
time is linear, for only the beginning of a line is judged.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.patterns import lazily
from demur.words.page import Bools, Page, inside

_JUDGED: Final = 400
"""Code points of a line that are looked at."""
_DENSE: Final = 0.15
"""The share of a line's characters, from which signs make it code."""
_SIGNS: Final = re.compile(r"[][{}<>=;|&\\$*+/^~%`]")
_SMILES: Final = re.compile(r"[:;=8][-o']?[()\[\]DPp/\\|*3]|<3|\^_*\^|\*+[^*\n]{1,80}\*+|&\w+;")
"""What talk has of these signs: smiles, hearts, *stress*."""
_FENCE: Final = re.compile(r"\s*(?:```|~~~|\[/?code\b)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\b(?:[a-z][a-z+]{1,9}://|www\.)\S+|(?<!\S)[~.]?(?:/[\w.+-]+){2,}/?", re.IGNORECASE)
_MACHINES: Final = re.compile(
    r"""
      (?:\$|>>>|\.\.\.|In\ \[\d+\]:|Out\[\d+\]:|[\w.-]{1,40}@[\w.-]{1,60}[:~ ][^\s$#]{0,80}[$#]|PS\ [A-Z]:\\|[A-Z]:\\)
    | \[?\(?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d
    | [\[(]?\d\d:\d\d:\d\d[\]),. ]
    | \[\ *\d+\.\d+\]
    | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ +\d+\ \d\d:\d\d:\d\d
    | \W{0,2}(?:ERROR|WARN|WARNING|INFO|DEBUG|TRACE|FATAL|CRITICAL|NOTICE|E|W)[]:>)]
    | (?:[\w./+-]{1,120}:(?:\d+:)*\ )?(?:fatal\ )?(?:error|warning|fatal|note)(?:\[\w+\])?:[ ]
    | Traceback\ \(most\ recent | File\ "[^"]{0,300}",\ line\ \d | at\ [\w.$<>]{1,200}\( | Caused\ by:
    | (?:\w{1,60}\.){0,9}\w{0,80}(?:Error|Exception)\b
    | \#include\b | import\ [\w.]+;?$ | from\ [\w.]+\ import\b | <[!/?]?\w[^<>]{0,300}>$
    | [@\w.\[\]]{1,80}\ ?[-+*/|:]?=\ ?\S
    | (?:def|class|function|fn|func|sub)\ \w{1,80}\ ?[({:]
    """,
    re.VERBOSE,
)
"""What machines print, or people write for machines, by the beginning of a line."""
_ENDS: Final = lazily(r"(?:[;{}]|\w\([^()]{0,200}\)[:{]?|\)\ ?=>|[^\s:]::\w+|->\w+)$")
"""The same, by its end."""
_NUMBERS: Final = 0.6
"""The share of a line's words with a digit, from which it is a row of a table."""
_FEW: Final = 3
_MAY_BE: Final = (
    r"[][(){}<>=;:|&\\$*+/^~%`#\"]|\.\.\.|Error|Exception|import|(?i:www\.)"
    r"|\pN.*[\s\pZ\x0b\x1c-\x1f\x{85}].*\pN|\pN[-/]\pN"
)
"""For RE2, what each line holds that is no prose, and each address: it turns away most texts."""


def in_no_prose(page: Page) -> Bools:
    """Which words of a page stand where nobody writes as they talk; shape (words,)."""
    rows = np.flatnonzero(pc.match_substring_regex(page.texts, _MAY_BE).to_numpy(zero_copy_only=False))
    texts = page.texts.take(pa.array(rows)).to_pylist()
    found = [(row, *place) for row, text in zip(rows.tolist(), texts, strict=True) for place in _places(text)]
    row, start, end = np.array(found, np.int64).reshape(-1, 3).T
    return inside(page.words, (row, start, end))


def _places(text: str) -> list[tuple[int, int]]:
    """Start and end, in code points, of what is no prose, sorted."""
    addresses = [found.span() for found in _ADDRESS.finditer(text)]
    return sorted([*_lines(text), *addresses])


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """The lines that are no prose."""
    breaks = [-1, *(found.start() for found in re.finditer("\n", text)), len(text)]
    fenced = False
    for before, end in pairwise(breaks):
        start = before + 1
        line = text[start : min(end, start + _JUDGED)]
        if fence := _FENCE.match(line):
            fenced = not fenced and not line[fence.end() :].rstrip().endswith(("```", "~~~", "[/code]"))
        if fence or fenced or is_no_prose(line):
            yield start, end


def is_no_prose(line: str) -> bool:
    """Whether a line is code, a command, of a log, an error message, or a row of numbers."""
    line = line.strip()
    if not line:
        return False
    if _MACHINES.match(line):
        return True
    bare = _SMILES.sub("", _ADDRESS.sub("", line)).strip()
    if _ENDS.search(bare[-300:]):
        return True
    words = bare.split()
    numbers = sum(any(map(str.isdigit, word)) for word in words)
    if len(words) >= _FEW and numbers >= _NUMBERS * len(words):
        return True
    return len(words) > 1 and len(_SIGNS.findall(bare)) >= _DENSE * sum(map(len, words))
