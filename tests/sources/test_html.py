"""HTML fragments become plain text with spans."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.sources.html import Link, to_text
from demur.sources.text import Span


def mentions(link: Link) -> str | None:
    return f"x:{link.text.lstrip('@')}" if "mention" in link.classes and "hashtag" not in link.classes else None


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain  text\n here", "plain text here"),
        ("a &amp; b &lt;i&gt; &eacute; &#x1F600;", "a & b <i> é 😀"),
        ("no&nbsp;break", "no\xa0break"),
        ("<p>one</p><p>two<br>three<br><br>four</p>", "one\n\ntwo\nthree\n\nfour"),
        ("<p>a <b> b</b>c</p>", "a bc"),
        ("<script>bad()</script><style>p{}</style><template>t</template>ok", "ok"),
        ("<head><title>t</title></head><body>b</body>", "b"),
        ("<!-- only a comment -->", ""),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>d", "a\nb\nc\n\nd"),
        ("<pre>a\n  b</pre>z", "a\n  b\n\nz"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ('hi <img class="emoji" alt=":blob:">!', "hi :blob:!"),
        ('<meta charset="latin-1"><p>é</p>', "é"),
        ('<?xml version="1.0" encoding="utf-16"?><p>é</p>', "é"),
    ],
)
def test_reads_as_a_browser_shows_it(html: str, text: str) -> None:
    assert to_text(html) == (text, [])


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>broken <b>bold <i>x</p> y", "broken bold x\n\ny"),
        ("<p>x</div></p></body>after", "x\n\nafter"),
        ("<", "<"),
        ("<a", ""),
        ("&", "&"),
        ("1 < 2 and 3 > 2 & 4", "1 < 2 and 3 > 2 & 4"),
        ("<p>\ud800 x\0y</p>", "\ufffd xy"),
        ("<div>" * 5000 + "deep" + "</div>" * 5000, "deep"),
    ],
)
def test_broken_html_never_fails(html: str, text: str) -> None:
    assert to_text(html)[0] == text


@given(st.text(alphabet=st.sampled_from('<>/&;"= abp\n\0\ud800é😀!-'), max_size=200))
def test_any_text_is_read_and_its_spans_lie_within(html: str) -> None:
    text, spans = to_text(html + '<a class="mention">@z</a><blockquote>q', mentions)

    assert all(0 <= span.start < span.end <= len(text) for span in spans)


def test_shortened_links_stay_whole() -> None:
    html = (
        '<a href="https://e.example/long/path"><span class="invisible">https://</span>'
        '<span class="ellipsis">e.example/long</span><span class="invisible">/path</span></a>'
    )

    assert to_text(html)[0] == "https://e.example/long/path"


def test_a_mention_keeps_its_account_and_covers_what_is_shown() -> None:
    html = '<p>😀 Hé <span class="h-card"><a href="u" class="u-url mention">@<span>ann</span></a></span>, hi</p>'

    assert to_text(html, mentions) == ("😀 Hé @ann, hi", [Span(5, 9, "mention", "x:ann")])


def test_hashtags_and_other_links_name_nobody() -> None:
    assert to_text('<a class="mention hashtag" href="u">#<span>cats</span></a> <a href="v">site</a>', mentions)[1] == []


def test_a_blockquote_is_a_quote_of_whom_it_cites() -> None:
    def cited(link: Link) -> str | None:
        return "x:ann" if link.href == "https://x/ann/1" else None

    html = '<blockquote cite="https://x/ann/1"><p>she said</p></blockquote><p>I agree</p><blockquote>so</blockquote>'

    text, spans = to_text(html, cited)

    assert [(text[s.start : s.end], s.role, s.account) for s in spans] == [
        ("she said", "quote", "x:ann"),
        ("so", "quote", None),
    ]


def test_the_line_that_mastodon_puts_before_a_quote_post_is_a_quote_of_its_author() -> None:
    html = '<p class="quote-inline">RE: <a href="u" class="mention">https://h/1</a></p><p>mine</p>'

    text, spans = to_text(html, lambda link: "x:ann" if link.href == "u" else None)

    assert [(text[s.start : s.end], s.role, s.account) for s in spans] == [
        ("https://h/1", "mention", "x:ann"),
        ("RE: https://h/1", "quote", "x:ann"),
    ]


def test_words_behind_the_end_of_a_document_stay() -> None:
    html = '<p>a</p></body></html>b <a class="mention" href="u">@ann</a>'

    assert to_text(html, mentions) == ("a\n\nb @ann", [Span(5, 9, "mention", "x:ann")])


def test_what_one_text_leaves_open_says_nothing_of_the_next() -> None:
    to_text("<blockquote><pre><ul><li><script>a")
    to_text("<!-- nothing that can be parsed -->")

    assert to_text("<p>a\n b</p><p>c</p>") == ("a b\n\nc", [])


def test_a_reader_that_fails_leaves_the_next_text_whole() -> None:
    def failing(_link: Link) -> str | None:
        raise LookupError

    with pytest.raises(LookupError):
        to_text('<blockquote><a href="u">x</a>', failing)

    assert to_text("<p>a</p>") == ("a", [])


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000,
        "<b><i>" * 50_000,
        "<a href=x>y" * 50_000,
        "<p>x" * 200_000,
        "<li>" * 100_000,
        "&lt;" * 500_000,
    ],
)
def test_a_hostile_text_takes_no_more_than_its_length(html: str) -> None:
    began = time.process_time()
    to_text(html, mentions)

    assert time.process_time() - began < 10
