"""Sign-ins: who proved control of an account, for a while, by a cookie.

Invariants: a sign-in begins with a fresh secret after every proof, so that nobody can fix one beforehand; the cookie
is HttpOnly and SameSite=Strict, and under https it is bound to this host (`__Host-`) and Secure; the register holds
the SHA-256 of the secret only; the account that was proved stands in the cookie, sealed, and nowhere else; a form that
acts by one carries a code that only its own pages know (HMAC-SHA-256).
"""

import base64
import hmac
from dataclasses import dataclass, field
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from demur.errors import IdentityError
from demur.identity import seal, unseal
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.web.server.headers import secure

FIELD: Final = "csrf"
"""The field of a form that carries the code."""

_CODE_BYTES: Final = 18


@dataclass(frozen=True)
class SignIn:
    """Somebody's sign-in that still holds; the register and the pages call it a session."""

    subject: int
    """Subject key of the account that was proved, or the number of a member of the staff."""
    account: str | None = field(repr=False)
    """The account, where whoever began it said which."""
    csrf: str = field(repr=False)
    """What its forms carry."""


@dataclass(frozen=True)
class SignIns:
    """The sign-ins of one kind of people: members, or staff."""

    kind: str
    """As the register has it: ``member``, ``staff``."""
    minutes: int
    """How long one lasts."""

    def begin(self, request: Request, response: Response, subject: int, account: str | None = None) -> None:
        """Open a session; what the visitor had before ends.

        Args:
            request: the POST that proved it.
            response: the answer, which gets the cookie.
            subject: whose it is.
            account: of a member whom the register may not know, as it is in its platform's token.
        """
        at = desk(request)
        before, _ = self._sent(request)
        if before:
            at.register.sessions.close(before)
        secret = at.register.sessions.open(self.kind, subject, self.minutes)
        sealed = seal(at.session_secret, account.encode(), context=secret.encode()) if account else b""
        response.set_cookie(
            self._cookie(request),
            f"{secret}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}",
            max_age=self.minutes * 60,
            path="/",
            secure=secure(request.scope),
            httponly=True,
            samesite="strict",
        )

    def current(self, request: Request) -> SignIn | None:
        """The visitor's session, None if there is none or it has ended."""
        at, (secret, sealed) = desk(request), self._sent(request)
        subject = at.register.sessions.find(secret, self.kind) if secret else None
        if subject is None:
            return None
        try:
            account = unseal(at.session_secret, sealed, context=secret.encode()).decode() if sealed else None
        except IdentityError:
            return None
        return SignIn(subject, account, _code(at, self.kind, secret))

    def acting(self, request: Request, code: object) -> SignIn:
        """The session by which a form acts.

        Args:
            request: the POST.
            code: the form's field ``csrf``.

        Raises:
            HTTPException: 403 without a session, or with a form that its own pages did not make.
        """
        session = self.current(request)
        if session is None or not hmac.compare_digest(session.csrf.encode(), str(code).encode()):
            raise HTTPException(403)
        return session

    def end(self, request: Request, response: Response) -> None:
        """Close the visitor's session."""
        secret, _ = self._sent(request)
        if secret:
            desk(request).register.sessions.close(secret)
        response.delete_cookie(
            self._cookie(request), path="/", secure=secure(request.scope), httponly=True, samesite="strict"
        )

    def _sent(self, request: Request) -> tuple[str, bytes]:
        """The secret, and the sealed account, that came with a request; empty where none did."""
        secret, _, sealed = request.cookies.get(self._cookie(request), "").partition(".")
        try:
            return secret, base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return "", b""

    def _cookie(self, request: Request) -> str:
        return f"__Host-{self.kind}" if secure(request.scope) else self.kind


MEMBER: Final = SignIns("member", minutes=30)
"""Of a member who proved control of an account."""


def _code(desk: Desk, kind: str, secret: str) -> str:
    code = hmac.digest(desk.form_secret, f"{kind}\0{secret}".encode(), "sha256")
    return base64.urlsafe_b64encode(code[:_CODE_BYTES]).decode()
