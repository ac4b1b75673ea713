"""Every route in, in four languages, narrow and wide, with and without JavaScript, in a real browser.

`make soak` walks all of them; the default suite walks every route in every language once, in turns narrow and wide,
with and without scripts, so that each route is seen in all four ways.
"""

from collections.abc import Callable, Iterator

import pytest
from browsing import NARROW, WIDE, Walk, Way
from routes import ROUTES
from running import LANGUAGES, Site

pytestmark = pytest.mark.xdist_group("browser")

WAYS = [Way(width, scripts) for width in (NARROW, WIDE) for scripts in (True, False)]


def every() -> Iterator[object]:
    """Each combination; those beyond the covering set are for the soak."""
    for turn, route in enumerate(ROUTES):
        for place, language in enumerate(LANGUAGES):
            for number, way in enumerate(WAYS):
                covering = (turn + place) % len(WAYS) == number
                marks = () if covering else (pytest.mark.soak,)
                yield pytest.param(route, language, way, marks=marks, id=f"{route.__name__}-{language}-{way}")


@pytest.mark.parametrize(("route", "language", "way"), list(every()))
def test_every_route_in_every_language(
    route: Callable[[Walk, Site], None], language: str, way: Way, walk: Callable[..., Walk], site: Site
) -> None:
    visitor = walk(language, way)
    route(visitor, site)
    print(visitor.steps, "on screen after", visitor.seconds, "s, mails after", visitor.handed_over, "s")  # noqa: T201  # figures
