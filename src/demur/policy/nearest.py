"""The nearest known name for a misspelt one, so that an error can say what was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LIKENESS: Final = 0.6
"""Ratio of difflib above which two names count as the same one, misspelt; its own default."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like ``word``, compared without case and with ``-`` and ``_`` alike, or None."""
    folded = {_fold(name): name for name in known}
    matches = get_close_matches(_fold(word), folded, n=1, cutoff=_LIKENESS)
    return folded[matches[0]] if matches else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of an error sentence: ``did you mean `x`?``, or which names are known."""
    names = sorted(known)
    match = nearest(word, names)
    if match is not None:
        return f"did you mean `{match}`?"
    return f"known here: {', '.join(f'`{name}`' for name in names)}." if names else "nothing is known here."


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")
