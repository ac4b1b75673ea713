"""What texts say of who is called what: how authors sign, and by which names replies call whom they answer.

Invariants: only the first and the last characters of a text are read, so that the cost is one of rows; a common word is
nobody's name; words leave as keys. What it says of a row follows from that row alone.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.patterns import lazily
from demur.people.context import Pairs, in_thread, pairs
from demur.people.finding.senses import Sense, sense_of
from demur.people.greetings import HELLO, LEAVE, THANKS, either, phrases
from demur.words.folding import fold_name
from demur.words.keys import WordKeys
from demur.words.page import Bools, Ints, Writing

Beside = tuple[Ints, Ints]
"""Row and word key of each word, shape (n,) both, sorted and once each."""

_NEAR: Final = 96
"""Code points that are read at the beginning and at the end of a text."""
_REMEMBERED: Final = 65_536
_CALLERS: Final = 2
"""Authors who must call somebody so, before it counts."""

_NAME: Final = r"(?P<{}>[^\W\d_](?:[\w'’-]{{1,24}}))"
_TWO: Final = _NAME.format("one") + "(?:[ ]" + _NAME.format("two") + ")?"
_END: Final = r"\s*[.!)]*\s*\Z"
_BEGIN: Final = r"(?:\A|[\n.!?,;)])\s*"
_LEAVING: Final = either(phrases(LEAVE))
_THANKING: Final = either(phrases(THANKS))
_GREETING: Final = either(phrases(HELLO))

_SIGNED: Final = (
    re.compile(rf"(?:\A|\n)\s*(?:(?P<marker>--|—|–|~)|[-/])\s*{_TWO}{_END}"),
    lazily(rf"{_BEGIN}{_LEAVING}[,.!]*\s+{_TWO}{_END}", re.IGNORECASE),
    lazily(rf"{_BEGIN}{_THANKING}(?:[ ]\w+)?[,.!]*[ ]*\n\s*{_TWO}{_END}", re.IGNORECASE),
    re.compile(rf"\n\s*{_NAME.format('line')}{_END}"),
)
"""How a text ends that its author signed: behind a mark, behind a phrase, or with a line of its own."""
_CALLED: Final = lazily(
    rf"\A\s*(?:{_GREETING},?\s+{_NAME.format('greeted')}(?=\s*[,.!:;\n–—-]|\s*\Z)"
    rf"|{_THANKING},?\s+{_NAME.format('thanked')}(?=\s*[,.!:;\n])"
    rf"|{_NAME.format('marker')}[ ]?[:](?=\s)|{_NAME.format('one')},(?=\s))",
    re.IGNORECASE,
)
_CALLED_LAST: Final = lazily(
    rf"{_BEGIN}{_THANKING},?[ ]+{_NAME.format('thanked')}{_END}|,[ ]{_NAME.format('line')}\s*[.!?…]*\s*\Z",
    re.IGNORECASE,
)
_FIRST: Final = r"[^\x00-@\[-`{-\x7f]"
_WORD: Final = _FIRST + r"[^\x00-&(-,./:-@\[-`{-\x7f]+"
"""What may be a word, and its first letter: nothing of ASCII but what a name has, and all that is not ASCII.

RE2 is told no more: its classes of letters take it milliseconds, for each batch anew.
"""
_MAY_SIGN: Final = (
    rf"(?:(?:^|\n)\s*(?:--|—|–|-|~|//?)?\s*|(?:^|[\n.!?,;)])\s*(?i:{_LEAVING})[,.!]*\s+)"
    rf"{_WORD}(?: {_WORD})?\s*[.!)]*\s*$"
)
_MAY_CALL: Final = rf"^\s*(?i:{_GREETING}|{_THANKING}),?\s+{_FIRST}|^\s*{_WORD} ?[:,]\s"
_MAY_CALL_LAST: Final = rf"(?i:{_THANKING}),? +{_WORD}\s*[.!)]*\s*$|, {_WORD}\s*[.!?…]*\s*$"
"""The same for RE2, which turns away most texts: what passes is read exactly."""
_NOBODY: Final = int(
    Sense.COMMON
    | Sense.TERM
    | Sense.TITLE
    | Sense.INSTITUTION
    | Sense.GREETING
    | Sense.LEAVE
    | Sense.OPENER
    | Sense.PLACE
)


def evidence_of(texts: pa.LargeStringArray, writing: Writing, keys: WordKeys) -> tuple[Beside, Beside]:
    """How the authors of texts sign, and how they call whom they answer: each as row and word key.

    Args:
        texts: no nulls, shape (rows,).
        writing: whose they are; a text without a parent calls nobody.
        keys: of words.
    """
    tails = pc.utf8_slice_codeunits(texts, -_NEAR, None)
    answers = writing.parent >= 0
    signs = [(row, word) for row, tail in _passing(tails, _MAY_SIGN, writing.author >= 0) for word in _signed(tail)]
    first = _passing(texts, _MAY_CALL, answers)
    calls = [(row, word) for row, text in first for word in _words(_CALLED.match(text[:_NEAR]))]
    last = _passing(tails, _MAY_CALL_LAST, answers)
    calls += [(row, word) for row, tail in last for word in _words(_CALLED_LAST.search(tail))]
    return _keyed(signs, keys), _keyed(calls, keys)


def _passing(texts: pa.Array, pattern: str, some: Bools) -> Iterator[tuple[int, str]]:
    """Some of the texts, those in which RE2 finds a pattern, with their rows."""
    at = np.flatnonzero(some)
    chosen = texts.take(pa.array(at))
    found = pc.match_substring_regex(chosen, pattern)
    return zip(at[found.to_numpy(zero_copy_only=False)].tolist(), chosen.filter(found).to_pylist(), strict=True)


def _signed(tail: str) -> Iterator[str]:
    """The words that a text is signed with."""
    return _words(next((found for pattern in _SIGNED if (found := pattern.search(tail))), None))


def _words(match: re.Match[str] | None) -> Iterator[str]:
    """The folded words of a name that was found, unless one of them is nobody's.

    A line, or what stands behind a comma, is a name only where people bear it; a small letter counts behind a mark.
    """
    if match is None:
        return
    groups = {name: word for name, word in match.groupdict().items() if word}
    words = [word for word in groups.values() if word[0].isalpha()]
    folded, senses = zip(*map(_read, words), strict=True)
    if "line" in groups and not senses[0] & int(Sense.GIVEN):
        return
    if not ("marker" in groups or words[0][0].isupper() or not words[0][0].islower()):
        return
    if all(sense & int(Sense.GIVEN) or not sense & _NOBODY for sense in senses):
        yield from folded


def signed_by(tables: Iterable[pa.Table]) -> Pairs:
    """What people sign with, by rows of kernel.evidence.EVIDENCE: it counts wherever they write."""
    signs = [(np.zeros(0, np.int64), np.zeros(0, np.int64)), *(_lists(table, "author", "signs") for table in tables)]
    return pairs(*(np.concatenate(column) for column in zip(*signs, strict=True)))


class Called(NamedTuple):
    """What people are called in a thread, by two others at least; shape (n,) each."""

    thread: Ints
    subject: Ints
    word: Ints

    @property
    def there(self) -> Pairs:
        """As a context has it: each person in a thread (:func:`in_thread`), and the word."""
        return pairs(in_thread(self.thread, self.subject), self.word)


def called_in(here: pa.Table) -> Called:
    """What several others call somebody by in one thread, which counts in that thread.

    Args:
        here: rows of kernel.evidence.EVIDENCE of whole threads.
    """
    item, author, parent, thread = (here.column(name).to_numpy() for name in ("item", "author", "parent", "thread"))
    order = np.argsort(item, kind="stable")
    at = np.minimum(np.searchsorted(item[order], parent), max(len(item) - 1, 0))
    known = (parent >= 0) & (item[order][at] == parent) if len(item) else np.zeros(0, bool)
    whom = np.where(known, author[order][at], -1) if len(item) else author
    row, word = _beside(here, "calls")
    kept = (whom[row] >= 0) & (whom[row] != author[row])
    row, word = row[kept], word[kept]
    said = np.unique(np.stack([thread[row], whom[row], word, author[row]], axis=1), axis=0)
    which, callers = np.unique(said[:, :3], axis=0, return_counts=True)
    return Called(*np.ascontiguousarray(which[callers >= _CALLERS].T))


def _lists(table: pa.Table, name: str, lists: str) -> Beside:
    row, values = _beside(table, lists)
    return table.column(name).to_numpy()[row], values


def _beside(table: pa.Table, name: str) -> Beside:
    """The row of each value of a column of lists, and the values."""
    column = table.column(name).combine_chunks()
    column = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
    row = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    return row.astype(np.int64), pc.list_flatten(column).to_numpy(zero_copy_only=False).astype(np.int64)


@lru_cache(maxsize=_REMEMBERED)
def _read(word: str) -> tuple[str, int]:
    """A word folded, and its senses."""
    folded = fold_name(word)
    return folded, int(sense_of(folded))


def _keyed(said: list[tuple[int, str]], keys: WordKeys) -> Beside:
    once = sorted(set(said))
    rows = np.array([row for row, _ in once], np.int64)
    found = keys.keys(word for _, word in once)
    order = np.lexsort((found, rows))
    return rows[order], found[order]
