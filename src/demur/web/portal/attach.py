"""A reason or a file, added to an objection that stands already; nobody has to.

Invariants: what is added is sealed under the key of the account that the objection is for, and is never shown on these
pages again; a file is what its content says, and is kept under a name of ours; what one objection takes is bounded, in
number and in bytes; what can't be taken says why, and the objection stands all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError
from demur.notices.languages import N_
from demur.register import Attachment, Register
from demur.web import forms
from demur.web.pages import desk, gettext
from demur.web.portal.receipt import Found, find, receipt_at, receipt_page
from demur.web.portal.sniffing import FileType, file_type

router: Final = APIRouter()

MOST: Final = 20
"""Attachments of one objection, reasons among them."""
FULL: Final = 3
"""All of one objection together, as a multiple of what a single file may have; a reason is taken beyond that."""

_MEGABYTE: Final = 1024 * 1024
_NOTHING: Final = N_("Enter a reason or choose a file.")
_TOO_LARGE: Final = N_("That is too large")
_NO_MORE: Final = N_("We cannot add more to this objection here. Write to us instead.")
_OTHER_TYPE: Final = N_("We take PDF files, PNG and JPEG pictures, saved emails and plain text.")


@dataclass(frozen=True)
class _Added:
    """What was sent, and how many bytes one objection takes."""

    reason: str
    content: bytes
    kind: FileType | None
    bytes_at_most: int

    def fits(self, there: Sequence[Attachment]) -> bool:
        """Whether it can stand beside what was added before."""
        if len(there) + bool(self.reason) + bool(self.content) > MOST:
            return False
        return not self.content or sum(each.size for each in there) + len(self.content) <= self.bytes_at_most


@router.post("/receipt/{token}/add")
@forms.takes_file
async def add(request: Request, token: str) -> Response:
    """Add what was sent."""
    found = await run_in_threadpool(find, desk(request), token, acting=True)
    form = await forms.read(request)
    async with form.content() as content:
        return await _taken(request, found, form.text("reason"), content)


async def _taken(request: Request, found: Found, reason: str, content: bytes) -> Response:
    at, kind = desk(request), file_type(content)
    megabytes = at.policy().portal.attachment_mb
    errors = _errors(reason, content, kind, megabytes)
    added = _Added(reason, content, kind, FULL * megabytes * _MEGABYTE)
    if not errors and not await run_in_threadpool(_add, at.register, found.state.reference, added):
        errors = {"reason": _NO_MORE}
    if errors:
        told = {name: gettext(request).gettext(message) for name, message in errors.items()}
        return receipt_page(request, found, forms.WRONG, errors=told, reason=reason)
    return RedirectResponse(receipt_at(request, found.state.seq) + "?added=1", 303)


def _errors(reason: str, content: bytes, kind: FileType | None, megabytes: int) -> dict[str, str]:
    if not reason and not content:
        return {"reason": _NOTHING}
    if len(content) > megabytes * _MEGABYTE:
        return {"file" if megabytes else "reason": _TOO_LARGE}
    if content and kind is None:
        return {"file": _OTHER_TYPE}
    return {}


def _add(register: Register, reference: str, added: _Added) -> bool:
    """Seal a reason and a file; false if there is too much already or its person was erased, and nothing was added."""
    try:
        with register.locked():
            there = register.attachments.of(reference)
            if not added.fits(there):
                return False
            number = len(there)
            if added.reason:
                number += 1
                named = f"reason-{number}.txt"
                register.attachments.add(reference, named, "text/plain", added.reason.encode(errors="replace"))
            if added.kind is not None:
                named = f"attachment-{number + 1}.{added.kind.suffix}"
                register.attachments.add(reference, named, added.kind.media_type, added.content)
    except RegisterError:
        return False
    return True
