"""The receipt of an objection, which is also where it is seen and withdrawn, and the way to it by its reference.

Invariants: whoever holds the link may see how the objection stands and withdraw it, and sees no account but what the
same link says was typed (taken.py); what the holder of a typed account or address has confirmed is theirs to withdraw
and nobody else's; the receipt of an objection by a typed account reads the same whatever its holder did, whoever
corrected or erased it, so that nobody learns from it who has an account; withdrawing asks once, and is a POST. A
reference with a typing error and one that nobody has read the same, and neither can be guessed; a token says nothing
but the objection's number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError, RegisterError
from demur.notices.authorities import authority_of
from demur.notices.content import Behalf, behalf_of, complaint_of, looks_for_names, others_of, stopped_of, undone_of
from demur.notices.languages import N_, megabytes
from demur.notices.words import day, speaker
from demur.objecting.called import adds
from demur.objecting.channels import SAID, Route
from demur.objecting.correcting import is_corrected
from demur.objecting.naming import tidy
from demur.objecting.settling import texts, told_phase, withdraw_by_receipt
from demur.policy import Policy
from demur.register import ObjectionPhase, ObjectionState
from demur.register.database.records import JSON
from demur.register.objections.names import Kept
from demur.rights.words import Teller
from demur.runs.holding import held_in, replays_all
from demur.terms import EntryKind
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.pages import address, desk, gettext, language, page
from demur.web.portal.taken import TOKEN_LENGTH, Typed, opened, sealed

router: Final = APIRouter()

_HEADINGS: Final = {
    ObjectionPhase.LODGED: N_("We have received your objection"),
    ObjectionPhase.CONFIRMED: N_("We have received your objection"),
    ObjectionPhase.LAPSED: N_("This objection has ended"),
    ObjectionPhase.WITHDRAWN: N_("Your objection is withdrawn"),
}
_LONGEST_PATH: Final = 180
"""A longer path stands once in a page, not 30 times, as in its choice of languages: there nothing is told back."""
_CORRECTED: Final = N_("You have corrected this objection")
_UNKNOWN: Final = N_("We can't find that reference. Compare it with your receipt.")
_ASKED: Final = N_("We have received your withdrawal")
_HELD: Final = N_(
    "If somebody confirmed it with our email, it applies until they withdraw it. "
    "They do so by the link in that email, or by writing to us. If not, it has ended."
)
_THEIRS: Final = N_(
    "The corrected objection applies. It has a receipt of its own. "
    "If this first account belongs to somebody, they decide about it. If not, this objection has ended."
)
_ROUTES: Final[Mapping[str, str]] = {
    Route.LINK: N_("For the account that our email went to."),
    Route.SIGNED_IN: N_("For the account that you were signed in to."),
}
_FOR: Final[Mapping[Behalf, str]] = {
    "child": N_("You objected for a child."),
    "other": N_("You objected for somebody else."),
}
_COVERED: Final[Mapping[bool, str]] = {
    True: N_("Your objection applies to all accounts that we know are yours."),
    False: N_("The objection applies to all accounts that we know are theirs."),
}
_COVERED_FOR_EVER: Final[Mapping[bool, str]] = {
    True: N_("Your objection applies to all accounts that we know are yours. It never expires."),
    False: N_("The objection applies to all accounts that we know are theirs. It never expires."),
}
_WITHDRAWING: Final[Mapping[Behalf, str]] = {
    "self": N_(
        "If you withdraw it, your content may be used again, as our notice says. You can object again at any time."
    ),
    "child": N_(
        "If you withdraw it, the child's content may be used again, as our notice says. "
        "You can object again at any time."
    ),
    "other": N_(
        "If you withdraw it, this person's content may be used again, as our notice says. "
        "You can object again at any time."
    ),
}
_UNDONE_OF_OTHERS: Final = (
    N_("A model that was trained before you objected keeps what it learned from their content."),
    N_("Others may have a copy from before you objected. We cannot take their content out of it."),
)


@dataclass(frozen=True)
class Found:
    """An objection as its receipt shows it."""

    state: ObjectionState
    said: Mapping[str, JSON]
    phase: ObjectionPhase
    """As it may be told."""
    token: str
    """Of the link that led here, with what it tells back."""
    typed: Typed
    """What was typed, where the link tells it."""
    acting: bool
    """Whether it may do more than show the objection."""
    corrected: bool = False
    """Whether whoever typed it corrected it."""
    models: Sequence[Mapping[str, Any]] | None = None
    """Models that hold, or held, rows of theirs, where it is shown whose it is; None where there are no models."""
    exact: bool = False
    """Whether each model can be trained again without them."""
    kept: Kept | None = None
    """How many spellings of names are looked for and wait; None where that is not told (:func:`_kept`)."""

    @property
    def behalf(self) -> Behalf:
        """For whom it was lodged."""
        return behalf_of(self.said)

    @property
    def proven(self) -> bool:
        """Whether whoever lodged it showed whose it is; for others a proof that ends would tell of an erasure."""
        return self.state.channel not in SAID

    def takes_names(self, policy: Policy) -> bool:
        """Whether other names may be added here, which count at once: whether it is shown whose it is."""
        return self.acting and self.stands and looks_for_names(policy) and self.kept is not None and _shown(self.state)

    @property
    def asked(self) -> bool:
        """Whether somebody withdrew it here, and the receipt does not tell what came of it."""
        return self.phase is ObjectionPhase.WITHDRAWN and self.state.channel in SAID

    @property
    def heading(self) -> str:
        """What stands above it, in English."""
        if self.corrected:
            return _CORRECTED
        return _ASKED if self.asked else _HEADINGS[self.phase]

    @property
    def stands(self) -> bool:
        """Whether the receipt says that it holds."""
        return not self.corrected and self.phase in {ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED}


@router.get("/receipt/{token}")
async def show(request: Request, token: str, added: str = "", also: str = "") -> Response:
    """The receipt; ``also`` is the token of another one, of what was added just now."""
    found = await run_in_threadpool(find, desk(request), token)
    return receipt_page(request, found, added=bool(added), also=_also(request, also))


@router.get("/receipt/{token}/withdraw")
async def ask(request: Request, token: str) -> Response:
    """Ask once whether to withdraw."""
    found = await run_in_threadpool(find, desk(request), token)
    if not found.stands or not found.acting:
        return receipt_page(request, found)
    here = address(language(request), f"/receipt/{token}")
    return withdraw_page(request, found.state, found.behalf, here)


def withdraw_page(request: Request, state: ObjectionState, behalf: Behalf, here: str) -> Response:
    """The page that asks once whether to withdraw, at ``here`` and of whom it speaks."""
    follows = speaker(language(request))(_WITHDRAWING[behalf])
    return page(request, "object_withdraw.html", reference=state.reference, here=here, follows=follows)


@router.post("/receipt/{token}/withdraw")
async def end(request: Request, token: str) -> Response:
    """Withdraw; a mail that this causes shall not be seen by the time it takes."""
    steady = forms.Steady()
    at = desk(request)
    found = await run_in_threadpool(find, at, token, acting=True)
    if not found.corrected:  # whoever corrected it has left it to its holder
        await at.intake.run(withdraw_by_receipt, found.state, at.office(language(request)))
    await steady.wait()
    return RedirectResponse(address(language(request), f"/receipt/{token}"), 303)


@router.get("/status")
async def ask_reference(request: Request) -> Response:
    """The field for a reference."""
    return page(request, "object_status.html", reference="")


@router.post("/status")
@forms.turns
async def show_by_reference(request: Request) -> Response:
    """The receipt of the reference, or the page of the report that has it."""
    form = await forms.read(request)
    typed = tidy(form.text("reference"), 60)
    if form.turned:
        return page(request, "object_status.html", reference=typed)
    try:
        return RedirectResponse(await run_in_threadpool(_by_reference, request, typed), 303)
    except RegisterError:
        errors = {"reference": gettext(request).gettext(_UNKNOWN)}
        return page(request, "object_status.html", forms.WRONG, reference=typed, errors=errors)


def _by_reference(request: Request, typed: str) -> str:
    """The path of what a reference is of, an objection or a report.

    Raises:
        RegisterError: where it is of neither.
    """
    register = desk(request).register
    try:
        return receipt_at(request, register.objections.get(typed).seq)
    except RegisterError:
        return claim_at(request, register.claims.get(typed).seq)


def receipt_at(request: Request, seq: int, typed: Typed | None = None) -> str:
    """The path of an objection's receipt, in the language of the request; it tells back what was typed."""
    token = desk(request).tokens.make(Purpose.RECEIPT, seq)
    return address(language(request), f"/receipt/{token if typed is None else sealed(request, token, typed)}")


def claim_at(request: Request, seq: int) -> str:
    """The path of the page that says how a report of what a model said stands, in the language of the request."""
    return address(language(request), f"/claim/{desk(request).tokens.make(Purpose.CLAIM, seq)}")


def find(at: Desk, token: str, *, acting: bool = False) -> Found:
    """The objection of a receipt; ``acting``: by a link that may do more than show it.

    Raises:
        IdentityError: for a token that does not hold.
        RegisterError: where there is no such objection.
    """
    own, typed = opened(at, token)
    try:
        read, acting = at.tokens.read(own, Purpose.RECEIPT), True
    except IdentityError:
        if acting:
            raise
        read = at.tokens.read(own, Purpose.VIEW)
    reference = at.register.objections.reference_in(read.incarnation, read.number)
    if reference is None:
        raise RegisterError("There is no objection of this number: compare the link with the receipt.")
    state, said = at.register.objections.get(reference), at.register.objections.statement(reference) or {}
    phase, corrected = told_phase(at.register, state), is_corrected(at.register, state)
    exact = replays_all(at.workspace.models_path, at.register)
    return Found(
        state, said, phase, token, typed, acting, corrected, _models(at, state), exact=exact, kept=_kept(at, state)
    )


def _models(at: Desk, state: ObjectionState) -> list[Mapping[str, Any]] | None:
    """What models have of whoever it covers; nothing of an account that somebody typed, as that tells of its rows."""
    if not any(True for _ in at.register.log.entries(EntryKind.RUN_TRAINED)):
        return None
    if not _shown(state):
        return []
    keys = at.register.objections.covered_by(state.reference)
    return [vars(each) for each in held_in(at.workspace.models_path, at.register, keys)]


def _kept(at: Desk, state: ObjectionState) -> Kept | None:
    """How many spellings are kept; not of an account that somebody typed, which would tell whether it is known."""
    if not (state.channel == Route.NO_ACCOUNT or _shown(state)):
        return None
    return at.register.names.kept(at.register.objections.covered_by(state.reference))


def _shown(state: ObjectionState) -> bool:
    """Whether it is shown whose it is, to whoever has its receipt."""
    return state.channel not in SAID and adds(state)


def _also(request: Request, token: str) -> str:
    """The path of another receipt; "" for a token that does not hold."""
    try:
        desk(request).tokens.read(token, Purpose.RECEIPT)
    except IdentityError:
        return ""
    return address(language(request), f"/receipt/{token}")


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
    short, path = f"/receipt/{found.token[:TOKEN_LENGTH]}", f"/receipt/{found.token}"
    turned = path if len(path) < _LONGEST_PATH else short
    can_add = found.stands and found.acting
    said: dict[str, Any] = {
        "heading": speaker(shown)(found.heading),
        "reference": found.state.reference,
        "stands": found.stands,
        "acting": found.acting,
        "conclusion": list(_conclusion(found, shown)),
        "spoken_for": speaker(shown)(_FOR[found.behalf]) if found.behalf in _FOR else "",
        "told": found.typed.told(policy),
        "more": found.typed.more,
        "name_typed": found.typed.name_at(policy),
        "by_typing": found.state.channel == Route.TYPED,
        "next": list(_next(found, policy, shown)),
        "asked": list(_asked(found, shown)),
        "behalf": found.behalf,
        "others": others_of(policy, shown) if found.behalf == "self" else (),
        "undone": _undone(found, shown),
        "complaint": complaint_of(authority_of(policy.controller.country), shown),
        "here": address(shown, turned),
        "whole": address(shown, path),
        "short": address(shown, short),
        "size": megabytes(largest, shown) if (largest := policy.portal.attachment_mb) else "",
        "added": added,
        "also": "",
        "other_names": _other_names(found, policy, shown),
        "reason": "",
        "switch": turned,  # this may answer a POST
        "kept": f"{turned}/add" if can_add else "",
        "kept_plain": True,
        "proof": address(shown, short) if _has_proof(request, found) else "",
        "members": (),
    }
    return page(request, "object_receipt.html", status, **(said | values))


def _has_proof(request: Request, found: Found) -> bool:
    """Whether it has a file that shows it in the register's log (log.py)."""
    return found.proven and desk(request).register.proving.opens(found.state.seq)


def _conclusion(found: Found, shown: str) -> Iterator[str]:
    """The one thing to know, and for whom it holds."""
    _, lodged = speaker(shown), day(found.state.lodged.date(), shown)
    if found.corrected:
        yield _(_THEIRS)
    elif found.phase is ObjectionPhase.LAPSED:
        yield _("It was not confirmed in time, or the holder of the account denied it.")
    elif found.asked:
        yield _(_HELD)
    if not found.stands:
        return
    if found.state.channel == Route.NO_ACCOUNT:  # they may be asked by mail
        yield _("Your objection applies from %(day)s on.", day=lodged)
    else:
        yield _("Your objection applies from %(day)s on. You do not have to do anything else.", day=lodged)
    if found.state.channel in _ROUTES:
        yield _(_ROUTES[found.state.channel])


def _undone(found: Found, shown: str) -> list[str]:
    """What it can't undo: that a model keeps what it learned is said unless each is trained again."""
    said = undone_of(shown) if found.behalf == "self" else tuple(map(speaker(shown), _UNDONE_OF_OTHERS))
    return list(said[1:] if found.exact else said)


def _next(found: Found, policy: Policy, shown: str) -> Iterator[str]:
    """What happens from now on, a sentence each, in the order of time."""
    _ = speaker(shown)
    if found.state.channel == Route.NO_ACCOUNT:
        yield from _named(found, policy, shown)
    yield from spellings_of(found.kept, policy, shown)
    yield stopped_of(shown, found.behalf)
    yield _("Before the next version is made, it is deleted from the training data.")
    until = day((found.state.lodged + timedelta(days=policy.retention.versions_days)).date(), shown)
    yield _("Versions that were made before may be kept until %(day)s.", day=until)
    yield _("We tell those who have a copy what they must remove.")
    if found.models is not None:
        yield _("Our models go back at once to a state that never saw it. Then we train them again without it.")
        yield from (Teller(shown).model(each) for each in found.models)
    covered = (_COVERED if _may_lapse(found) else _COVERED_FOR_EVER)[found.behalf == "self"]
    yield _(covered)


def spellings_of(kept: Kept | None, policy: Policy, shown: str) -> Iterator[str]:
    """How many spellings of somebody's names count, and how many wait: numbers, and never a name."""
    _ = speaker(shown)
    if kept is None or not looks_for_names(policy):
        return
    if kept.searched:
        yield _("Spellings of names that we look for now: %(number)s", number=kept.searched)
    if kept.waiting:
        yield _("Spellings of names that wait until they are confirmed: %(number)s", number=kept.waiting)


def _other_names(found: Found, policy: Policy, shown: str) -> str:
    """The page that asks for other names: of whoever has shown nothing, an objection of their own; "" for none."""
    if found.takes_names(policy):
        return address(shown, f"/receipt/{found.token}/called")
    asks = found.acting and found.stands and looks_for_names(policy)
    return address(shown, "/object/person") if asks and found.state.channel == Route.TYPED else ""


def _may_lapse(found: Found) -> bool:
    """Whether somebody typed an account: only then may an unanswered doubt end it, and no receipt says "never"."""
    return found.state.channel == Route.TYPED or bool(texts(found.said, "objections"))


def _asked(found: Found, shown: str) -> Iterator[str]:
    """What is said where somebody typed an account, known or not; what may end the objection stands here alone."""
    _ = speaker(shown)
    if not _may_lapse(found):
        return
    yield _("If we have an email address for the account, we ask its holder.")
    yield _("If they end it, it ends. Without an answer it goes on.")
    yield _("If we have good reason to doubt it, we ask again. Only then can it end without an answer.")
    yield _("This page says the same for every account. So nobody can learn here who has one.")


def _named(found: Found, policy: Policy, shown: str) -> Iterator[str]:
    """What is done with what somebody without an account said, and what is not done yet."""
    _ = speaker(shown)
    if texts(found.said, "accounts"):
        yield _("The accounts and profiles that you named are covered from now on.")
    if (texts(found.said, "names") or texts(found.said, "former")) and looks_for_names(policy):
        yield _("We keep the names sealed, and look for them in what others wrote.")
        yield _("They apply once you have confirmed them by email, or we have checked them.")
    if texts(found.said, "links"):
        yield _("We look at the other links ourselves.")
