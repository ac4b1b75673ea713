"""What officers look through, on both databases: in order, filtered, in pages, and confirmed many at once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa
import pytest
import sqlalchemy as sa
from deadlines import lodge_due
from erasing import erase_details

from demur.register import MEMBER, Listing, Order, Place, Register, Waiting, Wanted
from demur.register.database.tables import detail
from demur.register.objections.lodging import Lodging
from demur.register.objections.queue import END
from demur.terms import EntryKind

PROVEN: Final = {"signed-link", "api"}
SOON: Final = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
PEOPLE: Final[list[dict[str, Any]]] = [
    {"account": "forum:ann", "locale": "de-AT", "region": "AT", "mail": "Ann@town.example", "mail_verified": False},
    {"account": "forum:ben", "locale": "el", "region": "GR"},
    {"account": "forum:cem", "names": ["Cem"]},
]
FILTERS: Final = [
    (Wanted(Waiting.DOUBTED), ["sooner", "later"]),
    (Wanted(Waiting.LAPSED), ["gone"]),
    (Wanted(channel="letter"), ["ben", "file"]),
    (Wanted(channel="signed-link"), []),
    (Wanted(country="GR"), ["ben"]),
    (Wanted(country=""), ["sooner", "later", "ida", "cem"]),
    (Wanted(language="de"), ["ann", "file"]),
    (Wanted(language=""), ["sooner", "later", "ida", "cem"]),
    (Wanted(language="de", channel="letter"), ["file"]),
    (Wanted(child=True), ["ida"]),
    (Wanted(written=True), ["ben", "cem"]),
    (Wanted(files=True), ["file"]),
    (Wanted(warned=True), ["ben"]),
]


@pytest.fixture
def numbers(register: Register) -> dict[str, int]:
    """What waits, by a name of each."""
    register.members.import_all([pa.RecordBatch.from_pylist(PEOPLE, schema=MEMBER)])
    lodge = register.objections.lodge
    found = {
        "ann": lodge(["forum:ann"], channel="typed-in").seq,
        "link": lodge(["forum:ben"], channel="signed-link").seq,
        "ben": lodge(["forum:ben"], channel="letter", statement={"text": "No.", "warning": "auto-reply"}).seq,
        "ida": lodge(["person:1"], channel="no-account", statement={"contact": "Ida@far.example", "for": "child"}).seq,
        "cem": lodge(["forum:cem"], channel="typed-in", reason="No.").seq,
        "gone": lodge(["forum:gone"], channel="typed-in").seq,
    }
    later, sooner = lodge_due(register, [("forum:later", SOON + timedelta(days=1)), ("forum:sooner", SOON)])
    file = register.objections.lodge(["forum:ann"], channel="letter")
    register.attachments.add(file.reference, "a.pdf", "application/pdf", b"%PDF-")
    register.objections.lapse(str(register.objections.reference_of(found["gone"])), cause="denied")
    return found | {"later": later.seq, "sooner": sooner.seq, "file": file.seq}


def _names(register: Register, numbers: dict[str, int], wanted: Wanted, **which: Any) -> list[str]:  # noqa: ANN401
    names = {number: name for name, number in numbers.items()}
    return [names[row.seq] for row in register.objections.listing(wanted, proven=PROVEN, **which).rows]


def test_what_is_due_comes_first_and_then_the_oldest(register: Register, numbers: dict[str, int]) -> None:
    everything = ["sooner", "later", "ann", "ben", "ida", "cem", "file"]
    assert _names(register, numbers, Wanted()) == everything
    assert _names(register, numbers, Wanted(order=Order.NEWEST))[0] == "file"
    assert _names(register, numbers, Wanted(order=Order.OLDEST))[0] == "ann"
    listing = register.objections.listing(Wanted(), proven=PROVEN)
    assert listing.states == {Waiting.OPEN: 7, Waiting.DOUBTED: 2, Waiting.LAPSED: 1}
    assert [each.confirm_by for each in listing.rows[:3]] == [SOON, SOON + timedelta(days=1), None]
    assert listing.channels == {"typed-in": 4, "letter": 2, "no-account": 1}


def test_filters(register: Register, numbers: dict[str, int]) -> None:
    for wanted, names in FILTERS:
        assert _names(register, numbers, wanted) == names, wanted
        assert register.objections.listing(wanted, proven=PROVEN).total == len(names)


def test_a_row_says_what_came_with_it(register: Register, numbers: dict[str, int]) -> None:
    ann, ben, file = register.objections.listed([numbers["file"], numbers["ben"], numbers["ann"], 99_999])[::-1]
    assert (ann.country, ann.language, ann.written, ann.files, ann.warning) == ("AT", "de", False, 0, None)
    assert (ben.written, ben.child, ben.warning) == (True, False, "auto-reply")
    assert file.files == 1


def _pages(register: Register, wanted: Wanted) -> list[Listing]:
    pages, after = list[Listing](), None
    while not pages or len(pages[-1].rows) == 2:
        pages.append(register.objections.listing(wanted, proven=PROVEN, limit=2, after=after))
        after = pages[-1].last
    return pages


def test_pages_follow_each_other_both_ways(register: Register, numbers: dict[str, int]) -> None:
    assert numbers
    for order in Order:
        _both_ways(register, Wanted(order=order))


def _both_ways(register: Register, wanted: Wanted) -> None:
    whole = [row.seq for row in register.objections.listing(wanted, proven=PROVEN).rows]
    pages = _pages(register, wanted)
    assert [row.seq for page in pages for row in page.rows] == whole
    assert [page.before for page in pages] == [0, 2, 4, 6]
    for before, page in pairwise(pages):
        back = register.objections.listing(wanted, proven=PROVEN, limit=2, until=page.first)
        assert [row.seq for row in back.rows] == [row.seq for row in before.rows]
    last = register.objections.listing(wanted, proven=PROVEN, limit=2, until=END)
    assert ([row.seq for row in last.rows], last.before) == (whole[-2:], 5)


def test_what_is_settled_meanwhile_hides_nothing(register: Register, numbers: dict[str, int]) -> None:
    first = register.objections.listing(Wanted(), proven=PROVEN, limit=3)
    register.objections.confirm_all([row.seq for row in first.rows])
    assert _names(register, numbers, Wanted(), after=first.last) == ["ben", "ida", "cem", "file"]
    assert register.objections.listing(Wanted(), proven=PROVEN, after=Place(0, 0)).total == 4


def test_somebody_is_found_by_whatever_they_gave(register: Register, numbers: dict[str, int]) -> None:
    search = register.objections.search
    assert search("forum:ben") == [numbers["link"], numbers["ben"]]
    assert search("mail:Ann@town.example") == [numbers["ann"], numbers["file"]], "the address on file, verified or not"
    assert search("mail:Ida@far.example") == [numbers["ida"]], "the address that they gave"
    assert search("mail:nobody@far.example") == []
    assert search("forum:BEN", "forum:ben") == [numbers["link"], numbers["ben"]]


def test_an_erasure_leaves_no_fact(register: Register, numbers: dict[str, int]) -> None:
    erase_details(register, "person:1")
    assert register.objections.search("mail:Ida@far.example") == []
    (ida,) = register.objections.listed([numbers["ida"]])
    assert not ida.child


def test_many_are_confirmed_as_one_by_one(register: Register, numbers: dict[str, int]) -> None:
    register.objections.confirm(str(register.objections.reference_of(numbers["ann"])))
    (alone,) = register.log.entries(EntryKind.OBJECTION_CONFIRMED)
    chosen = [numbers[name] for name in ("cem", "ann", "gone", "ben", "sooner")]
    done = register.objections.confirm_all([*chosen, 99_999])
    assert done == sorted(numbers[name] for name in ("ben", "cem", "sooner"))
    many = list(register.log.entries(EntryKind.OBJECTION_CONFIRMED, after=alone.seq))
    assert [entry.payload for entry in many] == [{"objection": number} for number in done]
    assert alone.payload == {"objection": numbers["ann"]}
    assert register.objections.confirm_all(chosen) == []
    wrong: list[str] = []
    register.audit(wrong.append)
    assert wrong == []


def test_a_warning_that_is_no_word_of_ours_is_not_told_in_the_clear(register: Register) -> None:
    said: Sequence[Lodging] = [
        Lodging(["forum:ann"], channel="mail", statement={"warning": warning})
        for warning in ("new-word", "Ann Archer wrote this", 7, "")
    ]
    register.objections.lodge_all(said)
    with register._store.reading() as connection:  # what stands there
        kept = list(connection.scalars(sa.select(detail.c.warning).order_by(detail.c.seq)))
    assert kept == ["new-word", "other", "other", None]
