"""The figures of what passes the output guard move where they ought to: switched off, everything passes."""

import pytest

import guard as measured
from demur.people.index import PeopleIndex
from demur.training.guard.searching import search

FEW = 20
SOME = "verbatim", "translated by table"


def test_a_guard_that_is_switched_off_moves_the_figure_of_names() -> None:
    on = {way: found for way, found, _ in measured.names(search, FEW, SOME)}
    off = {way: found for way, found, _ in measured.names(measured.off, FEW, SOME)}
    assert on["verbatim"].interval[1] < 0.5
    assert {each.value for each in off.values()} == {1.0}
    assert on["verbatim"].interval[1] < off["verbatim"].interval[0]


def test_a_guard_that_is_switched_off_moves_the_figure_of_copies() -> None:
    on = {(length, way): found for length, way, found, _ in measured.copied(search, FEW, SOME)}
    off = {(length, way): found for length, way, found, _ in measured.copied(measured.off, FEW, SOME)}
    long = "48 to 120 words", "verbatim"
    assert on[long].hits == 0
    assert off[long].hits == FEW
    assert on["48 to 120 words", "translated by table"].value == 1.0, "what no word is left of can't be found by words"


def test_a_guard_without_its_names_moves_the_figure() -> None:
    rules, people = measured.named(FEW)
    said = [measured.Said(name, 0, len(name)) for name, _ in people]
    assert measured.share(search, said, rules).value < 0.25
    lost = measured.rules_of(PeopleIndex.build([]), None, range(1, FEW + 1))
    assert measured.share(search, said, lost).value == pytest.approx(1.0)
