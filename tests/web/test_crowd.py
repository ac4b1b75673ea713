"""Who goes when there is no more room, as a law: nobody who is being answered, and never more than the bounds."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from demur.web.server.crowd import Bounds, Crowd, Wait, Why

SMALL: Final = replace(Bounds(), connections=6, by_address=3, bodies=1000, bodies_by_address=400)


@dataclass(eq=False)
class Someone:
    """A client whose time is told."""

    address: str
    wait: Wait | None
    held: int = 0
    ended: list[Why] = field(default_factory=list)

    def waits(self, now: float) -> Wait | None:  # noqa: ARG002  # as told
        return self.wait

    def end(self, why: Why) -> None:
        self.ended.append(why)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.sampled_from(["", "a", "b", "c"]), st.one_of(st.none(), st.floats(0, 0.9))),
        st.tuples(st.just("hold"), st.integers(0, 30), st.integers(1, 300)),
        st.tuples(st.just("release"), st.integers(0, 30), st.none()),
        st.tuples(st.just("leave"), st.integers(0, 30), st.none()),
    ),
    max_size=60,
)


@given(ACTS)
def test_the_bounds_hold_whatever_comes_and_nobody_goes_who_is_being_answered(
    acts: list[tuple[str, object, object]],
) -> None:
    async def run() -> None:
        crowd, inside = Crowd(SMALL), list[Someone]()
        now = asyncio.get_running_loop().time()
        for act, who, what in acts:
            if act == "enter":
                share = what if isinstance(what, float) else None
                someone = Someone(str(who), None if share is None else Wait(Why.HEAD, now - 1000 * share, 1000.0))
                if crowd.enter(someone):
                    inside.append(someone)
            elif inside:
                assert isinstance(who, int)
                someone = inside[who % len(inside)]
                if act == "hold" and someone.wait is not None:
                    assert isinstance(what, int)
                    crowd.hold(someone, what)
                elif act == "release":
                    crowd.release(someone)
                elif act == "leave":
                    crowd.leave(someone)
                    inside.remove(someone)
            assert not [each for each in inside if each.ended and each.wait is None]
            inside = [each for each in inside if not each.ended]
            assert len(crowd) == len(inside) <= SMALL.connections
            assert crowd.held == sum(each.held for each in inside) <= SMALL.bodies
            for address in ("a", "b", "c"):
                here = [each for each in inside if each.address == address]
                assert len(here) <= SMALL.by_address
                assert sum(each.held for each in here) <= SMALL.bodies_by_address

    asyncio.run(run())


@given(st.lists(st.integers(0, 900), min_size=6, max_size=6, unique=True))
def test_the_one_who_has_used_up_most_of_their_time_goes_for_a_newcomer(shares: list[int]) -> None:
    async def run() -> None:
        crowd, now = Crowd(SMALL), asyncio.get_running_loop().time()
        all_ = [Someone("", Wait(Why.HEAD, now - share, 1000.0)) for share in shares]
        assert all(crowd.enter(each) for each in all_)
        assert crowd.enter(Someone("", Wait(Why.HEAD, now, 1000.0)))
        assert [each.ended for each in all_].count([Why.ROOM]) == 1
        assert all_[shares.index(max(shares))].ended == [Why.ROOM]

    asyncio.run(run())
