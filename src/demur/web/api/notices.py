"""In-app notices for a platform that asks for them, and what becomes of notices afterwards.

Invariants: a notice counts as told once the platform says that its reader has seen it, never because it was asked
for; whoever a bounced mail went to is not told by it.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import AfterValidator
from starlette.responses import Response

from demur.identity import Keys
from demur.notices.rendering import Links, render_notice
from demur.register import Delivered, Due, Register
from demur.terms import Channel
from demur.tokens import Purpose
from demur.web.api.answers import Bounced, InAppNotice, Notices, ShownNotices
from demur.web.api.describing import describe
from demur.web.api.models import ACCOUNT, Bounce, Shown, ShownTo, without_controls
from demur.web.api.routing import KB, body_of, language, media_type, routes, said, told
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.worker.bounces import Came, record_bounce, record_returned
from demur.worker.mails import Post
from demur.worker.returned import Reading, read_returned

router = routes("Notices")

_DSN_BYTES: Final = 2048 * KB
_DSN: Final = ("message/rfc822", "multipart/report")

AccountAsked = Annotated[
    str,
    Query(
        min_length=3,
        max_length=500,
        description="An account, as `namespace:value`.",
        examples=["forum:ann"],
        json_schema_extra={"pattern": ACCOUNT},
    ),
    AfterValidator(without_controls),
]


@router.get(
    "/notices",
    summary="Ask for the notices that wait to be shown",
    **describe(Notices, "The notices, the oldest campaign first; often none."),
)
async def pending(request: Request, account: AccountAsked) -> Response:
    """For `in_app = "pull"`. Show each as plain text, and say so with `POST /api/notices/shown`."""
    at = desk(request)
    due = await asyncio.to_thread(at.register.notices.pending, account)
    return told(Notices(notices=[_rendered(at, each) for each in due]))


@router.post(
    "/notices/shown",
    summary="Say that notices were shown",
    **describe(ShownNotices, "From now on they count as told.", said=ShownTo),
)
async def shown(request: Request) -> Response:
    """The notice period of the person begins. Saying it twice changes nothing."""
    seen, _ = await said(request, ShownTo)
    return told(ShownNotices(shown=await desk(request).intake.run(_record, seen.account, seen.notices)))


@router.post(
    "/bounces",
    summary="Report mails that came back",
    **describe(
        Bounced,
        "How many of them were ours.",
        said=Bounce,
        body={
            "message/rfc822": {
                "schema": {"type": "string"},
                "example": "A mail server's report (RFC 3464, or in words), as it came.",
            }
        },
    ),
)
async def bounces(request: Request) -> Response:
    """As JSON by Message-ID, or the report of a mail server as it came. Whoever was not reached is not told."""
    at = desk(request)
    if media_type(request) in _DSN:
        reading = await asyncio.to_thread(read_returned, await body_of(request, _DSN_BYTES))
        outcome = await at.intake.run(_returned, at.keys, Post(at.policy(), at.keys), reading)
        return told(Bounced(known=int(outcome is Came.RETURNED), outcome=outcome))
    bounce, _ = await said(request, Bounce)
    name = bounce.message_id.strip().removeprefix("<").removesuffix(">")
    return told(Bounced(known=await at.intake.run(_bounce, at.keys, name, bounce.cause)))


def _returned(register: Register, keys: Keys, post: Post, reading: Reading) -> Came:
    with register.locked():
        return record_returned(register, keys, post, reading)


def _bounce(register: Register, keys: Keys, message_id: str, cause: str) -> int:
    with register.locked():
        return int(record_bounce(register, keys, message_id, cause))


def _record(register: Register, account: str, seen: Sequence[Shown]) -> int:
    with register.locked():
        due = {each.campaign: each for each in register.notices.pending(account)}
        delivered = [
            Delivered(each.campaign, due[each.campaign].subject, each.language, bytes.fromhex(each.digest), "")
            for each in {each.campaign: each for each in seen}.values()
            if each.campaign in due
        ]
        if delivered:
            register.notices.sent(Channel.IN_APP, delivered)
        return len(delivered)


def _rendered(at: Desk, due: Due) -> InAppNotice:
    policy = at.policy()
    token = at.tokens.make(Purpose.OBJECT, due.subject)
    notice = render_notice(policy, due.member, Links(policy.portal.url, token))
    return InAppNotice(
        campaign=due.campaign,
        language=notice.language,
        digest=notice.in_app_digest.hex(),
        subject=notice.subject,
        text=notice.in_app,
        object_url=f"{policy.portal.url}/{language(policy, notice.language)}/o/{token}",
    )
