"""The page around the plots: its frame, its stylesheet, and the few shapes that its content has.

Invariants: every text is escaped, unless it is markup that was made here; the page holds all that it needs.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_PAGE: Final = Markup("""\
<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><p class="name">demur</p><h1>{title}</h1><p class="lead">{lead}</p></header>
<main id="content">
{body}
</main>
<footer><p>Made by demur on {made:%d %B %Y at %H:%M} UTC. The page stands alone: it loads nothing and runs no script. It
says what was measured; it does not say that anybody complies with the law.</p></footer>
</body>
</html>
""")


def page(title: str, lead: str, parts: Iterable[Markup], *, made: datetime) -> str:
    """A whole page.

    Args:
        title: its heading.
        lead: what it is about, in a sentence or two.
        parts: its sections, from the top.
        made: when, in UTC.
    """
    frame = {"policy": _POLICY, "style": Markup(_style()), "made": made}  # noqa: S704  # our own file
    return str(_PAGE.format(title=title, lead=lead, body=Markup("\n").join(parts), **frame))


@cache
def _style() -> str:
    return files("demur.sheet").joinpath("sheet.css").read_text("utf-8")


def section(heading: str, *parts: Markup) -> Markup:
    """A part of the page, with its heading."""
    body = Markup("\n").join(parts)
    return Markup("<section>\n<h2>{}</h2>\n{}\n</section>").format(heading, body)


def text(*sentences: str) -> Markup:
    """A paragraph."""
    return Markup("<p>{}</p>").format(" ".join(sentences))


def cards(figures: Iterable[tuple[str, str]]) -> Markup:
    """A few numbers that say most: each with what it counts."""
    each = Markup("<div><dt>{1}</dt> <dd>{0}</dd></div>")
    return Markup('<dl class="cards">{}</dl>').format(Markup("\n").join(each.format(*figure) for figure in figures))


def banner(sentence: str, *, good: bool) -> Markup:
    """What it comes to, in a sentence."""
    kind, sign = ("good", "✓") if good else ("bad", "!")
    return Markup('<p class="banner {}"><span aria-hidden="true">{}</span> {}</p>').format(kind, sign, sentence)


def figure(caption: str, plot: Markup, numbers: Markup) -> Markup:
    """A plot, with its numbers below it."""
    return Markup(
        "<figure>\n<figcaption>{0}</figcaption>\n"
        '<div class="scroll" role="group" aria-label="{0}" tabindex="0">{1}</div>\n'
        "<details><summary>The numbers of this picture</summary>\n{2}\n</details>\n</figure>"
    ).format(caption, plot, numbers)


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> Markup:
    """A table.

    Args:
        caption: what it lists, for those who don't see where it stands.
        head: the columns' names.
        rows: cells; the first one of each names the row.
        right: names of the columns, with | between them, whose cells are numbers.
    """
    numbers = [name in right.split("|") for name in head]
    top = Markup("\n").join(
        _cell("th", name, number, ' scope="col"') for name, number in zip(head, numbers, strict=True)
    )
    body = Markup("\n").join(_line(row, numbers) for row in rows)
    return Markup(
        '<div class="scroll" role="group" aria-label="{0}" tabindex="0"><table><caption class="unseen">{0}</caption> '
        "<thead><tr>{1}</tr></thead> <tbody>{2}</tbody></table></div>"
    ).format(caption, top, body)


def _line(row: Sequence[object], numbers: Sequence[bool]) -> Markup:
    """A row; its first cell names it."""
    first = _cell("th", row[0], numbers[0], ' scope="row"')
    others = (_cell("td", cell, number) for cell, number in zip(row[1:], numbers[1:], strict=True))
    return Markup("<tr>{}</tr>").format(Markup("\n").join([first, *others]))


def _cell(tag: str, content: object, number: bool, more: str = "") -> Markup:  # noqa: FBT001  # one of a pair
    shown = f"{content:,}" if isinstance(content, int) else content
    place = Markup(' class="number"') if number else Markup()
    return Markup("<{0}{1}{2}>{3}</{0}>").format(Markup(tag), place, Markup(more), shown)  # noqa: S704  # ours


def listed(items: Iterable[str]) -> Markup:
    """A list of sentences."""
    return Markup("<ul>{}</ul>").format(Markup("\n").join(Markup("<li>{}</li>").format(item) for item in items))


def commands(lines: Iterable[tuple[str, str]]) -> Markup:
    """Commands, each with what it does."""
    each = Markup("<dt><code>{}</code></dt> <dd>{}</dd>")
    return Markup('<dl class="commands">{}</dl>').format(Markup("\n").join(each.format(*line) for line in lines))
