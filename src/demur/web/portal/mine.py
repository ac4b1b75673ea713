"""A member's own pages: a proof that the account is theirs, what would be used of it, and what they may do about it.

Invariants: nothing of an account is shown before its holder opened a link that went to the address on file; the
answer to whoever types an account is the same in wording, shape and time whether anybody has heard of it or not; the
link opens nothing by being looked at, only by its button, and that once. Objecting, taking a copy (Art. 15 GDPR) and
deleting everything (Art. 17 GDPR) are POSTs by a form of the session's own pages, and none asks for a reason. A
deletion is on record before it is tried, so that it is done in any case; before and after it says the same of what
goes, what stays and what comes next.
"""

import math
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from demur.corpus.find import find
from demur.errors import CorpusError, IdentityError, WorkspaceError
from demur.notices.content import undone_of
from demur.notices.languages import within
from demur.notices.words import day, speaker
from demur.objecting.channels import Route
from demur.objecting.correcting import is_corrected
from demur.objecting.lodging import by_proof
from demur.objecting.settling import held
from demur.register import JSON, ObjectionState
from demur.rights import erasing
from demur.rights.access import copy_of
from demur.rights.erasing import Erased
from demur.rights.words import Teller
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.heavy import handed_over, heavy, patiently
from demur.web.pages import address, desk, language, page
from demur.web.portal.receipt import receipt_at, spellings_of
from demur.web.portal.said import typed_account
from demur.web.sign_ins import FIELD, MEMBER, SignIn
from demur.workspace import Workspace

router: Final = APIRouter()

LINK_MINUTES: Final = 60
"""How long the link of a mail opens a session."""
_RECEIPTS: Final = 5
"""Objections of theirs that a page leads to."""
_ROWS: Final = 8
"""Items on a page."""
_LISTED: Final = 800
"""Items that the pages show at most, of the member's own and of others; the copy has them all."""
_TEXT_BYTES: Final = 600
"""Of an item's text on a page, so that the page stays small; the copy has the whole text."""

_ESCAPED: Final = {"&": 5, "<": 4, ">": 4, '"': 5, "'": 5}
"""Bytes of what is escaped."""


@router.get("/mine")
async def mine(request: Request, number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1) -> Response:
    """What would be used, to a member in a session; to everybody else the question which account it is."""
    session = await run_sync(MEMBER.current, request)
    if session is None:
        return page(request, "mine.html", account="")
    return await _content(request, session, number)


@router.post("/mine")
@forms.turns
async def ask(request: Request) -> Response:
    """Send a link to the address on file, if there is one; the answer is the same in any case."""
    steady = forms.Steady()
    at = desk(request)
    account = await typed_account(request, "mine.html")
    if isinstance(account, Response):
        return account
    answer = RedirectResponse(address(language(request), "/mine/asked"), 303)
    answer.background = BackgroundTask(_send_link, at, account, language(request))
    await steady.wait()
    return answer


@router.get("/mine/asked")
async def asked(request: Request) -> Response:
    """Check your mail."""
    expiry = within(timedelta(minutes=LINK_MINUTES), language(request))
    return page(request, "mine_asked.html", expiry=expiry)


@router.post("/mine/end")
async def end(request: Request) -> Response:
    """End the session."""
    response = RedirectResponse(address(language(request), "/"), 303)
    await _acting(request)
    await run_sync(MEMBER.end, request, response)
    return response


@router.post("/mine/object")
async def object_(request: Request) -> Response:
    """Object, as who proved control of the account."""
    session, at = await _acting(request), desk(request)
    office = at.office(language(request))
    seq = await at.intake.run(by_proof, session.subject, Route.SIGNED_IN, office, session.account)
    return RedirectResponse(receipt_at(request, seq), 303)


@router.post("/mine/copy")
async def copy(request: Request) -> Response:
    """The copy, one zip file, of which nothing stays here."""
    session, at = await _acting(request), desk(request)
    account = await run_sync(_account_in, at, session)
    shown = language(request)
    made = await run_sync(lambda: patiently(lambda: copy_of(at.workspace, account, language=shown)), limiter=heavy)
    return handed_over(made)


@router.get("/mine/delete")
async def ask_to_delete(request: Request) -> Response:
    """The question, asked once."""
    session = await run_sync(MEMBER.current, request)
    if session is None:
        return RedirectResponse(address(language(request), "/mine"), 303)
    at, shown = desk(request), language(request)
    own = await run_sync(at.register.objections.of_key, session.subject)
    since = min((each.lodged for each in own if each.binding), default=at.now())
    goes, next_ = list(_going(shown)), list(_following(at, shown, since))
    return page(request, "mine_delete.html", csrf=session.csrf, goes=goes, stays=list(_staying(shown)), next=next_)


@router.post("/mine/delete")
async def delete(request: Request) -> Response:
    """Put it on record, delete, and end the session; what can't be finished now, the next maintenance finishes."""
    session, at = await _acting(request), desk(request)
    account = await run_sync(_account_in, at, session)
    asked = await run_sync(erasing.request, at.workspace, account)
    done = await run_sync(_finished, at.workspace, limiter=heavy)
    state = await run_sync(at.register.objections.get, asked.reference)
    response = _deleted(request, state, None if done is None else done.get(asked.reference), done=done is not None)
    await run_sync(MEMBER.end, request, response)
    return response


@router.get("/mine/{token}")
async def link(request: Request, token: str) -> Response:
    """The page that the mail leads to: a button, as mail scanners open every link."""
    try:
        desk(request).tokens.read(token, Purpose.READ)
    except IdentityError:
        return _used(request)
    return page(request, "mine_link.html")


@router.post("/mine/{token}")
async def begin(request: Request, token: str) -> Response:
    """Spend the link, and begin a session."""
    at = desk(request)
    response = RedirectResponse(address(language(request), "/mine"), 303)
    try:
        read = at.tokens.read(token, Purpose.READ)
    except IdentityError:
        return _used(request)
    if read.expires is None or not await run_sync(at.register.sessions.spend, read.digest, read.expires):
        return _used(request)
    await run_sync(MEMBER.begin, request, response, read.number)
    return response


async def _acting(request: Request) -> SignIn:
    """The session of a POST.

    Raises:
        HTTPException: 403 without one, or from a form that is not ours.
    """
    code = (await forms.read(request)).text(FIELD)
    return await run_sync(MEMBER.acting, request, code)


def _account_in(at: Desk, session: SignIn) -> str:
    """The account whose holder a session belongs to.

    Raises:
        HTTPException: 404 when its details were erased meanwhile.
    """
    account = session.account or at.register.members.identifiers(np.array([session.subject]))[0]
    if account is None:
        raise HTTPException(404)
    return account


def _finished(workspace: Workspace) -> dict[str, Erased] | None:
    """Finish what is on record, by reference; None where another process writes all the time."""
    try:
        done = patiently(lambda: erasing.finish(workspace))
    except (WorkspaceError, CorpusError):
        return None
    return {each.reference: each for each in done}


def _deleted(request: Request, state: ObjectionState, erased: Erased | None, *, done: bool) -> Response:
    """What came of a deletion; what another process finished meanwhile is told without its numbers."""
    at, shown = desk(request), language(request)
    return page(
        request,
        "mine_deleted.html",
        reference=state.reference,
        done=done,
        went=list(_gone(shown, erased)) if erased else [],
        stays=list(_staying(shown)),
        next=list(_following(at, shown, state.lodged, done=done)),
        receipt=receipt_at(request, state.seq),
        switch=receipt_at(request, state.seq).removeprefix(f"/{shown}"),
    )


def _going(shown: str) -> Iterator[str]:
    """What a deletion deletes, a sentence each."""
    _ = speaker(shown)
    yield _("All that you posted leaves the training data.")
    yield _("In what others posted there, we mask or delete what names you, quotes you or shows you.")
    yield _("We take back every published version that holds any of it.")
    yield _("We delete what we know of you: names, email address, country, year of birth and what you wrote to us.")


def _staying(shown: str) -> Iterator[str]:
    """What a deletion leaves, a sentence each."""
    _ = speaker(shown)
    yield _("What you posted stays where you posted it. We delete no post there. You can do that in your account.")
    yield from undone_of(shown)
    yield _("Only coded identifiers stay. They serve one purpose: that your objection still applies.")


def _following(at: Desk, shown: str, since: datetime, *, done: bool | None = None) -> Iterator[str]:
    """What comes after a deletion, a sentence each; ``done`` is None where it is not asked for yet."""
    _ = speaker(shown)
    yield _("Your objection applies from %(day)s on.", day=day(since.date(), shown))
    yield _("So nothing that you posted comes in again, unless you withdraw it.")
    if done is None:
        yield _("We delete at once, or as soon as other work on the data is done.")
    if not done:
        yield _("It is done by %(day)s at the latest (Art. 12(3) GDPR).", day=day(_in_a_month(at.now().date()), shown))
    yield _("We tell those who have a copy what they must remove.")
    if at.policy().mail.server:
        yield _("If we have your email address, we tell you there when all is done. Then we delete the address, too.")


def _gone(shown: str, erased: Erased) -> Iterator[tuple[str, int]]:
    """What a deletion deleted, in numbers."""
    _ = speaker(shown)
    yield _("What you posted"), erased.own
    yield _("What others posted about you"), erased.about
    yield _("Published versions that we took back"), len(erased.retired)


def _in_a_month(since: date) -> date:
    """The same day of the next month, or that month's last (Art. 3 of Regulation 1182/71)."""
    year, month = since.year + since.month // 12, since.month % 12 + 1
    return since.replace(year=year, month=month, day=min(since.day, monthrange(year, month)[1]))


def _send_link(at: Desk, account: str, shown: str) -> None:
    """After the answer, so that its time says nothing; nobody can be flooded with mails by somebody who types."""
    if not at.limits.may_mail("sign_in", account):
        return
    subject = at.keys.pepper.subject_key(account)
    expires = at.now() + timedelta(minutes=LINK_MINUTES)
    token = at.tokens.make(Purpose.READ, subject, expires=expires)
    url = f"{at.policy().portal.url}{address(shown, f'/mine/{token}')}"
    own = at.register.mails.own_account(subject)
    named: dict[str, JSON] = {"account": own.partition(":")[2]} if own else {}
    at.register.mails.post("sign-in", shown, {"url": url, "minutes": LINK_MINUTES, **named}, subject=subject)


def _used(request: Request) -> Response:
    """The link has expired, was used before, or is none."""
    return page(request, "mine_used.html", 404, switch="/mine")


async def _content(request: Request, session: SignIn, number: int) -> Response:
    at = desk(request)
    account = await run_sync(_account_in, at, session)
    found = await run_sync(lambda: find(at.workspace, account, limit=_LISTED), limiter=heavy)
    own = await run_sync(at.register.objections.of_key, session.subject)
    tell = Teller(language(request), at.policy().accounts.profiles)
    pages = max(1, math.ceil(len(found.rows) / _ROWS))
    shown = found.rows[(number - 1) * _ROWS : number * _ROWS]
    return page(
        request,
        "mine_content.html",
        found=found,
        tell=tell,
        objecting=any(each.binding for each in own),
        own=[(row, shortened(row.shown)) for row in shown if row.own],
        about=[(row, shortened(row.shown)) for row in shown if not row.own],
        number=number,
        pages=pages,
        more=found.own + found.about > len(found.rows),
        receipts=_receipts(request, own),
        spellings=await run_sync(_spellings, at, session, language(request)),
        csrf=session.csrf,
        switch="/mine",
    )


def _spellings(at: Desk, session: SignIn, shown: str) -> list[str]:
    """How many spellings of the member's names are looked for, and wait."""
    kept = at.register.names.kept(at.register.persons.own_of(session.subject))
    return list(spellings_of(kept, at.policy(), shown))


def _receipts(request: Request, own: Sequence[ObjectionState]) -> list[tuple[str, date]]:
    """Where the member's own objections that stand are seen and withdrawn, with their days, the newest first."""
    standing = [each for each in own if each.binding]
    return [
        (_receipt(request, each), each.received or each.lodged.date()) for each in standing[-1 : -_RECEIPTS - 1 : -1]
    ]


def _receipt(request: Request, state: ObjectionState) -> str:
    if held(state) or is_corrected(desk(request).register, state):  # the receipt is that of whoever typed it
        return address(language(request), f"/confirm/{desk(request).tokens.make(Purpose.CONFIRM, state.seq)}")
    return receipt_at(request, state.seq)


def shortened(text: str, most: int = _TEXT_BYTES) -> str:
    """The beginning of a text, at most so many bytes as HTML has it, and an ellipsis."""
    size = 0
    for place, character in enumerate(text):
        size += _ESCAPED.get(character) or len(character.encode())
        if size > most:
            return text[:place].rstrip() + " …"
    return text
