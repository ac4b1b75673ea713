"""Direct identifiers: what is found, what is left, and the two laws of the search (docs/identifiers.md)."""

# ruff: noqa: RUF001 - characters that look like others are what is tested

import json
import random
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from demur.kernel.identifiers import MASKS, Category, Hits, find_identifiers
from demur.kernel.identifiers.find import scan
from demur.kernel.identifiers.gate import Batch, gate

ALL = frozenset(Category)
HANDLE, PROFILE_URL, MAIL, PHONE, IBAN, IP = Category

Found = list[tuple[int, int, Category, str | None]]


def find(
    texts: list[str | None], regions: list[str | None] | None = None, wanted: frozenset[Category] = ALL
) -> list[Found]:
    """The hits of each text."""
    hits = find_identifiers(pa.array(texts, type=pa.large_string()), wanted, regions)
    return by_row(hits, len(texts))


def by_row(hits: Hits, rows: int) -> list[Found]:
    found: list[Found] = [[] for _ in range(rows)]
    columns = (hits.row.tolist(), hits.start.tolist(), hits.end.tolist(), hits.category.tolist(), hits.value)
    for row, start, end, category, value in zip(*columns, strict=True):
        found[row].append((start, end, Category(category), value))
    return found


def mask(text: str, found: Found) -> str:
    for start, end, category, _ in reversed(found):
        text = text[:start] + MASKS[category] + text[end:]
    return text


# In each text the identifier stands between « and »; they are taken out before the search.
POSITIVE: list[tuple[str, Category, str | None]] = [
    ("hello «@ann»", HANDLE, "ann"),
    ("«@ann», are you there?", HANDLE, "ann"),
    (".«@Ann_Lee» said so", HANDLE, "Ann_Lee"),
    ("(«@ann.lee»)", HANDLE, "ann.lee"),
    ("thanks «@ann-lee».", HANDLE, "ann-lee"),
    ("«@ann»...", HANDLE, "ann"),
    ("«@ann»’s photo", HANDLE, "ann"),
    ("«@ann»'s photo", HANDLE, "ann"),
    ("«@99problems» yes", HANDLE, "99problems"),
    ("«@1234567» yes", HANDLE, "1234567"),
    ("«@ann@example.social» toots", HANDLE, "ann@example.social"),
    ("«@ann.bsky.social» posts", HANDLE, "ann.bsky.social"),
    ("grüße an «@jürgen_müller»!", HANDLE, "jürgen_müller"),
    ("привет «@аня»,", HANDLE, "аня"),
    ("مرحبا «@آن»", HANDLE, "آن"),
    ("नमस्ते «@अनिता»", HANDLE, "अनिता"),
    ("联系«@ann»谢谢", HANDLE, "ann"),
    ("«@张三» 你好", HANDLE, "张三"),
    ("«@ann_x»さん こんにちは", HANDLE, "ann_x"),
    ("«@ann»님 안녕하세요", HANDLE, "ann"),
    ("«＠ann» hello", HANDLE, "ann"),
    ("«@a\u200bnn» hello", HANDLE, "ann"),
    ("«@𝐚𝐧𝐧» hello", HANDLE, "ann"),
    ("😀«@ann»😀", HANDLE, "ann"),
    ("by «u/ann_x» on reddit", HANDLE, "ann_x"),
    ("by «/u/ann_x»!", HANDLE, "ann_x"),
    ("hi <«@!80351110224678912»> there", HANDLE, "80351110224678912"),
    ("write to «ann@example.org».", MAIL, "ann@example.org"),
    ("<«ann.lee+forum@mail.example.co.uk»>", MAIL, "ann.lee+forum@mail.example.co.uk"),
    ("mailto:«ann@example.org»?subject=x", MAIL, "ann@example.org"),
    ("«o'neil@example.ie» wrote", MAIL, "o'neil@example.ie"),
    ("«jürgen@müller.example»", MAIL, "jürgen@müller.example"),
    ("«анна@пример.рф» ответила", MAIL, "анна@пример.рф"),
    ("«张三@例子.中国», 你好", MAIL, "张三@例子.中国"),
    ("邮箱: «ann@example.cn»谢谢", MAIL, "ann@example.cn"),
    ('«"ann lee"@example.org»', MAIL, '"ann lee"@example.org'),
    ("«ann@192.0.2.7»", MAIL, "ann@192.0.2.7"),
    ("«ann@[192.0.2.7]» ok", MAIL, "ann@[192.0.2.7]"),
    ("«ann@[IPv6:2001:db8::1]» ok", MAIL, "ann@[IPv6:2001:db8::1]"),
    ("«ann@laptop»:~$ ls", MAIL, "ann@laptop"),
    ("«ann (at) example (dot) org»", MAIL, "ann@example.org"),
    ("«ann[at]example.org» please", MAIL, "ann@example.org"),
    ("«ann.lee [ät] example [punkt] de»", MAIL, "ann.lee@example.de"),
    ("«ann(at)example dot org»", MAIL, "ann@example.org"),
    ("«ann (@) example.org»", MAIL, "ann@example.org"),
    ("«ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ»", MAIL, "ann@example.org"),
    ("see «https://www.instagram.com/ann.lee/?hl=en».", PROFILE_URL, "instagram:ann.lee"),
    ("«instagram.com/Ann_Lee» ok", PROFILE_URL, "instagram:ann_lee"),
    ("«https://www.instagram.com/stories/ann/123/»", PROFILE_URL, "instagram:ann"),
    ("«https://de-de.facebook.com/ann.lee»", PROFILE_URL, "facebook:ann.lee"),
    ("«https://m.facebook.com/profile.php?id=100012345678»", PROFILE_URL, "facebook:100012345678"),
    ("«https://twitter.com/ann/status/12345»!", PROFILE_URL, "x:ann"),
    ("(«https://x.com/ann»)", PROFILE_URL, "x:ann"),
    ("«https://www.threads.net/@ann.lee»", PROFILE_URL, "threads:ann.lee"),
    ("«https://www.tiktok.com/@ann.lee/video/7»", PROFILE_URL, "tiktok:ann.lee"),
    ("«https://de.linkedin.com/in/ann-lee-4711/»", PROFILE_URL, "linkedin:ann-lee-4711"),
    ("«https://youtube.com/@annlee»", PROFILE_URL, "youtube:annlee"),
    ("«https://www.youtube.com/channel/UCabc_123»", PROFILE_URL, "youtube:UCabc_123"),
    ("«https://t.me/ann_lee»", PROFILE_URL, "telegram:ann_lee"),
    ("«https://bsky.app/profile/ann.bsky.social»", PROFILE_URL, "bluesky:ann.bsky.social"),
    ("«https://github.com/ann/repo» is mine", PROFILE_URL, "github:ann"),
    ("«https://mastodon.example/@ann/1099»", PROFILE_URL, "mastodon:@ann@mastodon.example"),
    ("«https://mastodon.example/@ann@other.example»", PROFILE_URL, "mastodon:@ann@other.example"),
    ("«https://social.example/users/ann»", PROFILE_URL, "mastodon:@ann@social.example"),
    ("«https://forum.example.org:8443/u/ann/summary»", PROFILE_URL, "forum:ann@forum.example.org"),
    ("«https://forum.example/en/users/ann»", PROFILE_URL, "forum:ann@forum.example"),
    ("«https://discord.com/users/80351110224678912»", PROFILE_URL, "discord:80351110224678912"),
    ("see «/users/12».", PROFILE_URL, None),
    ("http://localhost:3000«/users/12/edit»", PROFILE_URL, None),
    ("«https://old.reddit.com/user/ann_x»", PROFILE_URL, "reddit:ann_x"),
    ("«https://wa.me/4917612345678»", PROFILE_URL, "whatsapp:4917612345678"),
    ("https://archive.example/web/«https://instagram.com/ann»", PROFILE_URL, "instagram:ann"),
    ("看«instagram.com/ann»", PROFILE_URL, "instagram:ann"),
    ("call «+49 30 901820» now", PHONE, None),
    ("«+49 (0)30 901820»", PHONE, None),
    ("«+49/30/90 18 20»", PHONE, None),
    ("«0049 30 901820» now", PHONE, None),
    ("«+1 (212) 555-0123»", PHONE, None),
    ("«+1-212-555-0123», ext. 4", PHONE, None),
    ("«+44 20 7946 0958»", PHONE, None),
    ("«+33 1 23 45 67 89»", PHONE, None),
    ("«+91 98765 43210»", PHONE, None),
    ("«+86 138 0013 8000»", PHONE, None),
    ("«+55 11 91234-5678»", PHONE, None),
    ("«+7 912 345-67-89»", PHONE, None),
    ("«+81 90-1234-5678»", PHONE, None),
    ("«+90 532 123 45 67»", PHONE, None),
    ("«+20 100 123 4567»", PHONE, None),
    ("«+491761234567»", PHONE, None),
    ("«＋４９ ３０ ９０１８２０»", PHONE, None),
    ("«+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧»", PHONE, None),
    ("«+49\u00a030\u00a0901820»", PHONE, None),
    ("«+49 30\u2013901820»", PHONE, None),
    ("«(212) 555-0123» works", PHONE, None),
    ("«212-555-0123» works", PHONE, None),
    ("«030 / 901820» geht", PHONE, None),
    ("«0176-12345678»", PHONE, None),
    ("«01 23 45 67 89» merci", PHONE, None),
    ("«020 7946 0958» cheers", PHONE, None),
    ("Tel.: «30901820»", PHONE, None),
    ("WhatsApp «5512345678»", PHONE, None),
    ("«+49 30 901820» 2nd floor", PHONE, None),
    ("IBAN «DE89 3704 0044 0532 0130 00» bitte", IBAN, None),
    ("«DE89370400440532013000»", IBAN, None),
    ("«de89 3704 0044 0532 0130 00»", IBAN, None),
    ("«GB29 NWBK 6016 1331 9268 19» thanks", IBAN, None),
    ("«FR14 2004 1010 0505 0001 3M02 606»", IBAN, None),
    ("«NL91ABNA0417164300»", IBAN, None),
    ("«MT84MALT011000012345MTLCAST001S»", IBAN, None),
    ("«NO93 8601 1117 947» takk", IBAN, None),
    ("«CH93-0076-2011-6238-5295-7»", IBAN, None),
    ("from «203.0.113.7».", IP, None),
    ("http://«203.0.113.7»:8080/x", IP, None),
    ("«192.168.0.1»/24", IP, None),
    ("«203.0.113.7»-203", IP, None),
    ("«2001:db8::1»", IP, None),
    ("[«2001:db8:0:0:8:800:200c:417a»]", IP, None),
    ("«fe80::202:6fff:fe36:9011»/64", IP, None),
    ("«::ffff:203.0.113.7» ok", IP, None),
    ("ip:«2001:db8::1» seen", IP, None),
    ("node:«2001:db8:1:2:3:4:5:6»", IP, None),
    ("host [IPv6:«2001:db8::1»]:25", IP, None),
]

# The author's region reads national formats.
NATIONAL: list[tuple[str, str]] = [
    ("«030 901820»", "DE"),
    ("«030901820»", "DE"),
    ("«2125550123»", "US"),
    ("«1 212 555 0123»", "US"),
    ("«06 12 34 56 78»", "FR"),
    ("«612 34 56 78»", "ES"),
    ("«98765 43210»", "IN"),
    ("«8 912 345-67-89»", "RU"),
    ("«07911 123456»", "GB"),
    ("«(11) 91234-5678»", "BR"),
    ("«090-1234-5678»", "JP"),
    ("«011 49 30 901820»", "US"),
]

NEGATIVE: list[str] = [
    *("plain words", "", " ", "@", "@@", "@ ann", "@-", "a @ b", "2 @ 5", "@10", "@10:30", "@2.50", "price@ 5 or so"),
    *("react@18.2.0", "[person]", "[person]@", "[phone] [iban] [ip] [quote]", "[person][person]", "meet (at) 5.30"),
    *("meet me (at) home", "look at dot net", "and/or", "w/o", "24/7", "n/a", "km/h", "5 u/l", "u/s"),
    *("https://example.org/news/2020/11/21/item", "https://www.instagram.com/p/CAbc123/", "https://x.com/home"),
    *(
        "https://www.instagram.com/explore/",
        "https://www.youtube.com/watch?v=abc",
        "https://t.co/abc123",
        "netflix.com/title",
    ),
    *("https://github.com/features", "https://www.facebook.com/groups/123", "https://developers.facebook.com/docs"),
    *("https://reddit.com/r/python", "instagram.com", "instagram.com/", "example.org/ann", "/usr/share/doc", "~/x.com"),
    *(
        "2012-05-20 16:30:12",
        "20.05.2012",
        "05/20/2012",
        "20.05.2012 16:30",
        "16:30",
        "1990-2020",
        "10.000.000",
        "1,234,567.89",
    ),
    *(
        "v2.6.15.23",
        "kernel 2.6.15.23 ?",
        "version 2.6.15.23",
        "Version: 2.6.15.23",
        "1.2.3.4.5",
        "linux-2.6.15.23",
        "1.2.3.4-2ubuntu1",
        "1.2.3.4~rc1",
    ),
    *("256.1.1.1", "127.0.0.1", "0.0.0.0", "255.255.255.0", "::1", "::", "std::string", "abc::def", "12:34:56", "a::b"),
    *("Foo::A1::B2", "1:2:3:4:5:6:7:8:9", "<!80351110224678912>", "/users/ann"),
    *("00:1a:2b:3c:4d:5e", "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48", "00:1a:2b:ff:fe:3c:4d:5e"),
    *("0x80070005", "d41d8cd98f00b204e9800998ecf8427e", "ISBN 978-3-16-148410-0", "4111 1111 1111 1111", "1600000000"),
    *(
        "$1000000000",
        "100000000 €",
        "1234567890123456789",
        "+100",
        "+1",
        "C++11",
        "order 12345678",
        "12345678",
        "#1234567",
    ),
    *("DE00 3704 0044 0532 0130 00", "DE89 3704", "AB12 words follow here now then", "[ 2492.913465]", "169.060524"),
    *(
        "3.14159265358979",
        "1680x1050",
        "9:00-17:00 12.12.",
        "१२३४",
        "二〇二〇",
        "“quoted”",
        "e = mc²",
        "50% of 1000000",
        "1e-1000000",
    ),
]


def marked(text: str) -> tuple[str, int, int]:
    start = text.index("«")
    end = text.index("»") - 1
    return text.replace("«", "").replace("»", ""), start, end


@pytest.mark.parametrize(("text", "category", "value"), POSITIVE, ids=[text for text, _, _ in POSITIVE])
def test_finds(text: str, category: Category, value: str | None) -> None:
    text, start, end = marked(text)
    assert find([text]) == [[(start, end, category, value)]]


@pytest.mark.parametrize(("text", "region"), NATIONAL)
def test_finds_national_phone_numbers_by_region(text: str, region: str) -> None:
    text, start, end = marked(text)
    assert find([text], [region]) == [[(start, end, PHONE, None)]]


@pytest.mark.parametrize("text", NEGATIVE)
def test_leaves(text: str) -> None:
    assert find([text]) == [[]]


def test_the_tables_are_as_long_as_promised() -> None:
    assert len(POSITIVE) >= 60
    assert len(set(NEGATIVE)) >= 60


FRAGMENTS = (
    *("@", "＠", "@ann", "ann", "ann@", "@ann@", "example.org", ".org", "a.b", "[person]", "[phone]", "[ip]", "[iban]"),
    *("[quote]", "[", "]", "(", ")", "(at)", "[at]", " [dot] ", " dot ", "u/ann", "/u/", "u/", "/@", "/users/"),
    *(
        "https://",
        "instagram.com/",
        "x.com/ann",
        "facebook.com/",
        "profile.php?id=1",
        "t.me/",
        "host/",
        "ann/",
        ":",
        "::",
    ),
    *(
        "+49 30 901820",
        "+49",
        "00",
        "0049",
        "030",
        " 901820",
        "(212) ",
        "555-0123",
        "1",
        "23",
        "456",
        "7890",
        "-",
        ".",
        "/",
    ),
    *(
        "1.2.3.4",
        "203.0.113",
        ".7",
        "2001:db8",
        "fe80",
        "DE89 3704 0044 0532 0130 00",
        "DE89",
        "3704004405",
        "32013000",
    ),
    *(
        " ",
        "\n",
        ",",
        "!",
        "'",
        '"',
        "_",
        "+",
        "é",
        "аня",
        "张",
        "さん",
        "ा",
        "\u200b",
        "\u200d",
        "\ufe0f",
        "\u00a0",
        "–",
        "😀",
    ),
    *("ip:", "[IPv6:", "<@!", ">", "users/12", "/en/"),
    *("𝐚", "１", "٣", "．", "／", "ª", "tel ", "v", "version ", "%", "$", "~", "a", "Z"),
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(
        st.one_of(st.sampled_from(FRAGMENTS), st.characters(codec="utf-8", exclude_categories=["Cs"])), max_size=12
    ).map("".join),
    st.text(alphabet="@./:-+()[] 0129aZé", max_size=40),
)
REGIONS = st.sampled_from([None, "DE", "US", "FR", "XX"])
WANTED = st.one_of(st.just(ALL), st.frozensets(st.sampled_from(list(Category))))


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, region=REGIONS, wanted=WANTED)
@example(text="@version 1.2.3.4", region=None, wanted=ALL)
@example(text="a@b@c@d.ef@g", region=None, wanted=ALL)
@example(text="@ann@bob", region=None, wanted=ALL)
@example(text="@ann+4930901820", region=None, wanted=ALL)
@example(text="+49 30 901820+49 30 901820+49 30 901820", region=None, wanted=ALL)
def test_nothing_is_left_once_masked(text: str, region: str | None, wanted: frozenset[Category]) -> None:
    found = find([text], [region], wanted)[0]
    assert find([mask(text, found)], [region], wanted) == [[]]


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.tuples(st.one_of(st.none(), TEXTS), REGIONS), min_size=1, max_size=8), data=st.data())
def test_an_answer_depends_on_its_text_alone(rows: list[tuple[str | None, str | None]], data: st.DataObject) -> None:
    """Whatever the batch, each row gets what the exact search gives for it: so the gate loses nothing."""
    texts, regions = [text for text, _ in rows], [region for _, region in rows]
    expected = [[tuple(hit) for hit in scan(text or "", region, ALL)] for text, region in rows]
    assert find(texts, regions) == expected
    order = data.draw(st.permutations(range(len(rows))))
    assert find([texts[row] for row in order], [regions[row] for row in order]) == [expected[row] for row in order]
    cut = data.draw(st.integers(0, len(rows)))
    whole = pa.array(texts, type=pa.large_string())
    rest = find_identifiers(whole.slice(cut), ALL, regions[cut:])
    assert by_row(rest, len(rows) - cut) == expected[cut:]


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_hits_are_sorted_and_disjoint(text: str) -> None:
    found = find([text])[0]
    bounds = [offset for start, end, _, _ in found for offset in (start, end)]
    assert bounds == sorted(bounds)
    assert all(start < end <= len(text) for start, end, _, _ in found)


def test_what_the_policy_keeps_is_not_masked_in_part() -> None:
    text = "https://mastodon.example/@ann and @bob"
    assert find([text], wanted=ALL - {PROFILE_URL}) == [[(34, 38, HANDLE, "bob")]]


def test_plain_handles_never_reach_the_exact_search() -> None:
    batch = Batch(pa.array(["@ann, hi", "nothing", "later (@Bob_9) é", "ann@example.org"], type=pa.large_string()))
    assert gate(batch).slow.tolist() == [3]


def test_no_rows_and_no_categories() -> None:
    assert len(find_identifiers(pa.array([], type=pa.large_string()), ALL)) == 0
    assert find(["@ann"], wanted=frozenset()) == [[]]
    assert find([None, "@ann", None]) == [[], [(0, 4, HANDLE, "ann")], []]


@pytest.mark.parametrize(
    "piece",
    ["@a", "a@", "@", "1 ", "+49 30 901820", "/u/ann ", "a.", "1.", "(at)", "[", "::", "a@b.c ", "a/", "ip:2001:"],
)
def test_a_long_text_made_of_fragments_takes_no_longer_than_its_length(piece: str) -> None:
    """10 MB posts exist: no pattern may go quadratic. 100 kB in well under a minute shows it."""
    text = piece * (100_000 // len(piece))
    found = find([text])[0]
    assert find([mask(text, found)]) == [[]]


def labelled(shared: Path, label: str) -> list[tuple[str, int, int]]:
    """Hand-labelled spans of an Instagram export: text, start, end in code points (the file counts UTF-16 units)."""
    spans = []
    for task in json.loads((shared / "instagram" / "labeled.json").read_text()):
        text = task["data"]["text"]
        units = text.encode("utf-16-le")
        for result in task["completions"][0]["result"]:
            value = result["value"]
            start, end = (len(units[: 2 * value[side]].decode("utf-16-le")) for side in ("start", "end"))
            if value["labels"] == [label]:
                spans.append((text, start, end))
    return spans


def test_labelled_mail_addresses_are_found(shared: Path) -> None:
    """Recall 1 of 1: the export holds one mail address and no phone number."""
    spans = labelled(shared, "Email")
    assert len(spans) == 1
    for text, start, end in spans:
        assert (start, end, MAIL, text[start:end]) in find([text])[0]


def test_labelled_user_names_are_found_where_they_are_mentioned(shared: Path) -> None:
    """Recall 92 of 92 as handles and as profile URLs; bare in a JSON field, as labelled, they are the adapter's."""
    users = [text[start:end] for text, start, end in labelled(shared, "Username")]
    assert len(users) == 92
    for user in users:
        assert find([f"love this, @{user}!"]) == [[(11, 12 + len(user), HANDLE, user)]]
        url = f"https://www.instagram.com/{user}/"
        assert find([f"see {url}."]) == [[(4, 4 + len(url), PROFILE_URL, f"instagram:{user.lower()}")]]


def test_handles_in_real_tweets(shared: Path) -> None:
    """Each of the 8,019 handles that a simple reading finds in German tweets is masked."""
    lines = (shared / "germeval2018" / "germeval2018.training.txt").read_text().splitlines()
    tweets = [line.split("\t")[0] for line in lines]
    random.Random(1).shuffle(tweets)
    found = find(list(tweets), ["DE"] * len(tweets))
    left = [mask(text, hits) for text, hits in zip(tweets, found, strict=True)]
    assert sum(map(len, found)) >= 8_000
    assert not any(
        "@" + letter in text for text in left for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
    )
