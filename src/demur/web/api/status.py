"""Where the register stands, for monitoring."""

import asyncio
from importlib.metadata import version

from fastapi import Request
from starlette.responses import Response

from demur.register import Register
from demur.web.api.answers import Status
from demur.web.api.describing import describe
from demur.web.api.routing import desk_of, routes, told

router = routes("Status")


@router.get("/status", summary="See where the register stands", **describe(Status, "Where it stands."))
async def status(request: Request) -> Response:
    """Answers only if the register can be read."""
    return told(await asyncio.to_thread(_read, desk_of(request).register))


def _read(register: Register) -> Status:
    head = register.log.head()
    return Status(
        version=version("demur"), entries=head.seq, binding=head.binding, in_force=register.objections.in_force()
    )
