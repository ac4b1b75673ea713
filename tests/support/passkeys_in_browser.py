"""A virtual authenticator for a browser."""

from playwright.sync_api import Page


def give_passkeys(page: Page) -> None:
    """Attach an authenticator that always agrees (WebDriver's virtual authenticators, WebAuthn Level 3, 11)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
