"""The receipt of an objection, which is also where it is seen and withdrawn, and the way to it by its reference.

Invariants: whoever holds the link may see how the objection stands and withdraw it, and sees no account; what the
holder of a typed account or address has confirmed is theirs to withdraw and nobody else's; the receipt of an objection
by a typed account reads the same whatever its holder did, so that nobody learns from it who has an account;
withdrawing asks once, and is a POST. A reference with a typing error and one that nobody has read the same, and neither
can be guessed; a token says nothing but the objection's number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError, RegisterError
from demur.notices.authorities import authority_of
from demur.notices.content import complaint_of, others_of, undone_of
from demur.notices.languages import N_
from demur.notices.words import day, speaker
from demur.objecting.channels import SAID, Route
from demur.objecting.naming import tidy
from demur.objecting.settling import texts, told_phase, withdraw_by_receipt
from demur.policy import Policy
from demur.register import ObjectionPhase, ObjectionState
from demur.register.database.records import JSON
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.pages import address, desk, gettext, language, page

router: Final = APIRouter()

_HEADINGS: Final = {
    ObjectionPhase.LODGED: N_("We have received your objection"),
    ObjectionPhase.CONFIRMED: N_("We have received your objection"),
    ObjectionPhase.LAPSED: N_("This objection has ended"),
    ObjectionPhase.WITHDRAWN: N_("Your objection is withdrawn"),
}
_UNKNOWN: Final = N_("We know no such reference. Compare it with your receipt.")
_ASKED: Final = N_("We have received your withdrawal")
_HELD: Final = N_(
    "If the objection was confirmed, it holds until it is withdrawn by the link in our mail, or by writing to us. "
    "Otherwise it has ended."
)


@dataclass(frozen=True)
class Found:
    """An objection as its receipt shows it."""

    state: ObjectionState
    said: Mapping[str, JSON]
    phase: ObjectionPhase
    """As it may be told."""
    token: str
    """Of the link that led here."""
    acting: bool
    """Whether it may do more than show the objection."""

    @property
    def asked(self) -> bool:
        """Whether somebody withdrew it here, and the receipt does not tell what came of it."""
        return self.phase is ObjectionPhase.WITHDRAWN and self.state.channel in SAID

    @property
    def heading(self) -> str:
        """What stands above it, in English."""
        return _ASKED if self.asked else _HEADINGS[self.phase]

    @property
    def stands(self) -> bool:
        """Whether the receipt says that it holds."""
        return self.phase in {ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED}


@router.get("/receipt/{token}")
async def show(request: Request, token: str, added: str = "") -> Response:
    """The receipt."""
    found = await run_in_threadpool(find, desk(request), token)
    return receipt_page(request, found, added=bool(added))


@router.get("/receipt/{token}/withdraw")
async def ask(request: Request, token: str) -> Response:
    """Ask once whether to withdraw."""
    found = await run_in_threadpool(find, desk(request), token)
    if not found.stands or not found.acting:
        return receipt_page(request, found)
    here = receipt_at(request, found.state.seq)
    return page(request, "object_withdraw.html", reference=found.state.reference, here=here)


@router.post("/receipt/{token}/withdraw")
async def end(request: Request, token: str) -> Response:
    """Withdraw; a mail that this causes shall not be seen by the time it takes."""
    steady = forms.Steady()
    at = desk(request)
    found = await run_in_threadpool(find, at, token, acting=True)
    await at.intake.run(withdraw_by_receipt, found.state, at.office(language(request)))
    await steady.wait()
    return RedirectResponse(receipt_at(request, found.state.seq), 303)


@router.get("/status")
async def ask_reference(request: Request) -> Response:
    """The field for a reference."""
    return page(request, "object_status.html", reference="")


@router.post("/status")
async def show_by_reference(request: Request) -> Response:
    """The receipt of the reference."""
    typed = tidy((await forms.read(request)).text("reference"), 60)
    try:
        state = await run_in_threadpool(desk(request).register.objections.get, typed)
    except RegisterError:
        errors = {"reference": gettext(request).gettext(_UNKNOWN)}
        return page(request, "object_status.html", forms.WRONG, reference=typed, errors=errors)
    return RedirectResponse(receipt_at(request, state.seq), 303)


def receipt_at(request: Request, seq: int) -> str:
    """The path of an objection's receipt, in the language of the request."""
    return address(language(request), f"/receipt/{desk(request).tokens.make(Purpose.RECEIPT, seq)}")


def find(at: Desk, token: str, *, acting: bool = False) -> Found:
    """The objection of a receipt; ``acting``: by a link that may do more than show it.

    Raises:
        IdentityError: for a token that does not hold.
        RegisterError: where there is no such objection.
    """
    try:
        read, acting = at.tokens.read(token, Purpose.RECEIPT), True
    except IdentityError:
        if acting:
            raise
        read = at.tokens.read(token, Purpose.VIEW)
    reference = at.register.objections.reference_in(read.incarnation, read.number)
    if reference is None:
        raise RegisterError("There is no objection of this number: compare the link with the receipt.")
    state, said = at.register.objections.get(reference), at.register.objections.statement(reference) or {}
    return Found(state, said, told_phase(at.register, state), token, acting)


def receipt_page(
    request: Request,
    found: Found,
    status: int = 200,
    *,
    added: bool = False,
    **values: Any,  # noqa: ANN401  # a template's
) -> Response:
    """A receipt; ``values`` go to its form."""
    policy, shown = desk(request).policy(), language(request)
    here = address(shown, f"/receipt/{found.token}")
    said: dict[str, Any] = {
        "heading": speaker(shown)(found.heading),
        "reference": found.state.reference,
        "stands": found.stands,
        "acting": found.acting,
        "standing": list(_standing(found, shown)),
        "stops": list(_stops(policy, shown)),
        "undone": list(undone_of(shown)),
        "complaint": complaint_of(authority_of(policy.controller.country), shown),
        "here": here,
        "megabytes": policy.portal.attachment_mb,
        "added": added,
        "reason": "",
        "switch": here.removeprefix(f"/{shown}"),  # this may answer a POST
    }
    return page(request, "object_receipt.html", status, **(said | values))


def _standing(found: Found, shown: str) -> Iterator[str]:
    """How it stands, a sentence each."""
    _, lodged = speaker(shown), day(found.state.lodged.date(), shown)
    if found.phase is ObjectionPhase.LAPSED:
        yield _("It was not confirmed in time, or the holder of the account denied it.")
    if found.asked:
        yield _(_HELD)
    if not found.stands:
        return
    if found.state.channel in {Route.TYPED, Route.NO_ACCOUNT}:
        yield _("Your objection holds from %(day)s on.", day=lodged)
    else:
        yield _("Your objection stands from %(day)s on. You do not have to do anything else.", day=lodged)
    if found.state.channel == Route.TYPED or texts(found.said, "objections"):
        yield from _asked(shown)
    if found.state.channel == Route.NO_ACCOUNT:
        yield from _named(found, shown)


def _asked(shown: str) -> Iterator[str]:
    """What is said where somebody typed an account, known or not, doubted or not."""
    _ = speaker(shown)
    yield _("If we have an email address of the account, we have asked there whether to keep the objection.")
    yield _("It goes on if nobody answers.")
    yield _(
        "If we have reason to doubt that it was you, we ask there again, and send two reminders. "
        "Only then can it end without an answer."
    )
    yield _(
        "This page does not say which, nor what the holder of the account did: "
        "nobody shall learn here who has an account."
    )


def _named(found: Found, shown: str) -> Iterator[str]:
    """What is done with what somebody without an account said, and what is not done yet."""
    _ = speaker(shown)
    if texts(found.said, "accounts"):
        yield _("The accounts and profiles that you named are covered from now on.")
    if texts(found.said, "names"):
        yield _("We keep the names sealed, until texts of others can be searched for them.")
        yield _("They will count once you have confirmed them by mail, or we have checked them.")
    if texts(found.said, "links"):
        yield _("We look at the other links ourselves.")


def _stops(policy: Policy, shown: str) -> Iterator[str]:
    _ = speaker(shown)
    yield _("What you posted is not used for new versions of the training data any more.")
    yield _("Before the next version is made, it is deleted from the training data.")
    yield _("Your objection covers all accounts that we know to be yours, and it never expires.")
    yield from others_of(policy, shown)
