"""What everybody may read: the first page, the notice, what comes in, whom to write to, how accessible the pages are.

Invariants: whatever these pages say of the processing is generated from demur.toml, as the notice is; reading them
changes nothing and asks nothing. What stands outside the languages leads to the reader's own, and is no page itself.
"""

import functools
import gzip
import unicodedata
from html import escape
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.notices.authorities import Authority, authorities
from demur.notices.content import NoticeContent, without_account_of
from demur.notices.languages import LANGUAGES, locale
from demur.notices.words import day, speaker
from demur.objecting.office import answer_days
from demur.policy import Policy
from demur.web.pages import PREFIX, address, desk, language, public_page, stylesheet, takes_gzip

router: Final = APIRouter()
"""Pages, each under /LANG/."""
unprefixed: Final = APIRouter(include_in_schema=False)
"""What stands outside the languages."""

FOUND: Final = (
    "/",
    "/notice",
    "/notice/without-account",
    "/policy",
    "/contact",
    "/accessibility",
    "/object",
    "/object/person",
    "/object/child",
    "/object/other",
    "/object/link",
    "/object/letter",
)
"""Pages that search engines may show, without their language."""
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_YEAR: Final = "public, max-age=31536000, immutable"


def content(request: Request) -> NoticeContent:
    """The notice in the language of the page."""
    return NoticeContent.of(desk(request).policy(), language(request))


@router.get("/")
async def start(request: Request) -> Response:
    """What we use and why, in short, and how to object."""
    return public_page(request, "start.html", content=content(request))


@router.get("/notice")
async def notice(request: Request) -> Response:
    """The public notice to members (Arts 13 and 14 GDPR), which leads to the one for people without an account."""
    return public_page(request, "notice.html", content=content(request))


@router.get("/object/letter")
async def letter(request: Request) -> Response:
    """A form to print, fill in and post."""
    return public_page(request, "object_letter.html")


@router.get("/notice/without-account")
async def notice_without_account(request: Request) -> Response:
    """The public notice to people without an account (Art. 14(5)(b) GDPR)."""
    own = without_account_of(desk(request).policy(), language(request))
    return public_page(request, "notice_without_account.html", content=content(request), own=own)


@router.get("/policy")
async def policy(request: Request) -> Response:
    """What the door lets in."""
    decided = desk(request).policy()
    values: dict[str, object] = {"periods": _periods(decided, language(request)), "signed": decided.basis.signed}
    return public_page(request, "policy.html", content=content(request), **values)


@router.get("/contact")
async def contact(request: Request) -> Response:
    """Whom to write to, and where to complain (Art. 77 GDPR)."""
    countries = _by_country(language(request))
    return public_page(request, "contact.html", content=content(request), authorities=countries)


@router.get("/accessibility")
async def accessibility(request: Request) -> Response:
    """What was tested, and what was not."""
    return public_page(request, "accessibility.html")


@unprefixed.get("/")
async def front(request: Request) -> Response:
    """The first page, in the language that the browser prefers."""
    return RedirectResponse(address(language(request), "/"), 303, {"vary": "accept-language"})


@unprefixed.get(PREFIX)
async def front_of_language(request: Request) -> Response:
    """A language without its slash."""
    return RedirectResponse(address(language(request), "/"), 308)


@unprefixed.get("/static/style.css")
async def style(request: Request) -> Response:
    """The stylesheet: its address changes with it, so that it may be kept for ever."""
    headers = {"cache-control": _YEAR, "vary": "accept-encoding"}
    if not takes_gzip(request):
        return Response(stylesheet()[0], media_type="text/css", headers=headers)
    return Response(_packed_style(), media_type="text/css", headers=headers | {"content-encoding": "gzip"})


@functools.cache
def _packed_style() -> bytes:
    return gzip.compress(stylesheet()[0], mtime=0)


@unprefixed.get("/robots.txt")
async def robots(request: Request) -> Response:
    """Search engines may read every page; those that are not for them say so themselves (noindex)."""
    url = desk(request).policy().portal.url
    return Response(f"User-agent: *\nDisallow: /outbox\n\nSitemap: {url}/sitemap.xml\n", media_type="text/plain")


@unprefixed.get("/sitemap.xml")
async def sitemap(request: Request) -> Response:
    """The pages that may be found, in every language (sitemaps.org, 0.9)."""
    url = escape(desk(request).policy().portal.url)
    places = (f"<url><loc>{url}{address(each, path)}</loc></url>" for path in FOUND for each in LANGUAGES)
    whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SITEMAP}">{"".join(places)}</urlset>\n'
    return Response(whole, media_type="application/xml")


def _periods(decided: Policy, shown: str) -> list[tuple[str, object]]:
    _, assessment = speaker(shown), decided.basis.assessment
    rows: list[tuple[str, object]] = [(_("In force since"), day(decided.effective_date, shown))]
    if assessment.signed and assessment.date:
        rows.append((_("Assessment of the legal basis signed on"), day(assessment.date, shown)))
    return [*rows, (_("Days to answer if we have reason to doubt who objected"), answer_days(decided))]


def _by_country(shown: str) -> list[tuple[str, Authority]]:
    """Every authority, by the name that the reader's language has for its country."""
    names = locale(shown).territories
    named = ((names.get(each.country, each.country), each) for each in authorities())
    return sorted(named, key=lambda pair: _sorting(pair[0]))


def _sorting(name: str) -> str:
    """A name without its accents, by which it stands next to its neighbours in any language's list."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
