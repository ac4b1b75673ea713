"""How many mails somebody gets whose account others type: no number of other askers makes it more."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Visitor
from town import ANN

from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates, mailbox

HOURLY = Rate(3, 1 / 3600)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_200_000_other_askers_do_not_reset_a_victims_limit_and_the_memory_is_bounded() -> None:
    clock = Clock()
    limits = Limits(clock=clock)
    burst = limits.rates.question.burst
    assert [limits.may_mail("question", ANN) for _ in range(burst + 1)] == [True] * burst + [False]
    for number in range(200_000):
        limits.may_mail("question", f"forum:other{number}")
        limits.wait("page", f"address {number}")
    assert not limits.may_mail("question", ANN)
    assert len(limits._buckets) <= 50_000
    assert limits._mails._full.nbytes == 8 * 2**20
    clock.now += 600
    assert limits.may_mail("question", ANN), "one in ten minutes"
    assert not limits.may_mail("question", ANN)


def test_others_who_are_asked_for_at_their_limit_cost_few_strangers_a_mail() -> None:
    limits = Limits(clock=Clock())
    for number in range(50_000):
        for _ in range(limits.rates.question.burst):
            limits.may_mail("question", f"forum:victim{number}")
    refused = sum(not limits.may_mail("question", f"forum:stranger{number}") for number in range(10_000))
    assert refused < 50


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 5000)), max_size=80))
def test_nobody_gets_a_mail_more_than_their_bucket_gives(asked: list[tuple[int, float]]) -> None:
    """Against plain token buckets, of which one alone would be exact."""
    clock = Clock()
    limits = Limits(Rates(question=HOURLY), clock=clock)
    left = {number: (float(HOURLY.burst), clock.now) for number in range(6)}
    for who, later in asked:
        clock.now += later
        tokens, counted = left[who]
        tokens = min(HOURLY.burst, tokens + (clock.now - counted) * HOURLY.per_second)
        taken = limits.may_mail("question", f"forum:{who}")
        assert taken <= (tokens >= 1 - 1e-9)
        assert taken or tokens < 1, "six mailboxes share no cells"
        left[who] = (tokens - taken, clock.now)


def test_questions_and_links_to_sign_in_are_counted_apart() -> None:
    limits = Limits(Rates(question=Rate(1, 0.001), sign_in=Rate(1, 0.001)))
    assert limits.may_mail("question", ANN)
    assert limits.may_mail("sign_in", ANN)
    assert not limits.may_mail("question", ANN)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mail:ann@town.example", "mail:Ann@Town.Example", True),
        ("mail:ann@town.example", "ann+list@town.example", False),
        ("ann@far.example", "ann+1@far.example", True),
        ("ann.archer@far.example", "annarcher+x+y@far.example", True),
        ("ann@far.example", "ben@far.example", False),
        ("mastodon:@ann@host.example", "mastodon:@ann@other.example", False),
        ("forum:Ann", "forum:ann", True),
        ("forum:a+b", "forum:a+c", False),
        ("+@far.example", "+@far.example", True),
        ("", "", True),
    ],
)
def test_a_mailbox_is_one_however_its_address_is_written(one: str, other: str, *, same: bool) -> None:
    assert (mailbox(one) == mailbox(other)) is same


def test_a_contact_with_many_tags_is_written_to_no_more_often(visit: Callable[..., Visitor]) -> None:
    visitor = visit(Limits(Rates(question=Rate(2, 0.0001), account=Rate(10**6, 1.0))))
    desk = visitor.client.app.state.desk  # type: ignore[attr-defined]  # of the ASGI application
    assert isinstance(desk, Desk)
    for number in range(5):
        form = {"names": f"Vera {number}", "links": "", "contact": f"vera+{number}@far.example"}
        assert visitor.client.post("/en/object/person", data=form, follow_redirects=False).status_code == 303
    assert desk.register.mails.waiting() == 2 * 2, "a receipt and a question, twice"
