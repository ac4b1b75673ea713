"""Every route in, in four languages, narrow and wide, with and without JavaScript, in a real browser.

`make soak` walks all of them. The default suite walks every route narrow and with scripts, where axe looks too, and
every third one also wide and without: no page for visitors has a script, so that most of that is the first walk again.
Which language and way come together takes turns from route to route.
"""

from collections.abc import Callable, Iterator

import pytest
from browsing import NARROW, WIDE, Walk, Way
from routes import ROUTES
from running import LANGUAGES, Site

WAYS = [Way(width, scripts) for width in (NARROW, WIDE) for scripts in (True, False)]
COVERING = (0, 3)
"""Which of them the default suite takes: narrow with scripts, wide without."""
WIDE_TOO = 3
"""One of so many routes is taken wide, too."""


def every() -> Iterator[object]:
    """Each combination; those beyond the covering set are for the soak."""
    for turn, route in enumerate(ROUTES):
        for place, language in enumerate(LANGUAGES):
            for number, way in enumerate(WAYS):
                taken = number == COVERING[0] or turn % WIDE_TOO == 0
                covering = taken and turn % 2 == place % 2 and COVERING[(turn + place) // 2 % 2] == number
                marks = () if covering else (pytest.mark.soak,)
                yield pytest.param(route, language, way, marks=marks, id=f"{route.__name__}-{language}-{way}")


@pytest.mark.parametrize(("route", "language", "way"), list(every()))
def test_every_route_in_every_language(
    route: Callable[[Walk, Site], None], language: str, way: Way, walk: Callable[..., Walk], site: Site
) -> None:
    visitor = walk(language, way)
    route(visitor, site)
    print(visitor.steps, "on screen after", visitor.seconds, "s, mails after", visitor.handed_over, "s")  # noqa: T201  # figures
