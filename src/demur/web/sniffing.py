"""What an uploaded file is, by its content; what it is called and what it claims to be count for nothing.

Invariants: a file is one of five types or is refused; the name it is kept under is ours.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple


class FileType(NamedTuple):
    """A type of file that may be attached."""

    media_type: str
    """RFC 6838."""
    suffix: str
    scan: bool = False
    """Whether it is what a scanner or a camera makes."""


_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_PDF: Final = b"%PDF-"
_FIELD: Final = re.compile(rb"(?:From |[!-9;-~]{1,76}:)")
_MAILS: Final = re.compile(rb"(?im)^(?:from|received|return-path|message-id|date|subject|to):")
_HEAD_BYTES: Final = 16_384
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKUP: Final = re.compile(r"\s*<[!?a-zA-Z]")


def file_type(content: bytes) -> FileType | None:
    """The type of a file: a PDF, a PNG or JPEG picture, a mail, plain text in UTF-8; None for anything else."""
    return next((kind for holds, kind in _TYPES if holds(content)), None)


def _mail(content: bytes) -> bool:
    """A mail as it is saved (RFC 5322): it begins with header fields, and has two of a mail's own."""
    head = re.split(rb"\r?\n\r?\n", content[:_HEAD_BYTES], maxsplit=1)[0]
    named = {found.lower() for found in _MAILS.findall(head)}
    return _FIELD.match(content) is not None and len(named) > 1 and b"\0" not in content


def _text(content: bytes) -> bool:
    """Text, and no markup: a browser might take that for a page."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and _NOT_TEXT.search(text) is None and _MARKUP.match(text) is None


_TYPES: Final[tuple[tuple[Callable[[bytes], bool], FileType], ...]] = (
    (lambda content: content.startswith(_PDF), FileType("application/pdf", "pdf", scan=True)),
    (lambda content: content.startswith(_PNG), FileType("image/png", "png", scan=True)),
    (lambda content: content.startswith(_JPEG), FileType("image/jpeg", "jpg", scan=True)),
    (_mail, FileType("message/rfc822", "eml")),
    (_text, FileType("text/plain", "txt")),
)
