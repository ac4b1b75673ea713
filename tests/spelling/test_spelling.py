"""Spelling: DNS and platforms say which names are one account, and every spelling of old covers."""

import idna
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from demur.errors import IdentityError
from demur.identity import Pepper
from demur.spelling import Names, canonical, first_rule, mail_spelling, spellings

PEPPER = Pepper(bytes(32))

LETTERS = st.characters(categories=("Ll", "Lo", "Lu", "Nd", "Mn", "Lm"), include_characters="-ßςẞſﬁİ‍ǅ")
LABELS = st.text(LETTERS, min_size=1, max_size=12)


def encoded(label: str) -> str | None:
    """A label's A-label, by the package that implements IDNA 2008 and UTS 46; None where it has none."""
    try:
        return idna.encode(label, uts46=True).decode().lower()
    except UnicodeError:
        return None


@given(LABELS, LABELS)
@example("straße", "strasse")
@example("ολος", "ολοσ")
@example("müller", "MÜLLER")
@example("ab", "\uff41\uff42")
def test_two_domains_are_one_exactly_where_dns_has_one_name_for_them(one: str, other: str) -> None:
    first, second = encoded(one), encoded(other)
    assume(first is not None and second is not None and "." not in (first + second))
    same = canonical(f"mail:ann@{one}.example") == canonical(f"mail:ann@{other}.example")
    assert same == (first == second)


@given(LABELS)
def test_a_label_and_its_a_label_are_one(label: str) -> None:
    ascii_label = encoded(label)
    assume(ascii_label is not None and "." not in ascii_label)
    for account in ("mail:ann@{}.example", "mastodon:@ann@{}.example"):
        written = [account.format(each) for each in (label, ascii_label, str(ascii_label).upper())]
        assert len(set(map(canonical, written))) == 1
        assert len(set(PEPPER.subject_keys(written).tolist())) == 1


@given(
    st.sampled_from(["mail", "mastodon", "irc", "x", "instagram", "facebook", "threads", "forum"]),
    st.text(LETTERS | st.sampled_from("[]{}|\\~^_.@"), min_size=1, max_size=10).filter(str.strip),
    st.none() | LABELS,
)
def test_what_the_first_rule_gave_a_name_is_always_among_its_spellings(
    namespace: str, name: str, host: str | None
) -> None:
    account = f"{namespace}:{name}" + (f"@{host}.example" if host else "")
    found = spellings(account)
    assert found[0] == canonical(account)
    assert first_rule(account) in found
    assert len(found) == len(set(found))


@given(st.text(min_size=1).filter(str.strip), st.sampled_from(["mail", "mastodon", "irc", "x", "forum"]))
def test_an_exact_spelling_is_spelt_as_it_is(name: str, namespace: str) -> None:
    try:
        once = canonical(f"{namespace}:{name}")
    except IdentityError:
        return
    assert canonical(once) == once
    assert mail_spelling(mail_spelling(name)) == mail_spelling(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mail:fiona@inbox.example", "mail:ﬁona@inbox.example"),
        ("mail:ss@inbox.example", "mail:ß@inbox.example"),
        ("mail:ä@inbox.example", "mail:Ä@inbox.example"),
        ("mail:a@☕.example", "mail:a@☕☕.example"),
        ("mail:a@one_two.example", "mail:a@onetwo.example"),
        ("mastodon:@ann@strasse.example", "mastodon:@ann@straße.example"),
        ("x:i", "x:İ"),
        ("irc:nick[", "irc:nick{"),
        ("forum:Ann", "forum:ann"),
        ("forum:ann", "forum:\uff41nn"),
    ],
)
def test_names_that_only_look_alike_are_two(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mail:Ann@Inbox.Example", "mail:ann@inbox.example"),
        ("mail:ann@a_b.STRASSE.example", "mail:ann@A_B.strasse.example"),
        ("mail:ann@a_b.straße.example", "mail:ann@a_b.xn--strae-oqa.example"),
        ("mail:e\u0301@inbox.example", "mail:é@inbox.example"),
        ("mastodon:Ann@Town.example", "mastodon:@ann@town.example"),
        ("irc:NICK", "irc:nick"),
        ("mail:a@XN--ZZZ--.example", "mail:a@xn--zzz--.example"),
    ],
)
def test_one_account_is_one_however_it_is_written(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


def test_brackets_that_many_irc_servers_take_for_letters_cover() -> None:
    for written in ("irc:a[b", "irc:a{b"):
        assert {"irc:a[b", "irc:a{b"} == set(spellings(written))


DECLARED = Names(frozenset({"forum"}), profiles=(("forum", "https://forum.example/u/{name}"),))


def test_declared_names_lose_case_and_nothing_else() -> None:
    assert DECLARED.canonical("forum:ÅSA Berg") == "forum:åsa berg"
    apart = ["forum:straße", "forum:strasse", "forum:ολος", "forum:ολοσ", "forum:ﬁ", "forum:fi", "forum:İ", "forum:i"]
    assert len(set(map(DECLARED.canonical, apart))) == len(apart)
    assert DECLARED.spellings("forum:Åsa") == ("forum:åsa",)


def test_what_was_declared_before_still_covers() -> None:
    later = Names(frozenset({"forum"}), profiles=DECLARED.profiles, earlier=(Names(),))
    assert later.spellings("forum:Ann") == ("forum:ann", "forum:Ann", "forum:ann@forum.example")
    undone = Names(earlier=(DECLARED,))
    assert undone.spellings("forum:Ann") == ("forum:Ann", "forum:ann")


def test_a_policy_may_keep_capitals_of_mail_addresses_apart_and_they_still_cover() -> None:
    kept = Names(mail_case=True)
    assert kept.canonical("mail:Ann@Inbox.example") == "mail:Ann@inbox.example"
    assert kept.spellings("mail:Ann@Inbox.example") == ("mail:Ann@inbox.example", "mail:ann@inbox.example")
