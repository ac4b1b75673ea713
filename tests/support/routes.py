"""Every route through the portal, as people walk it in a browser; in any language, by ids and links, not by words.

Each one takes a walk that is about to begin and the site, and leaves the walk on its last page.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Final

from browsing import Steps, Walk
from playwright.sync_api import FilePayload, Page
from running import Mail, Person, Site

PDF: Final = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
REFERENCE: Final = re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}")

BUTTON: Final = "main form .button"


def signed_link(walk: Walk, site: Site) -> None:
    """The link of the notice: one page, one button."""
    by_link(walk, site)
    assert walk.steps == Steps(pages=2, buttons=1), "the page with the button, and the receipt"


def signed_in(walk: Walk, site: Site) -> None:
    """From the platform, where somebody is signed in: one click on the portal."""
    who = site.person(walk.language)
    walk.open(f"/{walk.language}/in?token={site.token(who)}")
    walk.press("button[value=object]")
    _received(walk, site, who)
    assert walk.steps == Steps(pages=2, buttons=1)


def typed_in(walk: Walk, site: Site) -> None:
    """An account that is typed in: one page; then one mail, with one button."""
    who = site.person(walk.language)
    walk.open(f"/{walk.language}/object")
    walk.page.fill("#account", who.handle)
    walk.press(BUTTON)
    assert reference(walk.page)
    assert walk.steps == Steps(pages=2, buttons=1)
    confirm = site.mail(who.mail, "confirm")
    _prompt(walk, confirm)
    walk.steps.mails += 1
    walk.open(confirm.link("confirm"))
    walk.press("button[value=yes]")
    assert walk.page.locator("main form").count() == 0, "there is nothing left to answer"
    walk.follow("a[href$='/withdraw']")
    assert walk.page.locator(".button.danger").count() == 1, "who confirmed it withdraws it here, after being asked"
    assert walk.steps.mails == 1


def denied(walk: Walk, site: Site) -> None:
    """Somebody typed another's account; its holder says no, and then yes after all."""
    who = site.person(walk.language)
    walk.open(f"/{walk.language}/object")
    walk.page.fill("#account", who.mail)
    walk.press(BUTTON)
    walk.open(site.mail(who.mail, "confirm").link("confirm"))
    asked = walk.page.locator("h1").inner_text()
    walk.press("button[value=no]")
    assert walk.page.locator("h1").inner_text() != asked
    walk.press("button[value=yes]")


def no_account(walk: Walk, site: Site) -> None:
    """Names, accounts elsewhere and a contact: two pages from the button of the first page on."""
    _without_account(walk, site, child=False)


def for_a_child(walk: Walk, site: Site) -> None:
    """The same, on behalf of a child."""
    _without_account(walk, site, child=True)


def reason(walk: Walk, site: Site) -> None:
    """A reason and a file, once the objection stands."""
    who = by_link(walk, site)
    walk.press(BUTTON, same=True)
    assert walk.page.locator(".error-summary a").get_attribute("href") == "#reason", "neither was given"
    walk.page.fill("#reason", f"{who.handle}: a reason of my own.")
    letter = FilePayload(name="letter.pdf", mimeType="application/pdf", buffer=PDF)
    walk.page.set_input_files("#file", letter)
    walk.press(BUTTON, same=True)
    assert walk.page.locator("[role=status]").is_visible()
    with site.workspace.register() as register:
        names = [each.name for each in register.attachments.of(reference(walk.page))]
    assert len(names) == 2, names


def withdrawal(walk: Walk, site: Site) -> None:
    """Object, think again, and withdraw; then object once more."""
    by_link(walk, site)
    stands = walk.page.locator("h1").inner_text()
    walk.follow("a[href$='/withdraw']")
    walk.press(".button.danger")
    assert walk.page.locator("h1").inner_text() != stands
    assert walk.page.locator("main form").count() == 0
    walk.follow(".button")
    assert walk.page.locator("#account").count() == 1


def status(walk: Walk, site: Site) -> None:
    """An objection by its reference, mistyped first."""
    by_link(walk, site)
    written = reference(walk.page)
    walk.open(f"/{walk.language}/status")
    walk.page.fill("#reference", "AAAA-AAAA-AAAA-AAAA")
    walk.press(BUTTON, same=True)
    assert walk.page.input_value("#reference") == "AAAA-AAAA-AAAA-AAAA", "what was typed is kept"
    walk.page.fill("#reference", written.lower().replace("-", " "))
    walk.press(BUTTON)
    assert reference(walk.page) == written


def mine(walk: Walk, site: Site) -> None:
    """What would be used: a mail that proves control, the list, the copy, and its deletion."""
    who = site.person(walk.language)
    in_session(walk, site, who)
    assert "<b>?</b>" in walk.texts[-1], "what others wrote about them, as they wrote it"
    assert who.handle not in walk.texts[-1], "but for the identifiers, which the corpus does not hold"
    assert walk.page.locator("article").count() == 2
    with walk.page.expect_download() as download:
        walk.page.click("form[action$='/mine/copy'] .button")
    _copy_holds(download.value.path().read_bytes(), who)
    walk.follow("a[href$='/mine/delete']")
    walk.press(".button.danger")
    assert REFERENCE.search(walk.texts[-1])
    walk.open(f"/{walk.language}/mine")
    assert walk.page.locator("#account").count() == 1, "the session has ended"


def reading(walk: Walk, site: Site) -> None:  # noqa: ARG001  # every route has the same form
    """What everybody may read."""
    walk.open(f"/{walk.language}/")
    for name in ("notice", "policy", "contact", "accessibility", "mine", "status"):
        with walk.page.expect_navigation():
            walk.page.click(f"footer a[href='/{walk.language}/{name}']")
        walk.look()
    with walk.page.expect_navigation():
        walk.page.click(".service")
    walk.look()
    walk.page.click(".languages summary")
    other = "de" if walk.language != "de" else "en"
    with walk.page.expect_navigation():
        walk.page.click(f".languages a[lang={other}]")
    walk.look(language=other)


def broken(walk: Walk, site: Site) -> None:
    """Links that do not hold say how to go on, and what can't be read is an error that keeps what was typed."""
    who = site.person(walk.language)
    walk.open(site.mail(who.mail, "o").link("o")[:-3] + "AAA", status=404)
    walk.follow(".button")
    walk.page.fill("#account", "/ /")
    walk.press(BUTTON, same=True)
    assert walk.page.input_value("#account") == "/ /"
    walk.open(f"/{walk.language}/nothing-here", status=404)
    walk.open(f"/{walk.language}/mine/AQEAAAAA", status=404)


def outbox(walk: Walk, site: Site) -> None:
    """The mails that went out, on this machine, and the link in one of them."""
    who = site.person(walk.language)
    walk.open(f"/{walk.language}/object")
    walk.page.fill("#account", who.handle)
    walk.press(BUTTON)
    site.mail(who.mail, "confirm")
    walk.open("/outbox")
    row = walk.page.locator("tr", has_text=who.mail).first
    with walk.page.expect_navigation():
        row.locator("a").click()
    walk.look()
    walk.follow(".mail a[href*='/confirm/']", same=True)  # the mail is headed as what it leads to


ROUTES: Final[tuple[Callable[[Walk, Site], None], ...]] = (
    signed_link,
    signed_in,
    typed_in,
    denied,
    no_account,
    for_a_child,
    reason,
    withdrawal,
    status,
    mine,
    reading,
    broken,
    outbox,
)


def reference(page: Page) -> str:
    """The reference on a receipt."""
    return page.locator(".reference").inner_text().strip()


def by_link(walk: Walk, site: Site) -> Person:
    """Object by the link of a notice that was delivered; who did."""
    who = site.person(walk.language)
    notice = site.mail(who.mail, "o")
    assert notice.language == walk.language
    walk.open(notice.link("o"))
    walk.press(BUTTON)
    _received(walk, site, who)
    return who


def in_session(walk: Walk, site: Site, who: Person) -> None:
    """Prove control of an account by the link of a mail."""
    walk.open(f"/{walk.language}/mine")
    walk.page.fill("#account", who.handle)
    walk.press(BUTTON)
    mail = site.mail(who.mail, "mine")
    _prompt(walk, mail)
    walk.open(mail.link("mine"))
    with walk.page.expect_navigation():
        walk.page.click(BUTTON)
    walk.look(same=True)  # the link's page and what it leads to are about the same thing


def _without_account(walk: Walk, site: Site, *, child: bool) -> None:
    who = site.person(walk.language)
    contact = f"{who.handle}@elsewhere.example"
    walk.open(f"/{walk.language}/object")
    walk.follow(f"a[href$='/object/{'child' if child else 'person'}']")
    walk.press(BUTTON, same=True)
    assert walk.page.locator(".error-summary a").first.get_attribute("href") == "#names"
    walk.page.fill("#names", "Zoë Żak\nZoe Zak")
    walk.page.fill("#links", f"@{who.handle}@elsewhere.example\nhttps://elsewhere.example/posts/{who.handle}")
    walk.page.fill("#contact", contact)
    walk.press(BUTTON)
    assert reference(walk.page)
    assert walk.steps == Steps(pages=4, buttons=2), "two pages, one of them twice after a slip, and the receipt"
    _prompt(walk, site.mail(contact, "receipt"))


def _received(walk: Walk, site: Site, who: Person) -> None:
    assert REFERENCE.fullmatch(reference(walk.page))
    mail = site.mail(who.mail, "receipt")
    assert reference(walk.page) in mail.text
    _prompt(walk, mail)


def _prompt(walk: Walk, mail: Mail) -> None:
    """The mail is in the person's language, and was handed over soon."""
    assert mail.language == walk.language
    walk.handed_over.append(mail.handed_over - walk.pressed)


def _copy_holds(content: bytes, who: Person) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as copy:
        assert copy.testzip() is None
        texts = {name: copy.read(name).decode() for name in copy.namelist()}
    assert {name.rpartition(".")[2] for name in texts} >= {"html", "json"}
    assert any(who.handle in text for text in texts.values())
    for name, text in texts.items():
        if name.endswith(".json"):
            json.loads(text)
