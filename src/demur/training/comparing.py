"""Runs of one version side by side: what they learned, what forgetting costs in them, what leaks, and their speed.

What is compared is what serves. People whose rows are scored were held out by each run's own hash and stand in none of
the models; runs whose hashes differ hold out few people together, unless one was begun with the hash of the other.

Invariants: every number has its unit and what it is over; rows that concern several people are not scored; nothing is
changed, and what is forgotten to take the time is forgotten in a copy, which is gone afterwards.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demur.corpus.session import Session
from demur.errors import CheckFailed, UsageError
from demur.runs.audited import read_report
from demur.runs.folder import ModelFolder, RunFolder, answering
from demur.runs.forgetting import opened, remembers
from demur.runs.people import read_people
from demur.runs.store import Store
from demur.suppression.signed import file_digest
from demur.training.audit.figure import Figure
from demur.training.audit.intervals import TOO_FEW, auc, mean
from demur.training.certificate import read_certificate
from demur.training.cohorts import ENSEMBLE, MERGED, way
from demur.training.epsilon import epsilon
from demur.training.generating import Generation, Sampling
from demur.training.mixing import distribution
from demur.training.model import looked_at
from demur.training.order import held_out, keyed, packed
from demur.training.plan import rows_now
from demur.training.rows import Ints, Rows
from demur.training.run import Run
from demur.training.serving import Loaded, Model, load, serving

Floats = npt.NDArray[np.float64]
_SCORED: Final = 8192
"""Tokens that are scored, at most."""
_FORGOTTEN: Final = 20
"""People for whom the time of forgetting is taken, at most."""
_DRAWN: Final = 32
"""Tokens that are drawn to take the time."""
_RESAMPLES: Final = 1000
_FEWEST: Final = 10
_PROMPT: Final = "The"
_LOSS: Final = "held-out loss"
_COMPARED: Final = b"compared\0"


@dataclass(frozen=True)
class Side:
    """One run in a comparison."""

    run: str
    """Its name; of a family of cohorts, with how they answer together."""
    model: str
    """Four digits, of each cohort."""
    kind: str
    """How it holds rows: weights, adapters, cohorts of adapters, weights with noise, or a store."""
    serves: str
    """``0001 at 40``, of each cohort."""
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Comparison:
    """Several runs of a version."""

    version: str
    sides: Sequence[Side]
    notes: Sequence[str]
    """What has to be known to read it."""


def compare(session: Session, names: Sequence[str]) -> Comparison:
    """Compare what serves of some runs.

    Args:
        session: of the workspace, with rows.
        names: of the runs, in the order of the columns.

    Raises:
        UsageError: when one is not there, is no run of demur's own, or they are of several versions.
        CheckFailed, CorpusError, UnavailableError: when nothing of one may serve.
    """
    models = session.workspace.models_path
    version = _version([run for name in dict.fromkeys(names) for run in answering(models, name)])
    with ExitStack() as stack:
        opened = [stack.enter_context(serving(session.workspace, name)) for name in dict.fromkeys(names)]
        compared = [each for model in opened for each in _ways(session, model)]
        held = _held(session, compared)
        losses = [_loss(each, each.loaded, held) for each in compared]
        sides = [
            Side(
                each.name,
                "+".join(run.model.number for run in each.runs),
                each.kind,
                ", ".join(f"{number} at {checkpoint}" for number, checkpoint in each.loaded.at),
                [*loss.figures(losses[0], compared[0].name), *_figures(session, each, loss, held)],
            )
            for each, loss in zip(compared, losses, strict=True)
        ]
    return Comparison(version, sides, list(_notes(compared, len(held))))


@dataclass(frozen=True, eq=False)
class _Compared:
    """One way in which a run, or a family of cohorts, answers."""

    name: str
    of: str
    """The run, or the family."""
    way: str
    """How cohorts are put together (cohorts.way); "" of a run."""
    kind: str
    runs: Sequence[Run]
    """Of which it is made."""
    loaded: Loaded
    base: Loaded
    """The same before anybody's rows."""
    rows: Rows
    """Those that may be used now, as it reads them."""

    @property
    def people(self) -> Ints:
        """Everybody in it, sorted."""
        return np.unique(np.concatenate([read_people(run.model).keys for run in self.runs]))


def _ways(session: Session, model: Model) -> Iterator[_Compared]:
    """What serves: of several cohorts both ways, whichever they answer in."""
    loaded = model.loaded()
    runs = [Run.open(folder.model(number)) for folder, (number, _) in zip(model.runs, loaded.at, strict=True)]
    pointers, rows, kind = model.pointers(), rows_now(session, runs[0]), _kind(runs)
    begun = tuple(replace(each, checkpoint=0) for each in pointers)
    base = replace(load(model.name, model.runs, begun), remembered=None)
    if len(runs) == 1:
        yield _Compared(model.name, model.name, "", kind, runs, loaded, base, rows)
        return
    for how in (MERGED, ENSEMBLE):
        one = load(model.name, model.runs, pointers, ensemble=how == ENSEMBLE)
        yield _Compared(f"{model.name}, {how}", model.name, how, kind, runs, one, base, rows)


def _figures(session: Session, each: _Compared, loss: "_Loss", held: Ints) -> Iterator[Figure]:
    """What does not hang on the other runs."""
    run = each.runs[0]
    yield _forgetting_ms(run.model) if remembers(run.model) else _replayed_share(each.runs)
    yield _told_apart(each, loss, held)
    yield from _leakage(each)
    if run.config.noise:
        yield _epsilon(session, run)
    yield _speed(each.loaded)


# Who is scored, and how


def _version(folders: Sequence[RunFolder]) -> str:
    versions = {str(Run.open(each.models()[0]).facts().version): each.name for each in folders}
    if len(versions) != 1:
        raise UsageError(f"These runs are of several versions ({', '.join(sorted(versions))}): compare runs of one.")
    return next(iter(versions))


def _held(session: Session, compared: Sequence[_Compared]) -> Ints:
    """Whom each run's own hash holds out and who is in none of the models, as far as there is room to score them."""
    keys = np.unique(np.concatenate([each.rows.people.flat for each in compared]))
    persons = session.register.members.persons(keys)
    stay = np.ones(len(keys), bool)
    for each in compared:
        stay &= held_out(persons, each.runs[0].config.held, each.runs[0].key) & ~np.isin(keys, each.people)
    return _drawn(compared[0], keys[stay])


def _drawn(of: _Compared, keys: Ints) -> Ints:
    """Some of these people, by a keyed hash, as far as there is room to score them."""
    drawn = keys[np.argsort(keyed(of.runs[0].key, _COMPARED, packed(keys))[:, 0])]
    own = np.array([of.rows.tokens[_of_one(of.rows, int(each))].sum() for each in drawn], np.int64)
    drawn, own = drawn[own > 0], own[own > 0]
    return np.asarray(drawn[np.cumsum(own) - own < _SCORED])


@dataclass(frozen=True, eq=False)
class _Loss:
    """What people who are held out cost one run, shape (n,) both."""

    nats: Floats
    tokens: Floats

    def figures(self, first: "_Loss", name: str) -> Iterator[Figure]:
        """The loss, and its distance from that of the first run, whose name is given."""
        n, whole = len(self.nats), float(self.tokens.sum())
        if not n:
            note = "nobody is held out by all of them: begin one with --held-as, or with a larger `held`"
            yield Figure(_LOSS, None, "nats a token", 0, "accounts", None, note)
            return
        note = f"{whole:,.0f} tokens" + ("" if n >= _FEWEST else f"; {TOO_FEW}")
        value, interval = self._over(self.tokens)
        yield Figure(_LOSS, value, "nats a token", n, "accounts", interval, note)
        if first is not self and len(first.nats) == n:
            ratio, between = self._over(first.nats)
            low_high = None if between is None else (100 * (between[0] - 1), 100 * (between[1] - 1))
            yield Figure(f"{_LOSS}, against {name}", 100 * (ratio - 1), "%", n, "accounts", low_high, "paired")

    def _over(self, other: Floats) -> tuple[float, tuple[float, float] | None]:
        """The ratio of two sums over people, with its interval: people are drawn again, both sums together."""
        ratio = float(self.nats.sum() / other.sum())
        if len(self.nats) < _FEWEST:
            return ratio, None
        drawn = np.random.default_rng(1).integers(0, len(self.nats), (_RESAMPLES, len(self.nats)))
        low, high = np.quantile(self.nats[drawn].sum(axis=1) / other[drawn].sum(axis=1), (0.025, 0.975))
        return ratio, (float(low), float(high))


def _loss(of: _Compared, loaded: Loaded, held: Ints) -> _Loss:
    """What the rows of each of these people cost what is loaded."""
    found, rows = np.zeros((len(held), 2)), of.rows
    for number, each in enumerate(held):
        for row in _of_one(rows, int(each)):
            found[number] += _nats(of.runs[0], loaded, rows, int(row)), rows.tokens[row] - 1
    return _Loss(found[:, 0], found[:, 1])


def _of_one(rows: Rows, key: int) -> Ints:
    """The rows that are of somebody alone, and predict something."""
    theirs = rows.people.holding(np.array([key]))
    return np.flatnonzero(theirs & (rows.people.sizes == 1) & (rows.tokens > 1))


def _nats(run: Run, loaded: Loaded, rows: Rows, row: int) -> float:
    """What the tokens of a row cost together."""
    ids = rows.ids[rows.start[row] : rows.start[row] + rows.tokens[row]]
    logits, states = looked_at(loaded.network, ids, run.config)
    if loaded.remembered is not None:
        logits = loaded.remembered.scores(logits, states, [ids[: at + 1].tolist() for at in range(len(ids) - 1)])
    return float(-np.log(distribution(logits)[np.arange(len(ids) - 1), ids[1:]]).sum())


# What it costs that somebody objects


def _replayed_share(runs: Sequence[Run]) -> Figure:
    """The share of the personal phase, of all cohorts, that a replay for one person trains again, each alike."""
    behind = [_tokens_behind(run) for run in runs]
    shares = np.concatenate([each for each, _ in behind]) / max(sum(total for _, total in behind), 1)
    value, interval = mean(shares)
    return Figure("forgetting one person", value, "share of the personal phase", len(shares), "accounts", interval)


def _tokens_behind(run: Run) -> tuple[Floats, float]:
    """The tokens that a replay for each person of a run trains again, and all of the run's."""
    plan, people = run.plan(), read_people(run.model)
    tokens = np.bincount(plan.step, plan.rows.tokens, plan.steps)
    before = np.concatenate([[0.0], np.cumsum(tokens)])
    checkpoints = np.array(run.model.steps())
    begun = checkpoints[np.searchsorted(checkpoints, people.steps, side="right") - 1]
    return before[-1] - before[begun], float(before[-1])


def _forgetting_ms(model: ModelFolder) -> Figure:
    """The time that it takes until somebody is out of a store, on the disk."""
    name, unit = "forgetting one person", "ms"
    with opened(model) as store, TemporaryDirectory(prefix=".compared", dir=model.run.path) as place:
        some = np.random.default_rng(1).permutation(store.people())[:_FORGOTTEN]
        store.copied(Path(place) / "store")
        with Store(Path(place) / "store") as copy:
            took = [_ms(copy, int(each)) for each in some]
    value, interval = mean(np.array(took))
    return Figure(name, value, unit, len(took), "accounts", interval)


def _ms(store: Store, key: int) -> float:
    began = time.perf_counter()
    store.forget_people(np.array([key]))
    return 1000 * (time.perf_counter() - began)


# What leaks, and how fast it is


def _told_apart(each: _Compared, loss: _Loss, held: Ints) -> Figure:
    """How well members are told from those held out by what was gained over the base: of what answers, as a whole."""
    members = _drawn(each, each.people)
    of_members, of_held = (
        (_loss(each, each.base, who).nats - ours.nats) / ours.tokens
        for who, ours in ((members, _loss(each, each.loaded, members)), (held, loss))
    )
    value, interval = auc(of_members, of_held)
    note = f"{len(members):,} members, {len(held):,} held out" + ("" if interval else f"; {TOO_FEW} of each")
    return Figure(
        "members told apart by loss minus the base's",
        value,
        "AUC",
        len(members) + len(held),
        "accounts",
        interval,
        note,
    )


def _leakage(of: _Compared) -> Iterator[Figure]:
    """The AUC of each attack of an audit, where one was made of what answers so; what is malformed is left out."""
    if of.way and of.way != way(of.runs[0].config):
        yield Figure("leakage", None, "AUC", 0, "accounts", None, f"not audited, as {of.of} does not answer so")
        return
    found = read_report([run.model for run in of.runs]).get("findings")
    if found is None:
        yield Figure("leakage", None, "AUC", 0, "accounts", None, f"not audited: `demur audit model {of.of}`")
        return
    for finding in found if isinstance(found, list) else ():
        try:
            yield from (_read(str(finding["attack"]), each) for each in finding["figures"] if each["unit"] == "AUC")
        except (KeyError, TypeError, ValueError):
            continue


def _read(attack: str, said: dict[str, Any]) -> Figure:
    value, interval = said["value"], said.get("interval")
    return Figure(
        f"leakage, {attack}: {said['name']}",
        None if value is None else float(value),
        "AUC",
        int(said["n"]),
        str(said["of"]),
        None if interval is None else (float(interval[0]), float(interval[1])),
        str(said.get("note", "")),
    )


def _epsilon(session: Session, run: Run) -> Figure:
    """What the noise is worth for a person, over all releases so far."""
    try:
        said = read_certificate(run.model, session.keys.signing.public_key()).facts
        releases = int(said["privacy"]["releases"])
    except (CheckFailed, KeyError, TypeError, ValueError):
        releases = int(run.model.number)
    worth = epsilon(run.config.noise, run.config.delta, releases)
    unit = f"epsilon of a person at delta {run.config.delta:g}"
    return Figure("noise", worth, unit, releases, "releases", None, "a bound that is proven has no interval")


def _speed(loaded: Loaded) -> Figure:
    """The time that it takes to draw a token."""
    tokens = min(_DRAWN, loaded.tokenizer.context // 2)
    drawn, took = 0, 0.0
    for seed in range(_DRAWN):
        generation = Generation(
            loaded.network, loaded.tokenizer, _PROMPT, Sampling(tokens, seed=seed), loaded.remembered
        )
        began = time.perf_counter()
        for _ in generation:
            pass
        if seed:  # the first one warms up
            drawn, took = drawn + generation.tokens, took + time.perf_counter() - began
        if drawn >= _DRAWN:
            break
    return Figure(
        "generation", 1000 * took / max(drawn, 1), "ms a token", drawn, "tokens", None, "one look, no interval"
    )


def _kind(runs: Sequence[Run]) -> str:
    config = runs[0].config
    if config.memory:
        return "a store beside the base"
    if len(runs) > 1:
        return f"adapters of {len(runs)} cohorts"
    trained = "adapters" if config.adapters else "weights"
    return f"{trained}, noise {config.noise:g}" if config.noise else trained


def _notes(compared: Sequence[_Compared], held: int) -> Iterator[str]:
    runs = {run.model.run.name: (run, each.loaded.at[at][1]) for each in compared for at, run in enumerate(each.runs)}
    yield f"{held:,} accounts are scored, whom every run holds out and none of the models has seen."
    if len({file_digest(run.model.run.tokenizer / "tokenizer.json") for run, _ in runs.values()}) > 1:
        yield "The tokenizers differ, so that losses a token can't be compared."
    for run, checkpoint in runs.values():
        if checkpoint < max(run.model.steps(), default=0):
            yield f"{run.model.run.name} waits for a replay: what serves now was compared."
        if run.config.memory:
            yield (
                f"{run.model.run.name} holds the rows themselves in its store: whoever asks it finds out who is in it, "
                "whatever an audit of its weights says."
            )
