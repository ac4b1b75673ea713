"""What everybody may read: the first page, the notice, what comes in, whom to write to, how accessible the pages are.

Invariants: whatever these pages say of the processing is generated from demur.toml, as the notice is; reading them
changes nothing and asks nothing. What stands outside the languages leads to the reader's own, and is no page itself.
"""

import unicodedata
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.notices.authorities import Authority, authorities
from demur.notices.content import NoticeContent, without_account_of
from demur.notices.languages import locale
from demur.notices.words import day, speaker
from demur.policy import Policy
from demur.web.pages import PREFIX, address, desk, language, page, stylesheet

router: Final = APIRouter()
"""Pages, each under /LANG/."""
unprefixed: Final = APIRouter(include_in_schema=False)
"""What stands outside the languages."""

_YEAR: Final = "public, max-age=31536000, immutable"


def content(request: Request) -> NoticeContent:
    """The notice in the language of the page."""
    return NoticeContent.of(desk(request).policy(), language(request))


@router.get("/")
async def start(request: Request) -> Response:
    """What we use and why, in short, and how to object."""
    return page(request, "start.html", content=content(request))


@router.get("/notice")
async def notice(request: Request) -> Response:
    """The public notice to members (Arts 13 and 14 GDPR), which leads to the one for people without an account."""
    return page(request, "notice.html", content=content(request))


@router.get("/notice/without-account")
async def notice_without_account(request: Request) -> Response:
    """The public notice to people without an account (Art. 14(5)(b) GDPR)."""
    own = without_account_of(desk(request).policy(), language(request))
    return page(request, "notice_without_account.html", content=content(request), own=own)


@router.get("/policy")
async def policy(request: Request) -> Response:
    """What the door lets in."""
    decided = desk(request).policy()
    rows = _periods(decided, language(request))
    return page(request, "policy.html", content=content(request), periods=rows, signed=decided.basis.signed)


@router.get("/contact")
async def contact(request: Request) -> Response:
    """Whom to write to, and where to complain (Art. 77 GDPR)."""
    return page(request, "contact.html", content=content(request), authorities=_by_country(language(request)))


@router.get("/accessibility")
async def accessibility(request: Request) -> Response:
    """What was tested, and what was not."""
    return page(request, "accessibility.html")


@unprefixed.get("/")
async def front(request: Request) -> Response:
    """The first page, in the language that the browser prefers."""
    return RedirectResponse(address(language(request), "/"), 303, {"vary": "accept-language"})


@unprefixed.get(PREFIX)
async def front_of_language(request: Request) -> Response:
    """A language without its slash."""
    return RedirectResponse(address(language(request), "/"), 308)


@unprefixed.get("/static/style.css")
async def style() -> Response:
    """The stylesheet: its address changes with it, so that it may be kept for ever."""
    return Response(stylesheet()[0], media_type="text/css", headers={"cache-control": _YEAR})


@unprefixed.get("/robots.txt")
async def robots() -> Response:
    """Nothing here is for a search engine but the first page and the notice; a link with a token never is."""
    return Response("User-agent: *\nDisallow: /outbox\n", media_type="text/plain")


def _periods(decided: Policy, shown: str) -> list[tuple[str, object]]:
    _, assessment = speaker(shown), decided.basis.assessment
    rows: list[tuple[str, object]] = [(_("In force since"), day(decided.effective_date, shown))]
    if assessment.signed and assessment.date:
        rows.append((_("Assessment of the legal basis signed on"), day(assessment.date, shown)))
    return [*rows, (_("Days until an unconfirmed objection ends"), decided.objections.confirm_within_days)]


def _by_country(shown: str) -> list[tuple[str, Authority]]:
    """Every authority, by the name that the reader's language has for its country."""
    names = locale(shown).territories
    named = ((names.get(each.country, each.country), each) for each in authorities())
    return sorted(named, key=lambda pair: _sorting(pair[0]))


def _sorting(name: str) -> str:
    """A name without its accents, by which it stands next to its neighbours in any language's list."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
