"""What stands outside the languages: the way to a reader's own, and the stylesheet."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.web.pages import PREFIX, address, language, stylesheet

router: Final = APIRouter(include_in_schema=False)

_YEAR: Final = "public, max-age=31536000, immutable"


@router.get("/")
async def front(request: Request) -> Response:
    """The first page, in the language that the browser prefers."""
    return RedirectResponse(address(language(request), "/"), 303, {"vary": "accept-language"})


@router.get(PREFIX)
async def front_of_language(request: Request) -> Response:
    """A language without its slash."""
    return RedirectResponse(address(language(request), "/"), 308)


@router.get("/static/style.css")
async def style() -> Response:
    """The stylesheet: its address changes with it, so that it may be kept for ever."""
    return Response(stylesheet()[0], media_type="text/css", headers={"cache-control": _YEAR})


@router.get("/robots.txt")
async def robots() -> Response:
    """Nothing here is for a search engine but the first page and the notice; a link with a token never is."""
    return Response("User-agent: *\nDisallow: /outbox\n", media_type="text/plain")
