"""Who is audited: members of a run or of a family, and people whom its key held out, of the same version.

Invariants: a person is all accounts that an objection of theirs would cover, and their rows are those they wrote; a row
is rendered as it was for training, and a member's is one that the checkpoint has seen, unchanged; both groups hold rows
alone in which nobody else is named who was held out, as no other row can have been trained on; nobody who objected is
in either, and no row that names them as they were before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.corpus.journal import retired
from demur.corpus.session import Session
from demur.errors import UsageError
from demur.identity import SubjectKeys
from demur.runs.facts import read_facts
from demur.training import canaries, cohorts, fixed, order
from demur.training.audit.scores import Owners
from demur.training.audit.served import Served
from demur.training.filling import Plan
from demur.training.plan import rows_of_run
from demur.training.rows import Ints, Lists, Rows, joined
from demur.training.run import Run

Bools = npt.NDArray[np.bool_]

_LEAST: Final = 2
"""Persons of a group: of fewer nothing can be told."""


@dataclass(frozen=True)
class Draw:
    """How many people are audited, and of how much."""

    persons: int = 1000
    """Members at most, and held out at most."""
    tokens: int = 4096
    """Of a person, about: whole rows at random until there are so many."""
    seed: int = 0
    """Of every draw."""


@dataclass(frozen=True, eq=False)
class Everybody:
    """All rows by members and by those held out, r of them, of p people."""

    rows: Rows
    """With token ids."""
    person: Ints
    """The number of each row's author, shape (r,)."""
    at: Ints
    """Its number in the plan of its part; -1 of those held out; shape (r,)."""
    part: Ints
    """In the plan of which part of what serves it stands; -1 of those held out; shape (r,)."""
    held: Bools
    """Which people are held out, shape (p,)."""
    keys: Sequence[SubjectKeys]
    """The subject keys of each of these people, p of them."""
    seen: Sequence[Plan]
    """What the checkpoint of each part has seen, without token ids."""
    canaries: Sequence[tuple[Rows, Ints]]
    """Those among it, with token ids, and their numbers in the plan, part by part."""
    missing: int
    """Rows that checkpoints have seen and that are not as they were: of people who objected since, or rewritten."""

    @property
    def people(self) -> int:
        """How many there are."""
        return len(self.held)

    @property
    def tokens(self) -> Ints:
        """How many each of them wrote, shape (p,)."""
        return np.bincount(self.person, self.rows.tokens, self.people).astype(np.int64)

    def plans(self, people: Bools, step_tokens: int) -> list[Plan]:
        """The plan of the members' rows by some people, canaries among them, in the order of training, of each part.

        Args:
            people: whose, shape (p,).
            step_tokens: B.
        """
        return [self._plan(part, people, step_tokens) for part in range(len(self.seen))]

    def _plan(self, part: int, people: Bools, step_tokens: int) -> Plan:
        seen, (planted, planted_at) = self.seen[part], self.canaries[part]
        which = np.flatnonzero((self.part == part) & people[self.person])
        rows, at = joined(self.rows.take(which), planted), np.concatenate([self.at[which], planted_at])
        order = np.argsort(at)
        return Plan.filled(rows.take(order), seen.place[at[order]], step_tokens, fixed=seen.fixed)

    @property
    def position(self) -> npt.NDArray[np.float64]:
        """Behind which share of its part's steps each row stands; NaN of those held out; shape (r,)."""
        found = np.full(len(self.at), np.nan)
        for part, seen in enumerate(self.seen):
            mine = self.part == part
            found[mine] = seen.step[self.at[mine]] / max(seen.steps, 1)
        return found


@dataclass(frozen=True, eq=False)
class Audited:
    """The people that were drawn, p of them, and their rows, r of them."""

    rows: Rows
    """With token ids."""
    person: Ints
    """The number of each row's author among those drawn, shape (r,)."""
    held: Bools
    """Who is held out, shape (p,)."""
    number: Ints
    """Of each among everybody, shape (p,)."""
    size: Ints
    """Tokens of all rows of theirs, shape (p,)."""
    keys: Sequence[SubjectKeys]
    """The subject keys of each, p of them."""
    position: npt.NDArray[np.float64]
    """Half of a member's rows stand before this share of the steps; NaN of those held out; shape (p,)."""

    @property
    def people(self) -> int:
        """How many there are."""
        return len(self.held)

    def owners(self, which: Ints) -> Owners:
        """Who wrote each predicted token of some rows, in that order, shape (T,)."""
        return np.repeat(self.person[which], self.rows.tokens[which] - 1).astype(np.int32)


def version_of(session: Session, run: Run) -> str | None:
    """The version that a run's first model was trained on; None where it was retired: the corpus stands for it."""
    known = (read_facts(model).version for model in run.model.run.models() if model.facts.exists())
    version = next((each for each in known if each), None)
    return None if version is None or version in retired(session.register) else version


def everybody(session: Session, served: Served) -> Everybody:
    """Members and those held out, with all of their rows.

    Args:
        session: of the workspace, with rows.
        served: what is audited.

    Raises:
        UsageError: when nobody was held out, or there are too few to tell anything.
    """
    run = served.run
    if not run.config.held:
        raise UsageError(
            f"The run {served.name} held nobody out (`held` is 0), so there is nobody to compare its members "
            "with: train one with `held` above 0 to audit it."
        )
    plans = [each.plan().until(checkpoint) for each, checkpoint in served.parts]
    if not any(map(len, plans)):
        raise _too_few_members(served, 0)
    authors: dict[bytes, int] = {}
    rows = rows_of_run(session, version_of(session, run), run, lambda batches: _noting(batches, authors))
    author = np.array([authors[bytes(item)] for item in rows.item], np.int64)
    members = np.unique(np.concatenate([plan.people() for plan in plans]))
    keys = np.unique(np.concatenate([rows.people.flat, author, members]))
    persons = session.register.members.persons(keys)
    trained = np.isin(persons, persons[np.isin(keys, members)])
    held_out = order.held_out(persons, run.config.held, run.key) & ~trained
    by = persons[np.searchsorted(keys, author)]

    at, part = _placed(plans, rows)
    compared = held_out[np.searchsorted(keys, author)] & ~_names_held_out(rows, by, keys, persons, held_out)
    compared &= _could_count(run, rows, persons[np.searchsorted(keys, rows.people.flat)])
    in_order = np.lexsort((at, part))
    which = np.concatenate([in_order[at[in_order] >= 0], np.flatnonzero((at < 0) & compared)])
    people, person = np.unique(by[which], return_inverse=True)
    planted = canaries.planted(run.tokenizer, run.config, run.key)
    planted_at = [_places(plan, planted) for plan in plans]
    found = Everybody(
        rows=rows.take(which),
        person=person.reshape(-1).astype(np.int64),
        at=at[which],
        part=part[which],
        held=np.isin(people, persons[held_out]),
        keys=accounts_of(people, keys, persons),
        seen=plans,
        canaries=[(planted.take(np.flatnonzero(each >= 0)), each[each >= 0]) for each in planted_at],
        missing=sum(int((~canaries.are_canaries(plan.rows)).sum()) for plan in plans) - int((at >= 0).sum()),
    )
    _require_enough(served, found)
    return found


def drawn(found: Everybody, draw: Draw) -> Audited:
    """The people who are audited: as many of each group as are asked for, at random, with rows at random."""
    random = np.random.default_rng(draw.seed)
    speaks = np.bincount(found.person, found.rows.tokens > 1, found.people) > 0  # a row of one token predicts none
    groups = [speaks & (found.held == group) for group in (False, True)]
    number = np.sort(np.concatenate([random.permutation(np.flatnonzero(each))[: draw.persons] for each in groups]))
    among = np.full(found.people, -1)
    among[number] = np.arange(len(number))
    person = among[found.person]
    by = np.lexsort((random.random(len(person)), person))
    by = by[(person[by] >= 0) & (found.rows.tokens[by] > 1)]
    tokens = found.rows.tokens[by].astype(np.int64)
    total = np.cumsum(tokens)
    begins = np.searchsorted(person[by], person[by])
    before = total - tokens - (total[begins] - tokens[begins])
    which = np.sort(by[before < draw.tokens])
    place, whose = found.position[which], person[which]
    position = np.array([_middle(place[whose == each]) for each in range(len(number))])
    held = found.held[number]
    keys = [found.keys[each] for each in number]
    return Audited(found.rows.take(which), whose, held, number, found.tokens[number], keys, position)


def _middle(places: npt.NDArray[np.float64]) -> float:
    return float(np.median(places))


def accounts_of(people: SubjectKeys, keys: SubjectKeys, persons: SubjectKeys) -> list[SubjectKeys]:
    """The keys of each of some people, p lists.

    Args:
        people: the persons, shape (p,).
        keys: of all accounts, shape (n,).
        persons: whose each is, shape (n,).
    """
    order = np.argsort(persons, kind="stable")
    low, high = (np.searchsorted(persons[order], people, side) for side in ("left", "right"))
    return [keys[order[first:end]] for first, end in zip(low, high, strict=True)]


def _noting(batches: Iterable[pa.RecordBatch], authors: dict[bytes, int]) -> Iterator[pa.RecordBatch]:
    """Rows as they come, with a note of who wrote each."""
    for batch in batches:
        authors.update(zip(batch.column("item").to_pylist(), batch.column("author").to_pylist(), strict=True))
        yield batch


def _places(plan: Plan, rows: Rows) -> Ints:
    """Where each row stands in a plan, unchanged; -1 for one that does not; shape (n,)."""
    known = {item: at for at, item in enumerate(plan.items())}
    found = np.array([known.get(bytes(item), -1) for item in rows.item], np.int64)
    same = (plan.rows.row[np.maximum(found, 0)] == rows.row).all(axis=1)
    return np.where(same, found, -1)


def _placed(plans: Sequence[Plan], rows: Rows) -> tuple[Ints, Ints]:
    """Where each row stands in the plan of the part that has it, and which part that is; -1 for none; shape (n,)."""
    at, part = np.full(len(rows), -1), np.full(len(rows), -1)
    for number, plan in enumerate(plans):
        found = _places(plan, rows)
        at[found >= 0], part[found >= 0] = found[found >= 0], number
    return at, part


def _could_count(run: Run, rows: Rows, persons: SubjectKeys) -> Bools:
    """Which rows could have been trained on had nobody been held out, shape (n,): with noise or cohorts, not all.

    Args:
        run: the model.
        rows: of a version.
        persons: of each of ``rows.people.flat``.
    """
    config, found = run.config, np.zeros(len(rows), bool)
    if config.noise:
        found[fixed.counting(rows, persons, config, run.key)] = True
        return found
    for each in range(1, config.cohorts + 1):
        found[cohorts.dealt(Lists(persons, rows.people.ends), replace(config, cohort=each), run.key)[0]] = True
    return found if config.cohorts else np.ones(len(rows), bool)


def _names_held_out(rows: Rows, by: SubjectKeys, keys: SubjectKeys, persons: SubjectKeys, held: Bools) -> Bools:
    """Which rows name somebody who is held out and is not their author, shape (n,)."""
    at, owner = np.searchsorted(keys, rows.people.flat), rows.people.owner
    named = held[at] & (persons[at] != by[owner])
    found = np.zeros(len(rows), bool)
    found[owner[named]] = True
    return found


def _require_enough(served: Served, found: Everybody) -> None:
    members, held = int((~found.held).sum()), int(found.held.sum())
    if members < _LEAST:
        raise _too_few_members(served, members)
    if held < _LEAST:
        raise UsageError(
            f"Of the people whom the run {served.name} held out, {held} wrote rows that may be used now, too few to "
            "compare its members with: train one with a larger `held`, or on a version with more people."
        )


def _too_few_members(served: Served, members: int) -> UsageError:
    return UsageError(
        f"What serves of the run {served.name} was trained on rows of {members} people who may be used now, too "
        "few to audit: train it, or replay it, first."
    )
