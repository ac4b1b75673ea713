"""What comes with a POST of the portal: fields as text, and at most one file, in memory.

Invariants: nothing that is sent touches the disk before it is sealed; a field that is not there is empty; a field
holds no control characters but line breaks.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from demur.web.pages import desk
from demur.web.security import address

LONGEST_TEXT: Final = 10_000
"""Characters of a free text."""

_FIELDS: Final = 20
_FIELD_BYTES: Final = 128 * 1024
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_STEADY: Final = 0.1
"""Seconds after which an answer leaves that shall take as long for an account that exists as for one that does not."""


@dataclass(frozen=True)
class Form:
    """What was sent."""

    _fields: FormData = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    """Of the file; empty without one."""

    def text(self, name: str) -> str:
        """A field as it was typed, its line breaks plain."""
        return self._whole(name)[:LONGEST_TEXT]

    def too_long(self, name: str) -> bool:
        """Whether :meth:`text` is not all of a field."""
        return len(self._whole(name)) > LONGEST_TEXT

    def _whole(self, name: str) -> str:
        found = self._fields.get(name)
        typed = found if isinstance(found, str) else ""
        return _CONTROL.sub("", typed.replace("\r\n", "\n").replace("\r", "\n")).strip()

    def lines(self, name: str) -> list[str]:
        """The lines of a field that are not empty, once each."""
        return list(dict.fromkeys(line.strip() for line in self.text(name).split("\n") if line.strip()))


class _InMemory(MultiPartParser):
    """A parser that writes no file: the gate has bounded what comes in."""

    spool_max_size = 0  # of tempfile.SpooledTemporaryFile: never

    @property
    def _charset(self) -> str:
        """As our pages send it; what a client names instead might be any codec of Python's, a slow one too."""
        return "utf-8"

    @_charset.setter
    def _charset(self, named: str) -> None: ...


async def read(request: Request) -> Form:
    """The form of a POST.

    Raises:
        HTTPException: 400 when it can't be read.
    """
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return Form(await request.form(max_fields=_FIELDS, max_files=0))
    parser = _InMemory(
        request.headers,
        request.stream(),
        max_files=1,
        max_fields=_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        fields = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise HTTPException(400) from None
    files = [each for _, each in fields.multi_items() if isinstance(each, UploadFile)]
    content = await files[0].read() if files else b""
    await fields.close()
    return Form(fields, content)


def spare(request: Request, account: str) -> None:
    """Bound how often somebody acts for one account that anybody may type.

    By account and address: nobody shall keep its holder from objecting by typing it all the time.

    Raises:
        HTTPException: 429, with when to return.
    """
    wait = desk(request).limits.wait("account", f"{account}\0{address(request)}")
    if wait:
        raise HTTPException(429, headers={"retry-after": str(wait)})


class Steady:
    """Made when a request came; :meth:`wait` makes its answer leave at the same moment after that."""

    def __init__(self) -> None:
        self._until = asyncio.get_running_loop().time() + _STEADY

    async def wait(self) -> None:
        """Wait until then."""
        await asyncio.sleep(max(0.0, self._until - asyncio.get_running_loop().time()))
