"""Ways to object on the town's portal, and the platform that signs who is signed in. All names are invented"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pages import Page, Visitor
from town import ANN

from demur.register.contact.records import Selection, SingleMail
from demur.register.members.rows import MEMBER
from demur.register.objections.states import ObjectionState
from demur.tokens import Purpose
from demur.web.desk import Desk
from demur.workspace import Workspace

FAR: Final = datetime(2099, 1, 1, tzinfo=UTC)
"""When every deadline has passed."""
EVERYBODY: Final = Selection(None, True, None, True)  # noqa: FBT003  # regions, unknown ones, ages, unknown ones
URL: Final = "http://127.0.0.1:8470"
"""Of the town's portal, as its policy says."""


@dataclass(frozen=True)
class Platform:
    """The town's forum, as far as it vouches for who is signed in."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)

    @property
    def pem(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def known_to(self, workspace: Workspace) -> None:
        """Have the portal trust it."""
        (workspace.root / "platform.pem").write_bytes(self.pem)
        policy = workspace.policy_path.read_text()
        assert 'platform_key = ""' in policy
        workspace.policy_path.write_text(policy.replace('platform_key = ""', 'platform_key = "platform.pem"'))

    def claims(self, account: str = ANN, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  # claims
        now = datetime.now(UTC)
        base: dict[str, Any] = {"sub": account, "aud": URL, "iat": now, "exp": now + timedelta(minutes=5), "jti": "1"}
        return {name: value for name, value in (base | changes).items() if value is not None}

    def token(self, account: str = ANN, **changes: Any) -> str:  # noqa: ANN401  # claims
        return jwt.encode(self.claims(account, **changes), self.key, algorithm="EdDSA")


class Watched(Visitor):
    """A visitor who keeps what was opened on the way."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor.client)
        self.seen: list[Page] = []

    def _page(self, response: Any, status: int) -> Page:  # noqa: ANN401  # of the client
        page = super()._page(response, status)
        self.seen.append(page)
        return page


def asked_for(page: Page) -> set[str]:
    """The fields of a page that somebody fills in."""
    kinds = {"hidden", "submit"}
    elements = [each for form in page.forms for each in form.element.iter() if each.tag in {"input", "textarea"}]
    return {str(each.get("name")) for each in elements if each.get("type") not in kinds}


def demanded(page: Page) -> list[str]:
    """The fields that a browser does not let anybody leave empty."""
    return [str(each.get("name")) for each in page.tree.iter() if each.get("required") is not None]


def link(desk: Desk, account: str = ANN, language: str = "en") -> str:
    """The link of a notice to a member."""
    token = desk.tokens.make(Purpose.OBJECT, desk.keys.pepper.subject_key(account))
    return f"/{language}/o/{token}"


def by_link(visitor: Visitor, desk: Desk, account: str = ANN, language: str = "en") -> Page:
    return visitor.submit(visitor.get(link(desk, account, language)))


def signed_in(visitor: Visitor, token: str, language: str = "en", button: str = "object", status: int = 200) -> Page:
    page = visitor.get(f"/{language}/in", params={"token": token})
    return visitor.submit(page, button=button, status=status)


def typed(visitor: Visitor, account: str, language: str = "en", status: int = 200) -> Page:
    return visitor.submit(visitor.get(f"/{language}/object"), {"account": account}, status=status)


def as_person(
    visitor: Visitor, language: str = "en", status: int = 200, *, behalf: str = "person", **said: str
) -> Page:
    """Object without an account; ``behalf`` is the last part of the form's path: person, child, other."""
    return visitor.submit(visitor.get(f"/{language}/object/{behalf}"), said, status=status)


def state_of(desk: Desk, receipt: Page) -> ObjectionState:
    """The objection whose receipt a page is."""
    reference = next(word for word in receipt.text.split() if len(word) == 19 and word.count("-") == 3)
    return desk.register.objections.get(reference)


def letters(desk: Desk) -> list[SingleMail]:
    """What waits to be mailed, delivered."""
    found = desk.register.mails.claim(100)
    desk.register.mails.sent([each.id for each in found])
    return found


def path_in(letter: SingleMail) -> str:
    """The page that a letter's link opens."""
    (url,) = (str(value) for name, value in letter.params.items() if name.endswith("url"))
    assert url.startswith(URL)
    return urlsplit(url).path


def bound(desk: Desk, *accounts: str) -> bool:
    """Whether all of these accounts are kept out."""
    kept_out = set(desk.register.standing.suppressed().tolist())
    return {desk.keys.pepper.subject_key(account) for account in accounts} <= kept_out


def renamed(desk: Desk, old: str, new: str) -> None:
    """The platform says that a member has another name now."""
    row = dict.fromkeys(MEMBER.names) | {"account": new, "linked": [old]}
    desk.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])


def anonymous(page: Page) -> str:
    """A page without what is random in it (references, tokens of receipts), and without what was typed."""
    told = r"<strong><bdi>[^<]*</bdi></strong>"
    return re.sub(rf"\b(?:[0-9A-Z]{{4}}-){{3}}[0-9A-Z]{{4}}\b|(?<=/receipt/)[\w-]+|{told}", "*", page.html)
