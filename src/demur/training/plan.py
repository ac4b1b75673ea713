"""The plan of a model from the rows that may be used now.

Invariants: no row of anybody who is withheld at that moment (rows.people_of) is in it, be it that the version still
holds it; a plan that was made before is the only source of further ones: no row joins that was not in it, and each
stands in the class that was recorded for it, so that a replay takes out and rewrites, and adds nothing. Canaries
concern nobody: they stay whoever objects.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.journal import retired
from demur.corpus.session import Session
from demur.kernel.schema import KEY
from demur.runs.facts import SEVERAL
from demur.training import canaries, cohorts, fixed, order
from demur.training.filling import Plan, first_difference
from demur.training.fixed import Units
from demur.training.order import Classes
from demur.training.rows import COLUMNS, Ints, Lists, Rows, joined, read_rows
from demur.training.run import Run
from demur.versions.states import published, rows_of, stale_parts

Noting = Callable[[Iterator[pa.RecordBatch]], Iterable[pa.RecordBatch]]
"""Looks at batches of rows as they pass."""

__all__ = ["Plan", "first_difference", "plan_of"]


def plan_of(session: Session, version: str | None, run: Run, *, recorded: Plan | None = None) -> Plan:
    """The plan of a model of a run, with token ids.

    The first one of a run records the classes of people.

    Args:
        session: of the workspace, as the register has it now.
        version: whose rows; None for the corpus as it is now.
        run: the run. Where one of its models has a plan, the newest one's rows are all that may be in it.
        recorded: the plan whose rows are all that may be in it, where that is another one than the newest.

    Raises:
        UsageError: when there is no such version.
        CheckFailed: when the recorded plan or classes are damaged.
    """
    rows = rows_of_run(session, version, run)
    recorded = recorded_plan(run) if recorded is None else recorded
    if recorded is None:
        rows, places = (_first_fixed if run.config.noise else _first)(session, rows, run)
    else:
        rows, places = _again(joined(rows, _canaries(run)), recorded)
    where = order.in_order(rows.item, places, run.key)
    fixed_steps = run.config.fixed_steps if run.config.noise else 0
    return Plan.filled(rows.take(where), places[where], run.config.plan_tokens, fixed=fixed_steps)


def rows_now(session: Session, run: Run) -> Rows:
    """The rows, with token ids, that a model of a run can have been trained on, as they may be used now."""
    version = run.facts().version
    if version is not None and version in retired(session.register):
        version = None  # its rows may still be in the corpus
    return joined(rows_of_run(session, version, run), _canaries(run))


def recorded_plan(run: Run) -> Plan | None:
    """The plan of the run's newest model that has one, without token ids; None before there is any."""
    models = [model for model in run.model.run.models() if model.plan.exists()]
    return Run(models[-1], run.config, run.key).plan() if models else None


def rows_of_run(session: Session, version: str | None, run: Run, noting: Noting | None = None) -> Rows:
    """The rows of a version, or of the corpus, that may be used now, as a run renders them.

    Args:
        session: of the workspace, with rows.
        version: whose; None for the corpus.
        run: whose tokenizer and configuration.
        noting: what batches pass through on their way.
    """
    drops, masks = session.policy.others.mentions == "drop", run.config.mask_mentions
    batches = batches_of(session, version)
    read = batches if noting is None else noting(batches)
    return _usable(session, read_rows(read, run.tokenizer.encode, mask_mentions=masks, drops_mentions=drops))


def batches_of(session: Session, version: str | None) -> Iterator[pa.RecordBatch]:
    """The rows of a version as today's rules want them, or of the corpus."""
    if version is None:
        yield from session.corpus.batches(COLUMNS)
        return
    published(session.register, version)
    gone = [pa.array([], KEY)]
    for part, _ in stale_parts(session, version):
        gone.append(part.stored.column("item").filter(pa.array(part.left_out | part.differs)))
        yield part.answer.kept.select(COLUMNS).filter(pa.array(part.differs[~part.left_out]))
    stale = pa.concat_arrays(gone)
    for batch in rows_of(session.workspace, version):
        keep = pc.invert(pc.is_in(batch.column("item"), value_set=stale))
        yield batch.select(COLUMNS).filter(keep)


def _usable(session: Session, rows: Rows) -> Rows:
    """Without rows by or about anybody who is withheld; the corpus may be behind the register."""
    people = np.unique(rows.people.flat)
    withheld = people[session.wordless()[0].is_withheld(people)]
    return rows.take(np.flatnonzero(~rows.people.holding(withheld)))


def _first(session: Session, rows: Rows, run: Run) -> tuple[Rows, Ints]:
    """The rows of a run's first plan, canaries included, and their places; nobody held out for audits is in it."""
    config, key, path = run.config, run.key, run.model.run.classes
    rows = _without_held(session, rows, run)
    persons = session.register.members.persons(rows.people.flat)
    if config.cohorts:
        mine, several = cohorts.dealt(Lists(persons, rows.people.ends), config, key)
        run.note(SEVERAL, several)
        rows = rows.take(mine)
        persons = session.register.members.persons(rows.people.flat)
    people = Lists(persons, rows.people.ends)
    classes = Classes.read(path) if path.exists() else Classes(np.zeros(0, np.int64), np.zeros(0, np.int64))
    classes = classes.grown(*order.tokens_of(people, rows.tokens), config, key)
    classes.write(path)
    found, planted = order.row_places(people, classes.places(persons)), _canaries(run)
    mine = np.flatnonzero(np.isin(canaries.owners(config), canaries.dealt(config)))
    places = canaries.places(planted, classes, config, key)[mine]
    return joined(rows, planted.take(mine)), np.concatenate([found, places])


def _first_fixed(session: Session, rows: Rows, run: Run) -> tuple[Rows, Ints]:
    """The rows of the first plan of a run with noise, canaries included, and the step of each.

    Who is one person is recorded; each canary is one of its own.
    """
    rows = _without_held(session, rows, run)
    rows = rows.take(fixed.counting(rows, session.register.members.persons(rows.people.flat), run.config, run.key))
    keys = np.unique(rows.people.flat)
    units = Units(keys, session.register.members.persons(keys))
    units.write(run.model.run.path / fixed.UNITS)
    first = rows.people.flat[rows.people.ends - rows.people.sizes]
    persons = np.concatenate([units.of(first), canaries.nobody(run.config)])
    return joined(rows, _canaries(run)), fixed.steps_of(persons, run.config, run.key)


def _canaries(run: Run) -> Rows:
    return canaries.planted(run.tokenizer, run.config, run.key)


def _without_held(session: Session, rows: Rows, run: Run) -> Rows:
    """The rows without those by or about anybody who is held out."""
    keys = np.unique(rows.people.flat)
    held = keys[order.held_out(session.register.members.persons(keys), run.config.held, run.key)]
    return rows.take(np.flatnonzero(~rows.people.holding(held)))


def _again(rows: Rows, recorded: Plan) -> tuple[Rows, Ints]:
    """The rows of a later plan, and the places that were recorded for them."""
    place = dict(zip(recorded.items(), recorded.place.tolist(), strict=True))
    found = [place.get(bytes(item)) for item in rows.item]
    which = np.array([at for at, each in enumerate(found) if each is not None], np.int64)
    return rows.take(which), np.array([each for each in found if each is not None], np.int64)
