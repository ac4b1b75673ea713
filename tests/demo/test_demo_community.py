"""The synthetic community: the same for the same seed, with a bit of everything, and nobody real in it."""

import ipaddress
import re
import unicodedata
from collections import Counter
from datetime import date
from random import Random

import phonenumbers
import pyarrow as pa
import pytest
from stdnum import iban

from demur.demo import writing
from demur.demo.community import Community
from demur.demo.copying import copies
from demur.demo.items import ROWS, Fate, Form, Item, Wave
from demur.demo.people import SOURCES, handle
from demur.demo.story import Import, Link, Object, Publish, Withdraw, story
from demur.demo.texts import languages, mix
from demur.demo.writing import BROKER, PARTNER, SLOTS
from demur.identity import canonical
from demur.register.members.rows import MEMBER
from demur.terms import ITEM, Audience, Kind, Role

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def community() -> Community:
    return Community.generate(300, seed=5, today=TODAY)


def table(community: Community, wave: Wave) -> pa.Table:
    return pa.Table.from_batches(community.batches(wave), schema=ITEM)


def test_the_same_seed_gives_the_same_community() -> None:
    community, again = (Community.generate(60, seed=5, today=TODAY) for _ in range(2))
    assert again.people == community.people
    for wave in Wave:
        assert table(again, wave).equals(table(community, wave))
    assert list(story(again)) == list(story(community))


def test_another_seed_gives_another_community(community: Community) -> None:
    other = Community.generate(300, seed=6, today=TODAY)
    assert other.people != community.people
    assert not table(other, Wave.AGAIN).equals(table(community, Wave.AGAIN))


def test_sixty_thousand_items_of_two_thousand_people() -> None:
    community = Community.generate(today=TODAY)
    assert len(community) == 60_000
    assert len(community.people) == 2000
    assert sum(community.kinds().values()) == len(community)


def test_a_community_of_any_size_streams() -> None:
    community = Community.generate(20_000, seed=1, today=TODAY)
    batch = next(community.batches(Wave.AGAIN))
    assert batch.schema == ITEM
    assert len(batch) == ROWS
    assert community._written.cache_info().misses == ROWS  # type: ignore[attr-defined]  # an lru_cache


def test_every_kind_audience_fate_role_and_origin_occurs(community: Community) -> None:
    items = list(community.everything())
    assert {item.kind for item in items} == {*Kind, None}
    assert {item.audience for item in items} == {*Audience, None}
    assert {item.fate for item in items} == set(Fate)
    assert {piece.role for item in items for piece in item.pieces} == {*Role, None}
    assert {item.origin for item in items} == {"first-party", PARTNER, BROKER}
    assert {item.author is None for item in items} == {True, False}
    assert {item.created is None for item in items} == {True, False}
    assert any(item.rating is not None for item in items)
    assert any(item.media and item.media.tagged for item in items)


def test_proportions() -> None:
    people = Community.generate(3000, seed=8, today=TODAY).people
    ages = [TODAY.year - person.birth_year for person in people if person.birth_year]
    assert 0.02 < 1 - len(ages) / len(people) < 0.04
    assert 0.03 < sum(age < 18 for age in ages) / len(people) < 0.05
    assert 0.15 < sum(len(person.accounts) > 1 for person in people) / len(people) < 0.25
    assert any(len(person.accounts) == 3 for person in people)
    assert {person.language for person in people} == {language.tag for language in languages()}
    assert len(languages()) == 12
    assert any(person.told is None for person in people)
    assert any(person.told and (TODAY - person.told).days < 30 for person in people)
    assert not any(person.told and 20 < (TODAY - person.told).days < 60 for person in people)
    assert {account.partition(":")[0] for person in people for account in person.accounts} == set(SOURCES)


def test_scripts(community: Community) -> None:
    text = "".join(item.text for item in community.everything())
    scripts = {unicodedata.name(letter).split()[0] for letter in set(text) if letter.isalpha()}
    assert {"LATIN", "GREEK", "ARABIC", "HIRAGANA", "CJK"} <= scripts
    assert any(unicodedata.decomposition(letter) for letter in text)
    assert any(not handle(account).isascii() for person in community.people for account in person.accounts)


def test_accounts_are_canonical_and_handles_unique(community: Community) -> None:
    accounts = [account for person in (*community.people, *community.strangers) for account in person.accounts]
    assert [canonical(account) for account in accounts] == accounts
    assert len(set(accounts)) == len(accounts)
    assert all(handle(account)[-1].isdigit() for account in accounts)


def test_text_is_normal_and_spans_say_what_they_cover(community: Community) -> None:
    for row in table(community, Wave.AGAIN).to_pylist():
        assert unicodedata.is_normalized("NFC", row["text"])
        for span in row["spans"]:
            covered = row["text"][span["start"] : span["end"]]
            assert covered
            assert covered == covered.strip()
            if covered.startswith("@"):
                assert handle(span["account"]) in covered


def test_quotes_and_reshares_are_somebody_elses_words(community: Community) -> None:
    said: dict[str, set[str | None]] = {}
    for item in community.everything():
        said.setdefault(community.body(item.person, item.slot), set()).add(community.account(item.person, item.slot))
    copied = [
        (item, piece)
        for item in community.everything()
        for piece in item.pieces
        if piece.role in {Role.QUOTE, Role.RESHARE}
    ]
    assert copied
    for item, piece in copied:
        assert piece.account in said[piece.text]
        assert piece.account not in community.people[item.person].accounts


def test_only_identifiers_put_there_on_purpose(community: Community) -> None:
    for language in languages():
        parts = (*language.sentence, *language.a, *language.p, *language.t, *language.tail, language.edit)
        assert not any(sign.isdigit() or sign in "@#/" for part in parts for sign in part)
    for item in community.everything():
        plain = "".join(piece.text for piece in item.pieces if not piece.direct and piece.form is not Form.HANDLE)
        assert "@" not in plain
        assert not any(sign.isdigit() for sign in plain)


def test_identifiers_are_valid_and_reserved() -> None:
    rng = Random(3)
    reserved = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    for _ in range(200):
        assert phonenumbers.is_valid_number(phonenumbers.parse(writing.phone(rng)))
        assert iban.is_valid(writing.iban(rng))
        address = ipaddress.ip_address(writing.address(rng))
        assert any(address in network for network in reserved)
        assert writing.mail(rng).endswith("@example.org")


def test_names_without_markup_in_four_languages(community: Community) -> None:
    found: dict[Form | None, set[str]] = {}
    for item in community.everything():
        for piece in item.pieces:
            found.setdefault(piece.form, set()).add(item.language)
    naming = {language.tag for language in languages() if language.naming}
    assert naming == {"en", "de", "pl", "el"}
    assert all(found[form] <= naming for form in Form if form is not Form.COPY)
    assert all(found[form] == naming for form in (Form.FULL, Form.CALLED, Form.TRAP))
    assert len(found[Form.COPY]) > 8


def test_names_are_whose_they_are_said_to_be(community: Community) -> None:
    by_account = {account: person for person in community.people for account in person.accounts}
    for item in community.everything():
        for piece in (each for each in item.pieces if each.form in {Form.FULL, Form.INFLECTED, Form.CALLED}):
            assert piece.name == by_account[piece.account or ""].name
            assert piece.text[:2] == piece.name[:2]
            assert piece.account not in community.people[item.person].accounts


def test_a_copy_is_somebody_elses_words_and_later(community: Community) -> None:
    copied = [(item, piece) for item in community.everything() for piece in item.pieces if piece.form is Form.COPY]
    assert {bool(piece.changed) for _, piece in copied} == {True, False}
    assert any(len(item.pieces) == 2 and not any(map(str.isalnum, item.pieces[1].text)) for item, _ in copied)
    for item, piece in copied:
        assert piece.source is not None
        theirs = community.item(*piece.source)
        assert theirs.author == piece.account
        assert theirs.author not in community.people[item.person].accounts
        assert theirs.created is not None
        assert item.created is not None
        assert theirs.created < item.created
        pairs = zip(piece.text.split()[:-1], community.body(*piece.source).split(), strict=False)
        assert sum(one != other for one, other in pairs) == bool(piece.changed)
    assert len({piece.source for _, piece in copied}) == len(copied)


def stretches(item: Item) -> list[str]:
    """What an item says itself, up to each piece that names or copies somebody."""
    parts = [""]
    for piece in item.pieces:
        if piece.role or piece.direct or piece.form:
            parts.append("")
        else:
            parts[-1] += piece.text
    return parts


def test_nobody_writes_twelve_words_in_a_row_that_somebody_else_wrote_by_chance(community: Community) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for item in community.everything():
        word = r"[A-Za-z]+|[^\WA-Za-z]" if item.language == "ja" else r"\w+"
        for stretch in stretches(item):
            words = re.findall(word, stretch)
            for run in zip(*(words[at:] for at in range(12)), strict=False):
                assert seen.setdefault(run, item.person) == item.person


def test_answers_stay_within_their_source(community: Community) -> None:
    ids = {item.item: item for item in community.everything()}
    answers = [item for item in ids.values() if item.parent]
    assert answers
    for item in answers:
        assert item.parent
        assert ids[item.parent].namespace == item.namespace == ids[item.thread].namespace
        assert ids[item.thread].thread == item.thread
    assert any(ids[item.parent].parent for item in answers if item.parent)


def test_members_are_the_registers_rows(community: Community) -> None:
    rows = pa.Table.from_batches(community.members(), schema=MEMBER).to_pylist()
    known = {account for person in community.people if person.member for account in person.accounts}
    assert {row["account"] for row in rows} == known
    assert any(row["linked"] for row in rows)
    corrected = pa.Table.from_batches(community.members(corrections=True), schema=MEMBER)
    assert 0 < len(corrected) < len(rows) / 10


def test_waves(community: Community) -> None:
    counts = {wave: Counter(item.item for item in community.readings(wave)) for wave in Wave}
    everything = {item.item for item in community.everything()}
    assert set(counts[Wave.FIRST]) | set(counts[Wave.MORE]) == everything
    assert not set(counts[Wave.FIRST]) & set(counts[Wave.MORE])
    assert set(counts[Wave.MORE].values()) == {1, 2}
    assert set(counts[Wave.AGAIN]) == everything
    assert 0.03 < len(counts[Wave.CHANGES]) / len(everything) < 0.09
    by_source = [item.item for source in SOURCES for item in community.readings(Wave.MORE, source)]
    assert Counter(by_source) == counts[Wave.MORE]


def test_changes_at_the_source(community: Community) -> None:
    for item in community.readings(Wave.CHANGES):
        before = community.item(item.person, item.slot)
        match item.fate:
            case Fate.DELETED:
                assert item.deleted
                assert not item.text
            case Fate.PRIVATE:
                assert item.audience is Audience.FOLLOWERS
            case _:
                assert item.text.startswith(before.text)
                assert item.text != before.text


def test_the_story() -> None:
    community = Community.generate(2000, seed=5, today=TODAY)
    steps = list(story(community))
    objections = [step for step in steps if isinstance(step, Object)]
    assert len(objections) == 80
    assert len({step.accounts[0] for step in objections}) == 80
    who_copy = {account for person in community.people if copies(person, TODAY) for account in person.accounts}
    assert not any(set(step.accounts) & who_copy for step in objections)
    assert sum(isinstance(step, Withdraw) for step in steps) == 10
    assert sum(isinstance(step, Link) for step in steps) >= 3
    assert [step.name for step in steps if isinstance(step, Publish)] == ["v1", "v2", "v3"]
    assert [step.wave for step in steps if isinstance(step, Import)] == [w for w in Wave for _ in SOURCES]
    strangers = {person.accounts[0] for person in community.strangers}
    assert any(step.accounts[0] in strangers for step in objections)
    told = 0
    for step in steps:
        told += isinstance(step, Object)
        assert not isinstance(step, Withdraw) or step.objection < told


def test_numbers_are_spread() -> None:
    assert mix(1, 2) != mix(2, 1)
    assert len({mix(1, number) % 1024 for number in range(10_000)}) == 1024
    assert len(SLOTS) == 30
