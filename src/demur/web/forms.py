"""What comes with a POST of a page: fields as text, and at most one file, or a few where a page says so.

Invariants: nothing that is sent touches the disk in the clear before it is sealed; few files are in memory at a time,
however many are being sent; a field that is not there is empty; a field holds no control characters but line breaks.
What was typed is kept beside the request, so that no refusal loses it (failures.py). A form that was sent by a button
of the choice of languages acts on nothing: it comes back in that language, as it was filled in.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, cast

from anyio import CapacityLimiter
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from demur.characters import IN_TEXT
from demur.web.failures import keep
from demur.web.pages import desk
from demur.web.server.headers import address
from demur.web.server.spool import Spool

LONGEST_TEXT: Final = 10_000
"""Characters of a free text."""
WRONG: Final = 422
"""The status of a form that comes back with what is to be corrected."""

_TURN: Final = "turn"
"""The query of the addresses to which the buttons send a form that choose a language."""
FIELDS: Final = 20
"""Of a form, if it does not say otherwise."""

_FIELD_BYTES: Final = 128 * 1024
_TOO_LARGE: Final = "maximum size"
"""What the parser says of a field that is longer."""
_DIGITS: Final = 15
"""Of a number that fits everywhere."""
_CONTROL: Final = re.compile(f"[{IN_TEXT}]")
_RETRY_S: Final = 60
"""When to try again what there was no room for, in seconds."""
_STEADY: Final = 0.1
"""Seconds after which an answer leaves that shall take as long for an account that exists as for one that does not."""

opened: Final = CapacityLimiter(2)
"""Files that are in memory at a time, to be looked at and sealed."""

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def takes_file(endpoint: _Endpoint) -> _Endpoint:
    """Say of a route's endpoint that its form has a file: the gate lets a body of that size come in."""
    endpoint.takes_file = True  # type: ignore[attr-defined]  # what :func:`with_file` reads
    return endpoint


def with_file(endpoint: object) -> bool:
    """Whether an endpoint's form has a file."""
    return getattr(endpoint, "takes_file", False)


def turns(endpoint: _Endpoint) -> _Endpoint:
    """Say of a route's endpoint that it looks at :attr:`Form.turned` before it acts."""
    endpoint.turns = True  # type: ignore[attr-defined]  # what :func:`turning` reads
    return endpoint


def turning(endpoint: object) -> bool:
    """Whether a form may be sent to an endpoint to come back in another language."""
    return getattr(endpoint, "turns", False)


def takes_files(megabytes: int) -> Callable[[_Endpoint], _Endpoint]:
    """Say of a route's endpoint that its form has files, and how large all of them together may be."""

    def marked(endpoint: _Endpoint) -> _Endpoint:
        endpoint.megabytes = megabytes  # type: ignore[attr-defined]  # what :func:`room_for_files` reads
        return takes_file(endpoint)

    return marked


def room_for_files(endpoint: object) -> int | None:
    """The megabytes that an endpoint's form has room for; None where it is what the policy says of one file."""
    found: int | None = getattr(endpoint, "megabytes", None)
    return found


@dataclass(frozen=True)
class Sent:
    """A file that was sent."""

    name: str
    """As the sender calls it; never used but to tell them which one is meant."""
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Form:
    """What was sent."""

    _fields: FormData = field(repr=False)
    _files: Sequence[UploadFile] = field(default=(), repr=False)
    turned: bool = False
    """Whether it is only to be shown again, in the language of the path."""

    async def close(self) -> None:
        """Let go of its files, where nobody reads them."""
        for each in self._files:
            await each.close()

    @asynccontextmanager
    async def content(self) -> AsyncIterator[bytes]:
        """The file, in memory for as long as the block runs and forgotten after it; empty without one."""
        async with self.contents() as sent:
            yield sent[0].content if sent else b""

    @asynccontextmanager
    async def contents(self) -> AsyncIterator[list[Sent]]:
        """The files that are not empty, in memory for as long as the block runs and forgotten after it."""
        if not self._files:
            yield []
            return
        async with opened:
            try:
                read = [Sent(each.filename or "", await each.read()) for each in self._files]
                yield [each for each in read if each.content]
            finally:
                for each in self._files:
                    await each.close()

    def numbers(self, name: str) -> list[int]:
        """The positive whole numbers that fields of a name hold, with spaces between them, once each, in order."""
        words = [word for found in self._fields.getlist(name) if isinstance(found, str) for word in found.split()]
        return sorted({int(word) for word in words if word.isascii() and word.isdigit() and len(word) <= _DIGITS})

    def typed(self) -> list[tuple[str, str]]:
        """Every field but files, by name, in order; one of several of a name stands by itself."""
        return [(name, _plain(each)) for name, each in self._fields.multi_items() if isinstance(each, str)]

    def text(self, name: str) -> str:
        """A field as it was typed, its line breaks plain."""
        return self._whole(name)[:LONGEST_TEXT]

    def too_long(self, name: str) -> bool:
        """Whether :meth:`text` is not all of a field."""
        return len(self._whole(name)) > LONGEST_TEXT

    def _whole(self, name: str) -> str:
        found = self._fields.get(name)
        return _plain(found) if isinstance(found, str) else ""

    def lines(self, name: str) -> list[str]:
        """The lines of a field that are not empty, once each."""
        return list(dict.fromkeys(line.strip() for line in self.text(name).split("\n") if line.strip()))


class _Sealing(MultiPartParser):
    """A parser whose file is spooled encrypted; the gate has bounded what comes in."""

    folder: Path
    """Where: beside the register, whose disk it is sealed to."""

    def on_headers_finished(self) -> None:
        """Begin a part."""
        super().on_headers_finished()
        if (begun := self._current_part.file) is not None:
            begun.file.close()
            begun.file = cast("BinaryIO", Spool(self.folder))
            self._files_to_close_on_error.append(begun.file)  # type: ignore[arg-type]  # it is closed, and no more

    @property
    def _charset(self) -> str:
        """As our pages send it; what a client names instead might be any codec of Python's, a slow one too."""
        return "utf-8"

    @_charset.setter
    def _charset(self, named: str) -> None: ...


async def read(request: Request, *, fields: int = FIELDS, files: int = 1) -> Form:
    """The form of a POST.

    Args:
        request: what was sent.
        fields: how many there may be.
        files: how many there may be, where it has any.

    Raises:
        HTTPException: 400 when it can't be read, 413 when a field is far too long, 503 when there is no room for its
            file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/"):
        sent = await request.form(max_fields=fields, max_files=0)
        return _kept(request, Form(sent, turned=_TURN in request.query_params))
    parser = _Sealing(
        request.headers,
        request.stream(),
        max_files=files,
        max_fields=fields,
        max_part_size=_FIELD_BYTES,
    )
    parser.folder = desk(request).workspace.root
    try:
        parsed = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise HTTPException(413 if _TOO_LARGE in str(getattr(error, "message", "")) else 400) from None
    except OSError:  # the disk is full, or no more files may be opened
        raise HTTPException(503, headers={"retry-after": str(_RETRY_S)}) from None
    uploaded = [each for _, each in parsed.multi_items() if isinstance(each, UploadFile)]
    return _kept(request, Form(parsed, uploaded, _TURN in request.query_params))


def _kept(request: Request, form: Form) -> Form:
    """The form; what was typed stays with the request."""
    keep(request, form.typed())
    return form


def _plain(typed: str) -> str:
    """A text with plain line breaks and no other control characters."""
    return _CONTROL.sub("", typed.replace("\r\n", "\n").replace("\r", "\n")).strip()


def limit_by_account(request: Request, account: str) -> None:
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
