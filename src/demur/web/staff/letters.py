"""The officer records an objection that came by letter, mail or ticket; it binds then.

Invariants: nothing of it is refused but what can't be an account, and a file that is neither a scan nor a mail, by its
content; then everything typed is kept; names are looked for once the officer, or whoever is asked, says whose they are
(ADR 0035), and handles and links that are accounts bind at once; a scan is sealed under a name of ours, and never shown
here; what the officer has not checked is asked about and links nothing (objecting/lodging.py); the receipt is on screen
at once, to be printed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from demur.errors import SourceError
from demur.objecting.called import Called
from demur.objecting.channels import Route, nameless
from demur.objecting.eml import MOST_BYTES, Attached, read_letter
from demur.objecting.lodging import Taken, Written, take_letter
from demur.objecting.naming import account_of, tidy
from demur.objecting.office import Office
from demur.register import ObjectionState, Receipt, Register, StaffRole
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.web.sniffing import file_type
from demur.web.staff.frame import Timed, Visit, acting, admitted

router: Final = APIRouter(include_in_schema=False, route_class=Timed)

MEGABYTES: Final = MOST_BYTES // 1024**2
"""Of all files of one letter together."""
FILES: Final = 10

_SENT: Final = 5 * FILES
"""Files that are read before somebody is told that they are too many."""

CHANNELS: Final = (Route.LETTER, Route.MAIL, Route.TICKET)

_NEITHER: Final = "is no PDF, JPEG or PNG, and no mail saved as .eml. Choose one of these, or type what it says."
_OFFICER: Final = (StaffRole.OFFICER,)
_FIELDS: Final = ("accounts", "names", "former", "elsewhere", "text", "received", "channel", "checked")


@router.get("/staff/letters")
async def ask(request: Request) -> Response:
    """The form."""
    visit = await admitted(request, *_OFFICER)
    if isinstance(visit, Response):
        return visit
    return _form(visit, dict.fromkeys(_FIELDS, "") | {"channel": CHANNELS[0]})


@router.post("/staff/letters")
@forms.takes_files(MEGABYTES)
async def record_(request: Request) -> Response:
    """Record it, and show its receipt."""
    acted = await acting(request, *_OFFICER, files=_SENT)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    at = desk(request)
    office = at.office()
    async with form.contents() as files:
        written, errors = await run_in_threadpool(_written, form, files, office)
    if errors:
        return _form(visit, {name: form.text(name) for name in _FIELDS}, forms.WRONG, errors=errors)
    checked = bool(form.text("checked"))
    taken = await at.intake.run(_recorded, visit, written, office, checked=checked)
    shown = await run_in_threadpool(lambda: [_shown(at, each) for each in taken.receipts])
    tags = _tags(taken, office)
    return visit.page("staff_recorded.html", recorded=shown, files=len(written.attachments), taken=taken, tags=tags)


def _shown(at: Desk, receipt: Receipt) -> tuple[ObjectionState, str, str]:
    """One part of what was recorded: how it stands, for which accounts it was, and where its receipt is."""
    accounts = at.register.members.identifiers(at.register.objections.lodged_for(receipt.reference))
    named = ", ".join(each for each in accounts if each and not nameless(each))
    link = f"/en/receipt/{at.tokens.make(Purpose.VIEW, receipt.seq)}"
    return at.register.objections.get(receipt.reference), named or "somebody without an account", link


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
    bounds = {"megabytes": MEGABYTES, "most": FILES}
    return visit.page("staff_letter.html", status, typed=typed, channels=CHANNELS, errors=errors or {}, **bounds)


def _written(form: forms.Form, files: Sequence[forms.Sent], office: Office) -> tuple[Written, dict[str, str]]:
    """What the form and its files say, and what is to be corrected."""
    errors: dict[str, str] = {}
    lines = {
        line: account_of(line, office.policy.portal.namespace, office.policy.accounts.names)
        for line in form.lines("accounts")
    }
    unreadable = [tidy(line, 60) for line, account in lines.items() if account is None]
    if unreadable:
        errors["accounts"] = f"This can't be an account: {unreadable[0]}. Enter it under names or text instead."
    channel = form.text("channel")
    names, former, elsewhere = (form.lines(name) for name in ("names", "former", "elsewhere"))
    called = Called.of(names, former, elsewhere, office.policy.accounts.names)
    written = Written(
        channel if channel in CHANNELS else CHANNELS[0],
        tuple(dict.fromkeys([*filter(None, lines.values()), *called.accounts])),
        called.names,
        form.text("text"),
        received=_received(form, office.now, errors),
        former=called.former,
        links=called.links,
    )
    written = _with_files(written, files, office, errors)
    if not (errors or written.accounts or called or written.text or written.attachments):
        errors["accounts"] = "Enter an account, a name or what the letter says, or choose a file."
    return written, errors


def _received(form: forms.Form, now: datetime, errors: dict[str, str]) -> date | None:
    typed = form.text("received")
    try:
        day = date.fromisoformat(typed) if typed else None
    except ValueError:
        errors["received"] = "Enter the day as 2026-01-31."
        return None
    if day and day > now.astimezone(UTC).date() + timedelta(days=1):
        errors["received"] = f"{day} has not come yet."
    return day


def _with_files(written: Written, files: Sequence[forms.Sent], office: Office, errors: dict[str, str]) -> Written:
    """What was typed, with the scans that were chosen, and what a mail says besides, if one was."""
    scans = list(_scans(files))
    mails = [each for each in files if not any(each.content is scan.content for scan in scans)]
    if len(files) > FILES:
        errors["file"] = f"Choose at most {FILES} files."
    elif len(mails) > 1:
        errors["file"] = "Choose one mail at a time: each is an objection of its own."
    elif mails:
        written = _with_mail(written, mails[0], office, errors)
    return replace(written, attachments=(*written.attachments, *scans))


def _scans(files: Sequence[forms.Sent]) -> Iterator[Attached]:
    """Files that are scans, by their content, under names of ours."""
    kinds = [(file_type(each.content), each.content) for each in files]
    scans = [(kind, content) for kind, content in kinds if kind is not None and kind.scan]
    for number, (kind, content) in enumerate(scans, 1):
        yield Attached(f"scan-{number}.{kind.suffix}", kind.media_type, content)


def _with_mail(written: Written, mail: forms.Sent, office: Office, errors: dict[str, str]) -> Written:
    try:
        letter = read_letter(mail.content, now=office.now, names=office.policy.accounts.names)
    except SourceError as error:
        kind = file_type(mail.content)
        is_mail = kind is not None and kind.suffix == "eml"
        errors["file"] = str(error) if is_mail else f"{tidy(mail.name, 60) or 'The file'} {_NEITHER}"
        return written
    return replace(written, channel=Route.MAIL).with_letter(letter)
