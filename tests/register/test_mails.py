"""Letters: to whom, when, and what is left of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from erasing import erase_details

from demur.identity import Keys
from demur.register import Register, SingleMail
from demur.register.database.tables import letter

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Row

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
PARAMS = {"reference": "7KQ2-9XJM-4TPA-C0VE", "names": ["Anni"]}


@pytest.fixture
def known(register: Register, members: "MakeBatch", ann: "Row") -> Register:
    register.members.import_all([members(ann, {"account": "x:ben"})])
    return register


def post(register: Register, **whom: str | int) -> int | None:
    account, subject, address = (whom.get(name) for name in ("account", "subject", "address"))
    assert account is None or isinstance(account, str)
    assert subject is None or isinstance(subject, int)
    assert address is None or isinstance(address, str)
    return register.mails.post("receipt", "de", PARAMS, account=account, subject=subject, address=address, now=NOON)


def claim(register: Register, now: datetime = NOON) -> Sequence[SingleMail]:
    return register.mails.claim(9, now=now)


def kept(register: Register) -> list[tuple[str, bytes | None, bytes | None]]:
    columns = sa.select(letter.c.status, letter.c.wrapped, letter.c.sealed).order_by(letter.c.id)
    with register._store.reading() as connection:
        return [(row.status, row.wrapped, row.sealed) for row in connection.execute(columns)]


def test_goes_to_the_address_on_file_of_any_of_the_accounts(known: Register, keys: Keys) -> None:
    first = post(known, account="mastodon:ann@social.example")
    second = post(known, subject=keys.pepper.subject_key("mail:annika@mail.example"))
    assert known.mails.waiting() == 2
    expected = SingleMail(first or 0, "annika@mail.example", "receipt", "de", PARAMS, 1)
    assert claim(known)[0] == expected
    assert (first, second) == (1, 2)
    assert claim(known) == []


def test_an_address_that_is_given_goes_first(known: Register) -> None:
    post(known, account="x:ben", address="ben@mail.example")
    post(known, address="anybody@mail.example")
    assert [each.address for each in claim(known)] == ["ben@mail.example", "anybody@mail.example"]


def test_nobody_is_written_to_because_somebody_typed_their_address(known: Register) -> None:
    known.objections.lodge(["mail:victim@mail.example"], channel="web")
    assert post(known, account="mail:victim@mail.example") is None
    assert post(known, account="x:ben") is None
    assert post(known, account="x:nobody") is None
    assert post(known) is None
    assert known.mails.waiting() == 0


def test_address_and_language_on_file(known: Register, members: "MakeBatch", keys: Keys) -> None:
    of = known.mails
    ann, ben, other = keys.pepper.subject_keys(["instagram:ann.sample", "x:ben", "forum:ann"]).tolist()
    assert (of.address_of(ann), of.language_of(ann)) == ("annika@mail.example", "de-DE-1996")
    assert (of.address_of(ben), of.language_of(ben), of.address_of(5)) == (None, None, None)
    linked = {"account": "forum:ann", "linked": ["instagram:ann.sample"], "mail": "other@mail.example"}
    known.members.import_all([members(linked)])
    assert (of.address_of(other), of.language_of(other)) == ("other@mail.example", "de-DE-1996")
    assert of.address_of(ann) == "annika@mail.example"


def test_a_mail_names_an_account_only_to_that_account_s_own_address(known: Register, keys: Keys) -> None:
    names = ["instagram:ann.sample", "mastodon:@ann@social.example", "mail:annika@mail.example", "x:ben"]
    own, linked, mail, ben = keys.pepper.subject_keys(names).tolist()
    named = known.mails.own_account
    assert (named(own), named(mail)) == ("instagram:ann.sample", "mail:annika@mail.example")
    assert known.mails.address_of(linked) == "annika@mail.example"
    assert named(linked) is None, "the address is on file for another account of theirs"
    assert named(own, "stranger@mail.example") is None
    assert (named(ben), named(5)) == (None, None)
    assert named(ben, "ben@mail.example") is None


def test_what_was_sent_or_failed_keeps_nothing_of_what_it_said(known: Register) -> None:
    numbers = [post(known, account="instagram:ann.sample") or 0 for _ in range(3)]
    claim(known)
    known.mails.sent(numbers[:1])
    known.mails.failed(numbers[1], "5.1.1 <annika@mail.example>")
    (sent, failed, held) = kept(known)
    assert (sent, failed) == (("sent", None, None), ("failed", None, None))
    assert held[0] == "sending"
    assert held[2] is not None
    assert known.mails.waiting() == 1


def test_what_is_tried_again_comes_when_it_is_due(known: Register) -> None:
    number = post(known, account="instagram:ann.sample") or 0
    claim(known)
    known.mails.retry(number, LATER)
    assert claim(known) == []
    (again,) = claim(known, LATER)
    assert again.attempt == 2
    assert known.mails.requeue_interrupted() == 1
    assert [each.attempt for each in claim(known, LATER)] == [2], "nobody answered"
    known.mails.retry(number, LATER, tried=False)
    assert [each.attempt for each in claim(known, LATER)] == [2]


def test_a_letter_that_comes_back_before_it_is_on_record_as_sent_stays_so(known: Register) -> None:
    held, ended = (post(known, account="instagram:ann.sample") or 0 for _ in range(2))
    claim(known)
    assert known.mails.bounced(held, cause="550 5.1.1 <annika@mail.example>")
    known.mails.sent([held])
    known.mails.requeue_interrupted()
    assert known.mails.bounced(ended, cause="5.1.1")
    assert kept(known) == [("bounced", None, None)] * 2
    assert claim(known) == []
    assert known.mails.bounced(ended, cause="5.1.1")
    assert not known.mails.bounced(99, cause="5.1.1")


def test_erasing_destroys_what_waits(known: Register) -> None:
    post(known, account="instagram:ann.sample")
    post(known, account="x:ben", address="ben@mail.example")
    erase_details(known, "mail:annika@mail.example")
    assert [row[0] for row in kept(known)] == ["cancelled", "queued"]
    assert kept(known)[0][1:] == (None, None)
    assert [each.address for each in claim(known)] == ["ben@mail.example"]


def test_any_words_are_taken(known: Register) -> None:
    known.mails.post("receipt", "de", {"name": "half \ud83d", "more": [{"a": "\ud83d"}]}, address="a@mail.example")
    (said,) = claim(known, datetime.now(UTC))
    assert said.params == {"name": "half ?", "more": [{"a": "?"}]}
