"""Passkeys (Web Authentication Level 3): making one at an invitation, and signing in with it.

Invariants: a challenge is ours (a signed token), for one purpose, good for five minutes and used once, so that nothing
that was overheard opens anything; the origin and the relying party are those of demur.toml's portal, whatever a
request says; the authenticator must have verified its user (a fingerprint, a PIN), and its count of signatures may
never go back. Whatever does not hold is one error, which does not say what was wrong.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from demur.errors import IdentityError, UsageError
from demur.policy.fields import loopback
from demur.register import Register, Staff
from demur.tokens import Purpose, Tokens

CHALLENGE: Final = timedelta(minutes=5)
"""How long a browser may take to answer."""

_LONGEST: Final = 20_000
"""Characters of an answer: real ones have a few hundred, with attestation a few thousand."""
_ANYBODY: Final = 0
_REFUSED: Final = "This passkey could not be checked: try again, or ask for a new invitation."


@dataclass(frozen=True)
class Site:
    """The site that passkeys are made for."""

    origin: str
    """Scheme, host and port, as a browser says it."""
    host: str
    """The relying party."""
    name: str
    """What an authenticator shows."""

    @classmethod
    def of(cls, portal: str, name: str) -> "Site":
        """The site of a portal.

        Args:
            portal: its URL; on this machine alone it is called ``localhost``, as a passkey is bound to a name.
            name: of the controller.

        Raises:
            UsageError: where browsers make no passkeys: for an address instead of a name, or over plain http.
        """
        parts = urlsplit(portal)
        host = "localhost" if loopback(parts.hostname or "") else (parts.hostname or "")
        if _numeric(host) or (parts.scheme != "https" and host != "localhost"):
            raise UsageError(
                "Passkeys need a name and https: set `url` of [portal] in demur.toml to the site's address."
            )
        port = f":{parts.port}" if parts.port else ""
        return cls(f"{parts.scheme}://{host}{port}", host, name or "demur")


@dataclass(frozen=True)
class Ceremony:
    """Making passkeys and signing in with them, at one site."""

    site: Site
    tokens: Tokens
    register: Register
    now: datetime

    def joining(self, staff: Staff) -> str:
        """What a browser needs to make a passkey, as JSON; the challenge holds for this member of staff alone."""
        return options_to_json(
            generate_registration_options(
                rp_id=self.site.host,
                rp_name=self.site.name,
                user_id=_handle(staff.id),
                user_name=staff.name,
                challenge=self._challenge(staff.id),
                timeout=int(CHALLENGE.total_seconds() * 1000),
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
            )
        )

    def join(self, staff: Staff, invitation: str, answer: str) -> Staff:
        """Take an invitation up with the passkey that a browser made.

        Raises:
            IdentityError: if the answer does not hold.
            RegisterError: if the invitation was used meanwhile.
        """
        made = self._made(staff.id, answer)
        return self.register.staff.join(
            invitation, made.credential_id, made.credential_public_key, made.sign_count, now=self.now
        )

    def entering(self) -> str:
        """What a browser needs to sign in, as JSON."""
        return options_to_json(
            generate_authentication_options(
                rp_id=self.site.host,
                challenge=self._challenge(_ANYBODY),
                timeout=int(CHALLENGE.total_seconds() * 1000),
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )

    def enter(self, answer: str) -> Staff:
        """Sign somebody in; who it is.

        Raises:
            IdentityError: if the answer does not hold, or the passkey is nobody's.
        """
        try:
            credential = parse_authentication_credential_json(answer[:_LONGEST])
            challenge = self._spent(credential, _ANYBODY)
            with self.register.locked():  # of two answers with one count of signatures, one is too late
                return self._entered(credential, challenge)
        except Exception as error:  # CBOR, ASN.1, JSON: a hostile answer fails in its own way
            raise IdentityError(_REFUSED) from error

    def _made(self, number: int, answer: str) -> VerifiedRegistration:
        try:
            credential = parse_registration_credential_json(answer[:_LONGEST])
            return verify_registration_response(
                credential=credential,
                expected_challenge=self._spent(credential, number),
                expected_rp_id=self.site.host,
                expected_origin=self.site.origin,
                require_user_verification=True,
            )
        except Exception as error:  # CBOR, ASN.1, JSON: a hostile answer fails in its own way
            raise IdentityError(_REFUSED) from error

    def _entered(self, credential: AuthenticationCredential, challenge: bytes) -> Staff:
        known = self.register.staff.passkey(credential.raw_id)
        if known is None or credential.response.user_handle not in {None, _handle(known[0].id)}:
            raise IdentityError(_REFUSED)
        staff, public_key, count = known
        used = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=self.site.host,
            expected_origin=self.site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=count,
            require_user_verification=True,
        )
        self.register.staff.used(used.credential_id, used.new_sign_count, now=self.now)
        return staff

    def _challenge(self, number: int) -> bytes:
        return self.tokens.make(Purpose.ENTER, number, expires=self.now + CHALLENGE).encode()

    def _spent(self, credential: RegistrationCredential | AuthenticationCredential, number: int) -> bytes:
        """The challenge that was answered, which is used up by that."""
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        token = self.tokens.read(challenge.decode(), Purpose.ENTER, self.now)
        if token.number != number or token.expires is None:
            raise IdentityError(_REFUSED)
        if not self.register.sessions.spend(token.digest, token.expires, now=self.now):
            raise IdentityError(_REFUSED)
        return challenge


def _handle(number: int) -> bytes:
    """The user handle of a member of staff: their number, which says nothing of them."""
    return number.to_bytes(8, "big")


def _numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return not host
    return True
