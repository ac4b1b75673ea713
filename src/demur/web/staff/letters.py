"""The officer records an objection that came by letter, mail or ticket; it binds then.

Invariants: nothing of it is refused but what can't be an account, or is no mail, and then everything typed is kept;
what the officer has not checked is asked about and links nothing (objecting/lodging.py); the receipt is on screen at
once, to be printed.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from demur.errors import SourceError
from demur.objecting.channels import Route
from demur.objecting.eml import read_letter
from demur.objecting.lodging import Taken, Written, take_letter
from demur.objecting.naming import account_of, tidy
from demur.objecting.office import Office
from demur.register import Register, StaffRole
from demur.tokens import Purpose
from demur.web import forms
from demur.web.pages import desk
from demur.web.staff.frame import Visit, acting, admitted

router: Final = APIRouter(include_in_schema=False)

CHANNELS: Final = (Route.LETTER, Route.MAIL, Route.TICKET)

_OFFICER: Final = (StaffRole.OFFICER,)
_FIELDS: Final = ("accounts", "names", "text", "received", "channel", "checked")


@router.get("/staff/letters")
async def ask(request: Request) -> Response:
    """The form."""
    visit = await admitted(request, *_OFFICER)
    if isinstance(visit, Response):
        return visit
    return _form(visit, dict.fromkeys(_FIELDS, "") | {"channel": CHANNELS[0]})


@router.post("/staff/letters")
@forms.takes_file
async def record_(request: Request) -> Response:
    """Record it, and show its receipt."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    at = desk(request)
    office = at.office()
    async with form.content() as mail:
        written, errors = await run_in_threadpool(_written, form, mail, office)
    if errors:
        return _form(visit, {name: form.text(name) for name in _FIELDS}, forms.WRONG, errors=errors)
    checked = bool(form.text("checked"))
    taken = await at.intake.run(_recorded, visit, written, office, checked=checked)
    states = await run_in_threadpool(lambda: [at.register.objections.get(each.reference) for each in taken.receipts])
    shown = [(each, f"/en/receipt/{at.tokens.make(Purpose.VIEW, each.seq)}") for each in states]
    files, tags = len(written.attachments), _tags(taken, office)
    return visit.page("staff_recorded.html", recorded=shown, files=files, taken=taken, tags=tags)


def _recorded(register: Register, visit: Visit, written: Written, office: Office, *, checked: bool) -> Taken:
    with register.locked():
        taken = take_letter(register, written, office, checked=checked)
        for each in taken.receipts:
            visit.acted(register, "objection.record", objection=each.seq, checked=checked)
    return taken


def _tags(taken: Taken, office: Office) -> str:
    """Whether the sender's address without its tag is covered, too; "" where it has none."""
    return office.policy.accounts.mail_tags if taken.tagged else ""


def _form(visit: Visit, typed: dict[str, str], status: int = 200, *, errors: dict[str, str] | None = None) -> Response:
    return visit.page("staff_letter.html", status, typed=typed, channels=CHANNELS, errors=errors or {})


def _written(form: forms.Form, mail: bytes, office: Office) -> tuple[Written, dict[str, str]]:
    """What the form and its mail say, and what is to be corrected."""
    errors: dict[str, str] = {}
    lines = {
        line: account_of(line, office.policy.portal.namespace, office.policy.accounts.names)
        for line in form.lines("accounts")
    }
    unreadable = [tidy(line, 60) for line, account in lines.items() if account is None]
    if unreadable:
        errors["accounts"] = f"This can't be an account: {unreadable[0]}. Write it under names or text instead."
    channel = form.text("channel")
    written = Written(
        channel if channel in CHANNELS else CHANNELS[0],
        tuple(account for account in lines.values() if account),
        tuple(tidy(name) for name in form.lines("names")),
        form.text("text"),
        received=_received(form, office.now, errors),
    )
    written = _with_mail(written, mail, office, errors)
    if not (errors or written.accounts or written.names or written.text):
        errors["accounts"] = "Write an account, a name or what the letter says, or choose a mail."
    return written, errors


def _received(form: forms.Form, now: datetime, errors: dict[str, str]) -> date | None:
    typed = form.text("received")
    try:
        day = date.fromisoformat(typed) if typed else None
    except ValueError:
        errors["received"] = "Write the day as 2026-01-31."
        return None
    if day and day > now.astimezone(UTC).date() + timedelta(days=1):
        errors["received"] = f"{day} has not come yet."
    return day


def _with_mail(written: Written, content: bytes, office: Office, errors: dict[str, str]) -> Written:
    """What was typed, with what a mail says besides, if one was chosen."""
    if not content:
        return written
    try:
        letter = read_letter(content, now=office.now, names=office.policy.accounts.names)
    except SourceError as error:
        errors["file"] = str(error)
        return written
    return replace(written, channel=Route.MAIL).with_letter(letter)
