"""The first page: what we use and why, and the button."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from demur.web.pages import page
from demur.web.portal.information import content

router: Final = APIRouter()


@router.get("/")
async def start(request: Request) -> Response:
    """What we use and why, in short, and how to object."""
    return page(request, "start.html", content=content(request))
