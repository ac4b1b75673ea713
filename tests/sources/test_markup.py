"""What forums write their posts in becomes plain text with spans."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.sources.markup.edits import Edit, edited
from demur.sources.markup.names import Names, in_namespace
from demur.sources.markup.reading import Markup, to_plain
from demur.sources.text import Span

WROTE = {("12", "3"): "f:zoe"}
NAMES = Names(lambda name: f"f:{name}", lambda number: f"f:#{number}", lambda *post: WROTE.get(post), "12")

HTML, MARKDOWN, BBCODE = Markup.HTML, Markup.MARKDOWN, Markup.BBCODE


def read(markup: Markup, text: str) -> tuple[str, set[tuple[str, str, str | None]]]:
    plain, spans = to_plain(markup, text, NAMES)
    return plain, {(plain[one.start : one.end].strip(), str(one.role), one.account) for one in spans}


QUOTES = {
    "discourse": (
        HTML,
        (
            '<aside class="quote no-group" data-username="ann" data-post="1" data-topic="9">\n<div class="title">\n'
            '<div class="quote-controls"></div>\n<img alt="" class="avatar"> Ann B.:</div>\n<blockquote>\n<p>knee</p>\n'
            "</blockquote>\n</aside>\n<p>mine</p>"
        ),
    ),
    "xenforo 2": (
        HTML,
        (
            '<blockquote data-attributes="member: 7" data-quote="ann" data-source="post: 12" class="bbCodeBlock '
            'bbCodeBlock--quote"><div class="bbCodeBlock-title"><a class="bbCodeBlock-sourceJump">ann said:</a></div>'
            '<div class="bbCodeBlock-content">knee</div></blockquote>mine'
        ),
    ),
    "xenforo 2.0": (
        HTML,
        (
            '<blockquote class="bbCodeBlock bbCodeBlock--quote"><div class="bbCodeBlock-title"><a>ann said:</a></div>'
            '<div class="bbCodeBlock-content">knee</div></blockquote>mine'
        ),
    ),
    "xenforo 1": (
        HTML,
        (
            '<div class="bbCodeBlock bbCodeQuote" data-author="ann"><aside><div class="attribution type">ann said: '
            '<a>&uarr;</a></div><blockquote class="quoteContainer"><div class="quote">knee</div></blockquote></aside>'
            "</div>mine"
        ),
    ),
    "phpbb": (
        HTML,
        (
            '<blockquote><div><cite><a href="./memberlist.php?mode=viewprofile&amp;u=48">ann</a> wrote: <a>↑</a>'
            '<span class="responsive-hide">Sun Mar 01, 2026 10:00 am</span></cite>knee</div></blockquote>mine'
        ),
    ),
    "vbulletin 4": (
        HTML,
        (
            '<div class="bbcode_container"><div class="bbcode_quote"><div class="quote_container"><div '
            'class="bbcode_postedby"><img alt="Quote" /> Originally Posted by <b>ann</b> <a><img alt="View Post"/>'
            '</a></div><div class="message">knee</div></div></div></div>mine'
        ),
    ),
    "vbulletin 3": (
        HTML,
        (
            '<div><div class="smallfont">Quote:</div><table><tr><td class="alt2"><div>Originally Posted by '
            "<strong>ann</strong></div><div>knee</div></td></tr></table></div>mine"
        ),
    ),
    "mybb": (
        HTML,
        (
            '<blockquote class="mycode_quote"><cite><span> (03-01-2026, 10:00 AM)</span>ann Wrote:  <a></a></cite>knee'
            "</blockquote>mine"
        ),
    ),
    "smf": (
        HTML,
        (
            '<blockquote class="bbc_standard_quote"><cite><a>Quote from: ann on March 01, 2026</a></cite><br>knee'
            "</blockquote>mine"
        ),
    ),
    "invision": (
        HTML,
        (
            '<blockquote class="ipsQuote" data-ipsquote-username="ann"><div class="ipsQuote_citation">On 1/3/2026, '
            'ann said:</div><div class="ipsQuote_contents"><p>knee</p></div></blockquote>mine'
        ),
    ),
    "a line over it": (HTML, "<p>ann wrote:</p><blockquote><p>knee</p></blockquote><p>mine</p>"),
    "signed": (HTML, "<blockquote><p>knee</p><footer>— ann</footer></blockquote><p>mine</p>"),
    "cite": (HTML, "<blockquote><p>knee</p><cite>ann</cite></blockquote><p>mine</p>"),
    "escaped": (HTML, "<p>&gt; ann wrote:<br>&gt; knee<br>mine</p>"),
    "never rendered": (HTML, '<p>[quote="ann, post:1, topic:9"]</p><p>knee</p><p>[/quote]</p><p>mine</p>'),
    "no tag": (HTML, "> knee\n> -- ann\n\nmine"),
    "discourse raw": (MARKDOWN, '[quote="ann, post:1, topic:9"]\nknee\n[/quote]\nmine'),
    "discourse raw, full name": (
        MARKDOWN,
        '[quote="Ann B., post:1, topic:9, full:true, username:ann"]\nknee\n[/quote]\nmine',
    ),
    "aside in markdown": (
        MARKDOWN,
        '<aside class="quote" data-username="ann"><blockquote>knee</blockquote></aside>mine',
    ),
    "nodebb": (MARKDOWN, "@ann said in [topic](/post/1):\n> knee\n\nmine"),
    "wrote": (MARKDOWN, "> **ann** wrote:\n> knee\n\nmine"),
    "schrieb": (MARKDOWN, "> ann schrieb am 1.3.2026:\n> knee\n\nmine"),
    "mail": (MARKDOWN, "On Sun, 1 Mar 2026 at 10:00, ann <a@x.example> wrote:\n\n> knee\n\nmine"),
    "signed below": (MARKDOWN, "> knee\n> -- ann\n\nmine"),
    "linked below": (MARKDOWN, "> knee\n>\n> — [ann](https://f.example/u/ann)\n\nmine"),
    "xenforo": (BBCODE, '[QUOTE="ann, post: 1, member: 77"]knee[/QUOTE]mine'),
    "phpbb 3.0": (BBCODE, '[quote="ann":3a2b1c]knee[/quote:3a2b1c]mine'),
    "phpbb 3.2": (BBCODE, "[quote=ann post_id=1 time=1700000000 user_id=48]knee[/quote]mine"),
    "phpbb stored": (
        BBCODE,
        '<r><QUOTE author="ann" post_id="1"><s>[quote=ann post_id=1]</s>knee<e>[/quote]</e></QUOTE>\n\nmine</r>',
    ),
    "vbulletin": (BBCODE, "[QUOTE=ann;123]knee[/QUOTE]mine"),
    "mybb raw": (BBCODE, "[quote=\"ann\" pid='1' dateline='1']knee[/quote]mine"),
    "smf raw": (BBCODE, "[quote author=ann link=topic=1.msg2#msg2 date=1]knee[/quote]mine"),
    "chat in discourse": (HTML, '<div class="chat-transcript" data-username="ann"><p>knee</p></div><p>mine</p>'),
    "chat in discourse, raw": (MARKDOWN, '[chat quote="ann;3;2026-03-01T10:00:00Z"]\nknee\n[/chat]\nmine'),
    "invision 3": (BBCODE, "[quote name='ann' timestamp='1700000000' post='1']knee[/quote]mine"),
    "phpbb 2": (BBCODE, '[quote:3a2b1c="ann"]knee[/quote:3a2b1c]mine'),
    "figure": (HTML, "<figure><blockquote>knee</blockquote><figcaption>— ann</figcaption></figure><p>mine</p>"),
    "cited profile": (HTML, '<blockquote cite="https://f.example/u/ann">knee</blockquote>mine'),
    "signed on the line": (MARKDOWN, '> "knee" -- ann\n\nmine'),
    "signed behind": (MARKDOWN, "> knee\n\n-- ann\n\nmine"),
    "in a list": (MARKDOWN, "- > knee\n  > -- ann\n\nmine"),
    "github": (MARKDOWN, "> _Originally posted by @ann in https://f.example/1_\n> knee\n\nmine"),
    "mail in bbcode": (BBCODE, "> ann wrote:\n> knee\n\nmine"),
}


@pytest.mark.parametrize("name", QUOTES)
def test_a_quote_is_of_whom_its_markup_names_and_holds_their_name(name: str) -> None:
    markup, text = QUOTES[name]

    plain, spans = to_plain(markup, text, NAMES)

    theirs = [one for one in spans if one.account == "f:ann"]
    rest = plain
    for one in sorted(theirs, key=lambda span: -span.start):
        rest = rest[: one.start] + " " * (one.end - one.start) + rest[one.end :]
    assert any(one.role == "quote" and "knee" in plain[one.start : one.end] for one in theirs)
    assert "mine" in rest
    assert not re.search("knee|ann|Ann", rest)
    assert not any(mark in plain for mark in ("[quote", "[QUOTE", "</", "[/"))


NAMED = ["Ann Berg", 'Ann "the" Berg', "O'Neil", "Jörg ]x[ Ö", "Анна", "a, b", "DOMAIN\\ann"]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize(
    "tag",
    [
        '[quote="{}"]',
        "[quote='{}' pid='1' dateline='1700000000']",
        '[quote="{}, post: 1, member: 77"]',
        '[QUOTE="{}":3a2b1c]',
        '[quote="{}" post_id=1 time=1700000000 user_id=48]',
    ],
)
def test_a_name_in_quotation_marks_may_hold_any_sign(tag: str, name: str) -> None:
    assert ("knee", "quote", f"f:{name}") in read(BBCODE, f"{tag.format(name)}knee[/quote]mine")[1]


def test_a_backslash_before_a_mark_is_no_part_of_the_name() -> None:
    quote = r'[quote="Ann \"]x[\" Berg" post_id=1]knee[/quote]mine'

    assert ("knee", "quote", 'f:Ann "]x[" Berg') in read(BBCODE, quote)[1]


ATTRIBUTIONS = [
    "ann написа",
    "ann napsal",
    "ann napsal(a)",
    "ann skrev",
    "ann schrieb",
    "ann hat geschrieben",
    "ann έγραψε",
    "Ο/Η ann έγραψε",  # noqa: RUF001  # Greek
    "ann wrote",
    "ann commented",
    "ann escribió",
    "ann kirjutas",
    "ann kirjoitti",
    "ann a écrit ",
    "Scríobh ann",
    "ann je napisao/la",
    "ann je napisala",
    "ann írta",
    "ann ha scritto",
    "ann parašė",
    "ann rakstīja",
    "ann kiteb",
    "ann schreef",
    "ann napisał(a)",
    "ann pisze",
    "ann escreveu",
    "ann a scris",
    "ann napísal",
    "ann je napisal",
    "ann писав",
    "ann пишет",
    "Posted by ann",
    "1. ann wrote",
    "Am 1. März 2026 um 10:00 Uhr schrieb ann <ann@x.example>",
    "Op 1 mrt. 2026 om 10:00 schreef ann",
    "Den 1. mar. 2026 kl. 10.00 skrev ann",
    "Den 1 mars 2026 kl. 10:00 skrev ann",
    "W dniu 1.03.2026 o 10:00, ann pisze",
    "Le 1 mars 2026 à 10:00, ann a écrit ",
    "Il giorno 1 mar 2026, alle ore 10:00, ann ha scritto",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
@pytest.mark.parametrize(
    ("markup", "form"),
    [
        (MARKDOWN, "{}:\n> knee\n\nmine"),
        (MARKDOWN, "> {}:\n> knee\n\nmine"),
        (HTML, "<p>{}:</p><blockquote>knee</blockquote>mine"),
        (BBCODE, "{}:\n[quote]knee[/quote]mine"),
    ],
)
def test_attributions_are_known_in_many_languages(markup: Markup, form: str, line: str) -> None:
    line = line.replace("<", "&lt;").replace(">", "&gt;") if markup is HTML else line
    found = read(markup, form.format(line))[1]

    assert any(account == "f:ann" and role == "quote" and "knee" in words for words, role, account in found)


@pytest.mark.parametrize(
    ("markup", "text", "shown"),
    [
        (HTML, '<p><a class="mention" href="/u/ann">@ann</a> hi</p>', "@ann"),
        (HTML, '<p><span class="mention">@ann</span> hi</p>', "@ann"),
        (HTML, '<p><a class="mention" href="/u/ann">@Ann Berg</a> hi</p>', "@Ann Berg"),
        (HTML, '<a href="/members/ann.7/" class="username" data-user-id="7" data-username="@ann">@ann</a> hi', "@ann"),
        (HTML, '<a class="mentionme_mention" href="User-ann">ann</a> hi', "ann"),
        (HTML, '<a href="https://f.example/u/ann/summary?x=1">see her</a>', "see her"),
        (HTML, '<a href="https://f.example/u/ann">see her</a>', "see her"),
        (
            HTML,
            '<a class="inline-onebox" href="https://f.example/t/x/9/2">A title - #2 by ann</a>',
            "A title - #2 by ann",
        ),
        (
            HTML,
            '<a class="inline-onebox" href="https://f.example/t/x/9/2">A - #2 by ann - Health - Forum</a>',
            "A - #2 by ann - Health - Forum",
        ),
        (HTML, '<a href="https://f.example/u/%61nn/activity">her</a>', "her"),
        (HTML, '<a href="https://f.example/uploads/ann">file</a> <a href="/users.php?ann">all</a>', None),
        (MARKDOWN, "see [her page](https://f.example/u/ann)", "her page"),
        (BBCODE, "see [url=https://f.example/u/ann]her page[/url]", "her page"),
        (BBCODE, 'see [URL="https://f.example/profile/ann"]her page[/URL]', "her page"),
        (BBCODE, "see [url]https://f.example/x[/url]", None),
        (HTML, '<a class="mention-group" href="/g/ann">@ann</a> <a class="hashtag" href="/c/ann">#ann</a>', None),
        (MARKDOWN, 'hi <a class="mention" href="/u/ann">@ann</a>', "@ann"),
        (BBCODE, "[USER=7]@ann[/USER] hi", "@ann"),
        (BBCODE, "[MENTION=7]ann[/MENTION] hi", "ann"),
        (BBCODE, "[mention]ann[/mention] hi", "ann"),
        (BBCODE, "[smention u=7]ann[/smention] hi", "ann"),
        (BBCODE, 'hi @"ann"', '@"ann"'),
    ],
)
def test_a_mention_is_of_its_account(markup: Markup, text: str, shown: str | None) -> None:
    found = {span for span in read(markup, text)[1] if span[2] == "f:ann"}

    assert found == ({(shown, "mention", "f:ann")} if shown else set())


def test_a_preview_without_a_name_is_of_who_wrote_that_post() -> None:
    preview = (
        '<aside class="quote quote-modified" data-post="3" data-topic="12"><div class="title"><a href="/t/x/12/3">T</a>'
        "</div><blockquote>knee</blockquote></aside>mine"
    )
    onebox = '<aside class="onebox" data-onebox-src="https://f.example/t/x/12/3"><article>knee</article></aside>mine'

    assert ("T\n\nknee", "quote", "f:zoe") in read(HTML, preview)[1]
    assert ("knee", "quote", "f:zoe") in read(HTML, onebox)[1]


def test_a_quote_of_somebody_renamed_is_of_the_name_and_of_the_author() -> None:
    spans = read(MARKDOWN, '[quote="old, post:3"]\nknee\n[/quote]')[1]

    assert spans == {("knee", "quote", "f:old"), ("knee", "quote", "f:zoe")}


def test_quotes_nest() -> None:
    assert read(BBCODE, "[quote=ann]a [quote=bob]b[/quote] c[/quote] d")[1] == {
        ("b", "quote", "f:bob"),
        ("a \nb\n c", "quote", "f:ann"),
    }
    assert ("b", "quote", "f:bob") in read(MARKDOWN, "ann wrote:\n> bob wrote:\n>> b\n> a")[1]


def test_a_quote_that_is_never_closed_runs_to_the_end() -> None:
    assert ("knee and more", "quote", "f:ann") in read(BBCODE, "mine [quote=ann]knee and more")[1]
    assert ("knee", "quote", "f:ann") in read(MARKDOWN, '<aside class="quote" data-username="ann">knee')[1]


@pytest.mark.parametrize(
    ("markup", "text", "plain"),
    [
        (Markup.TEXT, "<b>[b]x[/b]</b> **y**", "<b>[b]x[/b]</b> **y**"),
        (HTML, "<p>a</p><p>b &amp; c</p>", "a\n\nb & c"),
        (HTML, "a\nb &lt; c", "a\nb < c"),
        (
            MARKDOWN,
            '# Head\n**bold** [link](http://x "t") ![pic](y) x < y && List<String>',
            "Head\nbold link pic x < y && List<String>",
        ),
        (MARKDOWN, "a<br>b &amp; c\n```\n> code\n```", "a\nb & c\n```\n> code\n```"),
        (BBCODE, "[b]a[/b] [url=http://x]t[/url] x[3] [code]a[i] = 1[/code]", "a t x[3] a[i] = 1"),
        (BBCODE, "[/quote] stray", "stray"),
    ],
)
def test_markup_goes_and_text_stays(markup: Markup, text: str, plain: str) -> None:
    assert to_plain(markup, text, NAMES)[0] == plain


@pytest.mark.parametrize(
    ("markup", "text", "role"),
    [
        (
            HTML,
            '<aside class="quote" data-username="ann"><blockquote><img src="x.png"></blockquote></aside>mine',
            "quote",
        ),
        (HTML, '<a class="mention" href="/u/ann"></a> mine', "mention"),
        (MARKDOWN, '[quote="ann, post:1, topic:2"]\n[/quote]\nmine', "quote"),
        (BBCODE, "[quote=ann][/quote]mine", "quote"),
    ],
)
def test_a_quote_or_mention_that_shows_nothing_leaves_an_empty_span(markup: Markup, text: str, role: str) -> None:
    assert read(markup, text) == ("mine", {("", role, "f:ann")})


def test_unattributed_quotes_are_of_nobody() -> None:
    for markup, text in (
        (HTML, "<blockquote>q</blockquote>x"),
        (MARKDOWN, "Hello\n\n> q\n\nx"),
        (BBCODE, "[quote]q[/quote]x"),
    ):
        assert read(markup, text)[1] == {("q", "quote", None)}


MARKS = (
    "<",
    ">",
    "[",
    "]",
    "/",
    "> ",
    '"',
    "'",
    "@",
    "**",
    "```\n",
    "&amp;",
    "[quote=",
    "[/quote]",
    "quote",
    '="ann, post:1"',
)
OTHERS = (
    "<aside class=quote>",
    "</a>",
    "<blockquote>",
    "ann wrote:\n",
    "-- ann",
    "a",
    " ",
    "\n",
    "é",
    "😀",
    "\0",
    chr(0xD800),
)
PIECES = st.sampled_from(MARKS + OTHERS)


@given(st.sampled_from(list(Markup)), st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_read_and_its_spans_lie_within(markup: Markup, text: str) -> None:
    plain, spans = to_plain(markup, text, NAMES)

    assert all(0 <= span.start <= span.end <= len(plain) for span in spans)


@given(st.text("ab", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=8), st.data())
def test_edits_keep_spans_on_their_words(text: str, cuts: list[tuple[int, int]], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    edits = [Edit(min(at, len(text)), min(at + size, len(text))) for at, size in cuts]
    marked = [Span(start, end, "quote", None)]
    gone: set[int] = set()
    reached = 0
    for edit in sorted(edits):
        if edit.start >= reached and edit.end > edit.start:
            gone |= set(range(edit.start, edit.end))
            reached = edit.end

    plain, [span] = edited(text, marked, edits)

    assert plain == "".join(letter for at, letter in enumerate(text) if at not in gone)
    assert plain[span.start : span.end] == "".join(text[at] for at in range(start, end) if at not in gone)


HOSTILE = (
    "[quote=",
    '[quote="a"]x',
    "[quote='",
    ">",
    "> a\n>> b\n",
    "<a ",
    "[a](",
    "**a",
    "<!--",
    "<cite>a</cite>",
    "[code]",
)
DEEP = ('<aside class="quote" data-username="a">', '@"', "a wrote ", " ", "<blockquote>", "</a>", "x[quote]")


@pytest.mark.parametrize("piece", HOSTILE + DEEP)
@pytest.mark.parametrize("markup", [HTML, MARKDOWN, BBCODE])
def test_hostile_text_costs_what_its_size_costs(markup: Markup, piece: str) -> None:
    text = piece * (20_000 // len(piece))
    began = time.process_time()

    to_plain(markup, text, in_namespace("f"))

    assert time.process_time() - began < 2
