"""What texts say of who is called what: how authors sign, and by which names replies call whom they answer.

Invariants: only the first and the last characters of a text are read, so that the cost is one of rows; a common word is
nobody's name; words leave as keys. What it says of a row follows from that row alone.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.people.context import Pairs, no_pairs, pairs
from demur.people.greetings import HELLO, LEAVE, THANKS, either, phrases
from demur.people.lexicon import is_common, is_given
from demur.words.folding import fold_name
from demur.words.keys import WordKeys
from demur.words.page import Ints, Writing

Beside = tuple[Ints, Ints]
"""Row and word key of each word, shape (n,) both, sorted and once each."""

_HEAD: Final = 80
_TAIL: Final = 80
"""Code points that are read."""
_CALLERS: Final = 2
"""Authors who must call somebody so, before it counts."""

_NAME: Final = r"([^\W\d_][\w'’-]{1,24})"
_NAMES: Final = rf"{_NAME}(?:[ ]{_NAME})?"
_END: Final = r"\s*[.!)]*\s*\Z"
_SIGNED: Final = re.compile(
    rf"(?:(?:^|\n)\s*(?:--|—|–|-|~|/)\s*{_NAMES}{_END})|(?:(?:^|[\n.!?,)])\s*{either(phrases(LEAVE))}[,.!]*\s+{_NAMES}{_END})"
    rf"|(?:(?:^|[\n.!?,)])\s*{either(phrases(THANKS))}[,.!]*\n\s*{_NAMES}{_END})",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(
    rf"\A\s*(?:{either(phrases(HELLO))},?\s+{_NAME}(?=[\s]*[,.!:;\n–—-]|\s*\Z)|{either(phrases(THANKS))},?\s+{_NAME}(?=\s*[,.!:;\n])"
    rf"|{_NAME}(?=[,:]\s))",
    re.IGNORECASE,
)
_THANKED: Final = re.compile(rf"(?:^|[\n.!?,;])\s*{either(phrases(THANKS))},?\s+{_NAME}{_END}", re.IGNORECASE)


def evidence_of(texts: pa.LargeStringArray, writing: Writing, keys: WordKeys) -> tuple[Beside, Beside]:
    """How the authors of texts sign, and how they call whom they answer: each as row and word key.

    Args:
        texts: no nulls, shape (rows,).
        writing: whose they are; a text without a parent calls nobody.
        keys: of words.
    """
    tails = _slices(texts, -_TAIL, None)
    signs = [(row, word) for row, tail in enumerate(tails) for word in _words(_SIGNED.search(tail))]
    answers = np.flatnonzero(writing.parent >= 0)
    heads = _slices(texts.take(pa.array(answers)), 0, _HEAD)
    calls = []
    for row, head in zip(answers.tolist(), heads, strict=True):
        calls += [(row, word) for word in (*_words(_CALLED.match(head)), *_words(_THANKED.search(tails[row])))]
    return _keyed(signs, keys), _keyed(calls, keys)


def learnt_of(here: pa.Table, signed: pa.Table) -> Pairs:
    """What people are called, by what threads say.

    What somebody signs with counts wherever they do; what others call them counts from two of them in a thread.

    Args:
        here: rows of kernel.evidence.EVIDENCE of whole threads.
        signed: author and signs, of any threads.
    """
    signs = [_lists(table, "author", "signs") for table in (here, signed)]
    own = pairs(*(np.concatenate(column) for column in zip(*signs, strict=True)))
    return np.unique(np.concatenate([own, _called(here)]))


def _called(here: pa.Table) -> Pairs:
    """Whom several others call by a word, in one thread."""
    item, author, parent, thread = (here.column(name).to_numpy() for name in ("item", "author", "parent", "thread"))
    order = np.argsort(item, kind="stable")
    at = np.minimum(np.searchsorted(item[order], parent), max(len(item) - 1, 0))
    known = (parent >= 0) & (item[order][at] == parent) if len(item) else np.zeros(0, bool)
    whom = np.where(known, author[order][at], -1) if len(item) else author
    row, word = _beside(here, "calls")
    kept = (whom[row] >= 0) & (whom[row] != author[row])
    row, word = row[kept], word[kept]
    said = np.unique(np.stack([thread[row], whom[row], word, author[row]], axis=1), axis=0)
    if not len(said):
        return no_pairs()
    which, callers = np.unique(said[:, :3], axis=0, return_counts=True)
    some = which[callers >= _CALLERS]
    return pairs(some[:, 1], some[:, 2])


def _lists(table: pa.Table, name: str, lists: str) -> Beside:
    row, values = _beside(table, lists)
    return table.column(name).to_numpy()[row], values


def _beside(table: pa.Table, name: str) -> Beside:
    """The row of each value of a column of lists, and the values."""
    column = table.column(name).combine_chunks()
    column = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
    row = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    return row.astype(np.int64), pc.list_flatten(column).to_numpy(zero_copy_only=False).astype(np.int64)


def _slices(texts: pa.LargeStringArray, start: int, stop: int | None) -> list[str]:
    sliced: list[str] = pc.utf8_slice_codeunits(texts, start, stop).to_pylist()
    return sliced


def _words(match: re.Match[str] | None) -> Iterator[str]:
    """The folded words of a name that was found, unless one is a common word."""
    if match is None:
        return
    written = [word for word in match.groups() if word]
    folded = [fold_name(word) for word in written]
    if written[0][:1].isupper() and not any(is_common(word) and not is_given(word) for word in folded):
        yield from folded


def _keyed(said: list[tuple[int, str]], keys: WordKeys) -> Beside:
    once = sorted(set(said))
    rows = np.array([row for row, _ in once], np.int64)
    found = keys.keys(word for _, word in once)
    order = np.lexsort((found, rows))
    return rows[order], found[order]
