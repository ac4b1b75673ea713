"""Somebody at the staff's door, who has a passkey in software."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape

from authenticator import Authenticator
from pages import Page, Visitor
from starlette.testclient import TestClient

from demur.register import Register

LATER = timedelta(hours=48)


@dataclass
class Door:
    """Somebody at the staff's door, with a browser and an authenticator."""

    client: TestClient
    register: Register
    passkey: Authenticator = field(default_factory=Authenticator)

    @property
    def visitor(self) -> Visitor:
        """The same person, reading each page strictly."""
        return Visitor(self.client)

    @property
    def cookie(self) -> str:
        """The session's cookie, "" without one."""
        return self.client.cookies.get("staff") or ""

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.client.cookies.clear()
        if value:
            self.client.cookies.set("staff", value, domain="localhost.local")

    def invite(self, role: str, name: str = "Olga Officer", within: timedelta = LATER) -> str:
        """The path of a fresh invitation."""
        return f"/staff/join/{self.register.staff.invite(name, role, datetime.now(UTC) + within)}"

    def options(self, path: str) -> str:
        """What the page would hand to the browser."""
        shown = self.client.get(path)
        assert shown.status_code == 200
        found = re.search(r'data-options="([^"]*)"', shown.text)
        assert found, shown.text
        return unescape(found[1])

    def answer(self, path: str, answer: str, status: int = 303) -> None:
        """Send what the authenticator answered."""
        told = self.client.post(path, data={"answer": answer}, follow_redirects=False)
        assert told.status_code == status, told.text

    def join(self, role: str, name: str = "Olga Officer") -> None:
        """Take a fresh invitation up."""
        path = self.invite(role, name)
        self.answer(path, self.passkey.make(self.options(path)))

    def sign_in(self, status: int = 303) -> None:
        """Sign in with the passkey."""
        self.answer("/staff/", self.passkey.use(self.options("/staff/")), status)

    def out(self) -> None:
        """Forget the session, as another browser would."""
        self.cookie = ""

    def act(self, page: Page, action: str, status: int = 200, **values: str) -> Page:
        """Press the button of the form with an action."""
        places = [each.action for each in page.forms]
        return self.visitor.submit(page, values, form=places.index(action), status=status)
