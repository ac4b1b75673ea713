"""Stand-in for demur.words until it is there."""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_WORD: Final = re.compile(r"[^\W_]+")
_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


@dataclass(frozen=True)
class Piece:
    """A folded word of a raw token."""

    folded: str
    start: int
    end: int


def fold_word(raw: str) -> tuple[Piece, ...]:
    """The pieces of a raw token."""
    return tuple(Piece(_folded(match[0]), match.start(), match.end()) for match in _WORD.finditer(raw))


def fold_name(written: str) -> str:
    """All words of a spelling as one."""
    return "".join(piece.folded for piece in fold_word(written))


def _folded(word: str) -> str:
    small = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).casefold())
    bare = "".join(letter for letter in small if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", bare).translate(_PLAIN)


class WordKeys:
    """Keys of folded words."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def keys(self, folded: Sequence[str]) -> npt.NDArray[np.int64]:
        """The keys, in their order."""
        heads = b"".join(hmac.digest(self._secret, f"word:{word}".encode(), "sha256")[:8] for word in folded)
        return (np.frombuffer(heads, ">u8") >> np.uint64(1)).astype(np.int64)

