"""The audit of what serves of a run, or of a family of cohorts: who is audited, what the models say, and what follows.

Invariants: what is audited is what answers, with the weights that are served; neither the run nor the register changes
until the report is kept; each attack that is not run is in the report, with why; nothing of any person is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np

from demur.canonical import JSON
from demur.corpus.session import Session
from demur.errors import CheckFailed
from demur.files import write_durably
from demur.runs.audited import report_of
from demur.runs.belonging import read_signed
from demur.runs.entries import note_audited
from demur.suppression.signed import file_digest
from demur.training.audit import membership
from demur.training.audit.again import Stepped, read_trained
from demur.training.audit.blind import Words
from demur.training.audit.figure import Finding, NotRun
from demur.training.audit.membership import Reference, Seen
from demur.training.audit.people import Audited, Bools, Draw, Everybody, drawn, everybody, version_of
from demur.training.audit.reading import in_reading_order, read, read_rounded
from demur.training.audit.report import Audit, not_run
from demur.training.audit.scores import Read
from demur.training.audit.served import Served
from demur.training.audit.speaking import by_language, spoken
from demur.training.checkpoints import Checkpoints
from demur.training.cohorts import way
from demur.training.environment import load, of_now, require_same
from demur.training.filling import Plan

Report = Callable[[float], None]
"""Called with the share that is done."""

_TRAINING: Final = 3
"""How many readings of a token one training on it costs, about."""


@dataclass(frozen=True)
class Asked:
    """What an audit is asked for."""

    draw: Draw = field(default_factory=Draw)
    """Who is audited."""
    objectors: int = 100
    """Members at most who are taken out as if they had objected; 0 for no such model."""
    references: int = 1
    """Pairs of models that are each trained on half of the members, for RMIA; 0 for none."""


def audit(session: Session, served: Served, asked: Asked, report: Report) -> Audit:
    """Audit what serves.

    Args:
        session: of the workspace, with rows.
        served: a run's model, or the models of a family's cohorts.
        asked: how much.
        report: told how much is done.

    Raises:
        UsageError: when nobody was held out, or too few are there.
        CheckFailed: when its files were changed.
    """
    load(served.run.config)
    found = everybody(session, served)
    who = drawn(found, asked.draw)
    work = _Work(session, served, found, who, asked, _Gauge.of(found, who, asked, report))
    findings, told = work.findings()
    about, people = _about(session, served), _people(found, who, asked)
    return Audit(about, people, findings, not_run(findings, told), datetime.now(UTC))


def keep(session: Session, served: Served, done: Audit) -> None:
    """Put the report beside its model, and its digest on record."""
    write_durably(report_of(served.models), done.to_bytes())
    note_audited(session.register, served.name, served.number, report=done.digest)


@dataclass
class _Gauge:
    """How much is done, in tokens read."""

    total: float
    report: Report
    done: float = 0.0

    @classmethod
    def of(cls, found: Everybody, who: Audited, asked: Asked, report: Report) -> "_Gauge":
        """What an audit has ahead: readings of those audited, and trainings on everybody."""
        trainings = bool(asked.objectors) + asked.references
        readings = 3 + bool(asked.objectors) + 2 * asked.references
        members = float(found.rows.tokens[found.at >= 0].sum())
        return cls(readings * float(who.rows.tokens.sum()) + _TRAINING * trainings * members, report)

    def read(self, tokens: int) -> None:
        """Tokens were read."""
        self.done += tokens
        self.report(min(self.done / self.total, 1.0))

    def training(self, tokens: int) -> Stepped:
        """What is told of the steps of a training on so many tokens."""
        begun = self.done

        def stepped(step: int, steps: int) -> None:
            self.done = begun + _TRAINING * tokens * step / max(steps, 1)
            self.read(0)

        return stepped


@dataclass(frozen=True)
class _Work:
    """One audit under way."""

    session: Session
    served: Served
    found: Everybody
    who: Audited
    asked: Asked
    gauge: _Gauge

    def findings(self) -> tuple[list[Finding], list[NotRun]]:
        """What every attack found, the blind baseline first; and those that were left out."""
        rows, seed, run = self.who.rows, self.asked.draw.seed, self.served.run
        network, base_network = self.served.network(), self.served.base()
        owners = self.who.owners(in_reading_order(rows))
        seen = Seen(self.who.held, owners, self.who.size, self.who.position, seed)
        ids = np.concatenate([rows.ids[at : at + size] for at, size in zip(rows.start, rows.tokens, strict=True)])
        found = [membership.blind(seen, Words(ids, np.repeat(self.who.person, rows.tokens), self.who.held))]
        model = read(network, run, rows, self.gauge.read)
        base = read(base_network, run, rows, self.gauge.read)
        found += membership.attacks(seen, model, base)
        why = self._why_no_training()
        if not why and self.asked.references:
            found.append(membership.robust(seen, model, list(self._references())))
        rounded = read_rounded(network, run, rows, self.gauge.read)
        found += [membership.rounded(seen, rounded, base), membership.position(seen, model, base)]
        if not why and self.asked.objectors:
            out = self._objectors()
            found += membership.without(seen, out, model, self._without(out), base)
        told = list(spoken(self.session, self.served, network, base_network, self.who))
        found += [each for each in told if isinstance(each, Finding)]
        found.append(by_language(self.session, self.who, model))
        return found, [*self._left_out(why), *(each for each in told if isinstance(each, NotRun))]

    def _why_no_training(self) -> str:
        """Why no model can be trained here as this one was; "" where one can."""
        try:
            for run, _ in self.served.parts:
                require_same(run.environment(), of_now(run.config))
        except CheckFailed:
            return "it asks for a model that is trained as this one was, which another environment can't give"
        return ""

    def _left_out(self, why: str) -> Iterator[NotRun]:
        if why or not self.asked.references:
            yield NotRun("rmia", why or "no reference model was asked for")
        if why or not self.asked.objectors:
            yield from (NotRun(each, why or "nobody was to be taken out") for each in ("objectors", "version-diff"))

    def _objectors(self) -> Bools:
        """The audited members who are taken out: at most half of them."""
        members = np.flatnonzero(~self.who.held)
        random = np.random.default_rng([self.asked.draw.seed, 1])
        out = np.zeros(self.who.people, bool)
        out[random.permutation(members)[: min(self.asked.objectors, len(members) // 2)]] = True
        return out

    def _without(self, out: Bools) -> Read:
        """What the model says that is trained again without some people."""
        stay = np.ones(self.found.people, bool)
        stay[self.who.number[out]] = False
        return self._trained(stay, self.found.seen)

    def _references(self) -> Iterator[Reference]:
        """Models from the base, each trained on one half of the members; those held out are parted alike."""
        random = np.random.default_rng([self.asked.draw.seed, 2])
        for _ in range(self.asked.references):
            first = random.permutation(self.found.people) % 2 == 0
            for half in (first, ~first):
                yield Reference(self._trained(half, None), half[self.who.number])

    def _trained(self, people: Bools, was: Sequence[Plan] | None) -> Read:
        """What a model says that is trained on the rows of some people: from the base, or from what was seen on."""
        plans = self.found.plans(people, self.served.run.config.step_tokens)
        tokens = sum(int(plan.rows.tokens.sum()) for plan in plans)
        told = (self.gauge.training(tokens), self.gauge.read)
        return read_trained(self.served, was, plans, self.who.rows, told)


def _about(session: Session, served: Served) -> dict[str, JSON]:
    """Which model it is; which checkpoint stays here, as of a single person it would tell how much they wrote.

    Of a family, digests are those of its cohorts in their order, with a plus between them.
    """
    run, key = served.run, session.keys.signing.public_key()
    about: dict[str, JSON] = {
        "run": served.name,
        "model": served.number,
        "version": version_of(session, run),
        "certificate": "+".join(read_signed(model, key).digest for model in served.models),
        "weights": "+".join(Checkpoints(each.model).saved(checkpoint).ema for each, checkpoint in served.parts),
        "whole": served.is_whole,
        "config": "+".join(file_digest(model.run.config) for model in served.models),
        "environment": dict(of_now(run.config).pins),
    }
    return about if len(served.parts) == 1 else {**about, "together": way(run.config)}


def _people(found: Everybody, who: Audited, asked: Asked) -> dict[str, JSON]:
    """How many there are, and how many were drawn."""
    return {
        "members": int((~who.held).sum()),
        "members_of": int((~found.held).sum()),
        "held_out": int(who.held.sum()),
        "held_out_of": int(found.held.sum()),
        "rows": len(who.rows),
        "tokens": int(who.rows.tokens.sum()),
        "tokens_a_person_at_most": asked.draw.tokens,
        "rows_passed_over": found.missing,
        "seed": asked.draw.seed,
    }
