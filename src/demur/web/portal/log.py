"""The register's log, for whoever checks it: checkpoint, tiles and bundles (C2SP tlog-tiles), and a receipt as a file.

Invariants: the log is the same for everybody and names nobody, so that nobody has to say who they are; what is served
is what the newest checkpoint covers, at the paths of the specification and no others; a receipt's file is for whoever
has the receipt and showed whose the objection is. An erasure destroys what a proof needs, so that a proof which ends
would tell whoever typed somebody's account that its holder was here.
"""

from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from demur.canonical import canonical_json
from demur.errors import RegisterError
from demur.objecting.receipts import receipt
from demur.transparency.rotation import FILE
from demur.transparency.tiles import WIDTH, Piece
from demur.web.pages import desk
from demur.web.portal.receipt import Found, find, receipt_page

router: Final = APIRouter()
unprefixed: Final = APIRouter(include_in_schema=False)

_ON_PAPER: Final = ("entry", "salt", "proof", "phase", "at", "key", "signature")
"""What a receipt's page shows of its file; what is sealed for us, and how the key was rotated, is in the file alone."""
_YEAR: Final = {"cache-control": "public, max-age=31536000, immutable"}
_MOMENT: Final = {"cache-control": "public, max-age=2"}


@unprefixed.get("/log/checkpoint")
async def checkpoint(request: Request) -> Response:
    """The newest checkpoint; 404 while there is none."""
    try:
        note = await run_in_threadpool(desk(request).register.proving.checkpoint)
    except RegisterError:
        raise HTTPException(404) from None
    return PlainTextResponse(note, headers=_MOMENT)


@unprefixed.get(f"/log/{FILE}")
async def rotations(request: Request) -> Response:
    """How the log's key was rotated; an empty list where it never was."""
    found = await run_in_threadpool(desk(request).register.proving.rotations)
    made = canonical_json([each.json for each in found])
    return Response(made, media_type="application/json", headers=_MOMENT)


@unprefixed.get("/log/{path:path}")
async def piece(request: Request, path: str) -> Response:
    """A tile or a bundle; 404 where the newest checkpoint covers none."""
    wanted = Piece.at(path)
    try:
        found = None if wanted is None else await run_in_threadpool(desk(request).register.proving.piece, wanted)
    except RegisterError:
        found = None
    if wanted is None or found is None:
        raise HTTPException(404)
    headers = _YEAR if wanted.width == WIDTH else _MOMENT
    return Response(found, media_type="application/octet-stream", headers=headers)


@router.get("/receipt/{token}/proof")
async def proof(request: Request, token: str) -> Response:
    """The receipt as a file (receipts.py), by the link that shows it."""
    _, made = await _made(request, token)
    headers = {"content-disposition": 'attachment; filename="receipt.json"', "cache-control": "no-store"}
    return Response(made, media_type="application/json", headers=headers)


@router.get("/receipt/{token}/paper")
async def paper(request: Request, token: str) -> Response:
    """The receipt's page with what its file has, to print: what is signed, member by member, and the signature."""
    found, made = await _made(request, token)
    whole = orjson.loads(made)
    members = {**whole["signed"], "key": whole["key"], "signature": whole["signature"]}
    return receipt_page(request, found, members=[(name, members[name]) for name in _ON_PAPER])


async def _made(request: Request, token: str) -> tuple[Found, bytes]:
    """A receipt, and its file; 404 where it has none."""
    at = desk(request)
    found = await run_in_threadpool(find, at, token)
    if not found.proven:
        raise HTTPException(404)
    return found, await run_in_threadpool(receipt, at.register, found.state)
