"""Rows of invented people for plans, without a corpus, a tokenizer or torch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from hypothesis import strategies as st

from demur.training import order
from demur.training.config import Config
from demur.training.filling import Plan
from demur.training.order import Classes
from demur.training.rows import Lists, Rows

KEY: Final = bytes(range(32))
CONFIG: Final = Config(step_tokens=16, held=0.0)

Row = tuple[bytes, list[int], list[int]]
"""Item, token ids, people."""

PEOPLE: Final = st.integers(1, 12)
ROW: Final = st.tuples(
    st.integers(0, 2**32).map(lambda number: number.to_bytes(16, "big")),
    st.lists(st.integers(0, 99), min_size=1, max_size=9),
    st.lists(PEOPLE, min_size=1, max_size=3, unique=True).map(sorted),
)
ROWS: Final = st.lists(ROW, max_size=40, unique_by=lambda row: row[0])


def rows_of(rows: Sequence[Row]) -> Rows:
    known = sorted(rows)
    return Rows.of([row[0] for row in known], [row[1] for row in known], [row[2] for row in known])


def classes_of(rows: Rows, config: Config = CONFIG, key: bytes = KEY) -> Classes:
    return Classes.first(*order.tokens_of(rows.people, rows.tokens), config, key)


def plan_of(rows: Rows, classes: Classes, config: Config = CONFIG, key: bytes = KEY) -> Plan:
    """The plan of rows whose people have recorded classes."""
    places = order.row_places(rows.people, classes.places(rows.people.flat))
    where = order.in_order(rows.item, places, key)
    return Plan.filled(rows.take(where), places[where], config.step_tokens)


def rewritten(plan: Plan, which: Sequence[int], config: Config = CONFIG) -> Plan:
    """The plan with other token ids in some rows, by their numbers; each row stays where it stands."""
    ids = [plan.ids(row).tolist() for row in range(len(plan))]
    for row in which:
        ids[row] = [*ids[row][:-1], (ids[row][-1] + 1) % 100]
    people = (
        [each.tolist() for each in np.split(plan.rows.people.flat, plan.rows.people.ends[:-1])] if len(plan) else []
    )
    return Plan.filled(Rows.of(plan.items(), ids, people), plan.place, config.step_tokens)


def equal(one: Plan, other: Plan) -> bool:
    return one.digest() == other.digest()


def head(plan: Plan, rows: int) -> Plan:
    """The first rows of a plan, in its steps."""
    which = np.arange(rows)
    return replace(plan, rows=plan.rows.take(which), place=plan.place[:rows], step=plan.step[:rows])


def lists(values: Sequence[Sequence[int]]) -> Lists:
    return Lists.of(values)
