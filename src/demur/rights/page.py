"""The page of a copy: HTML that any browser shows, without script, and without anything from elsewhere.

Invariants: everything that anybody wrote is escaped; rows are streamed through the template.
"""

from collections.abc import Iterator
from functools import cache

from jinja2 import Environment, PackageLoader

from demur.notices.languages import SOURCE, direction
from demur.notices.templating import environment
from demur.rights.records import Counted, Held


def page(person: Held, counted: Counted) -> Iterator[str]:
    """The page in pieces; ``counted`` are the rows of the corpus."""
    template = _environment().get_template("copy.html")
    yield from template.generate(
        language=SOURCE,
        direction=direction(SOURCE),
        facts=person.facts,
        corpus=person.corpus,
        versions=person.versions,
        counted=counted,
    )


@cache
def _environment() -> Environment:
    return environment(PackageLoader("demur.rights"))
