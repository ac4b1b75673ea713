"""What people meet from the first page on, walked in English, German and Greek, with scripts and without.

One walk for each: a slip that is told back and corrected, a form that comes back in another language as it was filled
in, the question to the account's holder with its undo, the way for a child, a link that says that it was used, and what
is held, as cards, with its copy and its deletion.
"""

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest
from browsing import NARROW, WIDE, Walk, Way
from routes import BUTTON, by_link, in_session, reference
from running import Person, Site

from demur.notices.languages import translations

WAYS = (Way(NARROW, scripts=True), Way(WIDE, scripts=False))


def every() -> Iterator[object]:
    """Each combination; half of them, with every language and every way, outside of the soak."""
    for turn, language in enumerate(("en", "de", "el")):
        for place, way in enumerate(WAYS):
            marks = () if turn % 2 == place else (pytest.mark.soak,)
            yield pytest.param(language, way, marks=marks, id=f"{language}-{way}")


@pytest.mark.parametrize(("language", "way"), list(every()))
def test_a_visitor_is_told_what_happens(language: str, way: Way, walk: Callable[..., Walk], site: Site) -> None:
    visitor = walk(language, way)
    who = site.person(language)
    _a_slip_is_told_back_and_corrected(visitor, who)
    _a_form_is_kept_in_another_language(visitor)
    _the_holder_keeps_or_ends_it(visitor, site, who)
    _for_a_child(visitor)
    _a_used_link_says_so(visitor, site)
    _what_is_held(visitor, site)


def _said(walk: Walk, english: str, **values: str) -> str:
    """A sentence in the language of the walk."""
    told = translations(walk.language).gettext(english)
    assert (told == english) == (walk.language == "en"), english
    return told % values if values else told


def _a_slip_is_told_back_and_corrected(walk: Walk, who: Person) -> None:
    walk.open(f"/{walk.language}/")
    walk.follow("#ways a[href$='/object'], a[href$='/object']")
    for attribute, value in (("autocapitalize", "none"), ("autocorrect", "off"), ("spellcheck", "false")):
        assert walk.page.get_attribute("#account", attribute) == value
    walk.page.fill("#account", "Ann Archer")
    walk.press(BUTTON)
    first = reference(walk.page)
    assert "Ann Archer" in walk.page.locator(".panel").inner_text()
    assert walk.page.locator("main a[href$='/names']").count() == 1, "a name is offered the form for names"
    walk.follow("a[href$='/correct']")
    assert walk.page.input_value("#account") == "Ann Archer"
    walk.page.fill("#account", f"@{who.handle}")
    walk.press(BUTTON)
    assert reference(walk.page) != first
    assert who.handle in walk.page.locator(".panel").inner_text()
    _one_conclusion(walk)


def _one_conclusion(walk: Walk) -> None:
    """The receipt says one thing, and what happens next; nothing of an end."""
    main = walk.page.locator("main").inner_text()
    assert main.count(_said(walk, "We have received your objection")) == 1
    assert _said(walk, "What happens next") in main
    assert walk.page.locator("main details:not([open])").count() > 0, "what concerns others is folded"


def _a_form_is_kept_in_another_language(walk: Walk) -> None:
    other = "de" if walk.language != "de" else "en"
    walk.open(f"/{walk.language}/object/person")
    walk.page.fill("#names", "Zoë Żak")
    walk.page.click(".languages summary")
    with walk.page.expect_navigation():
        walk.page.click(f".languages button[lang={other}]")
    walk.look(language=other)
    assert walk.page.input_value("#names") == "Zoë Żak"


def _the_holder_keeps_or_ends_it(walk: Walk, site: Site, who: Person) -> None:
    mail = site.mail(who.mail, "confirm")
    for _ in range(2):  # opening it changes nothing
        walk.open(mail.link("confirm"), same=True)
        assert walk.page.locator("h1").inner_text() == _said(walk, "Keep this objection?")
    keep, end = (walk.page.locator(f"button[value={answer}]").bounding_box() for answer in ("yes", "no"))
    assert keep is not None
    assert end is not None
    assert (keep["width"], keep["height"]) == (end["width"], end["height"]), "of equal weight"
    walk.press("button[value=no]")
    assert _said(walk, "Your content may be used again, as our notice says.") in walk.texts[-1]
    walk.press("button[value=yes]")
    assert _said(walk, "Your content may be used again, as our notice says.") not in walk.texts[-1]


def _for_a_child(walk: Walk) -> None:
    walk.open(f"/{walk.language}/")
    walk.follow("a[href$='/object/child']")
    walk.page.fill("#names", "Zoë Żak")
    walk.press(BUTTON)
    assert _said(walk, "You objected for a child.") in walk.texts[-1]


def _a_used_link_says_so(walk: Walk, site: Site) -> None:
    who = by_link(walk, site)
    walk.open(site.mail(who.mail, "o").link("o"))
    told = _said(
        walk, "You objected with this link on %(day)s. Your objection applies. You do not have to do anything else."
    )
    assert told.partition("%(day)s")[0].strip() in walk.texts[-1]


def _what_is_held(walk: Walk, site: Site) -> None:
    who = site.person(walk.language)
    in_session(walk, site, who)
    assert walk.page.locator("article").count() == 2
    with walk.page.expect_download() as download:
        walk.page.click("form[action$='/mine/copy'] .button")
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as copy:
        pages = [copy.read(name).decode() for name in copy.namelist() if name.endswith(".html")]
    assert any(f'lang="{walk.language}"' in each for each in pages)
    walk.follow("a[href$='/mine/delete']")
    assert _said(walk, "What stays") in walk.texts[-1]
    walk.press(".button.danger")
    assert _said(walk, "What happens next") in walk.texts[-1]
